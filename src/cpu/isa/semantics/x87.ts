/** x87 transfers and basic arithmetic. Rounding, exceptions and the stack are the verbs'. SDM Vol. 1, "Data Transfer Instructions", "Basic Arithmetic Instructions". */
import type { Instruction } from '../instruction.ts';
import type { Ops } from '../ops.ts';
import type { Semantics } from '../row.ts';
import type { Located, X87Operation } from '../x87-ops.ts';

/** The number of ST(i), operand n. */
function stackRegister(i: Instruction, n: number): number {
  const x = i.operands[n];
  if (x?.kind !== 'fpu') throw new Error(`${i.row.text}: operand ${n} is no register of the x87 stack`);
  return x.number;
}

type Body = <V, B, X, F>(o: Ops<V, B, X, F>, i: Instruction, memory: Located<V> | undefined) => void;
/**
 * An instruction that waits for exceptions of earlier ones and notes its address and its operand's for a handler.
 * Deviates: the last opcode, which newer processors note for unmasked exceptions only, stays what FRSTOR or FXRSTOR loaded.
 * SDM Vol. 1, "x87 FPU Instruction and Data (Operand) Pointers", "Last Instruction Opcode".
 */
const x87 = (body: Body): Semantics => (o, i) => {
  o.requireX87();
  const operand = i.operands.find((x) => x.kind === 'memory');
  const memory = operand?.kind === 'memory' ? { operand, offset: o.effectiveAddress(operand) } : undefined;
  body(o, i, memory);
  o.noteX87(memory);
};
/** One whose operand is in memory. */
const withMemory = (body: <V, B, X, F>(o: Ops<V, B, X, F>, i: Instruction, memory: Located<V>) => void): Semantics => x87((o, i, memory) => {
  if (memory === undefined) throw new Error(`${i.row.text}: no operand in memory`);
  body(o, i, memory);
});
/** The number of 32 or 64 bits in memory. */
function loadReal<V, B, X, F>(o: Ops<V, B, X, F>, { operand, offset }: Located<V>, use: 'loaded' | 'operand'): F {
  const w = operand.width as 32 | 64;
  return o.fromReal(w, o.load(w, operand.segment, offset), use);
}
const pops = (i: Instruction): boolean => i.mnemonic.endsWith('P');

/** FLD — Load Floating-Point Value, from memory of 32 or 64 bits. */
export const FLD_REAL: Semantics = withMemory((o, _, memory) => o.pushSt(loadReal(o, memory, 'loaded')));
/** FLD, from memory of 80 bits: every encoding is taken as it is. */
export const FLD_EXTENDED: Semantics = withMemory((o, _, memory) => o.pushSt(o.loadExtended(memory)));
/** FLD, from a register. */
export const FLD_REGISTER: Semantics = x87((o, i) => o.pushSt(o.getSt(stackRegister(i, 0))));
/** FLD1, FLDZ — Load Constant. */
export const FLD_NUMBER = (value: 0 | 1): Semantics => x87((o) => o.pushSt(o.constantX87(value)));
/** FSTP — Store Floating-Point Value and Pop, to memory of 80 bits: the value as it is. */
export const FSTP_EXTENDED: Semantics = withMemory((o, _, memory) => o.storeExtended(memory, o.getSt(0), () => o.popSt()));
/** FST / FSTP, to a register. */
export const FST_REGISTER: Semantics = x87((o, i) => {
  const value = o.getSt(0);
  o.conclude([value], () => {
    o.setSt(stackRegister(i, 0), value);
    if (pops(i)) o.popSt();
  });
});
/** FXCH — Exchange Register Contents. An empty register takes part as the indefinite. */
export const FXCH: Semantics = x87((o, i) => {
  const n = stackRegister(i, 0);
  const a = o.getSt(0), b = o.getSt(n);
  o.conclude([a, b], () => {
    o.setSt(0, b);
    o.setSt(n, a);
  });
});

/** By the mnemonic between F and P; the reversed ones exchange their operands. */
const OPERATIONS: Readonly<Record<string, X87Operation>> = { ADD: 'add', SUB: 'subtract', MUL: 'multiply', DIV: 'divide' };
/** ST(n) := ST(n) op source, and a pop where wanted. */
function arithmetic<V, B, X, F>(o: Ops<V, B, X, F>, i: Instruction, n: number, source: F): void {
  const [, name, reversed] = /^F(ADD|SUB|MUL|DIV)(R?)P?$/.exec(i.mnemonic)!;
  const operation = OPERATIONS[name!]!, destination = o.getSt(n);
  const result = reversed === 'R' ? o.operate(operation, source, destination) : o.operate(operation, destination, source);
  o.conclude([result], () => {
    o.setSt(n, result);
    if (pops(i)) o.popSt();
  });
}
/** FADD FSUB FSUBR FMUL FDIV FDIVR with memory of 32 or 64 bits. */
export const REAL_ARITHMETIC: Semantics = withMemory((o, i, memory) => arithmetic(o, i, 0, loadReal(o, memory, 'operand')));
/** FADD ... FDIVR and FADDP ... FDIVRP with two registers: the first is the destination. */
export const REGISTER_ARITHMETIC: Semantics = x87((o, i) => arithmetic(o, i, stackRegister(i, 0), o.getSt(stackRegister(i, 1))));

/** ST(0) := an operation on it. */
const unary = (operation: <V, B, X, F>(o: Ops<V, B, X, F>, a: F) => F): Semantics => x87((o) => {
  const result = operation(o, o.getSt(0));
  o.conclude([result], () => o.setSt(0, result));
});
/** FCHS — Change Sign; FABS — Absolute Value; FSQRT — Square Root. */
export const FCHS: Semantics = unary((o, a) => o.withSign('negated', a));
export const FABS: Semantics = unary((o, a) => o.withSign('absolute', a));
export const FSQRT: Semantics = unary((o, a) => o.squareRoot(a));
