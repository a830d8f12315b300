/** Operations between neighbouring lanes, or that treat them by turns: sums, differences and products of pairs. */
import type { Instruction } from '../instruction.ts';
import type { ImmediateOperand } from '../operand.ts';
import type { Semantics } from '../row.ts';
import type { FloatOp, VectorOp } from '../vector-ops.ts';
import { lanePattern } from '../vector-shuffles.ts';
import { firstSource, halvesOf, joined, readX, vector, writeHalves, type Combination, type Half, type Mapping } from './vector-operands.ts';

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

/** The immediate, behind DEST and SRC. */
const control = (i: Instruction): ImmediateOperand => i.operands.at(-1) as ImmediateOperand;

/**
 * DPPS: products where bits 7:4 say so, summed in pairs and then together, to the lanes of bits 3:0, in each 128 bits. What the products raise comes before
 * what sums do, in all lanes at once (AMD). Which of several NaNs a lane gets the manual leaves open: on hardware (Intel) each lane is its neighbour plus itself,
 * then that plus the other pair's. SDM Vol. 2A, "DPPS—Dot Product of Packed Single Precision Floating-Point Values".
 */
export const DPPS: Semantics = vector((o, i) => {
  const first = firstSource(i), zero = o.constX(0n), halves = halvesOf(i);
  const chosen = (n: number, half: Half): typeof zero => o.shuffleByX('DPPS', readX(o, i, n, 'aligned', half), zero, control(i));
  const step = (f: (half: Half) => typeof zero): (typeof zero)[] => o.raisedTogether(() => halves.map(f));
  const products = step((half) => o.floatX('f32x4.mul', chosen(first, half), chosen(first + 1, half)));
  const pairs = step((half) => o.floatX('f32x4.add', o.shuffleX(lanePattern(4, [1, 0, 3, 2]), products[half]!, products[half]!), products[half]!));
  const totals = step((half) => o.floatX('f32x4.add', pairs[half]!, o.shuffleX(lanePattern(4, [2, 3, 0, 1]), pairs[half]!, pairs[half]!)));
  writeHalves(o, i, (half) => o.shuffleByX('BLENDPS', zero, totals[half]!, control(i)));
});
/** DPPD: of two lanes, by bits 5:4 and 1:0. SDM Vol. 2A, "DPPD—Dot Product of Packed Double Precision Floating-Point Values". */
export const DPPD: Combination = (o, a, b, i) => {
  const zero = o.constX(0n);
  const chosen = (x: typeof a): typeof a => o.shuffleByX('DPPD', x, zero, control(i));
  const products = o.floatX('f64x2.mul', chosen(a), chosen(b));
  const total = o.floatX('f64x2.add', o.shuffleX(EVEN[8], products, products), o.shuffleX(ODD[8], products, products));
  return o.shuffleByX('BLENDPD', zero, total, control(i));
};

/** MPSADBW: eight sums of absolute differences. SDM Vol. 2B, "MPSADBW—Compute Multiple Packed Sums of Absolute Difference". */
export const MPSADBW: Combination = (o, a, b, i, half) => o.sadBlocksX(a, b, control(i), half);

/** PHMINPOSUW: the least word and, above it, the number of its first place. SDM Vol. 2B, "PHMINPOSUW—Packed Horizontal Word Minimum". */
export const PHMINPOSUW: Mapping = (o, source) => {
  let least = o.laneX('i16x8', source, 0), place = o.const(32, 0n);
  for (let n = 1; n < 8; n++) {
    const word = o.laneX('i16x8', source, n);
    const less = o.ltU(16, word, least);
    least = o.select(16, less, word, least);
    place = o.select(32, less, o.const(32, BigInt(n << 16)), place);
  }
  return o.lowX(32, o.or(32, place, o.zext(16, 32, least)));
};
