/**
 * The transcendental functions of x87, computed to far more bits than a register holds and rounded once. Processors are
 * allowed an error of one unit in the last place, so their last bit may differ. Reduction of angles uses the processor's
 * own pi of 66 bits. SDM Vol. 1, "Transcendental Instructions", "Approximation of Pi", "Transcendental Instruction Accuracy".
 */
import { bitLength, product, quotient, squareRoot, sum, type Exact } from '../floating-point/exact.ts';
import { environment } from './pack.ts';

/** Bits that are kept of every intermediate value. */
const BITS = 192;
const NEAREST = environment(0);

const integer = (n: bigint): Exact => ({ negative: n < 0n, significand: n < 0n ? -n : n, exponent: 0 });
const ONE = integer(1n), TWO = integer(2n);

function trim(x: Exact): Exact {
  const excess = x.significand === 0n ? 0 : bitLength(x.significand) - BITS;
  return { negative: x.negative, significand: excess > 0 ? x.significand >> BigInt(excess) : x.significand, exponent: excess > 0 ? x.exponent + excess : x.exponent };
}
/** Exponent of the leading bit. */
const magnitude = (x: Exact): number => x.exponent + bitLength(x.significand);
const isZero = (x: Exact): boolean => x.significand === 0n;
const minus = (x: Exact): Exact => ({ ...x, negative: !x.negative });

/** a + b, toward zero: what is left over is found again by `inexact`. */
function add(a: Exact, b: Exact): Exact {
  if (isZero(a) || isZero(b)) return isZero(a) ? b : a;
  const [large, small] = magnitude(a) > magnitude(b) ? [a, b] : [b, a];
  if (magnitude(large) - magnitude(small) <= 2 * BITS) return trim(sum(a, b, NEAREST));
  // So far below the other's last bit that only its sign counts.
  return large.negative === small.negative ? large : trim({ ...large, significand: (large.significand << BigInt(2 * BITS)) - 1n, exponent: large.exponent - 2 * BITS });
}
const multiply = (a: Exact, b: Exact): Exact => trim(product(a, b));
const divide = (a: Exact, b: Exact): Exact => trim(quotient(a, b, BITS));
const root = (a: Exact): Exact => trim(squareRoot(a, BITS));

/** first + first * step(1) + first * step(1) * step(2) + ..., until the terms no longer count. */
function series(first: Exact, step: (n: bigint) => Exact): Exact {
  let total = first, term = first;
  for (let n = 1n; !isZero(term) && magnitude(term) > magnitude(total) - BITS; n++) {
    term = multiply(term, step(n));
    total = add(total, term);
  }
  return total;
}
/** x - x^3/3 + x^5/5 - ... with alternating signs, or without (the inverse hyperbolic tangent): |x| is well below 1. */
function oddSeries(x: Exact, alternating: boolean): Exact {
  const square = multiply(x, x), ratio = alternating ? minus(square) : square;
  return series(x, (n) => divide(multiply(ratio, integer(2n * n - 1n)), integer(2n * n + 1n)));
}

/** Computed when first asked for: most guests never do. */
function once(compute: () => Exact): () => Exact {
  let value: Exact | undefined;
  return () => (value ??= compute());
}
const ln2 = once(() => multiply(TWO, oddSeries(divide(ONE, integer(3n)), false)));
/** Machin's formula. */
const fullPi = once(() => add(multiply(integer(16n), oddSeries(divide(ONE, integer(5n)), true)), minus(multiply(integer(4n), oddSeries(divide(ONE, integer(239n)), true)))));
/** The processor's pi: C90FDAA2 2168C234 Ch, with two bits before the point. */
const PI_66: Exact = { negative: false, significand: 0xc90f_daa2_2168_c234cn, exponent: -66 };

/** A fraction of pi. */
export const pi = (numerator: bigint, denominator: bigint): Exact => inexact(divide(multiply(fullPi(), integer(numerator)), integer(denominator)));

/** A value that no number of finite digits is. */
const inexact = (x: Exact): Exact => (isZero(x) ? x : { ...x, more: true });

