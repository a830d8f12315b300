/**
 * Fresh cases by the million, on the host processor and on every engine: `npm run fuzz:silicon -- [--cases 10000000] [--seed S] [--set SET] [--only MNEMONIC]`
 * (Node 24, gcc, x86-64 Linux). Each round draws from the whole table, or from the rows of a set (that of a recording, or `x87`), with a seed of its
 * own, until there are that many cases; it stops at the first round that finds a difference, whose seed and cases it prints.
 */
import { parseArgs } from 'node:util';
import type { Row } from '../../src/cpu/isa/row.ts';
import { ROWS } from '../../src/cpu/isa/table/index.ts';
import { ENGINES } from '../../test/support/conformance/score.ts';
import { RECORDINGS, recordingOf } from '../../test/support/silicon/vectors.ts';
import { recordable } from '../../test/support/x87/follow.ts';
import { siliconReplay, x87Replay, type Replay, type Tally } from './fresh.ts';
import { processorName } from './host.ts';

const { values } = parseArgs({ options: { cases: { type: 'string', default: '10000000' }, seed: { type: 'string' }, set: { type: 'string' }, only: { type: 'string' } } });
const wanted = Number(values.cases);
if (!(wanted > 0)) throw new Error('--cases N: how many');
const SETS = [...Object.keys(RECORDINGS), 'x87'];
if (values.set !== undefined && !SETS.includes(values.set)) throw new Error(`--set ${SETS.join(' or ')}: whose rows`);

/** Rows that go to the host in one file. */
const BATCH = 100;
/** Failures of a round that are printed. */
const SHOWN = 20;

const setOf = (row: Row): string | undefined => (row.meaning.kind === 'translated' ? recordingOf(row) : recordable(row) ? 'x87' : undefined);
const drawn = ROWS.filter((row) => setOf(row) !== undefined && (values.set ?? setOf(row)) === setOf(row) && (values.only ?? row.mnemonic) === row.mnemonic);
if (drawn.length === 0) throw new Error('no row has cases');
const parts: readonly (readonly [() => Replay, readonly Row[]])[] = [[siliconReplay, drawn.filter((row) => setOf(row) !== 'x87')], [x87Replay, drawn.filter((row) => setOf(row) === 'x87')]];

const tally: Tally = { cases: 0, open: new Map(), failures: [] };
let seed = values.seed === undefined ? Math.floor(Date.now() / 1000) : Number(values.seed);
console.log(`${processorName()}, ${drawn.length} rows, ${ENGINES.join(', ')}`);
for (; tally.cases < wanted && tally.failures.length === 0; seed++) {
  for (const [start, rows] of parts) {
    // Engines of its own: they keep what they have made of code, and no round has the code of another.
    const replay = start();
    for (let at = 0; at < rows.length; at += BATCH) replay(rows.slice(at, at + BATCH), seed, tally);
  }
  console.log(`${new Date().toISOString()} seed ${seed}: ${tally.cases} cases, ${tally.failures.length} differ`);
}
for (const [why, n] of tally.open) console.log(`left open: ${n} cases: ${why}`);
if (tally.failures.length > 0) {
  console.log(`${tally.failures.slice(0, SHOWN).join('\n')}\nagain: node tools/silicon/campaign.ts --seed ${seed - 1} --cases 1 --only MNEMONIC`);
  process.exitCode = 1;
}
