import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { linear, physical } from '../../src/state/addresses.ts';
import { CR0, CR4, EFER, RFLAGS_AC } from '../../src/mmu/control-bits.ts';
import { PageFault } from '../../src/mmu/page-fault.ts';
import type { AccessKind, Privilege } from '../../src/mmu/mmu.ts';
import { PagedGuest, ROOT } from './guest.ts';

const SEED = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);

interface Setup { mode: '5-level' | '4-level' | 'PAE' | '32-bit'; wp: boolean; nxe: boolean; smep: boolean; smap: boolean; ac: boolean; pse: boolean; pke: boolean; pkru: number }
interface Access { address: bigint; access: AccessKind; privilege: Privilege }

const isLong = ({ mode }: Setup): boolean => mode === '4-level' || mode === '5-level';
const bits = (value: bigint, high: bigint, low: bigint): bigint => (value >> low) & ((1n << (high - low + 1n)) - 1n);

/** The manual's walk on whole 64-bit entries, as slowly and plainly as can be. Gives a physical address or an error code. */
function naive(guest: PagedGuest, setup: Setup, { address, access, privilege }: Access): { physical: bigint } | { error: number } {
  const user = privilege === 'user';
  const error = (present: boolean, reserved: boolean, key = false): { error: number } => ({
    error: (key ? 32 : 0) + (present ? 1 : 0) + (access === 'write' ? 2 : 0) + (user ? 4 : 0) + (reserved ? 8 : 0)
      + (access === 'fetch' && (setup.smep || (setup.nxe && setup.mode !== '32-bit')) ? 16 : 0),
  });
  const read = (at: bigint): bigint => setup.mode === '32-bit' ? BigInt(guest.memory.read(physical(Number(at)), 4)) : guest.memory.read64(physical(Number(at)));
  const long = isLong(setup);
  const shifts = long ? [...(setup.mode === '5-level' ? [48n] : []), 39n, 30n, 21n, 12n] : setup.mode === 'PAE' ? [30n, 21n, 12n] : [22n, 12n];
  let table = BigInt(ROOT), writable = true, userPage = true, executeDisable = false;
  for (const shift of shifts) {
    const register = setup.mode === 'PAE' && shift === 30n;
    const entry = setup.mode === '32-bit' ? read(table + bits(address, shift + 9n, shift) * 4n)
      : register ? guest.state.pdpte[Number(bits(address, 31n, 30n))]!
        : read(table + bits(address, shift + 8n, shift) * 8n);
    if (bits(entry, 0n, 0n) === 0n) return error(false, false);
    const large = shift !== 12n && shift < 39n && !register && bits(entry, 7n, 7n) === 1n && (setup.mode !== '32-bit' || setup.pse);
    let reserved = 0n;
    if (long) reserved |= bits(entry, 51n, 40n);
    if (setup.mode === 'PAE' && !register) reserved |= bits(entry, 62n, 40n);
    if (setup.mode !== '32-bit' && !setup.nxe && !register) reserved |= bits(entry, 63n, 63n);
    if (shift >= 39n) reserved |= bits(entry, 7n, 7n);
    if (large) reserved |= shift === 22n ? bits(entry, 21n, 21n) : bits(entry, shift - 1n, 13n);
    if (reserved !== 0n) return error(true, true);
    if (!register) {
      writable &&= bits(entry, 1n, 1n) === 1n;
      userPage &&= bits(entry, 2n, 2n) === 1n;
      executeDisable ||= setup.mode !== '32-bit' && bits(entry, 63n, 63n) === 1n;
    }
    if (shift === 12n || large) {
      const allowed = user
        ? userPage && (access !== 'write' || writable) && (access !== 'fetch' || !executeDisable)
        : access === 'fetch' ? !executeDisable && !(userPage && setup.smep)
          : !(userPage && setup.smap && (privilege === 'implicit-supervisor' || !setup.ac)) && (access === 'read' || writable || !setup.wp);
      const key = bits(entry, 62n, 59n), rights = bits(BigInt(setup.pkru), 2n * key + 1n, 2n * key);
      const keyForbids = long && setup.pke && userPage && access !== 'fetch'
        && ((rights & 1n) !== 0n || (access === 'write' && (rights & 2n) !== 0n && (user || setup.wp)));
      if (!allowed || keyForbids) return error(true, false, keyForbids);
      const base = shift === 22n ? (bits(entry, 20n, 13n) << 32n) | (bits(entry, 31n, 22n) << 22n) : bits(entry, setup.mode === '32-bit' ? 31n : 39n, shift) << shift;
      return { physical: base | bits(address, shift - 1n, 0n) };
    }
    table = bits(entry, setup.mode === '32-bit' ? 31n : 39n, 12n) << 12n;
  }
  throw new Error('a walk ends');
}

/** What the processor does. */
function translated(guest: PagedGuest, { address, access, privilege }: Access): { physical: bigint } | { error: number } {
  try {
    return { physical: BigInt(guest.mmu.translate(linear(address), access, privilege)) };
  } catch (fault) {
    if (!(fault instanceof PageFault)) throw fault;
    return { error: fault.errorCode };
  }
}

