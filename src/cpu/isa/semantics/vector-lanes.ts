/** Lane by lane on integers, made of several verbs: signs, absolute values, rounded products, bytes by number. */
import type { Ops } from '../ops.ts';
import type { ImmediateOperand } from '../operand.ts';
import { usesMmx, type Combination, type Mapping } from './vector-operands.ts';

type SignedLanes = 'i8x16' | 'i16x8' | 'i32x4';

/** The lanes of a, negated where those of `sign` are negative: all ones are added and the bits inverted. */
function negatedWhereNegative<V, B, X>(o: Ops<V, B, X>, lanes: SignedLanes, a: X, sign: X): X {
  const ones = o.vectorX(`${lanes}.gt_s`, o.constX(0n), sign);
  return o.vectorX(`${lanes}.sub`, o.vectorX('v128.xor', a, ones), ones);
}
/** PABSB, PABSW, PABSD: the least number stays as it is. SDM Vol. 2B, "PABSB/PABSW/PABSD/PABSQ—Packed Absolute Value". */
export const PABS = (lanes: SignedLanes): Mapping => (o, source) => negatedWhereNegative(o, lanes, source, source);
/** PSIGNB, PSIGNW, PSIGND: negated, kept or zero as SRC is negative, positive or zero. SDM Vol. 2B, "PSIGNB/PSIGNW/PSIGND—Packed SIGN". */
export const PSIGN = (lanes: SignedLanes): Combination => (o, a, b) =>
  o.vectorX('v128.andnot', negatedWhereNegative(o, lanes, a, b), o.vectorX(`${lanes}.eq`, b, o.constX(0n)));

/** PMULHRSW: bits 30:15 of the products, rounded by bit 14. SDM Vol. 2B, "PMULHRSW—Packed Multiply High With Round and Scale". */
export const PMULHRSW: Combination = (o, a, b) => {
  const low = o.vectorX('i16x8.mul', a, b);
  const above = o.shiftX('i16x8.shl', o.vectorX('i16x8.mul_high_s', a, b), o.const(64, 1n));
  const cut = o.vectorX('v128.or', above, o.shiftX('i16x8.shr_u', low, o.const(64, 15n)));
  // Bit 14 alone: shifted to the top and back down.
  const round = o.shiftX('i16x8.shr_u', o.shiftX('i16x8.shl', low, o.const(64, 1n)), o.const(64, 15n));
  return o.vectorX('i16x8.add', cut, round);
};

/** Every byte of 128 bits. */
const bytes = (byte: number): bigint => BigInt(`0x${byte.toString(16).padStart(2, '0').repeat(16)}`);
/** PSHUFB: bytes of DEST by the numbers in SRC, zero where bit 7 is set. SDM Vol. 2B, "PSHUFB—Packed Shuffle Bytes". */
export const PSHUFB: Combination = (o, a, b, i) => o.vectorX('i8x16.swizzle', a, o.vectorX('v128.and', b, o.constX(bytes(usesMmx(i) ? 0x87 : 0x8f))));

/** PALIGNR: DEST above SRC, shifted right by bytes. SDM Vol. 2B, "PALIGNR—Packed Align Right". */
export const PALIGNR: Combination = (o, a, b, i) => {
  const distance = i.operands[2] as ImmediateOperand;
  const zero = o.constX(0n);
  if (usesMmx(i)) return o.shuffleByX('PSRLDQ', o.replaceLaneX('i64x2', b, 1, o.laneX('i64x2', a, 0)), zero, distance);
  return o.vectorX('v128.or', o.shuffleByX('PSRLDQ', b, zero, distance), o.shuffleByX('PALIGNR', a, zero, distance));
};
