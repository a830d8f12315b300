/** Strings to and from the I/O address space. SDM Vol. 1, "Input/Output". */
import { SEGMENT } from '../../../state/layout.ts';
import type { Cpu } from '../../cpu.ts';
import { RFLAGS } from '../../flags.ts';
import { checkPort, readPort, writePort } from '../../port-access.ts';
import type { Instruction } from '../instruction.ts';
import { RCX, RDI, RDX, RSI } from '../operand.ts';
import type { SystemSemantics } from '../row.ts';
import { low32, writeRegister } from './operands.ts';

type PortBytes = 1 | 2 | 4;
const bytesOf = (i: Instruction): PortBytes => (i.width >> 3) as PortBytes;

/**
 * Does one iteration; with REP decides whether RIP stays. `step` must not change state before whatever can fault.
 * Manual: REP looks at the count first (SDM Vol. 2B, "REP/REPE/REPZ/REPNE/REPNZ"); hardware: the port must be permitted even with a count of 0.
 */
function iterate(cpu: Cpu, i: Instruction, index: number, step: (number: number, offset: bigint) => void): void {
  const { gpr, systemFlags } = cpu.state;
  const w = i.addressWidth;
  const count = BigInt.asUintN(w, gpr[RCX]!);
  const number = low32(cpu, RDX) & 0xffff;
  checkPort(cpu, number, bytesOf(i));
  if (i.repeat !== 'none' && count === 0n) return;
  step(number, BigInt.asUintN(w, gpr[index]!));
  const delta = BigInt(bytesOf(i));
  writeRegister(cpu, index, w, gpr[index]! + ((systemFlags & RFLAGS.DF) !== 0 ? -delta : delta));
  if (i.repeat === 'none') return;
  writeRegister(cpu, RCX, w, count - 1n);
  if (count !== 1n) cpu.nextIp = cpu.state.rip;
}

/** INS / INSB / INSW / INSD — Input from Port to String: to ES:rDI, which no prefix overrides. */
export const INS: SystemSemantics = (cpu, i) => iterate(cpu, i, RDI, (number, offset) => {
  // The store must be sure to succeed before the device is read.
  cpu.probeStore(SEGMENT.ES, offset, bytesOf(i));
  cpu.store(i.width, SEGMENT.ES, offset, BigInt(readPort(cpu, number, bytesOf(i))));
});

/** OUTS / OUTSB / OUTSW / OUTSD — Output String to Port: from DS:rSI. */
export const OUTS: SystemSemantics = (cpu, i) => iterate(cpu, i, RSI, (number, offset) => {
  const value = cpu.load(i.width, i.segmentOverride ?? SEGMENT.DS, offset, 'read');
  writePort(cpu, number, bytesOf(i), Number(value));
});
