/**
 * A machine with its past: it can go back. What it did is not written down but done again, from the nearest checkpoint, with the same input from
 * the same log, which ends in the same state on every engine. The search for what happened last before now is in search.ts.
 */
import { InputLog, applyInput, type Input } from '../../machine/input-log.ts';
import type { Machine, Stop, StopTest } from '../../machine/machine.ts';
import type { Observer } from '../../machine/observers.ts';
import { beginningOf, compareMoments, comparePositions, momentOf, type Moment, type Position } from '../../machine/position.ts';
import { Checkpoints } from './checkpoints.ts';
import { Records } from './records.ts';

export interface HistoryOptions {
  /** Most bytes that checkpoints may take beside the first, which is a copy of the RAM in use; 512 MiB if not given. */
  readonly budgetBytes?: number;
  /** Inputs of another run of the same machine: they are given as it gets to their moments. */
  readonly log?: InputLog;
  /** How many inputs of the log the machine has been given already. */
  readonly given?: number;
}

/** Something to stop for. */
export interface WatchHit {
  /** Where a run stops: the boundary that has just been reached, or one before it. */
  readonly at: Moment;
  /** Where a way back stops, if not there: before the instruction or delivery that did it. */
  readonly before?: Moment;
}
/** What a run stops at besides the machine's own stops. */
export interface Watch<H extends WatchHit = WatchHit> {
  /** Offsets in CS before which the machine stands still. */
  readonly addresses?: ReadonlySet<bigint>;
  /** Or those of instructions that a test picks out. Elsewhere it runs at the engine's speed, but its code is made anew for it. */
  readonly instructions?: StopTest;
  /** It stands still at every boundary: some hundred thousand instructions a second. */
  readonly everyBoundary?: boolean;
  /** The next instruction count behind this one at which it stands still. */
  nextCount?(retired: number): number;
  /** Called when the machine stands still at a boundary that it has just reached: what to stop for, or undefined to go on. */
  hit(machine: Machine): H | undefined;
  /** Begins and ends to observe the machine. A watch that sees something calls `machine.pause()`, and is asked at the next boundary. */
  arm?(machine: Machine): void;
  disarm?(machine: Machine): void;
}

export interface HistoryRunOptions<H extends WatchHit = WatchHit> {
  /** At most this many more instructions, and this many deliveries. */
  readonly maxInstructions?: number;
  /** As in RunOptions. */
  readonly maxIdleTime?: number;
  /** Not beyond this moment. */
  readonly until?: Moment;
  readonly watch?: Watch<H>;
  /** It stops before what happens first, too. Otherwise who lets it go on is taken to know of it: the machine has been stopped there for it. */
  readonly stopsAtOnce?: boolean;
}

/** Why a run ended: as the machine says, or at what the watch watches, or at `until`. */
export type HistoryStop<H extends WatchHit = WatchHit> = Stop | { readonly kind: 'hit'; readonly hit: H } | { readonly kind: 'arrived' };

const NOWHERE: ReadonlySet<bigint> = new Set();
const DEFAULT_BUDGET_BYTES = 512 * 2 ** 20;

/**
 * What executing again costs at least, in nanoseconds, about: an instruction of generated code, one that the reference engine executes, a page walk. Cold code, which has to be
 * decoded first, costs more, and so does everything on a slow host: there its clock says how much. That decides where checkpoints are taken, and nothing else.
 */
const COST = { instruction: 4, reference: 700, walk: 500 } as const;
/** Between two checkpoints, and for each frame that a checkpoint has to copy: four times what copying costs. */
const INTERVAL = 12e6, INTERVAL_OF_FRAME = 6000;
/** Between two looks at what it has cost, and the shortest and longest way there in instructions. */
const SLICE_COST = 2e6, SHORTEST_SLICE = 2000, LONGEST_SLICE = 1_000_000;
/** On the way back a checkpoint is left so many instructions before the destination, since the next step back often follows. */
const NEAR = 10_000;
/** Deliveries in one step: a #DB, an NMI and an interrupt, or an exception, a double fault and a triple fault; and INT n before it. */
const MOST_DELIVERIES_A_STEP = 5;

