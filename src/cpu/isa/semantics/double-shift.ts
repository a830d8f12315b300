/** Double-precision shifts. */
import type { Semantics } from '../row.ts';
import { place, read } from './operands.ts';
import { shiftCount } from './shift.ts';

/**
 * SHLD and SHRD shift the destination and fill it from the source; the count is taken modulo 32 (64).
 * Manual: counts above the operand size (16 bits only) leave the result and all flags undefined; hardware (Intel): the
 * bits that follow the source's are the destination's again. OF of counts above 1 and AF are undefined; hardware
 * (Intel): OF is the change of sign in the last step, AF cleared.
 */
const doubleShift = (right: boolean): Semantics => (o, i) => {
  const w = i.width;
  const one = o.const(w, 1n);
  const wide = o.const(w, BigInt(w));
  const dest = place(o, i, 0);
  const src = read(o, i, 1);
  const count = shiftCount(o, i, 2);
  const isZero = o.isZero(w, count);
  // Counts above the width: the operand pair rotates, so source and destination swap roles.
  const over = w === 16 ? o.ltU(w, wide, count) : o.constBit(0);
  const first = w === 16 ? o.select(w, over, src, dest.value) : dest.value;
  const second = w === 16 ? o.select(w, over, dest.value, src) : src;
  const n = w === 16 ? o.select(w, over, o.sub(w, count, wide), count) : count;
  const rest = o.and(w, o.sub(w, wide, n), o.const(w, w === 64 ? 63n : 31n));
  const [outward, inward] = right ? (['shrU', 'shl'] as const) : (['shl', 'shrU'] as const);
  const shifted = o.or(w, o[outward](w, first, n), o[inward](w, second, rest));
  const result = o.select(w, isZero, dest.value, shifted);
  dest.write(result);
  o.when(o.not(isZero), () => {
    const last = o[outward](w, first, o.sub(w, n, one));
    const cf = o.bit(w, last, right ? 0 : w - 1);
    const of = o.xorB(o.bit(w, dest.value, w - 1), right ? o.bit(w, src, 0) : o.bit(w, dest.value, w - 2));
    o.otherFlags(w, result, cf, of);
  });
};

/** SHLD — Double Precision Shift Left. SDM Vol. 2B, "SHLD—Double Precision Shift Left". */
export const SHLD = doubleShift(false);
/** SHRD — Double Precision Shift Right. SDM Vol. 2B, "SHRD—Double Precision Shift Right". */
export const SHRD = doubleShift(true);
