/**
 * Backwards through a history: where something happened last before now. A search goes on piece by piece, so that whoever waits for it can look up
 * in between; until it is over or cancelled nothing else may be done with the machine.
 */
import { compareMoments, comparePositions, type Moment } from '../../machine/position.ts';
import type { History, Watch, WatchHit } from './history.ts';

/**
 * Instructions that are searched first, and how much longer each next stretch is. What happens often is found near; what never happened costs one pass, and what lies far back no more
 * than twice the way there: a stretch is gone through from its beginning, so a long one may be mostly a way to what is not asked for.
 */
const FIRST_STRETCH = 5000, GROWTH = 2;
/** Instructions of a piece, and of one that stands still at each. */
const PIECE = 50_000, SLOW_PIECE = 2000;

/** How far the machine has come on a way, or what of the past a search has looked through: instructions, and how many there are at most. */
export interface Progress { readonly kind: 'way' | 'search'; readonly done: number; readonly of: number }

/** Where a search is that goes backwards from now, stretch by stretch. */
export class Course {
  readonly #history: History;
  readonly #end: number;
  /** From here on all has been looked through. */
  #until: number;
  /** Where the present stretch begins, once the machine has come there. */
  #from: number | undefined;

  constructor(history: History) {
    this.#history = history;
    this.#end = this.#until = history.now.retired;
  }

  begin(from: Moment): void { this.#from = from.retired; }
  finish(from: Moment): void {
    this.#until = from.retired;
    this.#from = undefined;
  }
  get progress(): Progress {
    const { now, start } = this.#history, here = this.#from === undefined ? 0 : Math.max(0, now.retired - this.#from);
    return { kind: 'search', done: this.#end - this.#until + Math.min(here, this.#until - (this.#from ?? 0)), of: this.#end - start.retired };
  }
}

/** A search in progress. */
export class Search<T> {
  readonly #pieces: Generator<void, T, void>;
  readonly #cancel: () => void;
  readonly #progress: () => Progress | undefined;
  #found: { readonly what: T } | undefined;

  /** `cancel` puts the machine back where it was. */
  constructor(pieces: Generator<void, T, void>, cancel: () => void, progress: () => Progress | undefined) {
    this.#pieces = pieces;
    this.#cancel = cancel;
    this.#progress = progress;
  }

  /** Undefined: it is over, or there is nothing to tell. */
  get progress(): Progress | undefined { return this.#found === undefined ? this.#progress() : undefined; }

  /** Goes on for some ten milliseconds. What was found, once it is over. */
  advance(): { readonly what: T } | undefined {
    if (this.#found !== undefined) return this.#found;
    const { done, value } = this.#pieces.next();
    if (done === true) this.#found = { what: value };
    return this.#found;
  }

  /** To its end, at once. */
  finish(): T {
    for (;;) {
      const found = this.advance();
      if (found !== undefined) return found.what;
    }
  }

  /** Gives it up: the machine is where it was before. */
  cancel(): void {
    if (this.#found !== undefined) return;
    // The generator disarms what it has armed.
    this.#pieces.return(undefined as T);
    this.#cancel();
  }

  /** The same search, its outcome put otherwise. */
  map<U>(put: (what: T) => U): Search<U> {
    const pieces = function* (search: Search<T>): Generator<void, U, void> {
      for (;;) {
        const found = search.advance();
        if (found !== undefined) return put(found.what);
        yield;
      }
    };
    return new Search(pieces(this), () => { this.cancel(); }, () => this.progress);
  }
}

/** Back to the last moment before now at which `watch` stops; without one to the start of the history. */
export function reverseContinue<H extends WatchHit>(history: History, watch: Watch<H>): Search<{ readonly kind: 'hit'; readonly hit: H } | { readonly kind: 'start' }> {
  const here = history.now, course = new Course(history);
  const pieces = function* (): Generator<void, { readonly kind: 'hit'; readonly hit: H } | { readonly kind: 'start' }, void> {
    const hit = yield* lastBefore(history, course, (until) => lastHit(history, until, here, watch));
    yield* travel(history, hit === undefined ? history.start : wayBackTo(hit));
    return hit === undefined ? { kind: 'start' } : { kind: 'hit', hit };
  };
  return new Search(pieces(), () => { history.runTo(here); }, () => course.progress);
}

/** Searches back from now, stretch by stretch. `scan` runs from where the machine is to the moment given and says what it saw last. Leaves the machine anywhere before now. */
export function* lastBefore<T>(history: History, course: Course, scan: (until: Moment) => Generator<void, T | undefined, void>): Generator<void, T | undefined, void> {
  let until = history.now, stretch = FIRST_STRETCH;
  for (;;) {
    const from: Moment = { retired: until.retired - stretch, deliveries: 0, idleTime: -1 };
    yield* travel(history, compareMoments(from, history.start) < 0 ? history.start : from);
    const begun = history.now;
    course.begin(begun);
    const found = yield* scan(until);
    if (found !== undefined || compareMoments(begun, history.start) <= 0) return found;
    course.finish(begun);
    until = begun;
    stretch *= GROWTH;
  }
}

/** To a moment where the machine has been. */
export function* travel(history: History, to: Moment): Generator<void, void, void> {
  const way = history.wayTo(to);
  while (way(PIECE).kind === 'instruction-limit') yield;
}

/** Runs to a moment where the machine has been, with a watch that stops nowhere. */
export function* passTo(history: History, until: Moment, watch: Watch<never>): Generator<void, void, void> {
  // It stays armed from piece to piece: what it remembers must not be cut.
  const armed: Watch<never> = {
    ...(watch.addresses === undefined ? {} : { addresses: watch.addresses }),
    ...(watch.everyBoundary === undefined ? {} : { everyBoundary: watch.everyBoundary }),
    nextCount: (retired) => watch.nextCount?.(retired) ?? Infinity,
    hit: (machine) => watch.hit(machine),
  };
  watch.arm?.(history.machine);
  try {
    while (history.pass({ until, watch: armed, maxInstructions: watch.everyBoundary === true ? SLOW_PIECE : PIECE }).kind === 'instruction-limit') yield;
  } finally {
    watch.disarm?.(history.machine);
  }
}

const wayBackTo = (hit: WatchHit): Moment => hit.before ?? hit.at;

/** The last hit on the way from now to `until` whose way back ends at a position before that of `end`. */
function* lastHit<H extends WatchHit>(history: History, until: Moment, end: Moment, watch: Watch<H>): Generator<void, H | undefined, void> {
  let last: H | undefined;
  yield* passTo(history, until, {
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
  });
  return last;
}
