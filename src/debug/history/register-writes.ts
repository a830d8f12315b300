/**
 * Writes to a register whose changes nobody tells. Code is made so that execution comes back before each instruction that may write it, and behind it;
 * between them the engine keeps its speed. A write of the value that the register has already is a write. What an instruction may write is known of its
 * meaning (cpu/describe/effects.ts), or said of it (system-effects.ts); where that is a group of registers (x87, XRSTOR) a change alone is seen.
 */
import { effectsOf } from '../../cpu/describe/effects.ts';
import { standsFor, systemEffectsOf } from '../../cpu/describe/system-effects.ts';
import { RFLAGS } from '../../cpu/flags.ts';
import type { Machine } from '../../machine/machine.ts';
import type { Observer } from '../../machine/observers.ts';
import { beginningOf, type Moment } from '../../machine/position.ts';
import type { MachineRegister } from '../../machine/registers.ts';
import { instructionAt } from '../backtrace.ts';
import type { History, Watch } from './history.ts';
import { travel } from './search.ts';
import type { Seen } from './seen.ts';

const GENERAL = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15'];
/** Stops on a way at which one leaves it to look at its end first, since the last write is asked for. */
const MANY = 2000;
/** Instructions of a piece of the way, which is some ten milliseconds; it is a long one where the piece before had few stops. */
const SHORTEST_PIECE = 1000, LONGEST_PIECE = 50_000, FEW = 400;

/** What may be written, if it is. */
const perhaps = (is: boolean): undefined | false => (is ? undefined : false);
/** Words of a system instruction's effects that are no register as a whole: what of it is written a change must tell. */
const GROUPS: ReadonlySet<string> = new Set(['all', 'x87', 'xmm', 'msrs']);

/** Whether the instruction at an offset in CS writes a register: that it does, that it does not; undefined: it may, and a change tells. */
export function writesAt(machine: Machine, { name }: MachineRegister, offset: bigint): boolean | undefined {
  const i = instructionAt(machine, offset);
  if (i === undefined) return undefined;
  if (name === 'rip') return true;
  const system = systemEffectsOf(i);
  if (system !== undefined) {
    const said = system.writes.filter((word) => standsFor(word, name));
    return said.length === 0 ? false : said.some((word) => word === name && !system.mayWrite.has(word) && !GROUPS.has(word)) ? true : undefined;
  }
  const effects = effectsOf(i)!, general = GENERAL.indexOf(name);
  if (general >= 0) return effects.registersWritten.has(general);
  if (/^[xy]mm\d+$/.test(name)) return effects.xmmWritten.has(Number(name.slice(3)));
  if (standsFor('x87', name)) return perhaps(i.row.meaning.kind === 'x87' || effects.entersMmx);
  switch (name) {
    case 'rflags': return effects.flagsAlwaysWritten.size > 0 || perhaps(effects.flagsWritten.size > 0);
    case 'mxcsr': return perhaps(effects.mxcsrWritten);
    default: return false;
  }
}

/** RF, which every instruction clears and few set, is no reason to call one a writer of RFLAGS. */
const withoutRf = ({ name }: MachineRegister, value: bigint): bigint => (name === 'rflags' ? value & ~BigInt(RFLAGS.RF) : value);

