/** What one can do with a machine that has a history: the commands behind the prompt, gdb and the page. */
import type { Machine, Stop } from '../machine/machine.ts';
import { beginningOf, compareMoments, comparePositions, momentOf, type Moment, type Position } from '../machine/position.ts';
import { linear, PAGE_SIZE } from '../state/addresses.ts';
import { backtrace, callerOf, instructionAt, type Frame } from './backtrace.ts';
import { Breakpoints, type Hit } from './break/breakpoints.ts';
import { compileExpression } from './break/expression.ts';
import { History, momentTo, type HistoryOptions, type Watch, type WatchHit } from './history/history.ts';
import { lastWrite, type LastWrite, type WriteTarget } from './history/last-write.ts';
import { reverseContinue, type Progress, type Search } from './history/search.ts';
import { imageSymbols } from './image-symbols.ts';
import type { SymbolTable } from './symbols.ts';

export type DebugStop =
  /** As the machine says; `instruction-limit`: the slice that was asked for is over. */
  | Stop
  | { readonly kind: 'hit'; readonly hit: Hit }
  /** It is where the command leads. */
  | { readonly kind: 'arrived' }
  /** The history begins here. */
  | { readonly kind: 'start' }
  /** The command does not apply here. */
  | { readonly kind: 'refused'; readonly why: string };

/** A moment, a place in the run, or an instruction count. */
export type Destination = number | Position | Moment;

/** A way to somewhere, forwards or backwards, whose destination is fixed when it begins. Until it is over or cancelled nothing else may be done with the machine. */
export interface Motion {
  /**
   * Goes on: forwards for at most so many instructions, backwards for some ten milliseconds where a number is given; to the end without one.
   * `instruction-limit`: it is not over yet.
   */
  advance(maxInstructions?: number): DebugStop;
  /** Gives it up: forwards the machine stays where it has come, backwards it returns to where it was. */
  cancel(): void;
  /** How far it has come; undefined, or no such function: nobody knows how far it is. */
  progress?(): Progress | undefined;
}

const ARRIVED = { kind: 'arrived' } as const, START = { kind: 'start' } as const;
const RSP = 4, PAGE_FAULT = 14;
/** What is gone over as a whole. */
const CALLS = new Set(['CALL', 'INT', 'INT3', 'SYSCALL', 'SYSENTER']);

/** Bytes of all ports that are looked through for what COM1 has printed last. */
const MOST_PRINTED = 4096;

export class Debugger {
  readonly machine: Machine;
  readonly history: History;
  readonly breakpoints: Breakpoints;
  readonly symbols: SymbolTable;
  /** The address of a page fault that has not been delivered yet, before which the machine stood, and what had been noted by then. */
  #foreseen: { readonly at: Moment; readonly address: bigint; readonly changes: number } | undefined;

  /** Before which exception or interrupt a breakpoint has stopped the machine last. */
  #stoppedBefore: Position | undefined;

  /** The history of a machine, which is not running, begins here. */
  constructor(machine: Machine, { symbols = imageSymbols(machine), ...options }: HistoryOptions & { readonly symbols?: SymbolTable } = {}) {
    this.machine = machine;
    this.symbols = symbols;
    this.history = new History(machine, options);
    this.breakpoints = new Breakpoints(symbols);
  }

