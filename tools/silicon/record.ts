/**
 * Compares every translated row with the host processor: `node tools/silicon/record.ts [--cases N] [--seed S] [--only MNEMONIC]
 * [--strict] [--set general|vector|mmx|bmi|sse4|avx|fma] [--alignment] [--write]` (Node 24, gcc, x86-64 Linux). `--strict` compares the flags that
 * the manual leaves undefined, too. What else it leaves open (left-open.ts) is counted, and no difference. `--set` takes the rows of one recording: `vector` those of SSE and SSE2, `mmx` those
 * on MMX registers, `bmi` those of BMI1 and BMI2, `sse4` those on XMM and MMX
 * registers that came with SSE3 to SSE4.2, AES, PCLMULQDQ and SHA, `general` the others. `--alignment` sets RFLAGS.AC in every case. `--write` records them as that file of test/golden for
 * test/isa/silicon.test.ts; those in the tree were made with `--set general --cases 14` and `--set vector --cases 10`, `--set mmx --cases 10`, `--set bmi --cases 14`, `--set sse4 --cases 16`, `--set avx --cases 5`, `--set fma --cases 8`. With
 * `--alignment` it records those that raised #AC, as silicon-alignment.bin.gz (made with `--set general --cases 12`).
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { VECTOR } from '../../src/cpu/exceptions.ts';
import { RCX, RDI, RSI } from '../../src/cpu/isa/operand.ts';
import { ROWS } from '../../src/cpu/isa/table/index.ts';
import type { Row } from '../../src/cpu/isa/row.ts';
import { NOT_RECORDED } from '../../test/isa/not-recorded.ts';
import { Random } from '../../test/support/random.ts';
import { describeCase, differences, flagBits, flagsNotFollowed } from '../../test/support/silicon/compare.ts';
import { excuse } from '../../test/support/silicon/left-open.ts';
import { SiliconWorld } from '../../test/support/silicon/run.ts';
import { AC_FLAG, defaultFpu, defaultSimd, type Case } from '../../test/support/silicon/world.ts';
import { ALIGNMENT_RECORDING, defaultRegister, RECORDINGS, recordingOf, writeRecording, type Recorded, type RecordingName } from '../../test/support/silicon/vectors.ts';
import { caseFor, codeSizesOf } from './generate.ts';
import { processorName, runOnHost } from './host.ts';

const { values } = parseArgs({ options: { cases: { type: 'string', default: '50' }, seed: { type: 'string', default: '1' }, only: { type: 'string' }, set: { type: 'string' }, strict: { type: 'boolean', default: false }, alignment: { type: 'boolean', default: false }, write: { type: 'boolean', default: false } } });
if (values.write && values.only !== undefined) throw new Error('--write records every row of a set: without --only');
const set = values.set as RecordingName | undefined;
if (set === undefined ? values.write : !(set in RECORDINGS)) throw new Error(`--set ${Object.keys(RECORDINGS).join(' or ')}: which recording`);
if (values.write && values.alignment && set !== 'general') throw new Error('--alignment --write records the general rows: with --set general');

const world = new SiliconWorld();

/** The case with every register that takes no part at its default, so that recordings are small and readable. */
function reduced(row: Row, c: Case): Case {
  let kept = c;
  const string = row.repeat !== undefined;
  const before = world.run(c);
  for (let n = 0; n < 16; n++) {
    // A default has upper halves, which REP with 32-bit addresses clears even before a fault: not followed.
    if (string && (n === RCX || n === RSI || n === RDI)) continue;
    const value = defaultRegister(n, c.codeSize);
    const trial = { ...kept, gpr: kept.gpr.with(n, value) };
    const expected = { ...before, gpr: before.gpr.map((v, k) => (k === n ? value : kept.gpr[k] === c.gpr[k] ? v : trial.gpr[k] as bigint)) };
    if (before.gpr[n] === c.gpr[n] && differences(expected, world.run(trial)).length === 0) kept = trial;
  }
  for (let n = 0; n < 8 && kept.fpu !== undefined; n++) {
    const value = defaultFpu().registers[n] as bigint;
    const defaulted = (fpu: Case['fpu']): Case['fpu'] => fpu && { ...fpu, registers: fpu.registers.with(n, value) };
    const trial = { ...kept, fpu: defaulted(kept.fpu) };
    const untouched = before.fpu?.registers[n] === c.fpu?.registers[n];
    if (untouched && differences({ ...world.run(kept), fpu: defaulted(world.run(kept).fpu) }, world.run(trial)).length === 0) kept = trial;
  }
  for (let n = 0; n < 16 && kept.simd !== undefined; n++) {
    const value = defaultSimd(kept.simd.wide).xmm[n] as bigint;
    const defaulted = (simd: Case['simd']): Case['simd'] => simd && { ...simd, xmm: simd.xmm.with(n, value) };
    const untouched = before.simd?.xmm[n] === c.simd?.xmm[n];
    const trial = { ...kept, simd: defaulted(kept.simd) };
    if (untouched && differences({ ...world.run(kept), simd: defaulted(world.run(kept).simd) }, world.run(trial)).length === 0) kept = trial;
  }
  return kept;
}

