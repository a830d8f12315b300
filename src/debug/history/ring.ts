/**
 * The newest of many things, each known by its number: how many came before it. What they are stands in columns of so many slots, which belong to whoever
 * counts them: what is noted a hundred thousand times a second leaves nothing for the host to collect.
 */
export class Ring {
  readonly #slots: number;
  #first = 0;
  #end = 0;

  constructor(slots: number) { this.#slots = slots; }

  /** Number of the oldest that is kept. */
  get first(): number { return this.#first; }
  /** Number that the next one will have. */
  get end(): number { return this.#end; }

  /** One more, for which the oldest may go: its slot. */
  add(): number {
    if (this.#end - this.#first === this.#slots) this.#first++;
    return this.#end++ % this.#slots;
  }
  slotOf(n: number): number { return n % this.#slots; }

  /** Forgets the newest, from a number on. */
  forgetFrom(n: number): void { this.#end = Math.max(n, this.#first); }

  /** The first number that is far enough, where all behind it are, too; `end`: none is. */
  firstWhere(isFarEnough: (slot: number) => boolean): number {
    let low = this.#first, high = this.#end;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (isFarEnough(this.slotOf(middle))) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
