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
import { NOTHING, Reader, readOutcome, Writer, writeOutcome } from './bytes.ts';
import { AC_FLAG, defaultFpu, defaultSimd, type Case, type Outcome } from './world.ts';

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
    writeOutcome(w, c, o);
  }
  return gzipSync(w.done(), { level: 9 });
}

export function readRecording(file: Uint8Array): Recording {
  const all = gunzipSync(file);
  const end = all.indexOf(10);
  const header = JSON.parse(new TextDecoder().decode(all.subarray(0, end))) as { format: number; processor: string; cases: number };
  if (!FORMATS.includes(header.format)) throw new Error(`recording of format ${header.format}, expected ${FORMATS.join(' or ')}`);
  const r = new Reader(all.subarray(end + 1));
  const cases = Array.from({ length: header.cases }, (): Recorded => {
    const kind = r.int(1);
    const codeSize = (kind & COMPATIBILITY) !== 0 ? 32 : 64;
    const code = r.bytes(r.int(1));
    const flagsBefore = r.int(2) | ((kind & ALIGNMENT) !== 0 ? AC_FLAG : 0);
    const gpr = r.registers(defaults(codeSize));
    const simd = (kind & SIMD) !== 0 ? r.simd(defaultSimd((kind & WIDE) !== 0)) : undefined;
    const fpu = (kind & FPU) !== 0 ? r.fpu(defaultFpu()) : undefined;
    const poke = (kind & POKE) !== 0 ? { offset: r.int(2), bytes: r.bytes(r.int(1)) } : NOTHING;
    const c: Case = { codeSize, code, gpr, flags: flagsBefore, poke, simd, fpu };
    return { c, outcome: readOutcome(r, c, (kind & FAULT) !== 0, (kind & MEMORY) !== 0) };
  });
  return { processor: header.processor, cases };
}
