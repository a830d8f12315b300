import { describe, expect, test } from 'vitest';
import { linear, physical } from '../../src/state/addresses.ts';
import { CR0, CR4, EFER } from '../../src/mmu/control-bits.ts';
import { PagedGuest } from './guest.ts';

const ROOT = 0x10_0000, TABLE = 0x10_1000;
const P = 1, RW = 2, US = 4, A = 0x20, D = 0x40, PS = 0x80;

/** A 32-bit guest with paging on and an empty root at ROOT. */
function legacy(cr4: number, efer = 0): PagedGuest {
  const guest = new PagedGuest();
  guest.state.cr0 = (CR0.PG | CR0.PE | CR0.WP) >>> 0;
  guest.state.cr4 = cr4;
  guest.state.efer = efer;
  guest.mmu.flushAll();
  return guest;
}
const write32 = (guest: PagedGuest, at: number, value: number): void => guest.memory.write(physical(at), 4, value);

/** The same with 32-bit paging. */
function twoLevel(cr4 = 0): PagedGuest {
  const it = legacy(cr4);
  it.mmu.setCr3(BigInt(ROOT));
  return it;
}

describe('32-bit paging', () => {
  test('two levels of 4-byte entries map 4 KiB pages, with A and D', () => {
    const it = twoLevel();
    write32(it, ROOT + 4 * 3, TABLE | P | RW | US);
    write32(it, TABLE + 4 * 5, 0x20_0000 | P | RW | US);
    expect(it.translate(0x00c0_5678n, 'write', 'user')).toBe(0x20_0678);
    expect(it.memory.read(physical(ROOT + 12), 4) & (A | D)).toBe(A);
    expect(it.memory.read(physical(TABLE + 20), 4) & (A | D)).toBe(A | D);
    expect(it.mmu.explain(linear(0x00c0_5678n))).toMatchObject({ mode: '32-bit', pageSize: '4 KiB', physicalAddress: 0x20_0678 });
  });

  test('a PDE with PS maps 4 MiB when CR4.PSE is set, with physical-address bits 39:32 in bits 20:13', () => {
    const it = twoLevel(CR4.PSE);
    write32(it, ROOT + 4 * 3, 0x0080_0000 | (0x12 << 13) | PS | P | RW);
    expect(it.translate(0x00c1_2345n)).toBe(0x12_0081_2345);
    expect(it.mmu.explain(linear(0x00c1_2345n))).toMatchObject({ pageSize: '4 MiB', physicalAddress: 0x12_0081_2345 });
    expect(it.mmu.explain(linear(0x00c1_2345n)).levels[0]!.target).toBe(0x12_0080_0000);
  });

  test('bit 21 of a 4 MiB PDE is reserved, and PS is ignored when CR4.PSE is clear', () => {
    const it = twoLevel(CR4.PSE);
    write32(it, ROOT, (1 << 21) | PS | P);
    expect(it.faultOf(0n)).toBe(9);
    const without = twoLevel();
    write32(without, ROOT, TABLE | PS | P);
    write32(without, TABLE, 0x20_0000 | P);
    expect(without.translate(0n)).toBe(0x20_0000);
  });

  test('there is no execute-disable: a fetch fault has no I bit even with NXE set', () => {
    const it = legacy(0, EFER.NXE);
    it.mmu.setCr3(BigInt(ROOT));
    expect(it.faultOf(0n, 'fetch')).toBe(0);
  });

  test('an access that crosses the top of the 4 GiB goes on at 0', () => {
    const it = twoLevel();
    write32(it, ROOT + 4 * 1023, TABLE | P | RW);
    write32(it, TABLE + 4 * 1023, 0x20_0000 | P | RW);
    write32(it, ROOT, TABLE | P | RW);
    write32(it, TABLE, 0x30_0000 | P | RW);
    it.store(0xffff_fffen, 0xddccbbaan, 'supervisor', 4);
    expect(it.memory.read(physical(0x20_0ffe), 2)).toBe(0xbbaa);
    expect(it.memory.read(physical(0x30_0000), 2)).toBe(0xddcc);
  });
});

describe('PAE paging', () => {
  const PDPT = 0x10_0020, DIRECTORY = 0x10_1000, PAGES = 0x10_2000;

  function guest(efer = 0): PagedGuest {
    const it = legacy(CR4.PAE, efer);
    it.write64(PDPT + 8, BigInt(DIRECTORY | P));
    it.write64(DIRECTORY, BigInt(PAGES | P | RW | US));
    it.write64(PAGES, BigInt(0x20_0000 | P | RW | US));
    expect(it.mmu.setCr3(BigInt(PDPT))).toBe(true);
    return it;
  }

  test('PDPTE registers, PDE and PTE map a 4 KiB page', () => {
    const it = guest();
    expect(it.translate(0x4000_0abcn, 'write', 'user')).toBe(0x20_0abc);
    expect(it.mmu.explain(linear(0x4000_0abcn)).levels.map((level) => [level.structure, level.index, level.entryAddress])).toEqual([
      ['PDPTE', 1, undefined], ['PDE', 0, DIRECTORY], ['PTE', 0, PAGES],
    ]);
  });

  test('a PDPTE in memory has no effect until CR3 is loaded', () => {
    const it = guest();
    it.write64(PDPT + 8, 0n);
    it.mmu.flushAll();
    expect(it.translate(0x4000_0000n)).toBe(0x20_0000);
    it.mmu.setCr3(BigInt(PDPT));
    expect(it.faultOf(0x4000_0000n)).toBe(0);
  });

  test('loading CR3 with a reserved bit set in a present PDPTE is refused and changes nothing', () => {
    const it = guest();
    for (const bad of [2n, 4n, 1n << 5n, 1n << 8n, 1n << 40n, 1n << 63n]) {
      it.write64(0x10_3000, BigInt(DIRECTORY | P) | bad);
      expect(it.mmu.setCr3(0x10_3000n), `bit ${bad.toString(16)}`).toBe(false);
      expect(it.state.cr3).toBe(BigInt(PDPT));
      expect(it.translate(0x4000_0000n)).toBe(0x20_0000);
    }
    it.write64(0x10_3000, 0x1e6n);
    expect(it.mmu.setCr3(0x10_3000n)).toBe(true);
  });

  test('2 MiB pages, execute-disable with NXE, and reserved bits 62:40', () => {
    const it = guest(EFER.NXE);
    it.write64(DIRECTORY + 8, BigInt(0x40_0000 | PS | P | RW) | (1n << 63n));
    expect(it.translate(0x4020_1234n)).toBe(0x40_1234);
    expect(it.faultOf(0x4020_1234n, 'fetch')).toBe(0x11);
    for (const bit of [40n, 51n, 52n, 62n]) {
      it.write64(DIRECTORY + 16, BigInt(0x40_0000 | PS | P) | (1n << bit));
      expect(it.faultOf(0x4040_0000n), `bit ${bit}`).toBe(9);
    }
  });
});
