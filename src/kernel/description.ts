/** The kernel's own memory as a debugger can show it: docs/GUEST-DESCRIPTION.md says what it means. */
import { BLOCK, BLOCK_HEADER, BLOCK_STATE, HEAP, PMM, POLICY, PROTECTION, REGION, SPACE } from './layout.ts';

const named = (values: Readonly<Record<string, number>>): Record<string, string> => Object.fromEntries(Object.entries(values).map(([name, value]) => [String(value), name.toLowerCase().replace('zero', 'zero page')]));

/** Where an image has it. */
export const DESCRIPTION_SECTION = '.longmode.description';

export const DESCRIPTION = {
  version: 1,
  frames: { bitmap: `u64[system_pmm + ${PMM.bitmap}]`, count: `u64[system_pmm + ${PMM.frames}]`, zeroFrame: 'u64[zero_frame]' },
  lists: [{
    name: 'Regions', first: `u64[u64[current_space] + ${SPACE.regions}]`, next: REGION.next,
    columns: [
      { name: 'base', offset: REGION.base, as: 'address' }, { name: 'length', offset: REGION.length, as: 'bytes' }, { name: 'policy', offset: REGION.policy, values: named(POLICY) },
      { name: 'protection', offset: REGION.protection, bits: named(PROTECTION) }, { name: 'faults', offset: REGION.faults, as: 'number' },
    ],
  }],
  blocks: [{
    name: 'Heap', first: `u64[kernel_heap + ${HEAP.base}]`, end: `u64[kernel_heap + ${HEAP.end}]`, header: BLOCK_HEADER,
    size: BLOCK.size, state: BLOCK.state, free: BLOCK_STATE.free, used: BLOCK_STATE.used,
  }],
} as const;
