/** The attributes word of a TLB entry: what the paging structures said of the page. */
import { PAGE_SHIFTS, type PageSizeCode } from './paging-entries.ts';
import type { PageRights, Translation } from './page-walk.ts';

/** Bits 9:8 are the page size (PAGE_SIZES), bits 15:12 the protection key. */
export const TLB_ATTRIBUTE = { valid: 1, writable: 2, user: 4, executeDisable: 8, dirty: 16, global: 32, unpaged: 64, sizeShift: 8, keyShift: 12 } as const;
const A = TLB_ATTRIBUTE;
export const SIZE_MASK = 3 << A.sizeShift;
export const KNOWN_ATTRIBUTES = A.valid | A.writable | A.user | A.executeDisable | A.dirty | A.global | A.unpaged | SIZE_MASK | (15 << A.keyShift);

/** The word for where a walk arrived. `unpaged`: paging was off. */
export const attributesOf = (translation: Translation, unpaged: boolean): number => A.valid
  | (translation.writable ? A.writable : 0)
  | (translation.user ? A.user : 0)
  | (translation.executeDisable ? A.executeDisable : 0)
  | (translation.dirty ? A.dirty : 0)
  | (translation.global ? A.global : 0)
  | (unpaged ? A.unpaged : 0)
  | (translation.pageSize << A.sizeShift)
  | (translation.protectionKey << A.keyShift);

/** Base-2 logarithm of the page's size in bytes. */
export const pageShiftOf = (attributes: number): number => PAGE_SHIFTS[pageSizeOf(attributes)];
export const pageSizeOf = (attributes: number): PageSizeCode => ((attributes & SIZE_MASK) >>> A.sizeShift) as PageSizeCode;
export const protectionKeyOf = (attributes: number): number => (attributes >>> A.keyShift) & 15;

const rights = { writable: false, user: false, executeDisable: false, protectionKey: 0 };
/** The rights of a page. Reused: valid until the next call. */
export function rightsOf(attributes: number): PageRights {
  rights.writable = (attributes & A.writable) !== 0;
  rights.user = (attributes & A.user) !== 0;
  rights.executeDisable = (attributes & A.executeDisable) !== 0;
  rights.protectionKey = protectionKeyOf(attributes);
  return rights;
}
