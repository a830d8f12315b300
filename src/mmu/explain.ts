/** The debugger's page walk: every level, every right, every verdict, and nothing changed. */
import type { GuestState } from '../state/guest-state.ts';
import { isCanonical, type LinearAddress, type PhysicalAddress } from '../state/addresses.ts';
import type { AccessKind } from './access.ts';
import { RFLAGS_AC } from './control-bits.ts';
import { KEY_RIGHTS, Translation, denial, faultErrorCode, keyRightsOf, walk, type Denial, type PageRights } from './page-walk.ts';
import { ADDRESS_HIGH, PAGE_SHIFTS, PAGE_SIZES, entryBitNames, type StructureName } from './paging-entries.ts';
import { ALL_PAGING_FEATURES, PagingControls, isLongPaging, type PagingMode } from './paging-mode.ts';
import type { PhysicalMemory } from './physical-memory.ts';
import type { TlbEntry } from './tlb.ts';

/** One entry of the walk. */
export interface WalkLevel {
  readonly structure: StructureName;
  readonly index: number;
  /** Where the entry lies; undefined for a PDPTE register of PAE paging. */
  readonly entryAddress: PhysicalAddress | undefined;
  /** The entry: 64 bits, or 32 with 32-bit paging. */
  readonly value: bigint;
  /** Names of the bits that are set, as the manual prints them. */
  readonly bits: readonly string[];
  /** Whether it maps a page, rather than referencing the next structure. */
  readonly maps: boolean;
  /** The physical-address field: the next structure or the page. */
  readonly target: PhysicalAddress;
}

/** Whether one kind of access would fault, and why. */
export interface Verdict {
  readonly access: AccessKind;
  readonly privilege: 'user' | 'supervisor';
  /** Undefined: allowed. An address that is not canonical is never walked for: it is #GP(0), or #SS(0) through SS. */
  readonly denial: Denial | 'not canonical' | undefined;
  /** The error code that the exception would push; undefined when allowed. */
  readonly errorCode: number | undefined;
}

export interface ProtectionKey { readonly number: number; readonly accessDisable: boolean; readonly writeDisable: boolean }

/** A whole walk. */
export interface WalkExplanation {
  readonly address: LinearAddress;
  readonly mode: PagingMode;
  readonly levels: readonly WalkLevel[];
  readonly outcome: 'mapped' | 'not present' | 'reserved bit' | 'not canonical';
  /** Where paging leads, before the A20 gate; undefined unless mapped. */
  readonly physicalAddress: PhysicalAddress | undefined;
  /** Combined over all levels; undefined unless mapped. */
  readonly rights: (PageRights & { readonly global: boolean; readonly dirty: boolean }) | undefined;
  /** The protection key that the page is under, and what PKRU says of it; undefined for supervisor pages, without CR4.PKE and outside IA-32e mode. */
  readonly key: ProtectionKey | undefined;
  readonly pageSize: (typeof PAGE_SIZES)[number] | undefined;
  /** Read, write, fetch for supervisor then user, with RFLAGS.AC as it is now. */
  readonly verdicts: readonly Verdict[];
}

