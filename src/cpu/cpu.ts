/**
 * The processor as system instructions and engines see it: state, paging, ports, and the rules that are not one
 * instruction's own (segmented access, exception delivery, modes). Every engine shares one Cpu.
 * Segment checks are in segmentation.ts, the IDT in delivery.ts, events between instructions in events.ts.
 */
import { type LinearAddress, isCanonical, isCanonicalAccess, type LinearWidth } from '../state/addresses.ts';
import type { GuestState } from '../state/guest-state.ts';
import { highOf, lowOf } from '../state/halves.ts';
import { SEGMENT, type Segment } from '../state/layout.ts';
import { CR0, CR4, EFER } from '../mmu/control-bits.ts';
import type { Mmu, Privilege } from '../mmu/mmu.ts';
import type { PageFault } from '../mmu/page-fault.ts';
import { DEFAULT_MODEL, type CpuModel } from './models.ts';
import { BREAKS, enabledBreakpoints, matchData } from './debug-registers.ts';
import { deliverFault, type DeliveryKind, type FaultRecord } from './delivery.ts';
import { DeliveryProgress } from './delivery-progress.ts';
import { ATTRIBUTE } from './descriptors.ts';
import { attentionNeeded, serviceAttention } from './events.ts';
import { AC, GP, type GuestException } from './exceptions.ts';
import { RFLAGS, writeRflags } from './flags.ts';
import { MODE_16, MODE_32, MODE_64, type Mode } from './isa/instruction.ts';
import type { Width } from './isa/operand.ts';
import type { Intent } from './isa/ops.ts';
import { resetState } from './reset.ts';
import { accessFault, legacyLinearAddress, withinLimit, type CachedSegment } from './segmentation.ts';
import { Stack } from './stack.ts';

/** What the board gives the processor. */
export interface CpuBus {
  /** IN: `bytes` is 1, 2 or 4; an unclaimed port reads all ones. */
  readPort(port: number, bytes: 1 | 2 | 4): number;
  writePort(port: number, bytes: 1 | 2 | 4, value: number): void;
  /** Whether INTR is asserted. */
  interruptRequested(): boolean;
  /** INTA: the vector of the interrupt that is now in service. */
  acknowledgeInterrupt(): number;
  /** Virtual time in nanoseconds. */
  now(): number;
  /** MOV to CR8 and writes to IA32_APIC_BASE concern the local APIC. */
  taskPriorityChanged(cr8: number): void;
  apicBaseChanged(value: bigint): void;
  /** FERR# is asserted: an x87 exception is to be reported. Absent: nothing is connected to it. */
  numericError?(): void;
  /** Absent: the bus has no local APIC that instructions could reach. */
  readonly localApic?: LocalApicOfCpu;
}

/** What RDMSR and WRMSR ask of the local APIC. */
export interface LocalApicOfCpu {
  /** A register of x2APIC mode by its number (MSR - 800h). Undefined, or false: #GP. */
  readX2(register: number): bigint | undefined;
  writeX2(register: number, value: bigint): boolean;
  /** IA32_TSC_DEADLINE, as a virtual time in nanoseconds; undefined disarms. */
  setDeadline(at: number | undefined): void;
  readonly deadlineArmed: boolean;
}

/** Called at each delivery of an exception or interrupt, before its gate is read. `rip` is the one that will be pushed. */
export type ExceptionObserver = (vector: number, errorCode: number | undefined, cr2: bigint, rip: bigint, kind: DeliveryKind) => void;

/** Called by what changes the processor, after the change; a debugger's own changes come by, too. */
export interface CpuObserver {
  /** MOV to CR and its like: the new value. */
  controlRegister(number: 0 | 2 | 3 | 4 | 8, value: bigint): void;
  /** WRMSR. */
  msr(address: number, value: bigint): void;
  /** What `refresh` derives from the state may have changed. */
  refreshed(): void;
}

const MODES: readonly Mode[] = [
  MODE_16, { codeSize: 16, stackSize: 32 }, { codeSize: 32, stackSize: 16 }, MODE_32,
];
const MODES_WITHOUT_VEX: readonly Mode[] = MODES.map((mode) => ({ ...mode, withoutVex: true }));
/** An access of up to 16 bytes from below this address stays below the canonical hole, however wide addresses are. */
const SAFE_LOW = 0x7fff_ffff_fff0n;

