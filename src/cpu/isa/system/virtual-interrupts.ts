/**
 * The virtual interrupt flag: where CR4.VME or CR4.PVI lets a program have it instead of IF, and INT n in virtual-8086 mode with CR4.VME.
 * SDM Vol. 3B, "Interrupt and Exception Handling in Virtual-8086 Mode"; Vol. 3B, "Protected-Mode Virtual Interrupts".
 */
import { CR4 } from '../../../mmu/control-bits.ts';
import { linear } from '../../../state/addresses.ts';
import { SEGMENT } from '../../../state/layout.ts';
import type { Cpu } from '../../cpu.ts';
import { GP } from '../../exceptions.ts';
import { RFLAGS, readRflags } from '../../flags.ts';
import { enterRealCode } from '../../real-mode.ts';
import { Stack } from '../../stack.ts';
import { redirectionBit } from '../../tasks.ts';
import type { Instruction } from '../instruction.ts';

const isSet = (cpu: Cpu, bit: number): boolean => (cpu.state.cr4 & bit) !== 0;

/**
 * Whether PUSHF, POPF or IRET has VIF in the place of IF: in virtual-8086 mode with IOPL below 3, in its 16-bit form and with CR4.VME; #GP(0) if only the
 * first is so. SDM Vol. 3B, "Sensitive Instructions".
 */
export function hasVirtualFlag(cpu: Cpu, i: Instruction): boolean {
  if (!cpu.virtual8086Mode || cpu.iopl === 3) return false;
  if (isSet(cpu, CR4.VME) && i.width === 16) return true;
  throw GP(0, `${i.mnemonic} in virtual-8086 mode with IOPL ${cpu.iopl}`);
}

/** Whether CLI or STI changes VIF: where IOPL forbids it IF, at CPL 3 with CR4.PVI, in virtual-8086 mode with CR4.VME. #GP(0) where it may change neither. */
export function changesVirtualFlag(cpu: Cpu, i: Instruction): boolean {
  if (cpu.state.cpl <= cpu.iopl) return false;
  if (cpu.state.cpl === 3 && isSet(cpu, cpu.virtual8086Mode ? CR4.VME : CR4.PVI)) return true;
  throw GP(0, `${i.mnemonic} with CPL beyond IOPL`);
}

/** FLAGS as an 8086 program with a virtual flag sees them: IF is VIF, IOPL is 3. */
export const withVirtualFlag = (flags: number): number => (flags & ~RFLAGS.IF) | RFLAGS.IOPL | ((flags & RFLAGS.VIF) === 0 ? 0 : RFLAGS.IF);

/** RFLAGS after such a program loaded FLAGS. #GP(0) where it sets TF, or turns interrupts on while one is pending. */
export function loadWithVirtualFlag(cpu: Cpu, popped: number, writable: number): number {
  const flags = readRflags(cpu.state);
  if ((popped & RFLAGS.TF) !== 0) throw GP(0, 'TF set in virtual-8086 mode with IOPL below 3');
  if ((popped & RFLAGS.IF) !== 0) requireNonePending(cpu);
  const mask = writable & ~(RFLAGS.IF | RFLAGS.IOPL);
  return (flags & ~mask & ~RFLAGS.VIF) | (popped & mask) | ((popped & RFLAGS.IF) === 0 ? 0 : RFLAGS.VIF);
}

/** #GP(0) where VIP says that an interrupt waits for VIF. */
export function requireNonePending(cpu: Cpu): void {
  if ((cpu.state.systemFlags & RFLAGS.VIP) !== 0) throw GP(0, 'VIF set while VIP is 1');
}

/**
 * INT n in virtual-8086 mode with CR4.VME whose bit in the TSS is 0: the handler of the 8086 program itself, by the vector table at linear
 * address 0. False: the interrupt is the monitor's. SDM Vol. 3B, "Class 3—Software Interrupt Handling in Virtual-8086 Mode".
 */
export function enterOwnHandler(cpu: Cpu, vector: number): boolean {
  if (!cpu.virtual8086Mode || !isSet(cpu, CR4.VME) || redirectionBit(cpu, vector)) return false;
  const { state } = cpu;
  const virtual = cpu.iopl < 3;
  const pointer = cpu.mmu.load(linear(BigInt(4 * vector)), 4, cpu.privilege, false);
  const flags = readRflags(state);
  const stack = Stack.current(cpu);
  for (const value of [BigInt(virtual ? withVirtualFlag(flags) : flags), BigInt(state.selector[SEGMENT.CS]!), cpu.nextIp]) stack.push(16, value);
  enterRealCode(cpu, Number(pointer >> 16n), pointer & 0xffffn);
  stack.commit();
  cpu.setRflags(flags & ~(RFLAGS.TF | (virtual ? RFLAGS.VIF : RFLAGS.IF)));
  return true;
}
