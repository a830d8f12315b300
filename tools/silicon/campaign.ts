/**
 * Fresh cases by the million: `npm run fuzz:silicon -- [--cases 10000000] [--seed S] [--only MNEMONIC]` (Node 24, gcc, x86-64 Linux). Each round is a run of
 * record.ts over the table with a seed of its own, until there are that many cases; it stops at the first round that finds a difference, whose
 * seed and cases it has printed.
 */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { cases: { type: 'string', default: '10000000' }, seed: { type: 'string' }, only: { type: 'string' } } });
const wanted = Number(values.cases);
if (!(wanted > 0)) throw new Error('--cases N: how many');
/** Of each row in each mode: some 200,000 in a round of the whole table. */
const PER_ROW = 100;
const record = new URL('./record.ts', import.meta.url).pathname;

const left = new Map<string, number>();
let seed = values.seed === undefined ? Math.floor(Date.now() / 1000) : Number(values.seed);
for (let done = 0; done < wanted; seed++) {
  const options = ['--cases', String(PER_ROW), '--seed', String(seed), ...(values.only === undefined ? [] : ['--only', values.only])];
  const round = spawnSync(process.execPath, [record, ...options], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 1 << 28 });
  const summary = /^(\d+) cases .*, \d+ differ in .*$/m.exec(round.stdout);
  if (summary === null || round.status !== 0) {
    console.log(`${round.stdout}\nseed ${seed}: node tools/silicon/record.ts ${options.join(' ')}`);
    process.exit(1);
  }
  const cases = Number(summary[1]);
  if (cases === 0) throw new Error('no row has cases');
  done += cases;
  for (const [, n, why] of round.stdout.matchAll(/^left open: (\d+) cases: (.*)$/gm)) left.set(why!, (left.get(why!) ?? 0) + Number(n));
  console.log(`${done} cases, none differs but where that is left open (seed ${seed})`);
}
for (const [why, n] of left) console.log(`${n} cases: ${why}`);
