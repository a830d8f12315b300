/** A growing sequence of little-endian bytes, for the file formats. */
export class ByteWriter {
  #bytes = new Uint8Array(4096);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  get length(): number { return this.#length; }

  /** Makes room for `by` bytes; call it before touching the buffer, which it may replace. */
  #grow(by: number): number {
    const at = this.#length;
    this.#length += by;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }
  u8(value: number): void {
    const at = this.#grow(1);
    this.#view.setUint8(at, value);
  }
  u16(value: number): void {
    const at = this.#grow(2);
    this.#view.setUint16(at, value, true);
  }
  u32(value: number): void {
    const at = this.#grow(4);
    this.#view.setUint32(at, value, true);
  }
  u64(value: bigint): void {
    const at = this.#grow(8);
    this.#view.setBigUint64(at, value, true);
  }
  bytes(content: Uint8Array): void {
    const at = this.#grow(content.length);
    this.#bytes.set(content, at);
  }
  /** Text and a zero byte. */
  string(text: string): void {
    this.bytes(new TextEncoder().encode(text));
    this.u8(0);
  }
  /** Unsigned LEB128. */
  uleb(value: number): void {
    let rest = value;
    do {
      const low = rest % 128;
      rest = Math.floor(rest / 128);
      this.u8(rest > 0 ? low | 0x80 : low);
    } while (rest > 0);
  }
  /** Signed LEB128. */
  sleb(value: number): void {
    let rest = BigInt(value);
    for (;;) {
      const low = Number(BigInt.asUintN(7, rest));
      rest >>= 7n;
      const last = (rest === 0n && (low & 0x40) === 0) || (rest === -1n && (low & 0x40) !== 0);
      this.u8(last ? low : low | 0x80);
      if (last) return;
    }
  }
  align(boundary: number): void { this.#grow((boundary - this.#length % boundary) % boundary); }
  /** Overwrites the 32 bits at `offset`: lengths known afterwards. */
  patch32(offset: number, value: number): void { this.#view.setUint32(offset, value, true); }
  finish(): Uint8Array<ArrayBuffer> { return this.#bytes.slice(0, this.#length); }
}

/** Zero-terminated strings, each stored once, found by offset: .strtab, .shstrtab, .debug_str. */
export class StringTable {
  readonly #writer = new ByteWriter();
  readonly #offsets = new Map<string, number>();
  constructor() { this.offset(''); }

  offset(text: string): number {
    let at = this.#offsets.get(text);
    if (at === undefined) {
      at = this.#writer.length;
      this.#offsets.set(text, at);
      this.#writer.string(text);
    }
    return at;
  }
  finish(): Uint8Array<ArrayBuffer> { return this.#writer.finish(); }
}
