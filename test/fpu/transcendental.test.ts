/**
 * Transcendental functions beside the same functions computed in another way: fixed point of 400 bits, logarithms and pi by the arithmetic-geometric mean,
 * arc tangents by Newton's method, sines by thirds of the angle. SDM Vol. 1, "Transcendental Instruction Accuracy": an error of less than 1 ulp.
 */
import { describe, expect, it } from 'vitest';
import { Random, seedOf } from '../support/random.ts';
import { executesRows } from '../support/rows-executed.ts';
import type { X87State } from '../support/x87/cases.ts';
import { X87World } from '../support/x87/run.ts';
import { FPU_ROWS } from './rows.ts';

const P = 400n, ONE = 1n << P, CASES = 150;
const seed = seedOf('transcendental functions');

// ----------------------------------------------------------------------------------- fixed point: an integer is a multiple of 2^-P
const abs = (x: bigint): bigint => (x < 0n ? -x : x);
const mul = (a: bigint, b: bigint): bigint => (a * b) >> P;
const div = (a: bigint, b: bigint): bigint => (a << P) / b;
/** The integer square root, by Newton's method from above. */
function isqrt(n: bigint): bigint {
  if (n < 2n) return n;
  let x = 1n << BigInt((n.toString(2).length + 1) >> 1);
  for (;;) {
    const next = (x + n / x) >> 1n;
    if (next >= x) return x;
    x = next;
  }
}
const sqrt = (x: bigint): bigint => isqrt(x << P);
function agm(a: bigint, b: bigint): bigint {
  while (abs(a - b) > 1n) [a, b] = [(a + b) >> 1n, sqrt(mul(a, b))];
  return a;
}
/** Gauss and Legendre: (a + b)^2 / 4t. */
const pi = ((): bigint => {
  let [a, b, t, p] = [ONE, sqrt(ONE >> 1n), ONE >> 2n, 1n];
  while (abs(a - b) > 1n) {
    const next = (a + b) >> 1n;
    [a, b, t, p] = [next, sqrt(mul(a, b)), t - p * mul(a - next, a - next), 2n * p];
  }
  return div(mul(a + b, a + b), 4n * t);
})();
/** ln(s) = pi / (2 agm(1, 4 / s)) for an s that is large: 2^M times the argument, with M times ln(2) taken away. */
const M = 230n;
const lnScaled = (x: bigint): bigint => div(pi, 2n * agm(ONE, div(4n << P, x << M)));
const ln2 = lnScaled(2n << P) - lnScaled(ONE);
const ln = (x: bigint): bigint => lnScaled(x) - M * ln2;
/** e^x by halves: (e^(x / 2^16))^(2^16). */
function exp(x: bigint): bigint {
  let term = ONE, total = ONE;
  for (let n = 1n; abs(term) > 0n && n < 100n; n++) total += term = mul(term, x >> 16n) / n;
  for (let n = 0; n < 16; n++) total = mul(total, total);
  return total;
}
/** sin(3x) = 3 sin(x) - 4 sin(x)^3. */
function sin(x: bigint): bigint {
  const small = x / 3n ** 12n, square = mul(small, small);
  let term = small, total = small;
  for (let n = 1n; term !== 0n && n < 100n; n++) total += term = -mul(term, square) / (2n * n * (2n * n + 1n));
  for (let n = 0; n < 12; n++) total = 3n * total - 4n * mul(total, mul(total, total));
  return total;
}
const cos = (x: bigint): bigint => sin(x + (pi >> 1n));
/** The tangent of what is missing is (y cos - x sin) / (x cos + y sin). */
function atan2(y: bigint, x: bigint): bigint {
  let angle = BigInt(Math.round(Math.atan2(Number(y) / Number(ONE), Number(x) / Number(ONE)) * 2 ** 50)) << (P - 50n);
  for (let n = 0; n < 6; n++) {
    const [s, c] = [sin(angle), cos(angle)];
    angle += div(mul(y, c) - mul(x, s), mul(x, c) + mul(y, s));
  }
  return angle;
}

// --------------------------------------------------------------------------------------------------------- registers of 80 bits
interface Value { readonly negative: boolean; readonly significand: bigint; readonly exponent: number }
/** The value is significand * 2^(exponent - 63). */
const encoded = ({ negative, significand, exponent }: Value): bigint => (BigInt((negative ? 0x8000 : 0) | (exponent + 0x3fff)) << 64n) | significand;
const decoded = (raw: bigint): Value => ({ negative: raw >> 79n !== 0n, significand: BigInt.asUintN(64, raw), exponent: Number((raw >> 64n) & 0x7fffn) - 0x3fff });
const fixed = ({ negative, significand, exponent }: Value): bigint => {
  const shift = BigInt(exponent) - 63n + P, x = shift >= 0n ? significand << shift : significand >> -shift;
  return negative ? -x : x;
};
function drawn(r: Random, least: number, most: number): Value {
  return { negative: r.chance(50), significand: r.u64() | (1n << 63n), exponent: r.between(least, most) };
}
const positive = (x: Value): Value => ({ ...x, negative: false });

