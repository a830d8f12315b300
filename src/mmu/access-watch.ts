/** Data accesses that a debugger wants to see. Their pages are kept out of the columns of the TLB, so that each access to them comes by TypeScript. */

/** Called when a data access to a watched page has been made. `low` and `high` are the halves of its linear address; the bytes lie in one page. */
export type AccessListener = (low: number, high: number, physicalAddress: number, bytes: number, write: boolean) => void;

export class AccessWatch {
  readonly #pages: ReadonlySet<number>;
  readonly #frames: ReadonlySet<number>;
  readonly listener: AccessListener;

  /** Linear pages by their number (bits 63:12), RAM frames by theirs. */
  constructor(pages: ReadonlySet<number>, frames: ReadonlySet<number>, listener: AccessListener) {
    this.#pages = pages;
    this.#frames = frames;
    this.listener = listener;
  }

  covers(low: number, high: number, frame: number): boolean {
    return this.#frames.has(frame) || (this.#pages.size > 0 && this.#pages.has(high * 2 ** 20 + (low >>> 12)));
  }
}