/** Stops behind which a guest does nothing more, whatever comes from outside. */
const FINAL: ReadonlySet<HistoryStop['kind']> = new Set(['debug-exit', 'power-off', 'reset', 'triple-fault', 'unimplemented']);
const isFinal = (stop: Stop): boolean => FINAL.has(stop.kind) || (stop.kind === 'halted' && !stop.wakeable);
/** Final ones that a debugger's edit may help out of: it may let interrupts in, or go around the instruction. */
const isMendable = ({ kind }: Stop): boolean => kind === 'halted' || kind === 'unimplemented';

/** The moment that something names: an instruction count is the first one with it. */
export const momentTo = (to: number | Position | Moment): Moment =>
  (typeof to === 'number' ? beginningOf({ retired: to, deliveries: 0 }) : 'idleTime' in to ? to : beginningOf(to));

export class History {
  readonly machine: Machine;
  readonly log: InputLog;
  readonly #checkpoints: Checkpoints;
  readonly records: Records;
  #end: Moment;
  /** The newest moment at which the machine has stood still. It is before the end where a stop before something has seen that happen. */
  #newest: Moment;
  /** How the guest ended, at the end; undefined: as far as is known it goes on there. */
  #ending: Stop | undefined;
  /** Number of the next input of the log. */
  #nextInput = 0;
  #slice = SHORTEST_SLICE;
  /** What it took to come here from the start, if nothing had been executed twice. */
  #cost = 0;
  /** The machine is being given an input: what is written now, the input writes. */
  isGiving = false;

  /** The past of a machine, which is not running, begins here. */
  constructor(machine: Machine, { budgetBytes = DEFAULT_BUDGET_BYTES, log = new InputLog(), given = 0 }: HistoryOptions = {}) {
    this.machine = machine;
    this.log = log;
    this.#end = this.#newest = momentOf(machine);
    this.#nextInput = given;
    this.#checkpoints = new Checkpoints(machine, budgetBytes, given);
    this.records = new Records(machine);
    this.#giveDue();
  }

