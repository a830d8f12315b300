/**
 * The files of recorded cases, test/golden/silicon*.bin.gz: gzip over a line of JSON (`{ format, processor, cases }`) and,
 * for each case, little-endian:
 *
 *   u8  bit 0: 32-bit code; bit 1: poke follows; bit 2: it faulted; bit 3: memory changed; bit 4: XMM registers and MXCSR;
 *       bit 5: RFLAGS.AC; bit 6: x87 state; bit 7: YMM registers instead, of 256 bits each
 *   u8  length of the code, its bytes
 *   u16 status flags before; u16 set of registers that do not hold their default; u64 for each
 *   [XMM]     u16 set of XMM registers that do not hold their default; u128 for each; u32 MXCSR
 *   [x87]     u8 set of registers R0-R7 that do not hold their default; u64 significand and u16 sign and exponent of each;
 *             u16 control word, u16 status word, u8 set of registers that are not empty
 *   [poke]    u16 offset, u8 length, bytes
 *   u16 status flags after; u16 set of registers that changed; u64 for each; u64 RIP
 *   [fault]   u8 vector, u8 error code, u64 CR2
 *   [memory]  u16 offset, u16 length, bytes
 *   [XMM]     u16 set of XMM registers that changed; u128 for each; u32 MXCSR
 *   [x87]     as before, with the registers that changed
 */
import { gunzipSync, gzipSync } from 'node:zlib';
import type { CpuFeature } from '../../../src/cpu/isa/features.ts';
import { isVector, type Row } from '../../../src/cpu/isa/row.ts';
import { AC_FLAG, defaultFpu, defaultSimd, type Case, type Fpu, type Outcome, type Simd } from './world.ts';

/** The recordings, and whose rows they hold. */
export const RECORDINGS = { general: 'silicon.bin.gz', vector: 'silicon-vector.bin.gz', mmx: 'silicon-mmx.bin.gz', bmi: 'silicon-bmi.bin.gz', sse4: 'silicon-sse4.bin.gz', avx: 'silicon-avx.bin.gz', fma: 'silicon-fma.bin.gz' } as const;
export type RecordingName = keyof typeof RECORDINGS;
/** The recording of alignment checks, of general rows. */
export const ALIGNMENT_RECORDING = 'silicon-alignment.bin.gz';
/** What came to XMM and MMX registers behind SSE2. */
const SINCE_SSE3: ReadonlySet<string | undefined> = new Set<CpuFeature | undefined>(['sse3', 'ssse3', 'sse4.1', 'sse4.2', 'aes', 'pclmulqdq', 'sha-ni']);
export const usesMmxRegisters = (row: Row): boolean => row.operands.some((x) => x.kind === 'mmx' || x.kind === 'mmx-or-memory');
export function recordingOf(row: Row): RecordingName {
  if (row.feature === 'fma') return 'fma';
  if (row.feature === 'bmi1' || row.feature === 'bmi2') return row.encoding.vex ? 'bmi' : 'general';
  if (row.encoding.vex) return 'avx';
  if (SINCE_SSE3.has(row.feature) && row.operands.some(isVector)) return 'sse4';
  if (usesMmxRegisters(row)) return 'mmx';
  return (row.feature === 'sse' || row.feature === 'sse2') && !row.mnemonic.endsWith('FENCE') ? 'vector' : 'general';
}

/** 2 has the x87 state, and is otherwise 1. */
const FORMAT = 2, FORMATS = [1, 2];
const COMPATIBILITY = 1, POKE = 2, FAULT = 4, MEMORY = 8, SIMD = 16, ALIGNMENT = 32, FPU = 64, WIDE = 128;

/** What register n holds where a case does not say: a pattern that shows which register and which byte of it went astray. */
export const defaultRegister = (n: number, codeSize: 32 | 64): bigint => {
  const pattern = 0x0102_0304_0506_0708n + (BigInt(n) << 4n) * 0x0101_0101_0101_0101n;
  return codeSize === 64 ? pattern : n < 8 ? pattern & 0xffff_ffffn : 0n;
};

