import { describe, expect, test } from 'vitest';
import { CR0, CR4, EFER, RFLAGS_AC } from '../../src/mmu/control-bits.ts';
import { PF_ERROR } from '../../src/mmu/page-fault.ts';
import { OPEN, P, PS, PagedGuest, RW, US, XD, pageFault } from './guest.ts';

const { P: PROTECTION, W, U, RSVD, I } = PF_ERROR;
const PAGE = 0x40_0000_0000n, FRAME = 0x20_0000n;

describe('a page fault tells its cause in the error code', () => {
  test('reading a page that is not present gives 0', () => {
    const guest = new PagedGuest();
    expect(guest.faultOf(PAGE)).toBe(0);
  });

  test('a fetch from a page that is not present reports I when NXE is set, and not when neither NXE nor SMEP is', () => {
    const guest = new PagedGuest();
    expect(guest.faultOf(PAGE, 'fetch')).toBe(I);
    guest.change({ efer: EFER.LMA | EFER.LME });
    expect(guest.faultOf(PAGE, 'fetch')).toBe(0);
    guest.change({ cr4: CR4.PAE | CR4.SMEP });
    expect(guest.faultOf(PAGE, 'fetch')).toBe(I);
  });

  test('a user write to a page that is not present gives W and U without P', () => {
    expect(new PagedGuest().faultOf(PAGE, 'write', 'user')).toBe(W | U);
  });

  test('every level that is not present faults the same way', () => {
    for (const shift of [12n, 21n, 30n, 39n]) {
      const guest = new PagedGuest();
      guest.map(PAGE, 0n, shift);
      expect(guest.faultOf(PAGE), `shift ${shift}`).toBe(0);
    }
  });

  test('a user access to a supervisor page gives P and U, whichever level withholds U/S', () => {
    const guest = new PagedGuest();
    guest.map(PAGE, FRAME | P | RW);
    expect(guest.faultOf(PAGE, 'read', 'user')).toBe(PROTECTION | U);
    expect(guest.faultOf(PAGE, 'fetch', 'user')).toBe(PROTECTION | U | I);
    const withheldAbove = new PagedGuest();
    withheldAbove.map(PAGE, FRAME | OPEN, 12n, P | RW);
    expect(withheldAbove.faultOf(PAGE, 'read', 'user')).toBe(PROTECTION | U);
    expect(withheldAbove.faultOf(PAGE)).toBeUndefined();
  });

  test('a user write to a read-only page gives P, W and U even when CR0.WP is clear', () => {
    const guest = new PagedGuest();
    guest.map(PAGE, FRAME | P | US);
    guest.change({ cr0: (CR0.PG | CR0.PE) >>> 0 });
    expect(guest.faultOf(PAGE, 'write', 'user')).toBe(PROTECTION | W | U);
  });

  test('a supervisor write to a read-only page faults exactly when CR0.WP is set', () => {
    const guest = new PagedGuest();
    guest.map(PAGE, FRAME | P);
    expect(guest.faultOf(PAGE, 'write')).toBe(PROTECTION | W);
    guest.change({ cr0: (CR0.PG | CR0.PE) >>> 0 });
    expect(guest.faultOf(PAGE, 'write')).toBeUndefined();
    guest.change({ cr0: (CR0.PG | CR0.PE | CR0.WP) >>> 0 });
    expect(guest.faultOf(PAGE, 'write')).toBe(PROTECTION | W);
  });

  test('a read-modify-write of a read-only page reports W before it reads', () => {
    const guest = new PagedGuest();
    guest.map(PAGE, FRAME | P);
    expect(pageFault(() => guest.mmu.load(PAGE as never, 8, 'supervisor', true)).errorCode).toBe(PROTECTION | W);
  });

  test('a fetch from an execute-disable page gives P and I, and reading it is allowed', () => {
    const guest = new PagedGuest();
    guest.map(PAGE, FRAME | OPEN | XD);
    expect(guest.faultOf(PAGE, 'fetch', 'user')).toBe(PROTECTION | U | I);
    expect(guest.faultOf(PAGE, 'fetch')).toBe(PROTECTION | I);
    expect(guest.faultOf(PAGE)).toBeUndefined();
  });

  test('SMEP refuses supervisor fetches from user pages only', () => {
    const guest = new PagedGuest();
    guest.map(PAGE, FRAME | OPEN);
    expect(guest.faultOf(PAGE, 'fetch')).toBeUndefined();
    guest.change({ cr4: CR4.PAE | CR4.SMEP });
    expect(guest.faultOf(PAGE, 'fetch')).toBe(PROTECTION | I);
    expect(guest.faultOf(PAGE, 'fetch', 'user')).toBeUndefined();
    expect(guest.faultOf(PAGE, 'read')).toBeUndefined();
  });

  test('SMAP refuses supervisor data accesses to user pages unless RFLAGS.AC is set', () => {
    const guest = new PagedGuest();
    guest.map(PAGE, FRAME | OPEN);
    expect(guest.faultOf(PAGE, 'write')).toBeUndefined();
    guest.change({ cr4: CR4.PAE | CR4.SMAP });
    expect(guest.faultOf(PAGE, 'read')).toBe(PROTECTION);
    expect(guest.faultOf(PAGE, 'write')).toBe(PROTECTION | W);
    guest.state.systemFlags = RFLAGS_AC;
    expect(guest.faultOf(PAGE, 'write')).toBeUndefined();
    guest.state.systemFlags = 0;
    expect(guest.faultOf(PAGE, 'write')).toBe(PROTECTION | W);
    expect(guest.faultOf(PAGE, 'write', 'user')).toBeUndefined();
  });

  test('RFLAGS.AC does not exempt implicit supervisor accesses from SMAP', () => {
    const guest = new PagedGuest();
    guest.map(PAGE, FRAME | OPEN);
    guest.change({ cr4: CR4.PAE | CR4.SMAP });
    guest.state.systemFlags = RFLAGS_AC;
    expect(guest.faultOf(PAGE, 'read', 'supervisor')).toBeUndefined();
    expect(guest.faultOf(PAGE, 'read', 'implicit-supervisor')).toBe(PROTECTION);
  });

  test('XD is a reserved bit when EFER.NXE is clear', () => {
    const guest = new PagedGuest();
    guest.map(PAGE, FRAME | OPEN | XD);
    guest.change({ efer: EFER.LMA | EFER.LME });
    expect(guest.faultOf(PAGE)).toBe(PROTECTION | RSVD);
  });

  test('address bits beyond the physical address width are reserved', () => {
    const guest = new PagedGuest();
    guest.map(PAGE, FRAME | OPEN | (1n << 40n));
    expect(guest.faultOf(PAGE, 'write', 'user')).toBe(PROTECTION | RSVD | W | U);
    guest.map(PAGE, FRAME | OPEN | (1n << 52n));
    expect(guest.faultOf(PAGE)).toBeUndefined();
  });

  test('PS is reserved in a PML4E, and so are the low address bits of large pages', () => {
    const guest = new PagedGuest();
    guest.map(PAGE, FRAME | OPEN | PS, 39n);
    expect(guest.faultOf(PAGE)).toBe(PROTECTION | RSVD);
    for (const [shift, bit] of [[21n, 13n], [21n, 20n], [30n, 13n], [30n, 29n]] as const) {
      const other = new PagedGuest();
      other.map(PAGE, OPEN | PS | (1n << bit), shift);
      expect(other.faultOf(PAGE), `shift ${shift} bit ${bit}`).toBe(PROTECTION | RSVD);
    }
    const pat = new PagedGuest();
    pat.map(PAGE, OPEN | PS | (1n << 12n), 21n);
    expect(pat.faultOf(PAGE)).toBeUndefined();
  });

  test('a reserved bit beats a missing right, and not-present beats a reserved bit', () => {
    const guest = new PagedGuest();
    guest.map(PAGE, FRAME | P | (1n << 45n));
    expect(guest.faultOf(PAGE, 'write', 'user')).toBe(PROTECTION | RSVD | W | U);
    guest.map(PAGE, FRAME | (1n << 45n));
    expect(guest.faultOf(PAGE, 'write', 'user')).toBe(W | U);
  });
});
