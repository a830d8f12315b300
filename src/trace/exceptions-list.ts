/**
 * Everything that the comparison with QEMU forgives, in one place and each with its reason: values that come from
 * outside the processor, and places where QEMU does not do what the manual says (then the manual wins, and we go on
 * with QEMU's value only so that one difference does not become a thousand). What QEMU never raises, so that no comparison
 * shows it, is in test/trace/corpus/not-raised.ts.
 */
import { STATUS_MASK } from '../cpu/flags.ts';
import type { Instruction } from '../cpu/isa/instruction.ts';
import { FIELD, TraceState } from './state.ts';
import type { DeviceRead } from './stepper.ts';

/** One difference between two states after the same instruction. */
export interface Disagreement {
  /** The instruction that was executed, if it can still be read. */
  readonly instruction: Instruction | undefined;
  readonly deviceReads: readonly DeviceRead[];
  /** The state before the instruction, the same on both sides. */
  readonly before: TraceState;
  readonly ours: TraceState;
  readonly recorded: TraceState;
  /** Words that differ. */
  readonly words: readonly number[];
}

export interface Forgiven {
  readonly name: string;
  readonly why: string;
  applies(d: Disagreement): boolean;
}

const only = (d: Disagreement, ...allowed: readonly number[]): boolean => d.words.every((word) => allowed.includes(word));
const isMnemonic = (d: Disagreement, ...names: readonly string[]): boolean => d.instruction !== undefined && names.includes(d.instruction.mnemonic);
const ZF = 0x40n;
/** P, W/R and RSVD of a page-fault error code. */
const PF_PRESENT = 1, PF_WRITE = 2, PF_RESERVED = 8;
/** The error code refers to a gate of the IDT. */
const IDT_FLAG = 2;
const RAX = 0, RCX = 1, RDX = 2, RBX = 3, RSP = 4;
/** Each: selector, base, limit, attributes. */
const CS = FIELD.segments + 4, SS = FIELD.segments + 2 * 4, FS = FIELD.segments + 4 * 4, GS = FIELD.segments + 5 * 4;

/** Ports whose values depend on time or on what the board is made of, and why. */
const ENVIRONMENT_PORTS: readonly { readonly first: number; readonly last: number; readonly why: string }[] = [
  { first: 0x20, last: 0x21, why: 'interrupt requests wait in QEMU’s PIC, in ours they are injected' },
  { first: 0xa0, last: 0xa1, why: 'interrupt requests wait in QEMU’s PIC, in ours they are injected' },
  { first: 0x40, last: 0x43, why: 'the counters run on QEMU’s clock' },
  { first: 0x60, last: 0x64, why: 'port 61h shows a timer output and the refresh toggle; the keyboard controller answers later in QEMU' },
  { first: 0x70, last: 0x71, why: 'the date and time of the host' },
  { first: 0x2f8, last: 0x2ff, why: 'the transmitter empties on QEMU’s clock' },
  { first: 0x3f8, last: 0x3ff, why: 'the transmitter empties on QEMU’s clock' },
  { first: 0x510, last: 0x511, why: 'QEMU’s firmware configuration' },
  { first: 0x608, last: 0x60b, why: 'the ACPI timer runs on QEMU’s clock' },
  { first: 0xcf8, last: 0xcff, why: 'the PCI devices of QEMU’s board' },
];
const isEnvironmentPort = (port: number): boolean => ENVIRONMENT_PORTS.some(({ first, last }) => port >= first && port <= last);

/** Values that the processor is given from outside: copied from the recording. */
export const ENVIRONMENT: readonly Forgiven[] = [
  {
    name: 'CPUID', why: 'QEMU describes its own processor model',
    applies: (d) => isMnemonic(d, 'CPUID') && only(d, RAX, RBX, RCX, RDX),
  },
  {
    name: 'time-stamp counter', why: 'the counters started at different times',
    applies: (d) => isMnemonic(d, 'RDTSC', 'RDTSCP') && only(d, RAX, RDX, RCX),
  },
  {
    name: 'random number', why: 'it would be none otherwise',
    applies: (d) => isMnemonic(d, 'RDRAND', 'RDSEED'),
  },
  {
    name: 'model-specific register', why: 'IA32_TIME_STAMP_COUNTER counts from another start; the firmware has set up IA32_MISC_ENABLE, IA32_APIC_BASE and the MTRRs',
    applies: (d) => isMnemonic(d, 'RDMSR') && only(d, RAX, RDX) && isEnvironmentMsr(Number(d.before.words[RCX]! & 0xffff_ffffn)),
  },
  {
    name: 'port read', why: 'see ENVIRONMENT_PORTS',
    applies: (d) => isMnemonic(d, 'IN') && only(d, RAX) && d.deviceReads.some((read) => read.space === 'port' && isEnvironmentPort(read.address)),
  },
  {
    name: 'device memory read', why: 'the local APIC’s current count and request registers run on QEMU’s clock',
    applies: (d) => d.deviceReads.some((read) => read.space === 'memory') && d.words.every((word) => word < FIELD.rip || word === FIELD.rflags),
  },
];

function isEnvironmentMsr(msr: number): boolean {
  return msr === 0x10 || msr === 0x1b || msr === 0x1a0 || msr === 0x277 || (msr >= 0x200 && msr <= 0x2ff) || msr === 0xfe;
}

