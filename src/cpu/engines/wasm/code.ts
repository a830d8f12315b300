/**
 * A growing buffer of WebAssembly bytes. It knows how integers are written and how deep the code is nested, so that a
 * branch names the label that it opened instead of counting.
 */
import { OP } from './opcodes.ts';

/** A label: the nesting depth at which its block was opened. */
export type Label = number & { readonly __label: true };

const UTF_8 = new TextEncoder();

export class Code {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(1024);
  #length = 0;
  #depth = 0;

  get length(): number { return this.#length; }
  /** The bytes written so far: a view, valid until the next write. */
  get bytes(): Uint8Array<ArrayBuffer> { return this.#bytes.subarray(0, this.#length); }

  clear(): void {
    this.#length = 0;
    this.#depth = 0;
  }

  #room(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + count));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }

  byte(value: number): void {
    if (this.#length === this.#bytes.length) this.#room(1);
    this.#bytes[this.#length++] = value;
  }

  append(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** An unsigned integer of at most 32 bits. */
  unsigned(value: number): void {
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.byte(rest);
  }

  /** A signed integer of at most 32 bits. */
  signed32(value: number): void {
    let rest = value | 0;
    for (;;) {
      const low = rest & 0x7f;
      rest >>= 7;
      if ((rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)) return this.byte(low);
      this.byte(low | 0x80);
    }
  }

  /** A signed integer of at most 64 bits. */
  signed64(value: bigint): void {
    let rest = BigInt.asIntN(64, value);
    if (rest >= -0x8000_0000n && rest < 0x8000_0000n) return this.signed32(Number(rest));
    for (;;) {
      const low = Number(rest & 0x7fn);
      rest >>= 7n;
      if ((rest === 0n && (low & 0x40) === 0) || (rest === -1n && (low & 0x40) !== 0)) return this.byte(low);
      this.byte(low | 0x80);
    }
  }

  text(value: string): void {
    const bytes = UTF_8.encode(value);
    this.unsigned(bytes.length);
    this.append(bytes);
  }

  // -------------------------------------------------------------------------------------------------- instructions
  i32(value: number): void {
    this.byte(OP.i32_const);
    this.signed32(value);
  }
  i64(value: bigint): void {
    this.byte(OP.i64_const);
    this.signed64(value);
  }
  get(local: number): void {
    this.byte(OP.local_get);
    this.unsigned(local);
  }
  set(local: number): void {
    this.byte(OP.local_set);
    this.unsigned(local);
  }
  tee(local: number): void {
    this.byte(OP.local_tee);
    this.unsigned(local);
  }
  /** An instruction by its number in opcodes.ts: one byte, or a prefix above bit 16. */
  op(op: number): void {
    if (op < 0x100) return this.byte(op);
    this.byte(op >>> 16);
    this.unsigned(op & 0xffff);
  }
  /** A load or store, without an alignment hint. */
  memory(op: number, offset: number): void {
    this.op(op);
    this.byte(0);
    this.unsigned(offset);
  }
  call(index: number): void {
    this.byte(OP.call);
    this.unsigned(index);
  }

  /** Opens a block, loop or if. */
  open(op: typeof OP.block | typeof OP.loop | typeof OP.if, type: number): Label {
    this.byte(op);
    this.byte(type);
    return ++this.#depth as Label;
  }
  else(): void { this.byte(OP.else); }
  end(): void {
    this.byte(OP.end);
    this.#depth--;
  }
  br(label: Label): void {
    this.byte(OP.br);
    this.unsigned(this.#depth - label);
  }
  brIf(label: Label): void {
    this.byte(OP.br_if);
    this.unsigned(this.#depth - label);
  }
  /** Branches to labels[n], or to `otherwise` where there is no such label. */
  brTable(labels: readonly Label[], otherwise: Label): void {
    this.byte(OP.br_table);
    this.unsigned(labels.length);
    for (const label of labels) this.unsigned(this.#depth - label);
    this.unsigned(this.#depth - otherwise);
  }
}
