/**
 * String instructions: one element at DS:rSI (a segment override replaces DS) and / or ES:rDI, which then move by the
 * element's size in the direction of DF. With REP, one iteration is one instruction; a fault leaves it unstarted.
 * SDM Vol. 2B, "REP/REPE/REPZ/REPNE/REPNZ—Repeat String Operation Prefix".
 * Deviates: a fault in a repeated CMPS or SCAS leaves the flags of the last iteration that was done; there the manual
 * restores those from before the first. The instruction does not read them, so it resumes all the same.
 */
import { SEGMENT } from '../../../state/layout.ts';
import type { Instruction } from '../instruction.ts';
import { implicit, RAX, RCX, RDI, RSI, type RegisterOperand } from '../operand.ts';
import type { Ops } from '../ops.ts';
import type { Semantics } from '../row.ts';
import { widen } from './operands.ts';

const source = (i: Instruction): RegisterOperand => implicit(RSI, i.addressWidth);
const destination = (i: Instruction): RegisterOperand => implicit(RDI, i.addressWidth);
const offset = <V, B>(o: Ops<V, B>, i: Instruction, r: RegisterOperand): V => widen(o, i.addressWidth, 64, o.getReg(r));

const loadSource = <V, B>(o: Ops<V, B>, i: Instruction): V => o.load(i.width, i.segmentOverride ?? SEGMENT.DS, offset(o, i, source(i)));
const loadDestination = <V, B>(o: Ops<V, B>, i: Instruction): V => o.load(i.width, SEGMENT.ES, offset(o, i, destination(i)));
const storeDestination = <V, B>(o: Ops<V, B>, i: Instruction, v: V): void => { o.store(i.width, SEGMENT.ES, offset(o, i, destination(i)), v); };

/** Moves an index register on by one element. */
function advance<V, B>(o: Ops<V, B>, i: Instruction, r: RegisterOperand): void {
  const w = i.addressWidth;
  const bytes = BigInt(i.width / 8);
  o.setReg(r, o.add(w, o.getReg(r), o.select(w, o.getFlag('DF'), o.const(w, -bytes), o.const(w, bytes))));
}

/**
 * Does `step` once, or under REP while rCX is not 0. `step` commits, and returns what must hold for another iteration
 * besides a count (REPE, REPNE), or nothing.
 * Manual: silent on a count of 0 with a 32-bit address size in 64-bit mode; hardware (Intel): ECX is written all the
 * same, and so are the `pointers` of MOVS and STOS, which clears the upper halves.
 */
function repeated<V, B>(o: Ops<V, B>, i: Instruction, step: () => B | undefined, pointers: readonly RegisterOperand[] = []): void {
  if (i.repeat === 'none') {
    step();
    return;
  }
  const w = i.addressWidth;
  const counter = implicit(RCX, w);
  const count = o.getReg(counter);
  o.when(o.not(o.isZero(w, count)), () => {
    const condition = step();
    const left = o.sub(w, count, o.const(w, 1n));
    o.setReg(counter, left);
    const more = o.not(o.isZero(w, left));
    o.repeatIf(condition === undefined ? more : o.andB(more, condition));
  });
  if (w === 32 && i.mode.codeSize === 64) {
    o.when(o.isZero(w, count), () => { for (const r of [counter, ...pointers]) o.setReg(r, o.getReg(r)); });
  }
}

/** What REPE and REPNE ask of ZF. */
const zeroFlagAsked = <V, B>(o: Ops<V, B>, i: Instruction, equal: B): B => (i.repeat === 'repne' ? o.not(equal) : equal);

/** MOVS — Move Data From String to String. SDM Vol. 2B, "MOVS/MOVSB/MOVSW/MOVSD/MOVSQ". */
export const MOVS: Semantics = (o, i) => {
  repeated(o, i, () => {
    storeDestination(o, i, loadSource(o, i));
    advance(o, i, source(i));
    advance(o, i, destination(i));
    return undefined;
  }, [source(i), destination(i)]);
};

/** CMPS — Compare String Operands. SDM Vol. 2A, "CMPS/CMPSB/CMPSW/CMPSD/CMPSQ". */
export const CMPS: Semantics = (o, i) => {
  repeated(o, i, () => {
    // Where both would fault, hardware (Intel) reports ES:rDI.
    const b = loadDestination(o, i);
    const a = loadSource(o, i);
    advance(o, i, source(i));
    advance(o, i, destination(i));
    o.subFlags(i.width, a, b, o.sub(i.width, a, b));
    return zeroFlagAsked(o, i, o.eq(i.width, a, b));
  });
};

/** SCAS — Scan String. SDM Vol. 2B, "SCAS/SCASB/SCASW/SCASD". */
export const SCAS: Semantics = (o, i) => {
  repeated(o, i, () => {
    const a = o.getReg(implicit(RAX, i.width));
    const b = loadDestination(o, i);
    advance(o, i, destination(i));
    o.subFlags(i.width, a, b, o.sub(i.width, a, b));
    return zeroFlagAsked(o, i, o.eq(i.width, a, b));
  });
};

/** STOS — Store String. SDM Vol. 2B, "STOS/STOSB/STOSW/STOSD/STOSQ". */
export const STOS: Semantics = (o, i) => {
  repeated(o, i, () => {
    storeDestination(o, i, o.getReg(implicit(RAX, i.width)));
    advance(o, i, destination(i));
    return undefined;
  }, [destination(i)]);
};

/** LODS — Load String. SDM Vol. 2A, "LODS/LODSB/LODSW/LODSD/LODSQ". */
export const LODS: Semantics = (o, i) => {
  repeated(o, i, () => {
    const value = loadSource(o, i);
    advance(o, i, source(i));
    o.setReg(implicit(RAX, i.width), value);
    return undefined;
  });
};
