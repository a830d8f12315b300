/** What instructions do with the I/O address space. SDM Vol. 1, "Input/Output"; Vol. 3B, "Debug Registers". */
import type { Cpu } from './cpu.ts';
import { matchPort } from './debug-registers.ts';
import { checkPortPermission } from './tasks.ts';

/** Throws #GP(0) unless the program may access `bytes` ports from one on: by IOPL, or by the bitmap in the TSS. */
export function checkPort(cpu: Cpu, port: number, bytes: 1 | 2 | 4): void {
  if (cpu.virtual8086Mode || cpu.state.cpl > cpu.iopl) checkPortPermission(cpu, port, bytes);
}

/** What a port answers, as an unsigned number. Notes the #DB trap of a breakpoint on it. */
export function readPort(cpu: Cpu, port: number, bytes: 1 | 2 | 4): number {
  const value = cpu.bus.readPort(port, bytes) >>> 0;
  if (cpu.portBreakpoints) cpu.raiseDebugTraps(matchPort(cpu.state, port, bytes));
  return value;
}

/** The same of a write. */
export function writePort(cpu: Cpu, port: number, bytes: 1 | 2 | 4, value: number): void {
  cpu.bus.writePort(port, bytes, value);
  if (cpu.portBreakpoints) cpu.raiseDebugTraps(matchPort(cpu.state, port, bytes));
}
