/**
 * The FPU's state in memory: the environment of FNSTENV and FLDENV, the whole state of FNSAVE and FRSTOR, the image of
 * FXSAVE and FXRSTOR. SDM Vol. 1, "x87 FPU State"; Vol. 2A, "FXSAVE—Save x87 FPU, MMX Technology, and SSE State".
 */
import type { GuestState } from '../../state/guest-state.ts';
import { MXCSR_MASK } from '../mxcsr.ts';
import { INITIAL_CONTROL, setControl, setStatus } from './control.ts';
import { float80, signAndExponent } from './float80.ts';
import { ALL_EMPTY, emptyRegisters, readPhysical, retag, top, writePhysical } from './registers.ts';

/** Bytes of an environment: three words each of control, status, tags; then the pointers. */
export const ENVIRONMENT_BYTES = { 16: 14, 32: 28 } as const;
const REGISTER_BYTES = 10;
export const stateBytes = (size: 16 | 32): number => ENVIRONMENT_BYTES[size] + 8 * REGISTER_BYTES;
export const FXSAVE_BYTES = 512;

/** FNINIT. The data registers keep their contents, tagged empty. */
export function initialise(state: GuestState): void {
  state.fpuTag = ALL_EMPTY;
  state.fpuStatus = 0;
  setControl(state, INITIAL_CONTROL);
  state.fpuOpcode = state.fpuInstructionSelector = state.fpuDataSelector = 0;
  state.fpuInstructionPointer = state.fpuDataPointer = 0n;
}

/** Whether the FPU is as FNINIT leaves it, with registers of 0. SDM Vol. 1, "x87 State". */
export const isInitialX87 = (state: GuestState): boolean =>
  state.fpuControl === INITIAL_CONTROL && state.fpuStatus === 0 && state.fpuTag === ALL_EMPTY && state.fpuOpcode === 0
  && state.fpuInstructionSelector === 0 && state.fpuDataSelector === 0 && state.fpuInstructionPointer === 0n && state.fpuDataPointer === 0n
  && state.fpuRegisters.every((v) => v === 0n);

/** The tag word with every register that is not empty tagged by its contents: what FNSTENV stores. */
function currentTags(state: GuestState): number {
  retag(state, emptyRegisters(state.fpuTag));
  return state.fpuTag;
}

/** The protected-mode image of the environment; in the 16-bit one the pointers are offsets of 16 bits. */
export function environmentImage(state: GuestState, size: 16 | 32): Uint8Array {
  const image = new Uint8Array(ENVIRONMENT_BYTES[size]), view = new DataView(image.buffer);
  const words = [state.fpuControl, state.fpuStatus, currentTags(state)];
  const ip = Number(state.fpuInstructionPointer & 0xffff_ffffn), dp = Number(state.fpuDataPointer & 0xffff_ffffn);
  if (size === 16) {
    [...words, ip, state.fpuInstructionSelector, dp, state.fpuDataSelector].forEach((word, n) => view.setUint16(2 * n, word & 0xffff, true));
  } else {
    // Words lie in doublewords whose upper halves are ones.
    words.forEach((word, n) => view.setUint32(4 * n, word | 0xffff_0000, true));
    view.setUint32(12, ip, true);
    view.setUint32(16, state.fpuInstructionSelector | (state.fpuOpcode << 16), true);
    view.setUint32(20, dp, true);
    view.setUint32(24, state.fpuDataSelector | 0xffff_0000, true);
  }
  return image;
}

export function loadEnvironment(state: GuestState, image: Uint8Array, size: 16 | 32): void {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const word = (n: number): number => view.getUint16(n * (size / 8), true);
  setControl(state, word(0));
  setStatus(state, word(1));
  retag(state, emptyRegisters(word(2)));
  if (size === 16) {
    state.fpuInstructionPointer = BigInt(word(3));
    state.fpuInstructionSelector = word(4);
    state.fpuDataPointer = BigInt(word(5));
    state.fpuDataSelector = word(6);
    return;
  }
  state.fpuInstructionPointer = BigInt(view.getUint32(12, true));
  state.fpuInstructionSelector = view.getUint16(16, true);
  state.fpuOpcode = view.getUint16(18, true) & 0x7ff;
  state.fpuDataPointer = BigInt(view.getUint32(20, true));
  state.fpuDataSelector = view.getUint16(24, true);
}

/** The environment and ST(0)-ST(7), ten bytes each. */
export function stateImage(state: GuestState, size: 16 | 32): Uint8Array {
  const image = new Uint8Array(stateBytes(size)), environment = ENVIRONMENT_BYTES[size];
  image.set(environmentImage(state, size));
  for (let i = 0; i < 8; i++) putRegister(state, (top(state) + i) & 7, image, environment + REGISTER_BYTES * i);
  return image;
}