  /** The end of what COM1 has printed before now: as much as a text that is waited for may have. */
  readonly #printed = (): string => {
    const { records, now } = this.history, sent = records.sentBefore(now.retired);
    return String.fromCharCode(...records.output(0, sent - MOST_PRINTED, sent));
  };

  /** What is said of a way that leads to where the machine is: how the guest has ended, if it has here. */
  get arrival(): DebugStop { return this.history.ending ?? ARRIVED; }

  // ----------------------------------------------------------------------------------------------------- forwards
  /** So many boundaries: an instruction, an iteration of a REP or a delivery each. Breakpoints on the way do not stop it. */
  step(count = 1): DebugStop {
    for (let n = 0; n < count; n++) {
      const stop = this.history.run({ maxInstructions: 1 });
      if (stop.kind !== 'instruction-limit') return stop as Stop;
    }
    return this.arrival;
  }

  /** Until a breakpoint, or the guest, stops it; at most so many instructions. */
  continue(maxInstructions = Infinity): DebugStop { return this.#run(undefined, maxInstructions); }

  /** The same as a motion. */
  onwards(): Motion { return this.#to(undefined); }

  /** Over a CALL, an INT, a system call or a REP as a whole; anything else is a step. */
  over(): Motion {
    const { machine } = this, { rip, gpr } = machine.state;
    const i = instructionAt(machine, rip);
    if (i === undefined || !(CALLS.has(i.mnemonic) || i.repeat !== 'none')) return { advance: () => this.step(), cancel: () => undefined };
    return this.#to(comesTo(BigInt.asUintN(i.mode.codeSize, rip + BigInt(i.length)), gpr[RSP]!));
  }

  /** To the caller, behind the call. */
  out(): Motion {
    const caller = this.caller();
    return caller === undefined ? refused('no caller can be made out on the stack') : this.#to(comesTo(caller.rip, caller.rsp));
  }

  /** To an address. */
  toAddress(address: bigint): Motion { return this.#to(comesTo(address, 0n)); }

  #to(destination: Watch | undefined): Motion { return { advance: (maxInstructions = Infinity) => this.#run(destination, maxInstructions), cancel: () => undefined }; }

  #run(destination: Watch | undefined, maxInstructions: number): DebugStop {
    const first = this.machine.state.retired, firstDelivery = this.machine.cpu.deliveries;
    for (;;) {
      const done = Math.max(this.machine.state.retired - first, this.machine.cpu.deliveries - firstDelivery);
      if (done >= maxInstructions) return { kind: 'instruction-limit' };
      const watch = both(this.breakpoints.watch(this.#printed), destination);
      const stop = this.history.run({ maxInstructions: maxInstructions - done, stopsAtOnce: !this.#isKnownToComeNext, ...(watch === undefined ? {} : { watch }) });
      if (stop.kind !== 'hit') return stop;
      if (!('breakpoint' in stop.hit)) return this.arrival;
      this.#noteStopBefore(stop.hit);
      if (this.breakpoints.stopsAt(stop.hit)) return { kind: 'hit', hit: stop.hit };
    }
  }

  /** A breakpoint has stopped the machine here before the exception or interrupt that comes next: whoever goes on does so knowingly. After an edit another one may come. */
  get #isKnownToComeNext(): boolean {
    const { history } = this;
    return this.#stoppedBefore !== undefined && !history.isLive && comparePositions(this.#stoppedBefore, history.now) === 0;
  }
  #noteStopBefore({ breakpoint: { what: { on } }, at }: Hit): void { if (on === 'exception' || on === 'interrupt') this.#stoppedBefore = at; }

  // ---------------------------------------------------------------------------------------------------- backwards
  back(count = 1): DebugStop { return this.history.stepBack(count) ? this.arrival : START; }

  /** Back to where a breakpoint would have stopped, or to the beginning. */
  reverse(): Motion { return this.#reverse(undefined); }

  /** Back over what the instruction before called. */
  backOver(): Motion {
    const { state } = this.machine, { history } = this;
    const { rip } = state, rsp = state.gpr[RSP]!, here = history.now;
    if (!history.stepBack()) return over(START);
    const i = instructionAt(this.machine, state.rip);
    // Not the end of something that was called from the instruction before here.
    if (i === undefined || !['RET', 'IRET', 'IRETD', 'IRETQ', 'SYSRET'].includes(i.mnemonic)) return over(ARRIVED);
    const motion = this.#reverse(callsTo(rip, rsp));
    return { advance: (maxInstructions) => motion.advance(maxInstructions), cancel: () => { motion.cancel(); history.runTo(here); }, progress: () => motion.progress?.() };
  }

  /** Back to the call, or the event, that led into this function. */
  backOut(): Motion {
    const slot = this.caller()?.slot;
    if (slot === undefined) return refused('no caller can be made out on the stack');
    return asMotion(lastWrite(this.history, { kind: 'memory', address: slot, bytes: 1 }).map((found) => {
      if (found === undefined) return { kind: 'refused', why: 'the call was before the history began' };
      this.history.runTo(found.at);
      return ARRIVED;
    }));
  }

  #reverse(destination: Watch | undefined): Motion {
    // Without anything to stop at it is the way to the beginning.
    const watch = both(this.breakpoints.watch(this.#printed), destination) ?? { hit: () => undefined };
    return asMotion(reverseContinue<WatchHit | Hit>(this.history, watch).map((found) => {
      if (found.kind === 'start') return START;
      if (!('breakpoint' in found.hit)) return ARRIVED;
      this.#noteStopBefore(found.hit);
      return { kind: 'hit', hit: found.hit };
    }));
  }

  // --------------------------------------------------------------------------------------------------------- other
  /** To an instruction count, a position or a moment, past breakpoints and whatever the guest does; to the start of the history for one before it. */
  goTo(to: Destination): Motion {
    const way = this.history.wayTo(to), { state } = this.machine, { retired: end } = momentTo(to);
    const isOutOfReach = compareMoments(momentTo(to), beginningOf(this.history.start)) < 0;
    let begun: number | undefined;
    return {
      advance: (maxInstructions) => {
        const before = state.retired, stop = way(maxInstructions);
        begun ??= Math.min(before, state.retired);
        return stop.kind !== 'arrived' ? stop : isOutOfReach ? START : this.arrival;
      },
      cancel: () => undefined,
      progress: () => (begun === undefined || begun >= end ? undefined : { kind: 'way', done: Math.min(state.retired, end) - begun, of: end - begun }),
    };
  }
  runTo(to: Destination): DebugStop { return this.goTo(to).advance(); }
  restart(): DebugStop { return this.runTo(this.history.start); }

  /** Changes memory now, all of the bytes or none; what can be read can be written, read-only pages too. Throws RangeError for what is no RAM. */
  writeMemory(address: bigint, bytes: Uint8Array, isPhysical = false): void {
    const { machine, history } = this, pieces: { address: number; bytes: Uint8Array }[] = [];
    for (let done = 0; done < bytes.length;) {
      const here = BigInt.asUintN(64, address + BigInt(done));
      const count = Math.min(bytes.length - done, PAGE_SIZE - Number(here & 0xfffn));
      const at = isPhysical ? Number(here) : machine.readLinear(here, count).length === count ? machine.mmu.explain(linear(here)).physicalAddress : undefined;
      if (at === undefined || at + count > machine.state.ramBytes) throw new RangeError(`0x${here.toString(16)} is not ${isPhysical ? 'RAM' : 'mapped to RAM'}`);
      pieces.push({ address: at, bytes: bytes.slice(done, done + count) });
      done += count;
    }
    for (const piece of pieces) history.give({ kind: 'memory', ...piece });
  }

  /** As lastWrite of last-write.ts. */
  lastWrite(target: WriteTarget): Search<LastWrite | undefined> { return lastWrite(this.history, target); }

  /** The address that CR2 gets from the page fault which is the next thing to be delivered; undefined: none is, as far as is known. */
  get faultAddress(): bigint | undefined {
    const next = this.history.records.from(this.history.now);
    if (next !== undefined) return next.kind === 'fault' && next.vector === PAGE_FAULT ? next.cr2 : undefined;
    const { history } = this, foreseen = this.#foreseen;
    return foreseen !== undefined && foreseen.changes === history.records.changes && compareMoments(foreseen.at, history.now) === 0 ? foreseen.address : undefined;
  }

  /** Finds out whether a page fault is the next thing to be delivered, where the history does not know because the machine has never been further. */
  foreseeFault(): void {
    const { history } = this, at = history.now;
    if (history.records.from(at) !== undefined) return;
    const { state, cpu } = this.machine, delivered: { readonly vector: number; readonly kind: string; readonly address: bigint }[] = [];
    history.foresee({ exception: (vector, _errorCode, address, _rip, kind) => {
      if (state.retired === at.retired && cpu.deliveries - cpu.deliveriesInStep === at.deliveries) delivered.push({ vector, kind, address });
    } });
    const [first] = delivered;
    this.#foreseen = first?.kind === 'fault' && first.vector === PAGE_FAULT ? { at, address: first.address, changes: history.records.changes } : undefined;
  }

  /**
   * The value of an expression now; undefined where memory cannot be read or something is divided by 0. `fault` is the address of the page fault that is about to
   * be delivered. Throws ExpressionError; RangeError where no page fault is.
   */
  evaluate(expression: string): bigint | undefined {
    return compileExpression(expression, (name) => this.symbols.addressOf(name) ?? (name.toLowerCase() === 'fault' ? this.#fault() : undefined))(this.machine);
  }
  #fault(): bigint {
    const address = this.faultAddress;
    if (address === undefined) throw new RangeError('fault: no page fault is about to be delivered here; CR2 has the address of the last one');
    return address;
  }

  backtrace(): Frame[] { return backtrace(this.machine, this.symbols); }
  caller(): Frame | undefined { return callerOf(this.machine, this.symbols, { rip: this.machine.state.rip, rsp: this.machine.state.gpr[RSP]!, by: 'current', slot: undefined }); }
}

/** A motion that is over. */
const over = (stop: DebugStop): Motion => ({ advance: () => stop, cancel: () => undefined });
const refused = (why: string): Motion => over({ kind: 'refused', why });

function asMotion(search: Search<DebugStop>): Motion {
  return {
    advance: (maxInstructions) => (maxInstructions === undefined ? search.finish() : search.advance()?.what ?? { kind: 'instruction-limit' }),
    cancel: () => { search.cancel(); },
    progress: () => search.progress,
  };
}

/** Execution comes to an address with the stack no deeper than here. */
function comesTo(address: bigint, rsp: bigint): Watch {
  return { addresses: new Set([address]), hit: (machine) => (machine.state.rip === address && machine.state.gpr[RSP]! >= rsp ? { at: momentOf(machine) } : undefined) };
}

/** Execution is at a CALL, INT or the like that ends at an address, with this RSP. */
function callsTo(end: bigint, rsp: bigint): Watch {
  const addresses = new Set(Array.from({ length: 15 }, (_, n) => BigInt.asUintN(64, end - BigInt(n + 1))));
  return {
    addresses,
    hit: (machine) => {
      const { rip, gpr } = machine.state;
      if (!addresses.has(rip) || gpr[RSP] !== rsp) return undefined;
      const i = instructionAt(machine, rip);
      return i !== undefined && CALLS.has(i.mnemonic) && rip + BigInt(i.length) === end ? { at: momentOf(machine) } : undefined;
    },
  };
}

/** Two watches as one: what the first sees goes first. */
function both<A extends WatchHit, B extends WatchHit>(a: Watch<A> | undefined, b: Watch<B> | undefined): Watch<A | B> | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return {
    addresses: new Set([...a.addresses ?? [], ...b.addresses ?? []]),
    everyBoundary: a.everyBoundary === true || b.everyBoundary === true,
    nextCount: (retired) => Math.min(a.nextCount?.(retired) ?? Infinity, b.nextCount?.(retired) ?? Infinity),
    hit: (machine) => {
      const first = a.hit(machine), second = b.hit(machine);
      return first ?? second;
    },
    arm: (machine) => {
      a.arm?.(machine);
      b.arm?.(machine);
    },
    disarm: (machine) => {
      a.disarm?.(machine);
      b.disarm?.(machine);
    },
  };
}
