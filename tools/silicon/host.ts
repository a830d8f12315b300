/** Runs cases on the host processor through the C harness. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { COMPARED_FLAGS, START, defaultSimd, type Case, type Fpu, type Outcome, type Simd } from '../../test/support/silicon/world.ts';

const FPU_BYTES = 16 + 128;
const HIGH_BYTES = 256;
const INPUT_BYTES = 128 + 8 + 4 + 4 + 16 + 4 + 4 + 64 + 256 + 8 + FPU_BYTES + HIGH_BYTES;
const CHANGED = 512;
const OUTCOME_BYTES = 128 + 24 + 16 + CHANGED + 256 + 8 + FPU_BYTES + HIGH_BYTES;
const FLAGS_ALWAYS = 0x202;

function writeCases(cases: readonly Case[]): Buffer {
  const out = Buffer.alloc(cases.length * INPUT_BYTES);
  cases.forEach((c, k) => {
    const at = k * INPUT_BYTES;
    c.gpr.forEach((v, n) => out.writeBigUInt64LE(v, at + 8 * n));
    out.writeBigUInt64LE(BigInt(c.flags | FLAGS_ALWAYS), at + 128);
    out.writeUInt32LE(c.codeSize === 32 ? 1 : 0, at + 136);
    out.writeUInt32LE(c.code.length, at + 140);
    out.set(c.code, at + 144);
    out.writeUInt32LE(c.poke.offset, at + 160);
    out.writeUInt32LE(c.poke.bytes.length, at + 164);
    out.set(c.poke.bytes, at + 168);
    const { xmm, mxcsr } = c.simd ?? defaultSimd();
    xmm.forEach((v, n) => {
      for (const quarter of [0, 1, 2, 3]) {
        out.writeBigUInt64LE(BigInt.asUintN(64, v >> BigInt(64 * quarter)), at + (quarter < 2 ? 232 : INPUT_BYTES - HIGH_BYTES - 16) + 16 * n + 8 * quarter);
      }
    });
    out.writeUInt32LE(mxcsr, at + 488);
    out.writeUInt32LE(c.fpu ? 1 : 0, at + 492);
    if (c.fpu) writeFpu(out, at + 496, c.fpu);
  });
  return out;
}

/** ST(i) is register (TOP + i) mod 8. */
const physical = (status: number, i: number): number => (((status >> 11) & 7) + i) & 7;

function writeFpu(out: Buffer, at: number, { registers, control, status, valid }: Fpu): void {
  out.writeUInt16LE(control, at);
  out.writeUInt16LE(status, at + 2);
  out.writeUInt16LE(valid, at + 4);
  for (let i = 0; i < 8; i++) {
    const v = registers[physical(status, i)]!;
    out.writeBigUInt64LE(BigInt.asUintN(64, v), at + 16 + 16 * i);
    out.writeUInt16LE(Number(v >> 64n), at + 24 + 16 * i);
  }
}

function readFpu(file: Buffer, at: number): Fpu {
  const status = file.readUInt16LE(at + 2);
  const registers = Array.from({ length: 8 }, () => 0n);
  for (let i = 0; i < 8; i++) registers[physical(status, i)] = (BigInt(file.readUInt16LE(at + 24 + 16 * i)) << 64n) | file.readBigUInt64LE(at + 16 + 16 * i);
  return { registers, control: file.readUInt16LE(at), status, valid: file.readUInt16LE(at + 4) };
}

function readSimd(file: Buffer, at: number, highAt: number, wide: boolean): Simd {
  const half = (from: number): bigint => (file.readBigUInt64LE(from + 8) << 64n) | file.readBigUInt64LE(from);
  const xmm = Array.from({ length: 16 }, (_, n) => half(at + 16 * n) | (wide ? half(highAt + 16 * n) << 128n : 0n));
  return { xmm, mxcsr: file.readUInt32LE(at + 256), wide };
}

function readOutcome(file: Buffer, at: number, { simd, fpu }: Case): Outcome {
  const rip = file.readBigUInt64LE(at + 128);
  const vector = file.readUInt32LE(at + 152);
  const errorCode = file.readUInt32LE(at + 156);
  const cr2 = file.readBigUInt64LE(at + 144);
  const offset = file.readUInt32LE(at + 160);
  const length = file.readUInt32LE(at + 164);
  // INT3 behind the instruction, or a fetch from where it branched to: the instruction itself is done.
  const done = vector === 3 || (vector === 14 && (errorCode & 16) !== 0 && rip !== START);
  return {
    gpr: Array.from({ length: 16 }, (_, n) => file.readBigUInt64LE(at + 8 * n)),
    flags: Number(file.readBigUInt64LE(at + 136)) & COMPARED_FLAGS,
    rip: vector === 3 ? rip - 1n : rip,
    fault: done ? undefined : { vector, errorCode, cr2 },
    changed: { offset, bytes: Uint8Array.from(file.subarray(at + 168, at + 168 + length)) },
    simd: simd ? readSimd(file, at + 168 + CHANGED, at + OUTCOME_BYTES - HIGH_BYTES, simd.wide) : undefined,
    fpu: fpu ? readFpu(file, at + 168 + CHANGED + 264) : undefined,
  };
}

/** Outcomes of the cases, in order. Needs gcc and an x86-64 Linux host. */
export function runOnHost(cases: readonly Case[]): Outcome[] {
  const folder = mkdtempSync(join(tmpdir(), 'silicon-'));
  try {
    const harness = join(folder, 'harness');
    execFileSync('gcc', ['-O2', '-o', harness, new URL('./harness.c', import.meta.url).pathname]);
    writeFileSync(join(folder, 'cases'), writeCases(cases));
    execFileSync(harness, [join(folder, 'cases'), join(folder, 'outcomes')], { stdio: 'inherit', timeout: 120_000 });
    const file = readFileSync(join(folder, 'outcomes'));
    if (file.length !== cases.length * OUTCOME_BYTES) throw new Error(`${file.length / OUTCOME_BYTES} outcomes for ${cases.length} cases`);
    return cases.map((c, k) => readOutcome(file, k * OUTCOME_BYTES, c));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
