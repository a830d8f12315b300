/**
 * The translation-lookaside buffers, in the guest state's memory. They are architecture: an entry lives until the guest
 * invalidates it or another takes its place, however stale it is. SDM Vol. 3A, "Caching Translation Information".
 *
 * Two direct-mapped TLBs (data, instruction), indexed by the low bits of the linear page number, 16 bytes an entry:
 *   +0  u32  linear address bits 31:12 | PCID
 *   +4  u32  linear address bits 63:32
 *   +8  u32  physical frame number
 *   +12 u32  attributes (tlb-attributes.ts)
 * Rights are the paging structures' own and are judged at every use, so that CR0.WP, SMEP, SMAP, PKRU, AC and CPL need no flush.
 *
 * In front of the data TLB lie three *columns* of judged entries, one for each kind of data access, 32 bytes an entry,
 * the only thing that generated code probes:
 *   +0  u64  read tag: linear address bits 63:12 | PCID in effect, when a read is allowed and the frame is RAM
 *   +8  u64  write tag: the same when a write is allowed, D is set and the frame holds no decoded code
 *   +16 u32  addend: memory offset of a byte = (addend + linear address bits 31:0) mod 2^32
 *   +24 u64  code lines: where the read tag matches, a write is allowed to each line of 64 bytes whose bit is 0; it is for frames with
 *            decoded code, which get no write tag
 * A tag that may not match holds an address that belongs to another index (`emptyTag`), so it never can.
 * The instruction TLB follows the data TLB, so that entries are numbered through both. In front of it lie two columns, for
 * supervisor and user fetches, 16 bytes an entry:
 *   +0  u64  tag: as the read tag, when a fetch is allowed and the frame is RAM
 *   +8  u32  physical frame number
 * Columns hold nothing of their own: they may be emptied at any time without the guest noticing.
 */
import { linear, type LinearAddress } from '../state/addresses.ts';
import type { GuestState } from '../state/guest-state.ts';
import { RAM_BASE, TLB_BASE, TLB_BYTES } from '../state/layout.ts';
import type { PageSizeCode } from './paging-entries.ts';
import { keyRightsOf, type PageRights, type Translation } from './page-walk.ts';
import { KNOWN_ATTRIBUTES, SIZE_MASK, TLB_ATTRIBUTE as A, attributesOf, pageShiftOf, pageSizeOf, protectionKeyOf, rightsOf } from './tlb-attributes.ts';

/** Entries of the data TLB (and of each column) and of the instruction TLB. Powers of two. */
export const DATA_ENTRIES = 2048;
export const INSTRUCTION_ENTRIES = 1024;
const TLB_ENTRY_BYTES = 16;
/** Bytes of a column's entry, and the offsets of its fields. */
export const COLUMN_ENTRY_BYTES = 32;
export const COLUMN_FIELD = { readTag: 0, writeTag: 8, addend: 16, codeLines: 24 } as const;

/** The kinds of data access that are judged alike. */
export const COLUMN = { supervisor: 0, supervisorUnderSmap: 1, user: 2 } as const;
export type Column = 0 | 1 | 2;
const COLUMNS = 3;