export function loadState(state: GuestState, image: Uint8Array, size: 16 | 32): void {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const newTop = (view.getUint16(size / 8, true) >> 11) & 7;
  for (let i = 0; i < 8; i++) takeRegister(state, (newTop + i) & 7, view, ENVIRONMENT_BYTES[size] + REGISTER_BYTES * i);
  loadEnvironment(state, image, size);
}

function putRegister(state: GuestState, register: number, image: Uint8Array, at: number): void {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const x = readPhysical(state, register);
  view.setBigUint64(at, x.significand, true);
  view.setUint16(at + 8, signAndExponent(x), true);
}
function takeRegister(state: GuestState, register: number, view: DataView, at: number): void {
  writePhysical(state, register, float80(view.getUint16(at + 8, true), view.getBigUint64(at, true)));
}

/** Which XMM registers an image takes part in: 16 in 64-bit mode, 8 elsewhere, none without CR4.OSFXSR. */
export interface FxsaveOptions {
  /** REX.W: pointers of 64 bits instead of an offset and a selector. */
  readonly wide: boolean;
  readonly xmmRegisters: 0 | 8 | 16;
}

const XMM_AT = 160, MXCSR_AT = 24, MXCSR_MASK_AT = 28, REGISTERS_AT = 32;

/** Writes the fields of FXSAVE into an image that holds what is in memory: the rest of it stays. */
export function fxsaveImage(state: GuestState, image: Uint8Array, { wide, xmmRegisters }: FxsaveOptions): void {
  saveX87Image(state, image, wide);
  if (xmmRegisters === 0) return;
  saveMxcsr(state, image);
  saveXmm(state, image, xmmRegisters);
}

/** The x87 part of it. `wide`: pointers of 64 bits. */
export function saveX87Image(state: GuestState, image: Uint8Array, wide: boolean): void {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  view.setUint16(0, state.fpuControl, true);
  view.setUint16(2, state.fpuStatus, true);
  // The abridged tag word: a bit for each register that is not empty.
  view.setUint16(4, ~emptyRegisters(state.fpuTag) & 0xff, true);
  view.setUint16(6, state.fpuOpcode, true);
  putPointer(view, 8, state.fpuInstructionPointer, state.fpuInstructionSelector, wide);
  putPointer(view, 16, state.fpuDataPointer, state.fpuDataSelector, wide);
  for (let i = 0; i < 8; i++) {
    image.fill(0, REGISTERS_AT + 16 * i, REGISTERS_AT + 16 * i + 16);
    putRegister(state, (top(state) + i) & 7, image, REGISTERS_AT + 16 * i);
  }
}
/** MXCSR and its mask. */
export function saveMxcsr(state: GuestState, image: Uint8Array): void {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  view.setUint32(MXCSR_AT, state.mxcsr, true);
  view.setUint32(MXCSR_MASK_AT, MXCSR_MASK, true);
}
export function saveXmm(state: GuestState, image: Uint8Array, registers: 8 | 16): void {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  for (let n = 0; n < 2 * registers; n++) view.setBigUint64(XMM_AT + 8 * n, state.xmm[n]!, true);
}

function putPointer(view: DataView, at: number, pointer: bigint, selector: number, wide: boolean): void {
  view.setBigUint64(at, wide ? pointer : (pointer & 0xffff_ffffn) | (BigInt(selector) << 32n), true);
}

/** MXCSR as an image has it. */
export const mxcsrOf = (image: Uint8Array): number => new DataView(image.buffer, image.byteOffset, image.byteLength).getUint32(MXCSR_AT, true);

export function loadFxsaveImage(state: GuestState, image: Uint8Array, { wide, xmmRegisters }: FxsaveOptions): void {
  loadX87Image(state, image, wide);
  if (xmmRegisters === 0) return;
  loadMxcsr(state, image);
  loadXmm(state, image, xmmRegisters);
}
export const loadMxcsr = (state: GuestState, image: Uint8Array): void => { state.mxcsr = mxcsrOf(image); };
export function loadXmm(state: GuestState, image: Uint8Array, registers: 8 | 16): void {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  for (let n = 0; n < 2 * registers; n++) state.xmm[n] = view.getBigUint64(XMM_AT + 8 * n, true);
}
export function loadX87Image(state: GuestState, image: Uint8Array, wide: boolean): void {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  setControl(state, view.getUint16(0, true));
  setStatus(state, view.getUint16(2, true));
  for (let i = 0; i < 8; i++) takeRegister(state, (top(state) + i) & 7, view, REGISTERS_AT + 16 * i);
  retag(state, ~view.getUint8(4) & 0xff);
  state.fpuOpcode = view.getUint16(6, true) & 0x7ff;
  state.fpuInstructionPointer = wide ? view.getBigUint64(8, true) : BigInt(view.getUint32(8, true));
  state.fpuDataPointer = wide ? view.getBigUint64(16, true) : BigInt(view.getUint32(16, true));
  state.fpuInstructionSelector = wide ? 0 : view.getUint16(12, true);
  state.fpuDataSelector = wide ? 0 : view.getUint16(20, true);
}
