/** A crystal's ticks counted in virtual nanoseconds: exact rational arithmetic, so that no timer drifts against another. */

const SECOND = 1_000_000_000;

export class Crystal {
  readonly hertz: number;

  /** @param hertz an integer of at most 9,007,199, so that one second's products stay exact in a JavaScript number. Throws RangeError. */
  constructor(hertz: number) {
    if (!Number.isInteger(hertz) || hertz < 1 || hertz * SECOND > Number.MAX_SAFE_INTEGER) throw new RangeError(`crystal: ${hertz} Hz`);
    this.hertz = hertz;
  }

  /** Ticks that have happened at virtual time `now`, in nanoseconds: floor(now * hertz / 10^9). */
  ticksAt(now: number): number {
    const seconds = Math.floor(now / SECOND);
    return seconds * this.hertz + Math.floor((now - seconds * SECOND) * this.hertz / SECOND);
  }

  /** The first nanosecond at which ticksAt gives `tick`: ceil(tick * 10^9 / hertz). Tick Infinity never comes. */
  timeOf(tick: number): number {
    if (tick === Infinity) return Infinity;
    const seconds = Math.floor(tick / this.hertz);
    return seconds * SECOND + Math.ceil((tick - seconds * this.hertz) * SECOND / this.hertz);
  }
}
