/** What the instructions of the x87 FPU do that are not written over the vocabulary, in a line each. SDM Vol. 2A, each instruction's "Operation". */
import type { SystemText } from './text.ts';

/** Reads and writes x87 state: registers, tags, TOP, status, pointers. */
const x87 = (says: string, reads = '', writes = ''): SystemText => [says, `x87 ${reads}`.trim(), `x87 ${writes}`.trim()];
const push = (value: string): SystemText => x87(`${value} is pushed: ST(0)`);
const stored = (says: string): SystemText => x87(`{0} ← ST(0) ${says}`, '', 'memory');
const popped = (says: string): SystemText => x87(`{0} ← ST(0) ${says}, which is popped`, '', 'memory');
const integer = (symbol: string): SystemText => x87(`ST(0) ← ST(0) ${symbol} the integer {0}`, 'memory');
const reversed = (symbol: string): SystemText => x87(`ST(0) ← the integer {0} ${symbol} ST(0)`, 'memory');
const moved = (condition: string, flags: string): SystemText => x87(`if ${condition}: ST(0) ← {1}`, flags);
const compared = (operand: string, pops: string): SystemText => x87(`C3, C2, C0 ← ST(0) compared with ${operand}${pops}`, 'memory');
const flagged = (pops: string): SystemText => x87(`ZF, PF, CF ← ST(0) compared with {1}${pops}`, '', 'ZF PF CF OF SF AF');
const POPS = ', which is popped', POPS_BOTH = '; both are popped';

export const X87: Readonly<Record<string, SystemText>> = {
  FST: stored('rounded'), FSTP: popped('rounded'),
  FILD: x87('the integer {0} is pushed: ST(0)', 'memory'), FIST: stored('as an integer, rounded'), FISTP: popped('as an integer, rounded'), FISTTP: popped('as an integer, toward zero'),
  FBLD: x87('the decimal number {0} is pushed: ST(0)', 'memory'), FBSTP: popped('as a decimal number'),
  FCMOVB: moved('CF', 'CF'), FCMOVE: moved('ZF', 'ZF'), FCMOVBE: moved('CF or ZF', 'CF ZF'), FCMOVU: moved('PF', 'PF'),
  FCMOVNB: moved('not CF', 'CF'), FCMOVNE: moved('not ZF', 'ZF'), FCMOVNBE: moved('neither CF nor ZF', 'CF ZF'), FCMOVNU: moved('not PF', 'PF'),
  FLDL2T: push('log₂ 10'), FLDL2E: push('log₂ e'), FLDPI: push('π'), FLDLG2: push('log₁₀ 2'), FLDLN2: push('ln 2'),
  FIADD: integer('+'), FIMUL: integer('×'), FISUB: integer('-'), FISUBR: reversed('-'), FIDIV: integer('/'), FIDIVR: reversed('/'),
  FRNDINT: x87('ST(0) ← ST(0) rounded to an integer'),
  FSCALE: x87('ST(0) ← ST(0) × 2 to the power of ST(1) toward zero'),
  FXTRACT: x87('ST(0) ← its exponent; its significand is pushed'),
  FPREM: x87('ST(0) ← the remainder of ST(0) / ST(1), the quotient toward zero, or a step on the way to it: C2'), FPREM1: x87('ST(0) ← the remainder of ST(0) / ST(1), the quotient to nearest, or a step on the way to it: C2'),
  F2XM1: x87('ST(0) ← 2 to the power of ST(0), - 1'), FYL2X: x87('ST(1) ← ST(1) × log₂ ST(0); ST(0) is popped'), FYL2XP1: x87('ST(1) ← ST(1) × log₂ (ST(0) + 1); ST(0) is popped'),
  FPATAN: x87('ST(1) ← the angle whose tangent is ST(1) / ST(0); ST(0) is popped'), FPTAN: x87('ST(0) ← tan ST(0); 1 is pushed'),
  FSIN: x87('ST(0) ← sin ST(0)'), FCOS: x87('ST(0) ← cos ST(0)'), FSINCOS: x87('ST(0) ← sin ST(0); its cosine is pushed'),
  FCOM: compared('{0}', ''), FCOMP: compared('{0}', POPS), FCOMPP: compared('ST(1)', POPS_BOTH), FICOM: compared('the integer {0}', ''), FICOMP: compared('the integer {0}', POPS),
  FUCOM: compared('{0}', '; a quiet NaN is no error'), FUCOMP: compared('{0}', `${POPS}; a quiet NaN is no error`), FUCOMPP: compared('ST(1)', `${POPS_BOTH}; a quiet NaN is no error`),
  FCOMI: flagged(''), FCOMIP: flagged(POPS), FUCOMI: flagged('; a quiet NaN is no error'), FUCOMIP: flagged(`${POPS}; a quiet NaN is no error`),
  FTST: compared('0.0', ''), FXAM: x87('C3, C2, C0 ← what kind of number ST(0) is, C1 ← its sign'),
  FNINIT: x87('the x87 FPU becomes as at the beginning: all registers empty, all exceptions masked'), FNCLEX: x87('the exceptions in the status word are forgotten'), WAIT: x87('an x87 exception that waits is raised: #MF'),
  FLDCW: x87('the control word ← {0}', 'memory'), FNSTCW: x87('{0} ← the control word', '', '{0}'), FNSTSW: x87('{0} ← the status word', '', '{0}'),
  FNSTENV: x87('{0} ← control, status and tag word and the pointers; all exceptions are masked', '', 'memory'), FLDENV: x87('control, status and tag word and the pointers ← {0}', 'memory'),
  FNSAVE: x87('{0} ← the state of the x87 FPU, which becomes as at the beginning', '', 'memory'), FRSTOR: x87('the state of the x87 FPU ← {0}', 'memory'),
  FNOP: x87('nothing'), FDECSTP: x87('TOP ← TOP - 1'), FINCSTP: x87('TOP ← TOP + 1'), FFREE: x87('{0} is marked empty'), FFREEP: x87('{0} is marked empty, and ST(0) is popped'),
  FSTPNCE: x87('{0} ← ST(0) unless that is empty; it is popped'), FNENI: x87('nothing'), FNDISI: x87('nothing'), FNSETPM: x87('nothing'),
  EMMS: x87('all registers of the x87 stack are marked empty: MMX is over'),
};
