/**
 * The board: processor, memory and devices wired together, one virtual clock, one way to run. Time is the instruction
 * count: one retired instruction is one nanosecond, and HLT skips to the next thing that is due.
 */
import { Cpu } from '../cpu/cpu.ts';
import { RFLAGS, readRflags } from '../cpu/flags.ts';
import { ignoreNumericError } from '../cpu/fpu/control.ts';
import { DEFAULT_MODEL_NAME, parseCpuModel } from '../cpu/models.ts';
import { isStopTest, type Engine, type Stops } from '../cpu/engines/engine.ts';
export type { StopTest } from '../cpu/engines/engine.ts';
import { FastEngine, type FastEngineKind } from '../cpu/engines/fast/engine.ts';
import { ReferenceEngine } from '../cpu/engines/reference/engine.ts';
import { createPcDevices, DEBUG_CONSOLE_PORT, type PcDevices } from '../devices/board.ts';
import { debugConsole } from '../devices/emulator-ports.ts';
import { Mmu } from '../mmu/mmu.ts';
import { PhysicalMemory } from '../mmu/physical-memory.ts';
import { PAGE_SIZE, linear, physical, type LinearAddress, type PhysicalAddress, isCanonical } from '../state/addresses.ts';
import { APIC_BYTES, APIC_DEFAULT_BASE, apicMode } from '../state/apic-base.ts';
import { GuestState } from '../state/guest-state.ts';
import { ACTIVITY } from '../state/layout.ts';
import { enter } from './boot/enter.ts';
import { startFirmware } from './boot/firmware.ts';
import { planBoot, type BootOptions, type BootPlan } from './boot/index.ts';
import { Observers } from './observers.ts';
import { Statistics } from './statistics.ts';

/** `reference`: one instruction after the other, evaluated; `interpreter`: generated handlers; `translator`: everything becomes WebAssembly at once; `auto`: what is hot does. */
export type EngineName = 'reference' | FastEngineKind;
export const ENGINE_NAMES: readonly EngineName[] = ['auto', 'interpreter', 'translator', 'reference'];

export interface MachineOptions {
  /** `auto` if not given. The guest cannot tell which it is. */
  readonly engine?: EngineName;
  /** The processor, as `MODEL[,+FEATURE,-FEATURE]`; `x86-64-v3` if not given, and `max` is all that is built. What its CPUID does not announce is not there. */
  readonly cpu?: string;
  /** RAM in bytes, a multiple of 4096; 128 MiB if not given. */
  readonly memoryBytes?: number;
  /** First of the four debug-exit ports; 0xf4 if not given. */
  readonly debugExitPort?: number;
  /** What the real-time clock shows at power-on, in seconds since 1970; 2026-01-01 if not given. No host clock is read. */
  readonly rtcEpochSeconds?: number;
  /** Takes what the guest sends on a serial port (0: COM1, 1: COM2) or the debug console 0xE9 (port `debug`). */
  readonly onOutput?: (port: 0 | 1 | 'debug', byte: number) => void;
}

/** Why `run` came back. */
export type Stop =
  /** The guest wrote `value` to the debug-exit port. */
  | { readonly kind: 'debug-exit'; readonly value: number }
  | { readonly kind: 'power-off' }
  | { readonly kind: 'reset' }
  | { readonly kind: 'triple-fault' }
  /** HLT with interrupts off (`wakeable` false), or with interrupts on but no device that will interrupt: only outside input can wake it. */
  | { readonly kind: 'halted'; readonly wakeable: boolean }
  | { readonly kind: 'instruction-limit' }
  /** RIP reached `until.rip` or one of `breakpoints`, or the output ended in `until.output`. */
  | { readonly kind: 'reached' }
  /** `pause` was called. */
  | { readonly kind: 'paused' }
  | { readonly kind: 'unimplemented'; readonly what: string; readonly rip: bigint; readonly bytes: Uint8Array };

export interface RunOptions {
  /** At most this many more instructions, and at most this many exceptions and interrupts. */
  readonly maxInstructions?: number;
  /** Stop before the instruction at this offset in CS, or once COM1 has printed this text. */
  readonly until?: { readonly rip?: bigint; readonly output?: string };
  /** Stop before the instruction at any of these offsets in CS, too; not before the first one that runs. A set costs nothing elsewhere. */
  readonly breakpoints?: Stops;
  /** A halted processor waits until this `state.idleTime` at most, even if nothing is due: then the run ends as `halted`. */
  readonly maxIdleTime?: number;
}

