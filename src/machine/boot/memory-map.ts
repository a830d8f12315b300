/** The memory map that the boot protocols hand to the guest: what QEMU's i440fx machine (SeaBIOS) reports, so that a kernel sees the same machine here and there. */

/** One range, as E820 has it: type 1 is RAM the guest may use, 2 is reserved. */
export interface MemoryRange { readonly base: number; readonly bytes: number; readonly type: 1 | 2 }

/** First byte of conventional memory that the (absent) firmware keeps for itself. */
export const EBDA = 0x9_fc00;
/** Firmware tables sit in the last 128 KiB of RAM below 4 GiB. */
const FIRMWARE_TABLES = 0x2_0000;
/** The smallest machine whose map still has RAM above 1 MiB, in bytes. */
export const MIN_MEMORY_BYTES = 2 << 20;

/** @param ramBytes RAM of the machine, all of it below 4 GiB. */
export function memoryMap(ramBytes: number): readonly MemoryRange[] {
  const top = ramBytes - FIRMWARE_TABLES;
  return [
    { base: 0, bytes: EBDA, type: 1 },
    { base: EBDA, bytes: 0xa_0000 - EBDA, type: 2 },
    { base: 0xf_0000, bytes: 0x1_0000, type: 2 },
    { base: 0x10_0000, bytes: top - 0x10_0000, type: 1 },
    { base: top, bytes: FIRMWARE_TABLES, type: 2 },
    { base: 0xfffc_0000, bytes: 0x4_0000, type: 2 },
  ];
}
