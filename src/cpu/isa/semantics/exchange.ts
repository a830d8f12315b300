/** Exchanges and compare-and-exchange. There is one processor, so LOCK needs no meaning of its own. */
import { implicit, RAX, RBX, RCX, RDX, type MemoryOperand, type RegisterOperand } from '../operand.ts';
import type { Semantics } from '../row.ts';
import { place, read } from './operands.ts';

/** XCHG — Exchange Register/Memory With Register. SDM Vol. 2D, "XCHG". */
export const XCHG: Semantics = (o, i) => {
  const dest = place(o, i, 0);
  const src = read(o, i, 1);
  dest.write(src);
  o.setReg(i.operands[1] as RegisterOperand, dest.value);
};

/** XADD — Exchange and Add. With one register twice, the sum stays. SDM Vol. 2D, "XADD—Exchange and Add". */
export const XADD: Semantics = (o, i) => {
  const dest = place(o, i, 0);
  const src = read(o, i, 1);
  const sum = o.add(i.width, dest.value, src);
  const toMemory = i.operands[0]?.kind === 'memory';
  if (toMemory) dest.write(sum);
  o.setReg(i.operands[1] as RegisterOperand, dest.value);
  if (!toMemory) dest.write(sum);
  o.addFlags(i.width, dest.value, src, sum);
};

/**
 * CMPXCHG — Compare and Exchange. A memory destination is written whether it changes or not; the accumulator only where
 * they differ. SDM Vol. 2A, "CMPXCHG—Compare and Exchange".
 * Manual: a register destination is always written; hardware (Intel): only where they are equal, which shows in bits
 * 63:32 of a 32-bit one.
 */
export const CMPXCHG: Semantics = (o, i) => {
  const accumulator = implicit(RAX, i.width);
  const dest = place(o, i, 0);
  const src = read(o, i, 1);
  const expected = o.getReg(accumulator);
  const equal = o.eq(i.width, expected, dest.value);
  if (i.operands[0]?.kind === 'memory') dest.write(o.select(i.width, equal, src, dest.value));
  else o.when(equal, () => { dest.write(src); });
  o.when(o.not(equal), () => { o.setReg(accumulator, dest.value); });
  o.subFlags(i.width, expected, dest.value, o.sub(i.width, expected, dest.value));
};

/** CMPXCHG8B and CMPXCHG16B: rDX:rAX is compared, rCX:rBX replaces. SDM Vol. 2A, "CMPXCHG8B/CMPXCHG16B". */
export const CMPXCHG8B: Semantics = (o, i) => {
  const w = i.width;
  const x = i.operands[0] as MemoryOperand;
  const low = o.effectiveAddress(x);
  if (w === 64) o.requireAligned(16, x.segment, low);
  // One 64-bit access for CMPXCHG8B; the two of CMPXCHG16B lie in one page because they are aligned.
  const both = w === 32 ? o.load(64, x.segment, low, 'modify') : undefined;
  const high = o.add(64, low, o.const(64, 8n));
  const oldLow = both === undefined ? o.load(64, x.segment, low, 'modify') : o.trunc(64, 32, both);
  const oldHigh = both === undefined ? o.load(64, x.segment, high, 'modify') : o.trunc(64, 32, o.shrU(64, both, o.const(64, 32n)));
  const eax = implicit(RAX, w);
  const edx = implicit(RDX, w);
  const equal = o.andB(o.eq(w, oldLow, o.getReg(eax)), o.eq(w, oldHigh, o.getReg(edx)));
  const newLow = o.select(w, equal, o.getReg(implicit(RBX, w)), oldLow);
  const newHigh = o.select(w, equal, o.getReg(implicit(RCX, w)), oldHigh);
  if (w === 32) {
    o.store(64, x.segment, low, o.or(64, o.zext(32, 64, newLow), o.shl(64, o.zext(32, 64, newHigh), o.const(64, 32n))));
  } else {
    o.store(64, x.segment, low, newLow);
    o.store(64, x.segment, high, newHigh);
  }
  o.when(o.not(equal), () => {
    o.setReg(eax, oldLow);
    o.setReg(edx, oldHigh);
  });
  o.setFlag('ZF', equal);
};
