import { describe, expect, test } from 'vitest';
import { A, D, OPEN, P, PS, PagedGuest, ROOT, RW } from './guest.ts';

const PAGE = 0x40_0000_0000n, FRAME = 0x20_0000n;

/** The entries on the way to PAGE, from the PML4E down. */
function entries(guest: PagedGuest): bigint[] {
  return guest.mmu.explain(PAGE as never).levels.map((level) => level.value);
}

describe('accessed and dirty flags', () => {
  test('a read sets A at every level and D nowhere', () => {
    const guest = new PagedGuest();
    guest.map(PAGE, FRAME | OPEN);
    guest.load(PAGE);
    expect(entries(guest).map((entry) => entry & (A | D))).toEqual([A, A, A, A]);
  });

  test('a write sets D in the entry that maps the page', () => {
    const guest = new PagedGuest();
    guest.map(PAGE, OPEN | PS, 21n);
    guest.store(PAGE, 1n);
    expect(entries(guest).map((entry) => entry & (A | D))).toEqual([A, A, A | D]);
  });

  test('the first write after reads walks again to set D, the second does not walk', () => {
    const guest = new PagedGuest();
    const leaf = guest.map(PAGE, FRAME | OPEN);
    guest.load(PAGE);
    guest.load(PAGE);
    expect(guest.mmu.statistics.walks).toBe(1);
    guest.store(PAGE, 1n);
    expect(guest.mmu.statistics.walks).toBe(2);
    expect(guest.read64(leaf) & D).toBe(D);
    guest.store(PAGE, 2n);
    expect(guest.mmu.statistics.walks).toBe(2);
  });

  test('a refused access leaves the leaf alone, and A in the entries it passed', () => {
    const guest = new PagedGuest();
    guest.map(PAGE, FRAME | P);
    guest.faultOf(PAGE, 'write');
    expect(entries(guest).map((entry) => entry & (A | D))).toEqual([A, A, A, 0n]);
  });

  test('an entry that is not present receives no flags', () => {
    const guest = new PagedGuest();
    const leaf = guest.map(PAGE, RW);
    guest.faultOf(PAGE, 'write');
    expect(guest.read64(leaf)).toBe(RW);
  });

  test('flags that are already set are not written again', () => {
    const guest = new PagedGuest();
    guest.map(PAGE, FRAME | OPEN | A | D);
    guest.load(PAGE);
    guest.mmu.flushAll();
    const written: number[] = [];
    guest.memory.onCodeWritten((frame) => written.push(frame));
    for (let frame = ROOT / 4096; frame < ROOT / 4096 + 8; frame++) guest.memory.markCode(frame);
    guest.store(PAGE, 1n);
    expect(written).toEqual([]);
  });

  test('setting A in a frame that holds decoded code is reported like any store', () => {
    const guest = new PagedGuest();
    guest.map(PAGE, FRAME | OPEN);
    const written: number[] = [];
    guest.memory.onCodeWritten((frame) => written.push(frame));
    guest.memory.markCode(ROOT / 4096);
    guest.load(PAGE);
    expect(written).toEqual([ROOT / 4096]);
  });

  test('explain changes nothing', () => {
    const guest = new PagedGuest();
    guest.map(PAGE, FRAME | OPEN);
    const before = entries(guest);
    guest.mmu.explain(PAGE as never);
    expect(entries(guest)).toEqual(before);
    expect(guest.mmu.statistics).toMatchObject({ walks: 0, misses: 0 });
  });
});
