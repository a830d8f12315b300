/**
 * Records many inputs for each of a few encodings of every translated row on the host processor: `node tools/silicon/record-groups.ts [--seed S] [--set SET]
 * [--others]` (Node 24, gcc, x86-64 Linux) writes test/golden/silicon/SET.bin.br for test/isa/silicon-groups.test.ts, of one set or of all. `--others` records the
 * rows that the processor of that file does not have, and writes SET-others.bin.br. Nothing is written where the reference engine differs from the processor in what the manual defines.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ROWS } from '../../src/cpu/isa/table/index.ts';
import type { Row } from '../../src/cpu/isa/row.ts';
import { Random } from '../../test/support/random.ts';
import { describeCase, differences, flagBits, flagsNotFollowed } from '../../test/support/silicon/compare.ts';
import { groupFile, readGroups, writeGroups, type FromInput, type Group } from '../../test/support/silicon/groups.ts';
import { excuse } from '../../test/support/silicon/left-open.ts';
import { rowOf } from '../../test/support/silicon/row-of.ts';
import { SiliconWorld } from '../../test/support/silicon/run.ts';
import { RECORDINGS, recordingOf, type RecordingName } from '../../test/support/silicon/vectors.ts';
import type { Case, Input, Outcome } from '../../test/support/silicon/world.ts';
import { casesOfOneEncoding, codeSizesOf, drawInput, lanesOf, type Lanes } from './generate.ts';
import { processorName, runOnHost } from './host.ts';

const { values } = parseArgs({ options: { seed: { type: 'string', default: '1' }, set: { type: 'string' }, others: { type: 'boolean', default: false } } });
const seed = Number(values.seed);
/** Cases of a row, in all its modes together, and of an encoding. */
const PER_ROW = 200, PER_GROUP = 20;
/** Inputs of each kind of lanes. */
const INPUTS_EACH = 60;
/** Times that a row is drawn again for cases that were left out. */
const ROUNDS = 6;
/** Rows that go to the host in one file. */
const BATCH = 60;

interface Drawn { readonly input: number; readonly c: Case }
const world = new SiliconWorld();
const failures: string[] = [];

/** One encoding with inputs from the pool; empty where the draw is not one worth running, or is another row's: XCHG with AX twice is NOP. */
function drawGroup(row: Row, codeSize: 32 | 64, shapeSeed: number, inputs: readonly Input[], first: number): Drawn[] {
  const inputOf = (n: number): number => first + ((shapeSeed >>> 8) + n) % INPUTS_EACH;
  const cases = casesOfOneEncoding(row, codeSize, shapeSeed, PER_GROUP, (_, n) => inputs[inputOf(n)]!);
  return cases.length > 0 && rowOf(cases[0]!) === row ? cases.map((c, n) => ({ input: inputOf(n), c })) : [];
}

/** What of a group is compared, with its outcomes; differences are noted. */
function compared(row: Row, drawn: readonly Drawn[], outcomes: readonly Outcome[]): Group {
  return drawn.flatMap(({ c, input }, k): FromInput[] => {
    const outcome = outcomes[k]!, ours = world.run(c);
    const lines = differences(outcome, ours, flagsNotFollowed(row, outcome) | flagBits(row.undefinedFlags), row);
    if (lines.length > 0 && excuse(row, c, outcome, ours, lines) !== undefined) return [];
    if (lines.length > 0) failures.push([`${row.text} = ${row.encodingText}: ${describeCase(c)}`, ...lines].join('\n  '));
    return [{ c, input, outcome }];
  });
}

/** Groups of a few rows, until each has its cases or goes on having none. */
function recordRows(rows: readonly Row[], inputs: readonly Input[], firstOf: (row: Row) => number): Group[] {
  const groups = new Map<string, Group[]>();
  for (let round = 0; round < ROUNDS; round++) {
    const jobs: { key: string; row: Row; drawn: Drawn[] }[] = [];
    for (const row of rows) {
      const codeSizes = codeSizesOf(row);
      for (const codeSize of codeSizes) {
        const key = `${ROWS.indexOf(row)} ${codeSize}`;
        const have = (groups.get(key) ?? []).reduce((n, group) => n + group.length, 0);
        const missing = Math.ceil((PER_ROW / codeSizes.length - have) / PER_GROUP);
        for (let n = 0; n < missing; n++) {
          const shape = new Random(Math.imul(seed * 10_007 + ROWS.indexOf(row) * 64 + round * 16 + n + 1, 0x9e37_79b1) ^ codeSize).u32();
          jobs.push({ key, row, drawn: drawGroup(row, codeSize, shape, inputs, firstOf(row)) });
        }
      }
    }
    if (jobs.length === 0) break;
    const outcomes = runOnHost(jobs.flatMap(({ drawn }) => drawn.map(({ c }) => c)));
    let at = 0;
    for (const { key, row, drawn } of jobs) {
      const group = compared(row, drawn, outcomes.slice(at, at += drawn.length));
      if (group.length > 0) groups.set(key, [...(groups.get(key) ?? []), group]);
    }
  }
  return [...groups.values()].flat();
}

function record(set: RecordingName): void {
  const had = values.others ? rowsRecorded(`test/golden/${groupFile(set)}`) : new Set<Row>();
  const rows = ROWS.filter((row) => row.meaning.kind === 'translated' && recordingOf(row) === set && !had.has(row));
  const lanes = [...new Set(rows.map(lanesOf))];
  const r = new Random(seed);
  const inputs = lanes.flatMap((kind: Lanes) => Array.from({ length: INPUTS_EACH }, () => drawInput(r, kind)));
  const groups: Group[] = [];
  for (let at = 0; at < rows.length; at += BATCH) groups.push(...recordRows(rows.slice(at, at + BATCH), inputs, (row) => lanes.indexOf(lanesOf(row)) * INPUTS_EACH));
  const cases = groups.reduce((n, group) => n + group.length, 0);
  console.log(failures.slice(0, 8).join('\n'));
  if (failures.length > 0) throw new Error(`${set}: nothing written, ${failures.length} of ${cases} cases differ`);
  const file = writeGroups({ processor: processorName(), inputs, groups });
  writeFileSync(`test/golden/${groupFile(set, values.others)}`, file);
  console.log(`${set}: ${rows.length} rows, ${groups.length} encodings, ${cases} cases, ${file.length} bytes`);
}

/** Rows of which a file has as many cases as it should. */
function rowsRecorded(file: string): ReadonlySet<Row> {
  const counts = new Map<Row, number>();
  for (const group of readGroups(readFileSync(file)).groups) {
    const row = rowOf(group[0]!.c);
    counts.set(row, (counts.get(row) ?? 0) + group.length);
  }
  return new Set([...counts].filter(([, n]) => n >= PER_ROW).map(([row]) => row));
}

mkdirSync('test/golden/silicon', { recursive: true });
for (const set of values.set === undefined ? Object.keys(RECORDINGS) as RecordingName[] : [values.set as RecordingName]) record(set);
