/** Integer arithmetic, comparison and logic on XMM and MMX registers; shifts; shuffles. */
import type { ImmediateOperand, MemoryOperand, Operand, RegisterOperand } from '../operand.ts';
import type { Semantics } from '../row.ts';
import type { ImmediateShuffle, Lanes, VectorShift } from '../vector-ops.ts';
import { interleavePattern, lanePattern } from '../vector-shuffles.ts';
import { narrow, widen } from './operands.ts';
import { combined, firstSource, lanewise, mapped, pairwise, readX, sse, usesMmx, vector, writeHalves, writeX } from './vector-operands.ts';

/** PAND, ANDPS, ANDPD. SDM Vol. 2B, "PAND—Logical AND". */
export const PAND = lanewise('v128.and');
/** POR, ORPS, ORPD. SDM Vol. 2B, "POR—Bitwise Logical OR". */
export const POR = lanewise('v128.or');
/** PXOR, XORPS, XORPD. SDM Vol. 2B, "PXOR—Logical Exclusive OR". */
export const PXOR = lanewise('v128.xor');
/** PANDN, ANDNPS, ANDNPD: SRC and not DEST. SDM Vol. 2B, "PANDN—Logical AND NOT". */
export const PANDN = combined((o, a, b) => o.vectorX('v128.andnot', b, a));

/** PADDB, PADDW, PADDD, PADDQ. SDM Vol. 2B, "PADDB/PADDW/PADDD/PADDQ—Add Packed Integers". */
export const PADD = (lanes: Lanes): Semantics => lanewise(`${lanes}.add`);
/** PSUBB, PSUBW, PSUBD, PSUBQ. SDM Vol. 2B, "PSUBB/PSUBW/PSUBD—Subtract Packed Integers", "PSUBQ". */
export const PSUB = (lanes: Lanes): Semantics => lanewise(`${lanes}.sub`);
/** PADDSB, PADDSW. SDM Vol. 2B, "PADDSB/PADDSW—Add Packed Signed Integers with Signed Saturation". */
export const PADDS = (lanes: 'i8x16' | 'i16x8'): Semantics => lanewise(`${lanes}.add_sat_s`);
/** PADDUSB, PADDUSW. SDM Vol. 2B, "PADDUSB/PADDUSW—Add Packed Unsigned Integers With Unsigned Saturation". */
export const PADDUS = (lanes: 'i8x16' | 'i16x8'): Semantics => lanewise(`${lanes}.add_sat_u`);
/** PSUBSB, PSUBSW. SDM Vol. 2B, "PSUBSB/PSUBSW—Subtract Packed Signed Integers With Signed Saturation". */
export const PSUBS = (lanes: 'i8x16' | 'i16x8'): Semantics => lanewise(`${lanes}.sub_sat_s`);
/** PSUBUSB, PSUBUSW. SDM Vol. 2B, "PSUBUSB/PSUBUSW—Subtract Packed Unsigned Integers With Unsigned Saturation". */
export const PSUBUS = (lanes: 'i8x16' | 'i16x8'): Semantics => lanewise(`${lanes}.sub_sat_u`);
/** PAVGB, PAVGW: rounded upwards. SDM Vol. 2B, "PAVGB/PAVGW—Average Packed Integers". */
export const PAVG = (lanes: 'i8x16' | 'i16x8'): Semantics => lanewise(`${lanes}.avgr_u`);
/** SDM Vol. 2B, "PMINUB/PMINUW", "PMAXUB/PMAXUW", "PMINSB/PMINSW", "PMAXSB/PMAXSW/PMAXSD/PMAXSQ". */
export const PMINUB = lanewise('i8x16.min_u');
export const PMAXUB = lanewise('i8x16.max_u');
export const PMINSW = lanewise('i16x8.min_s');
export const PMAXSW = lanewise('i16x8.max_s');
/** PCMPEQB, PCMPEQW, PCMPEQD. SDM Vol. 2B, "PCMPEQB/PCMPEQW/PCMPEQD—Compare Packed Data for Equal". */
export const PCMPEQ = (lanes: 'i8x16' | 'i16x8' | 'i32x4'): Semantics => lanewise(`${lanes}.eq`);
/** PCMPGTB, PCMPGTW, PCMPGTD. SDM Vol. 2B, "PCMPGTB/PCMPGTW/PCMPGTD—Compare Packed Signed Integers for Greater Than". */
export const PCMPGT = (lanes: 'i8x16' | 'i16x8' | 'i32x4'): Semantics => lanewise(`${lanes}.gt_s`);

/** SDM Vol. 2B, "PMULLW", "PMULHW", "PMULHUW", "PMULUDQ". */
export const PMULLW = lanewise('i16x8.mul');
export const PMULHW = lanewise('i16x8.mul_high_s');
export const PMULHUW = lanewise('i16x8.mul_high_u');
export const PMULUDQ = lanewise('i64x2.mul_even_u');
/** PMADDWD — Multiply and Add Packed Integers. SDM Vol. 2B, "PMADDWD". */
export const PMADDWD = lanewise('i32x4.dot_i16x8_s');
/** PSADBW — Compute Sum of Absolute Differences. SDM Vol. 2B, "PSADBW". */
export const PSADBW = lanewise('i64x2.sad_u');

