/**
 * The x87 part of the vocabulary. F is a value of a register of the stack, or the outcome of an operation: a double extended-precision number with
 * the exceptions that making it raised and what C1 will show. An empty register gives the indefinite and a stack underflow, which operations hand
 * on. Nothing changes before `conclude` or `pushSt`. SDM Vol. 1, "Programming with the x87 FPU".
 */
import type { MemoryOperand } from './operand.ts';
import { unsupported } from './unsupported-verb.ts';

/** Rounded as the control word says. */
export type X87Operation = 'add' | 'subtract' | 'multiply' | 'divide';
/** A memory operand and its offset in its segment, 64 bits. */
export interface Located<V> { readonly operand: MemoryOperand; readonly offset: V }

export abstract class X87Ops<V, F> {
  /** #NM where CR0.EM or CR0.TS is 1, #MF where an unmasked exception waits: the first verb of every x87 instruction that is no control instruction. */
  requireX87(): void { unsupported('requireX87'); }
  /** Notes the instruction, and its operand in memory, as the last ones: the last verb. SDM Vol. 1, "x87 FPU Instruction and Data (Operand) Pointers". */
  noteX87(_memory: Located<V> | undefined): void { unsupported('noteX87'); }
  getSt(_i: number): F { return unsupported('getSt'); }
  /** Ten bytes, every encoding as it is. */
  loadExtended(_from: Located<V>): F { return unsupported('loadExtended'); }
  /** A number of w bits. Being loaded, a signaling NaN becomes quiet and a denormal raises DE; as an operand both wait for the operation. */
  fromReal(_w: 32 | 64, _raw: V, _use: 'loaded' | 'operand'): F { return unsupported('fromReal'); }
  /** +0.0 and +1.0. */
  constantX87(_value: 0 | 1): F { return unsupported('constantX87'); }
  /** a op b. */
  operate(_op: X87Operation, _a: F, _b: F): F { return unsupported('operate'); }
  /** Rounded as the control word says. */
  squareRoot(_a: F): F { return unsupported('squareRoot'); }
  /** Any encoding, without exceptions. */
  withSign(_how: 'negated' | 'absolute', _a: F): F { return unsupported('withSign'); }

  /** Flags the exceptions of a value, then does the body unless one of them is unmasked and forbids it. */
  conclude(_raised: readonly F[], _body: () => void): void { unsupported('conclude'); }
  /** Concludes, and stores ten bytes in front of that; nothing is stored where any of them faults. */
  storeExtended(_to: Located<V>, _v: F, _body: () => void): void { unsupported('storeExtended'); }
  /** Concludes, with a push; the indefinite and a stack overflow where the stack is full. */
  pushSt(_v: F): void { unsupported('pushSt'); }
  /** Writes and tags a register; only in what is concluded. */
  setSt(_i: number, _v: F): void { unsupported('setSt'); }
  popSt(): void { unsupported('popSt'); }
}
