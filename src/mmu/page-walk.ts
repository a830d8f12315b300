/**
 * The page walk, written once: the processor's walk sets accessed and dirty flags through its `PagingStructures`, the
 * debugger's changes nothing and is shown every entry. It works on 32-bit halves, because it is on the path of every TLB miss.
 * SDM Vol. 3A, "Hierarchical Paging Structures: an Overview", "Determination of Access Rights", "Accessed and Dirty Flags".
 */
import type { AccessKind, Privilege } from './access.ts';
import { PF_ERROR } from './page-fault.ts';
import {
  ADDRESS_HIGH, ENTRY, ENTRY_HIGH_XD, PROTECTION_KEY_SHIFT, RESERVED_HIGH_LONG, RESERVED_HIGH_PAE, RESERVED_LOW_LEAF, RESERVED_WITHOUT_PSE36, SIZE_1G, SIZE_2M, SIZE_4K, SIZE_4M,
  type PageSizeCode, type StructureName,
} from './paging-entries.ts';
import { isLongPaging, type PagingControls } from './paging-mode.ts';

/** How a walk reads the paging structures, and whether it leaves accessed and dirty flags behind. */
export interface PagingStructures {
  /** The 4 bytes at a physical address. */
  read32(address: number): number;
  /** Sets A, or A and D, in the low half of the entry at a physical address. A debugger's reader does nothing. */
  setFlags(address: number, low: number, flags: number): void;
}

/** Called with every entry the walk uses, in order. `address` is undefined for a PDPTE register. */
export type EntryVisitor = (structure: StructureName, index: number, address: number | undefined, low: number, high: number, maps: boolean) => void;

/** Why paging refuses an access. */
export type Denial = 'not present' | 'reserved bit' | 'supervisor page' | 'read-only page' | 'execute-disable' | 'SMEP' | 'SMAP' | 'protection key';

/** Where a walk arrived. Reused from walk to walk. */
export class Translation {
  outcome: 'mapped' | 'not present' | 'reserved bit' = 'not present';
  /** Frame number (physical address >> 12) of the 4 KiB that hold the linear address. */
  frame = 0;
  pageSize: PageSizeCode = SIZE_4K;
  /** R/W, U/S of all entries ANDed, XD of all entries ORed. */
  writable = false;
  user = false;
  executeDisable = false;
  /** Bits 62:59 of the leaf in IA-32e mode, whether or not CR4.PKE makes them a protection key. */
  protectionKey = 0;
  /** The leaf's D as it was before the access. */
  dirty = false;
  /** The leaf's G, obeyed only with CR4.PGE. */
  global = false;
  /** Physical address and low half of the leaf entry. */
  leafAddress = 0;
  leafLow = 0;
}

/**
 * Follows the paging structures for a linear address given as halves, and fills `out`. Sets A in every entry that
 * references another structure as the walk passes it; the leaf's A and D belong to the access that is then allowed:
 * `commitFlags`. (The manual requires A in every entry used for a translation; for entries of a walk that fails, this
 * is what QEMU does too.) With paging off nothing is read and the address maps itself.
 */
