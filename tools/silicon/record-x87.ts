/**
 * Compares every x87 row with the host processor: `node tools/silicon/record-x87.ts [--cases N] [--seed S] [--only MNEMONIC]
 * [--write]` (Node 24, gcc, x86-64 Linux). `--write` records the cases as test/golden/x87.txt.gz for
 * test/fpu/silicon.test.ts; the file in the tree was made with `--cases 16`.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { ROWS } from '../../src/cpu/isa/table/index.ts';
import type { Row } from '../../src/cpu/isa/row.ts';
import { encodeRow } from '../../test/support/encode-row.ts';
import { Random } from '../../test/support/random.ts';
import { MEMORY_BYTES, STATUS_FLAGS, differences, writeCase, type X87Case, type X87State } from '../../test/support/x87/cases.ts';
import { allowedUlps, comparedStatus, notFollowed, recordable } from '../../test/support/x87/follow.ts';
import { X87World } from '../../test/support/x87/run.ts';

const { values } = parseArgs({ options: { cases: { type: 'string', default: '50' }, seed: { type: 'string', default: '1' }, only: { type: 'string' }, write: { type: 'boolean', default: false } } });
if (values.write && values.only !== undefined) throw new Error('--write records every row: without --only');

const RSI = 6;
const SIGNIFICANDS = [0n, 1n, 2n, 0x7fff_ffff_ffff_ffffn, 0x8000_0000_0000_0000n, 0x8000_0000_0000_0001n, 0xa000_0000_0000_0000n, 0xbfff_ffff_ffff_ffffn, 0xc000_0000_0000_0000n,
  0xc000_0000_0000_0001n, 0xffff_ffff_ffff_ffffn, 0xffff_ff00_0000_0000n, 0xffff_ff80_0000_0000n, 0xffff_ffff_ffff_f800n, 0xffff_ffff_ffff_fc00n, 0x8000_0000_0000_0400n, 0x8000_0080_0000_0000n];

/** An 80-bit value: special, near a limit of some format, or anything. */
function interesting80(r: Random): bigint {
  const significand = r.chance(50) ? r.pick(SIGNIFICANDS) : r.u64() | (r.chance(90) ? 1n << 63n : 0n);
  const exponent = r.chance(20) ? r.pick([0, 1, 2, 0x7ffd, 0x7ffe, 0x7fff, 0x7fff])
    : r.chance(40) ? 16383 + r.between(-70, 70)
    : r.chance(40) ? 16383 + r.pick([-1075, -1074, -1022, -1023, -150, -149, -127, -126, 127, 128, 1023, 1024, 62, 63, 64, 14, 15, 16, 30, 31, 32]) + r.between(-1, 1)
    : r.chance(50) ? r.below(0x8000) : r.pick([100, 0x7f00, 8000, 24000]) + r.below(60);
  return (BigInt((r.below(2) << 15) | exponent) << 64n) | (r.chance(60) && exponent > 0 ? significand | (1n << 63n) : significand);
}

