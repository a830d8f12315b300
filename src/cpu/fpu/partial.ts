/** FRNDINT, FSCALE, FXTRACT and the partial remainders: exact or nearly so. SDM Vol. 2A, the instructions' own pages. */
import { bitLength, FLAG, ROUND, type Rounding } from '../floating-point/exact.ts';
import { integral } from './conversion.ts';
import { BIAS, classify, encode, EXTENDED, exactOf, fromInteger, infinity, INTEGER_BIT, zero, type Float80 } from './float80.ts';
import { denormalFlag, exactly, INVALID, nanResult, withFlags, type Result } from './nan.ts';
import { pack, type Control } from './pack.ts';

const full = (c: Control): Control => ({ ...c, precision: EXTENDED.precision });
const stops = (flags: number, c: Control): boolean => flags !== 0 && (c.masked & FLAG.DE) === 0;

/** Rounds to an integral value. */
export function roundToInteger(x: Float80, c: Control): Result {
  const nan = nanResult(x);
  if (nan) return nan;
  const kind = classify(x);
  if (kind === 'zero' || kind === 'infinity') return exactly(x);
  const denormal = denormalFlag(x);
  // A number whose last bit counts one or more is an integer.
  if (stops(denormal, c) || exactOf(x).exponent >= 0) return exactly(x, denormal);
  const rounded = integral(x, c.mode)!;
  return { value: { ...fromInteger(rounded.value), sign: x.sign }, flags: denormal | (rounded.inexact ? FLAG.PE : 0), c1: rounded.up };
}

/** Beyond this many places every number overflows or underflows. */
const MAX_SCALE = 0x1_0000n;

/** x * 2^trunc(y). */
export function scale(x: Float80, y: Float80, c: Control): Result {
  const nan = nanResult(x, y);
  if (nan) return nan;
  const kindX = classify(x), kindY = classify(y);
  if (kindY === 'infinity') {
    if (y.sign === 0 ? kindX === 'zero' : kindX === 'infinity') return INVALID;
    const denormal = denormalFlag(x);
    return exactly(y.sign === 0 ? infinity(x.sign) : zero(x.sign), denormal);
  }
  const denormal = denormalFlag(x, y);
  if (stops(denormal, c) || kindX === 'zero' || kindX === 'infinity') return exactly(x, denormal);
  const limit = y.sign === 0 ? MAX_SCALE : -MAX_SCALE;
  const places = integral(y, ROUND.zero)?.value ?? limit;
  const clamped = places > MAX_SCALE || places < -MAX_SCALE ? limit : places;
  const exact = exactOf(x);
  return withFlags(pack({ ...exact, exponent: exact.exponent + Number(clamped) }, full(c)), denormal);
}

/** Exponent and significand of a number, both as register values. */
export function extract(x: Float80, c: Control): { readonly exponent: Result; readonly significand: Float80 } {
  const nan = nanResult(x);
  if (nan) return { exponent: nan, significand: nan.value };
  const kind = classify(x);
  if (kind === 'zero') return { exponent: exactly(infinity(1), FLAG.ZE), significand: x };
  if (kind === 'infinity') return { exponent: exactly(infinity(0)), significand: x };
  const denormal = denormalFlag(x);
  if (stops(denormal, c)) return { exponent: exactly(x, denormal), significand: x };
  const { exponent, significand } = exactOf(x);
  const shift = 64 - bitLength(significand);
  return { exponent: exactly(fromInteger(BigInt(exponent + 63 - shift)), denormal), significand: { sign: x.sign, exponent: BIAS, significand: significand << BigInt(shift) } };
}

/** A remainder: exact, so never rounded. `quotient`: its low three bits where the remainder is complete; `none` where the operands have none. */
export interface Remainder { readonly result: Result; readonly quotient: number | 'partial' | 'none' }

/** One step reduces the exponent's distance by less than this. */
const STEP = 64;

