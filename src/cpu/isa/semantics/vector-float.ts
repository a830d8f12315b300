/** Floating point in XMM registers: arithmetic, comparison, conversion. Rounding and exceptions are the verbs'. */
import type { ImmediateOperand, Operand, RegisterOperand } from '../operand.ts';
import type { Semantics } from '../row.ts';
import type { Float, FloatOp, FloatShape } from '../vector-ops.ts';
import { readX, sse, xmm } from './vector-operands.ts';

/** ADDPS and all that compute a vector from DEST and SRC, or from SRC alone. SDM Vol. 2A, "ADDPS—Add Packed Single Precision Floating-Point Values". */
export const FLOAT = (op: FloatOp): Semantics => sse((o, i) => {
  o.setXmm(xmm(i, 0), o.floatX(op, o.getXmm(xmm(i, 0)), readX(o, i, 1)));
});

/** CMPPS, CMPPD, CMPSS, CMPSD. SDM Vol. 2A, "CMPPS—Compare Packed Single Precision Floating-Point Values". */
export const FLOAT_COMPARE = (shape: FloatShape): Semantics => sse((o, i) => {
  o.setXmm(xmm(i, 0), o.compareFloatX(shape, o.getXmm(xmm(i, 0)), readX(o, i, 1), i.operands[2] as ImmediateOperand));
});

/** COMISS and COMISD, for which a quiet NaN signals, UCOMISS and UCOMISD. SDM Vol. 2A, "COMISD", Vol. 2D, "UCOMISD". */
export const FLOAT_ORDER = (lane: Float, quietNaN: 'quiet' | 'signals'): Semantics => sse((o, i) => {
  const order = o.orderFloatX(lane, o.getXmm(xmm(i, 0)), readX(o, i, 1), quietNaN);
  o.setFlag('ZF', o.bit(8, order, 6));
  o.setFlag('PF', o.bit(8, order, 2));
  o.setFlag('CF', o.bit(8, order, 0));
  for (const flag of ['OF', 'SF', 'AF'] as const) o.setFlag(flag, o.constBit(0));
});

/** CVTSS2SI, CVTSD2SI, CVTTSS2SI, CVTTSD2SI. SDM Vol. 2A, "CVTSD2SI—Convert Scalar Double Precision Floating-Point Value to Signed Integer". */
export const INTEGER_FROM_FLOAT = (lane: Float, how: 'round' | 'trunc'): Semantics => sse((o, i) => {
  const dest = i.operands[0] as RegisterOperand;
  o.setReg(dest, o.integerFromFloatX(dest.width as 32 | 64, lane, readX(o, i, 1), how));
});

/** CVTSI2SS, CVTSI2SD. SDM Vol. 2A, "CVTSI2SD—Convert Signed Integer to Scalar Double Precision Floating-Point Value". */
export const FLOAT_FROM_INTEGER = (lane: Float): Semantics => sse((o, i) => {
  const x = i.operands[1] as Operand;
  if (x.kind !== 'register' && x.kind !== 'memory') throw new Error(`${i.row.text}: operand 1 is no integer`);
  const w = x.width as 32 | 64;
  const value = x.kind === 'register' ? o.getReg(x) : o.load(w, x.segment, o.effectiveAddress(x));
  o.setXmm(xmm(i, 0), o.floatFromIntegerX(lane, o.getXmm(xmm(i, 0)), w, value));
});
