import { expect, test } from 'vitest';
import { GuestState } from '../../src/state/guest-state.ts';
import { linear } from '../../src/state/addresses.ts';
import { Mmu } from '../../src/mmu/mmu.ts';
import { PhysicalMemory } from '../../src/mmu/physical-memory.ts';

test('a load through the TLB takes well under a microsecond (the figure is printed, the bound is generous)', () => {
  const state = new GuestState(1 << 20);
  const mmu = new Mmu(state, new PhysicalMemory(state));
  const N = 1_000_000;
  const run = (): number => {
    const start = performance.now();
    let address = linear(0x1000n), sum = 0n;
    for (let i = 0; i < N; i++) {
      sum = mmu.load(address, 8, 'supervisor', false);
      mmu.store(address, 8, 'supervisor', sum);
      address = linear((address + 8n) & 0xffff8n);
    }
    return (performance.now() - start) / N * 1e6 / 2;
  };
  run();
  const ns = run();
  console.log(`load or store of 8 bytes: ${ns.toFixed(0)} ns`);
  expect(ns).toBeLessThan(5_000);
});