/** The low bits of the memory operand: by its spelling. */
function memoryFor(r: Random, row: Row): bigint {
  const text = row.operands[0]?.text ?? '';
  const any = r.u64() | (r.u64() << 64n);
  switch (text) {
    case 'm32fp': return r.chance(40) ? BigInt(r.pick([0, 1, 0x7fffff, 0x800000, 0x7f7fffff, 0x7f800000, 0x7f800001, 0x7fc00000, 0x7fffffff, 0x3f800000, 0x40490fdb])) | (BigInt(r.below(2)) << 31n)
      : BigInt(r.u32());
    case 'm64fp': return r.chance(40) ? r.pick([0n, 1n, 0xf_ffff_ffff_ffffn, 0x10_0000_0000_0000n, 0x7fef_ffff_ffff_ffffn, 0x7ff0_0000_0000_0000n, 0x7ff0_0000_0000_0001n, 0x7ff8_0000_0000_0000n, 0x3ff0_0000_0000_0000n]) | (BigInt(r.below(2)) << 63n)
      : r.u64();
    case 'm80fp': return interesting80(r);
    case 'm16int': case 'm32int': case 'm64int': return r.chance(40) ? r.pick([0n, 1n, 0x7fffn, 0x8000n, 0xffffn, 0x7fff_ffffn, 0x8000_0000n, 0x7fff_ffff_ffff_ffffn, 0x8000_0000_0000_0000n, 0xffff_ffff_ffff_ffffn]) : r.u64() >> BigInt(r.below(64));
    case 'm80bcd': return (BigInt(r.below(2)) << 79n) | BigInt(`0x${BigInt.asUintN(59, r.u64()).toString(10).slice(0, 18)}`);
    case 'm2byte': return BigInt(r.below(0x10000));
    default: return any;
  }
}

/** A control word: usually all exceptions masked; any precision but the reserved one, any rounding. */
const controlFor = (r: Random): number => 0x40 | (r.chance(75) ? 0x3f : r.below(0x40)) | (r.pick([0, 2, 3]) << 8) | (r.below(4) << 10);

function stateFor(r: Random, row: Row, i: number): X87State {
  const control = controlFor(r);
  // Flags of masked exceptions may be there already; of others not, for those would be pending.
  const status = (r.chance(30) ? r.below(0x40) & control & 0x3f : 0) | (r.chance(10) ? 0x40 : 0) | (r.below(8) << 11) | (r.below(16) & 7) << 8 | (r.below(2) << 14);
  const pushes = /^(FLD|FILD|FBLD|FXTRACT)/.test(row.mnemonic);
  const full = r.chance(85);
  const top = (status >> 11) & 7;
  const used = full ? (pushes && r.chance(90) ? 0xff & ~(1 << ((top + 7) & 7)) : 0xff) : r.below(256);
  // Registers that take no part hold plain numbers, so that recordings are small.
  const stack = Array.from({ length: 8 }, (_, n) => (n < 2 || n === i ? interesting80(r) : (BigInt(0x4000 + n) << 64n) | (1n << 63n)));
  // Operands of a kind: equal, or near each other.
  if (r.chance(15)) stack[1] = stack[0] as bigint;
  if (r.chance(15)) stack[1] = (stack[0] as bigint) ^ (BigInt(r.below(4)) << 79n & (1n << 79n)) ^ BigInt(r.below(4));
  const memory = memoryFor(r, row) | (BigInt(`0x${'cc'.repeat(MEMORY_BYTES - 16)}`) << 128n);
  return { control, status, used, stack, memory, flags: r.below(0x1000) & STATUS_FLAGS, ax: r.below(0x10000) };
}

const RECORD = 512 + MEMORY_BYTES + 16 + 16;

