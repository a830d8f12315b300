/**
 * The local APIC of the one processor, in xAPIC and x2APIC mode: interrupt acceptance and priority, local vector table, timer, IPIs
 * to itself. Its timer counts virtual nanoseconds, divided, or waits for one of them.
 * SDM Vol. 3A, "Advanced Programmable Interrupt Controller (APIC)".
 */
import { apicMode } from '../state/apic-base.ts';
import type { MmioDevice } from '../mmu/physical-memory.ts';
import { ICR, LVT, REGISTER, SVR, TIMER_MODE, lvtWritable, x2Rights } from './local-apic-registers.ts';
import { LocalApicTimer } from './local-apic-timer.ts';
import { array, copyState, flag, record, u32, u8, zeroState, type Snapshotable } from './snapshot.ts';
import type { Clock, Scheduler } from './scheduler.ts';

const ENTRY = { VECTOR: 0xff, REMOTE_IRR: 0x4000, LEVEL: 0x8000, MASKED: 0x1_0000 } as const;
/** Version 0x14 (an APIC of Pentium 4 and later), six LVT entries, no EOI-broadcast suppression. */
const VERSION = 0x0005_0014;
const ESR = { SEND_ILLEGAL_VECTOR: 0x20, RECEIVED_ILLEGAL_VECTOR: 0x40, ILLEGAL_REGISTER: 0x80 } as const;
const SHORTHAND = { NONE: 0, SELF: 1, ALL_INCLUDING_SELF: 2, ALL_EXCLUDING_SELF: 3 } as const;
/** Delivery modes, of the ICR, of LVT entries and of I/O APIC redirection entries. */
export const DELIVERY = { FIXED: 0, LOWEST_PRIORITY: 1, SMI: 2, NMI: 4, INIT: 5, STARTUP: 6, EXTINT: 7 } as const;

/** In x2APIC mode: the one processor's ID, cluster 0 and bit 0 for logical destinations, everybody. */
const X2_ID = 0, X2_LOGICAL_ID = 1, X2_BROADCAST = 0xffff_ffff;

const SHAPE = record({
  globallyEnabled: flag,
  /** x2APIC mode. */
  x2: flag,
  id: u8,
  taskPriority: u8,
  logicalDestination: u8,
  /** DFR bits 31:28: 15 is the flat model, 0 the cluster model. */
  destinationFormat: u8,
  spurious: u32,
  inService: array(u32, 8),
  triggerMode: array(u32, 8),
  requests: array(u32, 8),
  errors: u8,
  errorsToCome: u8,
  icrLow: u32,
  icrHigh: u32,
  lvt: array(u32, 6),
  lint: array(flag, 2),
});

/** An interrupt message: from the I/O APIC or from the ICR. */
export interface ApicMessage {
  readonly vector: number;
  readonly delivery: number;
  readonly level: boolean;
  /** Destination field, 8 bits. */
  readonly destination: number;
  readonly logical: boolean;
}

export interface LocalApicSignals {
  /** Whether the processor is interrupted may have changed. */
  readonly changed: () => void;
  readonly nmi: () => void;
  readonly init: () => void;
  /** A level-triggered interrupt ended: the broadcast to I/O APICs. */
  readonly endOfInterrupt: (vector: number) => void;
  /** The task-priority class (CR8) was written through the TPR. */
  readonly taskPriority: (cr8: number) => void;
  readonly unimplemented: (what: string) => void;
}

/** Highest bit set in a 256-bit register, or -1. */
function highest(words: readonly number[]): number {
  for (let i = 7; i >= 0; i--) {
    const word = words[i] ?? 0;
    if (word !== 0) return i * 32 + 31 - Math.clz32(word);
  }
  return -1;
}
function setBit(words: number[], n: number): void {
  words[n >> 5] = ((words[n >> 5] ?? 0) | 1 << (n & 31)) >>> 0;
}
function clearBit(words: number[], n: number): void {
  words[n >> 5] = ((words[n >> 5] ?? 0) & ~(1 << (n & 31))) >>> 0;
}
const hasBit = (words: readonly number[], n: number): boolean => ((words[n >> 5] ?? 0) >>> (n & 31) & 1) !== 0;