/** RAM of a machine of which nothing else is said. */
export const DEFAULT_MEMORY_BYTES = 128 * 2 ** 20;
/** Where firmware made for QEMU says what it does, if a debug console answers. */
const FIRMWARE_DEBUG_PORT = 0x402;
const DEFAULT_EPOCH = Date.UTC(2026, 0, 1) / 1000;
/** So many device events in a row that do not wake a halted processor mean that none will: it masks what they ask for. */
const MAX_IDLE_EVENTS = 20_000;

export class Machine {
  readonly state: GuestState;
  readonly memory: PhysicalMemory;
  readonly mmu: Mmu;
  readonly cpu: Cpu;
  readonly devices: PcDevices;
  readonly engine: Engine;
  readonly engineName: EngineName;
  /** The engine that executes what the chosen one does not, and single steps: perhaps the chosen one itself. */
  readonly reference: ReferenceEngine;
  readonly statistics: Statistics;
  readonly observers = new Observers();
  /** A stretch that has been executed before is executed again: nothing leaves the machine, nothing is counted. */
  repeating = false;
  /** What it was made with. */
  readonly options: MachineOptions;
  /** What the real-time clock showed at power-on, in seconds since 1970. */
  readonly rtcEpochSeconds: number;
  /** As in RunOptions, for every run: real-time.ts sets it. */
  maxIdleTime = Infinity;
  /** Virtual time up to which device events have run: a run that begins at this time does not run them twice. */
  advancedTo = -1;
  /** The plan that was loaded last: symbols, protocol, warnings. */
  boot: BootPlan | undefined;
  /** It was started by `loadFirmware`: its ROM is in no snapshot. */
  hasFirmware = false;
  /** Where the local APIC's registers are in memory. */
  private localApicAt: number | undefined = APIC_DEFAULT_BASE;
  private stop: Stop | undefined;
  /** The bytes of `until.output` that COM1 has still to end in, and the last ones it sent, as Latin-1 text. */
  private wanted = '';
  private outputTail = '';
  /** Virtual time at which the slice in progress ends. */
  private sliceEnd = Infinity;

  /** Throws RangeError for an impossible memory size, CpuModelError for an unknown processor. */
  constructor(options: MachineOptions = {}) {
    const model = parseCpuModel(options.cpu ?? DEFAULT_MODEL_NAME);
    this.options = options;
    this.rtcEpochSeconds = options.rtcEpochSeconds ?? DEFAULT_EPOCH;
    this.state = new GuestState(options.memoryBytes ?? DEFAULT_MEMORY_BYTES);
    this.memory = new PhysicalMemory(this.state);
    this.mmu = new Mmu(this.state, this.memory, { pdpe1gb: model.features.has('pdpe1gb'), pse36: model.features.has('pse36'), pat: model.features.has('pat') });
    this.devices = createPcDevices({
      clock: () => this.now(),
      memoryBytes: this.state.ramBytes,
      tscDeadline: model.features.has('tsc-deadline'),
      rtcEpochSeconds: this.rtcEpochSeconds,
      ...(options.debugExitPort === undefined ? {} : { debugExitPort: options.debugExitPort }),
      onSerialOutput: (port, byte) => this.output(port, byte, options.onOutput),
      onDebugConsole: (byte) => this.output('debug', byte, options.onOutput),
      onDebugExit: (value) => this.end({ kind: 'debug-exit', value }),
      onPowerOff: () => this.end({ kind: 'power-off' }),
      onReset: () => this.end({ kind: 'reset' }),
      onA20: (open) => this.memory.setA20(open),
      onIgnoreNumericError: () => ignoreNumericError(this.state),
      onInterruptChange: () => this.cpu?.interruptLineChanged(),
      onNmi: () => this.cpu.requestNmi(),
      onTaskPriorityChange: (cr8) => {
        this.state.cr8 = cr8;
        this.observers.controlRegister(8, BigInt(cr8));
      },
      onUnimplemented: (what) => this.end({ kind: 'unimplemented', what, rip: this.state.rip, bytes: new Uint8Array(0) }),
    });
    this.cpu = new Cpu(this.state, this.mmu, {
      readPort: (port, bytes) => {
        const value = this.devices.ports.read(port, bytes);
        this.observers.port(port, bytes, value, false);
        return value;
      },
      writePort: (port, bytes, value) => {
        this.devices.ports.write(port, bytes, value);
        this.observers.port(port, bytes, value, true);
      },
      interruptRequested: () => this.devices.interrupts.requested(),
      acknowledgeInterrupt: () => this.devices.interrupts.acknowledge(),
      now: () => this.now(),
      taskPriorityChanged: (cr8) => this.devices.localApic.setTaskPriority(cr8),
      apicBaseChanged: (value) => {
        this.devices.localApic.setBase(value);
        this.placeLocalApic();
      },
      numericError: () => this.devices.numericError.report(),
      localApic: this.devices.localApic,
    }, model);
    this.cpu.observer = this.observers;
    this.mmu.tlb.onFlush = (what) => { this.observers.tlbFlush(what); };
    for (const region of this.devices.mmio) this.memory.addMmio(region.base, region.bytes, region.device);
    this.devices.localApic.setBase(this.state.apicBase);
    this.placeLocalApic();
    this.engineName = options.engine ?? 'auto';
    if (this.engineName === 'reference') this.engine = this.reference = new ReferenceEngine(this.cpu);
    else {
      const engine = new FastEngine(this.cpu, this.engineName);
      this.engine = engine;
      this.reference = engine.reference;
    }
    this.devices.scheduler.onEarlier(() => this.deadlinesMayHaveMoved());
    this.statistics = new Statistics(this);
  }

