/** x87 data transfer: loads, stores, integers, packed decimals, exchanges, conditional moves, constants. SDM Vol. 1, "Data Transfer Instructions". */
import type { Cpu } from '../../cpu.ts';
import { FLAG, ROUND } from '../../floating-point/exact.ts';
import { isMasked, roundingMode, signal, STATUS } from '../../fpu/control.ts';
import { fromPackedDecimal, indefiniteReal, toInteger, toMemory, toPackedDecimal, type Stored } from '../../fpu/conversion.ts';
import { fromInteger, INDEFINITE, type Float80 } from '../../fpu/float80.ts';
import { exactly, type Result } from '../../fpu/nan.ts';
import { constant, type Constant } from '../../fpu/partial.ts';
import { isEmpty, pop, push, readSt, STACK_OVERFLOW, STACK_UNDERFLOW, writeSt } from '../../fpu/registers.ts';
import { getFlag } from '../../flags.ts';
import type { Instruction } from '../instruction.ts';
import type { SystemSemantics } from '../row.ts';
import { memoryOperand, readOperand, writeOperand } from './operands.ts';
import { conclude, loadTen, located, stackRegister, storeTen, x87 } from './x87-operands.ts';

/** Pushes a value, or the indefinite where the stack is full. */
function pushResult(cpu: Cpu, result: Result): void {
  const { state } = cpu;
  if (!isEmpty(state, -1)) conclude(cpu, STACK_OVERFLOW, () => push(state, INDEFINITE));
  else conclude(cpu, result, () => push(state, result.value));
}

/** FILD — Load Integer. */
export const FILD: SystemSemantics = x87((cpu, i) => {
  pushResult(cpu, exactly(fromInteger(BigInt.asIntN(memoryOperand(i, 0).width, readOperand(cpu, i, 0)))));
});
/** FBLD — Load Binary Coded Decimal. */
export const FBLD: SystemSemantics = x87((cpu, i) => pushResult(cpu, exactly(fromPackedDecimal(loadTen(cpu, located(cpu, i, 0))))));
/** FLDL2T / FLDL2E / FLDPI / FLDLG2 / FLDLN2 — Load Constant. */
export const FLD_CONSTANT: SystemSemantics = x87((cpu, i) => {
  pushResult(cpu, exactly(constant(i.mnemonic.slice('FLD'.length) as Constant, roundingMode(cpu.state))));
});

/** Stores what a conversion of ST(0) gives, or the indefinite where ST(0) is empty; memory first, for it may fault. */
function store(cpu: Cpu, convert: (x: Float80) => Stored, indefinite: bigint, write: (raw: bigint) => void, pops: boolean): void {
  const { state } = cpu;
  const stored = isEmpty(state, 0)
    ? { ...STACK_UNDERFLOW, raw: indefinite, stored: isMasked(state, FLAG.IE) }
    : convert(readSt(state, 0));
  if (stored.stored) write(stored.raw);
  signal(state, stored);
  if (stored.stored && pops) pop(state);
}
const pops = (i: Instruction): boolean => i.mnemonic.endsWith('P');

/** FST / FSTP — Store Floating-Point Value, to memory of 32 or 64 bits. */
export const FST_REAL: SystemSemantics = x87((cpu, i) => {
  const width = memoryOperand(i, 0).width as 32 | 64;
  const { state } = cpu;
  store(cpu, (x) => toMemory(width, x, roundingMode(state), state.fpuControl), indefiniteReal(width), (raw) => writeOperand(cpu, i, 0, raw), pops(i));
});
/** FSTPNCE: FSTP to a register that does not check whether ST(0) is empty. Nothing is stored then, and no exception raised. Not in the SDM; as AMD's processors have it. */
export const FSTPNCE: SystemSemantics = x87((cpu, i) => {
  const { state } = cpu;
  if (!isEmpty(state, 0)) writeSt(state, stackRegister(i, 0), readSt(state, 0));
  state.fpuStatus &= ~STATUS.C1;
  pop(state);
});
/** FIST / FISTP — Store Integer. */
export const FIST: SystemSemantics = x87((cpu, i) => {
  const width = memoryOperand(i, 0).width as 16 | 32 | 64;
  const { state } = cpu;
  store(cpu, (x) => toInteger(width, x, roundingMode(state), state.fpuControl), 1n << BigInt(width - 1), (raw) => writeOperand(cpu, i, 0, raw), pops(i));
});
/** FISTTP — Store Integer With Truncation and Pop. */
export const FISTTP: SystemSemantics = x87((cpu, i) => {
  const width = memoryOperand(i, 0).width as 16 | 32 | 64;
  store(cpu, (x) => toInteger(width, x, ROUND.zero, cpu.state.fpuControl), 1n << BigInt(width - 1), (raw) => writeOperand(cpu, i, 0, raw), true);
});
/** FBSTP — Store BCD Integer and Pop. */
export const FBSTP: SystemSemantics = x87((cpu, i) => {
  const { state } = cpu;
  const convert = (x: Float80): Stored => toPackedDecimal(x, roundingMode(state), state.fpuControl);
  store(cpu, convert, convert(INDEFINITE).raw, (raw) => storeTen(cpu, located(cpu, i, 0), raw), true);
});

/** The conditions of FCMOVcc, by what stands behind FCMOV. */
const CONDITIONS: Readonly<Record<string, (flag: (name: 'CF' | 'ZF' | 'PF') => boolean) => boolean>> = {
  B: (flag) => flag('CF'), E: (flag) => flag('ZF'), BE: (flag) => flag('CF') || flag('ZF'), U: (flag) => flag('PF'),
  NB: (flag) => !flag('CF'), NE: (flag) => !flag('ZF'), NBE: (flag) => !flag('CF') && !flag('ZF'), NU: (flag) => !flag('PF'),
};
/** FCMOVcc — Floating-Point Conditional Move. An empty register is an underflow whether or not the condition holds. */
export const FCMOV: SystemSemantics = x87((cpu, i) => {
  const { state } = cpu;
  const n = stackRegister(i, 1);
  if (isEmpty(state, 0) || isEmpty(state, n)) {
    conclude(cpu, STACK_UNDERFLOW, () => writeSt(state, 0, INDEFINITE));
    return;
  }
  const holds = CONDITIONS[i.mnemonic.slice('FCMOV'.length)]!((name) => getFlag(state, name));
  if (holds) writeSt(state, 0, readSt(state, n));
});