function runOnHost(cases: readonly { code: Uint8Array; before: X87State }[]): X87State[] {
  const folder = mkdtempSync(join(tmpdir(), 'x87-'));
  try {
    const harness = join(folder, 'x87');
    execFileSync('gcc', ['-O2', '-o', harness, new URL('./x87.c', import.meta.url).pathname]);
    const input = Buffer.alloc(cases.length * RECORD);
    cases.forEach(({ code, before }, k) => {
      const at = k * RECORD;
      input.writeUInt16LE(before.control, at);
      input.writeUInt16LE(before.status, at + 2);
      input.writeUInt8(before.used, at + 4);
      input.writeUInt32LE(0x1f80, at + 24);
      before.stack.forEach((x, n) => {
        input.writeBigUInt64LE(BigInt.asUintN(64, x), at + 32 + 16 * n);
        input.writeUInt16LE(Number(x >> 64n), at + 40 + 16 * n);
      });
      for (let n = 0; n < MEMORY_BYTES; n++) input[at + 512 + n] = Number((before.memory >> BigInt(8 * n)) & 0xffn);
      input.writeBigUInt64LE(BigInt(before.flags | 0x202), at + 512 + MEMORY_BYTES);
      input.writeBigUInt64LE(BigInt(before.ax), at + 520 + MEMORY_BYTES);
      input.writeUInt32LE(code.length, at + 528 + MEMORY_BYTES);
      input.set(code, at + 532 + MEMORY_BYTES);
    });
    writeFileSync(join(folder, 'cases'), input);
    execFileSync(harness, [join(folder, 'cases'), join(folder, 'outcomes')], { stdio: 'inherit', timeout: 120_000 });
    const out = readFileSync(join(folder, 'outcomes'));
    return cases.map((_, k) => {
      const at = k * RECORD;
      return {
        control: out.readUInt16LE(at), status: out.readUInt16LE(at + 2), used: out.readUInt8(at + 4),
        stack: Array.from({ length: 8 }, (_x, n) => out.readBigUInt64LE(at + 32 + 16 * n) | (BigInt(out.readUInt16LE(at + 40 + 16 * n)) << 64n)),
        memory: [...out.subarray(at + 512, at + 512 + MEMORY_BYTES)].reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n),
        flags: Number(out.readBigUInt64LE(at + 512 + MEMORY_BYTES)) & STATUS_FLAGS, ax: Number(out.readBigUInt64LE(at + 520 + MEMORY_BYTES) & 0xffffn),
      };
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const jobs: { row: Row; code: Uint8Array; before: X87State }[] = [];
ROWS.filter(recordable).forEach((row, index) => {
  if (values.only !== undefined && row.mnemonic !== values.only) return;
  const r = new Random(Math.imul(Number(values.seed) * 10_007 + index + 1, 0x9e37_79b1));
  for (let n = 0; n < Number(values.cases); n++) {
    const rm = row.operands.some((x) => x.kind === 'memory') ? { base: RSI, displacement: 0n, displacementBytes: 0 as const } : r.chance(50) ? 1 : r.below(8);
    jobs.push({ row, code: encodeRow(row, { codeSize: 64, rm }), before: stateFor(r, row, typeof rm === 'number' ? rm : 0) });
  }
});
const silicon = runOnHost(jobs);
const world = new X87World();
const failures = new Map<string, string[]>();
const cases: X87Case[] = [];
jobs.forEach(({ row, code, before }, k) => {
  const after = silicon[k] as X87State;
  if (notFollowed(row, before, after) !== undefined) return;
  cases.push({ code, before, after });
  const lines = differences(after, world.run(code, before), comparedStatus(row), allowedUlps(row));
  if (lines.length === 0) return;
  const name = `${row.text} = ${row.encodingText}`;
  const shown = [`control 0x${before.control.toString(16)} status 0x${before.status.toString(16)} used ${before.used.toString(2)}`, ...before.stack.slice(0, 3).map((x) => x.toString(16).padStart(20, '0')), BigInt.asUintN(80, before.memory).toString(16)];
  failures.set(name, [...(failures.get(name) ?? []), `    ${Buffer.from(code).toString('hex')} ${shown.join(' ')}\n      ${lines.join('\n      ')}`]);
});
let failed = 0;
for (const [name, list] of failures) {
  failed += list.length;
  console.log(`${name}: ${list.length}\n${list.slice(0, 3).join('\n')}`);
}
console.log(`${jobs.length} cases, ${failed} differ in ${failures.size} rows`);
if (values.write) {
  if (failed > 0) throw new Error('nothing written: correct the differences first');
  const processor = /^model name\s*: (.*)$/m.exec(readFileSync('/proc/cpuinfo', 'latin1'))?.[1] ?? 'unknown';
  writeFileSync('test/golden/x87.txt.gz', gzipSync(`${[processor, ...cases.map(writeCase)].join('\n')}\n`, { level: 9 }));
}