export interface Recorded { readonly c: Case; readonly outcome: Outcome }
export interface Recording { readonly processor: string; readonly cases: readonly Recorded[] }

class Writer {
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

class Reader {
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

const defaults = (codeSize: 32 | 64): bigint[] => Array.from({ length: 16 }, (_, n) => defaultRegister(n, codeSize));

export function writeRecording({ processor, cases }: Recording): Uint8Array {
  const w = new Writer();
  w.bytes(new TextEncoder().encode(`${JSON.stringify({ format: FORMAT, processor, cases: cases.length })}\n`));
  for (const { c, outcome: o } of cases) {
    w.int((c.codeSize === 32 ? COMPATIBILITY : 0) | (c.poke.bytes.length > 0 ? POKE : 0) | (o.fault ? FAULT : 0) | (o.changed.bytes.length > 0 ? MEMORY : 0)
      | (c.simd ? SIMD : 0) | ((c.flags & AC_FLAG) !== 0 ? ALIGNMENT : 0) | (c.fpu ? FPU : 0) | (c.simd?.wide === true ? WIDE : 0), 1);
    w.int(c.code.length, 1);
    w.bytes(c.code);
    w.int(c.flags & 0xffff, 2);
    w.registers(c.gpr, defaults(c.codeSize));
    if (c.simd) w.simd(c.simd, defaultSimd(c.simd.wide));
    if (c.fpu) w.fpu(c.fpu, defaultFpu());
    if (c.poke.bytes.length > 0) {
      w.int(c.poke.offset, 2);
      w.int(c.poke.bytes.length, 1);
      w.bytes(c.poke.bytes);
    }
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
  return gzipSync(w.done(), { level: 9 });
}

export function readRecording(file: Uint8Array): Recording {
  const all = gunzipSync(file);
  const end = all.indexOf(10);
  const header = JSON.parse(new TextDecoder().decode(all.subarray(0, end))) as { format: number; processor: string; cases: number };
  if (!FORMATS.includes(header.format)) throw new Error(`recording of format ${header.format}, expected ${FORMATS.join(' or ')}`);
  const r = new Reader(all.subarray(end + 1));
  const nothing = { offset: 0, bytes: new Uint8Array(0) };
  const cases = Array.from({ length: header.cases }, (): Recorded => {
    const kind = r.int(1);
    const codeSize = (kind & COMPATIBILITY) !== 0 ? 32 : 64;
    const code = r.bytes(r.int(1));
    const flagsBefore = r.int(2) | ((kind & ALIGNMENT) !== 0 ? AC_FLAG : 0);
    const gpr = r.registers(defaults(codeSize));
    const simd = (kind & SIMD) !== 0 ? r.simd(defaultSimd((kind & WIDE) !== 0)) : undefined;
    const fpu = (kind & FPU) !== 0 ? r.fpu(defaultFpu()) : undefined;
    const poke = (kind & POKE) !== 0 ? { offset: r.int(2), bytes: r.bytes(r.int(1)) } : nothing;
    const flags = r.int(2);
    const after = r.registers(gpr);
    const rip = r.u64();
    const fault = (kind & FAULT) !== 0 ? { vector: r.int(1), errorCode: r.int(1), cr2: r.u64() } : undefined;
    const changed = (kind & MEMORY) !== 0 ? { offset: r.int(2), bytes: r.bytes(r.int(2)) } : nothing;
    const simdAfter = simd && r.simd(simd);
    const fpuAfter = fpu && r.fpu(fpu);
    return { c: { codeSize, code, gpr, flags: flagsBefore, poke, simd, fpu }, outcome: { gpr: after, flags, rip, fault, changed, simd: simdAfter, fpu: fpuAfter } };
  });
  return { processor: header.processor, cases };
}
