/** AVX and AVX2 across the halves of YMM registers, and lane by lane under control of another vector: broadcasts, permutations, variable shifts. */
import type { Instruction } from '../instruction.ts';
import type { ImmediateOperand } from '../operand.ts';
import type { Ops } from '../ops.ts';
import type { Semantics } from '../row.ts';
import { LANE_BITS } from '../vector-ops.ts';
import { combined, mapped, readX, sse, writeHalves, writeX, type Half } from './vector-operands.ts';

const control = <V, B, X>(o: Ops<V, B, X>, i: Instruction): V => o.imm(8, i.operands.at(-1) as ImmediateOperand);
const halves = <V, B, X>(o: Ops<V, B, X>, i: Instruction, n: number): readonly [X, X] => [readX(o, i, n, 'any', 0), readX(o, i, n, 'any', 1)];

/** The one of 2, 4 or 8 values whose number is in the low bits of `index`, whose width is w. */
function chosen<V, B, X>(o: Ops<V, B, X>, w: 32 | 64, values: readonly V[], index: V, indexWidth: 8 | 32 | 64, firstBit = 0): V {
  if (values.length === 1) return values[0]!;
  const even = values.filter((_, n) => n % 2 === 0), odd = values.filter((_, n) => n % 2 === 1);
  return o.select(w, o.bit(indexWidth, index, firstBit), chosen(o, w, odd, index, indexWidth, firstBit + 1), chosen(o, w, even, index, indexWidth, firstBit + 1));
}
const lanesOf = <V, B, X>(o: Ops<V, B, X>, shape: 'i32x4' | 'i64x2', parts: readonly X[]): V[] =>
  parts.flatMap((x) => Array.from({ length: 128 / LANE_BITS[shape] }, (_, n) => o.laneX(shape, x, n)));
function vectorOf<V, B, X>(o: Ops<V, B, X>, shape: 'i32x4' | 'i64x2', lanes: readonly V[]): X {
  return lanes.reduce((v, lane, n) => o.replaceLaneX(shape, v, n, lane), o.constX(0n));
}

/** VBROADCASTSS, VBROADCASTSD, VPBROADCASTB and its kin: the lowest lane of SRC, of `size` bytes, in every lane. SDM Vol. 2C, "VBROADCAST—Load with Broadcast Floating-Point Data". */
export const BROADCAST = (size: 1 | 2 | 4 | 8): Semantics => sse((o, i) => {
  const source = readX(o, i, 1);
  const every = o.shuffleX(Array.from({ length: 16 }, (_, k) => k % size), source, source);
  writeHalves(o, i, () => every);
});
/** VBROADCASTF128, VBROADCASTI128: 128 bits in both halves. */
export const BROADCAST_128 = sse((o, i) => {
  const source = readX(o, i, 1);
  writeHalves(o, i, () => source);
});

/** VINSERTF128, VINSERTI128: the half that bit 0 of the immediate says is SRC2's. SDM Vol. 2C, "VINSERTF128". */
export const INSERT_128 = sse((o, i) => {
  const upper = o.bit(8, control(o, i), 0), inserted = readX(o, i, 2), [low, high] = halves(o, i, 1);
  writeHalves(o, i, (half) => (half === 0 ? o.selectX(upper, low, inserted) : o.selectX(upper, inserted, high)));
});
/** VEXTRACTF128, VEXTRACTI128: the half that bit 0 of the immediate says. SDM Vol. 2C, "VEXTRACTF128". */
export const EXTRACT_128 = sse((o, i) => {
  const [low, high] = halves(o, i, 1);
  writeX(o, i, 0, o.selectX(o.bit(8, control(o, i), 0), high, low), 'any');
});
/** VPERM2F128, VPERM2I128: for each half one of the four of both sources, or zero. SDM Vol. 2C, "VPERM2F128—Permute Floating-Point Values". */
export const PERMUTE_128 = sse((o, i) => {
  const imm8 = control(o, i), [a, b] = halves(o, i, 1), [c, d] = halves(o, i, 2);
  writeHalves(o, i, (half) => {
    const bit = (n: number): ReturnType<typeof o.bit> => o.bit(8, imm8, 4 * half + n);
    const one = o.selectX(bit(1), o.selectX(bit(0), d, c), o.selectX(bit(0), b, a));
    return o.selectX(bit(3), o.constX(0n), one);
  });
});

