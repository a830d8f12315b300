/** Reading an instruction's bytes, at most 15 of them. SDM Vol. 2A, "Instruction Format"; Vol. 3B, "Exceeding the Instruction Length Limit". */

/** The longest instruction, in bytes. */
export const MAX_LENGTH = 15;

/** Reads little-endian fields. A read past the end gives zeros and sets `trouble`, so callers check once per field group. */
export class ByteReader {
  bytes: Uint8Array = new Uint8Array();
  start = 0;
  position = 0;
  /** Set when a byte was wanted that is past the end (`truncated`) or past the length limit (`too-long`). */
  trouble: 'truncated' | 'too-long' | undefined = undefined;

  /** Reads from here on. */
  begin(bytes: Uint8Array, start: number): this {
    this.bytes = bytes;
    this.start = this.position = start;
    this.trouble = undefined;
    return this;
  }

  get length(): number { return this.position - this.start; }

  byte(): number {
    if (this.trouble !== undefined) return 0;
    if (this.position - this.start >= MAX_LENGTH) { this.trouble = 'too-long'; return 0; }
    const value = this.bytes[this.position];
    if (value === undefined) { this.trouble = 'truncated'; return 0; }
    this.position++;
    return value;
  }

  /** The next byte, which stays to be read. */
  peek(): number {
    const value = this.byte();
    if (this.trouble === undefined) this.position--;
    return value;
  }

  /** An unsigned number of 1, 2 or 4 bytes. */
  unsigned(size: 1 | 2 | 4): number {
    let value = this.byte();
    if (size > 1) value |= this.byte() << 8;
    if (size > 2) value |= (this.byte() << 16) | (this.byte() << 24);
    return value >>> 0;
  }

  /** A signed field of 0, 1, 2, 4 or 8 bytes, sign-extended to 64 bits and taken as unsigned. */
  extended(size: 0 | 1 | 2 | 4 | 8): bigint {
    if (size === 0) return 0n;
    if (size === 8) {
      const low = BigInt(this.unsigned(4));
      return low | (BigInt(this.unsigned(4)) << 32n);
    }
    const unused = 32 - 8 * size;
    return extendedTo64((this.unsigned(size) << unused) >> unused);
  }
}

/** Most displacements and immediates are small: these are made once. */
const SMALLEST = -128, LARGEST = 127;
const SMALL: readonly bigint[] = Array.from({ length: LARGEST - SMALLEST + 1 }, (_, n) => BigInt.asUintN(64, BigInt(n + SMALLEST)));
/** A signed 32-bit number, sign-extended to 64 bits and taken as unsigned. */
function extendedTo64(n: number): bigint {
  if (n >= SMALLEST && n <= LARGEST) return SMALL[n - SMALLEST]!;
  return n >= 0 ? BigInt(n) : BigInt.asUintN(64, BigInt(n));
}
