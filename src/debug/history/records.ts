/** What a machine did in its history that is worth finding again: what it printed, what it delivered, when it wrote registers. The newest of it, bounded. */
import type { Machine } from '../../machine/machine.ts';
import { comparePositions, type Position } from '../../machine/position.ts';
import { EVENT_SORTS, Events, sortOf, type EventSort, type HistoryEvent } from './events.ts';
import { NotedWrites } from './noted-writes.ts';
import { Ring } from './ring.ts';

/** Bytes of output that are kept. */
export const MOST_OUTPUT = 2 ** 18;
/** Characters that a piece of output is told by. */
const LONGEST_TITLE = 40;

const PORTS = [0, 1, 'debug'] as const;

export class Records {
  readonly #events: Readonly<Record<EventSort, Events>> = { 'page-fault': new Events(), 'debug-exception': new Events(), 'exception': new Events(), 'interrupt': new Events(), 'cr3': new Events() };
  #order = 0;
  readonly writes: NotedWrites;
  readonly #output = new Ring(MOST_OUTPUT);
  /** Instructions that had retired when a byte was sent, and the byte with the number of its port above. */
  readonly #sentAt = new Float64Array(MOST_OUTPUT);
  readonly #sent = new Uint16Array(MOST_OUTPUT);
  #changes = 0;

  constructor(machine: Machine) {
    const { state, cpu } = machine;
    const here = (): Position => ({ retired: state.retired, deliveries: cpu.deliveries - cpu.deliveriesInStep });
    this.writes = new NotedWrites(machine, here);
    const note = (kind: HistoryEvent['kind'], value: bigint, rip: bigint, vector?: number, errorCode?: number): void => {
      if (machine.repeating) return;
      this.#changes++;
      this.#events[sortOf(kind, vector)].note(this.#order++, here(), kind, value, rip, vector, errorCode);
    };
    machine.observers.add({
      exception: (vector, errorCode, cr2, rip, kind) => { note(kind, cr2, rip, vector, errorCode); },
      controlRegister: (number, value) => { if (number === 3) note('cr3', value, state.rip); },
      output: (port, byte) => {
        if (machine.repeating) return;
        this.#changes++;
        const slot = this.#output.add();
        this.#sentAt[slot] = state.retired;
        this.#sent[slot] = (PORTS.indexOf(port) << 8) | byte;
      },
    });
  }

  /** Another number whenever something has been noted or forgotten. */
  get changes(): number { return this.#changes; }

  // -------------------------------------------------------------------------------------------------------- events
  /** Events of a sort: the newest KEPT_OF_A_SORT. */
  eventsOf(sort: EventSort): Events { return this.#events[sort]; }
  /** How many are kept. */
  get eventCount(): number { return EVENT_SORTS.reduce((count, sort) => count + this.#events[sort].end - this.#events[sort].first, 0); }

  /** Whether all that happened since the history began is kept. */
  get hasAllEvents(): boolean { return EVENT_SORTS.every((sort) => this.#events[sort].first === 0); }

  /** Of some sorts, newest first. */
  *newest(sorts: readonly EventSort[] = EVENT_SORTS): Generator<HistoryEvent, void, void> {
    const left = sorts.map((sort) => ({ events: this.#events[sort], n: this.#events[sort].end - 1 }));
    for (;;) {
      let last: typeof left[number] | undefined;
      for (const one of left) if (one.n >= one.events.first && (last === undefined || one.events.orderAt(one.n) > last.events.orderAt(last.n))) last = one;
      if (last === undefined) return;
      yield last.events.at(last.n--);
    }
  }
  /** All sorts, oldest first. */
  get events(): readonly HistoryEvent[] { return [...this.newest()].reverse(); }

  /** The first event at this position, if there is one: what the next step delivers or writes. */
  from(now: Position): HistoryEvent | undefined {
    let found: { readonly event: HistoryEvent; readonly order: number } | undefined;
    for (const sort of EVENT_SORTS) {
      const events = this.#events[sort], n = events.firstFrom(now);
      if (n === events.end || comparePositions(events.at(n).at, now) !== 0) continue;
      if (found === undefined || events.orderAt(n) < found.order) found = { event: events.at(n), order: events.orderAt(n) };
    }
    return found?.event;
  }

  // -------------------------------------------------------------------------------------------------------- output
  /** How many bytes all ports together had sent when so many instructions had retired (undefined: at the end). */
  sentBefore(retired = Infinity): number { return this.#output.firstWhere((slot) => this.#sentAt[slot]! >= retired); }

  /** What a port sent among the bytes `from` to `before`, numbers as `sentBefore` gives them, as far as it is among the newest MOST_OUTPUT of all ports. */
  output(port: 0 | 1 | 'debug', from = 0, before = this.#output.end): Uint8Array {
    const bytes: number[] = [], number = PORTS.indexOf(port);
    for (let n = Math.max(from, this.#output.first); n < before; n++) {
      const sent = this.#sent[this.#output.slotOf(n)]!;
      if (sent >> 8 === number) bytes.push(sent & 0xff);
    }
    return Uint8Array.from(bytes);
  }

  /** The same in pieces: what came within `apart` instructions is one, told by its first line. */
  printed(port: 0 | 1 | 'debug', apart: number): { readonly at: number; readonly text: string }[] {
    const pieces: { at: number; text: string }[] = [], number = PORTS.indexOf(port), { end } = this.#output;
    for (let n = this.#output.first; n < end;) {
      const slot = this.#output.slotOf(n), at = this.#sentAt[slot]!;
      if (this.#sent[slot]! >> 8 !== number) {
        n++;
        continue;
      }
      const next = this.#output.firstWhere((other) => this.#sentAt[other]! - at > apart);
      pieces.push({ at, text: this.#title(number, n, next) });
      n = next;
    }
    return pieces;
  }

  /** The first line of what a port sent among some bytes. */
  #title(port: number, from: number, before: number): string {
    let text = '';
    for (let n = from; n < before && text.length < LONGEST_TITLE && !text.includes('\n'); n++) {
      const sent = this.#sent[this.#output.slotOf(n)]!;
      if (sent >> 8 === port) text += String.fromCharCode(sent & 0xff);
    }
    return text.trimEnd();
  }

  /** Forgets what has not happened yet: another future begins. */
  forgetBehind(now: Position): void {
    this.#changes++;
    for (const sort of EVENT_SORTS) this.#events[sort].forgetFrom(now);
    this.writes.forgetFrom(now);
    this.#output.forgetFrom(this.sentBefore(now.retired));
  }
}
