/** The control and status words. SDM Vol. 1, "x87 FPU Status Register", "x87 FPU Control Word". */
import type { GuestState } from '../../state/guest-state.ts';
import { ACTIVITY, NUMERIC_ERROR } from '../../state/layout.ts';
import { CR0 } from '../../mmu/control-bits.ts';
import type { Cpu } from '../cpu.ts';
import { Frozen, MF, NM } from '../exceptions.ts';
import { DOUBLE, FLAG, SINGLE, type Rounding } from '../floating-point/exact.ts';
import { EXTENDED } from './float80.ts';

/** The exception flags of the status word; the control word has their masks at the same bits. */
export const EXCEPTIONS = 0x3f;
/** Exceptions that are detected before an operation: unmasked, they keep it from being done. */
const BEFORE_OPERATION = FLAG.IE | FLAG.DE | FLAG.ZE;
/** The rest of the status word: stack fault, error summary, condition codes, busy. TOP is in bits 13:11. */
export const STATUS = { SF: 0x40, ES: 0x80, C0: 0x100, C1: 0x200, C2: 0x400, TOP: 0x3800, C3: 0x4000, B: 0x8000 } as const;
export const CONDITION_CODES = STATUS.C0 | STATUS.C1 | STATUS.C2 | STATUS.C3;

/** What FNINIT loads: all exceptions masked, 64-bit precision, round to nearest. */
export const INITIAL_CONTROL = 0x37f;
/** Bit 6 always reads as 1; bits 7 and 15:13 as 0. Bit 12, infinity control, can be written and means nothing. */
const CONTROL_WRITABLE = 0x1f3f, CONTROL_FIXED = 0x40;

export const roundingMode = (state: GuestState): Rounding => ((state.fpuControl >> 10) & 3) as Rounding;

/** The precision that PC selects for the results of addition, subtraction, multiplication, division and square root; the reserved value means the widest. */
export const selectedPrecision = (state: GuestState): number => [SINGLE, EXTENDED, DOUBLE, EXTENDED][(state.fpuControl >> 8) & 3]!.precision;

/** Makes ES and B say whether an exception is flagged that is not masked. If none is, FERR# and IGNNE# end. */
function summarise(state: GuestState): void {
  const pending = (state.fpuStatus & ~state.fpuControl & EXCEPTIONS) !== 0;
  state.fpuStatus = pending ? state.fpuStatus | STATUS.ES | STATUS.B : state.fpuStatus & ~(STATUS.ES | STATUS.B);
  if (!pending) state.numericError = NUMERIC_ERROR.none;
}

export function setControl(state: GuestState, value: number): void {
  state.fpuControl = (value & CONTROL_WRITABLE) | CONTROL_FIXED;
  summarise(state);
}

export function setStatus(state: GuestState, value: number): void {
  state.fpuStatus = value & 0xffff;
  summarise(state);
}

export function setConditionCodes(state: GuestState, codes: number, mask: number = CONDITION_CODES): void {
  state.fpuStatus = (state.fpuStatus & ~mask) | codes;
}

/** Whether every one of these exceptions is masked. */
export const isMasked = (state: GuestState, flags: number): boolean => (flags & ~state.fpuControl & EXCEPTIONS) === 0;

/** What an operation gives beside its value: exception flags, with SF where the stack was at fault, and what C1 shows. */
export interface Report { readonly flags: number; readonly c1: boolean }

/** Flags the exceptions of an operation. Returns whether its result may be stored: it may not where one detected before the operation is unmasked. */
export function signal(state: GuestState, { flags, c1 }: Report): boolean {
  const before = flags & BEFORE_OPERATION;
  const stopped = !isMasked(state, before);
  const stack = flags & STATUS.SF;
  state.fpuStatus = (state.fpuStatus & ~STATUS.C1) | (stopped ? before | stack : flags) | (c1 && (!stopped || stack !== 0) ? STATUS.C1 : 0);
  summarise(state);
  return !stopped;
}

/** #NM while the FPU is emulated or belongs to another task. Every x87 instruction but WAIT. SDM Vol. 3A, "Device-Not-Available Exception (#NM)". */
export function requireFpu(cpu: Cpu): void {
  if ((cpu.state.cr0 & (CR0.EM | CR0.TS)) !== 0) throw NM(`x87 instruction with CR0.${(cpu.state.cr0 & CR0.EM) !== 0 ? 'EM' : 'TS'} = 1`);
}

/** #MF where an unmasked exception waits: of every instruction that has no "no-wait" form. SDM Vol. 1, "x87 FPU Exception Handling in Software". */
export function requireNoPendingException(cpu: Cpu): void {
  if ((cpu.state.fpuStatus & STATUS.ES) === 0) return;
  if ((cpu.state.cr0 & CR0.NE) !== 0) throw MF(`unmasked x87 exception, status word 0x${cpu.state.fpuStatus.toString(16)}`);
  reportNumericError(cpu);
}

/**
 * While CR0.NE is 0 the exception goes out through FERR#, which a PC's chipset makes IRQ 13 of, and the processor freezes until an interrupt comes,
 * unless the chipset asserts IGNNE#. FERR# is asserted by the instruction that finds the exception waiting, as processors since the P6 family do for all
 * exceptions. SDM Vol. 1, "MS-DOS Compatibility Sub-mode", "Guidelines for Writing x87 FPU Exception Handlers".
 */
function reportNumericError(cpu: Cpu): void {
  const { state } = cpu;
  if (state.numericError === NUMERIC_ERROR.ignored) return;
  if (state.numericError === NUMERIC_ERROR.none) {
    state.numericError = NUMERIC_ERROR.reported;
    cpu.bus.numericError?.();
  }
  // An interrupt comes before this instruction even in the shadow of STI.
  cpu.shadow = 0;
  state.activity = ACTIVITY.frozen;
  cpu.attention = true;
  throw new Frozen('an x87 exception is reported through FERR#');
}

/** IGNNE#: instructions go on in spite of the exception that FERR# reports, until it is cleared. */
export function ignoreNumericError(state: GuestState): void {
  if (state.numericError === NUMERIC_ERROR.reported) state.numericError = NUMERIC_ERROR.ignored;
}
