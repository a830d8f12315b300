/** MMX registers, which are the significands of the x87 registers. SDM Vol. 3A, "The MMX State and MMX Register Aliasing". */
import { CR0 } from '../../mmu/control-bits.ts';
import type { GuestState } from '../../state/guest-state.ts';
import type { Cpu } from '../cpu.ts';
import { NM, UD } from '../exceptions.ts';
import { requireNoPendingException } from './control.ts';
import { ALL_VALID, setTop } from './registers.ts';

/** What a write to an MMX register leaves in the other bits of the x87 register. */
export const MMX_SIGN_AND_EXPONENT = 0xffffn;

/** Throws #UD, #NM or #MF unless an instruction on MMX registers may run. SDM Vol. 3A, "Emulation of the MMX Instruction Set", "Exceptions that can Occur when Executing MMX Instructions". */
export function requireMmx(cpu: Cpu): void {
  const { cr0 } = cpu.state;
  if ((cr0 & CR0.EM) !== 0) throw UD('MMX instruction with CR0.EM = 1');
  if ((cr0 & CR0.TS) !== 0) throw NM('MMX instruction with CR0.TS = 1');
  requireNoPendingException(cpu);
}

/** What every MMX instruction but EMMS makes of the x87 state: TOP is 0, no register is empty. */
export function enterMmx(state: GuestState): void {
  setTop(state, 0);
  state.fpuTag = ALL_VALID;
}
