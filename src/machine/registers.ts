/** Every register by its name, for debuggers: how wide it is, what it holds, and how it is changed with all that follows from it. */
import { readRflags, RFLAGS, STATUS_MASK, SYSTEM_MASK } from '../cpu/flags.ts';
import { GuestException } from '../cpu/exceptions.ts';
import type { Cpu } from '../cpu/cpu.ts';
import { MSR, readMsr, writeMsr } from '../cpu/msr.ts';
import { isCanonical } from '../state/addresses.ts';
import { writeControlRegister, writeDebugRegister } from '../cpu/isa/system/control-registers.ts';
import { writeXcr0 } from '../cpu/isa/system/xsave.ts';
import type { Machine } from './machine.ts';
import { floatingPointRegisters, vectorRegisters } from './registers/floating-point.ts';
import type { MachineRegister } from './registers/register.ts';
import { segmentRegisters } from './registers/segments.ts';

export type { MachineRegister } from './registers/register.ts';

const GENERAL = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15'];
const CONTROL_REGISTERS = [0, 2, 3, 4, 8] as const;
/** MSRs that have names. */
export const MSRS: Readonly<Record<string, number>> = {
  efer: MSR.EFER, star: MSR.STAR, lstar: MSR.LSTAR, cstar: MSR.CSTAR, fmask: MSR.FMASK, k_gs_base: MSR.KERNEL_GS_BASE, sysenter_cs: MSR.SYSENTER_CS,
  sysenter_esp: MSR.SYSENTER_ESP, sysenter_eip: MSR.SYSENTER_EIP, pat: MSR.PAT, apic_base: MSR.APIC_BASE, tsc_aux: MSR.TSC_AUX, tsc: MSR.TIME_STAMP_COUNTER,
};

/** SWAPGS changes one without a word, time the other. */
const UNOBSERVED: ReadonlySet<string> = new Set(['k_gs_base', 'tsc']);

function* allRegisters(): Generator<MachineRegister> {
  for (const [n, name] of GENERAL.entries()) {
    yield { name, bits: 64, read: ({ state }) => state.gpr[n]!, write: ({ state }, value) => { state.gpr[n] = value; } };
  }
  yield {
    name: 'rip', bits: 64, read: ({ state }) => state.rip,
    write: ({ state, cpu }, value) => {
      if (cpu.in64BitMode ? !isCanonical(value, cpu.linearWidth) : value >> 32n !== 0n) throw new RangeError('no address that RIP can have in this mode');
      state.rip = value;
    },
  };
  yield {
    name: 'rflags', bits: 64, read: ({ state }) => BigInt(readRflags(state)),
    write: ({ state, cpu }, value) => {
      if ((value & ~BigInt(STATUS_MASK | SYSTEM_MASK | 2)) !== 0n) throw new RangeError('a reserved bit of RFLAGS');
      if (((Number(value) ^ state.systemFlags) & RFLAGS.VM) !== 0) throw new RangeError('only IRET and task switches change RFLAGS.VM');
      cpu.setRflags(Number(value) | 2);
    },
  };
  yield* segmentRegisters();
  yield { name: 'cpl', bits: 32, observed: true, read: ({ state }) => BigInt(state.cpl) };
  for (const n of CONTROL_REGISTERS) {
    yield {
      name: `cr${n}`, bits: 64, observed: true,
      read: ({ state }) => (n === 2 ? state.cr2 : n === 3 ? state.cr3 : BigInt(n === 0 ? state.cr0 : n === 4 ? state.cr4 : state.cr8)),
      write: ({ cpu }, value) => { writeControlRegister(cpu, n, value); },
    };
  }
  for (const [name, address] of Object.entries(MSRS)) {
    yield { name, bits: 64, observed: !UNOBSERVED.has(name), read: ({ cpu }) => msrIfThere(cpu, address), write: ({ cpu }, value) => { writeMsr(cpu, address, value); } };
  }
  yield* debugRegisters();
  yield* vectorRegisters();
  yield { name: 'pkru', bits: 32, read: ({ state }) => BigInt(state.pkru), write: ({ mmu }, value) => { mmu.setPkru(Number(value)); } };
  yield { name: 'xcr0', bits: 64, read: ({ state }) => BigInt(state.xcr0), write: ({ cpu }, value) => { writeXcr0(cpu, value); } };
  yield* floatingPointRegisters();
}

/** 0 for one that this processor does not have (IA32_EFER of a 486). */
function msrIfThere(cpu: Cpu, address: number): bigint {
  try {
    return readMsr(cpu, address);
  } catch (thrown) {
    if (thrown instanceof GuestException) return 0n;
    throw thrown;
  }
}

function* debugRegisters(): Generator<MachineRegister> {
  for (const n of [0, 1, 2, 3, 6, 7] as const) {
    yield { name: `dr${n}`, bits: 64, read: ({ state }) => (n < 4 ? state.dr[n]! : BigInt(n === 6 ? state.dr6 : state.dr7)), write: ({ cpu }, value) => { writeDebugRegister(cpu, n, value); } };
  }
}

/** By name, in lower case. */
export const MACHINE_REGISTERS: ReadonlyMap<string, MachineRegister> = new Map([...allRegisters()].map((register) => [register.name, register]));

/** Changes a register. Throws RangeError if there is none of this name, or it cannot have the value; nothing is changed then. */
export function writeRegister(machine: Machine, name: string, value: bigint): void {
  const register = MACHINE_REGISTERS.get(name.toLowerCase());
  if (register?.write === undefined) throw new RangeError(register === undefined ? `there is no register ${name}` : `${name} cannot be changed`);
  if (BigInt.asUintN(register.bits, value) !== value) throw new RangeError(`${name} has ${register.bits} bits`);
  try {
    register.write(machine, value);
  } catch (thrown) {
    const reason = thrown instanceof GuestException ? thrown.reason : thrown instanceof RangeError ? thrown.message : undefined;
    if (reason === undefined) throw thrown;
    throw new RangeError(`${name} cannot be 0x${value.toString(16)}: ${reason}`);
  }
}
