/** x87 control: initialisation, control and status words, environment, state, stack management, EMMS. SDM Vol. 1, "x87 FPU Control Instructions". */
import { CR0, CR4 } from '../../../mmu/control-bits.ts';
import type { GuestState } from '../../../state/guest-state.ts';
import type { Cpu } from '../../cpu.ts';
import { GP, NM } from '../../exceptions.ts';
import { CONDITION_CODES, EXCEPTIONS, requireNoPendingException, setControl, setStatus, STATUS } from '../../fpu/control.ts';
import { ENVIRONMENT_BYTES, environmentImage, FXSAVE_BYTES, fxsaveImage, initialise, loadEnvironment, loadFxsaveImage, loadState, mxcsrOf, stateBytes, stateImage, type FxsaveOptions } from '../../fpu/environment.ts';
import { requireMmx } from '../../fpu/mmx.ts';
import { checkMxcsr } from '../../mxcsr.ts';
import { ALL_EMPTY, free, pop, setTop, top } from '../../fpu/registers.ts';
import type { Instruction } from '../instruction.ts';
import type { SystemSemantics } from '../row.ts';
import { memoryOperand, readOperand, writeOperand } from './operands.ts';
import { isAligned, loadBlock, stackRegister, storeBlock, x87, x87Control, x87NoWait } from './x87-operands.ts';

/** FNINIT — Initialize Floating-Point Unit. */
export const FNINIT: SystemSemantics = x87NoWait((cpu) => initialise(cpu.state));

/** FNCLEX — Clear Exceptions: flags, SF, ES and B; the condition codes are left undefined by the manual and unchanged by processors. */
export const FNCLEX: SystemSemantics = x87NoWait(({ state }) => setStatus(state, state.fpuStatus & (STATUS.TOP | CONDITION_CODES)));

/** WAIT — Wait: a pending exception is raised. It looks at TS only together with MP. */
export const WAIT: SystemSemantics = (cpu) => {
  const { cr0 } = cpu.state;
  if ((cr0 & CR0.MP) !== 0 && (cr0 & CR0.TS) !== 0) throw NM('WAIT with CR0.MP = 1 and CR0.TS = 1');
  requireNoPendingException(cpu);
};

/** FLDCW — Load x87 FPU Control Word. Unmasking a flagged exception makes it pending. */
export const FLDCW: SystemSemantics = x87Control((cpu, i) => setControl(cpu.state, Number(readOperand(cpu, i, 0))));
/** FNSTCW — Store x87 FPU Control Word; FNSTSW — Store x87 FPU Status Word. */
export const FNSTCW: SystemSemantics = x87NoWait((cpu, i) => writeOperand(cpu, i, 0, BigInt(cpu.state.fpuControl)));
export const FNSTSW: SystemSemantics = x87NoWait((cpu, i) => writeOperand(cpu, i, 0, BigInt(cpu.state.fpuStatus)));

/** Images have a 16-bit form with a 16-bit operand size. In 64-bit mode REX.W changes nothing. */
const imageSize = (i: Instruction): 16 | 32 => (i.width === 16 ? 16 : 32);

/** FNSTENV — Store x87 FPU Environment; then all exceptions are masked. */
export const FNSTENV: SystemSemantics = x87NoWait((cpu, i) => {
  const { state } = cpu;
  storeBlock(cpu, memoryOperand(i, 0), environmentImage(state, imageSize(i)));
  setControl(state, state.fpuControl | EXCEPTIONS);
});
/** FLDENV — Load x87 FPU Environment. */
export const FLDENV: SystemSemantics = x87Control((cpu, i) => {
  const size = imageSize(i);
  loadEnvironment(cpu.state, loadBlock(cpu, memoryOperand(i, 0), ENVIRONMENT_BYTES[size]), size);
});
/** FNSAVE — Store x87 FPU State; then the FPU is initialised. */
export const FNSAVE: SystemSemantics = x87NoWait((cpu, i) => {
  storeBlock(cpu, memoryOperand(i, 0), stateImage(cpu.state, imageSize(i)));
  initialise(cpu.state);
});
/** FRSTOR — Restore x87 FPU State. */
export const FRSTOR: SystemSemantics = x87Control((cpu, i) => {
  const size = imageSize(i);
  loadState(cpu.state, loadBlock(cpu, memoryOperand(i, 0), stateBytes(size)), size);
});

