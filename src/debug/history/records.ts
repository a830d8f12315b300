/** What a machine did in its history that is worth finding again: what it printed, what it delivered. The newest of it, bounded. */
import type { DeliveryKind } from '../../cpu/delivery.ts';
import type { Machine } from '../../machine/machine.ts';
import { comparePositions, type Position } from '../../machine/position.ts';

/** Bytes of output, and events, that are kept. */
export const MOST_OUTPUT = 2 ** 18;
export const MOST_EVENTS = 2 ** 16;
export const KEPT_OF_A_SORT = MOST_EVENTS / 4;
/** Characters that a piece of output is told by. */
const LONGEST_TITLE = 40;

/** A delivery of an exception or interrupt, or a write to CR3. */
export type HistoryEvent = DeliveryEvent | {
  /** The boundary before it. */
  readonly at: Position;
  readonly kind: 'cr3';
  readonly value: bigint;
  readonly rip: bigint;
};
export interface DeliveryEvent {
  readonly at: Position;
  readonly kind: DeliveryKind;
  readonly vector: number;
  readonly errorCode: number | undefined;
  /** CR2, which a page fault has set. */
  readonly cr2: bigint;
  /** The return address. */
  readonly rip: bigint;
}

const PORTS = [0, 1, 'debug'] as const;

/** The first of the numbers from `low` to before `high` that is far enough, where all behind it are, too; `high`: none is. */
function firstFrom(low: number, high: number, isFarEnough: (n: number) => boolean): number {
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (isFarEnough(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

export class Records {
  #events: HistoryEvent[] = [];
  /** Rings: instructions that had retired when a byte was sent, and the byte with the number of its port above. */
  readonly #sentAt = new Float64Array(MOST_OUTPUT);
  readonly #sent = new Uint16Array(MOST_OUTPUT);
  /** How many bytes have been sent since the history began. */
  #sentCount = 0;
  #changes = 0;

  constructor(machine: Machine) {
    const { state, cpu } = machine;
    const here = (): Position => ({ retired: state.retired, deliveries: cpu.deliveries - cpu.deliveriesInStep });
    machine.observers.add({
      exception: (vector, errorCode, cr2, rip, kind) => {
        if (!machine.repeating) this.#note({ at: here(), kind, vector, errorCode, cr2, rip });
      },
      controlRegister: (number, value) => {
        if (number === 3 && !machine.repeating) this.#note({ at: here(), kind: 'cr3', value, rip: state.rip });
      },
      output: (port, byte) => {
        if (machine.repeating) return;
        this.#changes++;
        const at = this.#sentCount++ % MOST_OUTPUT;
        this.#sentAt[at] = state.retired;
        this.#sent[at] = (PORTS.indexOf(port) << 8) | byte;
      },
    });
  }

  /** Another number whenever something has been noted or forgotten. */
  get changes(): number { return this.#changes; }

  #note(event: HistoryEvent): void {
    this.#changes++;
    if (this.#events.length >= MOST_EVENTS) this.#dropOldest();
    this.#events.push(event);
  }
  /** Many at once, which keeps the price of a drop small; and of each sort for itself, lest the timer of an idle kernel takes all exceptions away. */
  #dropOldest(): void {
    const kept: Record<'exception' | 'interrupt' | 'cr3', number> = { exception: 0, interrupt: 0, cr3: 0 };
    const newest = this.#events.reverse().filter(({ kind }) => kept[kind === 'interrupt' || kind === 'cr3' ? kind : 'exception']++ < KEPT_OF_A_SORT);
    this.#events = newest.reverse();
  }

  /** Exceptions, interrupts and writes to CR3, oldest first: of each at least the newest KEPT_OF_A_SORT. */
  get events(): readonly HistoryEvent[] { return this.#events; }

  /** The first event at this position, if there is one: what the next step delivers or writes. */
  from(now: Position): HistoryEvent | undefined {
    const found = this.#events[this.#indexFrom(now)];
    return found !== undefined && comparePositions(found.at, now) === 0 ? found : undefined;
  }
  #indexFrom(now: Position): number { return firstFrom(0, this.#events.length, (n) => comparePositions(this.#events[n]!.at, now) >= 0); }

  /** The last write to CR3 before this position, as far as it is kept. */
  lastCr3Write(now: Position): HistoryEvent | undefined {
    for (let n = this.#indexFrom(now) - 1; n >= 0; n--) if (this.#events[n]!.kind === 'cr3') return this.#events[n];
    return undefined;
  }

  get #firstKept(): number { return Math.max(0, this.#sentCount - MOST_OUTPUT); }

  /** How many bytes all ports together had sent when so many instructions had retired (undefined: at the end). */
  sentBefore(retired = Infinity): number { return firstFrom(this.#firstKept, this.#sentCount, (n) => this.#sentAt[n % MOST_OUTPUT]! >= retired); }

  /** What a port sent among the bytes `from` to `before`, numbers as `sentBefore` gives them, as far as it is among the newest MOST_OUTPUT of all ports. */
  output(port: 0 | 1 | 'debug', from = 0, before = this.#sentCount): Uint8Array {
    const bytes: number[] = [];
    const number = PORTS.indexOf(port);
    for (let n = Math.max(from, this.#firstKept); n < before; n++) {
      const sent = this.#sent[n % MOST_OUTPUT]!;
      if (sent >> 8 === number) bytes.push(sent & 0xff);
    }
    return Uint8Array.from(bytes);
  }

  /** The same in pieces: what came within `apart` instructions is one, told by its first line. */
  printed(port: 0 | 1 | 'debug', apart: number): { readonly at: number; readonly text: string }[] {
    const pieces: { at: number; text: string }[] = [], number = PORTS.indexOf(port);
    let last = -Infinity;
    for (let n = this.#firstKept; n < this.#sentCount; n++) {
      const slot = n % MOST_OUTPUT, at = this.#sentAt[slot]!, char = String.fromCharCode(this.#sent[slot]! & 0xff);
      if (this.#sent[slot]! >> 8 !== number) continue;
      const piece = pieces.at(-1);
      if (piece === undefined || at - last > apart) {
        pieces.push({ at, text: char });
        last = at;
      } else if (piece.text.length < LONGEST_TITLE && !piece.text.includes('\n')) piece.text += char;
    }
    return pieces.map(({ at, text }) => ({ at, text: text.trimEnd() }));
  }

  /** Forgets what has not happened yet: another future begins. */
  forgetBehind(now: Position): void {
    this.#changes++;
    while (this.#events.length > 0 && comparePositions(this.#events.at(-1)!.at, now) >= 0) this.#events.pop();
    const least = this.#firstKept;
    while (this.#sentCount > least && this.#sentAt[(this.#sentCount - 1) % MOST_OUTPUT]! >= now.retired) this.#sentCount--;
  }
}
