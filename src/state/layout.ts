/**
 * Where every piece of guest state lives in the one WebAssembly.Memory: the single table from which TypeScript gets
 * typed accessors (guest-state.ts) and generated code gets byte offsets (OFFSET). Guest RAM starts at RAM_BASE.
 */

type Kind = 'u64' | 'u32' | 'f64';
interface Field<K extends Kind = Kind, N extends number = number> { readonly kind: K; readonly count: N }
const u64 = { kind: 'u64', count: 1 } as const;
const u32 = { kind: 'u32', count: 1 } as const;
const f64 = { kind: 'f64', count: 1 } as const;
const u64s = <const N extends number>(count: N): Field<'u64', N> => ({ kind: 'u64', count });
const u32s = <const N extends number>(count: N): Field<'u32', N> => ({ kind: 'u32', count });

/** The architectural state of the processor, in the order in which it lies in memory. */
export const FIELDS = {
  /** RAX RCX RDX RBX RSP RBP RSI RDI R8-R15, then one that always reads zero: the absent base or index. */
  gpr: u64s(17),
  rip: u64,
  /** ZF is set when this word is 0. */
  zeroWord: u64,
  /** SF is bit 63; PF is the even parity of bits 7:0. */
  signParityWord: u64,
  /** Carry-out vector normalised to 64 bits: CF = bit 63, OF = bit 63 xor bit 62, AF = bit 3. */
  carriesWord: u64,
  /** RFLAGS without the six status flags: TF IF DF IOPL NT RF VM AC VIF VIP ID. Bit 1 and the status bits are 0 here. */
  systemFlags: u32,
  /** Current privilege level, 0-3. */
  cpl: u32,
  /** ES CS SS DS FS GS (the order of the Sreg field), then LDTR, TR. */
  selector: u32s(8),
  /** Descriptor bits 40-55 of the cached descriptor: type 3:0, S 4, DPL 6:5, P 7, AVL 12, L 13, D/B 14, G 15; bit 16 = unusable (null). */
  attributes: u32s(8),
  /** Cached limits in bytes, already scaled by G. */
  limit: u32s(8),
  /** Cached bases. */
  base: u64s(8),
  gdtrBase: u64,
  idtrBase: u64,
  gdtrLimit: u32,
  idtrLimit: u32,
  cr0: u32,
  cr4: u32,
  cr2: u64,
  cr3: u64,
  /** The four PDPTE registers of PAE paging, loaded by MOV to CR3. */
  pdpte: u64s(4),
  /** The task-priority class of MOV CR8, bits 3:0. */
  cr8: u32,
  efer: u32,
  dr: u64s(4),
  dr6: u32,
  dr7: u32,
  star: u64,
  lstar: u64,
  cstar: u64,
  sfmask: u64,
  kernelGsBase: u64,
  sysenterCs: u64,
  sysenterEsp: u64,
  sysenterEip: u64,
  apicBase: u64,
  /** IA32_TSC_DEADLINE as it was written last; the local APIC's timer knows whether it is still to come. */
  tscDeadline: u64,
  pat: u64,
  mtrrDefType: u64,
  mtrrFixed: u64s(11),
  mtrrVariable: u64s(16),
  miscEnable: u64,
  mcgStatus: u64,
  mcgCtl: u64,
  mcCtl: u64s(4),
  /** Added to virtual time to give the time-stamp counter. */
  tscOffset: u64,
  tscAux: u64,
  /** State of the source of RDRAND and RDSEED (src/cpu/isa/system/random.ts). */
  randomState: u64,
  /** XMM0-XMM15, 128 bits each, the low half first. */
  xmm: u64s(32),
  /** Bits 255:128 of YMM0-YMM15. */
  ymmHigh: u64s(32),
  mxcsr: u32,
  xcr0: u32,
  /** Rights of the protection keys, two bits each: access-disable, write-disable. */
  pkru: u32,
  /** The x87 control and status words; TOP is in the status word. */
  fpuControl: u32,
  fpuStatus: u32,
  /** How an x87 exception is reported while CR0.NE is 0: NUMERIC_ERROR. */
  numericError: u32,
  /** The full x87 tag word, two bits a physical register: 0 valid, 1 zero, 2 special, 3 empty. */
  fpuTag: u32,
  /** The x87 data registers R0-R7 (physical, not ST(i)): significand, then sign and exponent in bits 15:0. MM0-MM7 are the significands. */
  fpuRegisters: u64s(16),
  /** Last x87 opcode (11 bits), instruction pointer and operand pointer, with their selectors: what FXSAVE stores. */
  fpuOpcode: u32,
  fpuInstructionPointer: u64,
  fpuInstructionSelector: u32,
  fpuDataPointer: u64,
  fpuDataSelector: u32,
  /** 1 while the instruction after STI or MOV SS / POP SS runs: bit 0 blocks INTR, bit 1 also blocks #DB and NMI. */
  interruptShadow: u32,
  /** What the processor is doing: ACTIVITY. */
  activity: u32,
  /** The line of physical memory that MONITOR watches, by its number (address / 64) plus 1; 0: none. */
  monitoredLine: f64,
  /** 1 from the delivery of an NMI until the next IRET. */
  nmiBlocked: u32,
  /** Bit 0: an NMI waits to be delivered. */
  pendingEvents: u32,
  /** Bits as in DR6: #DB traps that wait for the end of the instruction (BS is set before a single-stepped one starts). */
  debugTraps: u32,
  /** Instructions retired since power-on: a reset does not turn time back. Each iteration of a REP string instruction counts as one. */
  retired: f64,
  /** Nanoseconds of virtual time that passed while the processor was halted. Virtual time = retired + idleTime. */
  idleTime: f64,
} as const;

