/** The x87 verbs of the reference engine, on the exact arithmetic of src/cpu/fpu. */
import { SEGMENT } from '../../../state/layout.ts';
import type { Cpu } from '../../cpu.ts';
import { FLAG, ROUND } from '../../floating-point/exact.ts';
import { add, divide, multiply, squareRoot, subtract } from '../../fpu/arithmetic.ts';
import { isMasked, requireFpu, requireNoPendingException, roundingMode, selectedPrecision, signal, STATUS } from '../../fpu/control.ts';
import { fromMemory, widen, withDenormalOperand } from '../../fpu/conversion.ts';
import { INDEFINITE, negated, type Float80 } from '../../fpu/float80.ts';
import { exactly, nanResult, type Result } from '../../fpu/nan.ts';
import type { Control } from '../../fpu/pack.ts';
import { constant } from '../../fpu/partial.ts';
import { isEmpty, pop, push, readSt, STACK_OVERFLOW, STACK_UNDERFLOW, writeSt } from '../../fpu/registers.ts';
import { Ops } from '../../isa/ops.ts';
import { offsetBy } from '../../isa/system/operands.ts';
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
  override noteX87(memory: Located<bigint> | undefined): void {
    const { state } = this.cpu;
    state.fpuInstructionPointer = state.rip;
    state.fpuInstructionSelector = state.selector[SEGMENT.CS]!;
    if (memory === undefined) return;
    state.fpuDataPointer = memory.offset;
    state.fpuDataSelector = state.selector[memory.operand.segment]!;
  }

  override getSt(i: number): StackValue {
    const { state } = this.cpu;
    return isEmpty(state, i) ? UNDERFLOW : exactly(readSt(state, i));
  }
  override loadExtended({ operand, offset }: Located<bigint>): StackValue {
    const significand = this.cpu.load(64, operand.segment, offset, 'read');
    const high = Number(this.cpu.load(16, operand.segment, offsetBy(operand, offset, 8), 'read'));
    return exactly({ sign: (high >> 15) as 0 | 1, exponent: high & 0x7fff, significand });
  }
  override fromReal(w: 32 | 64, raw: bigint, use: 'loaded' | 'operand'): StackValue {
    if (use === 'loaded') return fromMemory(w, raw);
    const { value, denormal } = widen(w, raw);
    return { ...exactly(value), denormal };
  }
  override constantX87(value: 0 | 1): StackValue { return exactly(constant(value === 0 ? 'Z' : '1', ROUND.nearest)); }

  override operate(op: X87Operation, a: StackValue, b: StackValue): StackValue {
    if (isUnderflow(a) || isUnderflow(b)) return UNDERFLOW;
    const result = OPERATIONS[op](a.value, b.value, this.#rounding());
    const denormal = a.denormal === true || b.denormal === true;
    return { ...result, flags: withDenormalOperand(result.flags, { value: b.value, denormal }, nanResult(a.value, b.value) !== undefined) };
  }
  override squareRoot(a: StackValue): StackValue { return isUnderflow(a) ? UNDERFLOW : squareRoot(a.value, this.#rounding()); }
  #rounding(): Control {
    const { state } = this.cpu;
    return { precision: selectedPrecision(state), mode: roundingMode(state), masked: state.fpuControl };
  }
  override withSign(how: 'negated' | 'absolute', a: StackValue): StackValue {
    if (isUnderflow(a)) return UNDERFLOW;
    return exactly(how === 'negated' ? negated(a.value) : { ...a.value, sign: 0 });
  }

  override conclude(raised: readonly StackValue[], body: () => void): void {
    const flags = raised.reduce((all, x) => all | x.flags, 0);
    if (signal(this.cpu.state, { flags, c1: raised.some(({ c1 }) => c1) })) body();
  }
  override storeExtended({ operand, offset }: Located<bigint>, v: StackValue, body: () => void): void {
    const { cpu } = this;
    if (isMasked(cpu.state, v.flags & FLAG.IE)) {
      const above = offsetBy(operand, offset, 8);
      cpu.probeStore(operand.segment, above, 2);
      cpu.store(64, operand.segment, offset, v.value.significand);
      cpu.store(16, operand.segment, above, BigInt((v.value.sign << 15) | v.value.exponent));
    }
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