  /** Puts the local APIC's registers where IA32_APIC_BASE says: nowhere in memory while it is off or in x2APIC mode. */
  placeLocalApic(): void {
    const { apicBase } = this.state;
    const at = apicMode(apicBase) === 'xAPIC' ? Number(apicBase & ~0xfffn) : undefined;
    if (at === this.localApicAt) return;
    if (this.localApicAt !== undefined) this.memory.removeMmio(physical(this.localApicAt));
    this.localApicAt = undefined;
    if (at === undefined) return;
    if (!this.memory.isFreeOfDevices(at, APIC_BYTES)) {
      this.end({ kind: 'unimplemented', what: `local APIC registers at 0x${at.toString(16)}, over those of another device`, rip: this.state.rip, bytes: new Uint8Array(0) });
      return;
    }
    this.memory.addMmio(physical(at), APIC_BYTES, this.devices.localApic);
    this.localApicAt = at;
  }

  /** Virtual time since power-on in nanoseconds. */
  now(): number { return this.state.retired + this.state.idleTime; }
  /** An interrupt ends a wait of the processor: IF is set, or MWAIT has been told that any will do. */
  get mayBeInterrupted(): boolean { return (readRflags(this.state) & RFLAGS.IF) !== 0 || this.state.activity === ACTIVITY.waitingForAny; }

  /** Reads an image file, puts it into memory and the processor at its entry. Throws ImageError; then nothing has changed. */
  load(file: Uint8Array, options: BootOptions = {}): BootPlan {
    const plan = planBoot(file, this.state.ramBytes, options);
    enter(this.cpu, this.memory, plan);
    this.boot = plan;
    return plan;
  }

  /**
   * Puts a firmware ROM where QEMU's `-bios` puts it, and the processor at its reset vector. Once for a machine. The chips are as firmware leaves them, which
   * theirs programs anew. Throws ImageError; then nothing has changed.
   */
  loadFirmware(file: Uint8Array): void {
    startFirmware(this.cpu, this.memory, file);
    this.devices.ports.claim(FIRMWARE_DEBUG_PORT, 1, debugConsole(DEBUG_CONSOLE_PORT, (byte) => this.output('debug', byte, this.options.onOutput)));
    this.boot = undefined;
    this.hasFirmware = true;
  }

  /** Feeds bytes to a serial port (0: COM1). Returns how many it took. */
  input(bytes: Iterable<number>, port: 0 | 1 = 0): number {
    let taken = 0;
    for (const byte of bytes) {
      if (!this.devices.serial[port].receive(byte)) break;
      taken++;
    }
    return taken;
  }

