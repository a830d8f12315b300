/**
 * RCPPS and RSQRTPS: approximations with a relative error of at most 1.5 * 2^-12, of which every processor has its own.
 * Ours is the exact answer rounded to 12 bits. They raise nothing, ignore MXCSR, read denormals as zeros and make none.
 * SDM Vol. 2B, "RCPPS", "RSQRTPS".
 */
import { DOUBLE, ROUND, SINGLE, type Environment } from './exact.ts';
import { indefinite, infinity, isNaN, pack, quieted, unpack, zero } from './format.ts';

const QUIET: Environment = { rounding: ROUND.nearest, denormalsAreZero: true, flushToZero: true, overflowMasked: true, underflowMasked: true };
const TWELVE_BITS = { precision: 12, exponentBits: SINGLE.exponentBits };

const scratch = new Float64Array(1);
const scratchBits = new BigUint64Array(scratch.buffer);

/** A number above 0 to 12 bits, in single precision. */
function rounded(value: number, negative: boolean): bigint {
  scratch[0] = value;
  const exact = unpack(DOUBLE, scratchBits[0] as bigint, QUIET).value;
  const twelve = unpack(TWELVE_BITS, pack(TWELVE_BITS, exact, QUIET).bits, QUIET);
  return pack(SINGLE, { ...twelve.value, negative }, QUIET).bits;
}
function toNumber(bits: bigint): number {
  const x = unpack(SINGLE, bits, QUIET).value;
  return Number(x.significand) * 2 ** x.exponent;
}

export function reciprocal(a: bigint): bigint {
  const x = unpack(SINGLE, a, QUIET);
  const { negative, significand } = x.value;
  if (isNaN(x)) return quieted(SINGLE, a);
  if (x.kind === 'infinity') return zero(SINGLE, negative);
  return significand === 0n ? infinity(SINGLE, negative) : rounded(1 / toNumber(a), negative);
}

export function reciprocalRoot(a: bigint): bigint {
  const x = unpack(SINGLE, a, QUIET);
  const { negative, significand } = x.value;
  if (isNaN(x)) return quieted(SINGLE, a);
  if (x.kind === 'finite' && significand === 0n) return infinity(SINGLE, negative);
  if (negative) return indefinite(SINGLE);
  return x.kind === 'infinity' ? zero(SINGLE, false) : rounded(1 / Math.sqrt(toNumber(a)), false);
}
