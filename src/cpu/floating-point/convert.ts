/** Conversions between formats and to and from signed integers. SDM Vol. 2A, the pages of CVTSD2SS, CVTSD2SI, CVTSI2SD and their kin. */
import { bitLength, dropBits, FLAG, type Environment, type Format } from './exact.ts';
import { infinity, isNaN, pack, quieted, unpack, zero, type Outcome } from './format.ts';

/** A number in another format. A NaN keeps its sign and the upper bits of its fraction. */
export function convert(from: Format, to: Format, a: bigint, e: Environment): Outcome {
  const x = unpack(from, a, e);
  const { negative } = x.value;
  if (x.kind === 'infinity') return { bits: infinity(to, negative), flags: 0 };
  if (isNaN(x)) {
    const fraction = x.bits & ((1n << BigInt(from.precision - 1)) - 1n);
    const more = BigInt(to.precision - from.precision);
    const moved = more >= 0n ? fraction << more : fraction >> -more;
    return { bits: quieted(to, infinity(to, negative) | moved), flags: x.kind === 'signaling' ? FLAG.IE : 0 };
  }
  if (x.value.significand === 0n) return { bits: zero(to, negative), flags: 0 };
  const { bits, flags } = pack(to, x.value, e);
  return { bits, flags: flags | x.flags };
}

/** A signed integer of w bits, as an unsigned number; what does not fit is the integer indefinite, and invalid. A denormal is not reported. */
export function toInteger(f: Format, a: bigint, w: 32 | 64, e: Environment): Outcome {
  const x = unpack(f, a, e);
  const indefinite = { bits: 1n << BigInt(w - 1), flags: FLAG.IE };
  if (x.kind !== 'finite') return indefinite;
  const { negative, significand, exponent } = x.value;
  if (significand !== 0n && exponent + bitLength(significand) > w + 1) return indefinite;
  const { significand: whole, inexact } = dropBits(x.value, -exponent, e.rounding);
  const value = negative ? -whole : whole;
  if (BigInt.asIntN(w, value) !== value) return indefinite;
  return { bits: BigInt.asUintN(w, value), flags: inexact ? FLAG.PE : 0 };
}

/** The nearest whole number by the rounding, in the same format; what rounds to 0 keeps its sign. A denormal is not reported. */
export function toIntegral(f: Format, a: bigint, e: Environment): Outcome {
  const x = unpack(f, a, e);
  if (isNaN(x)) return { bits: quieted(f, x.bits), flags: x.kind === 'signaling' ? FLAG.IE : 0 };
  if (x.kind === 'infinity' || x.value.significand === 0n) return { bits: x.bits, flags: 0 };
  const { negative, exponent } = x.value;
  if (exponent >= 0) return { bits: x.bits, flags: 0 };
  const { significand, inexact } = dropBits(x.value, -exponent, e.rounding);
  return { bits: significand === 0n ? zero(f, negative) : pack(f, { negative, significand, exponent: 0 }, e).bits, flags: inexact ? FLAG.PE : 0 };
}

/** A signed integer as a number of the format. */
export function fromInteger(f: Format, v: bigint, e: Environment): Outcome {
  return pack(f, { negative: v < 0n, significand: v < 0n ? -v : v, exponent: 0 }, e);
}
