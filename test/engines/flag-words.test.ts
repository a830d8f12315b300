import { assert, bigInt, boolean, constantFrom, integer, oneof, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Cpu } from '../../src/cpu/cpu.ts';
import { ReferenceOps } from '../../src/cpu/engines/reference/ops.ts';
import { RFLAGS, STATUS_MASK, SYSTEM_MASK, getFlag, readRflags, setFlag, writeRflags } from '../../src/cpu/flags.ts';
import { Ops, STATUS_FLAGS, type Carry } from '../../src/cpu/isa/ops.ts';
import { GuestState } from '../../src/state/guest-state.ts';

/** The operations as the vocabulary derives them: every override of a derived verb taken back. */
class DerivedOps extends ReferenceOps {
  override constBit(b: 0 | 1): boolean { return Ops.prototype.constBit.call(this, b) as boolean; }
  override isZero(w: 8, a: bigint): boolean { return Ops.prototype.isZero.call(this, w, a) as boolean; }
  override resultFlags(w: 8, r: bigint): void { Ops.prototype.resultFlags.call(this, w, r); }
  override carryFlags(w: 8, c: bigint, keepCF: boolean): void { Ops.prototype.carryFlags.call(this, w, c, keepCF); }
  override addFlags(w: 8, a: bigint, b: bigint, r: bigint, how?: Carry): void { Ops.prototype.addFlags.call(this, w, a, b, r, how); }
  override subFlags(w: 8, a: bigint, b: bigint, r: bigint, how?: Carry): void { Ops.prototype.subFlags.call(this, w, a, b, r, how); }
  override otherFlags(w: 8, r: bigint, cf: boolean, of: boolean): void { Ops.prototype.otherFlags.call(this, w, r, cf, of); }
  override logicFlags(w: 8, r: bigint): void { Ops.prototype.logicFlags.call(this, w, r); }
  override condition(tttn: number): boolean { return Ops.prototype.condition.call(this, tttn) as boolean; }
}

// Only the state is touched by the verbs under test.
const over = <T>(make: new (cpu: Cpu) => T): { state: GuestState; ops: T } => {
  const state = new GuestState(4096);
  return { state, ops: new make({ state } as unknown as Cpu) };
};
const direct = over(ReferenceOps);
const derived = over(DerivedOps);

const width = constantFrom(8 as const, 16 as const, 32 as const, 64 as const);
/** Two operands with the interesting bits often near the ends of the width. */
const operand = oneof(bigInt({ min: 0n, max: 2n ** 64n - 1n }), constantFrom(0n, 1n, 0x7fn, 0x80n, 0x7fffn, 0x8000n, 0x7fff_ffffn, 0x8000_0000n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n));
const before = integer({ min: 0, max: 0x3f_ffff });

describe('flag words', () => {
  test('RFLAGS written is RFLAGS read, for every combination of status flags', () => {
    const { state } = direct;
    const wrong = Array.from({ length: 4096 }, (_, bits) => bits).filter((bits) => {
      writeRflags(state, bits);
      return readRflags(state) !== ((bits & (STATUS_MASK | SYSTEM_MASK)) | 2);
    });
    expect(wrong).toEqual([]);
  });

  test('each flag can be set and cleared alone from any combination', () => {
    assert(property(before, constantFrom(...STATUS_FLAGS, 'DF' as const), boolean(), (bits, flag, on) => {
      const { state } = direct;
      writeRflags(state, bits);
      setFlag(state, flag, on);
      expect(getFlag(state, flag)).toBe(on);
      const expected = on ? bits | RFLAGS[flag] : bits & ~RFLAGS[flag];
      expect(readRflags(state)).toBe((expected & (STATUS_MASK | SYSTEM_MASK)) | 2);
    }), { numRuns: 2000 });
  });

  test('the direct flag writers of the reference engine equal the derived ones', () => {
    const writers = {
      add: (o: ReferenceOps, w: 8 | 16 | 32 | 64, a: bigint, b: bigint, how: Carry) => o.addFlags(w, a, b, o.add(w, a, b), how),
      adc: (o: ReferenceOps, w: 8 | 16 | 32 | 64, a: bigint, b: bigint) => o.addFlags(w, a, b, o.add(w, o.add(w, a, b), o.fromBit(w, o.getFlag('CF'))), 'carryIn'),
      sub: (o: ReferenceOps, w: 8 | 16 | 32 | 64, a: bigint, b: bigint, how: Carry) => o.subFlags(w, a, b, o.sub(w, a, b), how),
      sbb: (o: ReferenceOps, w: 8 | 16 | 32 | 64, a: bigint, b: bigint) => o.subFlags(w, a, b, o.sub(w, o.sub(w, a, b), o.fromBit(w, o.getFlag('CF'))), 'carryIn'),
      logic: (o: ReferenceOps, w: 8 | 16 | 32 | 64, a: bigint, b: bigint) => o.logicFlags(w, a & b),
      other: (o: ReferenceOps, w: 8 | 16 | 32 | 64, a: bigint, b: bigint) => o.otherFlags(w, a, (b & 1n) === 1n, (b & 2n) === 2n),
      result: (o: ReferenceOps, w: 8 | 16 | 32 | 64, a: bigint) => o.resultFlags(w, a),
    };
    assert(property(before, width, operand, operand, constantFrom('plain' as const, 'keepCF' as const), constantFrom(...Object.keys(writers) as (keyof typeof writers)[]), (bits, w, x, y, how, name) => {
      const a = BigInt.asUintN(w, x), b = BigInt.asUintN(w, y);
      const [got, expected] = [direct, derived].map(({ state, ops }) => {
        writeRflags(state, bits);
        writers[name](ops, w, a, b, how);
        return readRflags(state);
      });
      expect(got).toBe(expected);
    }), { numRuns: 20_000 });
  });

  test('the direct conditions equal the derived ones for every combination of status flags', () => {
    const wrong: string[] = [];
    for (let bits = 0; bits < 4096; bits++) {
      for (const { state } of [direct, derived]) writeRflags(state, bits);
      for (let tttn = 0; tttn < 16; tttn++) if (direct.ops.condition(tttn) !== derived.ops.condition(tttn)) wrong.push(`${bits}: ${tttn}`);
    }
    expect(wrong).toEqual([]);
  });
});

describe('arithmetic verbs', () => {
  test('counting zeros and ones agrees with counting digits', () => {
    assert(property(width, operand, (w, x) => {
      const a = BigInt.asUintN(w, x);
      const digits = a.toString(2).padStart(w, '0');
      expect(direct.ops.popcnt(w, a)).toBe(BigInt(digits.replaceAll('0', '').length));
      expect(direct.ops.clz(w, a)).toBe(BigInt(a === 0n ? w : digits.indexOf('1')));
      expect(direct.ops.ctz(w, a)).toBe(BigInt(a === 0n ? w : w - 1 - digits.lastIndexOf('1')));
    }), { numRuns: 2000 });
  });
});
