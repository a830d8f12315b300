/** An address after segmentation, before paging: 64 bits. SDM Vol. 3A, "Linear Address Space". */
export type LinearAddress = bigint & { readonly __address: 'linear' };

/** An address on the memory bus: up to 52 bits, so a JavaScript number holds it exactly. */
export type PhysicalAddress = number & { readonly __address: 'physical' };

/** Brands a 64-bit value as a linear address; bits above 63 are dropped. */
export const linear = (value: bigint): LinearAddress => BigInt.asUintN(64, value) as LinearAddress;

/** Brands a number as a physical address. */
export const physical = (value: number): PhysicalAddress => value as PhysicalAddress;

/** Page and frame size of the smallest mapping, in bytes. */
export const PAGE_SIZE = 4096;
