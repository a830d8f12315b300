/** Operands that are no numbers: what an operation does before it looks at values. SDM Vol. 1, "Rules for Handling NaNs", "Operating on SNaNs and QNaNs". */
import { FLAG } from '../floating-point/exact.ts';
import { classify, INDEFINITE, isNaN80, quieted, type Float80 } from './float80.ts';

/** A result and what the operation flags. */
export interface Result { readonly value: Float80; readonly flags: number; readonly c1: boolean }

export const exactly = (value: Float80, flags = 0): Result => ({ value, flags, c1: false });
export const withFlags = (r: Result, flags: number): Result => ({ ...r, flags: r.flags | flags });
export const INVALID: Result = exactly(INDEFINITE, FLAG.IE);

/** The result where an operand is a NaN or an encoding that is not supported; undefined where none is. */
export function nanResult(a: Float80, b: Float80 = a): Result | undefined {
  const kindA = classify(a), kindB = classify(b);
  if (kindA === 'unsupported' || kindB === 'unsupported') return INVALID;
  const nanA = isNaN80(kindA), nanB = isNaN80(kindB);
  if (!nanA && !nanB) return undefined;
  const flags = kindA === 'signaling' || kindB === 'signaling' ? FLAG.IE : 0;
  return exactly(quieted(!nanB ? a : !nanA ? b : chosen(a, kindA === 'signaling', b, kindB === 'signaling')), flags);
}

/** Of two NaNs a quiet one beats a signaling one; of two of a kind the larger significand wins, then the positive sign. */
function chosen(a: Float80, signalingA: boolean, b: Float80, signalingB: boolean): Float80 {
  if (signalingA !== signalingB) return signalingA ? b : a;
  if (a.significand !== b.significand) return a.significand > b.significand ? a : b;
  return a.sign <= b.sign ? a : b;
}

/** DE where an operand is denormal. */
export const denormalFlag = (...operands: readonly Float80[]): number => (operands.some((x) => classify(x) === 'denormal') ? FLAG.DE : 0);