/** What the debugger says the processor would do. */
function explained(guest: PagedGuest, { address, access, privilege }: Access): { physical: bigint } | { error: number } {
  const walk = guest.mmu.explain(linear(address));
  const { errorCode } = walk.verdicts.find((it) => it.access === access && it.privilege === privilege)!;
  return errorCode === undefined ? { physical: BigInt(walk.physicalAddress!) } : { error: errorCode };
}

const FRAMES = 6;
/** Entries are mostly present and permissive, point at one of a few frames of tables, and now and then have a wild bit. */
const entry = fc.record({
  flags: fc.tuple(fc.constantFrom(1n, 1n, 1n, 1n, 1n, 1n, 1n, 0n), fc.constantFrom(2n, 2n, 0n), fc.constantFrom(4n, 4n, 0n), fc.constantFrom(0n, 0n, 0n, 0x80n), fc.constantFrom(0n, 0x60n)),
  frame: fc.integer({ min: 0, max: FRAMES - 1 }),
  wild: fc.oneof({ weight: 6, arbitrary: fc.constant(0n) }, { weight: 1, arbitrary: fc.bigInt(0n, 63n).map((bit) => 1n << bit) }),
  high: fc.constantFrom(0n, 0n, 0n, 1n << 63n, 1n << 59n, 5n << 60n),
}).map(({ flags, frame, wild, high }) => flags.reduce<bigint>((a, b) => a | b, 0n) | BigInt(ROOT + frame * 4096) | wild | high);

const setup: fc.Arbitrary<Setup> = fc.record({
  mode: fc.constantFrom('5-level', '4-level', '4-level', 'PAE', '32-bit'), wp: fc.boolean(), nxe: fc.boolean(), smep: fc.boolean(), smap: fc.boolean(), ac: fc.boolean(), pse: fc.boolean(), pke: fc.boolean(), pkru: fc.integer({ min: 0, max: 0xffff_ffff }),
});

test(`random page tables: the processor, the debugger and a naive walk agree (seed ${SEED})`, () => {
  const guest = new PagedGuest();
  fc.assert(fc.property(
    setup,
    fc.array(entry, { minLength: 40, maxLength: 40 }),
    fc.array(fc.record({
      indices: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 5, maxLength: 5 }),
      offset: fc.bigInt(0n, 0xfffn),
      access: fc.constantFrom<AccessKind>('read', 'write', 'fetch'),
      privilege: fc.constantFrom<Privilege>('user', 'supervisor', 'implicit-supervisor'),
    }), { minLength: 1, maxLength: 12 }),
    (how, entries, accesses) => {
      const { state, memory, mmu } = guest;
      state.cr0 = (CR0.PG | CR0.PE | (how.wp ? CR0.WP : 0)) >>> 0;
      state.cr4 = (how.mode === '32-bit' ? 0 : CR4.PAE) | (how.smep ? CR4.SMEP : 0) | (how.smap ? CR4.SMAP : 0) | (how.pse ? CR4.PSE : 0) | (how.pke ? CR4.PKE : 0) | (how.mode === '5-level' ? CR4.LA57 : 0);
      mmu.setPkru(how.pkru);
      state.efer = (isLong(how) ? EFER.LMA | EFER.LME : 0) | (how.nxe ? EFER.NXE : 0);
      state.systemFlags = how.ac ? RFLAGS_AC : 0;
      entries.forEach((value, i) => {
        const table = ROOT + (i % FRAMES) * 4096, slot = Math.floor(i / FRAMES);
        if (how.mode === '32-bit') memory.write(physical(table + 4 * slot), 4, Number(value & 0xffff_ffffn));
        else memory.write64(physical(table + 8 * slot), how.mode === 'PAE' && i % FRAMES === 0 ? value & 0xff_ffff_f019n : value);
      });
      state.cr3 = BigInt(ROOT);
      expect(how.mode !== 'PAE' || mmu.setCr3(BigInt(ROOT))).toBe(true);
      mmu.flushAll();
      for (const { indices: [a, b, c, d, e], offset, access, privilege } of accesses) {
        const address = how.mode === '32-bit' ? (BigInt(a!) << 22n) | (BigInt(b!) << 12n) | offset
          : (how.mode === '5-level' ? BigInt(e!) << 48n : 0n) | (isLong(how) ? BigInt(a!) << 39n : 0n) | (BigInt(b!) << 30n) | (BigInt(c!) << 21n) | (BigInt(d!) << 12n) | offset;
        const expected = naive(guest, how, { address, access, privilege });
        mmu.flushAll();
        expect(explained(guest, { address, access, privilege: privilege === 'user' ? 'user' : 'supervisor' })).toEqual(
          naive(guest, how, { address, access, privilege: privilege === 'user' ? 'user' : 'supervisor' }));
        // Twice: by a walk, then from the TLB.
        expect(translated(guest, { address, access, privilege })).toEqual(expected);
        expect(translated(guest, { address, access, privilege })).toEqual(expected);
      }
    },
  ), { seed: SEED, numRuns: 1500 });
});
