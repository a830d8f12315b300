/** What a real processor did with every x87 row (tools/silicon/record-x87.ts records it), repeated on every engine. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { decode, DecodeFailure } from '../../src/cpu/decode/decode.ts';
import { MODE_64 } from '../../src/cpu/isa/instruction.ts';
import type { Row } from '../../src/cpu/isa/row.ts';
import { ROWS } from '../../src/cpu/isa/table/index.ts';
import { ENGINES, Score } from '../support/conformance/score.ts';
import { executesRows } from '../support/rows-executed.ts';
import { differences, readCase, type X87Case } from '../support/x87/cases.ts';
import { allowedUlps, comparedStatus, recordable } from '../support/x87/follow.ts';
import { X87World } from '../support/x87/run.ts';
import { FPU_ROWS } from './rows.ts';

const [processor, ...lines] = gunzipSync(readFileSync(new URL('../golden/x87.txt.gz', import.meta.url))).toString('latin1').trimEnd().split('\n');
const byRow = new Map<Row, X87Case[]>();
for (const line of lines) {
  const c = readCase(line);
  const i = decode(c.code, 0, MODE_64);
  if (i instanceof DecodeFailure) throw new Error(`${line}: ${i.what}`);
  byRow.set(i.row, [...(byRow.get(i.row) ?? []), c]);
}
const worlds = ENGINES.map((name) => [name, new X87World(name)] as const);
const score = new Score('x87');

test('every x87 row that can be was recorded on silicon', () => {
  expect(ROWS.filter((row) => recordable(row) && !byRow.has(row)).map((row) => row.text)).toEqual([]);
});

for (const mnemonic of new Set([...byRow.keys()].map((row) => row.mnemonic))) {
  test.each(worlds)(`${mnemonic} does what it does on ${processor} › %s`, (engine, world) => {
    const failures: string[] = [];
    for (const [row, cases] of byRow) {
      if (row.mnemonic !== mnemonic) continue;
      for (const c of cases) {
        const found = differences(c.after, world.run(c.code, c.before), comparedStatus(row), allowedUlps(row));
        score.note(row, engine, found.length === 0);
        if (found.length > 0) failures.push([row.text, Buffer.from(c.code).toString('hex'), ...found].join('\n  '));
      }
    }
    expect(failures.slice(0, 5)).toEqual([]);
  });
}

score.isCounted();

executesRows(FPU_ROWS.silicon);
