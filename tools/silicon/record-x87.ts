/**
 * Compares every x87 row with the host processor: `node tools/silicon/record-x87.ts [--cases N] [--seed S] [--only MNEMONIC]
 * [--write few|many]` (Node 24, gcc, x86-64 Linux). `--write` records the cases for test/fpu/silicon.test.ts: as test/golden/x87.txt.gz a few of
 * each row, every one with an input of its own (that file in the tree was made with `--cases 16`), or as test/golden/silicon/x87.txt.br
 * N of each row that are compared, with inputs that the rows share (made with `--cases 200`).
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ROWS } from '../../src/cpu/isa/table/index.ts';
import type { Row } from '../../src/cpu/isa/row.ts';
import { nameOfRow } from '../../test/support/row-name.ts';
import { Random } from '../../test/support/random.ts';
import { describeX87Case, differences, type X87Case } from '../../test/support/x87/cases.ts';
import { allowedUlps, comparedStatus, notFollowed, recordable } from '../../test/support/x87/follow.ts';
import { writeX87Recording, X87_RECORDINGS, type X87RecordingName } from '../../test/support/x87/recordings.ts';
import { X87World } from '../../test/support/x87/run.ts';
import { drawX87Input, pushes, x87CaseFor, type X87Draw } from './generate-x87.ts';
import { processorName } from './host.ts';
import { runX87OnHost } from './host-x87.ts';

const { values } = parseArgs({ options: { cases: { type: 'string', default: '50' }, seed: { type: 'string', default: '1' }, only: { type: 'string' }, write: { type: 'string' } } });
if (values.write !== undefined && (values.only !== undefined || !(values.write in X87_RECORDINGS))) throw new Error(`--write ${Object.keys(X87_RECORDINGS).join(' or ')} records every row: without --only`);
const written = values.write as X87RecordingName | undefined;
const perRow = Number(values.cases), seed = Number(values.seed);
/** Of the draws of a row with shared inputs so many are left out at most: those whose outcome is not compared. */
const LEFT_OUT = 4;

const random = (n: number): Random => new Random(Math.imul(seed * 10_007 + n + 1, 0x9e37_79b1));
/** Input n for all rows that push, or for all others, with the memory operands of a kind. */
const shared = (n: number, row: Row): { input: X87Draw['before']; operand: Random } => {
  const r = random(0x1_0000 + 2 * n + Number(pushes(row)));
  return { input: drawX87Input(r, pushes(row)), operand: r };
};

const jobs = ROWS.filter(recordable).flatMap((row, index) => {
  if (values.only !== undefined && row.mnemonic !== values.only) return [];
  const r = random(index);
  return Array.from({ length: written === 'many' ? perRow * LEFT_OUT : perRow }, (_, n) => {
    const { input, operand } = written === 'many' ? shared(n, row) : { input: undefined, operand: undefined };
    return { row, ...x87CaseFor(r, row, input, operand) };
  });
});
const silicon = runX87OnHost(jobs);
const world = new X87World();
const failures = new Map<string, string[]>();
const compared = new Map<Row, X87Case[]>();
jobs.forEach(({ row, code, before }, k) => {
  const after = silicon[k]!, cases = compared.get(row) ?? [];
  compared.set(row, cases);
  if (cases.length === perRow || notFollowed(row, before, after) !== undefined) return;
  cases.push({ code, before, after });
  const lines = differences(after, world.run(code, before), comparedStatus(row), allowedUlps(row));
  if (lines.length > 0) failures.set(nameOfRow(row), [...(failures.get(nameOfRow(row)) ?? []), `    ${describeX87Case(code, before)}\n      ${lines.join('\n      ')}`]);
});
let failed = 0;
for (const [name, list] of failures) {
  failed += list.length;
  console.log(`${name}: ${list.length}\n${list.slice(0, 3).join('\n')}`);
}
const cases = [...compared.values()].flat();
console.log(`${cases.length} cases, ${failed} differ in ${failures.size} rows`);
if (written !== undefined) {
  if (failed > 0) throw new Error('nothing written: correct the differences first');
  const file = writeX87Recording(written, { processor: processorName(), cases });
  writeFileSync(`test/golden/${X87_RECORDINGS[written]}`, file);
  console.log(`${X87_RECORDINGS[written]}: ${file.length} bytes`);
}