/** `waiting`: in MWAIT; `waitingForAny`: in an MWAIT that interrupts end while IF is 0, too; `frozen`: before an x87 or MMX instruction, until an interrupt. */
export const ACTIVITY = { running: 0, halted: 1, shutdown: 2, waiting: 3, waitingForAny: 4, frozen: 5 } as const;
/** FERR# is asserted while an exception waits; then the chipset may assert IGNNE#, too. Both end with the exception. */
export const NUMERIC_ERROR = { none: 0, reported: 1, ignored: 2 } as const;

const BYTES: Record<Kind, number> = { u64: 8, u32: 4, f64: 8 };

function place(): { offsets: { readonly [F in keyof typeof FIELDS]: number }; end: number } {
  const offsets: Record<string, number> = {};
  let at = 0;
  for (const [name, field] of Object.entries<Field>(FIELDS)) {
    const size = BYTES[field.kind];
    at = Math.ceil(at / size) * size;
    offsets[name] = at;
    at += size * field.count;
  }
  return { offsets: offsets as { readonly [F in keyof typeof FIELDS]: number }, end: at };
}
const placed = place();

/** Byte offset of each field in the memory. */
export const OFFSET = placed.offsets;

/** The TLB's region (src/mmu/tlb.ts says what is in it). */
export const TLB_BASE = 0x1_0000;
export const TLB_BYTES = 0x10_0000;
/** Bytes from the beginning of the memory that hold the fields. */
export const FIELDS_END = placed.end;
if (placed.end > TLB_BASE) throw new RangeError(`the processor's fields need ${placed.end} bytes, the TLB begins at ${TLB_BASE}`);

/** Guest RAM: physical address 0 is at this offset. The room before it belongs to the engines' caches. */
export const RAM_BASE = 0x200_0000;
/** What is known of each frame of RAM stands behind RAM (src/mmu/physical-memory.ts): so many bytes a frame. */
export const FRAME_BYTES = 9;
/** The most RAM that fits in a 4 GiB memory below the MMIO hole, in bytes. */
export const MAX_RAM_BYTES = 0xc000_0000;

export type FieldName = keyof typeof FIELDS;
/** Segment register numbers as in the Sreg field; LDTR and TR follow in the same arrays. */
export const SEGMENT = { ES: 0, CS: 1, SS: 2, DS: 3, FS: 4, GS: 5, LDTR: 6, TR: 7 } as const;
export type Segment = 0 | 1 | 2 | 3 | 4 | 5;
