/**
 * Where execution can enter generated code: a direct-mapped hash table in the engines' memory, from RIP and context to a record
 * and perhaps a region. The dispatcher probes it; an entry counts only if RIP translates to the frame that it names, so
 * one entry serves every address space that maps the page there.
 */
import type { GuestState } from '../../../state/guest-state.ts';
import { ENTRIES_BASE, ENTRY, ENTRY_BYTES, ENTRY_COUNT } from '../engine-memory.ts';
import { CONTEXT_SHIFT } from './context.ts';

/** Bits 63:32 of a key that no RIP has: it is not canonical in any context. */
const EMPTY_HIGH = 0x4000_0000;
const KEY_HIGH_SHIFT = CONTEXT_SHIFT - 32;

/** Number of the entry of an address: what the dispatcher computes too. */
const entryIndex = (low: number): number => Math.imul(low, HASH_FACTOR) >>> HASH_SHIFT;
/** 2^32 divided by the golden ratio: neighbours land far apart. Knuth, "The Art of Computer Programming", vol. 3, "Hashing". */
export const HASH_FACTOR = 0x9e37_79b1 | 0;
export const HASH_SHIFT = 32 - Math.log2(ENTRY_COUNT);

export class EntryTable {
  readonly #words: Uint32Array;

  constructor(state: GuestState) {
    this.#words = state.u32;
    this.clear();
  }

  clear(): void {
    this.#words.fill(0, ENTRIES_BASE / 4, (ENTRIES_BASE + ENTRY_COUNT * ENTRY_BYTES) / 4);
    for (let n = 0; n < ENTRY_COUNT; n++) this.#words[this.#at(n) + ENTRY.key / 4 + 1] = EMPTY_HIGH;
  }

  #at(index: number): number { return (ENTRIES_BASE + index * ENTRY_BYTES) / 4; }

  /** Puts an entry in the place of whatever its index held. Region 0: none. */
  set(low: number, high: number, context: number, frame: number, record: number, region: number, block: number, heat: number): number {
    const words = this.#words;
    const index = entryIndex(low);
    const at = this.#at(index);
    words[at + ENTRY.key / 4] = low;
    words[at + ENTRY.key / 4 + 1] = high ^ (context << KEY_HIGH_SHIFT);
    words[at + ENTRY.frame / 4] = frame;
    words[at + ENTRY.record / 4] = record;
    words[at + ENTRY.region / 4] = region;
    words[at + ENTRY.block / 4] = block;
    words[at + ENTRY.heat / 4] = heat;
    return index;
  }

  /** Empties the entry if it still belongs to the frame. */
  drop(index: number, frame: number): void {
    const at = this.#at(index);
    if (this.#words[at + ENTRY.frame / 4] === frame) this.#words[at + ENTRY.key / 4 + 1] = EMPTY_HIGH;
  }

  /** Takes a region away from the entry. */
  dropRegion(index: number, region: number): void {
    const at = this.#at(index);
    if (this.#words[at + ENTRY.region / 4] === region) this.#words[at + ENTRY.key / 4 + 1] = EMPTY_HIGH;
  }
}
