/** Addition, subtraction, multiplication, division and square root of register values: exact, then rounded once. SDM Vol. 1, "Basic Arithmetic Instructions". */
import { FLAG, product, quotient, squareRoot as exactRoot, sum } from '../floating-point/exact.ts';
import { classify, EXTENDED, exactOf, infinity, negated, zero, type Float80 } from './float80.ts';
import { denormalFlag, exactly, INVALID, nanResult, withFlags, type Result } from './nan.ts';
import { environment, pack, type Control } from './pack.ts';

const isZero = (x: Float80): boolean => classify(x) === 'zero';
const isInfinite = (x: Float80): boolean => classify(x) === 'infinity';
const signOf = (a: Float80, b: Float80): 0 | 1 => (a.sign === b.sign ? 0 : 1);

/** Denormal operands are looked at before the operation: unmasked, nothing else is found out. */
function unlessStopped(operands: readonly Float80[], c: Control, compute: () => Result): Result {
  const flags = denormalFlag(...operands);
  return flags !== 0 && (c.masked & FLAG.DE) === 0 ? exactly(operands[0] as Float80, flags) : withFlags(compute(), flags);
}

export function add(a: Float80, b: Float80, c: Control): Result {
  const nan = nanResult(a, b);
  if (nan) return nan;
  if (isInfinite(a) && isInfinite(b) && a.sign !== b.sign) return INVALID;
  return unlessStopped([a, b], c, () => {
    if (isInfinite(a)) return exactly(a);
    if (isInfinite(b)) return exactly(b);
    // A zero changes nothing, but the other operand is still rounded to the precision in effect.
    return pack(sum(exactOf(a), exactOf(b), environment(c.mode)), c);
  });
}

/** a - b. A NaN keeps its sign. */
export function subtract(a: Float80, b: Float80, c: Control): Result {
  return nanResult(a, b) ?? add(a, negated(b), c);
}

export function multiply(a: Float80, b: Float80, c: Control): Result {
  const nan = nanResult(a, b);
  if (nan) return nan;
  if ((isInfinite(a) && isZero(b)) || (isZero(a) && isInfinite(b))) return INVALID;
  return unlessStopped([a, b], c, () => (isInfinite(a) || isInfinite(b) ? exactly(infinity(signOf(a, b))) : pack(product(exactOf(a), exactOf(b)), c)));
}

/** a / b. */
export function divide(a: Float80, b: Float80, c: Control): Result {
  const nan = nanResult(a, b);
  if (nan) return nan;
  if ((isInfinite(a) && isInfinite(b)) || (isZero(a) && isZero(b))) return INVALID;
  const sign = signOf(a, b);
  // Division by zero has priority over a denormal dividend.
  if (isZero(b) && !isInfinite(a)) return exactly(infinity(sign), FLAG.ZE);
  return unlessStopped([a, b], c, () => {
    if (isInfinite(a)) return exactly(infinity(sign));
    if (isInfinite(b)) return exactly(zero(sign));
    return pack(quotient(exactOf(a), exactOf(b), EXTENDED.precision), c);
  });
}

export function squareRoot(a: Float80, c: Control): Result {
  const nan = nanResult(a);
  if (nan) return nan;
  if (isZero(a)) return exactly(a);
  if (a.sign === 1) return INVALID;
  return unlessStopped([a], c, () => (isInfinite(a) ? exactly(a) : pack(exactRoot(exactOf(a), EXTENDED.precision), c)));
}
