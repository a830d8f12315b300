/** Shifts. The count is taken modulo 32 (64 for 64-bit operands); a count of 0 changes no flag. */
import type { Instruction } from '../instruction.ts';
import type { Ops } from '../ops.ts';
import type { Semantics } from '../row.ts';
import { place, read, widen } from './operands.ts';

/** The masked count of operand n, as an i.width-bit value. */
export function shiftCount<V, B>(o: Ops<V, B>, i: Instruction, n: number): V {
  return widen(o, 8, i.width, o.and(8, read(o, i, n, 8), o.const(8, i.width === 64 ? 63n : 31n)));
}

/**
 * CF is the last bit shifted out. OF is defined for a count of 1 only.
 * Manual: OF of larger counts, AF, and CF of counts above the operand size are undefined; hardware (Intel): OF as
 * the first of the single steps sets it, AF cleared, CF as zeros (SHL, SHR) follow the operand's bits out.
 */
const shift = (verb: 'shl' | 'shrU' | 'shrS'): Semantics => (o, i) => {
  const w = i.width;
  const dest = place(o, i, 0);
  const count = shiftCount(o, i, 1);
  const result = o[verb](w, dest.value, count);
  dest.write(result);
  o.when(o.not(o.isZero(w, count)), () => {
    const before = o[verb](w, dest.value, o.sub(w, count, o.const(w, 1n)));
    const cf = o.bit(w, before, verb === 'shl' ? w - 1 : 0);
    const of = verb === 'shl' ? o.xorB(o.bit(w, dest.value, w - 1), o.bit(w, dest.value, w - 2)) : verb === 'shrU' ? o.bit(w, dest.value, w - 1) : o.constBit(0);
    o.otherFlags(w, result, cf, of);
  });
};

/** SHL — Shift Left (SAL is the same). SDM Vol. 2B, "SAL/SAR/SHL/SHR—Shift". */
export const SHL = shift('shl');
/** SHR — Unsigned Shift Right. SDM Vol. 2B, "SAL/SAR/SHL/SHR—Shift". */
export const SHR = shift('shrU');
/** SAR — Signed Shift Right. SDM Vol. 2B, "SAL/SAR/SHL/SHR—Shift". */
export const SAR = shift('shrS');
