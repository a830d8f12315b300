/** The register stack. ST(i) is physical register (TOP + i) mod 8. SDM Vol. 1, "x87 FPU Data Registers", "x87 FPU Tag Word". */
import type { GuestState } from '../../state/guest-state.ts';
import { FLAG } from '../floating-point/exact.ts';
import { STATUS, type Report } from './control.ts';
import { classify, float80, signAndExponent, type Float80 } from './float80.ts';

/** What the tag word says of a register, in two bits. */
export const TAG = { valid: 0, zero: 1, special: 2, empty: 3 } as const;
export const ALL_EMPTY = 0xffff, ALL_VALID = 0;
/** Where the status word has TOP. */
export const TOP_SHIFT = 11;

export const top = (state: GuestState): number => (state.fpuStatus >> TOP_SHIFT) & 7;
export const setTop = (state: GuestState, value: number): void => { state.fpuStatus = (state.fpuStatus & ~STATUS.TOP) | ((value & 7) << TOP_SHIFT); };
const physicalOf = (state: GuestState, i: number): number => (top(state) + i) & 7;

export const isEmpty = (state: GuestState, i: number): boolean => ((state.fpuTag >> (2 * physicalOf(state, i))) & 3) === TAG.empty;

/** What register R0-R7 holds, whether tagged empty or not. */
export const readPhysical = (state: GuestState, register: number): Float80 =>
  float80(Number(state.fpuRegisters[2 * register + 1]!), state.fpuRegisters[2 * register]!);
export function writePhysical(state: GuestState, register: number, x: Float80): void {
  state.fpuRegisters[2 * register] = x.significand;
  state.fpuRegisters[2 * register + 1] = BigInt(signAndExponent(x));
}

const setTag = (state: GuestState, register: number, tag: number): void => { state.fpuTag = (state.fpuTag & ~(3 << (2 * register))) | (tag << (2 * register)); };

/** The tag that a value deserves. */
function tagOf(x: Float80): number {
  const kind = classify(x);
  return kind === 'zero' ? TAG.zero : kind === 'normal' ? TAG.valid : TAG.special;
}

/** Tags every register that is not empty by what it holds; `empty` has a bit for each register. FXRSTOR, FLDENV and FRSTOR keep no more than that. */
export function retag(state: GuestState, empty: number): void {
  for (let register = 0; register < 8; register++) setTag(state, register, (empty >> register & 1) !== 0 ? TAG.empty : tagOf(readPhysical(state, register)));
}
/** A bit for each register that is empty. */
export const emptyRegisters = (tagWord: number): number => Array.from({ length: 8 }, (_, n) => ((tagWord >> (2 * n)) & 3) === TAG.empty ? 1 << n : 0).reduce((a, b) => a | b, 0);

export const readSt = (state: GuestState, i: number): Float80 => readPhysical(state, physicalOf(state, i));

/** Writes ST(i) and tags it. */
export function writeSt(state: GuestState, i: number, x: Float80): void {
  const register = physicalOf(state, i);
  writePhysical(state, register, x);
  setTag(state, register, tagOf(x));
}

/** Makes ST(i) empty; what it holds stays. */
export const free = (state: GuestState, i: number): void => setTag(state, physicalOf(state, i), TAG.empty);

export function push(state: GuestState, x: Float80): void {
  setTop(state, top(state) - 1);
  writeSt(state, 0, x);
}
export function pop(state: GuestState): void {
  free(state, 0);
  setTop(state, top(state) + 1);
}

/** An operand in an empty register, and a push onto one that is not: invalid operations that set SF; C1 tells which. */
export const STACK_UNDERFLOW: Report = { flags: FLAG.IE | STATUS.SF, c1: false };
export const STACK_OVERFLOW: Report = { flags: FLAG.IE | STATUS.SF, c1: true };
