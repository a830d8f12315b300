/**
 * Takes the ELF file out of a bzImage. Knows the lz4 payload of Debian's cloud kernels.
 * Linux, "The Linux/x86 Boot Protocol" (Documentation/arch/x86/boot.rst): payload_offset, payload_length.
 */
import { decodeLegacyLz4, isLegacyLz4 } from './lz4.ts';

const SECTOR = 512, SETUP_SECTORS = 0x1f1, MAGIC_AT = 0x202, MAGIC = 0x5372_6448, PAYLOAD_OFFSET = 0x248, PAYLOAD_LENGTH = 0x24c;

/** What a bzImage unpacks when it starts. Throws Error for a file that is no bzImage. */
function payloadOf(bzImage: Uint8Array): Uint8Array {
  const view = new DataView(bzImage.buffer, bzImage.byteOffset, bzImage.byteLength);
  if (bzImage.length < 0x260 || view.getUint32(MAGIC_AT, true) !== MAGIC) throw new Error('not a bzImage: the magic number HdrS is missing at 0x202');
  const start = (view.getUint8(SETUP_SECTORS) + 1) * SECTOR + view.getUint32(PAYLOAD_OFFSET, true);
  return bzImage.subarray(start, start + view.getUint32(PAYLOAD_LENGTH, true));
}

/** Whether extractVmlinux can unpack this bzImage. */
export const hasLz4Payload = (bzImage: Uint8Array): boolean => isLegacyLz4(payloadOf(bzImage));

/** The kernel's ELF file. Throws Error for a file that is no bzImage or has another compression. */
export function extractVmlinux(bzImage: Uint8Array): Uint8Array {
  const payload = payloadOf(bzImage);
  if (!isLegacyLz4(payload)) throw new Error('the payload is not compressed with lz4: take a cloud kernel of Debian');
  // The build appends the size of what was compressed.
  const size = new DataView(payload.buffer, payload.byteOffset, payload.byteLength).getUint32(payload.length - 4, true);
  return decodeLegacyLz4(payload.subarray(0, payload.length - 4), size);
}