/** 2^x - 1 for |x| <= 1. */
export function powerOfTwoMinusOne(x: Exact): Exact {
  if (isZero(x)) return x;
  // 2^1 - 1 and 2^-1 - 1 are exact.
  if (magnitude(x) === 1) return x.negative ? { negative: true, significand: 1n, exponent: -1 } : ONE;
  const t = multiply(x, ln2());
  return inexact(series(t, (n) => divide(t, integer(n + 1n))));
}

/** y * log2(x), x above 0. */
export function yLog2(x: Exact, y: Exact): Exact {
  // x = 2^k * m with m between the square roots of 1/2 and 2, so that the logarithm of m is small.
  let k = magnitude(x);
  let m: Exact = { ...x, exponent: x.exponent - k };
  if (add(multiply(m, m), { negative: true, significand: 1n, exponent: -1 }).negative) {
    m = { ...m, exponent: m.exponent + 1 };
    k--;
  }
  const offset = sum(m, minus(ONE), NEAREST);
  if (isZero(offset)) return product(integer(BigInt(k)), y);
  return multiplied(add(integer(BigInt(k)), log2OnePlus(offset)), y);
}
/** y * log2(1 + x), |x| well below 1. */
export const yLog2OnePlus = (x: Exact, y: Exact): Exact => multiplied(log2OnePlus(x), y);

const log2OnePlus = (x: Exact): Exact => divide(multiply(TWO, oddSeries(divide(x, add(TWO, x)), false)), ln2());
const multiplied = (logarithm: Exact, y: Exact): Exact => inexact(multiply(logarithm, y));

/** The angle of the point (x, y), neither coordinate 0. */
export function angle(y: Exact, x: Exact): Exact {
  const steep = magnitude(y) > magnitude(x);
  const t = divide({ ...(steep ? x : y), negative: false }, { ...(steep ? y : x), negative: false });
  const acute = steep ? add(divide(fullPi(), TWO), minus(arcTangent(t))) : arcTangent(t);
  const positive = x.negative ? add(fullPi(), minus(acute)) : acute;
  return inexact({ ...positive, negative: y.negative });
}

/** Halves the angle until the series is quick. 0 < t < 2. */
function arcTangent(t: Exact): Exact {
  let halvings = 0, reduced = t;
  for (; magnitude(reduced) > -3; halvings++) reduced = divide(reduced, add(ONE, root(add(ONE, multiply(reduced, reduced)))));
  const result = oddSeries(reduced, true);
  return { ...result, exponent: result.exponent + halvings };
}

/** Sine and cosine, |x| below 2^63. */
export function sineCosine(x: Exact): { readonly sine: Exact; readonly cosine: Exact } {
  if (isZero(x)) return { sine: x, cosine: ONE };
  const { quadrant, rest } = reduce(x);
  const square = minus(multiply(rest, rest));
  const sine = series(rest, (n) => divide(square, integer(2n * n * (2n * n + 1n))));
  const cosine = series(ONE, (n) => divide(square, integer((2n * n - 1n) * 2n * n)));
  const turned = [[sine, cosine], [cosine, minus(sine)], [minus(sine), minus(cosine)], [minus(cosine), sine]][quadrant] as [Exact, Exact];
  return { sine: inexact(turned[0]), cosine: inexact(turned[1]) };
}

/** x = quadrant * pi / 2 + rest, |rest| at most pi / 4: exact, for this pi has few digits. */
function reduce(x: Exact): { quadrant: number; rest: Exact } {
  const exponent = Math.min(x.exponent, PI_66.exponent - 1);
  if (magnitude(x) < -2) return { quadrant: 0, rest: x };
  const value = x.significand << BigInt(x.exponent - exponent), half = PI_66.significand << BigInt(PI_66.exponent - 1 - exponent);
  const turns = (2n * value + half) / (2n * half);
  const rest = value - turns * half;
  const quadrant = Number(turns & 3n);
  return x.negative
    ? { quadrant: (4 - quadrant) & 3, rest: { negative: rest > 0n, significand: rest < 0n ? -rest : rest, exponent } }
    : { quadrant, rest: { negative: rest < 0n, significand: rest < 0n ? -rest : rest, exponent } };
}

/** The tangent, |x| below 2^63. */
export function tangent(x: Exact): Exact {
  const { sine, cosine } = sineCosine(x);
  return isZero(sine) ? sine : inexact(divide(trim(sine), trim(cosine)));
}
