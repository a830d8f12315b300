/**
 * What a real processor did with many inputs of a few encodings of every translated row (tools/silicon/record-groups.ts records it), repeated on every engine.
 * Flags that the manual leaves undefined are not compared: silicon.test.ts holds them to another processor's.
 */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Row } from '../../src/cpu/isa/row.ts';
import { ROWS } from '../../src/cpu/isa/table/index.ts';
import { ENGINES, Score } from '../support/conformance/score.ts';
import { nameOfRow } from '../support/row-name.ts';
import { describeCase, differences, flagBits, flagsNotFollowed } from '../support/silicon/compare.ts';
import { GROUPED, readGroups, type Group } from '../support/silicon/groups.ts';
import { rowOf } from '../support/silicon/row-of.ts';
import { SiliconWorld } from '../support/silicon/run.ts';
import { recordingOf } from '../support/silicon/vectors.ts';

/** Cases that a row has at least. */
const PER_ROW = 200;

const worlds = ENGINES.map((name) => [name, new SiliconWorld(name)] as const);
const score = new Score('groups');
const counts = new Map<string, number>();

describe.each(GROUPED)('rows of $file', ({ set, file }) => {
  const { processor, groups } = readGroups(readFileSync(new URL(`../golden/${file}`, import.meta.url)));
  const byMnemonic = new Map<string, { row: Row; group: Group }[]>();
  for (const group of groups) {
    const row = rowOf(group[0]!.c), name = nameOfRow(row);
    byMnemonic.set(row.mnemonic, [...(byMnemonic.get(row.mnemonic) ?? []), { row, group }]);
    counts.set(name, (counts.get(name) ?? 0) + group.length);
  }

  const failuresOf = (row: Row, group: Group, engine: (typeof ENGINES)[number], world: SiliconWorld): string[] => group.flatMap(({ c, outcome }) => {
    const lines = differences(outcome, world.run(c), flagsNotFollowed(row, outcome) | flagBits(row.undefinedFlags), row);
    score.note(row, engine, lines.length === 0);
    return lines.length === 0 ? [] : [[row.text, describeCase(c), ...lines].join('\n  ')];
  });
  beforeAll(() => { for (const [, world] of worlds) world.prepare(groups.map(([first]) => first!.c)); });
  for (const [mnemonic, list] of byMnemonic) {
    test.each(worlds)(`${mnemonic} does what it does on ${processor} › %s`, (engine, world) => {
      expect(list.every(({ row }) => recordingOf(row) === set)).toBe(true);
      expect(list.flatMap(({ row, group }) => failuresOf(row, group, engine, world)).slice(0, 5)).toEqual([]);
    });
  }
});

test(`every translated row has ${PER_ROW} cases`, () => {
  const fewer = ROWS.filter((row) => row.meaning.kind === 'translated' && (counts.get(nameOfRow(row)) ?? 0) < PER_ROW).map(nameOfRow);
  expect(fewer).toEqual([]);
});

score.isCounted();
