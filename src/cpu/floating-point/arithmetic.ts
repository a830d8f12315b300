/**
 * The operations of SSE on one pair of numbers, given and returned as bits of their format.
 * SDM Vol. 1, "SIMD Floating-Point Exceptions", "Operations on NaNs"; Vol. 2, the pages of ADDPD, MINPD, SQRTPD, CMPPD.
 */
import { FLAG, product, quotient, squareRoot, sum, type Environment, type Format } from './exact.ts';
import { indefinite, infinity, isNaN, pack, quieted, unpack, zero, type Outcome, type Unpacked } from './format.ts';

export type BinaryOperation = (f: Format, a: bigint, b: bigint, e: Environment) => Outcome;

const invalid = (f: Format): Outcome => ({ bits: indefinite(f), flags: FLAG.IE });

/** A NaN among the operands is the result, made quiet: the first operand's, if it is one. SDM Vol. 1, "Rules for Handling NaNs". */
const nanResult = (f: Format, x: Unpacked, y: Unpacked): Outcome => ({
  bits: quieted(f, isNaN(x) ? x.bits : y.bits),
  flags: x.kind === 'signaling' || y.kind === 'signaling' ? FLAG.IE : 0,
});

/** An operation that sees no NaNs; denormal operands are reported unless it is invalid. */
const binary = (operation: (f: Format, x: Unpacked, y: Unpacked, e: Environment) => Outcome): BinaryOperation => (f, a, b, e) => {
  const x = unpack(f, a, e), y = unpack(f, b, e);
  if (isNaN(x) || isNaN(y)) return nanResult(f, x, y);
  const { bits, flags } = operation(f, x, y, e);
  return { bits, flags: (flags & (FLAG.IE | FLAG.ZE)) !== 0 ? flags : flags | x.flags | y.flags };
};

const isZero = (x: Unpacked): boolean => x.kind === 'finite' && x.value.significand === 0n;

export const add = binary((f, x, y, e) => {
  if (x.kind === 'infinity' && y.kind === 'infinity' && x.value.negative !== y.value.negative) return invalid(f);
  if (x.kind === 'infinity') return { bits: x.bits, flags: 0 };
  if (y.kind === 'infinity') return { bits: y.bits, flags: 0 };
  return pack(f, sum(x.value, y.value, e), e);
});

/** a - b: a NaN keeps its sign. */
export const subtract = binary((f, x, y, e) => {
  const negated = { ...y.value, negative: !y.value.negative };
  if (x.kind === 'infinity' && y.kind === 'infinity' && x.value.negative === y.value.negative) return invalid(f);
  if (x.kind === 'infinity') return { bits: x.bits, flags: 0 };
  if (y.kind === 'infinity') return { bits: infinity(f, negated.negative), flags: 0 };
  return pack(f, sum(x.value, negated, e), e);
});

export const multiply = binary((f, x, y, e) => {
  const negative = x.value.negative !== y.value.negative;
  if (x.kind === 'infinity' || y.kind === 'infinity') return isZero(x) || isZero(y) ? invalid(f) : { bits: infinity(f, negative), flags: 0 };
  return pack(f, product(x.value, y.value), e);
});

export const divide = binary((f, x, y, e) => {
  const negative = x.value.negative !== y.value.negative;
  if (x.kind === 'infinity') return y.kind === 'infinity' ? invalid(f) : { bits: infinity(f, negative), flags: 0 };
  if (y.kind === 'infinity') return { bits: zero(f, negative), flags: 0 };
  if (isZero(y)) return isZero(x) ? invalid(f) : { bits: infinity(f, negative), flags: FLAG.ZE };
  return pack(f, quotient(x.value, y.value, f.precision), e);
});

export const root = (f: Format, a: bigint, e: Environment): Outcome => {
  const x = unpack(f, a, e);
  if (isNaN(x)) return nanResult(f, x, x);
  if (isZero(x)) return { bits: x.bits, flags: 0 };
  if (x.value.negative) return invalid(f);
  if (x.kind === 'infinity') return { bits: x.bits, flags: 0 };
  const { bits, flags } = pack(f, squareRoot(x.value, f.precision), e);
  return { bits, flags: flags | x.flags };
};

export type Order = 'less' | 'equal' | 'greater' | 'unordered';

/** The order of two numbers. A quiet NaN is invalid where it `signals`. */
export function compare(f: Format, a: bigint, b: bigint, e: Environment, quietNaN: 'quiet' | 'signals'): { order: Order; flags: number } {
  const x = unpack(f, a, e), y = unpack(f, b, e);
  if (isNaN(x) || isNaN(y)) {
    const signals = quietNaN === 'signals' || x.kind === 'signaling' || y.kind === 'signaling';
    return { order: 'unordered', flags: signals ? FLAG.IE : 0 };
  }
  const flags = x.flags | y.flags;
  if (isZero(x) && isZero(y)) return { order: 'equal', flags };
  // Positive numbers are in the order of their bits, negative ones in the reverse.
  const key = ({ bits, value }: Unpacked): bigint => (value.negative ? -(bits ^ zero(f, true)) : bits);
  const difference = key(x) - key(y);
  return { order: difference < 0n ? 'less' : difference > 0n ? 'greater' : 'equal', flags };
}

/** MIN or MAX: the second operand where they are both zeros or one is a NaN, quiet or not, which is invalid. */
const choose = (first: Order): BinaryOperation => (f, a, b, e) => {
  const { order, flags } = compare(f, a, b, e, 'signals');
  return { bits: order === first ? unpack(f, a, e).bits : unpack(f, b, e).bits, flags };
};
export const min = choose('less');
export const max = choose('greater');
