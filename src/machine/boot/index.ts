/**
 * From the bytes of an image file to a boot plan. Precedence as in QEMU's -kernel: a Multiboot header first, then the
 * PVH note, so that a file boots the same way here and there.
 */
import { isElf, parseElf } from './elf.ts';
import { planFlat, type FlatOptions } from './flat.ts';
import { ImageError } from './image-error.ts';
import { findMultibootHeader, hasAddressFields, planMultiboot } from './multiboot.ts';
import { checkSegments, type BootPlan, type Module } from './plan.ts';
import { planPvh } from './pvh.ts';
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
}

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
  if (header && (hasAddressFields(header) || elf?.bits === 32)) return planMultiboot(file, header, elf, shared);
  if (elf?.pvhEntry !== undefined) return planPvh(elf, elf.pvhEntry, shared);
  if (header) return planMultiboot(file, header, elf, shared);
  if (elf) throw new ImageError('this ELF file has neither a PVH note (type 18, "Xen") nor a Multiboot header, so nothing says how to enter it');
  throw new ImageError('neither ELF nor Multiboot; a flat binary needs --load-address and --entry');
}
