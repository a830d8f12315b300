/** Moves to, from and between XMM and MMX registers. */
import { implicit, RDI, type MemoryOperand, type Operand, type RegisterOperand, type XmmOperand } from '../operand.ts';
import type { Semantics } from '../row.ts';
import { SEGMENT } from '../../../state/layout.ts';
import { LANE_BITS } from '../vector-ops.ts';
import { lanePattern } from '../vector-shuffles.ts';
import { read, widen, write } from './operands.ts';
import { firstSource, mapped, mmx, readX, shuffled, sse, usesMmx, vector, writeHalves, writeX, xmm } from './vector-operands.ts';

/** A move of all bits of a register. Of 256 bits an aligned one needs a multiple of 32 bytes, with a VEX prefix too. */
const move = (alignment: 'aligned' | 'any'): Semantics => sse((o, i) => {
  const [to, from] = i.operands as readonly [XmmOperand | MemoryOperand, XmmOperand | MemoryOperand];
  for (const x of [to, from]) {
    if (alignment === 'aligned' && x.kind === 'memory') o.requireAligned(x.width === 256 ? 32 : 16, x.segment, o.effectiveAddress(x));
  }
  if (to.kind === 'xmm') writeHalves(o, i, (half) => readX(o, i, 1, 'any', half));
  else if (to.width === 128) writeX(o, i, 0, readX(o, i, 1), 'any');
  else o.storeY(to.segment, o.effectiveAddress(to), readX(o, i, 1), readX(o, i, 1, 'any', 1));
});

/** MOVAPS, MOVAPD, MOVDQA: 128 bits, aligned in memory. SDM Vol. 2B, "MOVAPS—Move Aligned Packed Single Precision Floating-Point Values". */
export const MOVAPS = move('aligned');
/** MOVUPS, MOVUPD, MOVDQU: 128 bits of any alignment. SDM Vol. 2B, "MOVUPS—Move Unaligned Packed Single Precision Floating-Point Values". */
export const MOVUPS = move('any');

/** LDDQU: a load of any alignment. SDM Vol. 2A, "LDDQU—Load Unaligned Integer 128 Bits". */
export const LDDQU = MOVUPS;
/** MOVDDUP, MOVSLDUP, MOVSHDUP: lanes of SRC, of `size` bytes. SDM Vol. 2B, "MOVDDUP—Replicate Double Precision Floating-Point Values". */
export const DUPLICATE = (lanes: readonly number[], size: 4 | 8): Semantics => mapped((o, source) => o.shuffleX(lanePattern(size, lanes), source, source));

/** MOVSS, MOVSD, MOVQ, MOVD from memory or a general register: zeros above. SDM Vol. 2B, "MOVD/MOVQ—Move Doubleword/Move Quadword". */
export const MOVE_LOW = vector((o, i) => {
  const x = i.operands[1] as Operand;
  writeX(o, i, 0, x.kind === 'register' ? o.lowX(x.width as 32 | 64, o.getReg(x)) : readX(o, i, 1));
});
/** The lowest 32 or 64 bits to memory or a general register. */
export const STORE_LOW = (lane: 'i32x4' | 'i64x2'): Semantics => vector((o, i) => {
  write(o, i, 0, o.laneX(lane, readX(o, i, 1), 0));
  if (usesMmx(i)) o.enterMmx();
});
/** MOVQ between XMM registers: zeros above; between MMX registers; MOVQ2DQ and MOVDQ2Q. SDM Vol. 2B, "MOVQ—Move Quadword". */
export const MOVQ: Semantics = vector((o, i) => {
  const low = o.laneX('i64x2', readX(o, i, 1), 0);
  const dest = i.operands[0];
  if (dest?.kind === 'memory') write(o, i, 0, low);
  else if (dest?.kind === 'mmx') o.setMmx(dest, low);
  else writeX(o, i, 0, o.lowX(64, low));
  if (usesMmx(i) && dest?.kind !== 'mmx') o.enterMmx();
});
/** MOVSS and MOVSD between XMM registers: the bits above stay. SDM Vol. 2B, "MOVSD—Move or Merge Scalar Double Precision Floating-Point Value". */
export const MERGE_LOW = (lane: 'i32x4' | 'i64x2'): Semantics => sse((o, i) => {
  const at = firstSource(i);
  const value = o.laneX(lane, o.getXmm(xmm(i, at + 1)), 0);
  if (i.operands[0]?.kind === 'memory') write(o, i, 0, value);
  else writeX(o, i, 0, o.replaceLaneX(lane, o.getXmm(xmm(i, at)), 0, value));
});

