/** Programs in virtual-8086 mode, with a monitor around them. */
import type { Assembler } from '../../src/assembler/index.ts';
import { RFLAGS } from '../../src/cpu/flags.ts';
import { physical } from '../../src/state/addresses.ts';
import { AT, REAL, SEL, SystemMachine } from './system-machine.ts';

/** A 32-bit protected-mode machine with a TSS for ring 0's stack, in virtual-8086 mode by IRETD, at REAL.code:0. */
export function monitor(m: SystemMachine, flags: number, body: (a: Assembler) => void): void {
  const frame = AT.kernelStack - 36;
  [0, REAL.code, flags | RFLAGS.VM | 2, 0x8000, REAL.stack, REAL.data, REAL.data, 0x1111, 0x2222].forEach((value, n) => m.memory.write(physical(frame + 4 * n), 4, value));
  m.state.gpr[4] = BigInt(frame);
  m.memory.write(physical(AT.tss + 4), 4, AT.rsp0);
  m.memory.write(physical(AT.tss + 8), 4, SEL.data);
  const at = AT.code + 0x8000;
  m.state.rip = BigInt(at);
  m.program((a) => a.iretd(), { origin: at });
  m.program(body, { bits: 16, origin: AT.code, virtualBase: -BigInt(AT.code) });
}
/** It, one step on: in virtual-8086 mode. */
export function guest(body: (a: Assembler) => void, flags = 0, prepare: (m: SystemMachine) => void = () => undefined): SystemMachine {
  const m = new SystemMachine(32).gates();
  monitor(m, flags, body);
  prepare(m);
  m.step();
  return m;
}