/** Byte offsets in the memory. */
const DATA_TLB_BASE = TLB_BASE;
const INSTRUCTION_TLB_BASE = DATA_TLB_BASE + DATA_ENTRIES * TLB_ENTRY_BYTES;
const COLUMN_BYTES = DATA_ENTRIES * COLUMN_ENTRY_BYTES;
const COLUMNS_BASE = INSTRUCTION_TLB_BASE + INSTRUCTION_ENTRIES * TLB_ENTRY_BYTES;
/** The kinds of fetch that are judged alike. */
export const FETCH_COLUMN = { supervisor: 0, user: 1 } as const;
export type FetchColumn = 0 | 1;
/** Bytes of a fetch column's entry, and the offsets of its fields. */
export const FETCH_ENTRY_BYTES = 16;
export const FETCH_FIELD = { tag: 0, frame: 8 } as const;
const FETCH_COLUMNS_BASE = COLUMNS_BASE + COLUMNS * COLUMN_BYTES;
const FETCH_COLUMN_BYTES = INSTRUCTION_ENTRIES * FETCH_ENTRY_BYTES;
const FETCH_COLUMNS = 2;
/** Behind the columns: a bit for every entry that is valid, data TLB first, so that a flush costs as much as there is to drop. */
const OCCUPIED = (FETCH_COLUMNS_BASE + FETCH_COLUMNS * FETCH_COLUMN_BYTES) / 4;
const BITMAP_WORDS = (DATA_ENTRIES + INSTRUCTION_ENTRIES) / 32, DATA_BITMAP_WORDS = DATA_ENTRIES / 32;
/** Then a bit for every valid entry that comes from a large page, which may lie anywhere when one of its addresses is invalidated. */
const LARGE = OCCUPIED + BITMAP_WORDS;
/** Then how many of those there are by region of 4 MiB, hashed. A page of 1 GiB counts apart, in the word behind. */
const LARGE_REGIONS = 1024;
const LARGE_COUNTS = LARGE + BITMAP_WORDS;
/** Then what generated code has done to the TLBs (src/cpu/engines/fast/paging-code.ts), u64 each. */
const BY_GENERATED_CODE = LARGE_COUNTS + LARGE_REGIONS + 2;
if ((BY_GENERATED_CODE + 6) * 4 > TLB_BASE + TLB_BYTES) throw new RangeError('the TLBs do not fit in their region of the memory');
/** Byte offset of a column's first entry. */
export const columnBase = (column: Column): number => COLUMNS_BASE + column * COLUMN_BYTES;

/** Byte offset of a fetch column's first entry. */
export const fetchColumnBase = (column: FetchColumn): number => FETCH_COLUMNS_BASE + column * FETCH_COLUMN_BYTES;

/** Word indices within an entry. */
const ENTRY = { low: 0, high: 1, frame: 2, attributes: 3 } as const;
const ENTRY_WORDS = TLB_ENTRY_BYTES / 4, COLUMN_WORDS = COLUMN_ENTRY_BYTES / 4;

/** Byte offsets in the memory, for generated code: the TLBs, fields of their entries, bitmaps and counts. */
export const TLB_LAYOUT = {
  data: DATA_TLB_BASE, instruction: INSTRUCTION_TLB_BASE, high: 4 * ENTRY.high, frame: 4 * ENTRY.frame, attributes: 4 * ENTRY.attributes,
  occupied: 4 * OCCUPIED, large: 4 * LARGE, largeCounts: 4 * LARGE_COUNTS, largeRegions: LARGE_REGIONS,
  count: { accesses: 4 * BY_GENERATED_CODE, walks: 4 * BY_GENERATED_CODE + 8, flushes: 4 * BY_GENERATED_CODE + 16 },
} as const;

/** Which TLB. */
type TlbName = 'data' | 'instruction';

/** A cached translation as a debugger sees it. */
export interface TlbEntry extends PageRights {
  readonly tlb: TlbName;
  /** Halves of the linear page address. */
  readonly low: number;
  readonly high: number;
  /** Physical frame number. */
  readonly frame: number;
  readonly pcid: number;
  readonly global: boolean;
  readonly dirty: boolean;
  /** Size of the page this 4 KiB piece came from. */
  readonly pageSize: PageSizeCode;
}

/** The linear page that an entry translates. */
export const pageOf = ({ low, high }: TlbEntry): LinearAddress => linear((BigInt(high) << 32n) | BigInt(low));

/**
 * The low half of a tag (the high half is 0) that no access at this index matches, by its first page or by the one behind it, which an
 * access across pages compares: an address of another index.
 */
const emptyTag = (index: number): number => (index === 0 ? 0x2000 : index === DATA_ENTRIES - 1 ? 0x1000 : 0);

/** Pages of 2 and 4 MiB lie in one region. */
const REGION_SHIFT = 22;
/** Where the entries from large pages of an address's region are counted: other regions may be there, too. */
const largeCountAt = (low: number, high: number): number => LARGE_COUNTS + (((low >>> REGION_SHIFT) ^ (Math.imul(high, 0x9e37_79b1) >>> 22)) & (LARGE_REGIONS - 1));

