/**
 * The engines' part of the one memory, between the TLB and guest RAM. Nothing here is the guest's state: all of it may be
 * dropped at any instruction boundary.
 */
import { RAM_BASE, TLB_BASE, TLB_BYTES } from '../../state/layout.ts';

const BASE = TLB_BASE + TLB_BYTES;

/** Single words, by byte offset. */
export const ENGINE = {
  /** i32: instructions that may still retire before generated code must come back. */
  budget: BASE,
  /** u32: the record of the instruction before which a handler left. */
  leftAt: BASE + 4,
  /** u32: offset of a link in a record that wants the next record looked up; 0: none. */
  link: BASE + 8,
  /** u32: byte offsets of the columns of the TLB for data accesses and for fetches as things are now (src/mmu/tlb.ts). */
  dataColumn: BASE + 12,
  fetchColumn: BASE + 16,
  /** u32: the access that missed: its size in bytes, and MISS_WRITE. */
  missAccess: BASE + 20,
  /** u64: linear address of the access that missed. */
  missAddress: BASE + 24,
  /** u64: the PCID in effect. */
  pcid: BASE + 32,
  /** u64: the context, shifted to where it makes the key of an entry out of RIP (entry-table.ts). */
  contextKey: BASE + 40,
  /** u32: 1 where another stay in generated code follows when the budget of this one is used up. */
  more: BASE + 48,
  /** u32: the region that was left last, while nothing else has run since; 0: none. */
  leftRegion: BASE + 52,
  /** u32: ways from one region into another that are still to be taken before the next one is reported. */
  untilReport: BASE + 56,
  /** u32: where the next word of the trail goes, from TRAIL_BASE (fast/trail.ts). */
  trail: BASE + 60,
  /** u32: 1 where CR0.EM, CR0.TS or CR4.OSFXSR keep instructions on vectors from running. */
  vectorsBlocked: BASE + 64,
  /** u32: 1 where CR0.TS, CR4.OSXSAVE or XCR0 keep instructions with a VEX prefix on vectors from running. */
  avxBlocked: BASE + 68,
  /** For the short ways of system instructions (interpreter/short-ways.ts). u32: byte offset of the column for implicit supervisor accesses. */
  implicitColumn: BASE + 72,
  /** u32: 1 where nobody looks at deliveries and changes of mode. */
  unwatched: BASE + 76,
  /** u32: 1 where an interrupt waits for IF. */
  interruptWaits: BASE + 80,
  /** u32: a bit for each column whose remembered pages may be stale. */
  stalePages: BASE + 84,
  /** u32: how many short ways have been taken that change what `Cpu.refresh` derives, and how many of them delivered, since the engine looked last. */
  changes: BASE + 88,
  deliveries: BASE + 92,
  /** u32: 1 where a program whose CPL is not above IOPL may access ports from generated code. */
  portsOpen: BASE + 96,
  /** u32: not 0 where the engine is to be asked before the next instruction: an access to a port had consequences. */
  asked: BASE + 100,
  /** u32: which paging fast/paging-code.ts may do, since nobody looks on: a PLAIN_PAGING of src/mmu/paging-mode.ts, 0: none. u64: the bits of an entry of 64 bits that may not be set. */
  walkable: BASE + 104,
  /** i32: the budget at the last miss that it served in this stay; -1: none. An instruction that misses twice wants both its pages at once. */
  servedAt: BASE + 108,
  reservedBits: BASE + 112,
  /** u32: error code of the page fault that it found. u32: how many have been delivered from generated code since the engine looked last: they retire nothing. */
  faultCode: BASE + 120,
  faults: BASE + 124,
  /** u32 each: the handlers that deliver a page fault (interpreter/short-ways.ts) of the supervisor and of the user, in 64-bit mode and elsewhere; 0: not made yet. */
  pageFaultWays: BASE + 144,
  /** i32: the budget behind an STI that set IF, in this stay: before the next instruction no interrupt is recognised. -1: none. */
  shadowAt: BASE + 128,
  /** i32: the budget that was given, or was left when `retired` was brought up to date last. */
  slice: BASE + 136,
  /** i32: links lead to entries of this heat and more only: that of others is still to be counted. */
  linkFrom: BASE + 132,
} as const;
export const MISS_WRITE = 0x100;

/** The trail: a ring of u32. */
export const TRAIL_BASE = BASE + 0x1000;
export const TRAIL_BYTES = 512;

/** u32 each: INT n by vector, and page faults by error code, that short ways delivered. */
export const INTERRUPTS_BASE = BASE + 0x1800;
export const PAGE_FAULTS_BASE = INTERRUPTS_BASE + 4 * 256;

/**
 * The pages that accesses of translated code led to last: `page` (u64) is a linear address, NO_PAGE where nothing is remembered; `addend` (u32)
 * turns the low half of an address in it into an offset in the memory. Each column of the TLB has its slots: what is remembered there is true while no entry of the columns
 * goes and the PCID stays (translator/page-slots.ts).
 */
export const PAGES_BASE = BASE + 0x2000;
export const PAGE_SLOTS = 64;
export const PAGE_SLOT_BYTES = 16;
export const PAGES_BYTES = PAGE_SLOTS * PAGE_SLOT_BYTES;
export const PAGE_SLOT = { page: 0, addend: 8 } as const;
/** Each byte of a slot that remembers nothing: no address with bits 11:3 cleared is like that. */
export const NO_PAGE_BYTE = 0xff;

/** Where execution can enter: a hash table of RIPs. */
export const ENTRIES_BASE = BASE + 0x1_0000;
export const ENTRY_COUNT = 65536;
export const ENTRY_BYTES = 32;
/** Fields of an entry. `frame`: physical frame number that RIP must translate to. `heat`: dispatches left before it is worth translating. */
export const ENTRY = { key: 0, frame: 8, record: 12, region: 16, block: 20, heat: 24 } as const;

/** Records of decoded instructions (interpreter/record.ts). */
export const RECORDS_BASE = ENTRIES_BASE + ENTRY_COUNT * ENTRY_BYTES;
export const RECORDS_END = RAM_BASE;

/** Why generated code came back. */
export const STATUS = {
  /** Go on at RIP: look it up again. Never leaves the dispatcher. */
  next: 0,
  /** The next block does not fit in the budget. */
  budget: 1,
  /** Nothing is known of RIP. */
  lookup: 2,
  /** The instruction TLB has no judged entry for RIP. */
  fetch: 3,
  /** The reference engine must execute the instruction at RIP. */
  reference: 4,
  /** A data access missed the columns of the TLB. */
  miss: 5,
  /** The block at RIP has become hot. */
  hot: 6,
  /** One region of many was left for another: here is one such way, for what it is worth. */
  crossing: 7,
  /** A repeated string instruction has many more iterations to make. */
  string: 8,
  /** The engine has done what was to be done, and accounted for it. */
  served: 9,
} as const;
