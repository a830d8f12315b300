/** A law over every system instruction that a test executes: registers change only where its effects (cpu/describe/system-effects.ts) say so. */
import type { Cpu } from '../../src/cpu/cpu.ts';
import { standsFor, systemEffectsOf } from '../../src/cpu/describe/system-effects.ts';
import { RFLAGS } from '../../src/cpu/flags.ts';
import type { Instruction } from '../../src/cpu/isa/instruction.ts';
import type { Machine } from '../../src/machine/machine.ts';
import { MACHINE_REGISTERS } from '../../src/machine/registers.ts';

/** RIP goes on with every instruction, time as well. */
const ALWAYS = new Set(['rip', 'tsc']);
/** What follows from a register that is named: CPL from CS, EFER.LMA from CR0.PG, CR8 from the x2APIC's task priority. */
const FOLLOWS: Readonly<Record<string, string>> = { cpl: 'cs', efer: 'cr0', cr8: 'msrs' };

/** All registers. RF is cleared by the next instruction, whichever it is. */
export function registersOf(cpu: Cpu): ReadonlyMap<string, bigint> {
  const machine = { cpu, state: cpu.state } as unknown as Machine;
  return new Map([...MACHINE_REGISTERS.values()].filter(({ name }) => !ALWAYS.has(name)).map(({ name, read }) => [name, name === 'rflags' ? read(machine) & ~BigInt(RFLAGS.RF) : read(machine)]));
}

/** Throws if a system instruction, which was completed, changed what it does not say. */
export function onlyDeclaredWrites(i: Instruction, before: ReadonlyMap<string, bigint>, after: ReadonlyMap<string, bigint>): void {
  const { writes } = systemEffectsOf(i)!;
  const undeclared = [...after].filter(([name, value]) => value !== before.get(name) && !writes.some((said) => standsFor(said, name) || said === FOLLOWS[name]));
  if (undeclared.length > 0) throw new Error(`${i.row.text} writes ${undeclared.map(([name]) => name).join(', ')}, but its effects name only ${writes.join(', ')}`);
}
