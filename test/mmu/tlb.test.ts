import { describe, expect, test } from 'vitest';
import { linear } from '../../src/state/addresses.ts';
import { CR0, CR4, EFER } from '../../src/mmu/control-bits.ts';
import { staleness } from '../../src/mmu/explain.ts';
import { DATA_ENTRIES } from '../../src/mmu/tlb.ts';
import { A, D, G, OPEN, P, PS, PagedGuest, ROOT, XD } from './guest.ts';

const PAGE = 0x40_0000_0000n, OLD = 0x20_0000n, NEW = 0x30_0000n;

/** A guest that has cached PAGE -> OLD and then changed the entry without telling. */
function stale(leaf: bigint, then: bigint, setup: (guest: PagedGuest) => void = () => {}): PagedGuest {
  const guest = new PagedGuest();
  setup(guest);
  guest.map(PAGE, leaf);
  guest.translate(PAGE);
  guest.translate(PAGE, 'fetch');
  guest.map(PAGE, then);
  return guest;
}
const remapped = (setup?: (guest: PagedGuest) => void): PagedGuest => stale(OLD | OPEN, NEW | OPEN, setup);
const remappedGlobal = (): PagedGuest => stale(OLD | OPEN | G, NEW | OPEN | G, (guest) => guest.change({ cr4: CR4.PAE | CR4.PGE }));

/** What the data and the instruction TLB say of a page. */
const seen = (guest: PagedGuest, address = PAGE): number[] => [guest.translate(address), guest.translate(address, 'fetch')];
const STALE = [Number(OLD), Number(OLD)], FRESH = [Number(NEW), Number(NEW)];

const pcids = (guest: PagedGuest): void => guest.change({ cr4: CR4.PAE | CR4.PCIDE });
const withPcid = (leaf: bigint, then: bigint): PagedGuest => stale(leaf, then, (guest) => {
  guest.change({ cr4: CR4.PAE | CR4.PCIDE | CR4.PGE });
  guest.mmu.setCr3(BigInt(ROOT | 7));
});

describe('the TLB holds what the guest has not invalidated', () => {
  test('a remapped page keeps its old frame until INVLPG', () => {
    const guest = remapped();
    expect(seen(guest)).toEqual(STALE);
    guest.mmu.invlpg(linear(PAGE + 0x123n));
    expect(seen(guest)).toEqual(FRESH);
  });

  test('an unmapped page stays readable until INVLPG', () => {
    const guest = stale(OLD | OPEN, 0n);
    expect(seen(guest)).toEqual(STALE);
    guest.mmu.invlpg(linear(PAGE));
    expect(guest.faultOf(PAGE)).toBe(0);
  });

  test('INVLPG of another page does not help', () => {
    const guest = remapped();
    guest.mmu.invlpg(linear(PAGE + 0x1000n));
    guest.mmu.invlpg(linear(PAGE + BigInt(DATA_ENTRIES) * 0x1000n));
    expect(seen(guest)).toEqual(STALE);
  });

  test('rights that were taken away are still there, rights that were given are found by walking again', () => {
    const reduced = stale(OLD | OPEN | D | A, OLD | P | A | D);
    expect(reduced.faultOf(PAGE, 'write', 'user')).toBeUndefined();
    const extended = stale(OLD | P, OLD | OPEN);
    expect(extended.faultOf(PAGE, 'write', 'user')).toBeUndefined();
    const executable = stale(OLD | OPEN, OLD | OPEN | XD);
    expect(executable.faultOf(PAGE, 'fetch')).toBeUndefined();
  });

  test('a page that becomes present needs no invalidation: faults are not cached', () => {
    const guest = new PagedGuest();
    expect(guest.faultOf(PAGE)).toBe(0);
    guest.map(PAGE, NEW | OPEN);
    expect(seen(guest)).toEqual(FRESH);
  });

  test('a page fault drops what was cached for its address', () => {
    const guest = stale(OLD | P, NEW | P);
    expect(seen(guest)).toEqual(STALE);
    expect(guest.faultOf(PAGE, 'write')).toBe(3);
    expect(seen(guest)).toEqual(FRESH);
  });

  test('another page with the same index takes the entry\'s place', () => {
    const guest = remapped();
    const rival = PAGE + BigInt(DATA_ENTRIES) * 0x1000n;
    guest.map(rival, OLD | OPEN);
    guest.translate(rival);
    guest.translate(rival, 'fetch');
    expect(seen(guest)).toEqual(FRESH);
  });

  test('data and instruction translations age separately', () => {
    const guest = new PagedGuest();
    guest.map(PAGE, OLD | OPEN);
    guest.translate(PAGE);
    guest.map(PAGE, NEW | OPEN);
    expect(guest.translate(PAGE, 'fetch')).toBe(Number(NEW));
    expect(guest.translate(PAGE)).toBe(Number(OLD));
  });

  test('a supervisor and a user access share one stale translation', () => {
    const guest = remapped();
    expect(guest.translate(PAGE, 'read', 'user')).toBe(Number(OLD));
  });
});

