/** MXCSR, and whether SSE may be used. SDM Vol. 1, "MXCSR Control and Status Register"; Vol. 3A, "Providing Operating System Support for SSE". */
import { CR0, CR4 } from '../mmu/control-bits.ts';
import type { GuestState } from '../state/guest-state.ts';
import { GP, NM, UD } from './exceptions.ts';

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

/** Throws #GP(0) for a value that MXCSR cannot hold. */
export function checkMxcsr(value: number): void {
  if ((value & ~MXCSR_MASK) !== 0) throw GP(0, 'reserved bit of MXCSR');
}