const ANY_PCID = -1;
/** Half of the code lines of an entry that nothing may be written by. */
const ALL_LINES = 0xffff_ffff;
/** Number of the entry that the lowest bit set in a word of a bitmap stands for. */
const lowestOf = (bits: number, word: number): number => word * 32 + 31 - Math.clz32(bits & -bits);

export class Tlb {
  readonly #words: Uint32Array;
  /** Number of invalidation operations that the guest asked for (or that a control-register change implied). */
  flushes = 0;
  /** Grows whenever an entry of a column may have gone or lost a right: what was found in a column before holds while it stays as it is. */
  changes = 0;
  /** Called at each of them. */
  onFlush: ((what: 'all' | 'all but global' | 'PCID' | 'page') => void) | undefined;

  constructor(state: GuestState) {
    this.#words = state.u32;
    this.#emptyColumns();
  }

  /** Accesses that missed a column, walks among them, and invalidations that generated code has done. */
  get byGeneratedCode(): { readonly accesses: number; readonly walks: number; readonly flushes: number } {
    const count = (at: number): number => this.#words[at / 4]! + this.#words[at / 4 + 1]! * 2 ** 32;
    const { accesses, walks, flushes } = TLB_LAYOUT.count;
    return { accesses: count(accesses), walks: count(walks), flushes: count(flushes) };
  }

  /** Word index of the data entry that holds this linear page under this PCID, or -1. */
  findData(low: number, high: number, pcid: number): number {
    return this.#match(DATA_TLB_BASE / 4 + ((low >>> 12) & (DATA_ENTRIES - 1)) * ENTRY_WORDS, low, high, pcid);
  }

  /** The same in the instruction TLB. */
  findInstruction(low: number, high: number, pcid: number): number {
    return this.#match(INSTRUCTION_TLB_BASE / 4 + ((low >>> 12) & (INSTRUCTION_ENTRIES - 1)) * ENTRY_WORDS, low, high, pcid);
  }