/** MOVLPS, MOVLPD, MOVHPS, MOVHPD from memory: the other half stays. SDM Vol. 2B, "MOVLPS", "MOVHPS". */
export const LOAD_HALF = (half: 0 | 1): Semantics => sse((o, i) => {
  const at = firstSource(i);
  writeX(o, i, 0, o.replaceLaneX('i64x2', o.getXmm(xmm(i, at)), half, read(o, i, at + 1)));
});
/** MOVHPS and MOVHPD to memory. */
export const STORE_HIGH = sse((o, i) => { write(o, i, 0, o.laneX('i64x2', o.getXmm(xmm(i, 1)), 1)); });
/** MOVHLPS — the high half of SRC to the low half of DEST. SDM Vol. 2B, "MOVHLPS—Move Packed Single Precision Floating-Point Values High to Low". */
export const MOVHLPS = shuffled(lanePattern(8, [3, 1]));
/** MOVLHPS — the low half of SRC to the high half of DEST. SDM Vol. 2B, "MOVLHPS—Move Packed Single Precision Floating-Point Values Low to High". */
export const MOVLHPS = shuffled(lanePattern(8, [0, 2]));

/** MOVNTI — Store Doubleword Using Non-Temporal Hint: a store. SDM Vol. 2B, "MOVNTI". */
export const MOVNTI: Semantics = (o, i) => { write(o, i, 0, read(o, i, 1)); };
/** MASKMOVDQU — Store Selected Bytes of Double Quadword at DS:rDI. SDM Vol. 2B, "MASKMOVDQU". */
export const MASKMOVDQU = sse((o, i) => {
  const at = widen(o, i.addressWidth, 64, o.getReg(implicit(RDI, i.addressWidth)));
  o.storeMaskedX(i.segmentOverride ?? SEGMENT.DS, at, o.getXmm(xmm(i, 0)), o.getXmm(xmm(i, 1)));
});

/** MASKMOVQ — Store Selected Bytes of Quadword at DS:rDI. SDM Vol. 2B, "MASKMOVQ". */
export const MASKMOVQ = vector((o, i) => {
  const at = widen(o, i.addressWidth, 64, o.getReg(implicit(RDI, i.addressWidth)));
  o.storeMaskedMmx(i.segmentOverride ?? SEGMENT.DS, at, o.getMmx(mmx(i, 0)), o.getMmx(mmx(i, 1)));
  o.enterMmx();
});

/** MOVMSKPS, MOVMSKPD, PMOVMSKB: the signs of the lanes. SDM Vol. 2B, "MOVMSKPS", "MOVMSKPD", "PMOVMSKB". */
export const MOVE_MASK = (shape: 'i8x16' | 'i32x4' | 'i64x2'): Semantics => vector((o, i) => {
  const source = i.operands[1] as Operand;
  const low = o.bitmaskX(shape, readX(o, i, 1));
  const whole = source.kind === 'xmm' && source.width === 256
    ? o.or(32, low, o.shl(32, o.bitmaskX(shape, readX(o, i, 1, 'any', 1)), o.const(32, BigInt(128 / LANE_BITS[shape])))) : low;
  o.setReg(i.operands[0] as RegisterOperand, widen(o, 32, i.width, whole));
  if (usesMmx(i)) o.enterMmx();
});

/** LDMXCSR — Load MXCSR Register. SDM Vol. 2A, "LDMXCSR". */
export const LDMXCSR = sse((o, i) => { o.setMxcsr(read(o, i, 0, 32)); });
/** STMXCSR — Store MXCSR Register State. SDM Vol. 2B, "STMXCSR". */
export const STMXCSR = sse((o, i) => { write(o, i, 0, o.getMxcsr()); });
