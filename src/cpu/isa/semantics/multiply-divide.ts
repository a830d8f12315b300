/** Multiplication and division. The double-width operand lies in rDX:rAX, or in AX for 8 bits. */
import type { Instruction } from '../instruction.ts';
import { implicit, RAX, RDX, type RegisterOperand } from '../operand.ts';
import type { Ops } from '../ops.ts';
import type { Semantics } from '../row.ts';
import { read } from './operands.ts';

/** Where the upper half of a product or dividend lies: AH for 8 bits, else rDX. */
const upperHalf = (i: Instruction): RegisterOperand => (i.width === 8 ? implicit(RAX, 8, true) : implicit(RDX, i.width));
const lowerHalf = (i: Instruction): RegisterOperand => implicit(RAX, i.width);

/**
 * CF and OF say that the product needs its upper half.
 * Manual: SF ZF AF PF are undefined; hardware (Intel): SF and PF from the lower half, ZF and AF cleared.
 */
function productFlags<V, B>(o: Ops<V, B>, i: Instruction, low: V, overflow: B): void {
  o.otherFlags(i.width, low, overflow, overflow);
  o.setFlag('ZF', o.constBit(0));
}

/** MUL — Unsigned Multiply. SDM Vol. 2B, "MUL—Unsigned Multiply". */
export const MUL: Semantics = (o, i) => {
  const a = o.getReg(lowerHalf(i));
  const b = read(o, i, 0);
  const low = o.mul(i.width, a, b);
  const high = o.mulHighU(i.width, a, b);
  o.setReg(lowerHalf(i), low);
  o.setReg(upperHalf(i), high);
  productFlags(o, i, low, o.not(o.isZero(i.width, high)));
};

/** Whether high:low is more than the sign extension of low. */
const signedOverflow = <V, B>(o: Ops<V, B>, i: Instruction, high: V, low: V): B =>
  o.not(o.eq(i.width, high, o.shrS(i.width, low, o.const(i.width, BigInt(i.width - 1)))));

/** IMUL with one operand. SDM Vol. 2A, "IMUL—Signed Multiply". */
export const IMUL1: Semantics = (o, i) => {
  const a = o.getReg(lowerHalf(i));
  const b = read(o, i, 0);
  const low = o.mul(i.width, a, b);
  const high = o.mulHighS(i.width, a, b);
  o.setReg(lowerHalf(i), low);
  o.setReg(upperHalf(i), high);
  productFlags(o, i, low, signedOverflow(o, i, high, low));
};

/** IMUL with two or three operands. SDM Vol. 2A, "IMUL—Signed Multiply". */
export const IMUL: Semantics = (o, i) => {
  const first = i.operands.length === 3 ? 1 : 0;
  const a = read(o, i, first);
  const b = read(o, i, first + 1);
  const low = o.mul(i.width, a, b);
  const high = o.mulHighS(i.width, a, b);
  o.setReg(i.operands[0] as RegisterOperand, low);
  productFlags(o, i, low, signedOverflow(o, i, high, low));
};

const DIVIDE_ERROR = 0;

/** DIV — Unsigned Divide. Manual: all flags are undefined; hardware (Intel): unchanged. SDM Vol. 2A, "DIV—Unsigned Divide". */
export const DIV: Semantics = (o, i) => {
  const d = read(o, i, 0);
  const high = o.getReg(upperHalf(i));
  // Covers a divisor of zero as well.
  o.when(o.not(o.ltU(i.width, high, d)), () => { o.fault(DIVIDE_ERROR); });
  const { quotient, remainder } = o.divU(i.width, high, o.getReg(lowerHalf(i)), d);
  o.setReg(lowerHalf(i), quotient);
  o.setReg(upperHalf(i), remainder);
};

/**
 * IDIV — Signed Divide: magnitudes are divided, the remainder has the dividend's sign.
 * Manual: all flags are undefined; hardware (Intel): unchanged. SDM Vol. 2A, "IDIV—Signed Divide".
 */
export const IDIV: Semantics = (o, i) => {
  const w = i.width;
  const zero = o.const(w, 0n);
  const negate = <V, B>(q: Ops<V, B>, c: B, v: V): V => q.select(w, c, q.sub(w, q.const(w, 0n), v), v);

  const divisor = read(o, i, 0);
  const high = o.getReg(upperHalf(i));
  const low = o.getReg(lowerHalf(i));
  const dividendNegative = o.bit(w, high, w - 1);
  const divisorNegative = o.bit(w, divisor, w - 1);
  const quotientNegative = o.xorB(dividendNegative, divisorNegative);

  const d = negate(o, divisorNegative, divisor);
  const lowMagnitude = negate(o, dividendNegative, low);
  // -(high:low) has the upper half ~high, plus the carry that only low = 0 lets through.
  const highMagnitude = o.select(w, dividendNegative, o.add(w, o.inv(w, high), o.fromBit(w, o.eq(w, low, zero))), high);
  o.when(o.not(o.ltU(w, highMagnitude, d)), () => { o.fault(DIVIDE_ERROR); });
  const { quotient, remainder } = o.divU(w, highMagnitude, lowMagnitude, d);

  // The magnitude may reach 2^(w-1) only where the quotient is negative.
  const most = o.add(w, o.const(w, (1n << BigInt(w - 1)) - 1n), o.fromBit(w, quotientNegative));
  o.when(o.ltU(w, most, quotient), () => { o.fault(DIVIDE_ERROR); });
  o.setReg(lowerHalf(i), negate(o, quotientNegative, quotient));
  o.setReg(upperHalf(i), negate(o, dividendNegative, remainder));
};
