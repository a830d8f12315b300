/** The generated functions of double extended-precision arithmetic against the exact ones of src/cpu/fpu, in every rounding mode and precision. */
import { expect, test } from 'vitest';
import { extendedFunctions, RAISED_SHIFT, type ExtendedFunction } from '../../src/cpu/engines/emit/extended.ts';
import { FLAG, ROUND, type Rounding } from '../../src/cpu/floating-point/exact.ts';
import { add, divide, multiply, squareRoot } from '../../src/cpu/fpu/arithmetic.ts';
import { STATUS } from '../../src/cpu/fpu/control.ts';
import { BIAS, classify, type Float80 } from '../../src/cpu/fpu/float80.ts';
import type { Result } from '../../src/cpu/fpu/nan.ts';
import type { Control } from '../../src/cpu/fpu/pack.ts';
import { Random, seedOf } from '../support/random.ts';

const EXACT: Readonly<Record<ExtendedFunction, (a: Float80, b: Float80, c: Control) => Result>> = { sum: add, product: multiply, quotient: divide, root: (a, _, c) => squareRoot(a, c) };
const PRECISIONS = [[24, 0], [53, 2], [64, 3]] as const;
const ALL_MASKED = 0x3f;
const high = ({ sign, exponent }: Float80): number => (sign << 15) | exponent;
const isOrdinary = (x: Float80): boolean => ['normal', 'zero'].includes(classify(x));

const seed = seedOf('extended arithmetic');
const random = new Random(seed);
const EDGES = [0n, 1n, 2n, (1n << 63n) - 1n, 1n << 62n, 0x7ff_ffff_fffen, 0x3ffn, 0x400n, 0x401n, 0x7f_ffff_ffffn, 0x80_0000_0000n, 0x80_0000_0001n];
/** Mostly normal numbers near each other, with few ones or many in a row; now and then anything at all. */
function operand(): Float80 {
  const sign = random.below(2) as 0 | 1;
  if (random.below(24) === 0) return { sign, exponent: 0, significand: 0n };
  if (random.below(24) === 0) return { sign, exponent: random.below(0x8000), significand: random.u64() };
  const fraction = random.below(2) === 0 ? random.u64() : (EDGES[random.below(EDGES.length)]! << BigInt(random.below(64)));
  const exponent = random.below(16) === 0 ? [1, 2, 0x7ffe, 0x7ffd, 0x3fff][random.below(5)]! : BIAS - 70 + random.below(140);
  return { sign, exponent, significand: BigInt.asUintN(63, fraction) | (1n << 63n) };
}

for (const name of ['sum', 'product', 'quotient', 'root'] as const) {
  test(`${name}: significand, sign, exponent, PE and C1 are those of the exact arithmetic, or the operation is declined where it is not ordinary`, () => {
    let answered = 0;
    const declined: string[] = [];
    for (let n = 0; n < 6000; n++) {
      const first = operand(), a: Float80 = name === 'root' && random.chance(90) ? { ...first, sign: 0 } : first;
      const b = random.below(8) === 0 ? { ...a, sign: random.below(2) as 0 | 1 } : operand();
      for (const [precision, pc] of PRECISIONS) {
        for (const mode of Object.values(ROUND) as Rounding[]) {
          const control = ALL_MASKED | (pc << 8) | (mode << 10);
          const [significand, word] = extendedFunctions()[name](a.significand, high(a), b.significand, high(b), control);
          const exact = EXACT[name](a, b, { precision, mode, masked: ALL_MASKED });
          const text = `seed ${seed}: ${name} ${JSON.stringify([a, b], (_, v: unknown) => (typeof v === 'bigint' ? v.toString(16) : v))} control ${control.toString(16)}`;
          if (word < 0) {
            // The least exponent may have come from below by rounding.
            if (isOrdinary(a) && (name === 'root' || isOrdinary(b)) && isOrdinary(exact.value) && (exact.flags & ~FLAG.PE) === 0 && exact.value.exponent > 1) declined.push(text);
            continue;
          }
          answered++;
          const got = { significand: BigInt.asUintN(64, significand), high: word & 0xffff, raised: word >> RAISED_SHIFT };
          expect(got, text).toEqual({ significand: exact.value.significand, high: high(exact.value), raised: exact.flags | (exact.c1 ? STATUS.C1 : 0) });
        }
      }
    }
    expect(declined, 'ordinary, and declined').toEqual([]);
    expect(answered).toBeGreaterThan(40_000);
  }, 120_000);
}
