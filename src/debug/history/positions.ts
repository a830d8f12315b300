/** Positions in the order of time, the newest of them, in columns. */
import type { Position } from '../../machine/position.ts';
import { Ring } from './ring.ts';

export class Positions extends Ring {
  readonly #retired: Float64Array;
  readonly #deliveries: Float64Array;

  constructor(slots: number) {
    super(slots);
    this.#retired = new Float64Array(slots);
    this.#deliveries = new Float64Array(slots);
  }

  /** One more: its slot. */
  note({ retired, deliveries }: Position): number {
    const slot = this.add();
    this.#retired[slot] = retired;
    this.#deliveries[slot] = deliveries;
    return slot;
  }
  at(n: number): Position {
    const slot = this.slotOf(n);
    return { retired: this.#retired[slot]!, deliveries: this.#deliveries[slot]! };
  }
  retiredAt(n: number): number { return this.#retired[this.slotOf(n)]!; }

  /** Number of the first that is not before a position. */
  firstFrom({ retired, deliveries }: Position): number {
    return this.firstWhere((slot) => this.#retired[slot]! > retired || (this.#retired[slot] === retired && this.#deliveries[slot]! >= deliveries));
  }
  /** Number of the first whose instruction count is far enough, where all behind it are, too. */
  firstRetired(isFarEnough: (retired: number) => boolean): number { return this.firstWhere((slot) => isFarEnough(this.#retired[slot]!)); }
}
