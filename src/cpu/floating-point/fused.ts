/** a * b + c, rounded once. SDM Vol. 1, "FMA Instruction Operation and Arithmetic Behavior"; IEEE 754-2008, "fusedMultiplyAdd". */
import { FLAG, product, sum, type Environment, type Format } from './exact.ts';
import { indefinite, infinity, isNaN, pack, quieted, unpack, type Outcome } from './format.ts';

/** Which of product and addend are taken with their signs changed. */
export interface FusedSigns { readonly product: boolean; readonly addend: boolean }

/** A NaN among the operands is the result, made quiet, the first of a, b and c that is one. */
export function fusedMultiplyAdd(f: Format, a: bigint, b: bigint, c: bigint, e: Environment, negate: FusedSigns): Outcome {
  const x = unpack(f, a, e), y = unpack(f, b, e), z = unpack(f, c, e);
  const nan = [x, y, z].find(isNaN);
  if (nan) return { bits: quieted(f, nan.bits), flags: [x, y, z].some((v) => v.kind === 'signaling') ? FLAG.IE : 0 };
  const negative = (x.value.negative !== y.value.negative) !== negate.product;
  const addend = { ...z.value, negative: z.value.negative !== negate.addend };
  const isZero = ({ kind, value }: typeof x): boolean => kind === 'finite' && value.significand === 0n;
  const infinite = x.kind === 'infinity' || y.kind === 'infinity';
  if (infinite && (isZero(x) || isZero(y) || (z.kind === 'infinity' && addend.negative !== negative))) return { bits: indefinite(f), flags: FLAG.IE };
  const denormal = x.flags | y.flags | z.flags;
  if (infinite) return { bits: infinity(f, negative), flags: denormal };
  if (z.kind === 'infinity') return { bits: infinity(f, addend.negative), flags: denormal };
  const { bits, flags } = pack(f, sum({ ...product(x.value, y.value), negative }, addend, e), e);
  return { bits, flags: flags | denormal };
}
