/** MXCSR, and whether SSE may be used. SDM Vol. 1, "MXCSR Control and Status Register"; Vol. 3A, "Providing Operating System Support for SSE". */
import { CR0, CR4, XCR0 } from '../mmu/control-bits.ts';
import type { GuestState } from '../state/guest-state.ts';
import { GP, NM, UD, XM } from './exceptions.ts';
import { FLAG, type Environment, type Rounding } from './floating-point/exact.ts';

/** Bits 5:0 are sticky flags: IE DE ZE OE UE PE. Bits 12:7 mask them. */
export const MXCSR = { FLAGS: 0x3f, DAZ: 1 << 6, MASKS: 0x1f80, MASKS_SHIFT: 7, RC_SHIFT: 13, FTZ: 1 << 15 } as const;
/** The bits that may be set: what FXSAVE reports as MXCSR_MASK. */
export const MXCSR_MASK = 0xffff;
/** All exceptions masked, round to nearest. SDM Vol. 3A, "Processor State After Reset". */
export const MXCSR_AFTER_RESET = 0x1f80;

/** Throws #UD or #NM unless instructions that use XMM registers or MXCSR may run. */
export function requireSse(state: GuestState): void {
  if ((state.cr0 & CR0.EM) !== 0) throw UD('CR0.EM is set');
  if ((state.cr4 & CR4.OSFXSR) === 0) throw UD('CR4.OSFXSR is clear');
  if ((state.cr0 & CR0.TS) !== 0) throw NM('CR0.TS is set');
}

/** Throws #UD or #NM unless instructions on YMM registers may run, and all others on vectors that have a VEX prefix. SDM Vol. 1, "Detection of AVX Instructions". */
export function requireAvx(state: GuestState): void {
  if ((state.cr4 & CR4.OSXSAVE) === 0) throw UD('CR4.OSXSAVE is clear');
  if ((state.xcr0 & (XCR0.SSE | XCR0.AVX)) !== (XCR0.SSE | XCR0.AVX)) throw UD('XCR0 does not enable AVX');
  if ((state.cr0 & CR0.TS) !== 0) throw NM('CR0.TS is set');
}

/** Throws #GP(0) for a value that MXCSR cannot hold. */
export function checkMxcsr(value: number): void {
  if ((value & ~MXCSR_MASK) !== 0) throw GP(0, 'reserved bit of MXCSR');
}

/** How arithmetic is to round, as MXCSR says. */
export const simdEnvironment = (mxcsr: number): Environment => ({
  rounding: ((mxcsr >> MXCSR.RC_SHIFT) & 3) as Rounding,
  denormalsAreZero: (mxcsr & MXCSR.DAZ) !== 0,
  flushToZero: (mxcsr & MXCSR.FTZ) !== 0,
  overflowMasked: ((mxcsr >> MXCSR.MASKS_SHIFT) & FLAG.OE) !== 0,
  underflowMasked: ((mxcsr >> MXCSR.MASKS_SHIFT) & FLAG.UE) !== 0,
});

/** IE DE ZE are found before anything is computed. */
const BEFORE_COMPUTING = FLAG.IE | FLAG.DE | FLAG.ZE;

/**
 * Sets the flags of an operation, and throws #XM (#UD where the system does not take it) for those that are not masked. If
 * one of them is found before computing, in any lane, none of those that computing finds is set. SDM Vol. 1, "SIMD
 * Floating-Point Exceptions"; hardware (AMD) does so.
 */
export function raiseSimdFlags(state: GuestState, flags: number): void {
  if (flags === 0) return;
  const unmasked = ~(state.mxcsr >> MXCSR.MASKS_SHIFT) & MXCSR.FLAGS;
  const early = flags & BEFORE_COMPUTING;
  const raised = (early & unmasked) !== 0 ? early : flags;
  state.mxcsr |= raised;
  if ((raised & unmasked) === 0) return;
  throw (state.cr4 & CR4.OSXMMEXCPT) !== 0 ? XM() : UD('SIMD floating-point exception with CR4.OSXMMEXCPT clear');
}
