/**
 * Real time for a machine that someone sits in front of: a halted processor waits as long as the host's clock says, and the host sleeps meanwhile. The
 * machine itself reads no clock: how long its processor waits before something comes from outside is part of the moment at which it comes, so a recording is
 * repeated at full speed. A processor that is busy is not held up.
 */
import type { Machine, Stop } from './machine.ts';

/** The host may be late: what it has not slept yet, in nanoseconds, and a machine that is slower than the clock, are forgiven beyond this. */
const MOST_OWED = 100e6;
const NS_PER_MS = 1e6;

export class RealTime {
  readonly #machine: Machine;
  readonly #clock: () => number;
  /** The clock at the end of the last run, in whole nanoseconds, as the machine's. */
  #last: number;
  /** Nanoseconds that the clock is ahead: so long a halted processor may have waited. */
  #owed = 0;

  /** `clock`: the host's, in milliseconds. */
  constructor(machine: Machine, clock: () => number = () => performance.now()) {
    this.#machine = machine;
    this.#clock = () => Math.round(clock() * NS_PER_MS);
    this.#last = this.#clock();
  }

  /** Runs the machine by `work`, whose halted processor waits no longer than the host has been waiting since the last time. */
  run<T>(work: () => T): T {
    const { state } = this.#machine, idle = state.idleTime;
    this.#owed += Math.max(0, this.#clock() - this.#last);
    this.#machine.maxIdleTime = idle + this.#owed;
    try {
      return work();
    } finally {
      this.#machine.maxIdleTime = Infinity;
      this.#owed = Math.min(this.#owed - (state.idleTime - idle), MOST_OWED);
      this.#last = this.#clock();
    }
  }

  /** How long the host may sleep, in milliseconds, before it runs a machine again that has stopped so; 0: not at all, Infinity: until something comes from outside. */
  wait(stop: Pick<Stop, 'kind'>): number {
    if (stop.kind !== 'halted') return 0;
    const ahead = this.#machine.devices.scheduler.nextDeadline() - this.#machine.now();
    return Math.max(0, ahead - this.#owed) / NS_PER_MS;
  }
}
