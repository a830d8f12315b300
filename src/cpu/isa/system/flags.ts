/** RFLAGS as a whole, the interrupt flag, AC, HLT. */
import { ACTIVITY } from '../../../state/layout.ts';
import type { Cpu } from '../../cpu.ts';
import { SHADOW, castShadow } from '../../events.ts';
import { GP, UD } from '../../exceptions.ts';
import { RFLAGS, readRflags } from '../../flags.ts';
import { Stack } from '../../stack.ts';
import type { Instruction } from '../instruction.ts';
import type { SystemSemantics } from '../row.ts';
import { requireCpl0 } from './operands.ts';

const widthOfStack = (i: Instruction): 16 | 32 | 64 => i.width as 16 | 32 | 64;

/** #GP(0) for what virtual-8086 mode leaves to its monitor unless IOPL is 3. SDM Vol. 3B, "Sensitive Instructions". */
export function requireIoplInVirtual8086Mode(cpu: Cpu, i: Instruction): void {
  if (cpu.virtual8086Mode && cpu.iopl < 3) throw GP(0, `${i.mnemonic} in virtual-8086 mode with IOPL ${cpu.iopl}`);
}

/** PUSHF / PUSHFD / PUSHFQ — Push RFLAGS Register onto the Stack. VM and RF are pushed as 0. */
export const PUSHF: SystemSemantics = (cpu, i) => {
  requireIoplInVirtual8086Mode(cpu, i);
  const stack = Stack.current(cpu);
  stack.push(widthOfStack(i), BigInt(readRflags(cpu.state) & ~(RFLAGS.VM | RFLAGS.RF)));
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
  requireIoplInVirtual8086Mode(cpu, i);
  const stack = Stack.current(cpu);
  const popped = Number(stack.pop(widthOfStack(i)) & 0xffff_ffffn);
  const mask = writableFlags(cpu, i.width);
  const cleared = i.width === 16 ? 0 : RFLAGS.RF | (cpu.state.cpl === 0 ? RFLAGS.VIF | RFLAGS.VIP : 0);
  stack.commit();
  cpu.setRflags((readRflags(cpu.state) & ~mask & ~cleared) | (popped & mask));
};

function requireIopl(cpu: Cpu, i: Instruction): void {
  if (cpu.state.cpl > cpu.iopl) throw GP(0, `${i.mnemonic} with CPL beyond IOPL`);
}

/** CLI — Clear Interrupt Flag. */
export const CLI: SystemSemantics = (cpu, i) => {
  requireIopl(cpu, i);
  cpu.state.systemFlags &= ~RFLAGS.IF;
  cpu.refreshAttention();
};

/** STI — Set Interrupt Flag. Interrupts are recognised after the next instruction, if IF was 0. */
export const STI: SystemSemantics = (cpu, i) => {
  requireIopl(cpu, i);
  const { state } = cpu;
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