  /** Runs until something happens or the limit is reached. Throws nothing that a guest could cause. */
  run(options: RunOptions = {}): Stop {
    const { state, devices } = this;
    const { maxInstructions = Infinity } = options, maxIdleTime = Math.min(this.maxIdleTime, options.maxIdleTime ?? Infinity);
    const end = state.retired + maxInstructions;
    // A guest whose handlers fault before their first instruction retires nothing for ever: deliveries are bounded too.
    const lastDelivery = this.cpu.deliveries + maxInstructions;
    const wanted = options.until?.output ?? '';
    this.wanted = wanted === '' ? '' : String.fromCharCode(...new TextEncoder().encode(wanted));
    this.outputTail = '';
    this.engine.stopAt(stopsOf(options));
    let idleEvents = 0;
    // Whether the machine stopped at an instruction, or ran through it, is nothing that a device may notice.
    let fresh = this.advancedTo !== this.now();
    for (;;) {
      const stop = this.takeStop();
      if (stop) return stop;
      if (state.activity === ACTIVITY.shutdown) return { kind: 'triple-fault' };
      const now = this.now();
      if (fresh) devices.scheduler.advanceTo(now);
      fresh = true;
      this.advancedTo = now;
      if (state.retired >= end || this.cpu.deliveries >= lastDelivery) return { kind: 'instruction-limit' };
      const budget = Math.max(1, Math.min(end - state.retired, devices.scheduler.nextDeadline() - now));
      this.sliceEnd = now + budget;
      const result = this.engine.run(budget);
      if (result.kind === 'unimplemented') return result;
      if (result.kind === 'breakpoint') return this.takeStop() ?? { kind: 'reached' };
      if (result.kind !== 'halted') {
        idleEvents = 0;
        continue;
      }
      const next = devices.scheduler.nextDeadline();
      if (!this.mayBeInterrupted) return { kind: 'halted', wakeable: false };
      const until = Math.min(state.idleTime + Math.max(0, next - this.now()), maxIdleTime);
      if (until === Infinity || ++idleEvents > MAX_IDLE_EVENTS || state.idleTime >= maxIdleTime) return { kind: 'halted', wakeable: true };
      state.idleTime = until;
    }
  }

  /** For observers: the run in progress ends at the next boundary, as `paused` unless the guest ends it there. */
  pause(): void { this.end({ kind: 'paused' }); }

  private end(stop: Stop): void {
    if (this.stop === undefined || this.stop.kind === 'paused') this.stop = stop;
    this.engine.requestStop();
  }
  private takeStop(): Stop | undefined {
    const { stop } = this;
    this.stop = undefined;
    return stop;
  }

  /** A device armed an event: if it is due before the slice ends, the slice ends now. */
  private deadlinesMayHaveMoved(): void {
    if (this.devices.scheduler.nextDeadline() < this.sliceEnd) this.engine.requestStop();
  }

  private output(port: 0 | 1 | 'debug', byte: number, sink: MachineOptions['onOutput']): void {
    this.observers.output(port, byte);
    if (!this.repeating) sink?.(port, byte);
    if (port !== 0 || this.wanted === '') return;
    this.outputTail = (this.outputTail + String.fromCharCode(byte)).slice(-this.wanted.length);
    if (this.outputTail === this.wanted) this.end({ kind: 'reached' });
  }

  /** Reads guest memory by linear address without side effects: fewer bytes come back where pages are missing or are no RAM. */
  readLinear(address: LinearAddress | bigint, count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    for (let done = 0; done < count;) {
      const from = linear(address + BigInt(done));
      if (this.cpu.longModeActive ? !isCanonical(from, this.cpu.linearWidth) : from >> 32n !== 0n) return bytes.subarray(0, done);
      const mapped = this.mmu.explain(from).physicalAddress;
      if (mapped === undefined) return bytes.subarray(0, done);
      const at = this.memory.throughA20(mapped);
      const piece = Math.min(count - done, PAGE_SIZE - Number(from & 0xfffn));
      if (at + piece > this.state.ramBytes) return bytes.subarray(0, done);
      bytes.set(this.memory.copyOut(physical(at), piece), done);
      done += piece;
    }
    return bytes;
  }

  /** Reads guest RAM by physical address. Throws RangeError outside RAM. */
  readPhysical(address: PhysicalAddress | number, count: number): Uint8Array { return this.memory.copyOut(physical(address), count); }
}

function stopsOf({ until, breakpoints = new Set() }: RunOptions): Stops {
  const rip = until?.rip;
  if (!isStopTest(breakpoints)) return new Set(rip === undefined ? breakpoints : [...breakpoints, rip]);
  return rip === undefined ? breakpoints : { isTest: true, has: (offset) => offset === rip || breakpoints.has(offset) };
}
