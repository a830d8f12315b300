/** The map of what is mapped: every range is what the walk of each of its pages says. */
import { describe, expect, it } from 'vitest';
import { addressSpace, aliases, entriesOf } from '../../src/debug/address-space.ts';
import { Machine } from '../../src/machine/machine.ts';
import { linear } from '../../src/state/addresses.ts';
import { kernelMachine } from '../machine/support/guests.ts';

describe('the map of an address space', () => {
  const machine = kernelMachine('all');
  machine.run({ maxInstructions: 400_000 });
  const { ranges, mode, truncated } = addressSpace(machine);

  it('is what the walks say, page by page', () => {
    expect(mode).toBe('4-level');
    expect(truncated).toBe(false);
    expect(ranges.length).toBeGreaterThan(5);
    for (const { from, bytes, physical, writable, executable, user } of ranges) {
      for (const at of [0n, bytes / 2n & ~0xfffn, bytes - 4096n]) {
        const walk = machine.mmu.explain(linear(from + at));
        expect(walk.physicalAddress).toBe(physical + Number(at));
        expect(walk.rights).toMatchObject({ writable, executeDisable: !executable, user });
      }
    }
  });

  it('has nothing on either side of a range but what is another range', () => {
    const starts = new Set(ranges.map(({ from }) => from)), ends = new Set(ranges.map(({ from, bytes }) => from + bytes));
    const behind = ranges.map(({ from, bytes }) => BigInt.asUintN(64, from + bytes)).filter((end) => end !== 0n && !starts.has(end));
    const before = ranges.map(({ from }) => from).filter((from) => from !== 0n && !ends.has(from)).map((from) => from - 4096n);
    expect([...behind, ...before].filter((at) => !['not present', 'not canonical'].includes(machine.mmu.explain(linear(at)).outcome))).toEqual([]);
  });

  it('knows which ranges reach the same frames', () => {
    const also = aliases(ranges), image = ranges.findIndex(({ from }) => from >= 0xffff_ffff_8000_0000n);
    const direct = ranges.findIndex(({ from }) => from === 0xffff_8000_0000_0000n);
    expect(also[image]).toContain(direct);
  });

  it('shows the entries of the root', () => expect([...entriesOf(machine, 0n, 0)].map(({ index }) => index)).toContain(511));

  it('is empty without paging', () => {
    const plain = new Machine({ memoryBytes: 16 << 20 });
    expect(addressSpace(plain).ranges).toEqual([]);
  });
});