export function walk(controls: PagingControls, structures: PagingStructures, low: number, high: number, out: Translation, visit?: EntryVisitor): void {
  const { mode } = controls;
  out.pageSize = SIZE_4K;
  out.writable = true;
  out.user = true;
  out.executeDisable = false;
  out.protectionKey = 0;
  out.dirty = true;
  out.global = false;
  if (mode === 'none') {
    out.outcome = 'mapped';
    out.frame = low >>> 12;
    out.leafLow = ENTRY.A | ENTRY.D;
    return;
  }
  const wide = mode !== '32-bit';
  let reservedHigh = isLongPaging(mode) ? RESERVED_HIGH_LONG : mode === 'PAE' ? RESERVED_HIGH_PAE : 0;
  if (wide && !controls.executeDisable) reservedHigh |= ENTRY_HIGH_XD;

  let level = mode === '5-level' ? 5 : mode === '4-level' ? 4 : 2;
  let frame = controls.rootFrame;
  if (mode === 'PAE') {
    const index = low >>> 30;
    const entryLow = controls.pdpte[2 * index]!, entryHigh = controls.pdpte[2 * index + 1]!;
    visit?.('PDPTE', index, undefined, entryLow, entryHigh, false);
    if ((entryLow & ENTRY.P) === 0) {
      out.outcome = 'not present';
      return;
    }
    frame = frameOf(entryLow, entryHigh);
  }

  for (;;) {
    const index = indexOf(level, wide, low, high);
    const address = frame * 4096 + index * (wide ? 8 : 4);
    const entryLow = structures.read32(address);
    const entryHigh = wide ? structures.read32(address + 4) : 0;
    const maps = level === 1 || ((entryLow & ENTRY.PS) !== 0 && mapsLarge(level) && (wide || controls.pageSizeExtensions));
    visit?.(STRUCTURES[level]!, index, address, entryLow, entryHigh, maps);
    if ((entryLow & ENTRY.P) === 0) {
      out.outcome = 'not present';
      return;
    }
    const size: PageSizeCode = !maps || level === 1 ? SIZE_4K : level === 3 ? SIZE_1G : wide ? SIZE_2M : SIZE_4M;
    const reservedLow = !mapsLarge(level) ? ENTRY.PS : maps ? reservedInLeaf(size, controls) : 0;
    if ((entryHigh & reservedHigh) !== 0 || (entryLow & reservedLow) !== 0) {
      out.outcome = 'reserved bit';
      return;
    }
    if ((entryLow & ENTRY.RW) === 0) out.writable = false;
    if ((entryLow & ENTRY.US) === 0) out.user = false;
    if ((entryHigh & ENTRY_HIGH_XD) !== 0) out.executeDisable = true;
    if (maps) {
      out.outcome = 'mapped';
      out.pageSize = size;
      out.frame = pageFrame(size, entryLow, entryHigh, low);
      if (isLongPaging(mode)) out.protectionKey = (entryHigh >>> PROTECTION_KEY_SHIFT) & 15;
      out.dirty = (entryLow & ENTRY.D) !== 0;
      out.global = controls.globalPages && (entryLow & ENTRY.G) !== 0;
      out.leafAddress = address;
      out.leafLow = entryLow;
      return;
    }
    if ((entryLow & ENTRY.A) === 0) structures.setFlags(address, entryLow, ENTRY.A);
    frame = wide ? frameOf(entryLow, entryHigh) : entryLow >>> 12;
    level--;
  }
}

/** Sets A, and for a write D, in the leaf of a translation whose access was allowed. */
export function commitFlags(structures: PagingStructures, translation: Translation, access: AccessKind): void {
  const flags = access === 'write' ? ENTRY.A | ENTRY.D : ENTRY.A;
  if ((translation.leafLow & flags) === flags) return;
  structures.setFlags(translation.leafAddress, translation.leafLow, flags);
  translation.leafLow |= flags;
  if (access === 'write') translation.dirty = true;
}

/** Bits that must be 0 in the low half of an entry that maps a page. With 32-bit paging there are none without CR4.PSE; with 4-level paging processors have the PAT. */
function reservedInLeaf(size: PageSizeCode, { features, mode, pageSizeExtensions }: PagingControls): number {
  if (size === SIZE_1G && !features.pdpe1gb) return ENTRY.PS;
  const reserved = size === SIZE_4M && !features.pse36 ? RESERVED_WITHOUT_PSE36 : RESERVED_LOW_LEAF[size];
  return features.pat || isLongPaging(mode) || (mode === '32-bit' && !pageSizeExtensions) ? reserved : reserved | (size === SIZE_4K ? ENTRY.PAT_PTE : ENTRY.PAT_LARGE);
}

/** The entries of each level: 1 is that of page tables. */
const STRUCTURES: readonly StructureName[] = ['PTE', 'PTE', 'PDE', 'PDPTE', 'PML4E', 'PML5E'];
/** With PS set, an entry of this level maps a page, or would if the processor had such pages; in the others PS is reserved. */
const mapsLarge = (level: number): boolean => level <= 3;

const frameOf = (low: number, high: number): number => ((high & ADDRESS_HIGH) << 20) | (low >>> 12);

