/** Floating point in XMM registers: arithmetic, comparison, conversion. Rounding and exceptions are the verbs'. */
import type { ImmediateOperand, Operand, RegisterOperand } from '../operand.ts';
import type { Semantics } from '../row.ts';
import type { Float, FloatOp, FloatShape } from '../vector-ops.ts';
import { lanePattern } from '../vector-shuffles.ts';
import { combined, firstSource, mapped, readX, sse, usesMmx, vector, writeHalves, writeX, xmm, type Combination, type Mapping } from './vector-operands.ts';

/** ADDPS and all that compute a vector from two. SDM Vol. 2A, "ADDPS—Add Packed Single Precision Floating-Point Values". */
export const FLOAT = (op: FloatOp): Semantics => combined((o, a, b) => o.floatX(op, a, b));
/** SQRTPS and all that compute every lane from one vector. SDM Vol. 2B, "SQRTPS—Square Root of Packed Single Precision Floating-Point Values". */
export const FLOAT_OF = (op: FloatOp): Semantics => mapped((o, source) => o.floatX(op, source, source));

/** CMPPS, CMPPD, CMPSS, CMPSD; with a VEX prefix there are 32 predicates. SDM Vol. 2A, "CMPPS—Compare Packed Single Precision Floating-Point Values". */
export const FLOAT_COMPARE = (shape: FloatShape): Semantics => combined((o, a, b, i) =>
  o.compareFloatX(shape, a, b, i.operands[2] as ImmediateOperand, i.row.encoding.vex === undefined ? 8 : 32));

/** VCVTPS2PD and VCVTDQ2PD to a YMM register: each half from two lanes of 128 bits. */
export const FLOAT_WIDENED = (op: 'f64x2.promote_low_f32x4' | 'f64x2.convert_low_i32x4_s'): Semantics => sse((o, i) => {
  const source = readX(o, i, 1);
  writeHalves(o, i, (half) => {
    const pair = half === 0 ? source : o.shuffleX(lanePattern(8, [1, 1]), source, source);
    return o.floatX(op, pair, pair);
  });
});
/** VCVTPD2PS, VCVTPD2DQ and VCVTTPD2DQ of a YMM register: each half to two lanes of 128 bits. */
export const FLOAT_NARROWED = (op: 'f32x4.demote_f64x2_zero' | `i32x4.${'round' | 'trunc'}_f64x2_s_zero`): Semantics => sse((o, i) => {
  const sources = ([0, 1] as const).map((half) => readX(o, i, 1, 'aligned', half));
  const narrowed = o.raisedTogether(() => sources.map((source) => o.floatX(op, source, source)));
  writeX(o, i, 0, o.shuffleX(lanePattern(8, [0, 2]), narrowed[0]!, narrowed[1]!));
});

/** ROUNDPS, ROUNDPD. SDM Vol. 2B, "ROUNDPS—Round Packed Single Precision Floating-Point Values". */
export const ROUND_ALL = (shape: 'f32x4' | 'f64x2'): Mapping => (o, source, i) => o.roundFloatX(shape, source, source, i.operands.at(-1) as ImmediateOperand);
/** ROUNDSS, ROUNDSD. SDM Vol. 2B, "ROUNDSS—Round Scalar Single Precision Floating-Point Values". */
export const ROUND = (shape: Float): Combination => (o, a, b, i) => o.roundFloatX(shape, a, b, i.operands.at(-1) as ImmediateOperand);

/** VCVTPH2PS: each half of DEST from four half-precision numbers. SDM Vol. 2C, "VCVTPH2PS—Convert Packed FP16 Values to Single Precision Floating-Point Values". */
export const FLOAT_FROM_HALVES = sse((o, i) => {
  const source = readX(o, i, 1);
  writeHalves(o, i, (half) => {
    const four = half === 0 ? source : o.shuffleX(lanePattern(8, [1, 1]), source, source);
    return o.floatX('f32x4.promote_low_f16x4', four, four);
  });
});
/**
 * VCVTPS2PH: as many half-precision numbers as SRC has lanes; what is left of an XMM register is cleared. SDM Vol. 2C, "VCVTPS2PH—Convert Single-Precision
 * FP Value to 16-bit FP Value". A store that faults finds the flags of MXCSR set, as on the Intel processor that was recorded, and #XM comes before it; AMD's
 * store first. Restarted, both end alike, which is what SDM Vol. 3A, "Program or Task Restart", asks for.
 */
