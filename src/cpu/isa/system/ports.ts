/** The I/O address space. SDM Vol. 1, "Input/Output". */
import { lowOf } from '../../../state/halves.ts';
import { SEGMENT } from '../../../state/layout.ts';
import type { Cpu } from '../../cpu.ts';
import { matchPort } from '../../debug-registers.ts';
import { RFLAGS } from '../../flags.ts';
import { checkPortPermission } from '../../tasks.ts';
import type { Instruction } from '../instruction.ts';
import { RAX, RCX, RDI, RDX, RSI, type Width } from '../operand.ts';
import type { SystemSemantics } from '../row.ts';
import { low32, writeRegister, writeSmall } from './operands.ts';

type PortBytes = 1 | 2 | 4;
const bytesOf = (i: Instruction): PortBytes => (i.width >> 3) as PortBytes;

const allOnes = (width: Width): number => (width >= 32 ? -1 : (1 << width) - 1);

/** The port of operand n (imm8 or DX), after the permission check. Throws #GP(0). */
function port(cpu: Cpu, i: Instruction, n: number): number {
  const x = i.operands[n];
  return permitted(cpu, i, x?.kind === 'immediate' ? lowOf(x.value) & 0xff : low32(cpu, RDX) & 0xffff);
}
function permitted(cpu: Cpu, i: Instruction, number: number): number {
  if (cpu.virtual8086Mode || cpu.state.cpl > cpu.iopl) checkPortPermission(cpu, number, bytesOf(i));
  return number;
}
function accessed(cpu: Cpu, i: Instruction, number: number): void {
  if (cpu.portBreakpoints) cpu.raiseDebugTraps(matchPort(cpu.state, number, bytesOf(i)));
}

/** IN — Input From Port. */
export const IN: SystemSemantics = (cpu, i) => {
  const number = port(cpu, i, 1);
  const value = cpu.bus.readPort(number, bytesOf(i));
  writeSmall(cpu, RAX, i.width as 8 | 16 | 32, value);
  accessed(cpu, i, number);
};

/** OUT — Output to Port. */
export const OUT: SystemSemantics = (cpu, i) => {
  const number = port(cpu, i, 0);
  cpu.bus.writePort(number, bytesOf(i), (low32(cpu, RAX) & allOnes(i.width)) >>> 0);
  accessed(cpu, i, number);
};

/**
 * Does one iteration; with REP decides whether RIP stays. `step` must not change state before whatever can fault.
 * Manual: REP looks at the count first (SDM Vol. 2B, "REP/REPE/REPZ/REPNE/REPNZ"); hardware: the port must be permitted even with a count of 0.
 */
function iterate(cpu: Cpu, i: Instruction, index: number, step: (number: number, offset: bigint) => void): void {
  const { gpr, systemFlags } = cpu.state;
  const w = i.addressWidth;
  const count = BigInt.asUintN(w, gpr[RCX]!);
  const number = permitted(cpu, i, low32(cpu, RDX) & 0xffff);
  if (i.repeat !== 'none' && count === 0n) return;
  step(number, BigInt.asUintN(w, gpr[index]!));
  accessed(cpu, i, number);
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
  cpu.store(i.width, SEGMENT.ES, offset, BigInt(cpu.bus.readPort(number, bytesOf(i)) >>> 0));
});

/** OUTS / OUTSB / OUTSW / OUTSD — Output String to Port: from DS:rSI. */
export const OUTS: SystemSemantics = (cpu, i) => iterate(cpu, i, RSI, (number, offset) => {
  const value = cpu.load(i.width, i.segmentOverride ?? SEGMENT.DS, offset, 'read');
  cpu.bus.writePort(number, bytesOf(i), Number(value));
});