describe('MOV to CR3', () => {
  test('drops everything but global pages when PCIDs are off', () => {
    const guest = remapped();
    guest.mmu.setCr3(BigInt(ROOT));
    expect(seen(guest)).toEqual(FRESH);
    const global = remappedGlobal();
    global.mmu.setCr3(BigInt(ROOT));
    expect(seen(global)).toEqual(STALE);
  });

  test('G means nothing while CR4.PGE is clear', () => {
    const guest = stale(OLD | OPEN | G, NEW | OPEN | G);
    guest.mmu.setCr3(BigInt(ROOT));
    expect(seen(guest)).toEqual(FRESH);
  });

  test('with PCIDs drops the new PCID\'s entries only', () => {
    const guest = remapped(pcids);
    guest.mmu.setCr3(BigInt(ROOT | 1));
    expect(seen(guest)).toEqual(FRESH);
  });

  test('another PCID\'s entries survive a switch there and back with bit 63 set, and are not seen in between', () => {
    const guest = remapped(pcids);
    guest.mmu.setCr3(BigInt(ROOT | 1) | (1n << 63n));
    expect(guest.state.cr3).toBe(BigInt(ROOT | 1));
    expect(guest.mmu.explain(linear(PAGE)).physicalAddress).toBe(Number(NEW));
    guest.map(PAGE + 0x1000n, OLD | OPEN);
    expect(guest.translate(PAGE + 0x1000n)).toBe(Number(OLD));
    guest.mmu.setCr3(BigInt(ROOT) | (1n << 63n));
    expect(seen(guest)).toEqual(STALE);
    guest.mmu.setCr3(BigInt(ROOT));
    expect(seen(guest)).toEqual(FRESH);
  });

  test('a global page is seen under every PCID', () => {
    const guest = stale(OLD | OPEN | G, NEW | OPEN | G, (it) => it.change({ cr4: CR4.PAE | CR4.PCIDE | CR4.PGE }));
    guest.mmu.setCr3(BigInt(ROOT | 5));
    expect(seen(guest)).toEqual(STALE);
    guest.mmu.invlpg(linear(PAGE));
    expect(seen(guest)).toEqual(FRESH);
  });

  test('INVLPG leaves the same page of other PCIDs alone', () => {
    const guest = remapped(pcids);
    guest.mmu.setCr3(BigInt(ROOT | 1) | (1n << 63n));
    guest.mmu.invlpg(linear(PAGE));
    guest.mmu.setCr3(BigInt(ROOT) | (1n << 63n));
    expect(seen(guest)).toEqual(STALE);
  });

  test('the highest page under the highest PCID is not taken for an empty entry', () => {
    const guest = new PagedGuest();
    guest.change({ cr4: CR4.PAE | CR4.PCIDE });
    guest.mmu.setCr3(BigInt(ROOT | 0xfff));
    expect(guest.faultOf(0xffff_ffff_ffff_f000n)).toBe(0);
    expect(guest.faultOf(0n)).toBe(0);
    guest.map(0xffff_ffff_ffff_f000n, OLD | OPEN);
    expect(seen(guest, 0xffff_ffff_ffff_f000n)).toEqual(STALE);
  });
});