/** Results that the manual leaves open: copied from the recording. */
export const UNDEFINED_RESULTS: readonly Forgiven[] = [
  {
    name: 'BSF or BSR of 0',
    why: 'the destination is undefined (SDM Vol. 2A, "BSF—Bit Scan Forward"); we leave all of it unchanged (APM Vol. 3, "BSF"), QEMU clears its upper half',
    applies: (d) => isMnemonic(d, 'BSF', 'BSR') && d.words.every((word) => word < FIELD.rip) && (d.recorded.words[FIELD.rflags]! & ZF) !== 0n,
  },
];

/** Where QEMU's TCG does not do what the manuals say. */
export const QEMU_DIFFERENCES: readonly Forgiven[] = [
  {
    name: 'SS after an IST stack switch',
    why: 'QEMU loads a null SS whenever a gate names an IST entry; SDM Vol. 3A, "Stack Switching in IA-32e Mode": only when CPL changes',
    applies: (d) => only(d, SS, SS + 2, SS + 3) && d.before.words[FIELD.cpl] === d.recorded.words[FIELD.cpl] && (d.recorded.words[SS]! & ~3n) === 0n,
  },
  {
    name: 'RET imm16 above 32767',
    why: 'QEMU sign-extends the number of bytes to release; SDM Vol. 2B, "RET—Return From Procedure", adds it as an unsigned number',
    applies: (d) => isMnemonic(d, 'RET', 'RETF', 'RETFW', 'RETFQ') && only(d, RSP) && d.instruction!.operands.length === 1,
  },
  {
    name: 'RPL of a null FS or GS after a return to an outer privilege level',
    why: 'QEMU leaves the selector; SDM Vol. 2A, "IRET/IRETD/IRETQ—Interrupt Return": a null selector becomes 0',
    applies: (d) => only(d, FS, GS) && d.words.every((word) => d.ours.words[word] === 0n && d.recorded.words[word]! < 4n),
  },
  {
    name: 'RPL of CS after a CALL through a gate to a conforming code segment',
    why: 'QEMU takes the DPL of the segment; SDM Vol. 2A, "CALL—Call Procedure": the RPL of CS becomes CPL',
    applies: (d) => isMnemonic(d, 'CALL') && only(d, CS) && (d.ours.words[CS]! & 3n) === d.ours.words[FIELD.cpl] && (d.ours.words[CS]! & ~3n) === (d.recorded.words[CS]! & ~3n),
  },
  {
    name: 'status flags after SYSCALL',
    why: 'QEMU clears CF PF AF ZF SF OF; SDM Vol. 2B, "SYSCALL—Fast System Call": RFLAGS AND NOT IA32_FMASK',
    applies: (d) => isMnemonic(d, 'SYSCALL') && only(d, FIELD.rflags) && (d.ours.words[FIELD.rflags]! & ~BigInt(STATUS_MASK)) === d.recorded.words[FIELD.rflags],
  },
];

/** A page-fault error code that has P wherever it has RSVD. */
const withReservedPresent = (code: number): number => ((code & PF_RESERVED) === 0 ? code : code | PF_PRESENT);

/** Where QEMU pushes another error code than the manuals say. */
export const QEMU_ERROR_CODES: readonly { readonly name: string; readonly why: string; applies(vector: number, ours: number, recorded: number, instruction: Instruction | undefined): boolean }[] = [
  {
    name: '#PF of a read-modify-write reported as a read',
    why: 'QEMU reads first and faults there; the processor asks for write permission at once. SDM Vol. 3A, "Page-Fault Exceptions" (W/R flag)',
    applies: (vector, ours, recorded, instruction) => vector === 14 && withReservedPresent(ours) === withReservedPresent(recorded | PF_WRITE)
      && instruction !== undefined && instruction.operands.some((x) => x.kind === 'memory'),
  },
  {
    name: '#PF of a reserved bit without P',
    why: 'QEMU leaves P clear; SDM Vol. 3A, "Page-Fault Exceptions": RSVD is set only if P is, because entries that are not present have no reserved bits',
    applies: (vector, ours, recorded) => vector === 14 && ours === withReservedPresent(recorded),
  },
  {
    name: 'error code that refers to the IDT',
    why: 'QEMU multiplies the vector by the size of a 64-bit gate; SDM Vol. 3A, "Error Code": the index is that of the gate, in bits 15:3',
    applies: (vector, ours, recorded) => (vector === 13 || vector === 11) && (ours & IDT_FLAG) !== 0 && recorded === (ours & ~7) * 2 + (ours & IDT_FLAG),
  },
  {
    name: 'error code of a far CALL beyond the limit of its code segment',
    why: 'QEMU pushes the selector; SDM Vol. 2A, "CALL—Call Procedure": #GP(0) if the target offset is beyond the code segment limit',
    applies: (vector, ours, recorded, instruction) => {
      const pointer = instruction?.mnemonic === 'CALL' ? instruction.operands[0] : undefined;
      return vector === 13 && ours === 0 && pointer?.kind === 'far-pointer' && recorded === (pointer.selector & ~3);
    },
  },
];

/**
 * Faults push RFLAGS with RF set (SDM Vol. 3B, "Debug Exceptions": RF flag in the saved image); QEMU does it since 9.1.
 * In comparisons with older ones the bit is cleared in our frame after the delivery; after #DF, an abort for which the
 * manual does not say it, always.
 */
export const RF_OF_FAULTS = { name: 'RF in the flags that a fault pushes', since: [9, 1] } as const;
