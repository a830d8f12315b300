/** The double extended-precision format of the x87 registers. SDM Vol. 1, "Floating-Point Data Types", "Unsupported Double Extended-Precision Floating-Point Encodings and Pseudo-Denormals". */
import { bitLength, minExponent, type Exact, type Format } from '../floating-point/exact.ts';

/** Sign, biased exponent (15 bits) and significand (64 bits with the integer bit), as they stand in a register. */
export interface Float80 { readonly sign: 0 | 1; readonly exponent: number; readonly significand: bigint }

/** Its bits 79:64, and the value that has them above a significand. */
export const signAndExponent = ({ sign, exponent }: Float80): number => (sign << 15) | exponent;
export const float80 = (high: number, significand: bigint): Float80 => ({ sign: ((high >> 15) & 1) as 0 | 1, exponent: high & MAX_EXPONENT, significand });

export const EXTENDED: Format = { precision: 64, exponentBits: 15 };
export const BIAS = 16383, MAX_EXPONENT = 0x7fff;
export const INTEGER_BIT = 1n << 63n, QUIET_BIT = 1n << 62n;
const FRACTION_BITS = 63;

export type FloatClass = 'zero' | 'denormal' | 'normal' | 'infinity' | 'quiet' | 'signaling' | 'unsupported';

/** What an encoding is. `denormal` includes pseudo-denormals; `unsupported`: pseudo-NaNs, pseudo-infinities, unnormals. */
export function classify({ exponent, significand }: Float80): FloatClass {
  const integer = (significand & INTEGER_BIT) !== 0n;
  if (exponent === 0) return significand === 0n ? 'zero' : 'denormal';
  if (!integer) return 'unsupported';
  if (exponent !== MAX_EXPONENT) return 'normal';
  if (significand === INTEGER_BIT) return 'infinity';
  return (significand & QUIET_BIT) !== 0n ? 'quiet' : 'signaling';
}

export const isNaN80 = (x: FloatClass): boolean => x === 'quiet' || x === 'signaling';

export const zero = (sign: 0 | 1): Float80 => ({ sign, exponent: 0, significand: 0n });
export const infinity = (sign: 0 | 1): Float80 => ({ sign, exponent: MAX_EXPONENT, significand: INTEGER_BIT });
/** The QNaN floating-point indefinite: the masked response to an invalid operation. */
export const INDEFINITE: Float80 = { sign: 1, exponent: MAX_EXPONENT, significand: INTEGER_BIT | QUIET_BIT };
export const quieted = (x: Float80): Float80 => ({ ...x, significand: x.significand | QUIET_BIT });
export const negated = (x: Float80): Float80 => ({ ...x, sign: x.sign === 0 ? 1 : 0 });

/** The value of a zero, normal or denormal number. */
export const exactOf = (x: Float80): Exact => ({ negative: x.sign === 1, exponent: Math.max(x.exponent, 1) - BIAS - FRACTION_BITS, significand: x.significand });

/** A number of at most 64 bits as a register's value. What is below the smallest denormal is lost, what is too large becomes infinite. */
export function encode({ negative, significand, exponent }: Exact): Float80 {
  const sign = negative ? 1 : 0;
  if (significand === 0n) return zero(sign);
  const shift = 64 - bitLength(significand);
  const biased = exponent + FRACTION_BITS - shift + BIAS;
  if (biased >= MAX_EXPONENT) return infinity(sign);
  if (biased >= 1) return { sign, exponent: biased, significand: significand << BigInt(shift) };
  const denormal = significand << BigInt(exponent - minExponent(EXTENDED) + FRACTION_BITS);
  return { sign, exponent: (denormal & INTEGER_BIT) === 0n ? 0 : 1, significand: denormal };
}

/** An integer: every one of 64 bits, and every one of 18 decimal digits, is exact. */
export const fromInteger = (value: bigint): Float80 => encode({ negative: value < 0n, significand: value < 0n ? -value : value, exponent: 0 });
