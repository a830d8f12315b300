/**
 * A file of ours: magic, version, length, checksum, compressed body. What is damaged, truncated or from a newer longmode is
 * refused in one line before anything of it is believed.
 *   +0  8 bytes  magic     +8  u32  version     +12 u32  CRC-32 of the body     +16 f64  bytes of the body     +24 f64  bytes of the content     +32 body
 */
import { crc32 } from './crc32.ts';

const HEADER_BYTES = 32;

/** A kind of file: eight characters, the version that is written and read, what it is in words, and the most that its content may be, in bytes. */
export interface FileKind { readonly magic: string; readonly version: number; readonly what: string; readonly maxBytes: number }

/** A file that cannot be used; the message is one line. */
export class FileFormatError extends Error {
  override readonly name = 'FileFormatError';
}

/** Packs the content into a file. */
export async function pack(kind: FileKind, content: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const body = await through(content, new CompressionStream('deflate'), Infinity);
  const file = new Uint8Array(HEADER_BYTES + body.length);
  const view = new DataView(file.buffer);
  file.set(new TextEncoder().encode(kind.magic));
  view.setUint32(8, kind.version, true);
  view.setUint32(12, crc32(body), true);
  view.setFloat64(16, body.length, true);
  view.setFloat64(24, content.length, true);
  file.set(body, HEADER_BYTES);
  return file;
}

/** The content of a file. Throws FileFormatError. */
export async function unpack(kind: FileKind, file: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  if (file.length < HEADER_BYTES || new TextDecoder('latin1').decode(file.subarray(0, 8)) !== kind.magic) throw new FileFormatError(`is no ${kind.what}`);
  const version = view.getUint32(8, true);
  if (version !== kind.version) {
    throw new FileFormatError(`is ${/^[aeiou]/.test(kind.what) ? 'an' : 'a'} ${kind.what} of version ${version}; this longmode reads version ${kind.version}${version > kind.version ? ': use a newer longmode' : ''}`);
  }
  const length = view.getFloat64(16, true), contentLength = view.getFloat64(24, true);
  if (file.length !== HEADER_BYTES + length) throw new FileFormatError(`is damaged: it has ${file.length - HEADER_BYTES} bytes behind its header, which announces ${length}`);
  const body = file.subarray(HEADER_BYTES);
  if (crc32(body) !== view.getUint32(12, true)) throw new FileFormatError('is damaged: its checksum is wrong');
  if (!(Number.isSafeInteger(contentLength) && contentLength >= 0 && contentLength <= kind.maxBytes)) throw new FileFormatError(`is damaged: it announces ${contentLength} bytes of content`);
  let content: Uint8Array<ArrayBuffer>;
  try {
    content = await through(body, new DecompressionStream('deflate'), contentLength);
  } catch {
    throw new FileFormatError('is damaged: it cannot be decompressed');
  }
  if (content.length !== contentLength) throw new FileFormatError(`is damaged: it announces ${contentLength} bytes of content and has ${content.length}`);
  return content;
}

/** Sends bytes through a stream; throws RangeError as soon as more than `most` come out. */
async function through(bytes: Uint8Array<ArrayBuffer>, stream: CompressionStream | DecompressionStream, most: number): Promise<Uint8Array<ArrayBuffer>> {
  const writer = stream.writable.getWriter();
  const written = writer.write(bytes).then(() => writer.close());
  // A failure is met by the reader, too.
  written.catch(() => undefined);
  const pieces: Uint8Array[] = [];
  let total = 0;
  for (const reader = stream.readable.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) break;
    total += value.length;
    if (total > most) {
      await reader.cancel();
      throw new RangeError(`more than ${most} bytes`);
    }
    pieces.push(value);
  }
  await written;
  const all = new Uint8Array(total);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