const world = new X87World('reference');
/** ST(0) and ST(1) before, and the registers behind the instruction. */
function run(code: readonly number[], st0: Value, st1: Value = positive(drawn(new Random(1), 0, 0))): X87State {
  const stack = [encoded(st0), encoded(st1), 0n, 0n, 0n, 0n, 0n, 0n];
  return world.run(Uint8Array.from(code), { control: 0x37f, status: 0, used: 3, stack, memory: 0n, flags: 0, ax: 0 });
}
/** Whether a register is within one unit in its last place of the value. */
function isWithinUlp(raw: bigint, expected: bigint): boolean {
  const got = decoded(raw);
  return abs(fixed(got) - expected) < 1n << (BigInt(got.exponent) - 63n + P);
}

/** pi as processors have it, of 66 bits, which they take multiples of away from an angle. SDM Vol. 1, "Approximation of Pi". */
const HALF_PI_66 = 0xc90f_daa2_2168_c234cn << (P - 67n);
/** What the processor takes an angle for: x - n * pi' / 2 + n * pi / 2. */
function taken(x: Value): bigint {
  const n = (fixed(x) + (fixed(x) < 0n ? -HALF_PI_66 : HALF_PI_66) / 2n) / HALF_PI_66;
  return fixed(x) - n * HALF_PI_66 + ((n % 4n) * pi) / 2n;
}

describe('within one unit in the last place of the exact value', () => {
  const each = (name: string, body: (r: Random) => readonly [raw: bigint, expected: bigint, ...of: Value[]]): void => {
    it(`is ${name} (${CASES} random operands)`, () => {
      const r = new Random(seed);
      for (let n = 0; n < CASES; n++) {
        const [raw, expected, ...of] = body(r);
        expect(isWithinUlp(raw, expected), `${name} of ${of.map((x) => encoded(x).toString(16)).join(', ')} is ${raw.toString(16)}; SEED=${seed}`).toBe(true);
      }
    });
  };
  each('F2XM1', (r) => {
    const x = drawn(r, -40, -1);
    return [run([0xd9, 0xf0], x).stack[0]!, exp(mul(fixed(x), ln2)) - ONE, x];
  });
  each('FYL2X', (r) => {
    const x = positive(drawn(r, -40, 40)), y = drawn(r, -20, 20);
    return [run([0xd9, 0xf1], x, y).stack[0]!, mul(fixed(y), div(ln(fixed(x)), ln2)), x, y];
  });
  each('FYL2X near 1', (r) => {
    const x: Value = r.chance(50)
      ? { negative: false, significand: (1n << 63n) | (r.u64() >> BigInt(r.between(2, 60))) | 1n, exponent: 0 }
      : { negative: false, significand: ~(r.u64() >> BigInt(r.between(2, 60))) & 0xffff_ffff_ffff_ffffn, exponent: -1 };
    const y = drawn(r, -20, 20);
    return [run([0xd9, 0xf1], x, y).stack[0]!, mul(fixed(y), div(ln(fixed(x)), ln2)), x, y];
  });
  each('FYL2XP1', (r) => {
    const x = drawn(r, -40, -3), y = drawn(r, -20, 20);
    return [run([0xd9, 0xf9], x, y).stack[0]!, mul(fixed(y), div(ln(ONE + fixed(x)), ln2)), x, y];
  });
  each('FPATAN', (r) => {
    const x = drawn(r, -20, 20), y = drawn(r, -20, 20);
    return [run([0xd9, 0xf3], x, y).stack[0]!, atan2(fixed(y), fixed(x)), x, y];
  });
  each('FSIN', (r) => {
    const x = drawn(r, -30, r.chance(50) ? 0 : 62);
    return [run([0xd9, 0xfe], x).stack[0]!, sin(taken(x)), x];
  });
  each('FCOS', (r) => {
    const x = drawn(r, -30, r.chance(50) ? 0 : 62);
    return [run([0xd9, 0xff], x).stack[0]!, cos(taken(x)), x];
  });
  each('FSINCOS (its sine)', (r) => {
    const x = drawn(r, -30, r.chance(50) ? 0 : 62);
    return [run([0xd9, 0xfb], x).stack[1]!, sin(taken(x)), x];
  });
  each('FPTAN', (r) => {
    const x = drawn(r, -30, r.chance(50) ? 0 : 62);
    return [run([0xd9, 0xf2], x).stack[1]!, div(sin(taken(x)), cos(taken(x))), x];
  });
});

executesRows(FPU_ROWS.transcendental);
