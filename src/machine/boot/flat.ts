/** A flat binary: bytes at an address and a place to start, in 32-bit protected mode or in long mode. */
import type { Segment } from './elf.ts';
import { identityMap } from './identity-map.ts';
import { BootInfo, type BootPlan } from './plan.ts';

export interface FlatOptions { readonly loadAddress: number; readonly entry: number; readonly bits: 32 | 64 }

/** Makes the plan for a flat binary. A 64-bit start gets page tables that map the first 4 GiB one to one with 1 GiB pages. */
export function planFlat(file: Uint8Array, options: FlatOptions): BootPlan {
  const image: Segment = { physicalAddress: options.loadAddress, bytes: file, memoryBytes: file.length };
  const base = { protocol: 'flat', bits: options.bits, entry: options.entry, eax: 0, ebx: 0, symbols: [], linked: [], warnings: [] } as const;
  if (options.bits === 32) return { ...base, cr3: 0, segments: [image] };
  const tables = new BootInfo();
  const cr3 = identityMap(tables);
  return { ...base, cr3, segments: [image, tables.segment()] };
}
