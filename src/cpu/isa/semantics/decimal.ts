/** Decimal arithmetic; not in 64-bit mode. */
import { implicit, RAX } from '../operand.ts';
import type { Semantics } from '../row.ts';
import { read } from './operands.ts';

const AL = implicit(RAX, 8);
const AH = implicit(RAX, 8, true);
const AX = implicit(RAX, 16);

/** DAA and DAS. Manual: OF is undefined; hardware (Intel): cleared. SDM Vol. 2A, "DAA—Decimal Adjust AL After Addition", "DAS". */
const adjustPacked = (verb: 'add' | 'sub'): Semantics => (o) => {
  const al = o.getReg(AL);
  const lowDigit = o.orB(o.ltU(8, o.const(8, 9n), o.and(8, al, o.const(8, 15n))), o.getFlag('AF'));
  const highDigit = o.orB(o.ltU(8, o.const(8, 0x99n), al), o.getFlag('CF'));
  const zero = o.const(8, 0n);
  const correction = o.or(8, o.select(8, lowDigit, o.const(8, 6n), zero), o.select(8, highDigit, o.const(8, 0x60n), zero));
  const result = o[verb](8, al, correction);
  // DAS: a borrow out of the low digit's step sets CF too.
  const carry = verb === 'add' ? highDigit : o.orB(highDigit, o.andB(lowDigit, o.ltU(8, al, o.const(8, 6n))));
  o.setReg(AL, result);
  o.otherFlags(8, result, carry, o.constBit(0));
  o.setFlag('AF', lowDigit);
};
export const DAA = adjustPacked('add');
export const DAS = adjustPacked('sub');

/**
 * AAA and AAS. Manual: OF SF ZF PF are undefined; hardware (Intel): SF ZF PF from AL, OF cleared.
 * SDM Vol. 2A, "AAA—ASCII Adjust After Addition", "AAS".
 */
const adjustUnpacked = (verb: 'add' | 'sub'): Semantics => (o) => {
  const ax = o.getReg(AX);
  const digit = o.and(16, ax, o.const(16, 15n));
  const adjust = o.orB(o.ltU(16, o.const(16, 9n), digit), o.getFlag('AF'));
  // AX +- 6 carries from AL into AH; AH +- 1 comes on top.
  const adjusted = o[verb](16, ax, o.select(16, adjust, o.const(16, 0x106n), o.const(16, 0n)));
  const result = o.and(16, adjusted, o.const(16, 0xff0fn));
  o.setReg(AX, result);
  o.otherFlags(8, o.trunc(16, 8, result), adjust, o.constBit(0));
  o.setFlag('AF', adjust);
};
export const AAA = adjustUnpacked('add');
export const AAS = adjustUnpacked('sub');

/** AAM — ASCII Adjust AX After Multiply. Manual: OF AF CF are undefined; hardware (Intel): cleared. SDM Vol. 2A, "AAM". */
export const AAM: Semantics = (o, i) => {
  const base = read(o, i, 0);
  o.when(o.isZero(8, base), () => { o.fault(0); });
  const { quotient, remainder } = o.divU(8, o.const(8, 0n), o.getReg(AL), base);
  o.setReg(AH, quotient);
  o.setReg(AL, remainder);
  o.logicFlags(8, remainder);
};

/** AAD — ASCII Adjust AX Before Division. Manual: OF AF CF are undefined; hardware (Intel): as the addition sets them. SDM Vol. 2A, "AAD". */
export const AAD: Semantics = (o, i) => {
  const al = o.getReg(AL);
  const tens = o.mul(8, o.getReg(AH), read(o, i, 0));
  const result = o.add(8, al, tens);
  o.setReg(AX, o.zext(8, 16, result));
  o.addFlags(8, al, tens, result);
};
