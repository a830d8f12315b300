import { describe, expect, test } from 'vitest';
import { errorCodeBits, pageFaultBits, selectorBits, vectorText } from '../../src/debug/error-code.ts';
import { explainPageFault, raises, walkLines } from '../../src/debug/page-fault.ts';
import { SymbolTable } from '../../src/debug/symbols.ts';
import { EFER, CR4 } from '../../src/mmu/control-bits.ts';
import { linear } from '../../src/state/addresses.ts';
import { VECTOR } from '../../src/cpu/exceptions.ts';
import { PagedGuest } from '../mmu/guest.ts';

const P = 1n, RW = 2n, US = 4n, XD = 1n << 63n;
const PAGE = 0xffff_8000_0000_3000n;

/** The last line of the explanation: the verdict. */
const verdict = (guest: PagedGuest, errorCode: number): string => explainPageFault(guest.mmu, linear(PAGE), errorCode).at(-1)!.trim();

describe('error codes in words', () => {
  test('a page fault\'s, bit by bit', () => {
    expect(pageFaultBits(0x1f)).toEqual([
      'P=1 the page is present, but its entries forbid the access', 'W/R=1 a write', 'U/S=1 in user mode', 'RSVD=1 an entry has a reserved bit set', 'I/D=1 an instruction fetch',
    ]);
    expect(pageFaultBits(0x8060).slice(5)).toEqual(['PK=1 refused by a protection key', 'SS=1 a shadow-stack access', 'undefined bits 0x8000']);
    expect(pageFaultBits(0, false).slice(1)).toEqual(['W/R=0 a read or a fetch', 'U/S=0 in supervisor mode', 'RSVD=0 no reserved bit is to blame', 'I/D=0 not reported, because neither NXE nor SMEP is on']);
  });

  test('a selector\'s', () => {
    expect(selectorBits(0)).toEqual(['no selector is to blame']);
    expect(selectorBits(1)).toEqual(['EXT=1 while delivering an event, not by the program itself', 'no selector is to blame']);
    expect(selectorBits(0x2c)).toEqual(['EXT=0 by the program itself', 'IDT=0 the index is a segment selector\'s', 'TI=1 in the LDT', 'index 5 = selector 0x2c']);
    expect(selectorBits(0x10a)).toEqual(['EXT=0 by the program itself', 'IDT=1 the index is an IDT entry', 'index 33 = vector 33']);
  });

  test('of vectors that push none, or always 0', () => {
    expect(errorCodeBits(VECTOR.UD, undefined)).toBeUndefined();
    expect(errorCodeBits(VECTOR.DF, 0)).toEqual(['always zero']);
    expect(vectorText(VECTOR.GP)).toBe('#GP (general protection, vector 13)');
    expect(vectorText(33)).toBe('vector 33');
  });
});

describe('a walk explained', () => {
  test('is none where the address is not canonical: every access is #GP', () => {
    const guest = new PagedGuest();
    guest.map(0n, 0x20_0000n | P | RW, 12n, P | RW | US);
    const walk = guest.mmu.explain(linear(0x8000_0000_0000n));
    expect(walkLines(walk)).toEqual(['page walk of 0x800000000000 (4-level paging):', '  the address is not canonical: nothing is walked for, and every access to it is #GP(0), or #SS(0) through SS']);
    expect([walk.physicalAddress, ...walk.verdicts.map((verdict) => `${raises(verdict)} ${verdict.denial}`)]).toEqual([undefined, ...Array.from({ length: 6 }, () => '#GP(0) not canonical')]);
    expect(guest.mmu.explain(linear(0n)).outcome).toBe('mapped');
  });
});