/** Sees the last write on a way. */
class WriteWatch implements Watch<never> {
  readonly instructions = { isTest: true, has: (offset: bigint): boolean => writesAt(this.#history.machine, this.#register, offset) !== false } as const;
  readonly #history: History;
  readonly #register: MachineRegister;
  /** How often execution came back since it was armed. */
  stops = 0;
  #last: Seen | undefined;
  #value = 0n;
  /** The instruction that is about to run, if it may write the register; undefined `writes`: only a change will tell. */
  #next: { readonly at: Moment; readonly rip: bigint; readonly writes: boolean | undefined } | undefined;
  #delivery: { readonly at: Moment; readonly rip: bigint } | undefined;
  readonly #observer: Observer = {
    exception: () => {
      const { state, cpu } = this.#history.machine;
      this.#delivery ??= { at: beginningOf({ retired: state.retired, deliveries: cpu.deliveries - cpu.deliveriesInStep }), rip: state.rip };
      this.#history.machine.pause();
    },
  };

  constructor(history: History, register: MachineRegister) {
    this.#history = history;
    this.#register = register;
  }

  arm(machine: Machine): void {
    this.stops = 0;
    this.#last = this.#delivery = undefined;
    this.#value = withoutRf(this.#register, this.#register.read(machine));
    machine.observers.add(this.#observer);
    this.#look();
  }
  disarm(machine: Machine): void { machine.observers.remove(this.#observer); }

  /** Behind an instruction that may have written. */
  nextCount(retired: number): number { return this.#next === undefined ? Infinity : retired + 1; }

  hit(machine: Machine): undefined {
    this.stops++;
    const value = withoutRf(this.#register, this.#register.read(machine)), isChanged = value !== this.#value;
    const ran = this.#next !== undefined && machine.state.retired > this.#next.at.retired ? this.#next : undefined;
    if (ran !== undefined) {
      if (isChanged || ran.writes === true) this.#note(ran, 'instruction');
    } else if (isChanged) {
      this.#note(this.#delivery ?? { at: this.#history.now, rip: machine.state.rip }, this.#delivery === undefined ? 'edit' : 'delivery');
    }
    this.#delivery = undefined;
    this.#value = value;
    this.#look();
  }
  last(): Seen | undefined { return this.#last; }

  #note({ at, rip }: { readonly at: Moment; readonly rip: bigint }, by: Seen['by']): void {
    this.#last = { at, rip, by, where: this.#register.name, read: this.#register.read };
  }
  #look(): void {
    const { rip } = this.#history.machine.state;
    const written = writesAt(this.#history.machine, this.#register, rip);
    this.#next = written === false ? undefined : { at: beginningOf(this.#history.now), rip, writes: written };
  }
}

/**
 * The last write on the way from where the machine is to a moment where it has been. Where many instructions may write it the second half of what is left of the way is
 * looked through first, so that few of them are looked at, wherever the last write is.
 */
export function* lastRegisterWrite(history: History, register: MachineRegister, until: Moment): Generator<void, Seen | undefined, void> {
  let last: Seen | undefined;
  for (let end = until; ;) {
    const watch = new WriteWatch(history, register);
    const isThere = yield* follow(history, watch, end);
    last = watch.last() ?? last;
    if (isThere) return last;
    const here = history.now;
    const middle: Moment = { retired: Math.floor((here.retired + end.retired) / 2), deliveries: 0, idleTime: -1 };
    yield* travel(history, middle);
    const later = yield* lastRegisterWrite(history, register, end);
    if (later !== undefined) return later;
    yield* travel(history, here);
    end = middle;
  }
}

/** Runs to a moment, or until it has stopped many times, if there is a way to be divided then; whether it came there. */
function* follow(history: History, watch: WriteWatch, until: Moment): Generator<void, boolean, void> {
  const { machine } = history, armed: Watch<never> = { instructions: watch.instructions, nextCount: (retired) => watch.nextCount(retired), hit: (at) => watch.hit(at) };
  watch.arm(machine);
  try {
    for (let piece = SHORTEST_PIECE; ;) {
      const before = watch.stops;
      if (history.pass({ until, watch: armed, maxInstructions: piece }).kind !== 'instruction-limit') return true;
      if (watch.stops >= MANY && until.retired - machine.state.retired > SHORTEST_PIECE) return false;
      piece = watch.stops - before < FEW ? Math.min(2 * piece, LONGEST_PIECE) : SHORTEST_PIECE;
      yield;
    }
  } finally {
    watch.disarm(machine);
  }
}
