/** Cases and outcomes as the structures of harness.c, which the bare machine (bare/image.ts) reads and writes, too. */
import { COMPARED_FLAGS, START, defaultSimd, type Case, type Fpu, type Outcome, type Simd } from '../../test/support/silicon/world.ts';

/** Offsets of the fields of `struct input`. */
export const INPUT = {
  gpr: 0, flags: 128, compatibility: 136, length: 140, code: 144, pokeOffset: 160, pokeLength: 164, poke: 168,
  xmm: 232, mxcsr: 488, hasFpu: 492, control: 496, status: 498, valid: 500, st: 512, high: 640,
} as const;
export const CASE_BYTES = 896;
/** Bytes that a case may put into memory, and may change there. */
const MOST_POKED = 64;
export const MOST_CHANGED = 512;
/** Offsets of the fields of `struct outcome`. */
export const OUTCOME = {
  gpr: 0, rip: 128, flags: 136, cr2: 144, vector: 152, error: 156, changedOffset: 160, changedLength: 164, changed: 168,
  xmm: 680, mxcsr: 936, control: 944, status: 946, valid: 948, st: 960, high: 1088,
} as const;
export const OUTCOME_BYTES = 1344;
const FLAGS_ALWAYS = 0x202;

/** The cases, one behind the other. */
export function writeCases(cases: readonly Case[]): Buffer {
  const out = Buffer.alloc(cases.length * CASE_BYTES);
  cases.forEach((c, k) => { writeCase(out, k * CASE_BYTES, c); });
  return out;
}
function writeCase(out: Buffer, at: number, c: Case): void {
  if (c.poke.bytes.length > MOST_POKED) throw new RangeError(`a case puts ${c.poke.bytes.length} bytes into memory, of ${MOST_POKED}`);
  c.gpr.forEach((v, n) => out.writeBigUInt64LE(v, at + INPUT.gpr + 8 * n));
  out.writeBigUInt64LE(BigInt(c.flags | FLAGS_ALWAYS), at + INPUT.flags);
  out.writeUInt32LE(c.codeSize === 32 ? 1 : 0, at + INPUT.compatibility);
  out.writeUInt32LE(c.code.length, at + INPUT.length);
  out.set(c.code, at + INPUT.code);
  out.writeUInt32LE(c.poke.offset, at + INPUT.pokeOffset);
  out.writeUInt32LE(c.poke.bytes.length, at + INPUT.pokeLength);
  out.set(c.poke.bytes, at + INPUT.poke);
  if (c.simd) writeSimd(out, at, c.simd);
  else DEFAULT_SIMD.copy(out, at + INPUT.xmm);
  out.writeUInt32LE(c.fpu ? 1 : 0, at + INPUT.hasFpu);
  if (c.fpu) writeFpu(out, at, c.fpu);
}

function writeSimd(out: Buffer, at: number, { xmm, mxcsr }: Simd): void {
  xmm.forEach((v, n) => {
    for (const quarter of [0, 1, 2, 3]) {
      out.writeBigUInt64LE(BigInt.asUintN(64, v >> BigInt(64 * quarter)), at + (quarter < 2 ? INPUT.xmm : INPUT.high - 16) + 16 * n + 8 * quarter);
    }
  });
  out.writeUInt32LE(mxcsr, at + INPUT.mxcsr);
}
/** XMM registers and MXCSR of a case that has none. */
const DEFAULT_SIMD = ((): Buffer => {
  const out = Buffer.alloc(CASE_BYTES);
  writeSimd(out, 0, defaultSimd());
  return out.subarray(INPUT.xmm, INPUT.hasFpu);
})();

/** ST(i) is register (TOP + i) mod 8. */
const physical = (status: number, i: number): number => (((status >> 11) & 7) + i) & 7;

function writeFpu(out: Buffer, at: number, { registers, control, status, valid }: Fpu): void {
  out.writeUInt16LE(control, at + INPUT.control);
  out.writeUInt16LE(status, at + INPUT.status);
  out.writeUInt16LE(valid, at + INPUT.valid);
  for (let i = 0; i < 8; i++) {
    const v = registers[physical(status, i)]!;
    out.writeBigUInt64LE(BigInt.asUintN(64, v), at + INPUT.st + 16 * i);
    out.writeUInt16LE(Number(v >> 64n), at + INPUT.st + 8 + 16 * i);
  }
}

function readFpu(file: Buffer, at: number): Fpu {
  const status = file.readUInt16LE(at + OUTCOME.status);
  const registers = Array.from({ length: 8 }, () => 0n);
  for (let i = 0; i < 8; i++) registers[physical(status, i)] = (BigInt(file.readUInt16LE(at + OUTCOME.st + 8 + 16 * i)) << 64n) | file.readBigUInt64LE(at + OUTCOME.st + 16 * i);
  return { registers, control: file.readUInt16LE(at + OUTCOME.control), status, valid: file.readUInt16LE(at + OUTCOME.valid) };
}

function readSimd(file: Buffer, at: number, wide: boolean): Simd {
  const half = (from: number): bigint => (file.readBigUInt64LE(from + 8) << 64n) | file.readBigUInt64LE(from);
  const xmm = Array.from({ length: 16 }, (_, n) => half(at + OUTCOME.xmm + 16 * n) | (wide ? half(at + OUTCOME.high + 16 * n) << 128n : 0n));
  return { xmm, mxcsr: file.readUInt32LE(at + OUTCOME.mxcsr), wide };
}

function readOutcome(file: Buffer, at: number, { simd, fpu }: Case): Outcome {
  const rip = file.readBigUInt64LE(at + OUTCOME.rip);
  const vector = file.readUInt32LE(at + OUTCOME.vector);
  const errorCode = file.readUInt32LE(at + OUTCOME.error);
  const cr2 = file.readBigUInt64LE(at + OUTCOME.cr2);
  const offset = file.readUInt32LE(at + OUTCOME.changedOffset);
  const length = file.readUInt32LE(at + OUTCOME.changedLength);
  // INT3 behind the instruction, or a fetch from where it branched to: the instruction itself is done.
  const done = vector === 3 || (vector === 14 && (errorCode & 16) !== 0 && rip !== START);
  return {
    gpr: Array.from({ length: 16 }, (_, n) => file.readBigUInt64LE(at + OUTCOME.gpr + 8 * n)),
    flags: Number(file.readBigUInt64LE(at + OUTCOME.flags)) & COMPARED_FLAGS,
    rip: vector === 3 ? rip - 1n : rip,
    fault: done ? undefined : { vector, errorCode, cr2 },
    changed: { offset, bytes: Uint8Array.from(file.subarray(at + OUTCOME.changed, at + OUTCOME.changed + length)) },
    simd: simd ? readSimd(file, at, simd.wide) : undefined,
    fpu: fpu ? readFpu(file, at) : undefined,
  };
}

/** The outcomes of the cases, one behind the other. */
export function readOutcomes(file: Buffer, cases: readonly Case[]): Outcome[] {
  if (file.length !== cases.length * OUTCOME_BYTES) throw new Error(`${file.length / OUTCOME_BYTES} outcomes for ${cases.length} cases`);
  return cases.map((c, k) => readOutcome(file, k * OUTCOME_BYTES, c));
}