export class Cpu {
  readonly state: GuestState;
  readonly mmu: Mmu;
  readonly bus: CpuBus;
  /** What it is: CPUID says it, and nothing beyond it is there. */
  readonly model: CpuModel;
  /** Bits 31:0 and 63:32 of `nextIp`. */
  readonly nextHalves = new Uint32Array(2);
  readonly #next = new BigUint64Array(this.nextHalves.buffer);
  /** The stack of SS:rSP for whoever uses it: see `Stack.current`. */
  readonly stack = new Stack(this);
  /** Something may need service before the next instruction: call `serviceAttention`. */
  attention = false;
  /** Whose rights explicit memory accesses have. */
  privilege: Privilege = 'supervisor';
  /** #AC is raised for unaligned accesses: CR0.AM, RFLAGS.AC and CPL 3. */
  alignmentChecked = false;
  /** DR7 enables a breakpoint on data: every access must come through `load` and `store`. */
  dataBreakpoints = false;
  /** DR7 enables a breakpoint on instructions, or on ports. */
  executionBreakpoints = false;
  portBreakpoints = false;
  /** 64-bit mode: EFER.LMA and CS.L. */
  in64BitMode = false;
  /** Bits of linear addresses in 64-bit mode: by CR4.LA57. */
  linearWidth: LinearWidth = 48;
  /** The shadow of STI or MOV SS that the instruction which runs is in, as `state.interruptShadow`; 0: none. */
  shadow = 0;
  /** `state.retired` when `serviceAttention` was called last. */
  servicedAt = -1;
  /** Exceptions whose delivery failed, oldest first, since the last delivery that succeeded: the way to a triple fault. */
  faultChain: FaultRecord[] = [];
  /** Exceptions and interrupts delivered since the Cpu was made: grows even where no instruction retires (a handler whose first fetch faults). */
  deliveries = 0;
  /** How many of them belong to the step in progress: it began at the boundary before them. */
  deliveriesInStep = 0;
  readonly deliveryProgress = new DeliveryProgress();
  onException: ExceptionObserver | undefined;
  observer: CpuObserver | undefined;
  /** Nobody but a counter of software interrupts and page faults looks at deliveries, and nobody at changes of mode: an engine may count them itself. */
  unwatched: () => boolean = () => this.onException === undefined && this.observer === undefined;
  /** Grows with whatever may change how the next instruction is executed: mode, privilege, control registers, segments, what is pending, who looks on. */
  changes = 0;
  #mode: Mode = MODE_64;

  constructor(state: GuestState, mmu: Mmu, bus: CpuBus, model: CpuModel = DEFAULT_MODEL) {
    this.state = state;
    this.mmu = mmu;
    this.bus = bus;
    this.model = model;
    this.widestLinear = model.features.has('la57') ? 57 : 48;
    this.reset();
  }

  /** Power-up state. SDM Vol. 3A, "Processor State After Reset". */
  reset(): void {
    resetState(this);
    this.stateReplaced();
  }

