/** Integer arithmetic, comparison and logic on XMM and MMX registers; shifts; shuffles. */
import type { ImmediateOperand, MemoryOperand, Operand, RegisterOperand } from '../operand.ts';
import type { Semantics } from '../row.ts';
import { LANE_BITS, type ImmediateShuffle, type Lanes, type VectorOp, type VectorShift } from '../vector-ops.ts';
import { interleavePattern, lanePattern } from '../vector-shuffles.ts';
import { narrow, widen } from './operands.ts';
import { combined, firstSource, halvesOf, lanewise, mapped, pairwise, readX, sse, usesMmx, vector, writeHalves, writeX } from './vector-operands.ts';

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
/** PMINUB, PMAXSD ... SDM Vol. 2B, "PMINUB/PMINUW", "PMAXUB/PMAXUW", "PMINSB/PMINSW", "PMAXSB/PMAXSW/PMAXSD/PMAXSQ", "PMINSD/PMINSQ", "PMINUD/PMINUQ". */
export const PMINMAX = (op: Extract<VectorOp, `${'i8x16' | 'i16x8' | 'i32x4'}.${'min' | 'max'}_${'s' | 'u'}`>): Semantics => lanewise(op);
/** PCMPEQB, PCMPEQW, PCMPEQD, PCMPEQQ. SDM Vol. 2B, "PCMPEQB/PCMPEQW/PCMPEQD—Compare Packed Data for Equal", "PCMPEQQ". */
export const PCMPEQ = (lanes: Lanes): Semantics => lanewise(`${lanes}.eq`);
/** PCMPGTB, PCMPGTW, PCMPGTD, PCMPGTQ. SDM Vol. 2B, "PCMPGTB/PCMPGTW/PCMPGTD—Compare Packed Signed Integers for Greater Than", "PCMPGTQ". */
export const PCMPGT = (lanes: Lanes): Semantics => lanewise(`${lanes}.gt_s`);

/** SDM Vol. 2B, "PMULLW", "PMULHW", "PMULHUW", "PMULUDQ", "PMULLD/PMULLQ", "PMULDQ". */
export const PMULLW = lanewise('i16x8.mul');
export const PMULHW = lanewise('i16x8.mul_high_s');
export const PMULHUW = lanewise('i16x8.mul_high_u');
export const PMULUDQ = lanewise('i64x2.mul_even_u');
export const PMULDQ = lanewise('i64x2.mul_even_s');
export const PMULLD = lanewise('i32x4.mul');
/** PMADDWD — Multiply and Add Packed Integers. SDM Vol. 2B, "PMADDWD". */
export const PMADDWD = lanewise('i32x4.dot_i16x8_s');
/** PSADBW — Compute Sum of Absolute Differences. SDM Vol. 2B, "PSADBW". */
export const PSADBW = lanewise('i64x2.sad_u');

/** SDM Vol. 2B, "PACKSSWB/PACKSSDW—Pack With Signed Saturation", "PACKUSWB—Pack With Unsigned Saturation", "PACKUSDW". */
export const PACKSSWB = pairwise('i8x16.narrow_i16x8_s');
export const PACKSSDW = pairwise('i16x8.narrow_i32x4_s');
export const PACKUSWB = pairwise('i8x16.narrow_i16x8_u');
export const PACKUSDW = pairwise('i16x8.narrow_i32x4_u');
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
/** PINSRB, PINSRW, PINSRD, PINSRQ. SDM Vol. 2B, "PINSRW", "PINSRB/PINSRD/PINSRQ—Insert Byte/Dword/Qword". */
export const PINSR = (lanes: Lanes): Semantics => vector((o, i) => {
  const bits = LANE_BITS[lanes];
  const at = firstSource(i);
  const x = i.operands[at + 1] as RegisterOperand | MemoryOperand;
  const value = x.kind === 'register' ? narrow(o, x.width, bits, o.getReg(x)) : o.load(bits, x.segment, o.effectiveAddress(x));
  writeX(o, i, 0, o.replaceLaneX(usesMmx(i) ? 'i16x4' : lanes, readX(o, i, at), i.operands[at + 2] as ImmediateOperand, value));
});
/** PEXTRB, PEXTRW, PEXTRD, PEXTRQ, EXTRACTPS. SDM Vol. 2B, "PEXTRB/PEXTRW/PEXTRD/PEXTRQ", "EXTRACTPS". */
export const PEXTR = (lanes: Lanes): Semantics => vector((o, i) => {
  const dest = i.operands[0] as RegisterOperand | MemoryOperand;
  const value = o.laneX(usesMmx(i) ? 'i16x4' : lanes, readX(o, i, 1), i.operands[2] as ImmediateOperand);
  if (usesMmx(i)) o.enterMmx();
  if (dest.kind === 'register') o.setReg(dest, widen(o, LANE_BITS[lanes], dest.width, value));
  else o.store(LANE_BITS[lanes], dest.segment, o.effectiveAddress(dest), value);
});

/** ZF where no bit of SRC is set in DEST, CF where none is clear, of those that the mask has. */
const test = (mask?: bigint): Semantics => sse((o, i) => {
  const within = halvesOf(i).map((half) => {
    const dest = readX(o, i, 0, 'aligned', half), src = readX(o, i, 1, 'aligned', half);
    return { dest, src: mask === undefined ? src : o.vectorX('v128.and', src, o.constX(mask)) };
  });
  const none = (parts: readonly ReturnType<typeof o.constX>[]): ReturnType<typeof o.constBit> => {
    const all = parts.reduce((x, y) => o.vectorX('v128.or', x, y));
    return o.isZero(64, o.or(64, o.laneX('i64x2', all, 0), o.laneX('i64x2', all, 1)));
  };
  const outside = none(within.map(({ dest, src }) => o.vectorX('v128.andnot', src, dest)));
  o.setFlag('ZF', none(within.map(({ dest, src }) => o.vectorX('v128.and', src, dest))));
  o.setFlag('CF', outside);
  for (const flag of ['PF', 'AF', 'SF', 'OF'] as const) o.setFlag(flag, o.constBit(0));
});
/** PTEST. SDM Vol. 2B, "PTEST—Logical Compare". */
export const PTEST = test();
/** VTESTPS, VTESTPD: of the signs of the lanes. SDM Vol. 2C, "VTESTPD/VTESTPS—Packed Bit Test". */
export const TEST_SIGNS = (lanes: 'i32x4' | 'i64x2'): Semantics => test(lanes === 'i32x4' ? 0x8000_0000_8000_0000_8000_0000_8000_0000n : 0x8000_0000_0000_0000_8000_0000_0000_0000n);
