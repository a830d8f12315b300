/**
 * Formats of the paging-structure entries, as two 32-bit halves. SDM Vol. 3A, "Paging": the tables "Format of an Entry
 * That References ... / Maps ..." of 4-level, PAE and 32-bit paging, and "Reserved Bits".
 */

/** Width of physical addresses in bits, as CPUID leaf 80000008H reports it. */
export const MAXPHYADDR = 40;

/** Bits 31:0 of an entry, by the names of the manual. */
export const ENTRY = {
  /** Present. */
  P: 1 << 0,
  /** Writes allowed. */
  RW: 1 << 1,
  /** User-mode accesses allowed. */
  US: 1 << 2,
  /** Page-level write-through. */
  PWT: 1 << 3,
  /** Page-level cache disable. */
  PCD: 1 << 4,
  /** Accessed. */
  A: 1 << 5,
  /** Dirty; only in an entry that maps a page. */
  D: 1 << 6,
  /** Page size: the entry maps a page. (Bit 7 of a PTE is PAT.) */
  PS: 1 << 7,
  /** Global; only in an entry that maps a page, and only with CR4.PGE. */
  G: 1 << 8,
  /** Bit 7 of a PTE, the low bit of the memory-type index. */
  PAT_PTE: 1 << 7,
  /** The same in an entry that maps a large page. */
  PAT_LARGE: 1 << 12,
} as const;
/** Bits 63:32: XD (execute-disable) is bit 63. */
export const ENTRY_HIGH_XD = 0x8000_0000 | 0;
/** Where the protection key is in bits 63:32 of an entry that maps a page in IA-32e mode: bits 62:59 of the entry. */
export const PROTECTION_KEY_SHIFT = 27;

/** The physical-address field in the high half: bits MAXPHYADDR-1:32. */
export const ADDRESS_HIGH = (1 << (MAXPHYADDR - 32)) - 1;
/** Reserved in the high half with 4-level and 5-level paging: bits 51:MAXPHYADDR. Bits 62:52 are ignored. */
export const RESERVED_HIGH_LONG = 0x000f_ffff & ~ADDRESS_HIGH;
/** Reserved in the high half with PAE paging: bits 62:MAXPHYADDR. */
export const RESERVED_HIGH_PAE = 0x7fff_ffff & ~ADDRESS_HIGH;
/** Reserved in a PDPTE register of PAE paging: bits 2:1 and 8:5 low, and everything from MAXPHYADDR up. */
export const RESERVED_PDPTE_LOW = 0x1e6;
export const RESERVED_PDPTE_HIGH = ~ADDRESS_HIGH;

/** Kinds of paging structure, from the root. */
export type StructureName = 'PML5E' | 'PML4E' | 'PDPTE' | 'PDE' | 'PTE';

/** What a page is made of. The numbers are the TLB's code for it. */
export const PAGE_SIZES = ['4 KiB', '2 MiB', '1 GiB', '4 MiB'] as const;
export const PAGE_SHIFTS = [12, 21, 30, 22] as const;
export const SIZE_4K = 0, SIZE_2M = 1, SIZE_1G = 2, SIZE_4M = 3;
export type PageSizeCode = 0 | 1 | 2 | 3;

/** Bits that must be 0 in the low half of an entry that maps a page of this size (the address bits below the page, PAT apart). */
export const RESERVED_LOW_LEAF = [
  0,
  0x001f_e000,
  0x3fff_e000,
  // PSE-36: bits 20:13 are physical-address bits 39:32, so with MAXPHYADDR 40 only bit 21 remains.
  0x0020_0000,
] as const;

/** The same for 4-MByte pages without PSE-36: bits 21:13. */
export const RESERVED_WITHOUT_PSE36 = 0x003f_e000;

/** Names of the bits that are set in an entry, from bit 0 up, `maps` telling leaf entries (D, PAT, G) from those that reference a structure. */
export function entryBitNames(structure: StructureName, low: number, high: number, maps: boolean): string[] {
  const names: string[] = [];
  const say = (bit: number, name: string): void => { if ((low & bit) !== 0) names.push(name); };
  say(ENTRY.P, 'P');
  say(ENTRY.RW, 'R/W');
  say(ENTRY.US, 'U/S');
  say(ENTRY.PWT, 'PWT');
  say(ENTRY.PCD, 'PCD');
  say(ENTRY.A, 'A');
  if (maps) say(ENTRY.D, 'D');
  say(ENTRY.PS, structure === 'PTE' ? 'PAT' : 'PS');
  if (maps) say(ENTRY.G, 'G');
  if (maps && structure !== 'PTE') say(ENTRY.PAT_LARGE, 'PAT');
  if ((high & ENTRY_HIGH_XD) !== 0) names.push('XD');
  return names;
}