  #match(at: number, low: number, high: number, pcid: number): number {
    const words = this.#words;
    const attributes = words[at + ENTRY.attributes]!;
    if ((attributes & A.valid) === 0 || words[at + ENTRY.high] !== high >>> 0) return -1;
    const difference = words[at]! ^ ((low & ~0xfff) | pcid);
    if (difference === 0) return at;
    return (difference & ~0xfff) === 0 && (attributes & A.global) !== 0 ? at : -1;
  }

  attributes(at: number): number {
    return this.#words[at + ENTRY.attributes]!;
  }

  frame(at: number): number {
    return this.#words[at + ENTRY.frame]!;
  }

  /** Caches a translation, in the place of whatever its index held. Returns the entry's word index. */
  fill(tlb: TlbName, low: number, high: number, pcid: number, translation: Translation, unpaged: boolean): number {
    const words = this.#words;
    let at: number;
    if (tlb === 'data') {
      const index = (low >>> 12) & (DATA_ENTRIES - 1);
      at = DATA_TLB_BASE / 4 + index * ENTRY_WORDS;
      this.#emptyColumnsAt(index);
    } else {
      const index = (low >>> 12) & (INSTRUCTION_ENTRIES - 1);
      at = INSTRUCTION_TLB_BASE / 4 + index * ENTRY_WORDS;
      this.#emptyFetchColumnsAt(index);
    }
    const slot = (at - DATA_TLB_BASE / 4) / ENTRY_WORDS;
    this.#unmarkLarge(slot);
    words[at] = (low & ~0xfff) | pcid;
    words[at + ENTRY.high] = high;
    words[at + ENTRY.frame] = translation.frame;
    words[at + ENTRY.attributes] = attributesOf(translation, unpaged);
    this.#mark(slot);
    return at;
  }

  /** Notes in the bitmaps that a new entry is valid. */
  #mark(slot: number): void {
    const words = this.#words, word = slot >>> 5, bit = 1 << (slot & 31);
    words[OCCUPIED + word]! |= bit;
    if ((words[DATA_TLB_BASE / 4 + slot * ENTRY_WORDS + ENTRY.attributes]! & SIZE_MASK) === 0) return;
    words[LARGE + word]! |= bit;
    words[this.#largeCountOf(slot)]!++;
  }

  /** Takes an entry out of those from large pages, if it is one. */
  #unmarkLarge(slot: number): void {
    const words = this.#words, word = slot >>> 5, bit = 1 << (slot & 31);
    if ((words[LARGE + word]! & bit) === 0) return;
    words[LARGE + word]! &= ~bit;
    words[this.#largeCountOf(slot)]!--;
  }

  /** Where an entry that comes from a large page is counted. */
  #largeCountOf(slot: number): number {
    const words = this.#words, at = DATA_TLB_BASE / 4 + slot * ENTRY_WORDS;
    return pageShiftOf(words[at + ENTRY.attributes]!) > REGION_SHIFT ? LARGE_COUNTS + LARGE_REGIONS : largeCountAt(words[at]!, words[at + ENTRY.high]!);
  }

  /**
   * Lets generated code and the fast paths use a data entry that has been judged: the frame is RAM. `linesLow`, `linesHigh`: the lines of the
   * frame that may not be written from generated code, where `write` does not hold for all of it.
   */
  publish(column: Column, low: number, high: number, pcid: number, frame: number, write: boolean, linesLow: number, linesHigh: number): void {
    const words = this.#words;
    const index = (low >>> 12) & (DATA_ENTRIES - 1);
    const at = columnBase(column) / 4 + index * COLUMN_WORDS;
    const tag = (low & ~0xfff) | pcid;
    words[at] = tag;
    words[at + 1] = high;
    words[at + 2] = write ? tag : emptyTag(index);
    words[at + 3] = write ? high : 0;
    words[at + 4] = RAM_BASE + frame * 4096 - (low & ~0xfff);
    words[at + 6] = linesLow;
    words[at + 7] = linesHigh;
  }

  /** Lets generated code use an instruction entry that has been judged: the frame is RAM. */
  publishFetch(column: FetchColumn, low: number, high: number, pcid: number, frame: number): void {
    const words = this.#words;
    const at = (fetchColumnBase(column) + ((low >>> 12) & (INSTRUCTION_ENTRIES - 1)) * FETCH_ENTRY_BYTES) / 4;
    words[at] = (low & ~0xfff) | pcid;
    words[at + 1] = high;
    words[at + 2] = frame;
  }

  #emptyFetchColumnsAt(index: number): void {
    for (let column = 0; column < FETCH_COLUMNS; column++) {
      const at = (fetchColumnBase(column as FetchColumn) + index * FETCH_ENTRY_BYTES) / 4;
      this.#words[at] = emptyTag(index);
      this.#words[at + 1] = 0;
    }
  }

  #emptyColumnsAt(index: number): void {
    const words = this.#words, empty = emptyTag(index);
    for (let column = 0; column < COLUMNS; column++) {
      const at = columnBase(column as Column) / 4 + index * COLUMN_WORDS;
      if (words[at] === empty && words[at + 1] === 0) continue;
      this.changes++;
      this.#emptyAt(at, index, true);
    }
  }

  #emptyAt(at: number, index: number, reads: boolean): void {
    const words = this.#words, empty = emptyTag(index);
    if (reads) {
      words[at] = empty;
      words[at + 1] = 0;
    }
    words[at + 2] = empty;
    words[at + 3] = 0;
    words[at + 6] = words[at + 7] = ALL_LINES;
  }

  /** Empties all columns: rights are judged anew. Nothing architectural changes. */
  #emptyColumns(): void {
    this.changes++;
    this.#words.fill(0, COLUMNS_BASE / 4, (FETCH_COLUMNS_BASE + FETCH_COLUMNS * FETCH_COLUMN_BYTES) / 4);
    this.#emptyColumnsAt(0);
    this.#emptyColumnsAt(DATA_ENTRIES - 1);
    this.#emptyFetchColumnsAt(0);
  }

  /** For changes of CR0.WP, CR4.SMAP and the like, and of the physical memory map. */
  judgeAnew(): void {
    this.#emptyColumns();
  }

  /** PKRU changes in these bits: empties the columns at the pages whose keys they concern. */
  judgeKeysAnew(changed: number): void {
    for (const slot of this.#occupied()) {
      if (slot >= DATA_ENTRIES) return;
      const attributes = this.#words[DATA_TLB_BASE / 4 + slot * ENTRY_WORDS + ENTRY.attributes]!;
      if ((attributes & A.user) !== 0 && keyRightsOf(changed, protectionKeyOf(attributes)) !== 0) this.#emptyColumnsAt(slot);
    }
  }

  /** Takes the write tags of a frame away: it now holds decoded code. */
  forbidFastWrites(frame: number): void {
    const words = this.#words;
    for (let word = 0; word < DATA_BITMAP_WORDS; word++) {
      for (let bits = words[OCCUPIED + word]!; bits !== 0; bits &= bits - 1) {
        const slot = lowestOf(bits, word);
        if (words[DATA_TLB_BASE / 4 + slot * ENTRY_WORDS + ENTRY.frame] === frame) this.#emptyWriteTags(slot);
      }
    }
  }

  /** Takes all write tags away: every frame's next store is to be seen. */
  forbidAllFastWrites(): void {
    for (const slot of this.#occupied()) {
      if (slot >= DATA_ENTRIES) return;
      this.#emptyWriteTags(slot);
    }
  }
  #emptyWriteTags(slot: number): void {
    this.changes++;
    for (let column = 0; column < COLUMNS; column++) this.#emptyAt(columnBase(column as Column) / 4 + slot * COLUMN_WORDS, slot, false);
  }

  /** The valid entries as they are, five words each: number of the entry, then its four words. For snapshots. */
  save(): Uint32Array<ArrayBuffer> {
    const saved: number[] = [];
    for (const slot of this.#occupied()) {
      const at = DATA_TLB_BASE / 4 + slot * ENTRY_WORDS;
      saved.push(slot, ...this.#words.subarray(at, at + ENTRY_WORDS));
    }
    return Uint32Array.from(saved);
  }

  /** Whether words are what `save` gives: entries in ascending order, valid, with no unknown attribute. */
  static isSaved(saved: Uint32Array): boolean {
    let last = -1;
    for (let n = 0; n < saved.length; n += 1 + ENTRY_WORDS) {
      const slot = saved[n]!, attributes = saved[n + 1 + ENTRY.attributes];
      if (slot <= last || slot >= DATA_ENTRIES + INSTRUCTION_ENTRIES || attributes === undefined || (attributes & ~KNOWN_ATTRIBUTES) !== 0 || (attributes & A.valid) === 0) return false;
      last = slot;
    }
    return true;
  }

  /** Takes back what `save` gave; nothing else stays. Columns are judged anew. */
  load(saved: Uint32Array): void {
    const words = this.#words;
    for (const slot of this.#occupied()) words[DATA_TLB_BASE / 4 + slot * ENTRY_WORDS + ENTRY.attributes] = 0;
    words.fill(0, OCCUPIED, LARGE_COUNTS + LARGE_REGIONS + 1);
    for (let n = 0; n < saved.length; n += 1 + ENTRY_WORDS) {
      const slot = saved[n]!;
      const at = DATA_TLB_BASE / 4 + slot * ENTRY_WORDS;
      words.set(saved.subarray(n + 1, n + 1 + ENTRY_WORDS), at);
      this.#mark(slot);
    }
    this.#emptyColumns();
  }

  /** Drops everything, or everything but global entries. */
  flush(keepGlobal: boolean): void {
    this.flushes++;
    this.onFlush?.(keepGlobal ? 'all but global' : 'all');
    this.#dropAll(keepGlobal ? A.global : 0, ANY_PCID);
  }

  /** Drops the entries of one PCID; global entries stay. */
  flushPcid(pcid: number): void {
    this.flushes++;
    this.onFlush?.('PCID');
    this.#dropAll(A.global, pcid);
  }

  /** Drops what the TLBs hold for the page of a linear address: entries of this PCID, and global ones unless `keepGlobal`. */
  invalidatePage(low: number, high: number, pcid: number, keepGlobal: boolean): void {
    this.flushes++;
    this.onFlush?.('page');
    this.dropPage(low, high, pcid, keepGlobal);
  }

  /** The same without being counted: a page fault drops the entries of its address too. */
  dropPage(low: number, high: number, pcid: number, keepGlobal: boolean): void {
    const words = this.#words;
    this.#dropIfOf((low >>> 12) & (DATA_ENTRIES - 1), low, high, pcid, keepGlobal);
    this.#dropIfOf(DATA_ENTRIES + ((low >>> 12) & (INSTRUCTION_ENTRIES - 1)), low, high, pcid, keepGlobal);
    if (words[largeCountAt(low, high)] === 0 && words[LARGE_COUNTS + LARGE_REGIONS] === 0) return;
    for (let word = 0; word < BITMAP_WORDS; word++) {
      for (let bits = words[LARGE + word]!; bits !== 0; bits &= bits - 1) this.#dropIfOf(lowestOf(bits, word), low, high, pcid, keepGlobal);
    }
  }

  /** Drops an entry if it comes from the page of the address. */
  #dropIfOf(slot: number, low: number, high: number, pcid: number, keepGlobal: boolean): void {
    const words = this.#words;
    const at = DATA_TLB_BASE / 4 + slot * ENTRY_WORDS;
    const attributes = words[at + ENTRY.attributes]!;
    if ((attributes & A.valid) === 0 || ((attributes & A.global) !== 0 ? keepGlobal : (words[at]! & 0xfff) !== pcid)) return;
    const shift = pageShiftOf(attributes);
    if (words[at + ENTRY.high] === high >>> 0 && words[at]! >>> shift === low >>> shift) this.#dropAt(slot);
  }

  /** The numbers of the valid entries, data TLB first. Entries may be dropped on the way. */
  *#occupied(): Generator<number, void> {
    for (let word = 0; word < BITMAP_WORDS; word++) {
      for (let bits = this.#words[OCCUPIED + word]!; bits !== 0; bits &= bits - 1) yield lowestOf(bits, word);
    }
  }

  /** Drops every entry that has none of the attributes in `kept`, of one PCID or of ANY_PCID. */
  #dropAll(kept: number, pcid: number): void {
    const words = this.#words;
    for (let word = 0; word < BITMAP_WORDS; word++) {
      for (let bits = words[OCCUPIED + word]!; bits !== 0; bits &= bits - 1) {
        const slot = lowestOf(bits, word);
        const at = DATA_TLB_BASE / 4 + slot * ENTRY_WORDS;
        if ((words[at + ENTRY.attributes]! & kept) === 0 && (pcid === ANY_PCID || (words[at]! & 0xfff) === pcid)) this.#dropAt(slot);
      }
    }
  }

  /** Drops a valid entry. */
  #dropAt(slot: number): void {
    const words = this.#words, word = slot >>> 5, bit = 1 << (slot & 31);
    this.#unmarkLarge(slot);
    words[DATA_TLB_BASE / 4 + slot * ENTRY_WORDS + ENTRY.attributes] = 0;
    words[OCCUPIED + word]! &= ~bit;
    if (slot < DATA_ENTRIES) this.#emptyColumnsAt(slot); else this.#emptyFetchColumnsAt(slot - DATA_ENTRIES);
  }

  /** The valid entries, in index order, data TLB first. Entries made with paging off are not translations and are left out. */
  *entries(): Generator<TlbEntry, void> {
    const words = this.#words;
    for (const slot of this.#occupied()) {
      const at = DATA_TLB_BASE / 4 + slot * ENTRY_WORDS;
      const attributes = words[at + ENTRY.attributes]!;
      if ((attributes & A.unpaged) !== 0) continue;
      yield {
        tlb: slot < DATA_ENTRIES ? 'data' : 'instruction',
        low: (words[at]! & ~0xfff) >>> 0,
        high: words[at + ENTRY.high]!,
        frame: words[at + ENTRY.frame]!,
        pcid: words[at]! & 0xfff,
        global: (attributes & A.global) !== 0,
        dirty: (attributes & A.dirty) !== 0,
        pageSize: pageSizeOf(attributes),
        ...rightsOf(attributes),
      };
    }
  }
}