  /** The first moment that can be gone to: where the history began, or later if the guest writes more than the budget holds. */
  get start(): Moment { return this.#checkpoints.first.at; }
  get now(): Moment { return momentOf(this.machine); }
  /** The furthest moment that the machine has been at. */
  get end(): Moment { return this.#end; }
  /** How the guest has ended, if the machine is where it did: then it goes no further. */
  get ending(): Stop | undefined { return this.#ending !== undefined && this.isLive ? this.#ending : undefined; }
  /** Inputs of the log are still to come. */
  get follows(): boolean { return this.ending === undefined && this.#nextInput < this.log.events.length; }
  get isLive(): boolean { return compareMoments(this.now, this.#end) >= 0; }
  /** Nobody knows of anything that comes after now, except for inputs of the log. */
  get isNewest(): boolean { return compareMoments(this.now, this.#newest) >= 0; }
  /** Something is known to come after now, which whatever is given to the machine here takes away. */
  get hasFuture(): boolean { return !this.isNewest || this.follows; }
  /** What the checkpoints take, what of that the first one does, which does not count against the budget, and what frames have taken at most. */
  get memory(): { readonly bytes: number; readonly firstBytes: number; readonly reservedBytes: number; readonly budgetBytes: number; readonly checkpoints: number } {
    const { bytes, firstBytes, reservedBytes, budgetBytes, count } = this.#checkpoints;
    return { bytes, firstBytes, reservedBytes, budgetBytes, checkpoints: count };
  }

  /**
   * Gives the machine an input now and notes it. In the past the future is forgotten, with the guest's end: another one begins. Returns what of it was taken: of serial bytes and keys
   * nothing where the guest has ended. Throws RangeError for an edit that cannot be.
   */
  give(input: Input): Input | undefined {
    const { ending } = this;
    if (ending !== undefined && (input.kind === 'serial' || input.kind === 'key')) return undefined;
    // What cannot be leaves the future alone.
    const taken = applyInput(this.machine, input);
    if (taken === undefined) return undefined;
    this.log.events.length = this.#nextInput;
    this.log.end = undefined;
    this.log.events.push({ at: this.now, input: taken });
    this.#nextInput++;
    this.#checkpoints.forgetBehind(this.now);
    this.records.forgetBehind(this.now);
    this.#end = this.#newest = this.now;
    this.#ending = ending === undefined || isMendable(ending) ? undefined : ending;
    return taken;
  }

  /**
   * Forwards. Where the machine has been before it does the same again, and nothing leaves it; beyond that new things happen, until the guest ends.
   */
  run<H extends WatchHit>(options: HistoryRunOptions<H> = {}): HistoryStop<H> { return this.#run(options, false); }
  /** The same, but waits are passed wherever it can go on. */
  pass<H extends WatchHit>(options: HistoryRunOptions<H>): HistoryStop<H> { return this.#run(options, true); }

  #run<H extends WatchHit>(options: HistoryRunOptions<H>, pass: boolean): HistoryStop<H> {
    const { watch } = options, end = this.#end;
    watch?.arm?.(this.machine);
    try {
      const stop = this.#runArmed(options, pass);
      if (stop.kind !== 'hit') return stop;
      watch?.disarm?.(this.machine);
      if (compareMoments(stop.hit.at, this.now) < 0) this.#return(stop.hit.at);
      else this.#giveDue();
      return stop;
    } finally {
      watch?.disarm?.(this.machine);
      if (this.isLive || this.#end !== end) this.#newest = this.now;
    }
  }

  #runArmed<H extends WatchHit>({ maxInstructions = Infinity, maxIdleTime = Infinity, until, watch, stopsAtOnce = false }: HistoryRunOptions<H>, pass: boolean): HistoryStop<H> {
    const { machine } = this, { state, cpu } = machine;
    const endRetired = state.retired + maxInstructions, endDeliveries = cpu.deliveries + maxInstructions;
    const begun = this.now;
    /** What it began at is no reason to stop. */
    const hitHere = (): H | undefined => {
      const hit = watch?.hit(machine);
      return hit !== undefined && (compareMoments(hit.at, begun) > 0 || (stopsAtOnce && comparePositions(hit.at, begun) === 0)) ? hit : undefined;
    };
    for (;;) {
      const given = this.#giveDue() ? hitHere() : undefined;
      if (given !== undefined) return { kind: 'hit', hit: given };
      const before = this.now;
      if (until !== undefined && compareMoments(before, until) >= 0) return { kind: 'arrived' };
      if (this.ending !== undefined) return this.ending;
      if (state.retired >= endRetired || cpu.deliveries >= endDeliveries) return { kind: 'instruction-limit' };
      this.#takeCheckpoint();
      const live = this.isLive;
      let most = Math.min(endRetired - state.retired, endDeliveries - cpu.deliveries, this.#slice), idle = maxIdleTime;
      if (watch !== undefined) most = watch.everyBoundary === true ? 1 : Math.min(most, (watch.nextCount?.(state.retired) ?? Infinity) - state.retired);
      for (const moment of [this.log.events[this.#nextInput]?.at, until, live ? undefined : this.#end]) {
        if (moment === undefined) continue;
        if (moment.retired > before.retired) most = Math.min(most, moment.retired - before.retired);
        else if (compareMoments(moment, before) > 0) {
          most = 1;
          if (comparePositions(moment, before) === 0) idle = Math.min(idle, moment.idleTime);
        }
      }
      const stop = this.#slip(live, { maxInstructions: most, maxIdleTime: idle, breakpoints: watch?.instructions ?? watch?.addresses ?? NOWHERE });
      const after = this.now, moved = compareMoments(after, before) !== 0;
      if (compareMoments(after, this.#end) > 0) this.#end = after;
      const isInputDue = this.#isInputDue;
      if (isFinal(stop) && this.isLive && !(isInputDue && isMendable(stop))) this.#ending = stop;
      // A wait goes through no boundary.
      const hit = comparePositions(after, before) !== 0 ? hitHere() : undefined;
      if (hit !== undefined) return { kind: 'hit', hit };
      if (stop.kind === 'instruction-limit' || stop.kind === 'reached' || stop.kind === 'paused') continue;
      if (isInputDue || (pass && moved)) continue;
      // A wait that ends at the moment that was asked for, or with input.
      if (stop.kind === 'halted' && ((until !== undefined && compareMoments(after, until) >= 0) || (moved && after.idleTime < maxIdleTime && idle < maxIdleTime))) continue;
      return stop;
    }
  }

  /** A stretch of at most a slice; notes what it cost, and finds the length of the next one. */
  #slip(live: boolean, options: Parameters<Machine['run']>[0]): Stop {
    const { machine } = this;
    const retired = machine.state.retired, noted = machine.reference.noted, { walks } = machine.mmu.statistics;
    machine.repeating = !live;
    machine.memory.countWritten(this.#checkpoints.mostFrames, () => { machine.pause(); });
    const begun = performance.now(), stop = machine.run(options), took = (performance.now() - begun) * 1e6;
    machine.memory.countWritten(Infinity);
    machine.repeating = false;
    const done = machine.state.retired - retired;
    const cost = Math.max(took, COST.instruction * done + COST.reference * (machine.reference.noted - noted) + COST.walk * (machine.mmu.statistics.walks - walks));
    this.#cost += cost;
    this.#slice = Math.round(Math.min(Math.max((SLICE_COST * Math.max(done, 1)) / Math.max(cost, 1), SHORTEST_SLICE), LONGEST_SLICE, 2 * this.#slice));
    return stop;
  }

  get #isInputDue(): boolean {
    const next = this.log.events[this.#nextInput];
    return next !== undefined && compareMoments(next.at, this.now) <= 0;
  }

  /** Is called before each input of the log that is given again. */
  beforeInput: (() => void) | undefined;
  /** Gives the machine the inputs of this moment; whether there were any. */
  #giveDue(): boolean {
    const before = this.#nextInput;
    for (let event; (event = this.log.events[this.#nextInput]) !== undefined && compareMoments(event.at, this.now) <= 0;) {
      this.#nextInput++;
      // The log has it: it is no event of the guest's, however often it is given.
      this.beforeInput?.();
      this.isGiving = this.machine.repeating = true;
      applyInput(this.machine, event.input);
      this.isGiving = this.machine.repeating = false;
    }
    return this.#nextInput !== before;
  }

  #takeCheckpoint(): void {
    const nearest = this.#checkpoints.before(this.now)!, { writtenCount } = this.machine.memory;
    const isDue = writtenCount >= this.#checkpoints.mostFrames || this.#cost - nearest.cost >= INTERVAL + INTERVAL_OF_FRAME * writtenCount;
    if (isDue) this.#checkpoints.take(this.#nextInput, this.#cost, this.isLive);
  }

  /**
   * The way to the first moment that is not before `to`, from the nearest checkpoint if that is behind where the machine is. What it gives is called until it
   * says something else than `instruction-limit`, each time for at most so many instructions; left off, the machine stands somewhere on the way.
   */
  wayTo(to: number | Position | Moment): (maxInstructions?: number) => HistoryStop<never> {
    const end = momentTo(to);
    let begun = false, near: Moment | undefined;
    return (maxInstructions = Infinity) => {
      if (!begun) {
        begun = true;
        const nearest = this.#checkpoints.before(end) ?? this.#checkpoints.first;
        if (compareMoments(this.now, end) > 0 || compareMoments(this.now, nearest.at) < 0) this.#restore(nearest);
        if (end.retired - this.machine.state.retired > 2 * NEAR) near = beginningOf({ retired: end.retired - NEAR, deliveries: 0 });
      }
      if (near !== undefined) {
        const stop = this.#run<never>({ until: near, maxInstructions }, true);
        if (stop.kind !== 'arrived') return stop;
        near = undefined;
        this.#checkpoints.take(this.#nextInput, this.#cost, this.isLive);
      }
      return this.#run<never>({ until: end, maxInstructions }, true);
    };
  }

  /** The whole way at once. Undefined: it is there. */
  #travel(to: Moment): Stop | undefined {
    const stop = this.wayTo(to)();
    return stop.kind === 'arrived' ? undefined : stop as Stop;
  }

  #restore(checkpoint: { readonly inputs: number; readonly cost: number }): void {
    this.#checkpoints.restore(checkpoint as Parameters<Checkpoints['restore']>[0]);
    this.#nextInput = checkpoint.inputs;
    this.#cost = checkpoint.cost;
    this.#giveDue();
  }

  /**
   * To an instruction count, a position or a moment, in either direction, at once; not before the start; beyond the end the machine runs on (`wayTo`
   * does it in pieces). Undefined: it is there; otherwise why it cannot get there.
   */
  runTo(to: number | Position | Moment): Stop | undefined { return this.#travel(momentTo(to)); }

  /** So many boundaries back: an instruction, an iteration of a REP or a delivery each. False: it began on the way, and the machine is there. */
  stepBack(count = 1): boolean {
    for (let n = 0; n < count; n++) if (!this.#toPrevious()) return false;
    return true;
  }

  #toPrevious(): boolean {
    const here = beginningOf(this.now);
    const isEarlier = (): boolean => compareMoments(beginningOf(this.now), here) < 0;
    const { retired } = here, deliveries = Math.max(0, here.deliveries - MOST_DELIVERIES_A_STEP);
    this.#return(beginningOf({ retired: retired - 1, deliveries }));
    if (!isEarlier()) this.#return(beginningOf({ retired: retired - 1, deliveries: 0 }));
    if (!isEarlier()) {
      this.#return(this.start);
      return false;
    }
    // Many deliveries without an instruction: only the last few are of interest.
    if (this.machine.state.retired === retired) this.#return(beginningOf({ retired, deliveries }));
    if (this.machine.state.retired + 1 === retired && this.machine.cpu.deliveries === here.deliveries) return true;
    let last = this.now;
    for (let next = last; compareMoments(beginningOf(next), here) < 0; next = this.now) {
      last = next;
      this.#run({ maxInstructions: 1 }, true);
      if (compareMoments(this.now, next) === 0) throw new Error(`history: the machine stays at ${next.retired}+${next.deliveries}, from where it went on before`);
    }
    this.#return(beginningOf(last));
    return true;
  }

  /** Shows an observer what the machine does next, where it has not been yet: it does it and is put back, and nothing of it has happened. */
  foresee(observer: Observer): void {
    if (this.ending !== undefined) return;
    const { machine } = this;
    this.#checkpoints.take(this.#nextInput, this.#cost, this.isLive);
    const here = this.#checkpoints.before(this.now)!;
    // In the past there may be no room for one.
    if (compareMoments(here.at, this.now) !== 0) return;
    machine.observers.add(observer);
    machine.repeating = true;
    try {
      machine.run({ maxInstructions: 1 });
    } finally {
      machine.repeating = false;
      machine.observers.remove(observer);
      this.#restore(here);
    }
  }

  /** Goes to a moment where the machine has been. */
  #return(to: Moment): void {
    const stop = this.#travel(to);
    if (stop !== undefined) throw new Error(`history: the machine does not come to ${to.retired}+${to.deliveries} again: ${stop.kind}`);
  }
}
