/** The timer of the local APIC: one-shot, periodic, TSC-deadline. SDM Vol. 3A, "APIC Timer", "TSC-Deadline Mode". */
import { copyState, flag, record, time, u32, upTo, zeroState, type Snapshotable } from './snapshot.ts';
import { REGISTER, TIMER_MODE } from './local-apic-registers.ts';
import type { Clock, ScheduledEvent, Scheduler } from './scheduler.ts';

/**
 * The shortest time between two events of a periodic timer, in nanoseconds. A guest may ask for an interrupt each
 * nanosecond, that is for one per instruction; expirations that come closer together than this are one interrupt, as they
 * would be on silicon, where a vector that waits in the IRR already is not counted twice. The count itself stays exact.
 */
const SHORTEST_EVENT_INTERVAL = 1000;

const SHAPE = record({
  initialCount: u32,
  /** Divide configuration register, bits 3, 1 and 0. */
  divide: upTo(0xb),
  periodic: flag,
  deadlineMode: flag,
  /** In TSC-deadline mode a deadline is set, as a virtual time, and has not come. */
  deadlineArmed: flag,
  deadline: time,
  unmasked: flag,
  /** The count at `since`; 0 when stopped. */
  count: u32,
  since: time,
});

export class LocalApicTimer implements Snapshotable {
  static readonly SHAPE = SHAPE;
  readonly #clock: Clock;
  readonly #event: ScheduledEvent;
  readonly #state = zeroState(SHAPE);

  constructor(scheduler: Scheduler, clock: Clock, expired: () => void) {
    this.#clock = clock;
    this.#event = scheduler.event('localApic.timer', (now) => {
      this.#settle(now);
      this.#arm(now + SHORTEST_EVENT_INTERVAL);
      expired();
    });
  }

  /** The LVT timer entry: mode (TIMER_MODE) and mask. To and from TSC-deadline mode, what was armed is not any more. */
  configure(mode: number, unmasked: boolean): void {
    const s = this.#state;
    this.#settle(this.#clock());
    const deadlineMode = mode === TIMER_MODE.TSC_DEADLINE;
    if (deadlineMode !== s.deadlineMode) {
      s.count = 0;
      s.deadlineArmed = false;
    }
    s.deadlineMode = deadlineMode;
    s.periodic = mode === TIMER_MODE.PERIODIC;
    s.unmasked = unmasked;
    this.#arm(0);
  }

  /** Arms it for a virtual time, or disarms it: in TSC-deadline mode only. */
  setDeadline(at: number | undefined): void {
    const s = this.#state;
    if (!s.deadlineMode) return;
    s.deadlineArmed = at !== undefined;
    s.deadline = at ?? 0;
    this.#arm(0);
  }

  get deadlineArmed(): boolean {
    this.#settle(this.#clock());
    return this.#state.deadlineArmed;
  }

  read(register: number): number {
    const s = this.#state;
    if (register === REGISTER.INITIAL_COUNT) return s.initialCount;
    if (register === REGISTER.DIVIDE) return s.divide;
    this.#settle(this.#clock());
    return s.count;
  }

  write(register: number, value: number): void {
    const s = this.#state;
    const now = this.#clock();
    this.#settle(now);
    if (register === REGISTER.DIVIDE) {
      s.divide = value & 0xb;
    } else if (!s.deadlineMode) {
      s.initialCount = s.count = value;
      s.since = now;
    }
    this.#arm(0);
  }

  /** Nanoseconds per count: 2, 4, ... 128, and 1 for the last code. */
  get #divisor(): number {
    const code = this.#state.divide >> 1 & 4 | this.#state.divide & 3;
    return code === 7 ? 1 : 2 << code;
  }

  /** Brings `count` to a point at or just before `now`; a periodic count is reloaded when it gets to 0. */
  #settle(now: number): void {
    const s = this.#state;
    if (s.deadlineArmed && now >= s.deadline) s.deadlineArmed = false;
    if (s.count === 0) return;
    const elapsed = Math.floor((now - s.since) / this.#divisor);
    s.since += elapsed * this.#divisor;
    if (elapsed < s.count) s.count -= elapsed;
    else s.count = s.periodic && s.initialCount > 0 ? s.initialCount - (elapsed - s.count) % s.initialCount : 0;
  }

  #arm(earliest: number): void {
    const s = this.#state;
    if (s.deadlineMode) {
      if (s.deadlineArmed && s.unmasked) this.#event.schedule(s.deadline);
      else this.#event.cancel();
    } else if (s.count === 0 || !s.unmasked) this.#event.cancel();
    else this.#event.schedule(Math.max(s.since + s.count * this.#divisor, s.periodic ? earliest : 0));
  }

  snapshot(): unknown {
    return copyState(SHAPE, this.#state, 'localApic.timer');
  }

  restore(snapshot: unknown): void {
    Object.assign(this.#state, copyState(SHAPE, snapshot, 'localApic.timer'));
  }
}
