/** Page tables for a start in long mode. SDM Vol. 3A, "4-Level Paging". */
import type { BootInfo } from './plan.ts';

const PRESENT_WRITABLE = 0x3, LARGE_PAGE = 0x80;

/** Lays down tables that map the first 4 GiB one to one with 1 GiB pages; returns the address of the PML4. */
export function identityMap(info: BootInfo): number {
  const pml4 = info.reserve(4096, 4096, 'PML4'), pdpt = info.reserve(4096, 4096, 'PDPT');
  info.u64(pml4, pdpt + PRESENT_WRITABLE);
  for (let gib = 0; gib < 4; gib++) info.u64(pdpt + gib * 8, gib * 2 ** 30 + PRESENT_WRITABLE + LARGE_PAGE);
  return pml4;
}
