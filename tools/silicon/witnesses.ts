/**
 * Asks other emulators about the recorded cases: `npm run conformance:witnesses -- [--witness qemu|bochs] [--only MNEMONIC]` (Node 24, QEMU, Debian's Bochs; some
 * minutes) runs them on the bare machine (bare/image.ts) of each and writes test/golden/conformance/witness-NAME.txt, which docs/conformance.md shows. With
 * `--only` it prints the cases of a mnemonic that do not come out as on silicon, and writes nothing.
 */
import { parseArgs } from 'node:util';
import { VECTOR } from '../../src/cpu/exceptions.ts';
import { format } from '../../src/cpu/describe/format.ts';
import { recordedCases, recordingsDigest, WITNESSED, type Judged, type WitnessedSuite } from '../../test/support/conformance/recordings.ts';
import { WITNESS_NAMES, writeTestimony, type WitnessName, type WitnessScore } from '../../test/support/conformance/witnesses.ts';
import { nameOfRow } from '../../test/support/row-name.ts';
import { describeCase, hexBytes } from '../../test/support/silicon/compare.ts';
import { instructionOf } from '../../test/support/silicon/row-of.ts';
import { START, type Outcome } from '../../test/support/silicon/world.ts';
import { bochs, qemu, runOnWitness, type Witness } from './bare/machines.ts';

const { values } = parseArgs({ options: { witness: { type: 'string' }, only: { type: 'string' } } });
const MACHINES: Readonly<Record<WitnessName, Witness>> = { qemu, bochs };
const names = values.witness === undefined ? WITNESS_NAMES : [values.witness as WitnessName];
if (names.some((name) => !(name in MACHINES))) throw new Error(`--witness ${WITNESS_NAMES.join(' or ')}: whom to ask`);

/** A case that did not pass, in a line. */
const exampleOf = ({ c }: Judged, lines: readonly string[], title: string): string =>
  `\`${hexBytes(c.code)}\` ${format(instructionOf(c), START)}: ${lines[0]!.replace(', ours ', `, ${title} `)}${lines.length > 1 ? `, and ${lines.length - 1} more` : ''}`;

/** What came of each row. It does not have the instruction where each of its cases is #UD. */
function scoresOf(cases: readonly Judged[], outcomes: readonly Outcome[], title: string): ReadonlyMap<string, WitnessScore> {
  const rows = new Map<string, { cases: number; passed: number; undefined: number; example: string }>();
  cases.forEach((x, k) => {
    const name = nameOfRow(x.row), theirs = outcomes[k]!, lines = x.judge(theirs);
    const score = rows.get(name) ?? { cases: 0, passed: 0, undefined: 0, example: '' };
    rows.set(name, score);
    score.cases++;
    if (theirs.fault?.vector === VECTOR.UD) score.undefined++;
    if (lines.length === 0) score.passed++;
    else if (score.example === '') score.example = exampleOf(x, lines, title);
  });
  return new Map([...rows].map(([name, x]) => [name, x.undefined === x.cases && x.passed < x.cases ? { cases: x.cases, passed: undefined, example: '' } : { cases: x.cases, passed: x.passed, example: x.example }]));
}

for (const name of names) {
  const witness = MACHINES[name];
  const scores: Partial<Record<WitnessedSuite, ReadonlyMap<string, WitnessScore>>> = {};
  for (const suite of WITNESSED) {
    const cases = recordedCases(suite).filter((x) => values.only === undefined || x.row.mnemonic === values.only);
    const outcomes = runOnWitness(witness, cases.map((x) => x.c));
    const found = scores[suite] = scoresOf(cases, outcomes, witness.title);
    if (values.only !== undefined) cases.forEach((x, k) => { const lines = x.judge(outcomes[k]!); if (lines.length > 0) console.log([`${nameOfRow(x.row)}: ${describeCase(x.c)}`, ...lines].join('\n  ')); });
    const passed = [...found.values()].reduce((n, x) => n + (x.passed ?? 0), 0), absent = [...found.values()].filter((x) => x.passed === undefined).length;
    console.log(`${witness.title}, ${suite}: ${passed} of ${cases.length} cases pass; ${absent} of ${found.size} rows it does not have`);
  }
  if (values.only === undefined) writeTestimony(name, { who: witness.version(), when: new Date().toISOString().slice(0, 10), digest: recordingsDigest(), scores: scores as Required<typeof scores> });
}