/** AMD's processors read four bytes here, as their alignment check shows; the SDM's row has two (Vol. 2B, "MOVSX/MOVSXD"). */
const NOT_ALIKE = 'MOVSXD r16, r/m16';

/** Two cases of a row are enough to see what it checks. */
function firstOfEach<T extends { readonly row: Row }>(cases: readonly T[]): T[] {
  const seen = new Map<Row, number>();
  return cases.filter(({ row }) => {
    const n = seen.get(row) ?? 0;
    seen.set(row, n + 1);
    return n < 2;
  });
}

/** What is kept of many cases is reduced last, and run again as it then is. */
function reducedAgain(cases: readonly { readonly row: Row; readonly c: Case }[]): Recorded[] {
  const small = cases.map(({ row, c }) => reduced(row, c));
  const outcomes = runOnHost(small);
  return small.map((c, k) => ({ c, outcome: outcomes[k]! }));
}

const jobs: { row: Row; c: Case }[] = [];
ROWS.forEach((row, index) => {
  if (row.meaning.kind !== 'translated' || (values.write && NOT_RECORDED.has(row.mnemonic)) || (set !== undefined && recordingOf(row) !== set) || (values.alignment && row.text === NOT_ALIKE) || (values.only !== undefined && row.mnemonic !== values.only)) return;
  const r = new Random(Math.imul(Number(values.seed) * 10_007 + index + 1, 0x9e3779b1));
  for (const codeSize of codeSizesOf(row)) {
    for (let n = 0; n < Number(values.cases); n++) {
      const drawn = caseFor(r, row, codeSize);
      const c = drawn && values.alignment ? { ...drawn, flags: drawn.flags | AC_FLAG } : drawn;
      if (c !== undefined) jobs.push({ row, c: values.write && !values.alignment ? reduced(row, c) : c });
    }
  }
});

const silicon = runOnHost(jobs.map((x) => x.c));
const failures = new Map<string, string[]>();
const undefinedFlags = new Map<string, number>(), open = new Map<string, number>();
/** Numbers of the cases that are not like ours, and need not be. */
const unlike = new Set<number>();
let faults = 0, alignmentFaults = 0;
jobs.forEach(({ row, c }, k) => {
  const outcome = silicon[k] as (typeof silicon)[number];
  // With --alignment only what has to do with it is judged: the rest is what a run without it is for.
  if (values.alignment && outcome.fault?.vector !== VECTOR.AC && world.run(c).fault?.vector !== VECTOR.AC) return;
  if (outcome.fault?.vector === VECTOR.AC) alignmentFaults++;
  if (outcome.fault !== undefined) faults++;
  const ours = world.run(c);
  const lines = differences(outcome, ours, flagsNotFollowed(row, outcome) | (values.strict ? 0 : flagBits(row.undefinedFlags)), row);
  const name = `${row.text} = ${row.encodingText}`;
  const why = lines.length > 0 ? excuse(row, c, outcome, ours, lines) : undefined;
  if (why !== undefined) {
    unlike.add(k);
    open.set(why, (open.get(why) ?? 0) + 1);
  } else if (lines.length > 0) failures.set(name, [...(failures.get(name) ?? []), `    ${describeCase(c)}\n      ${lines.join('\n      ')}`]);
  else if (differences(outcome, ours, 0, row).length > 0) undefinedFlags.set(name, (undefinedFlags.get(name) ?? 0) + 1);
});
let failed = 0;
for (const [name, list] of failures) {
  failed += list.length;
  console.log(`${name}: ${list.length}\n${list.slice(0, 3).join('\n')}`);
}
console.log(`undefined flags that differ: ${[...undefinedFlags].map(([name, n]) => `${name} (${n})`).join('; ') || 'none'}`);
if (failed > 0) process.exitCode = 1;
for (const [why, n] of open) console.log(`left open: ${n} cases: ${why}`);
console.log(`${jobs.length} cases (${faults} faults, ${alignmentFaults} of them #AC), ${unlike.size} differ where that is left open, ${failed} differ in ${failures.size} rows`);

if (values.write && set !== undefined) {
  if (failed > 0) throw new Error('nothing written: correct the differences first');
  const all = jobs.map(({ row, c }, k) => ({ row, c, outcome: silicon[k] as (typeof silicon)[number] })).filter((_, k) => !unlike.has(k));
  const kept = values.alignment ? reducedAgain(firstOfEach(all.filter(({ outcome }) => outcome.fault?.vector === VECTOR.AC))) : all;
  const path = `test/golden/${values.alignment ? ALIGNMENT_RECORDING : RECORDINGS[set]}`;
  const file = writeRecording({ processor: processorName(), cases: kept });
  writeFileSync(path, file);
  console.log(`${path}: ${kept.length} cases, ${file.length} bytes`);
}