export class LocalApic implements MmioDevice, Snapshotable {
  readonly name = 'local APIC';
  readonly #signals: LocalApicSignals;
  readonly #timer: LocalApicTimer;
  /** Its timer has the TSC-deadline mode. */
  readonly #tscDeadline: boolean;
  readonly #state = zeroState(SHAPE);
  /** A vector of our own waits and its priority is high enough. */
  #deliverable = false;

  constructor(scheduler: Scheduler, clock: Clock, signals: LocalApicSignals, tscDeadline: boolean) {
    this.#signals = signals;
    this.#tscDeadline = tscDeadline;
    this.#timer = new LocalApicTimer(scheduler, clock, () => {
      this.#raiseLocal(LVT.TIMER);
      this.#update();
    });
    const s = this.#state;
    s.globallyEnabled = true;
    s.destinationFormat = 15;
    s.spurious = 0xff;
    s.lvt.fill(ENTRY.MASKED);
  }

  /** IA32_APIC_BASE.EN. While clear the processor has no local APIC: LINT0 is INTR and LINT1 is NMI. */
  get globallyEnabled(): boolean {
    return this.#state.globallyEnabled;
  }

  /** WRMSR to IA32_APIC_BASE: its enable bits. Where the registers are in memory is the board's to arrange. */
  setBase(value: bigint): void {
    const s = this.#state;
    const mode = apicMode(value);
    s.globallyEnabled = mode !== 'off';
    s.x2 = mode === 'x2APIC';
    this.#update();
  }

  /** RDMSR of a register in x2APIC mode, by its number (MSR - 800h). Undefined: it is #GP. */
  readX2(register: number): bigint | undefined {
    const offset = register * 16;
    if (!this.#state.x2 || x2Rights(offset, this.#tscDeadline)?.readable !== true) return undefined;
    const low = BigInt(this.read(offset, 4));
    return offset === REGISTER.ICR_LOW ? (BigInt(this.#state.icrHigh) << 32n) | low : low;
  }

  /** WRMSR to a register in x2APIC mode. False: it is #GP, and nothing has changed. */
  writeX2(register: number, value: bigint): boolean {
    const offset = register * 16, low = Number(value & 0xffff_ffffn), high = Number(value >> 32n);
    const writable = x2Rights(offset, this.#tscDeadline)?.writable;
    if (!this.#state.x2 || writable === undefined || (low & ~writable) !== 0 || (high !== 0 && offset !== REGISTER.ICR_LOW)) return false;
    if (offset === REGISTER.ICR_LOW) this.#state.icrHigh = high;
    this.write(offset, 4, low);
    return true;
  }

  /** IA32_TSC_DEADLINE as a virtual time; undefined disarms. In other modes of the timer it does nothing. */
  setDeadline(at: number | undefined): void { this.#timer.setDeadline(at); }
  get deadlineArmed(): boolean { return this.#timer.deadlineArmed; }

  /** Whether the processor is interrupted: by a vector of the APIC, or by the PIC through an LVT entry in ExtINT mode. */
  interruptRequested(): boolean {
    return this.#state.globallyEnabled ? this.#deliverable || this.externalRequested() : this.#state.lint[0] === true;
  }

  /** A pin in ExtINT mode is high: the INTA cycle goes to the PIC. */
  externalRequested(): boolean {
    const s = this.#state;
    if (!s.globallyEnabled) return s.lint[0] === true;
    return [0, 1].some((pin) => {
      const entry = s.lvt[LVT.LINT0 + pin] ?? 0;
      return s.lint[pin] === true && (entry & ENTRY.MASKED) === 0 && (entry >> 8 & 7) === DELIVERY.EXTINT;
    });
  }

  /** INTA for a vector of our own; undefined if none is deliverable (then it is the PIC's turn, or a spurious interrupt). */
  acknowledge(): number | undefined {
    const s = this.#state;
    if (!s.globallyEnabled || !this.#deliverable) return undefined;
    const vector = highest(s.requests);
    clearBit(s.requests, vector);
    setBit(s.inService, vector);
    this.#update();
    return vector;
  }

  /** SVR bits 7:0. */
  get spuriousVector(): number {
    return this.#state.spurious & 0xff;
  }

  /** MOV to CR8: TPR bits 7:4; bits 3:0 become 0. */
  setTaskPriority(cr8: number): void {
    this.#state.taskPriority = (cr8 & 15) << 4;
    this.#update();
  }

  /** The LINT0 and LINT1 pins: the PIC's INT and the board's NMI on a PC. */
  setLint(pin: 0 | 1, high: boolean): void {
    const s = this.#state;
    const rises = high && s.lint[pin] !== true;
    s.lint[pin] = high;
    if (!s.globallyEnabled) {
      if (pin === 1 && rises) this.#signals.nmi();
    } else if (rises) {
      this.#raiseLocal(LVT.LINT0 + pin);
    }
    this.#update();
  }

  /** Takes a message if it is addressed to this APIC. */
  deliver(message: ApicMessage): void {
    const destination = this.#state.x2 && message.destination === 0xff ? X2_BROADCAST : message.destination;
    if (!this.#state.globallyEnabled || !this.#addressed(destination, message.logical)) return;
    this.#accept(message.vector, message.delivery, message.level);
    this.#update();
  }

  /** Registers are 32 bits wide on 16-byte boundaries. "Accesses other than aligned 32-bit ones are undefined": here they read 0 and write nothing. */
  read(offset: number, bytes: number): number {
    if (bytes !== 4 || (offset & 15) !== 0) return 0;
    const s = this.#state;
    if (offset >= REGISTER.ISR && offset < REGISTER.ESR) {
      const set = offset < REGISTER.TMR ? s.inService : offset < REGISTER.IRR ? s.triggerMode : s.requests;
      return set[offset >> 4 & 7] ?? 0;
    }
    if (offset >= REGISTER.LVT_TIMER && offset <= REGISTER.LVT_ERROR) return s.lvt[(offset - REGISTER.LVT_TIMER) / 16] ?? 0;
    switch (offset) {
      case REGISTER.ID: return s.x2 ? X2_ID : s.id * 0x100_0000;
      case REGISTER.VERSION: return VERSION;
      case REGISTER.TPR: return s.taskPriority;
      case REGISTER.APR: case REGISTER.PPR: return this.#processorPriority();
      case REGISTER.EOI: case REGISTER.RRD: return 0;
      case REGISTER.LDR: return s.x2 ? X2_LOGICAL_ID : s.logicalDestination * 0x100_0000;
      case REGISTER.DFR: return (s.destinationFormat * 0x1000_0000 + 0xfff_ffff) >>> 0;
      case REGISTER.SVR: return s.spurious;
      case REGISTER.ESR: return s.errors;
      case REGISTER.ICR_LOW: return s.icrLow;
      case REGISTER.ICR_HIGH: return s.icrHigh;
      case REGISTER.INITIAL_COUNT: case REGISTER.CURRENT_COUNT: case REGISTER.DIVIDE: return this.#timer.read(offset);
      default:
        this.#error(ESR.ILLEGAL_REGISTER);
        this.#update();
        return 0;
    }
  }

  write(offset: number, bytes: number, value: number): void {
    if (bytes !== 4 || (offset & 15) !== 0) return;
    this.#writeRegister(offset, value >>> 0);
    this.#update();
  }

  #writeRegister(offset: number, value: number): void {
    const s = this.#state;
    if (offset >= REGISTER.LVT_TIMER && offset <= REGISTER.LVT_ERROR) {
      this.#writeEntry((offset - REGISTER.LVT_TIMER) / 16, value);
      return;
    }
    switch (offset) {
      case REGISTER.ID: s.id = value >>> 24; break;
      case REGISTER.TPR:
        s.taskPriority = value & 0xff;
        this.#signals.taskPriority(s.taskPriority >> 4);
        break;
      case REGISTER.EOI: this.#endOfInterrupt(); break;
      case REGISTER.SELF_IPI:
        if (!s.x2) this.#error(ESR.ILLEGAL_REGISTER);
        else if (value < 16) this.#error(ESR.SEND_ILLEGAL_VECTOR);
        else this.#accept(value, DELIVERY.FIXED, false);
        break;
      case REGISTER.LDR: s.logicalDestination = value >>> 24; break;
      case REGISTER.DFR: s.destinationFormat = value >>> 28; break;
      case REGISTER.SVR: this.#writeSpurious(value); break;
      case REGISTER.ESR:
        // "A write (of any value) to the ESR must be done to update the register before it is read."
        s.errors = s.errorsToCome;
        s.errorsToCome = 0;
        break;
      case REGISTER.ICR_LOW:
        s.icrLow = value & ICR.WRITABLE;
        this.#sendInterprocessorInterrupt();
        break;
      case REGISTER.ICR_HIGH: s.icrHigh = (value & 0xff00_0000) >>> 0; break;
      case REGISTER.INITIAL_COUNT: case REGISTER.DIVIDE: this.#timer.write(offset, value); break;
      case REGISTER.VERSION: case REGISTER.APR: case REGISTER.PPR: case REGISTER.RRD: case REGISTER.CURRENT_COUNT: break;
      default:
        if (offset < REGISTER.ISR || offset >= REGISTER.ESR) this.#error(ESR.ILLEGAL_REGISTER);
    }
  }

  #writeSpurious(value: number): void {
    const s = this.#state;
    s.spurious = value & SVR.WRITABLE;
    if ((s.spurious & SVR.ENABLE) !== 0) return;
    // "The mask bits for all the LVT entries are set. Attempts to reset these bits will be ignored."
    for (let i = 0; i < s.lvt.length; i++) this.#writeEntry(i, s.lvt[i] ?? 0);
  }

  #writeEntry(index: number, value: number): void {
    const s = this.#state;
    const masked = (s.spurious & SVR.ENABLE) === 0 ? ENTRY.MASKED : 0;
    const entry = value & lvtWritable(index, this.#tscDeadline) | masked | (s.lvt[index] ?? 0) & ENTRY.REMOTE_IRR;
    s.lvt[index] = entry;
    if (index === LVT.TIMER) this.#timer.configure(entry >> TIMER_MODE.SHIFT & 3, (entry & ENTRY.MASKED) === 0);
    // A level-triggered pin that is high is heard as soon as its entry lets it.
    if ((index === LVT.LINT0 || index === LVT.LINT1) && s.lint[index - LVT.LINT0] === true && (entry & ENTRY.LEVEL) !== 0) this.#raiseLocal(index);
  }

  /** An event of the local vector table. */
  #raiseLocal(index: number): void {
    const s = this.#state;
    const entry = s.lvt[index] ?? 0;
    if ((entry & ENTRY.MASKED) !== 0) return;
    const delivery = index === LVT.TIMER || index === LVT.ERROR ? DELIVERY.FIXED : entry >> 8 & 7;
    if (delivery === DELIVERY.EXTINT) return; // a level, seen by externalRequested
    const level = delivery === DELIVERY.FIXED && (index === LVT.LINT0 || index === LVT.LINT1) && (entry & ENTRY.LEVEL) !== 0;
    if (level) {
      if ((entry & ENTRY.REMOTE_IRR) !== 0) return;
      s.lvt[index] = entry | ENTRY.REMOTE_IRR;
    }
    this.#accept(entry & ENTRY.VECTOR, delivery, level);
  }

  #accept(vector: number, delivery: number, level: boolean): void {
    const s = this.#state;
    switch (delivery) {
      case DELIVERY.FIXED: case DELIVERY.LOWEST_PRIORITY:
        if ((s.spurious & SVR.ENABLE) === 0) return;
        if (vector < 16) {
          this.#error(ESR.RECEIVED_ILLEGAL_VECTOR);
          return;
        }
        setBit(s.requests, vector);
        if (level) setBit(s.triggerMode, vector);
        else clearBit(s.triggerMode, vector);
        return;
      case DELIVERY.NMI: this.#signals.nmi(); return;
      case DELIVERY.INIT: this.#signals.init(); return;
      case DELIVERY.STARTUP: return; // a processor that runs ignores it
      case DELIVERY.SMI: this.#signals.unimplemented('system management interrupt'); return;
      case DELIVERY.EXTINT: this.#signals.unimplemented('ExtINT message to the local APIC'); return;
      default: // reserved
    }
  }

  #sendInterprocessorInterrupt(): void {
    const s = this.#state;
    const vector = s.icrLow & 0xff;
    const delivery = s.icrLow >> 8 & 7;
    const shorthand = s.icrLow >> 18 & 3;
    const usesVector = delivery === DELIVERY.FIXED || delivery === DELIVERY.LOWEST_PRIORITY;
    if (usesVector && vector < 16) this.#error(ESR.SEND_ILLEGAL_VECTOR);
    const reached = shorthand === SHORTHAND.NONE ? this.#addressed(s.x2 ? s.icrHigh : s.icrHigh >>> 24, (s.icrLow & ICR.LOGICAL) !== 0)
      : shorthand === SHORTHAND.SELF ? delivery === DELIVERY.FIXED : shorthand === SHORTHAND.ALL_INCLUDING_SELF;
    // The INIT level de-assert message synchronises arbitration IDs and is not an INIT.
    const deassert = delivery === DELIVERY.INIT && (s.icrLow & ICR.LEVEL) !== 0 && (s.icrLow & ICR.ASSERT) === 0;
    if (reached && !deassert && (!usesVector || vector >= 16)) this.#accept(vector, delivery, false);
  }

  /** Whether a destination field means this APIC. SDM Vol. 3A, "Determining IPI Destination". */
  #addressed(destination: number, logical: boolean): boolean {
    const s = this.#state;
    if (s.x2) return destination === X2_BROADCAST || (logical ? (destination >>> 16) === 0 && (destination & X2_LOGICAL_ID) !== 0 : destination === X2_ID);
    if (destination === 0xff) return true;
    if (!logical) return destination === s.id;
    if (s.destinationFormat === 15) return (destination & s.logicalDestination) !== 0;
    return destination >> 4 === s.logicalDestination >> 4 && (destination & s.logicalDestination & 15) !== 0;
  }

  #endOfInterrupt(): void {
    const s = this.#state;
    const vector = highest(s.inService);
    if (vector < 0) return;
    clearBit(s.inService, vector);
    if (!hasBit(s.triggerMode, vector)) return;
    for (const index of [LVT.LINT0, LVT.LINT1]) {
      const entry = s.lvt[index] ?? 0;
      if ((entry & ENTRY.REMOTE_IRR) === 0 || (entry & ENTRY.VECTOR) !== vector) continue;
      s.lvt[index] = entry & ~ENTRY.REMOTE_IRR;
      if (s.lint[index - LVT.LINT0] === true) this.#raiseLocal(index);
    }
    this.#signals.endOfInterrupt(vector);
  }

  #error(bit: number): void {
    const s = this.#state;
    if ((s.errorsToCome & bit) !== 0) return; // told already; an illegal vector in the error entry itself ends here
    s.errorsToCome |= bit;
    this.#raiseLocal(LVT.ERROR);
  }

  /** PPR. SDM Vol. 3A, "Task and Processor Priorities". */
  #processorPriority(): number {
    const serving = Math.max(0, highest(this.#state.inService));
    const { taskPriority } = this.#state;
    return taskPriority >> 4 >= serving >> 4 ? taskPriority : serving & 0xf0;
  }

  #update(): void {
    this.#deliverable = highest(this.#state.requests) >> 4 > this.#processorPriority() >> 4;
    this.#signals.changed();
  }

  snapshot(): unknown {
    return { registers: copyState(SHAPE, this.#state, 'localApic.registers'), timer: this.#timer.snapshot() };
  }

  restore(snapshot: unknown): void {
    const { registers, timer } = copyState(record({ registers: SHAPE, timer: LocalApicTimer.SHAPE }), snapshot, 'localApic');
    Object.assign(this.#state, registers);
    this.#timer.restore(timer);
    this.#deliverable = highest(this.#state.requests) >> 4 > this.#processorPriority() >> 4;
  }
}