/** Walks without changing anything; device registers are never read. `cr3` replaces the root, but for PAE paging. */
export function explainWalk(state: GuestState, memory: PhysicalMemory, address: LinearAddress, cr3?: bigint, features = ALL_PAGING_FEATURES): WalkExplanation {
  const controls = new PagingControls(features).read(state);
  if (cr3 !== undefined) controls.rootFrame = Number((cr3 >> 12n) & (isLongPaging(controls.mode) ? 0xfff_ffffn : 0xf_ffffn));
  const low = Number(address & 0xffff_ffffn), high = Number(address >> 32n);
  const levels: WalkLevel[] = [];
  const translation = new Translation();
  const isWalked = !isLongPaging(controls.mode) || isCanonical(address, controls.mode === '5-level' ? 57 : 48);
  if (isWalked) walk(controls, { read32: (at) => memory.peek32(memory.throughA20(at)), setFlags: () => {} }, low, high, translation, (structure, index, entryAddress, entryLow, entryHigh, maps) => {
    const frame = ((entryHigh & ADDRESS_HIGH) << 20) | (entryLow >>> 12);
    const pageFrames = maps ? 2 ** (PAGE_SHIFTS[sizeOf(structure, controls.mode)] - 12) : 1;
    levels.push({
      structure,
      index,
      entryAddress: entryAddress as PhysicalAddress | undefined,
      value: (BigInt(entryHigh >>> 0) << 32n) | BigInt(entryLow >>> 0),
      bits: entryBitNames(structure, entryLow, entryHigh, maps),
      maps,
      target: ((structure === 'PDE' && maps && controls.mode === '32-bit'
        ? (((entryLow >>> 13) & 0xff) << 20) | ((entryLow >>> 12) & ~0x3ff)
        : frame - (frame % pageFrames)) * 4096) as PhysicalAddress,
    });
  });
  const outcome = isWalked ? translation.outcome : 'not canonical', mapped = outcome === 'mapped';
  const verdicts: Verdict[] = [];
  const alignmentCheck = (state.systemFlags & RFLAGS_AC) !== 0;
  for (const privilege of ['supervisor', 'user'] as const) {
    for (const access of ['read', 'write', 'fetch'] as const) {
      const why = outcome === 'mapped' ? denial(translation, controls, access, privilege, alignmentCheck) : outcome;
      verdicts.push({ access, privilege, denial: why, errorCode: why === undefined ? undefined : why === 'not canonical' ? 0 : faultErrorCode(why, translation, controls, access, privilege) });
    }
  }
  const { writable, user, executeDisable, protectionKey, global, dirty } = translation;
  const keyRights = keyRightsOf(controls.keyRights, protectionKey);
  return {
    address,
    mode: controls.mode,
    levels,
    outcome,
    physicalAddress: mapped ? (translation.frame * 4096 + (low & 0xfff)) as PhysicalAddress : undefined,
    rights: mapped ? { writable, user, executeDisable, protectionKey, global, dirty } : undefined,
    key: mapped && user && controls.protectionKeys
      ? { number: protectionKey, accessDisable: (keyRights & KEY_RIGHTS.accessDisable) !== 0, writeDisable: (keyRights & KEY_RIGHTS.writeDisable) !== 0 }
      : undefined,
    pageSize: mapped ? PAGE_SIZES[translation.pageSize] : undefined,
    verdicts,
  };
}

const sizeOf = (structure: StructureName, mode: PagingMode): 0 | 1 | 2 | 3 =>
  structure === 'PDPTE' ? 2 : structure === 'PDE' ? (mode === '32-bit' ? 3 : 1) : 0;

/** How a cached translation differs from what the paging structures say now: empty when it is fresh. */
export function staleness(entry: TlbEntry, now: WalkExplanation): string[] {
  if (now.outcome !== 'mapped') return [`the paging structures now say ${now.outcome}`];
  const differences: string[] = [];
  const frame = Math.floor(now.physicalAddress! / 4096);
  if (frame !== entry.frame) differences.push(`frame 0x${entry.frame.toString(16)} cached, 0x${frame.toString(16)} in the paging structures`);
  const { writable, user, executeDisable } = now.rights!;
  if (writable !== entry.writable) differences.push(`${entry.writable ? 'writable' : 'read-only'} cached, ${writable ? 'writable' : 'read-only'} in the paging structures`);
  if (user !== entry.user) differences.push(`${entry.user ? 'user' : 'supervisor'} page cached, ${user ? 'user' : 'supervisor'} page in the paging structures`);
  if (executeDisable !== entry.executeDisable) differences.push(`${entry.executeDisable ? 'execute-disable' : 'executable'} cached, ${executeDisable ? 'execute-disable' : 'executable'} in the paging structures`);
  if (now.key !== undefined && now.key.number !== entry.protectionKey) differences.push(`protection key ${entry.protectionKey} cached, ${now.key.number} in the paging structures`);
  return differences;
}
