/** The bytes of recorded cases: little-endian, and of a state only the registers that are different from another's. */
import type { Case, Fpu, Outcome, Simd } from './world.ts';

/** Writes little-endian numbers, and states as what differs from another. */
export class Writer {
  readonly #bytes: number[] = [];
  int(value: number, bytes: number): void { for (let n = 0; n < bytes; n++) this.#bytes.push((value >>> (8 * n)) & 0xff); }
  u64(value: bigint): void { for (let n = 0n; n < 64n; n += 8n) this.#bytes.push(Number((value >> n) & 0xffn)); }
  bytes(value: Uint8Array): void { this.#bytes.push(...value); }
  /** A set of registers, then the value of each. */
  registers(values: readonly bigint[], unless: readonly bigint[]): void {
    const set = values.reduce((bits, v, n) => (v === unless[n] ? bits : bits | (1 << n)), 0);
    this.int(set, 2);
    values.forEach((v, n) => { if (v !== unless[n]) this.u64(v); });
  }
  simd({ xmm, mxcsr, wide }: Simd, unless: Simd): void {
    this.int(xmm.reduce((bits, v, n) => (v === unless.xmm[n] ? bits : bits | (1 << n)), 0), 2);
    xmm.forEach((v, n) => {
      if (v === unless.xmm[n]) return;
      for (let at = 0n; at < (wide ? 256n : 128n); at += 64n) this.u64((v >> at) & 0xffff_ffff_ffff_ffffn);
    });
    this.int(mxcsr, 4);
  }
  fpu({ registers, control, status, valid }: Fpu, unless: Fpu): void {
    this.int(registers.reduce((bits, v, n) => (v === unless.registers[n] ? bits : bits | (1 << n)), 0), 1);
    registers.forEach((v, n) => {
      if (v === unless.registers[n]) return;
      this.u64(v & 0xffff_ffff_ffff_ffffn);
      this.int(Number(v >> 64n), 2);
    });
    this.int(control, 2);
    this.int(status, 2);
    this.int(valid, 1);
  }
  done(): Uint8Array { return Uint8Array.from(this.#bytes); }
}

/** Reads what Writer wrote. */
export class Reader {
  readonly #view: DataView;
  #at = 0;
  constructor(bytes: Uint8Array) { this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength); }
  int(bytes: 1 | 2 | 4): number {
    const value = bytes === 1 ? this.#view.getUint8(this.#at) : bytes === 2 ? this.#view.getUint16(this.#at, true) : this.#view.getUint32(this.#at, true);
    this.#at += bytes;
    return value;
  }
  u64(): bigint {
    const value = this.#view.getBigUint64(this.#at, true);
    this.#at += 8;
    return value;
  }
  bytes(count: number): Uint8Array {
    this.#at += count;
    return new Uint8Array(this.#view.buffer, this.#view.byteOffset + this.#at - count, count).slice();
  }
  registers(unless: readonly bigint[]): bigint[] {
    const set = this.int(2);
    return unless.map((v, n) => ((set >> n) & 1 ? this.u64() : v));
  }
  simd(unless: Simd): Simd {
    const set = this.int(2);
    const u128 = (): bigint => this.u64() | (this.u64() << 64n);
    const xmm = unless.xmm.map((v, n) => ((set >> n) & 1 ? u128() | (unless.wide ? u128() << 128n : 0n) : v));
    return { xmm, mxcsr: this.int(4), wide: unless.wide };
  }
  fpu(unless: Fpu): Fpu {
    const set = this.int(1);
    const registers = unless.registers.map((v, n) => ((set >> n) & 1 ? this.u64() | (BigInt(this.int(2)) << 64n) : v));
    return { registers, control: this.int(2), status: this.int(2), valid: this.int(1) };
  }
}

/** What a case did, as what is different from before. Whether it faulted and whether memory changed is said elsewhere. */
export function writeOutcome(w: Writer, c: Case, o: Outcome): void {
  w.int(o.flags, 2);
  w.registers(o.gpr, c.gpr);
  w.u64(o.rip);
  if (o.fault) {
    w.int(o.fault.vector, 1);
    w.int(o.fault.errorCode, 1);
    w.u64(o.fault.cr2);
  }
  if (o.changed.bytes.length > 0) {
    w.int(o.changed.offset, 2);
    w.int(o.changed.bytes.length, 2);
    w.bytes(o.changed.bytes);
  }
  if (c.simd && o.simd) w.simd(o.simd, c.simd);
  if (c.fpu && o.fpu) w.fpu(o.fpu, c.fpu);
}

export const NOTHING = { offset: 0, bytes: new Uint8Array(0) };

/** Reads what writeOutcome wrote. */
export function readOutcome(r: Reader, c: Case, faulted: boolean, changed: boolean): Outcome {
  const flags = r.int(2);
  const gpr = r.registers(c.gpr);
  const rip = r.u64();
  const fault = faulted ? { vector: r.int(1), errorCode: r.int(1), cr2: r.u64() } : undefined;
  const memory = changed ? { offset: r.int(2), bytes: r.bytes(r.int(2)) } : NOTHING;
  return { gpr, flags, rip, fault, changed: memory, simd: c.simd && r.simd(c.simd), fpu: c.fpu && r.fpu(c.fpu) };
}
