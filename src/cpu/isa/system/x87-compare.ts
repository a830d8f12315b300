/** x87 comparison and classification. SDM Vol. 1, "Comparison and Classification Instructions". */
import type { Cpu } from '../../cpu.ts';
import { RFLAGS, readRflags, writeRflags } from '../../flags.ts';
import { compare, type Relation } from '../../fpu/compare.ts';
import { setConditionCodes, signal, STATUS, type Report } from '../../fpu/control.ts';
import { widen, withDenormalOperand, type Widened } from '../../fpu/conversion.ts';
import { classify, fromInteger, isNaN80, zero } from '../../fpu/float80.ts';
import { isEmpty, pop, readSt, STACK_UNDERFLOW } from '../../fpu/registers.ts';
import type { Instruction } from '../instruction.ts';
import type { SystemSemantics } from '../row.ts';
import { memoryOperand, readOperand } from './operands.ts';
import { stackRegister, x87 } from './x87-operands.ts';

/** C3 C2 C0, which FNSTSW and SAHF put into ZF PF CF. */
const CODES: Readonly<Record<Relation, number>> = { greater: 0, less: STATUS.C0, equal: STATUS.C3, unordered: STATUS.C3 | STATUS.C2 | STATUS.C0 };
const FLAGS: Readonly<Record<Relation, number>> = { greater: 0, less: RFLAGS.CF, equal: RFLAGS.ZF, unordered: RFLAGS.ZF | RFLAGS.PF | RFLAGS.CF };
const popCount = (i: Instruction): number => (i.mnemonic.endsWith('PP') ? 2 : i.mnemonic.endsWith('P') ? 1 : 0);

/** Compares, tells the relation (unless an unmasked exception stops it), and pops. */
function conclude(cpu: Cpu, i: Instruction, report: Report & { readonly relation: Relation }, tell: (relation: Relation) => void): void {
  const { state } = cpu;
  if (!signal(state, report)) return;
  tell(report.relation);
  for (let n = popCount(i); n > 0; n--) pop(state);
}
const UNDERFLOW = { ...STACK_UNDERFLOW, relation: 'unordered' } as const;

const toStatusWord = (cpu: Cpu) => (relation: Relation): void => setConditionCodes(cpu.state, CODES[relation], STATUS.C3 | STATUS.C2 | STATUS.C0);

function withOperand(cpu: Cpu, i: Instruction, operand: Widened): void {
  const { state } = cpu;
  if (isEmpty(state, 0)) return conclude(cpu, i, UNDERFLOW, toStatusWord(cpu));
  const result = compare(readSt(state, 0), operand.value, false);
  const flags = withDenormalOperand(result.flags, operand, result.relation === 'unordered');
  return conclude(cpu, i, { relation: result.relation, flags, c1: false }, toStatusWord(cpu));
}

/** FCOM / FCOMP with memory of 32 or 64 bits. */
export const FCOM_REAL: SystemSemantics = x87((cpu, i) => {
  withOperand(cpu, i, widen(memoryOperand(i, 0).width as 32 | 64, readOperand(cpu, i, 0)));
});
/** FICOM / FICOMP. */
export const FICOM: SystemSemantics = x87((cpu, i) => withOperand(cpu, i, { value: fromInteger(BigInt.asIntN(memoryOperand(i, 0).width, readOperand(cpu, i, 0))), denormal: false }));
/** FTST — TEST, ST(0) against 0.0. */
export const FTST: SystemSemantics = x87((cpu, i) => withOperand(cpu, i, { value: zero(0), denormal: false }));

/** FCOM FCOMP FCOMPP FUCOM FUCOMP FUCOMPP with a register. */
export const FCOM_REGISTER: SystemSemantics = x87((cpu, i) => {
  const { state } = cpu;
  const n = i.operands.length === 0 ? 1 : stackRegister(i, 0);
  if (isEmpty(state, 0) || isEmpty(state, n)) return conclude(cpu, i, UNDERFLOW, toStatusWord(cpu));
  return conclude(cpu, i, { ...compare(readSt(state, 0), readSt(state, n), i.mnemonic.startsWith('FU')), c1: false }, toStatusWord(cpu));
});

/** FCOMI FCOMIP FUCOMI FUCOMIP: the relation goes to ZF PF CF; OF SF AF are cleared. */
export const FCOMI: SystemSemantics = x87((cpu, i) => {
  const { state } = cpu;
  const n = stackRegister(i, 1);
  const tell = (relation: Relation): void => writeRflags(state, (readRflags(state) & ~(RFLAGS.OF | RFLAGS.SF | RFLAGS.ZF | RFLAGS.AF | RFLAGS.PF | RFLAGS.CF)) | FLAGS[relation]);
  if (isEmpty(state, 0) || isEmpty(state, n)) return conclude(cpu, i, UNDERFLOW, tell);
  return conclude(cpu, i, { ...compare(readSt(state, 0), readSt(state, n), i.mnemonic.startsWith('FU')), c1: false }, tell);
});

/** FXAM — Examine: what ST(0) is, in C3 C2 C0, and its sign in C1. No exceptions. */
export const FXAM: SystemSemantics = x87((cpu) => {
  const { state } = cpu;
  const x = readSt(state, 0), kind = classify(x);
  const codes = isEmpty(state, 0) ? STATUS.C3 | STATUS.C0
    : kind === 'unsupported' ? 0
    : isNaN80(kind) ? STATUS.C0
    : kind === 'normal' ? STATUS.C2
    : kind === 'infinity' ? STATUS.C2 | STATUS.C0
    : kind === 'zero' ? STATUS.C3 : STATUS.C3 | STATUS.C2;
  setConditionCodes(state, codes | (x.sign === 1 ? STATUS.C1 : 0));
});
