/** The x87 verbs of the reference engine, on the exact arithmetic of src/cpu/fpu. */
import type { Cpu } from '../../cpu.ts';
import { FLAG, ROUND } from '../../floating-point/exact.ts';
import { add, divide, multiply, squareRoot, subtract } from '../../fpu/arithmetic.ts';
import { isMasked, requireFpu, requireNoPendingException, signal, STATUS } from '../../fpu/control.ts';
import { fromMemory, widen, withDenormalOperand } from '../../fpu/conversion.ts';
import { float80, INDEFINITE, negated, signAndExponent, type Float80 } from '../../fpu/float80.ts';
import { exactly, nanResult, type Result } from '../../fpu/nan.ts';
import type { Control } from '../../fpu/pack.ts';
import { constant } from '../../fpu/partial.ts';
import { isEmpty, pop, push, readSt, STACK_OVERFLOW, STACK_UNDERFLOW, writeSt } from '../../fpu/registers.ts';
import { Ops } from '../../isa/ops.ts';
import { loadTen, notePointers, rounding, storeTen } from '../../isa/system/x87-operands.ts';
import type { Located, X87Operation } from '../../isa/x87-ops.ts';

/** A value with its report. `denormal`: it was one in memory, which cannot be seen any more. */
export interface StackValue extends Result { readonly denormal?: boolean }

const UNDERFLOW: StackValue = { ...STACK_UNDERFLOW, value: INDEFINITE };
const isUnderflow = ({ flags }: StackValue): boolean => (flags & STATUS.SF) !== 0;
const OPERATIONS: Readonly<Record<X87Operation, (a: Float80, b: Float80, c: Control) => Result>> = { add, subtract, multiply, divide };

export abstract class ReferenceX87 extends Ops<bigint, boolean, bigint, StackValue> {
  abstract readonly cpu: Cpu;

  override requireX87(): void {
    requireFpu(this.cpu);
    requireNoPendingException(this.cpu);
  }
  override noteX87(memory: Located<bigint> | undefined): void { notePointers(this.cpu, memory); }

  override getSt(i: number): StackValue {
    const { state } = this.cpu;
    return isEmpty(state, i) ? UNDERFLOW : exactly(readSt(state, i));
  }
  override loadExtended(from: Located<bigint>): StackValue {
    const raw = loadTen(this.cpu, from);
    return exactly(float80(Number(raw >> 64n), BigInt.asUintN(64, raw)));
  }
  override fromReal(w: 32 | 64, raw: bigint, use: 'loaded' | 'operand'): StackValue {
    if (use === 'loaded') return fromMemory(w, raw);
    const { value, denormal } = widen(w, raw);
    return { ...exactly(value), denormal };
  }
  override constantX87(value: 0 | 1): StackValue { return exactly(constant(value === 0 ? 'Z' : '1', ROUND.nearest)); }

  override operate(op: X87Operation, a: StackValue, b: StackValue): StackValue {
    if (isUnderflow(a) || isUnderflow(b)) return UNDERFLOW;
    const result = OPERATIONS[op](a.value, b.value, rounding(this.cpu));
    const denormal = a.denormal === true || b.denormal === true;
    return { ...result, flags: withDenormalOperand(result.flags, { value: b.value, denormal }, nanResult(a.value, b.value) !== undefined) };
  }
  override squareRoot(a: StackValue): StackValue { return isUnderflow(a) ? UNDERFLOW : squareRoot(a.value, rounding(this.cpu)); }
  override withSign(how: 'negated' | 'absolute', a: StackValue): StackValue {
    if (isUnderflow(a)) return UNDERFLOW;
    return exactly(how === 'negated' ? negated(a.value) : { ...a.value, sign: 0 });
  }

  override conclude(raised: readonly StackValue[], body: () => void): void {
    const flags = raised.reduce((all, x) => all | x.flags, 0);
    if (signal(this.cpu.state, { flags, c1: raised.some(({ c1 }) => c1) })) body();
  }
  override storeExtended(to: Located<bigint>, v: StackValue, body: () => void): void {
    if (isMasked(this.cpu.state, v.flags & FLAG.IE)) storeTen(this.cpu, to, (BigInt(signAndExponent(v.value)) << 64n) | v.value.significand);
    this.conclude([v], body);
  }
  override pushSt(v: StackValue): void {
    const { state } = this.cpu;
    const full = !isUnderflow(v) && !isEmpty(state, -1);
    const pushed = full ? { ...STACK_OVERFLOW, value: INDEFINITE } : v;
    this.conclude([pushed], () => push(state, pushed.value));
  }
  override setSt(i: number, v: StackValue): void { writeSt(this.cpu.state, i, v.value); }
  override popSt(): void { pop(this.cpu.state); }
}
