/** An image that cannot be booted: one line that names the field and says what is wrong with it. */
export class ImageError extends Error {
  override readonly name = 'ImageError';
}

/** Reads little-endian fields of an untrusted file; a read outside it is an ImageError that names the field. */
export class FileReader {
  readonly bytes: Uint8Array;
  private readonly view: DataView;
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  private check(at: number, size: number, field: string): void {
    if (at < 0 || at + size > this.bytes.length) {
      throw new ImageError(`${field}: the file ends at byte ${this.bytes.length}, ${size} bytes at ${at} are missing`);
    }
  }
  u16(at: number, field: string): number { this.check(at, 2, field); return this.view.getUint16(at, true); }
  u32(at: number, field: string): number { this.check(at, 4, field); return this.view.getUint32(at, true); }
  /** A 64-bit field as a number; larger than 2^53 is refused, for no offset or size in a real file is. */
  u64(at: number, field: string): number {
    const value = this.u64big(at, field);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new ImageError(`${field}: 0x${value.toString(16)} is out of range`);
    return Number(value);
  }
  u64big(at: number, field: string): bigint { this.check(at, 8, field); return this.view.getBigUint64(at, true); }
  slice(at: number, size: number, field: string): Uint8Array { this.check(at, size, field); return this.bytes.subarray(at, at + size); }
}