  /** Where execution goes on: engines set it to the next instruction's offset before they execute one; branches overwrite it; engines commit it to RIP at the end. */
  get nextIp(): bigint { return this.#next[0]!; }
  set nextIp(to: bigint) { this.#next[0] = to; }
  /** Goes on at an address in halves. */
  setNextIp(low: number, high: number): void {
    this.nextHalves[0] = low;
    this.nextHalves[1] = high;
  }

  /** Decode mode by EFER.LMA, CS.L, CS.D, SS.B. One of a few constant objects, so it may be compared by identity. */
  mode(): Mode { return this.#mode; }

  get realMode(): boolean { return (this.state.cr0 & CR0.PE) === 0; }
  get virtual8086Mode(): boolean { return (this.state.systemFlags & RFLAGS.VM) !== 0; }
  /** Protected mode without virtual-8086 mode: selectors name descriptors. IA-32e mode is part of it. */
  get protectedMode(): boolean { return !this.realMode && !this.virtual8086Mode; }
  /** IA-32e mode: 64-bit or compatibility mode. */
  get longModeActive(): boolean { return (this.state.efer & EFER.LMA) !== 0; }
  /** The widest linear addresses that the processor can have. */
  readonly widestLinear: LinearWidth;
  get iopl(): number { return (this.state.systemFlags >> 12) & 3; }

  /**
   * Recomputes what is derived from the state: mode, privilege, alignment checks, breakpoints, attention. Called by
   * whatever changes CR0, CR4, EFER, DR7, CPL, CS, SS or system flags.
   */
  refresh(): void {
    const { state } = this;
    const code = state.attributes[SEGMENT.CS]!;
    const { cpl } = state;
    this.in64BitMode = (state.efer & EFER.LMA) !== 0 && (code & ATTRIBUTE.L) !== 0;
    this.#mode = this.in64BitMode
      ? MODE_64
      : (this.protectedMode ? MODES : MODES_WITHOUT_VEX)[((code & ATTRIBUTE.DB) !== 0 ? 2 : 0) + ((state.attributes[SEGMENT.SS]! & ATTRIBUTE.DB) !== 0 ? 1 : 0)]!;
    this.linearWidth = (state.cr4 & CR4.LA57) === 0 ? 48 : 57;
    this.privilege = cpl === 3 ? 'user' : 'supervisor';
    this.alignmentChecked = cpl === 3 && (state.cr0 & CR0.AM) !== 0 && (state.systemFlags & RFLAGS.AC) !== 0;
    const breakpoints = enabledBreakpoints(state);
    this.executionBreakpoints = (breakpoints & BREAKS.execute) !== 0;
    this.dataBreakpoints = (breakpoints & BREAKS.data) !== 0;
    this.portBreakpoints = (breakpoints & BREAKS.io) !== 0;
    this.refreshAttention();
    this.observer?.refreshed();
  }

  /** To be called after the whole state was replaced, at an instruction boundary: a snapshot restored, a trace begun. */
  stateReplaced(): void {
    this.shadow = 0;
    this.servicedAt = -1;
    this.faultChain = [];
    this.mmu.memory.resumeMonitor();
    this.refresh();
  }

  refreshAttention(): void {
    this.changes++;
    this.attention = attentionNeeded(this);
  }

  // ------------------------------------------------------------------------------------------------------- memory
  /** Linear address of an explicit access, with all segment checks: the form for 64-bit mode is a comparison or two. Throws GuestException. */
  linearAddress(segment: Segment, offset: bigint, bytes: number, write: boolean): LinearAddress {
    let address: LinearAddress;
    if (this.in64BitMode) {
      address = (segment < SEGMENT.FS ? offset : BigInt.asUintN(64, offset + this.state.base[segment]!)) as LinearAddress;
      if (address >= SAFE_LOW && !isCanonicalAccess(lowOf(address), highOf(address), bytes, this.linearWidth)) throw accessFault(segment, 'address is not canonical');
    } else {
      address = legacyLinearAddress(this, segment, offset, bytes, write);
    }
    if (this.alignmentChecked && (Number(address & 7n) & (bytes - 1)) !== 0) throw AC();
    return address;
  }

  /** Reads w bits at segment:offset with all segment checks and the page walk. Throws GuestException or PageFault. */
  load(w: Width, segment: Segment, offset: bigint, intent: Intent): bigint {
    const bytes = (w >> 3) as 1 | 2 | 4 | 8;
    const modify = intent === 'modify';
    const address = this.linearAddress(segment, offset, bytes, modify);
    const value = this.mmu.load(address, bytes, this.privilege, modify);
    if (this.dataBreakpoints) this.#watch(address, bytes, false);
    return value;
  }

  /** Writes w bits at segment:offset. Throws GuestException or PageFault; nothing is written then. */
  store(w: Width, segment: Segment, offset: bigint, value: bigint): void {
    const bytes = (w >> 3) as 1 | 2 | 4 | 8;
    const address = this.linearAddress(segment, offset, bytes, true);
    this.mmu.store(address, bytes, this.privilege, value);
    if (this.dataBreakpoints) this.#watch(address, bytes, true);
  }

  /** Reads 128 bits at segment:offset, whatever their alignment (#AC, where enabled, by 8 bytes as Intel documents; AMD: by 16). Throws GuestException or PageFault. */
  load128(segment: Segment, offset: bigint): bigint {
    const address = this.linearAddress(segment, offset, 16, false);
    const low = this.mmu.load(address, 8, this.privilege, false);
    const high = this.mmu.load(this.#further(address, 8n), 8, this.privilege, false);
    if (this.dataBreakpoints) this.#watch(address, 16, false);
    return (high << 64n) | low;
  }

  /** Writes 128 bits at segment:offset. Throws GuestException or PageFault; nothing is written then. */
  store128(segment: Segment, offset: bigint, value: bigint): void {
    const address = this.probeStore128(segment, offset);
    this.mmu.store(address, 8, this.privilege, BigInt.asUintN(64, value));
    this.mmu.store(this.#further(address, 8n), 8, this.privilege, value >> 64n);
    if (this.dataBreakpoints) this.#watch(address, 16, true);
  }

  /** Writes 256 bits at segment:offset, the low half first. Throws GuestException or PageFault; nothing is written then. */
  store256(segment: Segment, offset: bigint, low: bigint, high: bigint): void {
    const upper = BigInt.asUintN(64, offset + 16n);
    this.probeStore128(segment, offset);
    this.probeStore128(segment, upper);
    this.store128(segment, offset, low);
    this.store128(segment, upper, high);
  }

  /** Throws what a store of 128 bits to segment:offset would throw, and writes nothing. Returns the linear address. */
  probeStore128(segment: Segment, offset: bigint): LinearAddress {
    const address = this.linearAddress(segment, offset, 16, true);
    const last = this.#further(address, 15n);
    this.mmu.translate(address, 'write', this.privilege);
    if (address >> 12n !== last >> 12n) this.mmu.translate((last & ~0xfffn) as LinearAddress, 'write', this.privilege);
    return address;
  }

  /** Linear addresses have 32 bits outside 64-bit mode. */
  #further(address: LinearAddress, bytes: bigint): LinearAddress { return BigInt.asUintN(this.in64BitMode ? 64 : 32, address + bytes) as LinearAddress; }

  /** Throws what a store of `bytes` bytes to segment:offset would throw, and writes nothing. */
  probeStore(segment: Segment, offset: bigint, bytes: 1 | 2 | 4 | 8): void {
    const address = this.linearAddress(segment, offset, bytes, true);
    this.mmu.translate(address, 'write', this.privilege);
    if ((Number(address & 0xfffn) + bytes - 1) > 0xfff) this.mmu.translate((this.#further(address, BigInt(bytes - 1)) & ~0xfffn) as LinearAddress, 'write', this.privilege);
  }

  #watch(address: LinearAddress, bytes: number, write: boolean): void {
    this.raiseDebugTraps(matchData(this.state, address, bytes, write));
  }

  /** Notes #DB traps (bits as in DR6) that the instruction in progress has caused; they are taken after it. */
  raiseDebugTraps(bits: number): void {
    if (bits === 0) return;
    this.state.debugTraps |= bits;
    this.attention = true;
  }

  /** Linear address of the instruction at CS:ip. Throws #GP(0) where ip is not canonical or beyond the limit of CS. */
  fetchAddress(ip: bigint): LinearAddress {
    this.checkBranchTarget(ip);
    return (this.in64BitMode ? ip : BigInt.asUintN(32, this.state.base[SEGMENT.CS]! + ip)) as LinearAddress;
  }

  /** Throws #GP(0) unless execution may go on at CS:ip: canonical in 64-bit mode, within the limit of CS elsewhere. */
  checkBranchTarget(ip: bigint): void {
    if (this.in64BitMode ? !isCanonical(ip, this.linearWidth) : !withinLimit(this.state.attributes[SEGMENT.CS]!, this.state.limit[SEGMENT.CS]!, Number(ip), 1)) {
      throw GP(0, this.in64BitMode ? 'RIP is not canonical' : 'EIP is beyond the limit of CS');
    }
  }

  // ----------------------------------------------------------------------------------------------------- segments
  /** The contents of a segment register; LDTR and TR are SEGMENT.LDTR and SEGMENT.TR. */
  segment(number: number): CachedSegment {
    const { state } = this;
    return { selector: state.selector[number]!, attributes: state.attributes[number]!, limit: state.limit[number]!, base: state.base[number]! };
  }

  /** Puts a descriptor straight into a segment register, without a table and without checks. A change of CS or SS needs `refresh` (setMode does it). */
  setSegment(number: number, to: CachedSegment): void {
    const { state } = this;
    this.changes++;
    state.selector[number] = to.selector;
    state.attributes[number] = to.attributes;
    state.limit[number] = to.limit;
    state.base[number] = to.base;
  }

  /** Sets the registers that select the mode, without the checks of MOV CR and WRMSR, and CPL from SS. For boot loaders and snapshots. */
  setMode(cr0: number, cr4: number, efer: number): void {
    const { state } = this;
    state.cr0 = cr0;
    state.cr4 = cr4;
    state.efer = efer;
    state.cpl = (cr0 & CR0.PE) === 0 ? 0 : (state.attributes[SEGMENT.SS]! >> 5) & 3;
    this.mmu.flushAll();
    this.refresh();
  }

  // ------------------------------------------------------------------------------------------------------- events
  /** Delivers the fault that the instruction at RIP raised: afterwards RIP is the handler's, or the activity is shutdown. */
  deliverException(e: GuestException | PageFault): void { deliverFault(this, e); }

  /** Takes what is due before the next instruction. `run`: execute the instruction at RIP. */
  serviceAttention(): 'run' | 'halted' | 'shutdown' { return serviceAttention(this); }

  /** The board calls this when INTR has changed. */
  interruptLineChanged(): void { this.refreshAttention(); }

  /** A non-maskable interrupt arrives. */
  requestNmi(): void {
    this.state.pendingEvents |= 1;
    this.attention = true;
  }

  /** Writes RFLAGS; the caller has merged what may not change. */
  setRflags(value: number): void {
    writeRflags(this.state, value);
    this.refresh();
  }
}
