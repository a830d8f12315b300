/** Backwards through a history: where something happened last before now. */
import { compareMoments, comparePositions, type Moment } from '../../machine/position.ts';
import type { History, Interrupted, Watch, WatchHit } from './history.ts';

/** Instructions that are searched first, and how much further back each next stretch goes. What happens often is found near; what is rare costs one pass. */
const FIRST_STRETCH = 5000, GROWTH = 6;

/**
 * Back to the last moment before now at which `watch` stops. Without one the machine is at the start of its history; interrupted, it is where it was.
 */
export function reverseContinue<H extends WatchHit>(history: History, watch: Watch<H>, interrupted?: Interrupted): { readonly kind: 'hit'; readonly hit: H } | { readonly kind: 'start' | 'interrupted' } {
  const found = history.interruptible(interrupted, () => {
    const end = history.now;
    const hit = lastBefore(history, (until) => lastHit(history, until, end, watch));
    history.runTo(hit === undefined ? history.start : wayBackTo(hit));
    return hit;
  });
  return found === 'interrupted' ? { kind: 'interrupted' } : found === undefined ? { kind: 'start' } : { kind: 'hit', hit: found };
}

/** Searches back from now, stretch by stretch. `scan` runs from where the machine is to the moment given and says what it saw last. Leaves the machine anywhere before now. */
export function lastBefore<T>(history: History, scan: (until: Moment) => T | undefined): T | undefined {
  let until = history.now, stretch = FIRST_STRETCH;
  for (;;) {
    const from: Moment = { retired: until.retired - stretch, deliveries: 0, idleTime: -1 };
    history.runTo(compareMoments(from, history.start) < 0 ? history.start : from);
    const begun = history.now;
    const found = scan(until);
    if (found !== undefined || compareMoments(begun, history.start) <= 0) return found;
    until = begun;
    stretch *= GROWTH;
  }
}

const wayBackTo = (hit: WatchHit): Moment => hit.before ?? hit.at;

/** The last hit on the way from now to `until` whose way back ends at a position before that of `end`. */
function lastHit<H extends WatchHit>(history: History, until: Moment, end: Moment, watch: Watch<H>): H | undefined {
  let last: H | undefined;
  const collecting: Watch<never> = {
    ...(watch.addresses === undefined ? {} : { addresses: watch.addresses }),
    ...(watch.everyBoundary === undefined ? {} : { everyBoundary: watch.everyBoundary }),
    nextCount: (retired) => watch.nextCount?.(retired) ?? Infinity,
    hit: (machine) => {
      const hit = watch.hit(machine);
      if (hit !== undefined && comparePositions(wayBackTo(hit), end) < 0) last = hit;
      return undefined;
    },
    arm: (machine) => { watch.arm?.(machine); },
    disarm: (machine) => { watch.disarm?.(machine); },
  };
  history.pass({ until, watch: collecting });
  return last;
}