/**
 * x - y * Q; Q truncates (FPREM) or rounds to nearest (FPREM1). When the exponents are 64 or more apart only a part of the
 * quotient is taken off: 32 to 63 bits, how many is the processor's choice.
 */
export function remainder(x: Float80, y: Float80, nearest: boolean, c: Control): Remainder {
  const nan = nanResult(x, y);
  if (nan) return { result: nan, quotient: 'none' };
  const kindX = classify(x), kindY = classify(y);
  if (kindX === 'infinity' || kindY === 'zero') return { result: INVALID, quotient: 'none' };
  const denormal = denormalFlag(x, y);
  if (stops(denormal, c) || kindX === 'zero') return { result: exactly(x, denormal), quotient: 0 };
  const a = exactOf(x);
  // The number itself; a pseudo-denormal is written as the normal number that it is.
  if (kindY === 'infinity') return { result: exactly(encode(a), denormal), quotient: 0 };

  const b = exactOf(y);
  const distance = a.exponent + bitLength(a.significand) - (b.exponent + bitLength(b.significand));
  const partial = distance >= STEP;
  // Complete: both as integers on the smaller exponent. Partial: the divisor is moved up to leave 32 to 63 bits of quotient.
  const raised = partial ? distance - (32 + (distance & 31)) : 0;
  const divisorExponent = b.exponent + raised;
  const common = Math.min(a.exponent, divisorExponent);
  const lift = a.exponent - common;
  // Much smaller than the divisor: it is its own remainder, unless it is more than half of it.
  if (distance < -1) return { result: withFlags(pack(a, full(c)), denormal), quotient: 0 };
  const dividend = a.significand << BigInt(lift), divisor = b.significand << BigInt(divisorExponent - common);
  let quotient = dividend / divisor, rest = dividend % divisor;
  let { negative } = a;
  if (nearest && !partial) {
    const twice = rest * 2n;
    if (twice > divisor || (twice === divisor && (quotient & 1n) === 1n)) {
      quotient += 1n;
      rest = divisor - rest;
      negative = !negative;
    }
  }
  const result = rest === 0n ? exactly(zero(x.sign)) : pack({ negative, exponent: common, significand: rest }, full(c));
  return { result: withFlags(result, denormal), quotient: partial ? 'partial' : Number(quotient & 7n) };
}

/** The constants of FLD1 ... FLDZ, rounded to nearest; in the other modes one unit less or more where they are not exact. */
const CONSTANTS = {
  '1': { exponent: BIAS, significand: INTEGER_BIT, below: false, above: false },
  'L2T': { exponent: BIAS + 1, significand: 0xd49a_784b_cd1b_8afen, below: false, above: true },
  'L2E': { exponent: BIAS, significand: 0xb8aa_3b29_5c17_f0bcn, below: true, above: false },
  'PI': { exponent: BIAS + 1, significand: 0xc90f_daa2_2168_c235n, below: true, above: false },
  'LG2': { exponent: BIAS - 2, significand: 0x9a20_9a84_fbcf_f799n, below: true, above: false },
  'LN2': { exponent: BIAS - 1, significand: 0xb172_17f7_d1cf_79acn, below: true, above: false },
  'Z': { exponent: 0, significand: 0n, below: false, above: false },
} as const;
export type Constant = keyof typeof CONSTANTS;

/** A constant as the rounding mode gives it. `below`: rounding to nearest went up; `above`: it went down. SDM Vol. 2A, "FLD1/FLDL2T/FLDL2E/FLDPI/FLDLG2/FLDLN2/FLDZ—Load Constant". */
export function constant(name: Constant, mode: Rounding): Float80 {
  const { exponent, significand, below, above } = CONSTANTS[name];
  const adjust = below && (mode === ROUND.down || mode === ROUND.zero) ? -1n : above && mode === ROUND.up ? 1n : 0n;
  return { sign: 0, exponent, significand: significand + adjust };
}
