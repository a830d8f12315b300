/** Vectors and MXCSR values for the cases: lanes at which signs, saturations and roundings change. */
import { interesting } from '../boundary.ts';
import type { Random } from '../random.ts';
import { defaultFpu, type Fpu, type Simd } from './world.ts';

const mask = (bits: number): bigint => (1n << BigInt(bits)) - 1n;

/** Bit patterns of one format: zeros, denormals, the smallest and largest normal numbers, one and its neighbours, infinities, NaNs. */
function floatBoundaries(exponentBits: number, fractionBits: number): bigint[] {
  const exponent = (e: bigint): bigint => e << BigInt(fractionBits);
  const infinity = exponent(mask(exponentBits));
  const one = exponent(mask(exponentBits - 1));
  const quiet = 1n << BigInt(fractionBits - 1);
  return [
    0n, 1n, 2n, mask(fractionBits), quiet, exponent(1n), exponent(1n) + 1n, exponent(2n), one - 1n, one, one + 1n, one + exponent(1n), one + quiet,
    infinity - 1n, infinity, infinity + quiet, infinity + quiet + 5n, infinity + 1n, infinity + 7n,
    // Around 2^31 and 2^63, and halves.
    ...[-1n, 0n, 1n, 30n, 31n, 32n, 62n, 63n].flatMap((e) => [one + exponent(e), one + exponent(e) + 1n, one + exponent(e) - 1n]),
  ];
}
const FLOATS = { 32: floatBoundaries(8, 23), 64: floatBoundaries(11, 52) } as const;

/** A floating-point number by its bits. */
function float(r: Random, bits: 32 | 64): bigint {
  const fraction = bits === 32 ? 23 : 52;
  const kind = r.below(10);
  if (kind < 4) return r.pick(FLOATS[bits]) | (r.chance(50) ? 1n << BigInt(bits - 1) : 0n);
  if (kind < 5) return BigInt.asUintN(bits, r.u64());
  // Exponents close together, and significands with few bits: sums that cancel, products and quotients that are exact.
  const bias = mask(bits - 2 - fraction);
  const exponent = bias + BigInt(r.between(-4, 4));
  const significand = r.chance(50) ? BigInt.asUintN(fraction, r.u64()) : (BigInt(r.below(16)) << BigInt(fraction - 4)) + (r.chance(20) ? 1n : 0n);
  return (exponent << BigInt(fraction)) | significand | (r.chance(50) ? 1n << BigInt(bits - 1) : 0n);
}

/** 128 bits as lanes of one width. */
export function interestingVector(r: Random, floats: boolean): bigint {
  const bits = floats ? r.pick([32, 64] as const) : r.pick([8, 16, 32, 64] as const);
  const lane = (): bigint => floats ? float(r, bits as 32 | 64) : BigInt.asUintN(bits, interesting(r));
  let v = 0n;
  const same = r.chance(10) ? lane() : undefined;
  for (let at = 0; at < 128; at += bits) v |= (same ?? lane()) << BigInt(at);
  return v;
}

/** Bytes or words of a small alphabet with zeros in it, so that strings end, have elements in common and contain each other. */
export function textVector(r: Random): bigint {
  const bits = r.pick([8, 16] as const);
  const alphabet = r.pick([[1, 2], [0, 1, 2, 3], [0, 0x7f, 0x80, 0xff], [1, 5, 9, 0x8000, 0xffff]]);
  return Array.from({ length: 128 / bits }, () => BigInt.asUintN(bits, BigInt(r.pick(alphabet)))).reduce((v, x) => (v << BigInt(bits)) | x, 0n);
}

/** Rounding control, DAZ, FTZ, flags that are set already, and sometimes exceptions that are not masked. */
function mxcsr(r: Random): number {
  const masks = r.chance(75) ? 0x3f : r.below(0x40);
  return (masks << 7) | (r.below(4) << 13) | (r.chance(25) ? 0x40 : 0) | (r.chance(25) ? 0x8000 : 0) | (r.chance(30) ? r.below(0x40) : 0);
}

export function simdFor(r: Random, lanes: 'integers' | 'floats' | 'text', wide = false): Simd & { readonly xmm: bigint[] } {
  const floats = lanes === 'floats';
  const xmm = Array.from({ length: 16 }, () => (lanes === 'text' ? textVector(r) : interestingVector(r, floats)) | (wide ? interestingVector(r, floats) << 128n : 0n));
  // Operands that are equal, or each other's negatives.
  if (r.chance(15)) xmm.fill(xmm[0] as bigint);
  if (floats && r.chance(8)) xmm.forEach((_, n) => { xmm[n] = (xmm[0] as bigint) ^ (n % 2 === 0 ? 0n : 1n << 63n | 1n << 127n | 1n << 31n | 1n << 95n); });
  return { xmm, mxcsr: mxcsr(r), wide };
}

/** MMX registers, in an x87 state that is as usual (TOP 0, empty), that instructions have left anyhow, or that holds an exception which waits. */
export function fpuFor(r: Random): Fpu {
  const registers = Array.from({ length: 8 }, () => (BigInt(r.chance(50) ? 0xffff : r.below(0x1_0000)) << 64n) | BigInt.asUintN(64, interestingVector(r, false)));
  if (r.chance(15)) registers.fill(registers[0] as bigint);
  if (r.chance(40)) return { ...defaultFpu(), registers };
  const waiting = r.chance(10);
  const flags = r.below(0x40), codes = r.below(0x8000) & 0x7f00;
  // Bits 7 and 15, ES and B, are those of an exception that is not masked.
  return { registers, control: 0x340 | (waiting ? ~flags & 0x3f : 0x3f), status: codes | flags | (waiting && flags !== 0 ? 0x8080 : 0), valid: r.below(0x100) };
}
