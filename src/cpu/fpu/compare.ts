/** Comparison of register values. SDM Vol. 1, "Comparison and Classification Instructions". */
import { FLAG } from '../floating-point/exact.ts';
import { classify, exactOf, isNaN80, type Float80 } from './float80.ts';
import { denormalFlag } from './nan.ts';

export type Relation = 'less' | 'equal' | 'greater' | 'unordered';

/** How a stands to b, and what finding out flags. `quiet` (FUCOM): a quiet NaN is no invalid operand. */
export function compare(a: Float80, b: Float80, quiet: boolean): { readonly relation: Relation; readonly flags: number } {
  const kinds = [classify(a), classify(b)];
  if (kinds.includes('unsupported')) return { relation: 'unordered', flags: FLAG.IE };
  if (kinds.some(isNaN80)) return { relation: 'unordered', flags: quiet && !kinds.includes('signaling') ? 0 : FLAG.IE };
  const order = signedOrder(a, b);
  return { relation: order < 0n ? 'less' : order > 0n ? 'greater' : 'equal', flags: denormalFlag(a, b) };
}

/** A number that is ordered as the values are. */
function orderKey(x: Float80): bigint {
  if (x.significand === 0n) return 0n;
  // Pseudo-denormals have the exponent of the smallest normal numbers.
  const { exponent } = exactOf(x);
  const magnitude = (BigInt(exponent + 0x8000) << 64n) | x.significand;
  return x.sign === 0 ? magnitude : -magnitude;
}

/** Negative, zero or positive as a is below, equal to or above b. Neither is a NaN. */
const signedOrder = (a: Float80, b: Float80): bigint => orderKey(a) - orderKey(b);
