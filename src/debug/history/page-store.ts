/** Copies of RAM frames, in slabs: large buffers, so that a copy costs about what its bytes cost. A page that is released is used again, slabs are kept. */
import { PAGE_SIZE } from '../../state/addresses.ts';

const PAGE_WORDS = PAGE_SIZE / 4;
/** Pages of a slab: 4 MiB. */
const SLAB_PAGES = 1024;

export class PageStore {
  readonly #slabs: Uint32Array<ArrayBuffer>[] = [];
  readonly #free: number[] = [];
  /** Pages below this one have been used. */
  #next = 0;

  /** Bytes that have been asked of the host: the most that the pages ever took, rounded up to a slab. */
  get reservedBytes(): number { return this.#slabs.length * SLAB_PAGES * PAGE_SIZE; }

  /** Keeps a copy of the page that begins at a word; returns its number. */
  keep(source: Uint32Array, at: number): number { return this.#put(source.subarray(at, at + PAGE_WORDS)); }
  /** Keeps a copy of a page of the store. */
  keepAgain(page: number): number { return this.#put(this.words(page)); }
  #put(words: Uint32Array): number {
    const page = this.#free.pop() ?? this.#next++;
    if (page >= this.#slabs.length * SLAB_PAGES) this.#slabs.push(new Uint32Array(SLAB_PAGES * PAGE_WORDS));
    this.#slabOf(page).set(words, wordOf(page));
    return page;
  }
  release(page: number): void { this.#free.push(page); }

  /** The copy itself. */
  words(page: number): Uint32Array<ArrayBuffer> { return this.#slabOf(page).subarray(wordOf(page), wordOf(page) + PAGE_WORDS); }

  /** Whether the page that begins at a word of `source` holds what a copy does. It is asked of every frame that a checkpoint looks at, and so makes no object. */
  holds(page: number, source: Uint32Array, at: number): boolean {
    const slab = this.#slabOf(page), from = wordOf(page);
    for (let n = 0; n < PAGE_WORDS; n++) if (source[at + n] !== slab[from + n]) return false;
    return true;
  }

  #slabOf(page: number): Uint32Array<ArrayBuffer> { return this.#slabs[Math.floor(page / SLAB_PAGES)]!; }
}

/** Where a page begins in its slab. */
const wordOf = (page: number): number => (page % SLAB_PAGES) * PAGE_WORDS;

/** Whether the page that begins at a word holds zeroes only. */
export function isZero(words: Uint32Array, at: number): boolean {
  for (let n = 0; n < PAGE_WORDS; n++) if (words[at + n] !== 0) return false;
  return true;
}
