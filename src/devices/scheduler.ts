/**
 * The machine's one event queue, on virtual time in integer nanoseconds. Devices never poll: each creates its events
 * once, when it is wired, and arms them. An event is known by its owner's name, so a snapshot is a list of deadlines.
 */
import { copyState, queue, record, SnapshotError, time, upTo, type Snapshotable, type StateOf } from './snapshot.ts';

/** Virtual time in nanoseconds since power-on; the machine says what it is. */
export type Clock = () => number;

/** One thing that will happen at most once per deadline. Armed and disarmed by its owner. */
export class ScheduledEvent {
  readonly owner: string;
  /** @internal */ readonly run: (now: number) => void;
  /** Nanoseconds, or Infinity while it is not armed. Set through schedule and cancel. */
  deadline = Infinity;
  /** @internal The last advanceTo in which it ran. */
  pass = 0;
  readonly #scheduler: Scheduler;

  /** @internal Scheduler.event makes these. */
  constructor(scheduler: Scheduler, owner: string, run: (now: number) => void) {
    this.#scheduler = scheduler;
    this.owner = owner;
    this.run = run;
  }

  /** Arms the event for virtual time `at`, in nanoseconds, or moves it there. A time in the past means: as soon as possible. */
  schedule(at: number): void {
    this.#scheduler.arm(this, at);
  }

  /** Disarms the event; no effect if it is not armed. */
  cancel(): void {
    this.#scheduler.disarm(this);
  }
}

const SHAPE = record({ events: queue(record({ deadline: time, event: upTo(0xffff) }), 0x1_0000), owners: upTo(0xffff) });

export class Scheduler implements Snapshotable {
  readonly #events: ScheduledEvent[] = [];
  /** Armed events by deadline, then order of arming. A machine has about ten: a sorted array beats a heap. */
  readonly #armed: ScheduledEvent[] = [];
  #passes = 0;
  #advancing = false;
  #onEarlier: () => void = () => {};

  /** Has the machine told whenever nextDeadline() moves to an earlier time: by a write, a read (register C of the clock, a UART's data) or a host's input. Not from within advanceTo. */
  onEarlier(listener: () => void): void {
    this.#onEarlier = listener;
  }

  /** A new event, not armed. Owners are unique, and made in the same order on every machine of the same make. Throws Error otherwise. */
  event(owner: string, run: (now: number) => void): ScheduledEvent {
    if (this.#events.some((event) => event.owner === owner)) throw new Error(`scheduler: two events named ${owner}`);
    const event = new ScheduledEvent(this, owner, run);
    this.#events.push(event);
    return event;
  }

  /** The earliest deadline in nanoseconds, or Infinity. */
  nextDeadline(): number {
    return this.#armed[0]?.deadline ?? Infinity;
  }

  /**
   * Runs what is due at `now`, in order. Events armed meanwhile run too if they are due, but each event runs at most
   * once per call, however it re-arms itself: a guest cannot keep the host in here. So nextDeadline() may be in the
   * past afterwards; the machine calls again after its next instruction.
   */
  advanceTo(now: number): void {
    if (this.nextDeadline() > now) return;
    this.#passes++;
    this.#advancing = true;
    for (;;) {
      const due = this.#armed.find((event) => event.pass !== this.#passes);
      if (due === undefined || due.deadline > now) break;
      due.pass = this.#passes;
      this.disarm(due);
      due.run(now);
    }
    this.#advancing = false;
  }

  /** @internal */
  arm(event: ScheduledEvent, at: number): void {
    if (Number.isNaN(at)) throw new RangeError(`scheduler: ${event.owner} armed for no time`);
    const next = this.nextDeadline();
    this.disarm(event);
    if (at === Infinity) return;
    event.deadline = at;
    const index = this.#armed.findIndex((other) => other.deadline > at);
    this.#armed.splice(index < 0 ? this.#armed.length : index, 0, event);
    if (at < next && !this.#advancing) this.#onEarlier();
  }

  /** @internal */
  disarm(event: ScheduledEvent): void {
    if (event.deadline === Infinity) return;
    event.deadline = Infinity;
    this.#armed.splice(this.#armed.indexOf(event), 1);
  }

  snapshot(): StateOf<typeof SHAPE> {
    return {
      owners: this.#events.length,
      events: this.#armed.map((event) => ({ deadline: event.deadline, event: this.#events.indexOf(event) })),
    };
  }

  restore(snapshot: unknown): void {
    const { owners, events } = copyState(SHAPE, snapshot, 'scheduler');
    if (owners !== this.#events.length) throw new SnapshotError('scheduler.owners', `${this.#events.length}: another make of machine`);
    const armed = events.map(({ deadline, event: index }, i) => {
      const event = this.#events[index];
      if (event === undefined) throw new SnapshotError(`scheduler.events[${i}].event`, `less than ${owners}`);
      return { event, deadline };
    });
    for (const event of this.#events) this.disarm(event);
    for (const { event, deadline } of armed) this.arm(event, deadline);
  }
}
