/** Lanes chosen, moved and widened: the blends, INSERTPS, PMOVSX and PMOVZX of SSE4.1. */
import type { Instruction } from '../instruction.ts';
import type { ImmediateOperand } from '../operand.ts';
import type { Ops } from '../ops.ts';
import type { Semantics } from '../row.ts';
import type { ImmediateShuffle, Lanes } from '../vector-ops.ts';
import { lanePattern } from '../vector-shuffles.ts';
import { firstSource, readX, sse, writeHalves, type Combination, type Half, type Mapping } from './vector-operands.ts';

const control = (i: Instruction): ImmediateOperand => i.operands.at(-1) as ImmediateOperand;

/** PBLENDW, BLENDPS, BLENDPD: lanes of SRC where the immediate has a bit. SDM Vol. 2B, "PBLENDW—Blend Packed Words", Vol. 2A, "BLENDPS", "BLENDPD". */
export const BLEND = (how: Extract<ImmediateShuffle, `${'P' | ''}BLEND${string}`>): Combination => (o, a, b, i, half) => o.shuffleByX(how, a, b, control(i), half);

/** The lanes of b where those of the mask are negative, of a where they are not. */
export function blendByMask<V, B, X>(o: Ops<V, B, X>, lanes: Lanes, a: X, b: X, mask: X): X {
  const negative = o.vectorX(`${lanes}.gt_s`, o.constX(0n), mask);
  return o.vectorX('v128.or', o.vectorX('v128.and', b, negative), o.vectorX('v128.andnot', a, negative));
}
/** PBLENDVB, BLENDVPS, BLENDVPD: by the topmost bits of the lanes of XMM0, or with a VEX prefix of the last operand. SDM Vol. 2B, "PBLENDVB—Variable Blend Packed Bytes", Vol. 2A, "BLENDVPS", "BLENDVPD". */
export const BLENDV = (lanes: Lanes): Semantics => sse((o, i) => {
  const first = firstSource(i);
  const source = (n: number, half: Half): ReturnType<typeof o.constX> => readX(o, i, first + n, 'aligned', half);
  writeHalves(o, i, (half) => blendByMask(o, lanes, source(0, half), source(1, half), source(2, half)));
});

/**
 * INSERTPS: a doubleword of SRC, chosen by bits 7:6 of the immediate where that is a register, to lane 5:4; then zeros where bits 3:0 are set.
 * SDM Vol. 2A, "INSERTPS—Insert Scalar Single Precision Floating-Point Value".
 */
export const INSERTPS: Combination = (o, a, b, i) => {
  // A doubleword of memory is every lane of the source: whichever is chosen.
  const source = i.operands.some((x) => x.kind === 'memory') ? o.shuffleX(lanePattern(4, [0, 0, 0, 0]), b, b) : b;
  return o.shuffleByX('BLENDPS', o.shuffleByX('INSERTPS', a, source, control(i)), o.constX(0n), control(i));
};

const LANE_TYPES = { 16: 'i16x8', 32: 'i32x4', 64: 'i64x2' } as const;
/** Bytes of the source's lanes at the top or the bottom of wider ones, which fill the lower half of a YMM register or the upper; the others are those of a second operand, which is zero. */
function spread(from: number, to: number, at: 'top' | 'bottom', half: Half): readonly number[] {
  const first = at === 'top' ? to - from : 0, lanesBefore = half * 16 / to;
  return Array.from({ length: 16 }, (_, k) => (k % to >= first && k % to < first + from ? (lanesBefore + Math.floor(k / to)) * from + (k % to) - first : 16));
}
/** PMOVZXBW and its kin: the low lanes of SRC with zeros above each. SDM Vol. 2B, "PMOVZX—Packed Move With Zero Extend". */
export const PMOVZX = (from: 8 | 16 | 32, to: 16 | 32 | 64): Mapping => (o, source, _i, half) => o.shuffleX(spread(from / 8, to / 8, 'bottom', half), source, o.constX(0n));
/** PMOVSXBW and its kin: put at the top of the wider lanes and shifted down. SDM Vol. 2B, "PMOVSX—Packed Move With Sign Extend". */
export const PMOVSX = (from: 8 | 16 | 32, to: 16 | 32 | 64): Mapping => (o, source, _i, half) =>
  o.shiftX(`${LANE_TYPES[to]}.shr_s`, o.shuffleX(spread(from / 8, to / 8, 'top', half), source, o.constX(0n)), o.const(64, BigInt(to - from)));
