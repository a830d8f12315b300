/** x87 arithmetic. SDM Vol. 1, "Basic Arithmetic Instructions". */
import type { Cpu } from '../../cpu.ts';
import { add, divide, multiply, subtract } from '../../fpu/arithmetic.ts';
import { setConditionCodes, STATUS, type Report } from '../../fpu/control.ts';
import { fromInteger, INDEFINITE, type Float80 } from '../../fpu/float80.ts';
import type { Result } from '../../fpu/nan.ts';
import type { Control } from '../../fpu/pack.ts';
import { extract, remainder, roundToInteger, scale } from '../../fpu/partial.ts';
import { isEmpty, push, readSt, STACK_OVERFLOW, STACK_UNDERFLOW, writeSt } from '../../fpu/registers.ts';
import type { Instruction } from '../instruction.ts';
import type { SystemSemantics } from '../row.ts';
import { memoryOperand, readOperand } from './operands.ts';
import { conclude, rounding, x87 } from './x87-operands.ts';

type Operation = (a: Float80, b: Float80, c: Control) => Result;
const reversed = (operation: Operation): Operation => (a, b, c) => operation(b, a, c);

/** By the mnemonic without its FI. */
const OPERATIONS: Readonly<Record<string, Operation>> = {
  ADD: add, SUB: subtract, SUBR: reversed(subtract), MUL: multiply, DIV: divide, DIVR: reversed(divide),
};
const operationOf = (i: Instruction): Operation => OPERATIONS[/^FI(ADD|SUBR?|MUL|DIVR?)$/.exec(i.mnemonic)![1]!]!;

/** ST(0) := result. */
function finish(cpu: Cpu, report: Report, value: Float80): void {
  conclude(cpu, report, () => writeSt(cpu.state, 0, value));
}

/** FIADD FISUB FISUBR FIMUL FIDIV FIDIVR. */
export const INTEGER_ARITHMETIC: SystemSemantics = x87((cpu, i) => {
  const { state } = cpu;
  const operand = fromInteger(BigInt.asIntN(memoryOperand(i, 0).width, readOperand(cpu, i, 0)));
  if (isEmpty(state, 0)) return finish(cpu, STACK_UNDERFLOW, INDEFINITE);
  const result = operationOf(i)(readSt(state, 0), operand, rounding(cpu));
  return finish(cpu, result, result.value);
});

/** An operation on ST(0) alone. */
const unary = (operation: (cpu: Cpu, x: Float80) => Result): SystemSemantics => x87((cpu) => {
  const { state } = cpu;
  if (isEmpty(state, 0)) return finish(cpu, STACK_UNDERFLOW, INDEFINITE);
  const result = operation(cpu, readSt(state, 0));
  return finish(cpu, result, result.value);
});
/** FRNDINT — Round to Integer. */
export const FRNDINT: SystemSemantics = unary((cpu, x) => roundToInteger(x, rounding(cpu)));

/** FSCALE — Scale: ST(0) by ST(1). */
export const FSCALE: SystemSemantics = x87((cpu) => {
  const { state } = cpu;
  if (isEmpty(state, 0) || isEmpty(state, 1)) return finish(cpu, STACK_UNDERFLOW, INDEFINITE);
  const result = scale(readSt(state, 0), readSt(state, 1), rounding(cpu));
  return finish(cpu, result, result.value);
});

/** FXTRACT — Extract Exponent and Significand: the exponent replaces ST(0), the significand is pushed. */
export const FXTRACT: SystemSemantics = x87((cpu) => {
  const { state } = cpu;
  const both = (report: Report, exponent: Float80, significand: Float80): void => conclude(cpu, report, () => {
    writeSt(state, 0, exponent);
    push(state, significand);
  });
  if (isEmpty(state, 0)) return both(STACK_UNDERFLOW, INDEFINITE, INDEFINITE);
  if (!isEmpty(state, -1)) return both(STACK_OVERFLOW, INDEFINITE, INDEFINITE);
  const { exponent, significand } = extract(readSt(state, 0), rounding(cpu));
  return both(exponent, exponent.value, significand);
});

/** FPREM, FPREM1 — Partial Remainder. C2 says that there is more to do; C0 C3 C1 are bits 2, 1 and 0 of the quotient. */
const partialRemainder = (nearest: boolean): SystemSemantics => x87((cpu) => {
  const { state } = cpu;
  setConditionCodes(state, 0, STATUS.C2);
  if (isEmpty(state, 0) || isEmpty(state, 1)) return finish(cpu, STACK_UNDERFLOW, INDEFINITE);
  const { result, quotient } = remainder(readSt(state, 0), readSt(state, 1), nearest, rounding(cpu));
  return conclude(cpu, result, () => {
    writeSt(state, 0, result.value);
    if (quotient === 'partial') setConditionCodes(state, STATUS.C2);
    else if (quotient !== 'none') setConditionCodes(state, ((quotient & 4) !== 0 ? STATUS.C0 : 0) | ((quotient & 2) !== 0 ? STATUS.C3 : 0) | ((quotient & 1) !== 0 ? STATUS.C1 : 0));
  });
});
export const FPREM: SystemSemantics = partialRemainder(false);
export const FPREM1: SystemSemantics = partialRemainder(true);
