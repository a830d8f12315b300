/**
 * Binary floating point on exact numbers: operations without rounding, and the one place where rounding happens. Precision
 * and exponent range are parameters, so that every format of the processor is served. What the bits of a format mean is
 * in format.ts. SDM Vol. 1, "Overview of Floating-Point Exceptions"; IEEE 754-2008.
 */

/** Significant bits with the leading one, and bits of the exponent field. */
export interface Format { readonly precision: number; readonly exponentBits: number }
export const HALF: Format = { precision: 11, exponentBits: 5 };
export const SINGLE: Format = { precision: 24, exponentBits: 8 };
export const DOUBLE: Format = { precision: 53, exponentBits: 11 };

/** Exception flags, in their places in MXCSR and in the x87 status word. */
export const FLAG = { IE: 1, DE: 2, ZE: 4, OE: 8, UE: 16, PE: 32 } as const;
/** The values of the rounding-control field. */
export const ROUND = { nearest: 0, down: 1, up: 2, zero: 3 } as const;
export type Rounding = (typeof ROUND)[keyof typeof ROUND];

export interface Environment {
  readonly rounding: Rounding;
  readonly denormalsAreZero: boolean;
  readonly flushToZero: boolean;
  /** Where they are not, the result is not delivered; an underflow is one even where it is exact, and PE is that of an unbounded exponent (hardware, AMD). */
  readonly overflowMasked: boolean;
  readonly underflowMasked: boolean;
}

/** significand * 2^exponent, which may be 0; `more`: and something more than that, less than one unit of the significand. */
export interface Exact { readonly negative: boolean; readonly significand: bigint; readonly exponent: number; readonly more?: boolean }
/** What a format can hold: significand has at most `precision` bits. `infinite`: beyond it. */
export interface Rounded { readonly negative: boolean; readonly significand: bigint; readonly exponent: number; readonly infinite: boolean; readonly flags: number }

/** Exponent of the smallest normal number; that of the largest is 1 - minExponent. */
export const minExponent = (f: Format): number => 2 - 2 ** (f.exponentBits - 1);
/** Exponent of the last bit of a denormal. */
export const lastPlace = (f: Format): number => minExponent(f) - (f.precision - 1);

/** Bits of a number above 0. */
export function bitLength(n: bigint): number {
  const digits = n.toString(16);
  return 4 * (digits.length - 1) + 32 - Math.clz32(parseInt(digits[0] as string, 16));
}

/** Drops `shift` low bits (or adds zeros, where it is negative), rounding by the mode. */
export function dropBits(x: Exact, shift: number, rounding: Rounding): { significand: bigint; inexact: boolean } {
  if (shift <= 0) return { significand: x.significand << BigInt(-shift), inexact: x.more === true };
  const count = BigInt(shift);
  const kept = x.significand >> count;
  const dropped = x.significand - (kept << count);
  const half = 1n << (count - 1n);
  const inexact = dropped !== 0n || x.more === true;
  const aboveHalf = dropped > half || (dropped === half && x.more === true);
  const tie = dropped === half && x.more !== true;
  const up = rounding === ROUND.nearest ? aboveHalf || (tie && (kept & 1n) === 1n)
    : rounding === ROUND.down ? inexact && x.negative
      : rounding === ROUND.up && inexact && !x.negative;
  return { significand: up ? kept + 1n : kept, inexact };
}

/**
 * The number as a format holds it, with OE, UE and PE. Tininess is detected after rounding. Where `more` is set, the
 * significand must have two bits more than the precision. SDM Vol. 1, "Numeric Overflow Exception (#O)", "Numeric Underflow Exception (#U)".
 */
export function round(f: Format, x: Exact, e: Environment): Rounded {
  const { negative } = x;
  if (x.significand === 0n) return { negative, significand: 0n, exponent: 0, infinite: false, flags: 0 };
  const shift = bitLength(x.significand) - f.precision;
  const unbounded = dropBits(x, shift, e.rounding);
  const top = x.exponent + shift + bitLength(unbounded.significand) - 1;
  if (top > 1 - minExponent(f)) {
    const flags = FLAG.OE | (e.overflowMasked || unbounded.inexact ? FLAG.PE : 0);
    const away = e.rounding === ROUND.nearest || e.rounding === (negative ? ROUND.down : ROUND.up);
    if (away) return { negative, significand: 0n, exponent: 0, infinite: true, flags };
    return { negative, significand: (1n << BigInt(f.precision)) - 1n, exponent: 2 - minExponent(f) - f.precision, infinite: false, flags };
  }
  const tiny = top < minExponent(f);
  if (tiny && e.flushToZero && e.underflowMasked) return { negative, significand: 0n, exponent: 0, infinite: false, flags: FLAG.UE | FLAG.PE };
  if (tiny && !e.underflowMasked) return { negative, significand: unbounded.significand, exponent: x.exponent + shift, infinite: false, flags: FLAG.UE | (unbounded.inexact ? FLAG.PE : 0) };
  const boundedShift = Math.max(shift, lastPlace(f) - x.exponent);
  const { significand, inexact } = boundedShift === shift ? unbounded : dropBits(x, boundedShift, e.rounding);
  const flags = inexact ? FLAG.PE | (tiny ? FLAG.UE : 0) : 0;
  return { negative, significand, exponent: x.exponent + boundedShift, infinite: false, flags };
}

/** x + y. A sum of 0 is negative only where both are, or where rounding goes down. */
export function sum(x: Exact, y: Exact, e: Environment): Exact {
  if (x.significand === 0n && y.significand === 0n) return { ...x, negative: x.negative === y.negative ? x.negative : e.rounding === ROUND.down };
  if (x.significand === 0n) return y;
  if (y.significand === 0n) return x;
  const exponent = Math.min(x.exponent, y.exponent);
  const term = (t: Exact): bigint => (t.negative ? -t.significand : t.significand) << BigInt(t.exponent - exponent);
  const total = term(x) + term(y);
  if (total === 0n) return { negative: e.rounding === ROUND.down, significand: 0n, exponent: 0 };
  return { negative: total < 0n, significand: total < 0n ? -total : total, exponent };
}

export const product = (x: Exact, y: Exact): Exact =>
  ({ negative: x.negative !== y.negative, significand: x.significand * y.significand, exponent: x.exponent + y.exponent });

/** x / y to more bits than `precision`. y is not 0. */
export function quotient(x: Exact, y: Exact, precision: number): Exact {
  const negative = x.negative !== y.negative;
  if (x.significand === 0n) return { negative, significand: 0n, exponent: 0 };
  const extra = Math.max(0, precision + 3 + bitLength(y.significand) - bitLength(x.significand));
  const dividend = x.significand << BigInt(extra);
  const significand = dividend / y.significand;
  return { negative, significand, exponent: x.exponent - y.exponent - extra, more: significand * y.significand !== dividend };
}

/** The square root of x, which is not negative, to more bits than `precision`. */
export function squareRoot(x: Exact, precision: number): Exact {
  if (x.significand === 0n) return x;
  let extra = Math.max(0, 2 * (precision + 3) - bitLength(x.significand));
  if ((x.exponent - extra) % 2 !== 0) extra++;
  const radicand = x.significand << BigInt(extra);
  const root = integerSquareRoot(radicand);
  return { negative: x.negative, significand: root, exponent: (x.exponent - extra) / 2, more: root * root !== radicand };
}

/** The largest integer whose square is not above n, by Newton's method from above. */
function integerSquareRoot(n: bigint): bigint {
  let root = 1n << BigInt(Math.ceil(bitLength(n) / 2));
  for (;;) {
    const next = (root + n / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}