describe('a page fault explained', () => {
  test('with every level of the walk', () => {
    const guest = new PagedGuest();
    guest.map(PAGE, 0x20_0000n | P | US | XD, 12n, P | RW | US);
    expect(guest.faultOf(PAGE, 'write', 'user')).toBe(7);
    expect(explainPageFault(guest.mmu, linear(PAGE), 7).join('\n')).toBe(`\
error code 0x7:
  P=1 the page is present, but its entries forbid the access
  W/R=1 a write
  U/S=1 in user mode
  RSVD=0 no reserved bit is to blame
  I/D=0 not an instruction fetch
page walk of 0xffff800000003000 (4-level paging):
  PML4E  256  at 0x100800     0000000000101027  P R/W U/S A -> table 0x101000
  PDPTE    0  at 0x101000     0000000000102027  P R/W U/S A -> table 0x102000
  PDE      0  at 0x102000     0000000000103027  P R/W U/S A -> table 0x103000
  PTE      3  at 0x103018     8000000000200005  P U/S XD -> page 0x200000
  physical 0x200000, 4 KiB page: read-only, user, execute-disable
  so a user write is refused: the page is read-only, R/W is 0 in the PTE`);
  });

  test('names the entries that withhold a right', () => {
    const guest = new PagedGuest();
    guest.map(PAGE, 0x20_0000n | P | RW, 12n, P | RW);
    expect(verdict(guest, 5)).toBe('so a user read is refused: it is a supervisor page, U/S is 0 in the PML4E, PDPTE, PDE and the PTE');
    guest.map(PAGE, 0x20_0000n | P | RW | XD);
    expect(verdict(guest, 0x11)).toBe('so a supervisor fetch is refused: nothing may be executed here, XD is 1 in the PTE');
    guest.map(PAGE, 0x20_0000n | P | (1n << 48n));
    expect(verdict(guest, 9)).toBe('so a supervisor read is refused: no access goes through an entry with a reserved bit set');
  });

  test('tells the protection key, and in the walk what PKRU says of it', () => {
    const guest = new PagedGuest();
    guest.map(PAGE, 0x20_0000n | P | RW | US | (3n << 59n));
    guest.change({ cr4: CR4.PAE | CR4.PKE });
    guest.mmu.setPkru(0b10 << 6);
    expect(verdict(guest, 0x27)).toBe('so a user write is refused: PKRU forbids it to pages under protection key 3');
    expect(explainPageFault(guest.mmu, linear(PAGE), 0x27).join('\n')).toContain('4 KiB page: writable, user, protection key 3 (no writes)');
  });

  test('tells SMEP and SMAP', () => {
    const guest = new PagedGuest();
    guest.map(PAGE, 0x20_0000n | P | RW | US);
    guest.change({ cr4: CR4.PAE | CR4.SMEP | CR4.SMAP });
    expect(verdict(guest, 0x11)).toBe('so a supervisor fetch is refused: it is a user page, and CR4.SMEP keeps the supervisor from executing it');
    expect(verdict(guest, 3)).toBe('so a supervisor write is refused: it is a user page, and CR4.SMAP keeps the supervisor from touching it while RFLAGS.AC is 0');
  });

  test('recognises a fetch whose error code cannot say so', () => {
    const guest = new PagedGuest();
    guest.change({ efer: EFER.LMA | EFER.LME });
    guest.map(PAGE, 0n);
    expect(verdict(guest, 0)).toBe('so a supervisor read is refused: nothing is mapped at 0xffff800000003000');
  });

  test('says when the paging structures allow the access by now', () => {
    const guest = new PagedGuest();
    guest.map(PAGE, 0x20_0000n | P | RW);
    expect(verdict(guest, 3)).toBe('now the paging structures allow a supervisor write: they have changed since, or the access was an implicit one');
  });
});

describe('symbols', () => {
  const table = new SymbolTable([
    { name: 'late', address: 0x2000n, size: 0 }, { name: 'early', address: 0x1000n, size: 0x10 }, { name: '', address: 0x1008n, size: 4 }, { name: 'alias', address: 0x1000n, size: 8 },
  ]);
  test('an address belongs to the nearest one below it, within its size', () => {
    expect(table.name(0x1000n)).toBe('early');
    expect(table.name(0x100fn)).toBe('early+0xf');
    expect(table.name(0x1010n)).toBeUndefined();
    expect(table.name(0xfffn)).toBeUndefined();
    expect(table.lookup(0x2ffffn)).toBeUndefined();
    expect(table.text(0x2345n)).toBe('0x2345 <late+0x345>');
    expect(new SymbolTable().text(0x2345n)).toBe('0x2345');
  });
  test('an address that ends one thing and begins another belongs to what begins there', () => {
    const ends = new SymbolTable([{ name: 'stack_top', address: 0x3000n, size: 0 }, { name: 'counter', address: 0x3000n, size: 8 }, { name: 'stack', address: 0x2000n, size: 0x1000 }]);
    expect([0x2fffn, 0x3000n, 0x3007n, 0x3008n].map((address) => ends.name(address))).toEqual(['stack+0xfff', 'counter', 'counter+0x7', undefined]);
    expect(ends.addressOf('stack_top')).toBe(0x3000n);
  });
});
