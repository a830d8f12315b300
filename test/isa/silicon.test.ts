/** What a real processor did with every translated row (tools/silicon records it), repeated on every engine. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { VECTOR } from '../../src/cpu/exceptions.ts';
import type { Row } from '../../src/cpu/isa/row.ts';
import { ROWS } from '../../src/cpu/isa/table/index.ts';
import { ENGINES as ENGINE_NAMES, Score } from '../support/conformance/score.ts';
import { describeCase, differences, flagsNotFollowed } from '../support/silicon/compare.ts';
import { rowOf } from '../support/silicon/row-of.ts';
import { SiliconWorld } from '../support/silicon/run.ts';
import { ALIGNMENT_RECORDING, readRecording, RECORDINGS, recordingOf, type Recorded } from '../support/silicon/vectors.ts';
import { AC_FLAG } from '../support/silicon/world.ts';
import { NOT_RECORDED } from './not-recorded.ts';

const read = (name: string): ReturnType<typeof readRecording> => readRecording(readFileSync(new URL(`../golden/${name}`, import.meta.url)));
const recordings = { general: read(RECORDINGS.general), vector: read(RECORDINGS.vector), mmx: read(RECORDINGS.mmx), bmi: read(RECORDINGS.bmi), sse4: read(RECORDINGS.sse4), avx: read(RECORDINGS.avx), fma: read(RECORDINGS.fma) };
const byRow = new Map<Row, Recorded[]>();
for (const recorded of Object.values(recordings).flatMap((x) => x.cases)) {
  const row = rowOf(recorded.c);
  byRow.set(row, [...(byRow.get(row) ?? []), recorded]);
}
const alignment = read(ALIGNMENT_RECORDING);
const ENGINES = ENGINE_NAMES.map((name) => [name, new SiliconWorld(name)] as const);
for (const [, world] of ENGINES) world.prepare([...byRow.values()].flatMap((list) => list.map(({ c }) => c)));
const scores = { silicon: new Score('silicon'), alignment: new Score('alignment') };

const missing = ROWS.filter((row) => row.meaning.kind === 'translated' && !byRow.has(row));

test('every translated row was recorded on silicon, or not-recorded.ts says why not', () => {
  expect(missing.filter((row) => !NOT_RECORDED.has(row.mnemonic)).map((row) => `${row.text} = ${row.encodingText}`)).toEqual([]);
});

test('not-recorded.ts names nothing that is recorded', () => {
  expect([...NOT_RECORDED.keys()].filter((mnemonic) => !missing.some((row) => row.mnemonic === mnemonic))).toEqual([]);
});

// MOVSD and CMPSD are string instructions in one recording and SSE2 instructions in another; PADDB is in those of XMM and of MMX registers.
const families = new Map([...byRow.keys()].map((row) => [`${row.mnemonic} ${recordingOf(row)}`, { family: row.mnemonic, set: recordingOf(row) }]));
for (const { family, set } of families.values()) {
  test.each(ENGINES)(`${family} does what it does on ${recordings[set].processor} › %s`, (engine, world) => {
    const failures: string[] = [];
    for (const [row, list] of byRow) {
      if (row.mnemonic !== family || recordingOf(row) !== set) continue;
      for (const { c, outcome } of list) {
        const lines = differences(outcome, world.run(c), flagsNotFollowed(row, outcome), row);
        scores.silicon.note(row, engine, lines.length === 0);
        if (lines.length > 0) failures.push([row.text, describeCase(c), ...lines].join('\n  '));
      }
    }
    expect(failures.slice(0, 5)).toEqual([]);
  });
}

scores.silicon.isCounted();

test('the translator makes a region for each case', () => {
  const translator = ENGINES.find(([name]) => name === 'translator')![1];
  const cases = [...byRow].filter(([row]) => row.mnemonic === 'ADC').flatMap(([, list]) => list);
  const before = translator.regions;
  for (const { c } of cases) translator.run(c);
  // LOCK where it is not allowed is no instruction.
  expect(translator.regions - before).toBeGreaterThan(0.9 * cases.length);
});

describe('alignment checks, which QEMU does not make', () => {
  test.each(ENGINES)(`raise #AC as they do on ${alignment.processor} › %s`, (engine, world) => {
    const failures = alignment.cases.flatMap(({ c, outcome }) => {
      const lines = differences(outcome, world.run(c));
      scores.alignment.note(rowOf(c), engine, lines.length === 0);
      return lines.length > 0 ? [[describeCase(c), ...lines].join('\n  ')] : [];
    });
    expect(failures.slice(0, 5)).toEqual([]);
    expect(alignment.cases.every(({ c, outcome }) => outcome.fault?.vector === VECTOR.AC && (c.flags & AC_FLAG) !== 0)).toBe(true);
  });
  scores.alignment.isCounted();
  test('were recorded of rows that load, store, do both, push, pop, branch and repeat', () => {
    const seen = new Set(alignment.cases.map(({ c }) => rowOf(c).mnemonic));
    expect(['MOV', 'ADD', 'CMPXCHG', 'PUSH', 'POP', 'CALL', 'RET', 'JMP', 'MOVSQ', 'ENTER', 'LEAVE', 'BT'].filter((x) => !seen.has(x))).toEqual([]);
  });
  test.each(ENGINES)('are not made with RFLAGS.AC clear › %s', (_, world) => {
    const still = alignment.cases.filter(({ c }) => world.run({ ...c, flags: c.flags & ~AC_FLAG }).fault?.vector === VECTOR.AC);
    expect(still).toEqual([]);
  });
});
