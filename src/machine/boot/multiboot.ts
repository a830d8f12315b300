/** Multiboot 1: the header in the image, the information structure for the kernel. "Multiboot Specification version 0.6.96". */
import type { ElfFile, Segment } from './elf.ts';
import { FileReader, ImageError } from './image-error.ts';
import { memoryMap } from './memory-map.ts';
import { BootInfo, placeModules, type BootPlan, type Module } from './plan.ts';

const HEADER_MAGIC = 0x1bad_b002, LOADER_MAGIC = 0x2bad_b002, SEARCH_BYTES = 8192;
/** Header flags: bits 0-15 are demands, bit 16 says that the address fields are there. */
const FLAG = { ALIGN: 1 << 0, MEMORY: 1 << 1, VIDEO: 1 << 2, ADDRESSES: 1 << 16 } as const;
/** Information flags, in the order of the fields they announce. */
const INFO = { MEMORY: 1 << 0, BOOT_DEVICE: 1 << 1, CMDLINE: 1 << 2, MODULES: 1 << 3, MMAP: 1 << 6, LOADER_NAME: 1 << 9 } as const;

export interface MultibootHeader { readonly offset: number; readonly flags: number }

/** Finds the header in the first 8 KiB, or undefined. */
export function findMultibootHeader(file: Uint8Array): MultibootHeader | undefined {
  const r = new FileReader(file);
  for (let at = 0; at + 12 <= Math.min(file.length, SEARCH_BYTES); at += 4) {
    if (r.u32(at, 'header') !== HEADER_MAGIC) continue;
    const flags = r.u32(at + 4, 'header'), checksum = r.u32(at + 8, 'header');
    if (((HEADER_MAGIC + flags + checksum) >>> 0) === 0) return { offset: at, flags };
  }
  return undefined;
}

/** True when the header itself says where the file goes, so that its container (ELF64, a.out) does not matter. */
export const hasAddressFields = (header: MultibootHeader): boolean => (header.flags & FLAG.ADDRESSES) !== 0;

/** Makes the plan for a Multiboot image. Throws ImageError. */
export function planMultiboot(file: Uint8Array, header: MultibootHeader, elf: ElfFile | undefined, options: { name: string; cmdline: string; modules: readonly Module[]; ramBytes: number }): BootPlan {
  const unknown = header.flags & 0xffff & ~(FLAG.ALIGN | FLAG.MEMORY | FLAG.VIDEO);
  if (unknown !== 0) throw new ImageError(`Multiboot header flags: demands 0x${unknown.toString(16)}, which no loader knows`);
  const warnings = (header.flags & FLAG.VIDEO) === 0 ? [] : ['the Multiboot header asks for a video mode; there is no display'];

  const image = hasAddressFields(header) ? addressFields(file, header) : elf && { segments: elf.segments, entry: Number(elf.entry) };
  if (!image) throw new ImageError('Multiboot header flags: neither an ELF file nor address fields (bit 16), so nothing says where to load it');
  const imageEnd = Math.max(...image.segments.map((s) => s.physicalAddress + s.memoryBytes));
  const modules = placeModules(options.modules, imageEnd);

  const info = new BootInfo();
  const at = info.reserve(88, 8, 'Multiboot information');
  const map = memoryMap(options.ramBytes);
  const mmap = info.reserve(map.length * 24, 8, 'memory map');
  const list = info.reserve(options.modules.length * 16, 8, 'module list');
  info.u32(at, INFO.MEMORY | INFO.BOOT_DEVICE | INFO.CMDLINE | INFO.MODULES | INFO.MMAP | INFO.LOADER_NAME);
  info.u32(at + 4, 639);
  info.u32(at + 8, (map[3]?.bytes ?? 0) / 1024);
  info.u32(at + 12, 0x8000_ffff);
  info.u32(at + 16, info.string(`${options.name} ${options.cmdline}`.trimEnd(), 'command line'));
  info.u32(at + 20, options.modules.length);
  info.u32(at + 24, list);
  info.u32(at + 44, map.length * 24);
  info.u32(at + 48, mmap);
  info.u32(at + 64, info.string('longmode', 'loader name'));
  map.forEach((range, n) => {
    const entry = mmap + n * 24; // size of what follows, base, length, type
    info.u32(entry, 20);
    info.u64(entry + 4, range.base);
    info.u64(entry + 12, range.bytes);
    info.u32(entry + 20, range.type);
  });
  options.modules.forEach((m, n) => {
    const placed = modules.segments[n] as Segment, entry = list + n * 16;
    info.u32(entry, placed.physicalAddress);
    info.u32(entry + 4, placed.physicalAddress + placed.memoryBytes);
    info.u32(entry + 8, info.string(m.name, 'module string'));
  });
  return {
    protocol: 'multiboot', bits: 32, entry: image.entry, eax: LOADER_MAGIC, ebx: at, cr3: 0, warnings,
    segments: [...image.segments, ...modules.segments, info.segment()], symbols: elf?.symbols ?? [], linked: elf?.segments ?? [],
  };
}

/** The address fields ("a.out kludge"): header_addr load_addr load_end_addr bss_end_addr entry_addr. */
function addressFields(file: Uint8Array, header: MultibootHeader): { segments: Segment[]; entry: number } {
  const r = new FileReader(file);
  const field = (n: number, name: string): number => r.u32(header.offset + 12 + n * 4, `Multiboot header ${name}`);
  const headerAddress = field(0, 'header_addr'), load = field(1, 'load_addr'), loadEnd = field(2, 'load_end_addr');
  const bssEnd = field(3, 'bss_end_addr'), entry = field(4, 'entry_addr');
  const start = header.offset - (headerAddress - load);
  if (headerAddress < load || start < 0) throw new ImageError('Multiboot header load_addr: the file has no byte for it');
  if (loadEnd !== 0 && loadEnd < load) throw new ImageError('Multiboot header load_end_addr: below load_addr');
  const bytes = r.slice(start, loadEnd === 0 ? file.length - start : loadEnd - load, 'Multiboot header load_end_addr');
  const memoryBytes = Math.max(bytes.length, bssEnd === 0 ? 0 : bssEnd - load);
  return { segments: [{ physicalAddress: load, bytes, memoryBytes }], entry };
}
