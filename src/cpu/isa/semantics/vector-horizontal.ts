/** Operations between neighbouring lanes, or that treat them by turns: sums, differences and products of pairs. */
import type { FloatOp, VectorOp } from '../vector-ops.ts';
import { lanePattern } from '../vector-shuffles.ts';
import { joined, type Combination } from './vector-operands.ts';

/** The even and the odd lanes of two vectors, by the size of a lane in bytes. */
const EVEN = { 2: lanePattern(2, [0, 2, 4, 6, 8, 10, 12, 14]), 4: lanePattern(4, [0, 2, 4, 6]), 8: lanePattern(8, [0, 2]) } as const;
const ODD = { 2: lanePattern(2, [1, 3, 5, 7, 9, 11, 13, 15]), 4: lanePattern(4, [1, 3, 5, 7]), 8: lanePattern(8, [1, 3]) } as const;

/** ADDSUBPS, ADDSUBPD: the odd lanes added, the even ones subtracted. SDM Vol. 2A, "ADDSUBPS—Packed Single Precision Floating-Point Add/Subtract". */
export const ADDSUB = (shape: 'f32x4' | 'f64x2'): Combination => (o, a, b) => o.floatX(`${shape}.sub_add`, a, b);

/** HADDPS, HADDPD, HSUBPS, HSUBPD: each even lane with its odd neighbour. SDM Vol. 2A, "HADDPS—Packed Single Precision Floating-Point Horizontal Add", "HSUBPS". */
export const HORIZONTAL_FLOAT = (op: Extract<FloatOp, `${'f32x4' | 'f64x2'}.${'add' | 'sub'}`>): Combination => {
  const size = op.startsWith('f32') ? 4 : 8;
  return (o, a, b) => o.floatX(op, o.shuffleX(EVEN[size], a, b), o.shuffleX(ODD[size], a, b));
};

/** PHADDW, PHADDD, PHADDSW, PHSUBW, PHSUBD, PHSUBSW: each even lane with its odd neighbour. SDM Vol. 2B, "PHADDW/PHADDD—Packed Horizontal Add", "PHSUBW/PHSUBD". */
export const HORIZONTAL = (op: Extract<VectorOp, `${'i16x8' | 'i32x4'}.${'add' | 'sub'}${'' | '_sat_s'}`>): Combination => {
  const size = op.startsWith('i16') ? 2 : 4;
  return (o, a, b, i) => joined(o, a, b, i, (x, y) => o.vectorX(op, o.shuffleX(EVEN[size], x, y), o.shuffleX(ODD[size], x, y)));
};

/** PMADDUBSW: unsigned bytes of DEST by signed bytes of SRC, sums of two products saturated. SDM Vol. 2B, "PMADDUBSW—Multiply and Add Packed Signed and Unsigned Bytes". */
export const PMADDUBSW: Combination = (o, a, b) => {
  const eight = o.const(64, 8n);
  const even = o.vectorX('i16x8.mul', o.shiftX('i16x8.shr_u', o.shiftX('i16x8.shl', a, eight), eight), o.shiftX('i16x8.shr_s', o.shiftX('i16x8.shl', b, eight), eight));
  const odd = o.vectorX('i16x8.mul', o.shiftX('i16x8.shr_u', a, eight), o.shiftX('i16x8.shr_s', b, eight));
  return o.vectorX('i16x8.add_sat_s', even, odd);
};
