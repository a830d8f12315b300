/** An address after segmentation, before paging: 64 bits. SDM Vol. 3A, "Linear Address Space". */
export type LinearAddress = bigint & { readonly __address: 'linear' };

/** An address on the memory bus: up to 52 bits, so a JavaScript number holds it exactly. */
export type PhysicalAddress = number & { readonly __address: 'physical' };

/** Brands a 64-bit value as a linear address; bits above 63 are dropped. */
export const linear = (value: bigint): LinearAddress => BigInt.asUintN(64, value) as LinearAddress;

/** Bits of a linear address in 64-bit mode: 57 with 5-level paging. */
export type LinearWidth = 48 | 57;
const LAST_LOW = { 48: 0x7fff_ffff_ffffn, 57: 0xff_ffff_ffff_ffffn } as const;
const FIRST_HIGH = { 48: 0xffff_8000_0000_0000n, 57: 0xff00_0000_0000_0000n } as const;

/**
 * Bits 63:47 are equal, of 57-bit addresses bits 63:56. Accesses and RIP have the width of the paging mode, `cpu.linearWidth`; the bases and
 * addresses that registers keep, and those of INVLPG and INVPCID, the widest of the processor, `cpu.widestLinear`. SDM Vol. 1, "Canonical Addressing".
 */
export const isCanonical = (address: bigint, width: LinearWidth): boolean => address <= LAST_LOW[width] || address >= FIRST_HIGH[width];

/** The same of an address of which these are bits 63:32. */
export const isCanonicalHigh = (high: number, width: LinearWidth): boolean =>
  width === 48 ? high >>> 15 === 0 || high >>> 15 === 0x1_ffff : high >>> 24 === 0 || high >>> 24 === 0xff;

/** Whether an access of `bytes` bytes at a 64-bit address, in halves, touches only canonical addresses. It may go around from the last address to the first. */
export const isCanonicalAccess = (low: number, high: number, bytes: number, width: LinearWidth): boolean =>
  isCanonicalHigh(high, width) && (low + bytes <= 2 ** 32 || isCanonicalHigh(high + 1, width));

/** Brands a number as a physical address. */
export const physical = (value: number): PhysicalAddress => value as PhysicalAddress;

/** Page and frame size of the smallest mapping, in bytes. */
export const PAGE_SIZE = 4096;