/** FNOP — No Operation. */
export const FNOP: SystemSemantics = x87(() => undefined);
/** FDECSTP, FINCSTP — Decrement, Increment Stack-Top Pointer. No tag changes. */
const moveTop = (by: 1 | -1): SystemSemantics => x87((cpu) => {
  setTop(cpu.state, top(cpu.state) + by);
  cpu.state.fpuStatus &= ~STATUS.C1;
});
export const FDECSTP: SystemSemantics = moveTop(-1);
export const FINCSTP: SystemSemantics = moveTop(1);
/** FNENI, FNDISI of the 8087 and FNSETPM of the 80287, which set nothing in an FPU of 32 bits. SDM Vol. 3B, "Obsolete Instructions". */
export const OBSOLETE: SystemSemantics = x87NoWait(() => undefined);

/** FFREE — Free Floating-Point Register. Manual: the condition codes are undefined; hardware clears C1. */
const freed = (then: (state: GuestState) => void): SystemSemantics => x87(({ state }, i) => {
  free(state, stackRegister(i, 0));
  then(state);
  state.fpuStatus &= ~STATUS.C1;
});
export const FFREE: SystemSemantics = freed(() => undefined);
/** FFREEP: FFREE, then a pop. Not in the SDM. */
export const FFREEP: SystemSemantics = freed(pop);

/**
 * EMMS — Empty MMX Technology State. #UD with CR0.EM, as every MMX instruction; TOP becomes 0, as with every one of them
 * (SDM Vol. 3A, "The MMX State and MMX Register Aliasing"), which a processor does and QEMU 7.2 does not.
 */
export const EMMS: SystemSemantics = (cpu) => {
  requireMmx(cpu);
  cpu.state.fpuTag = ALL_EMPTY;
  setTop(cpu.state, 0);
};

function fxsaveOptions(cpu: Cpu, i: Instruction): FxsaveOptions {
  const withXmm = (cpu.state.cr4 & CR4.OSFXSR) !== 0;
  return { wide: i.mnemonic.endsWith('64'), xmmRegisters: withXmm ? (cpu.in64BitMode ? 16 : 8) : 0 };
}
function requireFxsave(cpu: Cpu, i: Instruction): void {
  const { cr0 } = cpu.state;
  if ((cr0 & (CR0.EM | CR0.TS)) !== 0) throw NM(`${i.mnemonic} with CR0.${(cr0 & CR0.EM) !== 0 ? 'EM' : 'TS'} = 1`);
  if (!isAligned(cpu, memoryOperand(i, 0), 16)) throw GP(0, `${i.mnemonic} operand is not aligned to 16 bytes`);
}

/** FXSAVE, FXSAVE64 — Save x87 FPU, MMX Technology, and SSE State. Bytes that are in no field stay as they are in memory. */
export const FXSAVE: SystemSemantics = (cpu, i) => {
  requireFxsave(cpu, i);
  const x = memoryOperand(i, 0);
  const image = loadBlock(cpu, x, FXSAVE_BYTES, 'modify');
  fxsaveImage(cpu.state, image, fxsaveOptions(cpu, i));
  storeBlock(cpu, x, image);
};
/** FXRSTOR, FXRSTOR64 — Restore x87 FPU, MMX, XMM, and MXCSR State. #GP(0) for reserved bits of MXCSR. */
export const FXRSTOR: SystemSemantics = (cpu, i) => {
  requireFxsave(cpu, i);
  const image = loadBlock(cpu, memoryOperand(i, 0), FXSAVE_BYTES);
  const options = fxsaveOptions(cpu, i);
  if (options.xmmRegisters !== 0) checkMxcsr(mxcsrOf(image));
  loadFxsaveImage(cpu.state, image, options);
};
