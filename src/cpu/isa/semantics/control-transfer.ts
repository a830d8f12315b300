/**
 * Near transfers of control. A branch verb checks its target at once and takes effect when the
 * instruction ends, so it precedes the commits.
 */
import type { Instruction } from '../instruction.ts';
import { implicit, RCX, type MemoryOperand, type Operand, type RegisterOperand, type RelativeOperand } from '../operand.ts';
import type { Ops } from '../ops.ts';
import type { Semantics } from '../row.ts';
import { addOffset, narrow, read, widen } from './operands.ts';
import { pop, push } from './stack.ts';

/** An operand-size instruction pointer as 64 bits. */
const target = <V, B>(o: Ops<V, B>, i: Instruction, v: V): V => widen(o, i.width, 64, v);

/** Reads where operand 0 leads to; what it returns branches there. */
function branch<V, B>(o: Ops<V, B>, i: Instruction): () => void {
  const x = i.operands[0] as Operand;
  if (x.kind === 'relative') return () => { o.goto(x); };
  const to = target(o, i, read(o, i, 0));
  return () => { o.gotoIndirect(to); };
}

/** JMP — Jump, near. SDM Vol. 2A, "JMP—Jump". */
export const JMP: Semantics = (o, i) => {
  branch(o, i)();
};

/** Jcc — Jump if Condition Is Met. SDM Vol. 2A, "Jcc—Jump if Condition Is Met". */
export const Jcc: Semantics = (o, i) => {
  o.gotoIf(o.condition(i.condition), i.operands[0] as RelativeOperand);
};

/** JCXZ, JECXZ, JRCXZ: the address size chooses the counter. SDM Vol. 2A, "Jcc—Jump if Condition Is Met". */
export const JCXZ: Semantics = (o, i) => {
  o.gotoIf(o.isZero(i.addressWidth, o.getReg(implicit(RCX, i.addressWidth))), i.operands[0] as RelativeOperand);
};

/** LOOP, LOOPE, LOOPNE: the address size chooses the counter. SDM Vol. 2A, "LOOP/LOOPcc—Loop According to ECX Counter". */
const loop = (whileZF?: boolean): Semantics => (o, i) => {
  const w = i.addressWidth;
  const counter = implicit(RCX, w);
  const count = o.sub(w, o.getReg(counter), o.const(w, 1n));
  const more = o.not(o.isZero(w, count));
  const again = whileZF === undefined ? more : o.andB(more, whileZF ? o.getFlag('ZF') : o.not(o.getFlag('ZF')));
  o.gotoIf(again, i.operands[0] as RelativeOperand);
  o.setReg(counter, count);
};
export const LOOP = loop();
export const LOOPE = loop(true);
export const LOOPNE = loop(false);

/**
 * CALL — Call Procedure, near. SDM Vol. 2A, "CALL—Call Procedure".
 * Manual: the target is checked before the push; hardware (Intel): the return address is in memory when a target that is
 * not canonical raises #GP(0). RSP is as before in both.
 */
export const CALL: Semantics = (o, i) => {
  const go = branch(o, i);
  const commit = push(o, i, narrow(o, 64, i.width, o.nextIp()));
  go();
  commit();
};

/** RET — Return From Procedure, near. SDM Vol. 2B, "RET—Return From Procedure". */
export const RET: Semantics = (o, i) => {
  const sw = i.mode.stackSize;
  const { value, commit } = pop(o, i);
  o.gotoIndirect(target(o, i, value));
  const released = i.operands[0]?.kind === 'immediate' ? o.and(64, read(o, i, 0, 64), o.const(64, 0xffffn)) : undefined;
  commit(released === undefined ? undefined : narrow(o, 64, sw, released));
};

const BOUND_RANGE_EXCEEDED = 5;
const INVALID_OPCODE = 6;

/**
 * BOUND — Check Array Index Against Bounds. SDM Vol. 2A, "BOUND—Check Array Index Against Bounds". Both bounds are read before the index is compared, as
 * AMD's processors do; Intel's raise #BR before they read the upper one (tools/silicon on both). SDM Vol. 3A, "Priority Among Concurrent Events", has #BR and #PF in one class, whose order is the processor's.
 */
export const BOUND: Semantics = (o, i) => {
  const w = i.width;
  const index = o.getReg(i.operands[0] as RegisterOperand);
  const x = i.operands[1] as MemoryOperand;
  const at = o.effectiveAddress(x);
  const lower = o.load(w, x.segment, at);
  const upper = o.load(w, x.segment, addOffset(o, i, at, o.const(64, BigInt(w / 8))));
  o.when(o.orB(o.ltS(w, index, lower), o.ltS(w, upper, index)), () => { o.fault(BOUND_RANGE_EXCEEDED); });
};

/** UD0, UD1, UD2 — Undefined Instruction. SDM Vol. 2B, "UD—Undefined Instruction". */
export const UD: Semantics = (o) => {
  o.fault(INVALID_OPCODE);
};
