/** Stack instructions. Addresses are in SS; the stack pointer has the width of the stack (CS.L, SS.B). */
import { SEGMENT } from '../../../state/layout.ts';
import type { Instruction } from '../instruction.ts';
import { implicit, RBP, RSP, type Operand, type RegisterOperand, type Width } from '../operand.ts';
import type { Ops } from '../ops.ts';
import type { Semantics } from '../row.ts';
import { narrow, read, widen } from './operands.ts';

const stackPointer = (i: Instruction): RegisterOperand => implicit(RSP, i.mode.stackSize);
/** Stores v at a stack address of stack width. */
const storeAt = <V, B>(o: Ops<V, B>, i: Instruction, at: V, v: V): void => { o.store(i.width, SEGMENT.SS, widen(o, i.mode.stackSize, 64, at), v); };
const loadAt = <V, B>(o: Ops<V, B>, i: Instruction, at: V): V => o.load(i.width, SEGMENT.SS, widen(o, i.mode.stackSize, 64, at));
/** The stack address `bytes` above `at`. */
const above = <V, B>(o: Ops<V, B>, i: Instruction, at: V, bytes: number): V => o.add(i.mode.stackSize, at, o.const(i.mode.stackSize, BigInt(bytes)));

/** Stores an operand-size value below the stack pointer and returns what commits the stack pointer. */
export function push<V, B>(o: Ops<V, B>, i: Instruction, v: V): () => void {
  const top = above(o, i, o.getReg(stackPointer(i)), -i.width / 8);
  storeAt(o, i, top, v);
  return () => { o.setReg(stackPointer(i), top); };
}

/** The operand-size value at the top of the stack, and what commits its removal with `extra` bytes more (a stack-width value). */
export function pop<V, B>(o: Ops<V, B>, i: Instruction): { value: V; commit: (extra?: V) => void } {
  const top = o.getReg(stackPointer(i));
  const next = above(o, i, top, i.width / 8);
  return {
    value: loadAt(o, i, top),
    commit: (extra) => { o.setReg(stackPointer(i), extra === undefined ? next : o.add(i.mode.stackSize, next, extra)); },
  };
}

/** PUSH — Push Onto the Stack. PUSH rSP pushes its old value. SDM Vol. 2B, "PUSH". */
export const PUSH: Semantics = (o, i) => {
  push(o, i, read(o, i, 0))();
};

/**
 * POP — Pop a Value From the Stack. The address of a memory operand is formed with the incremented rSP; POP rSP loads
 * the popped value. SDM Vol. 2B, "POP—Pop a Value From the Stack".
 */
export const POP: Semantics = (o, i) => {
  const x = i.operands[0] as Operand;
  const { value, commit } = pop(o, i);
  if (x.kind === 'memory') o.store(i.width, x.segment, o.effectiveAddress(x, (i.width / 8) as 2 | 4 | 8), value);
  commit();
  if (x.kind === 'register') o.setReg(x, value);
};

/** PUSHA, PUSHAD: eight registers in the order of their numbers; rSP as it was. SDM Vol. 2B, "PUSHA/PUSHAD". */
export const PUSHA: Semantics = (o, i) => {
  const top = o.getReg(stackPointer(i));
  for (let n = 0; n < 8; n++) storeAt(o, i, above(o, i, top, -(n + 1) * i.width / 8), o.getReg(implicit(n, i.width)));
  o.setReg(stackPointer(i), above(o, i, top, -i.width));
};

/** POPA, POPAD: the reverse; the popped rSP is discarded. SDM Vol. 2B, "POPA/POPAD". */
export const POPA: Semantics = (o, i) => {
  const top = o.getReg(stackPointer(i));
  const numbers = [7, 6, 5, 3, 2, 1, 0];
  const values = numbers.map((n) => loadAt(o, i, above(o, i, top, (7 - n) * i.width / 8)));
  numbers.forEach((n, k) => { o.setReg(implicit(n, i.width), values[k] as (typeof values)[number]); });
  o.setReg(stackPointer(i), above(o, i, top, i.width));
};

const MAX_NESTING_LEVEL = 31;

/**
 * ENTER — Make Stack Frame for Procedure Parameters. The display of `level` - 1 outer frame pointers is copied, then
 * the new frame's own follows. A write must be possible at the final rSP. SDM Vol. 2A, "ENTER".
 */
export const ENTER: Semantics = (o, i) => {
  const sw = i.mode.stackSize;
  const bytes = i.width / 8;
  const lw: Width = sw === 64 ? 64 : 32;
  const level = widen(o, 8, lw, o.and(8, read(o, i, 1, 8), o.const(8, BigInt(MAX_NESTING_LEVEL))));
  const local = narrow(o, 64, sw, o.and(64, read(o, i, 0, 64), o.const(64, 0xffffn)));
  const outer = o.getReg(implicit(RBP, sw));
  const frame = above(o, i, o.getReg(stackPointer(i)), -bytes);

  storeAt(o, i, frame, o.getReg(implicit(RBP, i.width)));
  for (let n = 1; n < MAX_NESTING_LEVEL; n++) {
    o.when(o.ltU(lw, o.const(lw, BigInt(n)), level), () => {
      storeAt(o, i, above(o, i, frame, -n * bytes), loadAt(o, i, above(o, i, outer, -n * bytes)));
    });
  }
  const display = o.mul(sw, narrow(o, lw, sw, level), o.const(sw, BigInt(bytes)));
  const end = o.sub(sw, frame, display);
  const framePointer = i.width < sw ? narrow(o, sw, i.width, frame) : widen(o, sw, i.width, frame);
  o.when(o.not(o.isZero(lw, level)), () => { storeAt(o, i, end, framePointer); });
  const top = o.sub(sw, end, local);
  o.load(i.width, SEGMENT.SS, widen(o, sw, 64, top), 'modify');
  o.setReg(implicit(RBP, i.width), framePointer);
  o.setReg(stackPointer(i), top);
};

/** LEAVE — High Level Procedure Exit. SDM Vol. 2A, "LEAVE—High Level Procedure Exit". */
export const LEAVE: Semantics = (o, i) => {
  const frame = o.getReg(implicit(RBP, i.mode.stackSize));
  const value = loadAt(o, i, frame);
  o.setReg(stackPointer(i), above(o, i, frame, i.width / 8));
  o.setReg(implicit(RBP, i.width), value);
};
