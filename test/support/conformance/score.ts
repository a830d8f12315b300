/**
 * What the suites of recorded cases count for docs/conformance.md: of each row, how many cases there are and how many of them come out
 * on each engine as recorded. A suite notes its replays here while it makes them, and holds the sums against its file in
 * test/golden/conformance/ (`npm run conformance` writes them anew): a line a row, `row TAB cases TAB passed by each engine`.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Row } from '../../../src/cpu/isa/row.ts';
import { ROWS } from '../../../src/cpu/isa/table/index.ts';
import { nameOfRow } from '../row-name.ts';

/** `auto` is the translator for code that stays. */
export const ENGINES = ['reference', 'interpreter', 'translator'] as const;
export type ScoredEngine = (typeof ENGINES)[number];
/** The suites. The corpus of QEMU's traces is replayed on the reference engine, which steps as QEMU's log does. */
export const SUITES = {
  silicon: { title: 'silicon cases', engines: ENGINES },
  groups: { title: 'grouped silicon cases', engines: ENGINES },
  x87: { title: 'x87 cases', engines: ENGINES },
  alignment: { title: 'alignment checks', engines: ENGINES },
  traces: { title: 'QEMU traces', engines: ['reference'] },
} as const satisfies Readonly<Record<string, { title: string; engines: readonly ScoredEngine[] }>>;
export type Suite = keyof typeof SUITES;

/** Of one row: its cases, and those that passed, in the order of the suite's engines. */
export interface RowScore { readonly cases: number; readonly passed: readonly number[] }

const TAB = '\t';
const fileOf = (suite: Suite): URL => new URL(`../../golden/conformance/${suite}.txt`, import.meta.url);

/** A suite that is being replayed. */
export class Score {
  readonly #suite: Suite;
  readonly #rows = new Map<string, { cases: number; passed: number }[]>();
  constructor(suite: Suite) { this.#suite = suite; }

  note(row: Row, engine: ScoredEngine, passed: boolean): void {
    const engines: readonly ScoredEngine[] = SUITES[this.#suite].engines;
    const name = nameOfRow(row);
    let counts = this.#rows.get(name);
    if (counts === undefined) this.#rows.set(name, counts = engines.map(() => ({ cases: 0, passed: 0 })));
    const count = counts[engines.indexOf(engine)]!;
    count.cases++;
    if (passed) count.passed++;
  }

  /** A test that stands behind the last replay of the suite: every engine has had every case, and the file says how that went. Run by itself (-t), it knows nothing. */
  isCounted(): void {
    test(`the scoreboard counts the ${SUITES[this.#suite].title}`, async () => {
      // The table has lines that are spelled alike and differ in their modes.
      const names = [...new Set(ROWS.map(nameOfRow))].filter((name) => this.#rows.has(name));
      const lines = names.map((name) => {
        const counts = this.#rows.get(name)!, cases = counts[0]!.cases;
        expect(counts.map((x) => x.cases), name).toEqual(counts.map(() => cases));
        return [name, cases, ...counts.map((x) => x.passed)].join(TAB);
      });
      await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(fileOf(this.#suite).pathname);
    });
  }
}

/** What the file of a suite says, by the name of the row. */
export function readScore(suite: Suite): ReadonlyMap<string, RowScore> {
  const lines = readFileSync(fileOf(suite), 'utf8').trimEnd().split('\n');
  return new Map(lines.map((line) => {
    const [name, cases, ...passed] = line.split(TAB) as [string, ...string[]];
    return [name, { cases: Number(cases), passed: passed.map(Number) }];
  }));
}