/** SDM Vol. 2B, "PACKSSWB/PACKSSDW—Pack With Signed Saturation", "PACKUSWB—Pack With Unsigned Saturation". */
export const PACKSSWB = pairwise('i8x16.narrow_i16x8_s');
export const PACKSSDW = pairwise('i16x8.narrow_i32x4_s');
export const PACKUSWB = pairwise('i8x16.narrow_i16x8_u');
/** PUNPCKLBW and its kin, UNPCKLPS, UNPCKLPD: the low halves in turn. SDM Vol. 2B, "PUNPCKLBW/PUNPCKLWD/PUNPCKLDQ/PUNPCKLQDQ". */
export const PUNPCKL = (size: 1 | 2 | 4 | 8): Semantics => combined((o, a, b) => o.shuffleX(interleavePattern(size, 'low'), a, b));
/** PUNPCKHBW and its kin, UNPCKHPS, UNPCKHPD: the high halves in turn. SDM Vol. 2B, "PUNPCKHBW/PUNPCKHWD/PUNPCKHDQ/PUNPCKHQDQ". */
export const PUNPCKH = (size: 1 | 2 | 4 | 8): Semantics => combined((o, a, b, i) => {
  // Of MMX registers, whose interleaved halves fill one vector, the upper half is the result.
  const mixed = o.shuffleX(interleavePattern(size, usesMmx(i) ? 'low' : 'high'), a, b);
  return usesMmx(i) ? o.shuffleX(lanePattern(8, [1, 1]), mixed, mixed) : mixed;
});

/** PSLLW, PSRLD, PSRAW ...: the count is an immediate, or the low 64 bits of SRC. SDM Vol. 2B, "PSLLW/PSLLD/PSLLQ", "PSRLW/PSRLD/PSRLQ", "PSRAW/PSRAD/PSRAQ". */
export const PSHIFT = (shift: VectorShift): Semantics => vector((o, i) => {
  const at = firstSource(i);
  const x = i.operands[at + 1] as Operand;
  const count = x.kind === 'immediate' ? o.imm(64, x) : o.laneX('i64x2', readX(o, i, at + 1), 0);
  writeHalves(o, i, (half) => o.shiftX(shift, readX(o, i, at, 'aligned', half), count));
});
/** PSLLDQ and PSRLDQ: by bytes. SDM Vol. 2B, "PSLLDQ", "PSRLDQ". */
export const PSHIFT_BYTES = (how: 'PSLLDQ' | 'PSRLDQ'): Semantics => sse((o, i) => {
  const at = firstSource(i);
  writeHalves(o, i, (half) => o.shuffleByX(how, readX(o, i, at, 'aligned', half), o.constX(0n), i.operands[at + 1] as ImmediateOperand));
});

/** PSHUFD, PSHUFLW, PSHUFHW, PSHUFW: lanes of SRC. SDM Vol. 2B, "PSHUFD—Shuffle Packed Doublewords", "PSHUFW—Shuffle Packed Words". */
export const PSHUF = (how: ImmediateShuffle): Semantics => mapped((o, source, i) => o.shuffleByX(how, source, source, i.operands[2] as ImmediateOperand));
/** SHUFPS, SHUFPD: lanes of DEST, then of SRC. SDM Vol. 2B, "SHUFPS—Packed Interleave Shuffle of Quadruplets of Single Precision Floating-Point Values". */
export const SHUF = (how: ImmediateShuffle): Semantics => combined((o, a, b, i, half) => o.shuffleByX(how, a, b, i.operands[2] as ImmediateOperand, half));
/** PINSRW — Insert Word. SDM Vol. 2B, "PINSRW". */
export const PINSRW = vector((o, i) => {
  const at = firstSource(i);
  const x = i.operands[at + 1] as RegisterOperand | MemoryOperand;
  const word = x.kind === 'register' ? narrow(o, x.width, 16, o.getReg(x)) : o.load(16, x.segment, o.effectiveAddress(x));
  writeX(o, i, 0, o.replaceLaneX(usesMmx(i) ? 'i16x4' : 'i16x8', readX(o, i, at), i.operands[at + 2] as ImmediateOperand, word));
});
/** PEXTRW — Extract Word. SDM Vol. 2B, "PEXTRB/PEXTRW/PEXTRD/PEXTRQ". */
export const PEXTRW = vector((o, i) => {
  const word = o.laneX(usesMmx(i) ? 'i16x4' : 'i16x8', readX(o, i, 1), i.operands[2] as ImmediateOperand);
  if (usesMmx(i)) o.enterMmx();
  o.setReg(i.operands[0] as RegisterOperand, widen(o, 16, i.width, word));
});
