/** PVH direct boot: hvm_start_info for the kernel. Xen, "x86/HVM direct boot ABI" (docs/misc/pvh.pandoc). */
import type { ElfFile, Segment } from './elf.ts';
import { ImageError } from './image-error.ts';
import { memoryMap } from './memory-map.ts';
import { BootInfo, placeModules, type BootPlan, type Module } from './plan.ts';

const START_INFO_MAGIC = 0x336e_c578, START_INFO_BYTES = 56, MODULE_BYTES = 32, MAP_ENTRY_BYTES = 24;

/** Makes the plan for an ELF file with a PVH note. Modules lie at the top of RAM. Throws ImageError. */
export function planPvh(elf: ElfFile, entry: number, options: { cmdline: string; modules: readonly Module[]; ramBytes: number }): BootPlan {
  const map = memoryMap(options.ramBytes);
  const top = (map[4]?.base ?? options.ramBytes);
  const moduleBytes = options.modules.reduce((sum, m) => sum + Math.ceil(m.bytes.length / 4096) * 4096, 0);
  if (moduleBytes > top) throw new ImageError(`--initrd: ${moduleBytes} bytes of modules do not fit into ${options.ramBytes} bytes of memory`);
  const modules = placeModules(options.modules, Math.floor((top - moduleBytes) / 4096) * 4096);

  const info = new BootInfo();
  const at = info.reserve(START_INFO_BYTES, 8, 'hvm_start_info');
  const list = info.reserve(options.modules.length * MODULE_BYTES, 8, 'module list');
  const mmap = info.reserve(map.length * MAP_ENTRY_BYTES, 8, 'memory map');
  info.u32(at, START_INFO_MAGIC);
  info.u32(at + 4, 1); // version 1: has the memory map
  info.u32(at + 12, options.modules.length);
  info.u64(at + 16, list);
  info.u64(at + 24, info.string(options.cmdline, 'command line'));
  info.u64(at + 40, mmap);
  info.u32(at + 48, map.length);
  map.forEach((range, n) => {
    info.u64(mmap + n * MAP_ENTRY_BYTES, range.base);
    info.u64(mmap + n * MAP_ENTRY_BYTES + 8, range.bytes);
    info.u32(mmap + n * MAP_ENTRY_BYTES + 16, range.type);
  });
  options.modules.forEach((m, n) => {
    const placed = modules.segments[n] as Segment, item = list + n * MODULE_BYTES;
    info.u64(item, placed.physicalAddress);
    info.u64(item + 8, placed.memoryBytes);
    info.u64(item + 16, info.string(m.name, 'module string'));
  });
  return {
    protocol: 'pvh', bits: 32, entry, eax: 0, ebx: at, cr3: 0, warnings: [],
    segments: [...elf.segments, ...modules.segments, info.segment()], symbols: elf.symbols, linked: elf.segments,
  };
}
