/** RFLAGS as a whole, the interrupt flag, AC, HLT. */
import { ACTIVITY } from '../../../state/layout.ts';
import type { Cpu } from '../../cpu.ts';
import { SHADOW, castShadow } from '../../events.ts';
import { UD } from '../../exceptions.ts';
import { RFLAGS, readRflags } from '../../flags.ts';
import { Stack } from '../../stack.ts';
import type { Instruction } from '../instruction.ts';
import type { SystemSemantics } from '../row.ts';
import { requireCpl0 } from './operands.ts';
import { changesVirtualFlag, hasVirtualFlag, loadWithVirtualFlag, requireNonePending, withVirtualFlag } from './virtual-interrupts.ts';

const widthOfStack = (i: Instruction): 16 | 32 | 64 => i.width as 16 | 32 | 64;

/** PUSHF / PUSHFD / PUSHFQ — Push RFLAGS Register onto the Stack. VM and RF are pushed as 0. */
export const PUSHF: SystemSemantics = (cpu, i) => {
  const flags = readRflags(cpu.state) & ~(RFLAGS.VM | RFLAGS.RF);
  const pushed = hasVirtualFlag(cpu, i) ? withVirtualFlag(flags) : flags;
  const stack = Stack.current(cpu);
  stack.pushHalves(widthOfStack(i), pushed);
  stack.commit();
};

/**
 * Which RFLAGS bits POPF and IRET may write: IOPL at CPL 0 only, IF where CPL is not beyond IOPL; a 16-bit operand
 * leaves bits 31:16. SDM Vol. 2B, "POPF/POPFD/POPFQ—Pop Stack Into EFLAGS Register", "Effect of POPF/POPFD on the EFLAGS Register".
 */
export function writableFlags(cpu: Cpu, width: number): number {
  const always = RFLAGS.CF | RFLAGS.PF | RFLAGS.AF | RFLAGS.ZF | RFLAGS.SF | RFLAGS.TF | RFLAGS.DF | RFLAGS.OF | RFLAGS.NT | RFLAGS.AC | RFLAGS.ID;
  const { cpl } = cpu.state;
  const mask = always | (cpl === 0 ? RFLAGS.IOPL : 0) | (cpl <= cpu.iopl ? RFLAGS.IF : 0);
  return width === 16 ? mask & 0xffff : mask;
}

/** POPF / POPFD / POPFQ. RF is cleared; VM, VIF and VIP stay (CPL 0: VIF and VIP are cleared). */
export const POPF: SystemSemantics = (cpu, i) => {
  const virtual = hasVirtualFlag(cpu, i);
  const stack = Stack.current(cpu);
  const popped = stack.popLow(widthOfStack(i));
  const mask = writableFlags(cpu, i.width);
  if (virtual) {
    const flags = loadWithVirtualFlag(cpu, popped, mask);
    stack.commit();
    return cpu.setRflags(flags);
  }
  const cleared = i.width === 16 ? 0 : RFLAGS.RF | (cpu.state.cpl === 0 ? RFLAGS.VIF | RFLAGS.VIP : 0);
  stack.commit();
  cpu.setRflags((readRflags(cpu.state) & ~mask & ~cleared) | (popped & mask));
};

/** CLI — Clear Interrupt Flag. */
export const CLI: SystemSemantics = (cpu, i) => {
  cpu.state.systemFlags &= changesVirtualFlag(cpu, i) ? ~RFLAGS.VIF : ~RFLAGS.IF;
  cpu.refreshAttention();
};

/** STI — Set Interrupt Flag. Interrupts are recognised after the next instruction, if IF was 0. */
export const STI: SystemSemantics = (cpu, i) => {
  const { state } = cpu;
  if (changesVirtualFlag(cpu, i)) {
    requireNonePending(cpu);
    state.systemFlags |= RFLAGS.VIF;
    return;
  }
  if ((state.systemFlags & RFLAGS.IF) === 0) castShadow(cpu, SHADOW.sti);
  state.systemFlags |= RFLAGS.IF;
  cpu.refreshAttention();
};

function setAc(cpu: Cpu, i: Instruction, on: boolean): void {
  if (cpu.state.cpl !== 0) throw UD(`${i.mnemonic} at CPL ${cpu.state.cpl}`);
  const { state } = cpu;
  state.systemFlags = on ? state.systemFlags | RFLAGS.AC : state.systemFlags & ~RFLAGS.AC;
  cpu.refresh();
}

/** CLAC — Clear AC Flag in EFLAGS Register. */
export const CLAC: SystemSemantics = (cpu, i) => setAc(cpu, i, false);
/** STAC — Set AC Flag in EFLAGS Register. */
export const STAC: SystemSemantics = (cpu, i) => setAc(cpu, i, true);

/** HLT — Halt. */
export const HLT: SystemSemantics = (cpu, i) => {
  requireCpl0(cpu, i);
  cpu.state.activity = ACTIVITY.halted;
  cpu.attention = true;
};
