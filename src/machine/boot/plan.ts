/**
 * What has to be in memory and in registers before the first guest instruction: a plan that every boot protocol makes
 * and that the machine carries out.
 */
import type { ElfSegment, ElfSymbol, Segment } from './elf.ts';
import { ImageError } from './image-error.ts';
import { EBDA } from './memory-map.ts';

export interface BootPlan {
  readonly protocol: 'multiboot' | 'pvh' | 'linux' | 'flat';
  /** The image itself, then the structures that describe the machine to it. */
  readonly segments: readonly Segment[];
  /** 32: flat protected mode, paging off. 64: long mode with the first 4 GiB mapped one to one. */
  readonly bits: 32 | 64;
  readonly entry: number;
  readonly eax: number;
  readonly ebx: number;
  /** RSI; 0 where absent. */
  readonly esi?: number;
  /** What GDTR holds; a limit of 0 where absent: the segment registers are loaded, and the image brings its own table. */
  readonly gdt?: { readonly base: number; readonly limit: number };
  /** Physical address of the PML4 in a 64-bit start, else 0. */
  readonly cr3: number;
  readonly symbols: readonly ElfSymbol[];
  /** The segments of an ELF file, which say where the code that lies in memory is linked. */
  readonly linked: readonly ElfSegment[];
  readonly warnings: readonly string[];
}

/** A module given to the guest (`--initrd`): its bytes and the string that goes with it. */
export interface Module { readonly name: string; readonly bytes: Uint8Array }

/** Where the boot structures lie: low memory that no image of ours or GRUB's uses, below the EBDA. */
export const BOOT_INFO = 0x9_0000;
const BOOT_INFO_BYTES = EBDA - BOOT_INFO;

/** Lays boot structures one behind the other and remembers where each is. */
export class BootInfo {
  private readonly content = new Uint8Array(BOOT_INFO_BYTES);
  private readonly view = new DataView(this.content.buffer);
  private used = 0;

  /** Reserves room, aligned; returns the physical address. Throws ImageError when the structures do not fit. */
  reserve(size: number, align: number, what: string): number {
    const at = Math.ceil(this.used / align) * align;
    if (at + size > BOOT_INFO_BYTES) throw new ImageError(`${what}: ${size} bytes do not fit into the ${BOOT_INFO_BYTES} bytes for boot information`);
    this.used = at + size;
    return BOOT_INFO + at;
  }
  u8(address: number, value: number): void { this.view.setUint8(address - BOOT_INFO, value); }
  u32(address: number, value: number): void { this.view.setUint32(address - BOOT_INFO, value, true); }
  u64(address: number, value: number | bigint): void { this.view.setBigUint64(address - BOOT_INFO, BigInt(value), true); }
  bytes(address: number, content: Uint8Array): void { this.content.set(content, address - BOOT_INFO); }
  /** A NUL-terminated UTF-8 string; returns its address. */
  string(text: string, what: string): number {
    const encoded = new TextEncoder().encode(text);
    if (encoded.includes(0)) throw new ImageError(`${what}: contains a NUL byte`);
    const at = this.reserve(encoded.length + 1, 1, what);
    this.content.set(encoded, at - BOOT_INFO);
    return at;
  }
  segment(): Segment {
    return { physicalAddress: BOOT_INFO, bytes: this.content.subarray(0, this.used), memoryBytes: this.used };
  }
}

/** Places modules one behind the other from `start`, page-aligned. */
export function placeModules(modules: readonly Module[], start: number): { segments: Segment[]; end: number } {
  let at = start;
  const segments = modules.map((m) => {
    at = Math.ceil(at / 4096) * 4096;
    const segment = { physicalAddress: at, bytes: m.bytes, memoryBytes: m.bytes.length };
    at += m.bytes.length;
    return segment;
  });
  return { segments, end: at };
}

/** Checks that every segment lies in RAM and that none covers another. Throws ImageError. */
export function checkSegments(segments: readonly Segment[], ramBytes: number): void {
  const sorted = [...segments].filter((s) => s.memoryBytes > 0).sort((a, b) => a.physicalAddress - b.physicalAddress);
  let end = 0;
  for (const s of sorted) {
    const name = `0x${s.physicalAddress.toString(16)}-0x${(s.physicalAddress + s.memoryBytes - 1).toString(16)}`;
    if (s.physicalAddress + s.memoryBytes > ramBytes) {
      throw new ImageError(`segment ${name} does not fit into the machine's memory of 0x${ramBytes.toString(16)} bytes; give it more with --memory`);
    }
    if (s.physicalAddress < end) throw new ImageError(`segment ${name} overlaps another one or the boot information at 0x${BOOT_INFO.toString(16)}`);
    end = s.physicalAddress + s.memoryBytes;
  }
}
