/** Every register by its name, for debuggers: how wide it is, what it holds, and how it is changed with all that follows from it. */
import { readRflags, RFLAGS, STATUS_MASK, SYSTEM_MASK } from '../cpu/flags.ts';
import { GuestException } from '../cpu/exceptions.ts';
import { MSR, readMsr, writeMsr } from '../cpu/msr.ts';
import { isCanonical } from '../cpu/segmentation.ts';
import { writeControlRegister } from '../cpu/isa/system/control-registers.ts';
import type { FieldName } from '../state/layout.ts';
import type { Machine } from './machine.ts';

export interface MachineRegister {
  readonly name: string;
  readonly bits: 16 | 32 | 64 | 80 | 128 | 256;
  readonly read: (machine: Machine) => bigint;
  /** Whatever changes it tells the machine's observers: `controlRegister`, `msr`, `refreshed` or `exception`. */
  readonly observed?: boolean;
  /** Absent: it cannot be changed. Takes a value of `bits` bits; throws RangeError or GuestException for one that the register cannot have. */
  readonly write?: (machine: Machine, value: bigint) => void;
}

const GENERAL = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15'];
const SEGMENTS = ['es', 'cs', 'ss', 'ds', 'fs', 'gs', 'ldtr', 'tr'];
const CONTROL_REGISTERS = [0, 2, 3, 4, 8] as const;
const MSRS: Readonly<Record<string, number>> = {
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
    write: ({ cpu }, value) => { cpu.setRflags(Number(value & BigInt((STATUS_MASK | SYSTEM_MASK) & ~RFLAGS.VM)) | 2); },
  };
  for (const [n, name] of SEGMENTS.entries()) {
    yield { name, bits: 16, read: ({ state }) => BigInt(state.selector[n]!) };
    yield {
      name: `${name}_base`, bits: 64, read: ({ state }) => state.base[n]!,
      ...(name === 'fs' || name === 'gs' ? { write: (machine: Machine, value: bigint) => { writeMsr(machine.cpu, name === 'fs' ? MSR.FS_BASE : MSR.GS_BASE, value); } } : {}),
    };
    yield { name: `${name}_limit`, bits: 32, read: ({ state }) => BigInt(state.limit[n]!) };
    yield { name: `${name}_attributes`, bits: 32, read: ({ state }) => BigInt(state.attributes[n]!) };
  }
  yield { name: 'cpl', bits: 32, observed: true, read: ({ state }) => BigInt(state.cpl) };
  for (const n of CONTROL_REGISTERS) {
    yield {
      // CR8 changes with the local APIC's task priority, too.
      name: `cr${n}`, bits: 64, observed: n !== 8,
      read: ({ state }) => (n === 2 ? state.cr2 : n === 3 ? state.cr3 : BigInt(n === 0 ? state.cr0 : n === 4 ? state.cr4 : state.cr8)),
      write: ({ cpu }, value) => { writeControlRegister(cpu, n, value); },
    };
  }
  for (const [name, address] of Object.entries(MSRS)) {
    yield { name, bits: 64, observed: !UNOBSERVED.has(name), read: ({ cpu }) => readMsr(cpu, address), write: ({ cpu }, value) => { writeMsr(cpu, address, value); } };
  }
  for (const name of ['gdtr', 'idtr'] as const) {
    yield { name: `${name}_base`, bits: 64, read: ({ state }) => state[`${name}Base`] };
    yield { name: `${name}_limit`, bits: 16, read: ({ state }) => BigInt(state[`${name}Limit`]) };
  }
  for (let n = 0; n < 4; n++) yield { name: `dr${n}`, bits: 64, read: ({ state }) => state.dr[n]! };
  for (const n of [6, 7] as const) yield { name: `dr${n}`, bits: 64, read: ({ state }) => BigInt(state[`dr${n}`]) };
  for (let n = 0; n < 16; n++) {
    yield {
      name: `xmm${n}`, bits: 128, read: ({ state }) => state.xmm[2 * n]! | (state.xmm[2 * n + 1]! << 64n),
      write: ({ state }, value) => { state.xmm[2 * n] = BigInt.asUintN(64, value); state.xmm[2 * n + 1] = value >> 64n; },
    };
  }
  for (let n = 0; n < 16; n++) {
    const halves = ({ state }: Machine): readonly bigint[] => [state.xmm[2 * n]!, state.xmm[2 * n + 1]!, state.ymmHigh[2 * n]!, state.ymmHigh[2 * n + 1]!];
    yield {
      name: `ymm${n}`, bits: 256, read: (machine) => halves(machine).reduceRight((value, part) => (value << 64n) | part, 0n),
      write: ({ state }, value) => {
        for (const [at, registers] of [state.xmm, state.ymmHigh].entries()) {
          for (const half of [0, 1]) registers[2 * n + half] = BigInt.asUintN(64, value >> BigInt(128 * at + 64 * half));
        }
      },
    };
  }
  yield { name: 'pkru', bits: 32, read: ({ state }) => BigInt(state.pkru), write: ({ mmu }, value) => { mmu.setPkru(Number(value)); } };
  yield { name: 'xcr0', bits: 64, read: ({ state }) => BigInt(state.xcr0) };
  for (let n = 0; n < 8; n++) {
    // ST(i): the physical register counts from TOP.
    yield {
      name: `st${n}`, bits: 80,
      read: ({ state }) => { const at = 2 * ((((state.fpuStatus >> 11) & 7) + n) & 7); return state.fpuRegisters[at]! | (state.fpuRegisters[at + 1]! << 64n); },
    };
  }
  const words: Readonly<Record<string, FieldName & ('fpuControl' | 'fpuStatus' | 'fpuTag' | 'fpuOpcode' | 'mxcsr')>> = {
    fctrl: 'fpuControl', fstat: 'fpuStatus', ftag: 'fpuTag', fop: 'fpuOpcode', mxcsr: 'mxcsr',
  };
  for (const [name, field] of Object.entries(words)) yield { name, bits: 32, read: ({ state }) => BigInt(state[field]) };
  // As gdb calls them; the pointers have 64 bits with REX.W forms of FXSAVE only.
  yield { name: 'fiseg', bits: 32, read: ({ state }) => BigInt(state.fpuInstructionSelector) };
  yield { name: 'fioff', bits: 64, read: ({ state }) => state.fpuInstructionPointer };
  yield { name: 'foseg', bits: 32, read: ({ state }) => BigInt(state.fpuDataSelector) };
  yield { name: 'fooff', bits: 64, read: ({ state }) => state.fpuDataPointer };
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
    if (thrown instanceof GuestException) throw new RangeError(`${name} cannot be 0x${value.toString(16)}: ${thrown.reason}`);
    throw thrown;
  }
}
