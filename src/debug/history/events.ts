/** Deliveries of exceptions and interrupts, and writes to CR3: the newest of a sort, in columns. */
import type { DeliveryKind } from '../../cpu/delivery.ts';
import { VECTOR } from '../../cpu/exceptions.ts';
import type { Position } from '../../machine/position.ts';
import { Positions } from './positions.ts';

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

/** Each sort is kept for itself, lest the timer of an idle kernel take all exceptions away, or single steps take the page faults. */
export type EventSort = 'page-fault' | 'debug-exception' | 'exception' | 'interrupt' | 'cr3';
export const EXCEPTION_SORTS: readonly EventSort[] = ['page-fault', 'debug-exception', 'exception'];
export const EVENT_SORTS: readonly EventSort[] = [...EXCEPTION_SORTS, 'interrupt', 'cr3'];
/** Events that are kept of a sort. */
export const KEPT_OF_A_SORT = 2 ** 15;

const KINDS: readonly HistoryEvent['kind'][] = ['fault', 'trap', 'breakpoint', 'INT1', 'interrupt', 'nmi', 'software', 'cr3'];

export function sortOf(kind: HistoryEvent['kind'], vector = 0): EventSort {
  switch (kind) {
    case 'fault': case 'trap': case 'breakpoint': case 'INT1': return vector === VECTOR.PF ? 'page-fault' : vector === VECTOR.DB ? 'debug-exception' : 'exception';
    case 'interrupt': case 'nmi': case 'software': return 'interrupt';
    case 'cr3': return 'cr3';
  }
}

/** Oldest first. */
export class Events {
  readonly #positions = new Positions(KEPT_OF_A_SORT);
  /** How many events of all sorts came before. */
  readonly #order = new Float64Array(KEPT_OF_A_SORT);
  readonly #kind = new Uint8Array(KEPT_OF_A_SORT);
  readonly #vector = new Uint8Array(KEPT_OF_A_SORT);
  /** NaN: none. */
  readonly #errorCode = new Float64Array(KEPT_OF_A_SORT);
  /** CR2, or what CR3 was given. */
  readonly #value = new BigUint64Array(KEPT_OF_A_SORT);
  readonly #rip = new BigUint64Array(KEPT_OF_A_SORT);

  get first(): number { return this.#positions.first; }
  get end(): number { return this.#positions.end; }

  note(order: number, at: Position, kind: HistoryEvent['kind'], value: bigint, rip: bigint, vector = 0, errorCode = NaN): void {
    const slot = this.#positions.note(at);
    this.#order[slot] = order;
    this.#kind[slot] = KINDS.indexOf(kind);
    this.#vector[slot] = vector;
    this.#errorCode[slot] = errorCode;
    this.#value[slot] = value;
    this.#rip[slot] = rip;
  }

  at(n: number): HistoryEvent {
    const slot = this.#positions.slotOf(n), at = this.#positions.at(n), kind = KINDS[this.#kind[slot]!]!, value = this.#value[slot]!, rip = this.#rip[slot]!, errorCode = this.#errorCode[slot]!;
    if (kind === 'cr3') return { at, kind, value, rip };
    return { at, kind, vector: this.#vector[slot]!, errorCode: Number.isNaN(errorCode) ? undefined : errorCode, cr2: value, rip };
  }
  orderAt(n: number): number { return this.#order[this.#positions.slotOf(n)]!; }
  retiredAt(n: number): number { return this.#positions.retiredAt(n); }

  /** Number of the first event that is not before a position. */
  firstFrom(now: Position): number { return this.#positions.firstFrom(now); }
  /** Number of the first event whose instruction count is far enough, where all behind it are, too. */
  firstWhere(isFarEnough: (retired: number) => boolean): number { return this.#positions.firstRetired(isFarEnough); }

  forgetFrom(now: Position): void { this.#positions.forgetFrom(this.firstFrom(now)); }
}
