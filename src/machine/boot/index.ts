/**
 * From the bytes of an image file to a boot plan. Precedence as in QEMU's -kernel: a Multiboot header first, then the
 * PVH note, then the Linux boot protocol, so that a file boots the same way here and there. A vmlinux with a PVH note
 * (every x86-64 distribution's) is thus entered by it; `protocol: 'linux'` enters it in long mode.
 */
import { isBzImage, planBzImage } from './bzimage.ts';
import { isElf, parseElf, type ElfFile } from './elf.ts';
import { planFlat, type FlatOptions } from './flat.ts';
import { ImageError } from './image-error.ts';
import { findMultibootHeader, hasAddressFields, planMultiboot, type MultibootHeader } from './multiboot.ts';
import { checkSegments, type BootPlan, type Module } from './plan.ts';
import { planPvh } from './pvh.ts';
import { planVmlinux } from './vmlinux.ts';
import { MIN_MEMORY_BYTES } from './memory-map.ts';

export { ImageError } from './image-error.ts';
export type { BootPlan, Module } from './plan.ts';
export type { FlatOptions } from './flat.ts';

export interface BootOptions {
  /** What the kernel sees as its own name (Multiboot puts it before the command line). */
  readonly name?: string;
  readonly cmdline?: string;
  readonly modules?: readonly Module[];
  /** Takes the file as a flat binary, whatever it looks like. */
  readonly flat?: FlatOptions;
  /** Enters the file by this protocol; chosen by what is in the file if not given. */
  readonly protocol?: Protocol;
}

/** The protocols that a file can be entered by. */
export const PROTOCOLS = ['multiboot', 'pvh', 'linux'] as const;
export type Protocol = (typeof PROTOCOLS)[number];

/** Reads an image and plans its start on a machine with `ramBytes` of RAM. Throws ImageError. */
export function planBoot(file: Uint8Array, ramBytes: number, options: BootOptions = {}): BootPlan {
  if (file.length === 0) throw new ImageError('the file is empty');
  if (ramBytes < MIN_MEMORY_BYTES) throw new ImageError(`${ramBytes} bytes of memory are too few to boot; at least ${MIN_MEMORY_BYTES} are needed`);
  const plan = choose(file, ramBytes, options);
  checkSegments(plan.segments, ramBytes);
  const inside = plan.segments.some((s) => plan.entry >= s.physicalAddress && plan.entry < s.physicalAddress + s.memoryBytes);
  if (!inside) throw new ImageError(`entry point 0x${plan.entry.toString(16)} is outside everything that is loaded`);
  return plan;
}

function choose(file: Uint8Array, ramBytes: number, options: BootOptions): BootPlan {
  if (options.flat) return planFlat(file, options.flat);
  const shared = { name: options.name ?? 'kernel', cmdline: options.cmdline ?? '', modules: options.modules ?? [], ramBytes };
  const elf = isElf(file) ? parseElf(file) : undefined;
  const header = findMultibootHeader(file);
  const protocol = options.protocol ?? detect(file, header, elf);
  switch (protocol) {
    case 'multiboot':
      if (!header) throw new ImageError('no Multiboot header in the first 8 KiB');
      return planMultiboot(file, header, elf, shared);
    case 'pvh':
      if (elf?.pvhEntry === undefined) throw new ImageError(elf ? 'this ELF file has no PVH note (type 18, "Xen")' : 'not an ELF file, so it has no PVH note');
      return planPvh(elf, elf.pvhEntry, shared);
    case 'linux': return elf ? planVmlinux(elf, shared) : planBzImage(file, shared);
  }
}

function detect(file: Uint8Array, header: MultibootHeader | undefined, elf: ElfFile | undefined): Protocol {
  if (header && (hasAddressFields(header) || elf?.bits === 32)) return 'multiboot';
  if (elf?.pvhEntry !== undefined) return 'pvh';
  if (header) return 'multiboot';
  if (elf?.bits === 64 && elf.isLinux) return 'linux';
  if (elf) throw new ImageError('this ELF file has neither a PVH note (type 18, "Xen") nor a Multiboot header nor a note of a Linux kernel, so nothing says how to enter it');
  if (isBzImage(file)) return 'linux';
  throw new ImageError('neither ELF nor Multiboot nor bzImage; a flat binary needs a load address');
}
