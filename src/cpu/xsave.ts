/**
 * State components: what XCR0 enables and XSAVE, XRSTOR and CPUID leaf 0D speak of. SDM Vol. 1, "Managing State Using the
 * XSAVE Feature Set".
 */
import { XCR0 } from '../mmu/control-bits.ts';
import type { GuestState } from '../state/guest-state.ts';
import { initialise, isInitialX87, loadX87Image, loadXmm, saveX87Image, saveXmm } from './fpu/environment.ts';
import type { CpuFeatures } from './isa/features.ts';

/** Bytes 512-575: XSTATE_BV, XCOMP_BV, then 48 bytes that are 0. */
export const HEADER_AT = 512, HEADER_BYTES = 64;
/** What is behind the header, in the standard form; in the compacted one too, where it is the only one of its kind. */
export const AVX_AT = 576, AVX_BYTES = 256;

/** The components that a processor with these features has, as XCR0 has them. */
export const supportedComponents = (features: CpuFeatures): number => XCR0.X87 | XCR0.SSE | (features.has('avx') ? XCR0.AVX : 0);
/** Bytes of an area for these components. */
export const areaBytes = (components: number): number => ((components & XCR0.AVX) !== 0 ? AVX_AT + AVX_BYTES : AVX_AT);
/** Whether XCR0 may have this value. SDM Vol. 2D, "XSETBV—Set Extended Control Register". */
export const isXcr0 = (value: bigint, features: CpuFeatures): boolean =>
  (value & 1n) === 1n && (value & ~BigInt(supportedComponents(features))) === 0n && ((value & 4n) === 0n || (value & 2n) !== 0n);

/** What of the state an instruction takes part in: all registers in 64-bit mode, eight elsewhere; with REX.W pointers of 64 bits. */
export interface XsaveOptions { readonly wide: boolean; readonly registers: 8 | 16 }

const isZero = (values: BigUint64Array): boolean => values.every((v) => v === 0n);

/** XINUSE: the components that are not in their initial configuration. MXCSR does not count. SDM Vol. 1, "Processor Tracking of XSAVE-Managed State". */
export const componentsInUse = (state: GuestState): number =>
  (isInitialX87(state) ? 0 : XCR0.X87) | (isZero(state.xmm) ? 0 : XCR0.SSE) | (isZero(state.ymmHigh) ? 0 : XCR0.AVX);

const viewOf = (image: Uint8Array): DataView => new DataView(image.buffer, image.byteOffset, image.byteLength);

/** Writes components into an area; bytes that are in none of them stay. */
export function saveComponents(state: GuestState, image: Uint8Array, components: number, { wide, registers }: XsaveOptions): void {
  if ((components & XCR0.X87) !== 0) saveX87Image(state, image, wide);
  if ((components & XCR0.SSE) !== 0) saveXmm(state, image, registers);
  if ((components & XCR0.AVX) !== 0) {
    const view = viewOf(image);
    for (let n = 0; n < 2 * registers; n++) view.setBigUint64(AVX_AT + 8 * n, state.ymmHigh[n]!, true);
  }
}

/** Takes components from an area. */
export function loadComponents(state: GuestState, image: Uint8Array, components: number, { wide, registers }: XsaveOptions): void {
  if ((components & XCR0.X87) !== 0) loadX87Image(state, image, wide);
  if ((components & XCR0.SSE) !== 0) loadXmm(state, image, registers);
  if ((components & XCR0.AVX) !== 0) {
    const view = viewOf(image);
    for (let n = 0; n < 2 * registers; n++) state.ymmHigh[n] = view.getBigUint64(AVX_AT + 8 * n, true);
  }
}

/** Gives components their initial configuration; MXCSR is the caller's. */
export function initialiseComponents(state: GuestState, components: number, { registers }: XsaveOptions): void {
  if ((components & XCR0.X87) !== 0) {
    initialise(state);
    state.fpuRegisters.fill(0n);
  }
  if ((components & XCR0.SSE) !== 0) state.xmm.fill(0n, 0, 2 * registers);
  if ((components & XCR0.AVX) !== 0) state.ymmHigh.fill(0n, 0, 2 * registers);
}