describe('INVPCID', () => {
  test('type 0 drops one address of one PCID and keeps global entries', () => {
    const guest = withPcid(OLD | OPEN, NEW | OPEN);
    guest.mmu.invpcid(0, 6, linear(PAGE));
    guest.mmu.invpcid(0, 7, linear(PAGE + 0x1000n));
    expect(seen(guest)).toEqual(STALE);
    guest.mmu.invpcid(0, 7, linear(PAGE));
    expect(seen(guest)).toEqual(FRESH);
    const global = withPcid(OLD | OPEN | G, NEW | OPEN | G);
    global.mmu.invpcid(0, 7, linear(PAGE));
    expect(seen(global)).toEqual(STALE);
  });

  test('type 1 drops one PCID, type 2 everything, type 3 everything but global entries', () => {
    const one = withPcid(OLD | OPEN, NEW | OPEN);
    one.mmu.invpcid(1, 6, linear(0n));
    expect(seen(one)).toEqual(STALE);
    one.mmu.invpcid(1, 7, linear(0n));
    expect(seen(one)).toEqual(FRESH);
    const global = withPcid(OLD | OPEN | G, NEW | OPEN | G);
    global.mmu.invpcid(1, 7, linear(0n));
    global.mmu.invpcid(3, 0, linear(0n));
    expect(seen(global)).toEqual(STALE);
    global.mmu.invpcid(2, 0, linear(0n));
    expect(seen(global)).toEqual(FRESH);
    const local = withPcid(OLD | OPEN, NEW | OPEN);
    local.mmu.invpcid(3, 0, linear(0n));
    expect(seen(local)).toEqual(FRESH);
  });
});

describe('control-register changes', () => {
  test('changing CR4.PGE drops global entries too', () => {
    const guest = remappedGlobal();
    guest.change({ cr4: CR4.PAE });
    expect(seen(guest)).toEqual(FRESH);
  });

  test('clearing CR4.PCIDE drops everything, setting SMEP the current PCID', () => {
    const cleared = remapped((guest) => guest.change({ cr4: CR4.PAE | CR4.PCIDE }));
    cleared.change({ cr4: CR4.PAE });
    expect(seen(cleared)).toEqual(FRESH);
    const smep = stale(OLD | P, NEW | P);
    smep.change({ cr4: CR4.PAE | CR4.SMEP });
    expect(seen(smep)).toEqual(FRESH);
  });

  test('changing CR0.WP takes effect at once and drops nothing', () => {
    const guest = stale(OLD | P | A | D, NEW | P | A | D);
    guest.change({ cr0: (CR0.PG | CR0.PE) >>> 0 });
    expect(guest.translate(PAGE, 'write')).toBe(Number(OLD));
    guest.change({ cr0: (CR0.PG | CR0.PE | CR0.WP) >>> 0 });
    expect(seen(guest)).toEqual(STALE);
    expect(guest.faultOf(PAGE, 'write')).toBe(3);
  });

  test('changing SMAP takes effect at once and drops nothing', () => {
    const guest = stale(OLD | OPEN, NEW | OPEN);
    guest.change({ cr4: CR4.PAE | CR4.SMAP });
    expect(guest.translate(PAGE, 'read', 'user')).toBe(Number(OLD));
    expect(guest.faultOf(PAGE)).toBe(1);
  });

  test('turning paging off drops everything, and addresses map themselves', () => {
    const guest = remapped();
    guest.change({ cr0: CR0.PE, efer: EFER.LME });
    expect(guest.translate(0x20_0008n, 'write', 'user')).toBe(0x20_0008);
    expect(guest.translate(0xfee0_0000n, 'fetch')).toBe(0xfee0_0000);
    expect([...guest.mmu.tlb.entries()]).toEqual([]);
    guest.change({ cr0: (CR0.PE | CR0.PG) >>> 0, efer: EFER.LME | EFER.LMA | EFER.NXE });
    expect(seen(guest)).toEqual(FRESH);
  });
});

