/**
 * What other emulators make of the recorded cases, for docs/conformance.md: test/golden/conformance/witness-NAME.txt, which `npm run conformance:witnesses`
 * writes (tools/silicon/witnesses.ts). The first line says who was asked, when, and the digest of the recordings; each other is
 * `suite TAB row TAB cases TAB passed TAB example`: the example is one of those that did not pass. A machine that does not have an instruction has `-` for what passed.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import type { WitnessedSuite } from './recordings.ts';

export const WITNESS_NAMES = ['qemu', 'bochs'] as const;
export type WitnessName = (typeof WITNESS_NAMES)[number];

export interface WitnessScore {
  readonly cases: number;
  /** Undefined: it does not have the instruction, which is #UD. */
  readonly passed: number | undefined;
  readonly example: string;
}
export interface Testimony {
  /** The emulator with its version and its processor. */
  readonly who: string;
  /** The day, as YYYY-MM-DD. */
  readonly when: string;
  /** Of the recordings that it was asked about. */
  readonly digest: string;
  readonly scores: Readonly<Record<WitnessedSuite, ReadonlyMap<string, WitnessScore>>>;
}

const TAB = '\t';
const fileOf = (name: WitnessName): URL => new URL(`../../golden/conformance/witness-${name}.txt`, import.meta.url);

export function writeTestimony(name: WitnessName, { who, when, digest, scores }: Testimony): void {
  const lines = Object.entries(scores).flatMap(([suite, rows]) => [...rows].map(([row, x]) => [suite, row, x.cases, x.passed ?? '-', x.example].join(TAB)));
  writeFileSync(fileOf(name), `${[[who, when, digest].join(TAB), ...lines].join('\n')}\n`);
}

export function readTestimony(name: WitnessName): Testimony {
  const [header, ...lines] = readFileSync(fileOf(name), 'utf8').trimEnd().split('\n');
  const [who, when, digest] = header!.split(TAB) as [string, string, string];
  const scores: Record<WitnessedSuite, Map<string, WitnessScore>> = { silicon: new Map(), groups: new Map(), x87: new Map(), alignment: new Map() };
  for (const line of lines) {
    const [suite, row, cases, passed, example] = line.split(TAB) as [WitnessedSuite, string, string, string, string];
    scores[suite].set(row, { cases: Number(cases), passed: passed === '-' ? undefined : Number(passed), example });
  }
  return { who, when, digest, scores };
}
