/** Rotates, without and through CF. A masked count of 0 changes no flag; only CF and OF are ever written. */
import type { Semantics } from '../row.ts';
import { place } from './operands.ts';
import { shiftCount } from './shift.ts';

/**
 * ROL and ROR. A count that is a multiple of the width still sets CF.
 * Manual: OF is undefined for counts above 1; hardware (Intel): as the first single step sets it, except
 * that an immediate count above 1 leaves it, which we do not follow.
 */
const rotate = (right: boolean): Semantics => (o, i) => {
  const w = i.width;
  const dest = place(o, i, 0);
  const count = shiftCount(o, i, 1);
  const left = o.and(w, right ? o.sub(w, o.const(w, 0n), count) : count, o.const(w, BigInt(w - 1)));
  const result = o.rotl(w, dest.value, left);
  dest.write(result);
  o.when(o.not(o.isZero(w, count)), () => {
    const top = o.bit(w, result, w - 1);
    const cf = right ? top : o.bit(w, result, 0);
    o.rotateFlags(cf, o.xorB(o.bit(w, dest.value, w - 1), o.bit(w, dest.value, right ? 0 : w - 2)));
  });
};

/** ROL — Rotate Left. SDM Vol. 2B, "RCL/RCR/ROL/ROR—Rotate". */
export const ROL = rotate(false);
/** ROR — Rotate Right. SDM Vol. 2B, "RCL/RCR/ROL/ROR—Rotate". */
export const ROR = rotate(true);

/**
 * RCL and RCR: a rotate of CF and the operand, w + 1 bits.
 * Manual: OF is undefined for counts above 1; hardware (Intel): as the first single step sets it.
 */
const rotateThroughCarry = (right: boolean): Semantics => (o, i) => {
  const w = i.width;
  const one = o.const(w, 1n);
  const dest = place(o, i, 0);
  const a = dest.value;
  const masked = shiftCount(o, i, 1);
  // 8 and 16 bits: modulo 9 and 17. A masked count cannot exceed the width elsewhere.
  const count = w === 8 || w === 16 ? o.divU(w, o.const(w, 0n), masked, o.const(w, BigInt(w + 1))).remainder : masked;
  // w - count, kept a legal shift where count is 0: the result is not used then.
  const rest = o.and(w, o.sub(w, o.const(w, BigInt(w)), count), o.const(w, BigInt(w === 64 ? 63 : 31)));
  const moved = o.isZero(w, count);
  const carry = o.fromBit(w, o.getFlag('CF'));
  const shifted = right
    ? o.or(w, o.or(w, o.shrU(w, a, count), o.shl(w, o.shl(w, a, one), rest)), o.shl(w, carry, rest))
    : o.or(w, o.or(w, o.shl(w, a, count), o.shrU(w, o.shrU(w, a, one), rest)), o.rotl(w, carry, o.and(w, o.sub(w, count, one), o.const(w, BigInt(w - 1)))));
  const result = o.select(w, moved, a, shifted);
  dest.write(result);
  o.when(o.not(moved), () => {
    const cf = right ? o.bit(w, o.shrU(w, a, o.sub(w, count, one)), 0) : o.bit(w, o.shrU(w, a, rest), 0);
    o.rotateFlags(cf, o.xorB(o.bit(w, a, w - 1), right ? o.getFlag('CF') : o.bit(w, a, w - 2)));
  });
};

/** RCL — Rotate Left through Carry. SDM Vol. 2B, "RCL/RCR/ROL/ROR—Rotate". */
export const RCL = rotateThroughCarry(false);
/** RCR — Rotate Right through Carry. SDM Vol. 2B, "RCL/RCR/ROL/ROR—Rotate". */
export const RCR = rotateThroughCarry(true);
