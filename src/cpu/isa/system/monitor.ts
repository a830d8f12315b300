/** Waiting for a store or an interrupt. SDM Vol. 2B, "MONITOR—Set Up Monitor Address", "MWAIT—Monitor Wait"; Vol. 3A, "MONITOR/MWAIT Instruction". */
import { ACTIVITY, SEGMENT } from '../../../state/layout.ts';
import type { Cpu } from '../../cpu.ts';
import { GP, UD } from '../../exceptions.ts';
import { MISC_ENABLE } from '../../msr.ts';
import type { Instruction } from '../instruction.ts';
import { RAX, RCX } from '../operand.ts';
import type { SystemSemantics } from '../row.ts';
import { low32 } from './operands.ts';

/** MWAIT's extension: interrupts end it while IF is 0, too. */
const BREAK_ON_MASKED = 1n;

/** Both exist at CPL 0, while IA32_MISC_ENABLE lets them. Gives the extensions in ECX, in 64-bit mode RCX. */
function extensions(cpu: Cpu, i: Instruction): bigint {
  const { state } = cpu;
  if (state.cpl !== 0) throw UD(`${i.mnemonic} at CPL ${state.cpl}`);
  if ((state.miscEnable & MISC_ENABLE.MONITOR) === 0n) throw UD(`${i.mnemonic} disabled by IA32_MISC_ENABLE`);
  return cpu.in64BitMode ? state.gpr[RCX]! : BigInt(low32(cpu, RCX));
}

/** MONITOR — Set Up Monitor Address: watches the line of DS:rAX, which it must be allowed to read. EDX has hints, of which there are none. */
export const MONITOR: SystemSemantics = (cpu, i) => {
  if (extensions(cpu, i) !== 0n) throw GP(0, 'MONITOR with extensions in ECX');
  const address = cpu.linearAddress(i.segmentOverride ?? SEGMENT.DS, BigInt.asUintN(i.addressWidth, cpu.state.gpr[RAX]!), 1, false);
  const { mmu } = cpu;
  mmu.memory.armMonitor(mmu.memory.throughA20(mmu.translate(address, 'read', cpu.privilege)));
};

/**
 * MWAIT — Monitor Wait: as HLT, if a line is watched into which nothing was stored since; goes on at once otherwise. An exception or interrupt
 * between MONITOR and MWAIT ends the watch. Devices here do not write memory, so that only interrupts end the wait.
 */
export const MWAIT: SystemSemantics = (cpu, i) => {
  const wanted = extensions(cpu, i);
  if ((wanted & ~BREAK_ON_MASKED) !== 0n) throw GP(0, 'MWAIT with unknown extensions in ECX');
  if (cpu.state.monitoredLine === 0) return;
  cpu.state.activity = (wanted & BREAK_ON_MASKED) !== 0n ? ACTIVITY.waitingForAny : ACTIVITY.waiting;
  cpu.attention = true;
};
