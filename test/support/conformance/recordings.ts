/** All that was recorded of processors, in one list: what the suites of the scoreboard replay, for machines that are not ours. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Row } from '../../../src/cpu/isa/row.ts';
import { differences, flagBits, flagsNotFollowed } from '../silicon/compare.ts';
import { GROUPED, readGroups } from '../silicon/groups.ts';
import { excuse } from '../silicon/left-open.ts';
import { rowOf } from '../silicon/row-of.ts';
import { ALIGNMENT_RECORDING, readRecording, RECORDINGS, type RecordingName } from '../silicon/vectors.ts';
import type { Case, Outcome } from '../silicon/world.ts';
import { asCase, stateOf } from '../x87/as-case.ts';
import { differences as x87Differences, type X87Case } from '../x87/cases.ts';
import { allowedUlps, comparedStatus } from '../x87/follow.ts';
import { readX87Recording, X87_RECORDINGS } from '../x87/recordings.ts';

/** The suites that another machine can run. */
export const WITNESSED = ['silicon', 'groups', 'x87', 'alignment'] as const;
export type WitnessedSuite = (typeof WITNESSED)[number];
/** A case, and what a machine's outcome differs in from the processor's: nothing where the manual leaves that open. */
export interface Judged { readonly suite: WitnessedSuite; readonly row: Row; readonly c: Case; judge(theirs: Outcome): readonly string[] }

const SETS = Object.keys(RECORDINGS) as RecordingName[];
const FILES: Readonly<Record<WitnessedSuite, readonly string[]>> = {
  silicon: SETS.map((set) => RECORDINGS[set]), groups: GROUPED.map(({ file }) => file), x87: Object.values(X87_RECORDINGS), alignment: [ALIGNMENT_RECORDING],
};
const read = (name: string): Buffer => readFileSync(new URL(`../../golden/${name}`, import.meta.url));

/** SHA-256 over the recordings: who was judged by them says by which. */
export function recordingsDigest(): string {
  const hash = createHash('sha256');
  for (const name of Object.values(FILES).flat()) hash.update(`${name}\n`).update(read(name));
  return hash.digest('hex');
}

function judgedSilicon(suite: WitnessedSuite, c: Case, outcome: Outcome): Judged {
  const row = rowOf(c);
  return {
    suite, row, c,
    judge: (theirs) => {
      const lines = differences(outcome, theirs, flagsNotFollowed(row, outcome) | flagBits(row.undefinedFlags), row);
      return lines.length > 0 && excuse(row, c, outcome, theirs, lines) !== undefined ? [] : lines;
    },
  };
}
function judgedX87(recorded: X87Case): Judged {
  const c = asCase(recorded), row = rowOf(c);
  return {
    suite: 'x87', row, c,
    judge: (theirs) => {
      const state = stateOf(recorded, theirs);
      return typeof state === 'string' ? [state] : x87Differences(recorded.after, state, comparedStatus(row), allowedUlps(row));
    },
  };
}

/** The cases of a suite. */
export function recordedCases(suite: WitnessedSuite): Judged[] {
  if (suite === 'x87') return (['few', 'many'] as const).flatMap((name) => readX87Recording(name).cases.map(judgedX87));
  const files = FILES[suite].map(read);
  const recorded = suite === 'groups' ? files.flatMap((file) => readGroups(file).groups.flat()) : files.flatMap((file) => readRecording(file).cases);
  return recorded.map(({ c, outcome }) => judgedSilicon(suite, c, outcome));
}
