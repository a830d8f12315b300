/** Machines for tests of snapshots, replay and history, and what two machines must share to go on alike. */
import { createHash } from 'node:crypto';
import { assemble, type Assembler } from '../../../src/assembler/index.ts';
import { Machine, type MachineOptions } from '../../../src/machine/machine.ts';
import { kernelFile } from '../../kernel/support/boot.ts';
import { stateHash } from '../../support/state-hash.ts';

/** Everything that decides how the machine goes on, as a short text. */
export function wholeState(machine: Machine): string {
  const { state, mmu, devices, cpu } = machine;
  const hash = createHash('sha256');
  hash.update(stateHash(machine));
  hash.update(mmu.tlb.save());
  hash.update(JSON.stringify(devices.snapshot()));
  hash.update(String(cpu.deliveries));
  return `${state.retired}+${cpu.deliveries} ${state.rip.toString(16)} ${hash.digest('hex').slice(0, 16)}`;
}

const ORIGIN = 0x20_0000;

/** A machine with a flat 64-bit program. */
export function flatMachine(program: (a: Assembler) => void, options: MachineOptions = {}): { machine: Machine; address: (name: string) => bigint } {
  const { bytes, symbols } = assemble(program, { origin: ORIGIN });
  const machine = new Machine({ memoryBytes: 16 << 20, ...options });
  machine.load(bytes, { flat: { loadAddress: ORIGIN, entry: ORIGIN, bits: 64 } });
  return { machine, address: (name) => symbols.get(name)?.linear ?? -1n };
}

/** The guest kernel with a scenario: `timer` takes interrupts, `ring3` changes privilege and address space, `all` does everything. */
export function kernelMachine(scenario: string, options: MachineOptions = {}): Machine {
  const machine = new Machine({ memoryBytes: 32 << 20, ...options });
  machine.load(kernelFile(), { name: 'kernel', cmdline: `scenario=${scenario}` });
  return machine;
}
