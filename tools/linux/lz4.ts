/**
 * Decodes LZ4's legacy frame, which Linux kernels are compressed with: the magic number, then blocks of {compressed
 * size, LZ4 block}. "LZ4 Frame Format Description", "Legacy frame"; "LZ4 Block Format Description".
 */

const MAGIC = 0x184c_2102;
/** Every block but the last holds this much, in bytes. */
const BLOCK_BYTES = 8 << 20;
const MIN_MATCH = 4;

/** Whether the bytes begin with the magic number of the legacy frame. */
export const isLegacyLz4 = (bytes: Uint8Array): boolean => bytes.length >= 4 && viewOf(bytes).getUint32(0, true) === MAGIC;

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Decodes a frame of `size` bytes in all. What follows its last block is ignored. Throws Error where it is damaged. */
export function decodeLegacyLz4(frame: Uint8Array, size: number): Uint8Array {
  const view = viewOf(frame);
  if (!isLegacyLz4(frame)) throw new Error('LZ4: the magic number of the legacy frame is missing');
  const out = new Uint8Array(size);
  let done = 0;
  for (let at = 4; done < size;) {
    if (at + 4 > frame.length) throw new Error(`LZ4: the frame ends after ${done} of ${size} bytes`);
    const compressed = view.getUint32(at, true);
    if (at + 4 + compressed > frame.length) throw new Error(`LZ4: a block of ${compressed} bytes at ${at} exceeds the frame`);
    done += decodeBlock(frame.subarray(at + 4, at + 4 + compressed), out.subarray(done, Math.min(done + BLOCK_BYTES, size)));
    at += 4 + compressed;
  }
  return out;
}

/** Decodes one block into `out`; returns how many bytes it gave. */
function decodeBlock(block: Uint8Array, out: Uint8Array): number {
  let at = 0, done = 0;
  const byte = (): number => {
    const value = block[at++];
    if (value === undefined) throw new Error('LZ4: the block ends within a sequence');
    return value;
  };
  /** A length of four bits, 15 meaning that more bytes follow, until one is not 255. */
  const length = (nibble: number): number => {
    let sum = nibble;
    if (nibble === 15) for (let more = 255; more === 255;) sum += more = byte();
    return sum;
  };
  while (at < block.length) {
    const token = byte();
    const literals = length(token >> 4);
    if (at + literals > block.length || done + literals > out.length) throw new Error('LZ4: literals exceed the block');
    out.set(block.subarray(at, at + literals), done);
    at += literals;
    done += literals;
    if (at === block.length) return done; // the last sequence has no match
    const offset = byte() | byte() << 8;
    const match = length(token & 15) + MIN_MATCH;
    if (offset === 0 || offset > done || done + match > out.length) throw new Error('LZ4: a match lies outside the block');
    // The match may overlap what it makes, so bytes are copied one by one.
    for (let n = 0; n < match; n++, done++) out[done] = out[done - offset]!;
  }
  return done;
}