export const HALVES_FROM_FLOAT = sse((o, i) => {
  const control = i.operands[2] as ImmediateOperand, wide = xmm(i, 1).width === 256, dest = i.operands[0] as Operand;
  const [low, high] = o.raisedTogether(() => [o.halvesFromFloatX(readX(o, i, 1), control), wide ? o.halvesFromFloatX(readX(o, i, 1, 'any', 1), control) : o.constX(0n)] as const);
  if (dest.kind === 'memory' && !wide) o.store(64, dest.segment, o.effectiveAddress(dest), o.laneX('i64x2', low, 0));
  else writeX(o, i, 0, o.shuffleX(lanePattern(8, [0, 2]), low, high), 'any');
});

/** COMISS and COMISD, for which a quiet NaN signals, UCOMISS and UCOMISD. SDM Vol. 2A, "COMISD", Vol. 2D, "UCOMISD". */
export const FLOAT_ORDER = (lane: Float, quietNaN: 'quiet' | 'signals'): Semantics => sse((o, i) => {
  const order = o.orderFloatX(lane, o.getXmm(xmm(i, 0)), readX(o, i, 1), quietNaN);
  o.setFlag('ZF', o.bit(8, order, 6));
  o.setFlag('PF', o.bit(8, order, 2));
  o.setFlag('CF', o.bit(8, order, 0));
  for (const flag of ['OF', 'SF', 'AF'] as const) o.setFlag(flag, o.constBit(0));
});

/** CVTPI2PS, CVTPI2PD: two integers; of the former the upper half of DEST stays. SDM Vol. 2A, "CVTPI2PS—Convert Packed Dword Integers to Packed Single Precision Floating-Point Values". */
export const FLOAT_FROM_MMX = (op: 'f32x4.convert_i32x4_s' | 'f64x2.convert_low_i32x4_s'): Semantics => vector((o, i) => {
  const dest = o.getXmm(xmm(i, 0));
  const converted = o.floatX(op, dest, readX(o, i, 1));
  o.setXmm(xmm(i, 0), op === 'f64x2.convert_low_i32x4_s' ? converted : o.replaceLaneX('i64x2', dest, 0, o.laneX('i64x2', converted, 0)));
  if (usesMmx(i)) o.enterMmx();
});
/** CVTPS2PI, CVTPD2PI, CVTTPS2PI, CVTTPD2PI: two integers. SDM Vol. 2A, "CVTPS2PI—Convert Packed Single Precision Floating-Point Values to Packed Dword Integers". */
export const MMX_FROM_FLOAT = (op: `i32x4.${'round' | 'trunc'}_${'f32x4_s' | 'f64x2_s_zero'}`): Semantics => sse((o, i) => {
  o.requireMmx();
  const src = readX(o, i, 1);
  // Of two single-precision numbers; those above are no part of the operand and raise nothing.
  const two = op.includes('f64x2') ? src : o.lowX(64, o.laneX('i64x2', src, 0));
  writeX(o, i, 0, o.floatX(op, two, two));
});

/** CVTSS2SI, CVTSD2SI, CVTTSS2SI, CVTTSD2SI. SDM Vol. 2A, "CVTSD2SI—Convert Scalar Double Precision Floating-Point Value to Signed Integer". */
export const INTEGER_FROM_FLOAT = (lane: Float, how: 'round' | 'trunc'): Semantics => sse((o, i) => {
  const dest = i.operands[0] as RegisterOperand;
  o.setReg(dest, o.integerFromFloatX(dest.width as 32 | 64, lane, readX(o, i, 1), how));
});

/** CVTSI2SS, CVTSI2SD. SDM Vol. 2A, "CVTSI2SD—Convert Signed Integer to Scalar Double Precision Floating-Point Value". */
export const FLOAT_FROM_INTEGER = (lane: Float): Semantics => sse((o, i) => {
  const at = firstSource(i);
  const x = i.operands[at + 1] as Operand;
  if (x.kind !== 'register' && x.kind !== 'memory') throw new Error(`${i.row.text}: operand ${at + 1} is no integer`);
  const w = x.width as 32 | 64;
  const value = x.kind === 'register' ? o.getReg(x) : o.load(w, x.segment, o.effectiveAddress(x));
  writeX(o, i, 0, o.floatFromIntegerX(lane, o.getXmm(xmm(i, at)), w, value));
});
