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
    const hit = lastBefore(history, history.now, watch);
    history.runTo(hit === undefined ? history.start : wayBackTo(hit));
    return hit;
  });
  return found === 'interrupted' ? { kind: 'interrupted' } : found === undefined ? { kind: 'start' } : { kind: 'hit', hit: found };
}

const wayBackTo = (hit: WatchHit): Moment => hit.before ?? hit.at;

/** The last hit whose way back ends at a position before that of `end`. Leaves the machine anywhere before that. */
export function lastBefore<H extends WatchHit>(history: History, end: Moment, watch: Watch<H>): H | undefined {
  let until = end, stretch = FIRST_STRETCH;
  for (;;) {
    const from: Moment = { retired: until.retired - stretch, deliveries: 0, idleTime: -1 };
    history.runTo(compareMoments(from, history.start) < 0 ? history.start : from);
    const begun = history.now;
    const hit = lastBetween(history, until, end, watch);
    if (hit !== undefined || compareMoments(begun, history.start) <= 0) return hit;
    until = begun;
    stretch *= GROWTH;
  }
}

/** The last hit on the way from now to `until` that is before `end`. */
function lastBetween<H extends WatchHit>(history: History, until: Moment, end: Moment, watch: Watch<H>): H | undefined {
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