/** VPERMQ, VPERMPD: quadwords of all of SRC by fields of the immediate. SDM Vol. 2C, "VPERMQ—Qwords Element Permutation". */
export const PERMUTE_BY_IMMEDIATE = sse((o, i) => {
  const imm8 = control(o, i), all = lanesOf(o, 'i64x2', halves(o, i, 1));
  writeHalves(o, i, (half) => vectorOf(o, 'i64x2', [0, 1].map((n) => chosen(o, 64, all, imm8, 8, 4 * half + 2 * n))));
});
/** VPERMD, VPERMPS: doublewords of all of SRC2 by their numbers in SRC1. SDM Vol. 2C, "VPERMD/VPERMW—Permute Packed Doubleword/Word Elements". */
export const PERMUTE_BY_VECTOR = sse((o, i) => {
  const numbers = lanesOf(o, 'i32x4', halves(o, i, 1)), all = lanesOf(o, 'i32x4', halves(o, i, 2));
  writeHalves(o, i, (half) => vectorOf(o, 'i32x4', [0, 1, 2, 3].map((n) => chosen(o, 32, all, numbers[4 * half + n]!, 32))));
});

/** VPERMILPD with an immediate: one bit for each quadword. SDM Vol. 2C, "VPERMILPD—Permute In-Lane of Pairs of Double Precision Floating-Point Values". */
export const PERMILPD = mapped((o, source, i, half) => o.shuffleByX('SHUFPD', source, source, i.operands[2] as ImmediateOperand, half));
/** VPERMILPS and VPERMILPD by a vector: in each 128 bits, by bits 1:0 of doublewords or bit 1 of quadwords. */
export const PERMIL_BY_VECTOR = (shape: 'i32x4' | 'i64x2'): Semantics => combined((o, a, b) => {
  const w = LANE_BITS[shape], all = lanesOf(o, shape, [a]);
  return vectorOf(o, shape, lanesOf(o, shape, [b]).map((number) => chosen(o, w, all, number, w, shape === 'i64x2' ? 1 : 0)));
});

/** VPBLENDD: doublewords of SRC2 where the immediate has a bit. SDM Vol. 2C, "VPBLENDD—Blend Packed Dwords". */
export const BLENDD = sse((o, i) => {
  const imm8 = control(o, i);
  writeHalves(o, i, (half: Half) => {
    const a = lanesOf(o, 'i32x4', [readX(o, i, 1, 'any', half)]), b = lanesOf(o, 'i32x4', [readX(o, i, 2, 'any', half)]);
    return vectorOf(o, 'i32x4', a.map((lane, n) => o.select(32, o.bit(8, imm8, 4 * half + n), b[n]!, lane)));
  });
});

/** VPSLLVD, VPSRLVQ, VPSRAVD ...: every lane by its own count; one of the lane's width or more leaves zeros, or of VPSRAVD copies of the sign. SDM Vol. 2C, "VPSLLVW/VPSLLVD/VPSLLVQ". */
export const SHIFT_BY_VECTOR = (shape: 'i32x4' | 'i64x2', verb: 'shl' | 'shrU' | 'shrS'): Semantics => combined((o, a, b) => {
  const w = LANE_BITS[shape], most = o.const(w, BigInt(w - 1));
  const counts = lanesOf(o, shape, [b]);
  return vectorOf(o, shape, lanesOf(o, shape, [a]).map((lane, n) => {
    const count = counts[n]!, fits = o.ltU(w, count, o.const(w, BigInt(w)));
    if (verb === 'shrS') return o.shrS(w, lane, o.select(w, fits, count, most));
    return o.select(w, fits, o[verb](w, lane, o.and(w, count, most)), o.const(w, 0n));
  }));
});