function indexOf(level: number, wide: boolean, low: number, high: number): number {
  if (!wide) return level === 2 ? low >>> 22 : (low >>> 12) & 0x3ff;
  switch (level) {
    case 5: return (high >>> 16) & 0x1ff;
    case 4: return (high >>> 7) & 0x1ff;
    case 3: return ((high << 2) | (low >>> 30)) & 0x1ff;
    case 2: return (low >>> 21) & 0x1ff;
    default: return (low >>> 12) & 0x1ff;
  }
}

/** The 4 KiB frame within the page that a leaf maps. */
function pageFrame(size: PageSizeCode, entryLow: number, entryHigh: number, low: number): number {
  switch (size) {
    case SIZE_4K: return frameOf(entryLow, entryHigh);
    case SIZE_2M: return (frameOf(entryLow, entryHigh) & ~0x1ff) | ((low >>> 12) & 0x1ff);
    case SIZE_1G: return (frameOf(entryLow, entryHigh) & ~0x3_ffff) | ((low >>> 12) & 0x3_ffff);
    // PSE-36: bits 20:13 of the entry are physical-address bits 39:32.
    case SIZE_4M: return (((entryLow >>> 13) & 0xff) << 20) | ((entryLow >>> 12) & ~0x3ff) | ((low >>> 12) & 0x3ff);
  }
}

/** The rights of a page, as the paging structures combine them, and its protection key. */
export interface PageRights { readonly writable: boolean; readonly user: boolean; readonly executeDisable: boolean; readonly protectionKey: number }

/** PKRU's two bits for a key: AD and WD. */
export const KEY_RIGHTS = { accessDisable: 1, writeDisable: 2 } as const;
export const keyRightsOf = (pkru: number, key: number): number => (pkru >>> (2 * key)) & 3;

/** Whether PKRU forbids an access to the page by its key: a data access to a user page. SDM Vol. 3A, "Protection Keys". */
function keyForbids({ user, protectionKey }: PageRights, { keyRights, writeProtect }: PagingControls, access: AccessKind, privilege: Privilege): boolean {
  if (keyRights === 0 || !user || access === 'fetch') return false;
  const rights = keyRightsOf(keyRights, protectionKey);
  return (rights & KEY_RIGHTS.accessDisable) !== 0 || ((rights & KEY_RIGHTS.writeDisable) !== 0 && access === 'write' && (privilege === 'user' || writeProtect));
}

/**
 * Why an access to a mapped page is refused, or undefined. `alignmentCheck` is RFLAGS.AC, which exempts explicit
 * supervisor accesses from SMAP. SDM Vol. 3A, "Determination of Access Rights".
 */
export function denial(rights: PageRights, controls: PagingControls, access: AccessKind, privilege: Privilege, alignmentCheck: boolean): Denial | undefined {
  if (controls.mode === 'none') return undefined;
  if (privilege === 'user') {
    if (!rights.user) return 'supervisor page';
  } else if (rights.user) {
    if (access === 'fetch') {
      if (controls.smep) return 'SMEP';
    } else if (controls.smap && (privilege === 'implicit-supervisor' || !alignmentCheck)) {
      return 'SMAP';
    }
  }
  if (access === 'fetch') return rights.executeDisable ? 'execute-disable' : undefined;
  if (access === 'write' && !rights.writable && (privilege === 'user' || controls.writeProtect)) return 'read-only page';
  return keyForbids(rights, controls, access, privilege) ? 'protection key' : undefined;
}

/** The error code of the page fault. PK tells that the key forbids the access, whatever else does. SDM Vol. 3A, "Page-Fault Exceptions". */
export function faultErrorCode(why: Denial, rights: PageRights, controls: PagingControls, access: AccessKind, privilege: Privilege): number {
  return (why === 'not present' ? 0 : PF_ERROR.P)
    | (why !== 'not present' && why !== 'reserved bit' && keyForbids(rights, controls, access, privilege) ? PF_ERROR.PK : 0)
    | (access === 'write' ? PF_ERROR.W : 0)
    | (privilege === 'user' ? PF_ERROR.U : 0)
    | (why === 'reserved bit' ? PF_ERROR.RSVD : 0)
    | (access === 'fetch' && (controls.smep || controls.executeDisable) ? PF_ERROR.I : 0);
}
