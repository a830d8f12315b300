/** The registers of XSAVE and XRSTOR: components in use, to an area and back. PKRU, which the paging unit has, is the caller's. SDM Vol. 1, "XSAVE Area". */
import { XCR0 } from '../../mmu/control-bits.ts';
import type { GuestState } from '../../state/guest-state.ts';
import { placeOf } from '../xsave.ts';
import { initialise, isInitialX87, loadX87Image, loadXmm, saveX87Image, saveXmm } from './environment.ts';

/**
 * What of the state an instruction takes part in: all registers in 64-bit mode, eight elsewhere; with REX.W pointers of 64 bits. `compacted`: the
 * components that the area has room for, if it is in the compacted form.
 */
export interface XsaveOptions { readonly wide: boolean; readonly registers: 8 | 16; readonly compacted?: number }

const isZero = (values: BigUint64Array): boolean => values.every((v) => v === 0n);

/** XINUSE: the components that are not in their initial configuration. MXCSR does not count. SDM Vol. 1, "Processor Tracking of XSAVE-Managed State". */
export const componentsInUse = (state: GuestState): number =>
  (isInitialX87(state) ? 0 : XCR0.X87) | (isZero(state.xmm) ? 0 : XCR0.SSE) | (isZero(state.ymmHigh) ? 0 : XCR0.AVX)
  | (state.pkru === 0 ? 0 : XCR0.PKRU);

const viewOf = (image: Uint8Array): DataView => new DataView(image.buffer, image.byteOffset, image.byteLength);

/** Writes components into an area; bytes that are in none of them stay. */
export function saveComponents(state: GuestState, image: Uint8Array, components: number, { wide, registers, compacted }: XsaveOptions): void {
  if ((components & XCR0.X87) !== 0) saveX87Image(state, image, wide);
  if ((components & XCR0.SSE) !== 0) saveXmm(state, image, registers);
  if ((components & XCR0.AVX) !== 0) {
    const view = viewOf(image), { at } = placeOf(XCR0.AVX, compacted);
    for (let n = 0; n < 2 * registers; n++) view.setBigUint64(at + 8 * n, state.ymmHigh[n]!, true);
  }
}

/** Takes components from an area. */
export function loadComponents(state: GuestState, image: Uint8Array, components: number, { wide, registers, compacted }: XsaveOptions): void {
  if ((components & XCR0.X87) !== 0) loadX87Image(state, image, wide);
  if ((components & XCR0.SSE) !== 0) loadXmm(state, image, registers);
  if ((components & XCR0.AVX) !== 0) {
    const view = viewOf(image), { at } = placeOf(XCR0.AVX, compacted);
    for (let n = 0; n < 2 * registers; n++) state.ymmHigh[n] = view.getBigUint64(at + 8 * n, true);
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
