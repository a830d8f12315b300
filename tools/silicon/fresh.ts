/** Fresh cases of rows on the host processor, and on every engine: the reference engine is held to the processor, the others to the reference engine. */
import type { Row } from '../../src/cpu/isa/row.ts';
import { ROWS } from '../../src/cpu/isa/table/index.ts';
import { ENGINES } from '../../test/support/conformance/score.ts';
import { nameOfRow } from '../../test/support/row-name.ts';
import { Random } from '../../test/support/random.ts';
import { describeCase, differences, flagBits, flagsNotFollowed } from '../../test/support/silicon/compare.ts';
import { excuse } from '../../test/support/silicon/left-open.ts';
import { SiliconWorld } from '../../test/support/silicon/run.ts';
import type { Case } from '../../test/support/silicon/world.ts';
import { describeX87Case, differences as x87Differences } from '../../test/support/x87/cases.ts';
import { allowedUlps, comparedStatus, notFollowed } from '../../test/support/x87/follow.ts';
import { X87World } from '../../test/support/x87/run.ts';
import { casesOfOneEncoding, codeSizesOf, drawInput, lanesOf } from './generate.ts';
import { x87CaseFor } from './generate-x87.ts';
import { runOnHost } from './host.ts';
import { runX87OnHost } from './host-x87.ts';

/** What came of cases. */
export interface Tally {
  cases: number;
  /** How many differ where that is left open, by the reason. */
  readonly open: Map<string, number>;
  readonly failures: string[];
}
/** Draws cases of the rows with a seed, and counts what comes of them. */
export type Replay = (rows: readonly Row[], seed: number, tally: Tally) => void;

/** Encodings of a row in each of its modes, and cases of an encoding: what an engine has made of code serves many of them. */
const ENCODINGS = 4, CASES_EACH = 25;
/** Cases of an x87 row: in one mode, and of few encodings. */
const X87_CASES = 100;

/** A row's own random numbers of a seed, whatever rows are drawn beside it. */
const randomOf = (row: Row, seed: number): Random => new Random(Math.imul(seed * 10_007 + ROWS.indexOf(row) + 1, 0x9e37_79b1));
const leaveOpen = ({ open }: Tally, why: string): void => { open.set(why, (open.get(why) ?? 0) + 1); };
const failure = (row: Row, what: string, engine: string, lines: readonly string[]): string => [`${nameOfRow(row)} on ${engine}: ${what}`, ...lines].join('\n  ');

/** A replay of translated rows. */
export function siliconReplay(): Replay {
  const worlds = ENGINES.map((engine) => ({ engine, world: new SiliconWorld(engine) }));
  const [{ world: reference }, ...others] = worlds as [(typeof worlds)[number], ...typeof worlds];
  return (rows, seed, tally) => {
    const groups: { readonly row: Row; readonly cases: readonly Case[] }[] = [];
    for (const row of rows) {
      const shapes = randomOf(row, seed), lanes = lanesOf(row);
      for (const codeSize of codeSizesOf(row)) {
        for (let n = 0; n < ENCODINGS; n++) {
          const cases = casesOfOneEncoding(row, codeSize, shapes.u32(), CASES_EACH, (r) => drawInput(r, lanes));
          if (cases.length > 0) groups.push({ row, cases });
        }
      }
    }
    const silicon = runOnHost(groups.flatMap(({ cases }) => cases));
    for (const { world } of worlds) world.prepare(groups.map(({ cases }) => cases[0]!));
    let at = 0;
    for (const { row, cases } of groups) {
      for (const c of cases) {
        const outcome = silicon[at++]!, ours = reference.run(c);
        const lines = differences(outcome, ours, flagsNotFollowed(row, outcome) | flagBits(row.undefinedFlags), row);
        const why = lines.length > 0 ? excuse(row, c, outcome, ours, lines) : undefined;
        if (why !== undefined) leaveOpen(tally, why);
        else if (lines.length > 0) tally.failures.push(failure(row, describeCase(c), 'reference', lines));
        for (const { engine, world } of others) {
          const unlike = differences(ours, world.run(c));
          if (unlike.length > 0) tally.failures.push(failure(row, describeCase(c), engine, unlike.map((line) => line.replace('silicon', 'reference'))));
        }
      }
    }
    tally.cases += at;
  };
}

/** A replay of x87 rows. */
export function x87Replay(): Replay {
  const worlds = ENGINES.map((engine) => ({ engine, world: new X87World(engine) }));
  const [{ world: reference }, ...others] = worlds as [(typeof worlds)[number], ...typeof worlds];
  return (rows, seed, tally) => {
    const jobs = rows.flatMap((row) => {
      const r = randomOf(row, seed);
      return Array.from({ length: X87_CASES }, () => ({ row, ...x87CaseFor(r, row) }));
    });
    const silicon = runX87OnHost(jobs);
    jobs.forEach(({ row, code, before }, k) => {
      const after = silicon[k]!, ours = reference.run(code, before);
      const note = (engine: string, lines: readonly string[]): void => { if (lines.length > 0) tally.failures.push(failure(row, describeX87Case(code, before), engine, lines)); };
      const why = notFollowed(row, before, after);
      if (why !== undefined) leaveOpen(tally, why);
      else note('reference', x87Differences(after, ours, comparedStatus(row), allowedUlps(row)));
      for (const { engine, world } of others) note(engine, x87Differences(ours, world.run(code, before)));
    });
    tally.cases += jobs.length;
  };
}
