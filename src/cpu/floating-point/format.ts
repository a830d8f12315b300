/** The interchange formats, single and double precision: bits to numbers and back. SDM Vol. 1, "Floating-Point Format", "NaNs". */
import { FLAG, lastPlace, round, type Environment, type Exact, type Format } from './exact.ts';

/** A number taken apart. Finite numbers are `value`; `flags` has DE where it is denormal and not read as zero. */
export interface Unpacked {
  readonly bits: bigint;
  readonly kind: 'finite' | 'infinity' | 'quiet' | 'signaling';
  readonly value: Exact;
  readonly flags: number;
}
/** The bits of a result, and the exceptions that it raised. */
export interface Outcome { readonly bits: bigint; readonly flags: number }

const fractionBits = (f: Format): bigint => BigInt(f.precision - 1);
const signBit = (f: Format): bigint => 1n << BigInt(f.precision + f.exponentBits - 1);
const exponentMask = (f: Format): bigint => (1n << BigInt(f.exponentBits)) - 1n;
const quietBit = (f: Format): bigint => 1n << BigInt(f.precision - 2);

export const infinity = (f: Format, negative: boolean): bigint => (exponentMask(f) << fractionBits(f)) | (negative ? signBit(f) : 0n);
export const zero = (f: Format, negative: boolean): bigint => (negative ? signBit(f) : 0n);
/** The answer of an invalid operation. SDM Vol. 1, "QNaN Floating-Point Indefinite". */
export const indefinite = (f: Format): bigint => infinity(f, true) | quietBit(f);
export const quieted = (f: Format, bits: bigint): bigint => bits | quietBit(f);
export const isNaN = (x: Unpacked): boolean => x.kind === 'quiet' || x.kind === 'signaling';

export function unpack(f: Format, bits: bigint, e: Environment): Unpacked {
  const negative = (bits & signBit(f)) !== 0n;
  const field = (bits >> fractionBits(f)) & exponentMask(f);
  const fraction = bits & ((1n << fractionBits(f)) - 1n);
  if (field === exponentMask(f)) {
    const kind = fraction === 0n ? 'infinity' : (fraction & quietBit(f)) !== 0n ? 'quiet' : 'signaling';
    return { bits, kind, value: { negative, significand: 0n, exponent: 0 }, flags: 0 };
  }
  if (field === 0n && fraction !== 0n && e.denormalsAreZero) return { bits: zero(f, negative), kind: 'finite', value: { negative, significand: 0n, exponent: 0 }, flags: 0 };
  const significand = field === 0n ? fraction : fraction | (1n << fractionBits(f));
  const value = { negative, significand, exponent: lastPlace(f) + Math.max(0, Number(field) - 1) };
  return { bits, kind: 'finite', value, flags: field === 0n && fraction !== 0n ? FLAG.DE : 0 };
}

/** Rounds a finite result and gives its bits. */
export function pack(f: Format, x: Exact, e: Environment): Outcome {
  const { negative, significand, exponent, infinite, flags } = round(f, x, e);
  if (infinite) return { bits: infinity(f, negative), flags };
  if (significand === 0n) return { bits: zero(f, negative), flags };
  // A normal number's leading one adds 1 to the exponent field; a denormal has none, and the field stays 0.
  const field = BigInt(exponent - lastPlace(f)) << fractionBits(f);
  return { bits: zero(f, negative) | (field + significand), flags };
}