describe('large pages in the TLB', () => {
  for (const [name, shift, reach] of [['2 MiB', 21n, 0x20_0000n], ['1 GiB', 30n, 0x4000_0000n]] as const) {
    test(`INVLPG of any address of a ${name} page drops all pieces of it that are cached`, () => {
      const guest = new PagedGuest();
      guest.map(PAGE, OPEN | PS, shift);
      const pieces = [0n, 0x1000n, 0x5000n, reach - 0x1000n].map((offset) => PAGE + offset);
      for (const piece of pieces) {
        guest.translate(piece);
        guest.translate(piece, 'fetch');
      }
      guest.map(PAGE + reach, OPEN | PS, shift);
      guest.translate(PAGE + reach);
      guest.mmu.invlpg(linear(PAGE + reach / 2n));
      expect([...guest.mmu.tlb.entries()].map((entry) => entry.low)).toEqual([Number((PAGE + reach) & 0xffff_ffffn)]);
    });
  }

  test('a page made smaller without INVLPG keeps its large pieces beside the new ones', () => {
    const guest = new PagedGuest();
    guest.map(PAGE, OPEN | PS, 21n);
    expect(guest.translate(PAGE + 0x1000n)).toBe(0x1000);
    const table = guest.frame();
    guest.map(PAGE, BigInt(table) | OPEN, 21n);
    guest.map(PAGE, NEW | OPEN);
    guest.map(PAGE + 0x1000n, NEW | OPEN);
    expect(guest.translate(PAGE)).toBe(Number(NEW));
    expect(guest.translate(PAGE + 0x1000n)).toBe(0x1000);
    guest.mmu.invlpg(linear(PAGE));
    expect(guest.translate(PAGE + 0x1000n)).toBe(Number(NEW));
  });
});

describe('what a debugger sees of the TLB', () => {
  test('valid entries with their rights, PCID, page size and TLB', () => {
    const guest = new PagedGuest();
    guest.change({ cr4: CR4.PAE | CR4.PCIDE | CR4.PGE });
    guest.mmu.setCr3(BigInt(ROOT | 9));
    guest.map(PAGE, OPEN | PS | G | XD, 21n);
    guest.store(PAGE + 0x3000n, 1n);
    expect([...guest.mmu.tlb.entries()]).toEqual([{
      tlb: 'data', low: 0x3000, high: 0x40, frame: 3, pcid: 9, global: true, writable: true, user: true, executeDisable: true, dirty: true, pageSize: 1, protectionKey: 0,
    }]);
  });

  test('how an entry differs from the paging structures', () => {
    const guest = stale(OLD | OPEN, NEW | P | XD);
    const [entry] = [...guest.mmu.tlb.entries()];
    expect(staleness(entry!, guest.mmu.explain(linear(PAGE)))).toEqual([
      'frame 0x200 cached, 0x300 in the paging structures',
      'writable cached, read-only in the paging structures',
      'user page cached, supervisor page in the paging structures',
      'executable cached, execute-disable in the paging structures',
    ]);
    guest.mmu.invlpg(linear(PAGE));
    guest.translate(PAGE);
    expect(staleness([...guest.mmu.tlb.entries()][0]!, guest.mmu.explain(linear(PAGE)))).toEqual([]);
    guest.map(PAGE, 0n);
    expect(staleness([...guest.mmu.tlb.entries()][0]!, guest.mmu.explain(linear(PAGE)))).toEqual(['the paging structures now say not present']);
  });

  test('an entry of another PCID than CR3\'s is not compared with CR3\'s paging structures; a global one is', () => {
    const guest = new PagedGuest();
    guest.change({ cr4: CR4.PAE | CR4.PCIDE | CR4.PGE });
    guest.mmu.setCr3(BigInt(ROOT | 9));
    guest.map(PAGE, OLD | OPEN);
    guest.translate(PAGE);
    guest.map(PAGE, 0n);
    const [entry] = [...guest.mmu.tlb.entries()];
    expect(guest.mmu.compare(entry!)?.stale).toEqual(['the paging structures now say not present']);
    guest.mmu.setCr3(BigInt(ROOT | 8) | (1n << 63n));
    expect(guest.mmu.compare(entry!)).toBeUndefined();
    expect(guest.mmu.compare({ ...entry!, global: true })?.stale).toEqual(['the paging structures now say not present']);
  });

  test('hits, misses and flushes', () => {
    const guest = new PagedGuest();
    const { flushes } = guest.mmu.statistics;
    guest.map(PAGE, OLD | OPEN);
    guest.load(PAGE);
    guest.load(PAGE + 8n);
    guest.mmu.invlpg(linear(PAGE));
    guest.load(PAGE);
    expect(guest.mmu.statistics).toMatchObject({ hits: 1, misses: 2, walks: 2, flushes: flushes + 1 });
  });
});
