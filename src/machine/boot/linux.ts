/**
 * The 64-bit Linux boot protocol, as far as it is the same for every kind of file: the processor in long mode with the
 * first 4 GiB mapped one to one, a GDT with flat segments, and boot_params (the "zero page") at RSI.
 * Linux, "The Linux/x86 Boot Protocol", "64-bit Boot Protocol" (Documentation/arch/x86/boot.rst); "Zero Page".
 */
import type { ElfSegment, ElfSymbol, Segment } from './elf.ts';
import { identityMap } from './identity-map.ts';
import { ImageError } from './image-error.ts';
import { memoryMap } from './memory-map.ts';
import { BootInfo, placeModules, type BootPlan, type Module } from './plan.ts';

export interface LinuxOptions { readonly cmdline: string; readonly modules: readonly Module[]; readonly ramBytes: number }

/** A kernel as its file's own reader has understood it. */
export interface LinuxImage {
  readonly segments: readonly Segment[];
  readonly entry: number;
  readonly symbols: readonly ElfSymbol[];
  readonly linked: readonly ElfSegment[];
  /** First address behind everything that the kernel uses before it knows the memory map. */
  readonly end: number;
  /** The setup header, from offset 0x1f1 of boot_params on. */
  readonly setupHeader: Uint8Array;
  /** The longest command line, in bytes without its NUL. */
  readonly cmdlineBytes: number;
  /** The highest address that the initial RAM disk may have a byte at. */
  readonly initrdLimit: number;
}

/** Offsets in boot_params. */
export const SETUP_HEADER = 0x1f1;
const PARAMS_BYTES = 4096, E820_COUNT = 0x1e8, E820_TABLE = 0x2d0, E820_ENTRY_BYTES = 20;
const TYPE_OF_LOADER = 0x210, LOADFLAGS = 0x211, RAMDISK_IMAGE = 0x218, RAMDISK_SIZE = 0x21c, CMD_LINE_PTR = 0x228;
const UNDEFINED_LOADER = 0xff, LOADED_HIGH = 0x01;

/** Descriptors 0x10 (64-bit code) and 0x18 (data): present, flat, CPL 0. SDM Vol. 3A, "Segment Descriptors". */
const GDT = [0n, 0n, 0x00af_9b00_0000_ffffn, 0x00cf_9300_0000_ffffn];

/** Makes the plan. Several modules become one RAM disk: Linux unpacks archives that stand one behind the other. Throws ImageError. */
export function planLinux(image: LinuxImage, options: LinuxOptions): BootPlan {
  const { ramBytes } = options;
  if (image.end > ramBytes) throw new ImageError(`the kernel needs memory up to 0x${image.end.toString(16)}, the machine has 0x${ramBytes.toString(16)} bytes; give it more with --memory`);
  const cmdlineBytes = new TextEncoder().encode(options.cmdline).length;
  if (cmdlineBytes > image.cmdlineBytes) throw new ImageError(`command line: ${cmdlineBytes} bytes, the kernel takes ${image.cmdlineBytes} at most`);
  const map = memoryMap(ramBytes);
  const ramdisk = placeRamdisk(image, options.modules, Math.min(map[4]?.base ?? ramBytes, image.initrdLimit + 1));

  const info = new BootInfo();
  const cr3 = identityMap(info);
  const params = info.reserve(PARAMS_BYTES, 4096, 'boot_params');
  const gdt = info.reserve(GDT.length * 8, 8, 'GDT');
  GDT.forEach((descriptor, n) => info.u64(gdt + n * 8, descriptor));
  info.bytes(params + SETUP_HEADER, image.setupHeader);
  info.u8(params + TYPE_OF_LOADER, UNDEFINED_LOADER);
  info.u8(params + LOADFLAGS, (image.setupHeader[LOADFLAGS - SETUP_HEADER] ?? 0) | LOADED_HIGH);
  info.u32(params + RAMDISK_IMAGE, ramdisk.start);
  info.u32(params + RAMDISK_SIZE, ramdisk.bytes);
  info.u32(params + CMD_LINE_PTR, info.string(options.cmdline, 'command line'));
  info.u8(params + E820_COUNT, map.length);
  map.forEach((range, n) => {
    const at = params + E820_TABLE + n * E820_ENTRY_BYTES;
    info.u64(at, range.base);
    info.u64(at + 8, range.bytes);
    info.u32(at + 16, range.type);
  });
  return {
    protocol: 'linux', bits: 64, entry: image.entry, eax: 0, ebx: 0, esi: params, cr3, gdt: { base: gdt, limit: GDT.length * 8 - 1 },
    segments: [...image.segments, ...ramdisk.segments, info.segment()], symbols: image.symbols, linked: image.linked, warnings: [],
  };
}

/** The modules at the top of what the kernel can reach, page-aligned and above the kernel. */
function placeRamdisk(image: LinuxImage, modules: readonly Module[], top: number): { segments: readonly Segment[]; start: number; bytes: number } {
  if (modules.length === 0) return { segments: [], start: 0, bytes: 0 };
  const size = placeModules(modules, 0).end;
  const start = Math.floor((top - size) / 4096) * 4096;
  if (start < image.end) throw new ImageError(`--initrd: ${size} bytes do not fit between the kernel's end at 0x${image.end.toString(16)} and 0x${top.toString(16)}; give the machine more with --memory`);
  const { segments, end } = placeModules(modules, start);
  return { segments, start, bytes: end - start };
}
