import { expect, test } from 'vitest';
import { decode, DecodeFailure } from '../../src/cpu/decode/decode.ts';
import { CodeCache } from '../../src/cpu/engines/reference/code-cache.ts';
import { MODE_64 } from '../../src/cpu/isa/instruction.ts';
import { PhysicalMemory } from '../../src/mmu/physical-memory.ts';
import { PAGE_SIZE, physical } from '../../src/state/addresses.ts';
import { GuestState } from '../../src/state/guest-state.ts';

test('a guest that writes its code anew, however often, loses that page and no other', () => {
  const memory = new PhysicalMemory(new GuestState(1 << 20));
  const cache = new CodeCache(memory, () => {});
  const nop = decode(Uint8Array.of(0x90), 0, MODE_64);
  if (nop instanceof DecodeFailure) throw new Error(nop.what);
  const other = cache.page(2, MODE_64)!;
  cache.keep(other, 0, nop);
  // More instructions, one after the other, than the cache holds at a time.
  for (let times = 0; times < 100; times++) {
    const page = cache.page(1, MODE_64)!;
    expect(page.instructions.get(0)).toBeUndefined();
    for (let offset = 0; offset < PAGE_SIZE; offset++) cache.keep(page, offset, nop);
    memory.write(physical(PAGE_SIZE), 1, 0x90);
  }
  expect(cache.page(2, MODE_64)).toBe(other);
});
