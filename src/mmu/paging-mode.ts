/** The registers that govern paging, gathered from the guest's state for one walk. SDM Vol. 3A, "Paging Modes and Control Bits". */
import { OFFSET } from '../state/layout.ts';
import type { GuestState } from '../state/guest-state.ts';
import { CR0, CR4, EFER } from './control-bits.ts';
import { ADDRESS_HIGH, RESERVED_PDPTE_HIGH, RESERVED_PDPTE_LOW } from './paging-entries.ts';

export type PagingMode = 'none' | '32-bit' | 'PAE' | '4-level' | '5-level';
/** Numbers of the modes that generated code knows (src/cpu/engines/fast/paging-code.ts). */
export const PLAIN_PAGING = { fourLevels: 1, twoLevels: 2 } as const;
/** Paging of IA-32e mode. */
export const isLongPaging = (mode: PagingMode): boolean => mode === '4-level' || mode === '5-level';

const CR0_AT = OFFSET.cr0 / 4, CR4_AT = OFFSET.cr4 / 4, EFER_AT = OFFSET.efer / 4, CR3_AT = OFFSET.cr3 / 4, PDPTE_AT = OFFSET.pdpte / 4, PKRU_AT = OFFSET.pkru / 4;

/** The paging mode that CR0.PG, CR4.PAE, CR4.LA57 and IA32_EFER.LMA select. */
export function pagingMode(state: GuestState): PagingMode {
  if ((state.u32[CR0_AT]! & CR0.PG) === 0) return 'none';
  if ((state.u32[EFER_AT]! & EFER.LMA) !== 0) return (state.u32[CR4_AT]! & CR4.LA57) !== 0 ? '5-level' : '4-level';
  return (state.u32[CR4_AT]! & CR4.PAE) !== 0 ? 'PAE' : '32-bit';
}

/** The PCID in effect: CR3 bits 11:0 when CR4.PCIDE is set, otherwise 0. */
export function currentPcid(state: GuestState): number {
  return (state.u32[CR4_AT]! & CR4.PCIDE) !== 0 ? state.u32[CR3_AT]! & 0xfff : 0;
}

/** What a processor can do besides the paging that all have: 1-GByte pages; 4-MByte pages beyond 4 GiB; the page attribute table. Without it the bits are reserved. */
export interface PagingFeatures { readonly pdpe1gb: boolean; readonly pse36: boolean; readonly pat: boolean }
export const ALL_PAGING_FEATURES: PagingFeatures = { pdpe1gb: true, pse36: true, pat: true };

/** What a walk and its permission checks need to know. Reused: `read` refreshes it. */
export class PagingControls {
  readonly features: PagingFeatures;
  mode: PagingMode = 'none';
  /** CR0.WP: supervisor writes obey R/W. */
  writeProtect = false;
  /** IA32_EFER.NXE in a mode that has XD. */
  executeDisable = false;
  smep = false;
  smap = false;
  /** CR4.PKE in 4-level and 5-level paging: user pages have protection keys. */
  protectionKeys = false;
  /** PKRU where there are keys, otherwise 0. */
  keyRights = 0;
  /** CR4.PGE: G is obeyed. */
  globalPages = false;
  /** CR4.PSE: 4 MiB pages in 32-bit paging. */
  pageSizeExtensions = false;
  /** Frame number of the root structure. */
  rootFrame = 0;
  /** The PDPTE registers: low and high halves of four entries. */
  readonly pdpte = new Uint32Array(8);

  /** The registers that the fields were derived from. */
  #cr0 = -1;
  #cr4 = -1;
  #efer = -1;
  #pkru = -1;
  #cr3Low = -1;
  #cr3High = -1;

  constructor(features: PagingFeatures) { this.features = features; }

  read(state: GuestState): this {
    const words = state.u32;
    const cr0 = words[CR0_AT]!, cr4 = words[CR4_AT]!, efer = words[EFER_AT]!, cr3Low = words[CR3_AT]!, cr3High = words[CR3_AT + 1]!, pkru = words[PKRU_AT]!;
    const known = cr0 === this.#cr0 && cr4 === this.#cr4 && efer === this.#efer && cr3Low === this.#cr3Low && cr3High === this.#cr3High && pkru === this.#pkru;
    if (known && this.mode !== 'PAE') return this;
    this.#cr0 = cr0;
    this.#cr4 = cr4;
    this.#efer = efer;
    this.#cr3Low = cr3Low;
    this.#cr3High = cr3High;
    this.#pkru = pkru;
    this.mode = pagingMode(state);
    this.writeProtect = (cr0 & CR0.WP) !== 0;
    this.executeDisable = (efer & EFER.NXE) !== 0 && this.mode !== '32-bit';
    this.smep = (cr4 & CR4.SMEP) !== 0;
    this.smap = (cr4 & CR4.SMAP) !== 0;
    this.protectionKeys = (cr4 & CR4.PKE) !== 0 && isLongPaging(this.mode);
    this.keyRights = this.protectionKeys ? pkru : 0;
    this.globalPages = (cr4 & CR4.PGE) !== 0;
    this.pageSizeExtensions = (cr4 & CR4.PSE) !== 0;
    this.rootFrame = (cr3Low >>> 12) | (isLongPaging(this.mode) ? (cr3High & ADDRESS_HIGH) << 20 : 0);
    if (this.mode === 'PAE') for (let i = 0; i < 8; i++) this.pdpte[i] = words[PDPTE_AT + i]!;
    return this;
  }
}

/**
 * Loads the PDPTE registers from the 32-byte table that `cr3` (bits 31:5) points at, as MOV to CR3 does with PAE paging.
 * Returns false and changes nothing when a present entry has a reserved bit set: the instruction then raises #GP(0).
 * SDM Vol. 3A, "PDPTE Registers".
 */
export function loadPdpteRegisters(state: GuestState, cr3Low: number, read32: (address: number) => number): boolean {
  const table = (cr3Low & ~0x1f) >>> 0;
  const loaded = new Uint32Array(8);
  for (let i = 0; i < 8; i++) loaded[i] = read32(table + 4 * i);
  for (let i = 0; i < 8; i += 2) {
    const low = loaded[i]!, high = loaded[i + 1]!;
    if ((low & 1) !== 0 && ((low & RESERVED_PDPTE_LOW) !== 0 || (high & RESERVED_PDPTE_HIGH) !== 0)) return false;
  }
  state.u32.set(loaded, PDPTE_AT);
  return true;
}
