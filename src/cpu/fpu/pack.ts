/** An exact result as a register's value, with the exceptions that rounding it raises. SDM Vol. 1, "Numeric Overflow Exception (#O)", "Numeric Underflow Exception (#U)", "Inexact-Result (Precision) Exception (#P)". */
import { bitLength, FLAG, minExponent, round, type Environment, type Exact, type Rounded, type Rounding } from '../floating-point/exact.ts';
import { encode, EXTENDED, infinity, MAX_EXPONENT, zero } from './float80.ts';
import type { Result } from './nan.ts';

/** How results are rounded: to how many bits and how; and which exceptions are masked (bits as in the control word). */
export interface Control { readonly precision: number; readonly mode: Rounding; readonly masked: number }

/** The exponent of a result that overflows or underflows unmasked is moved by this much. */
const EXPONENT_ADJUST = 24576;
/** More exponent bits than any result needs, FSCALE's too: rounding as if exponents had no bounds. */
const UNBOUNDED = 18;

/** x87 has neither DAZ nor FTZ; unmasked overflow and underflow are dealt with here. */
export const environment = (rounding: Rounding): Environment => ({ rounding, denormalsAreZero: false, flushToZero: false, overflowMasked: true, underflowMasked: true });

/** Whether rounding made a number larger in magnitude, which C1 shows. */
export const roundedUp = (x: Exact, r: Rounded): boolean => r.exponent > x.exponent && r.significand << BigInt(r.exponent - x.exponent) > x.significand;

/** A number rounded to a precision with exponents that have no bounds, and the exponent of its leading bit. */
export function roundUnbounded(x: Exact, precision: number, mode: Rounding): Rounded & { readonly top: number; readonly up: boolean } {
  const rounded = round({ precision, exponentBits: UNBOUNDED }, x, environment(mode));
  return { ...rounded, top: rounded.exponent + bitLength(rounded.significand) - 1, up: roundedUp(x, rounded) };
}

/** Rounds an exact result into a register. A sum that is zero has its sign already. */
export function pack(x: Exact, c: Control): Result {
  if (x.significand === 0n) return { value: encode(x), flags: 0, c1: false };
  const sign = x.negative ? 1 : 0;
  const unbounded = roundUnbounded(x, c.precision, c.mode);
  /** The result of an unmasked overflow or underflow. Where even that is out of range, which FSCALE alone can bring about, it is infinity or zero. */
  const moved = (by: number, flag: number): Result => {
    const near = encode({ ...unbounded, exponent: unbounded.exponent + by });
    const infinite = near.exponent === MAX_EXPONENT, vanishes = near.exponent === 0;
    return { value: vanishes ? zero(sign) : near, flags: flag | (infinite || vanishes ? FLAG.PE : unbounded.flags), c1: infinite || unbounded.up };
  };
  const overflows = unbounded.top > 1 - minExponent(EXTENDED), tiny = unbounded.top < minExponent(EXTENDED);
  if (overflows && (c.masked & FLAG.OE) === 0) return moved(-EXPONENT_ADJUST, FLAG.OE);
  if (tiny && (c.masked & FLAG.UE) === 0) return moved(EXPONENT_ADJUST, FLAG.UE);
  const rounded = round({ ...EXTENDED, precision: c.precision }, x, environment(c.mode));
  if (rounded.infinite) return { value: infinity(sign), flags: rounded.flags, c1: true };
  return { value: encode(rounded), flags: rounded.flags, c1: !overflows && roundedUp(x, rounded) };
}
