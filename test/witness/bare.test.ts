/**
 * The bare machine on which other emulators are asked about recorded cases (tools/silicon/bare/), run here: what silicon did has to come out, so
 * that a difference there is not the machine's.
 */
import { expect, test } from 'vitest';
import { Machine, type EngineName } from '../../src/machine/machine.ts';
import { physical } from '../../src/state/addresses.ts';
import { bareImage } from '../../tools/silicon/bare/image.ts';
import { CASES, casesBytes, FIRST_OUTCOME, MEMORY_BYTES, OUTCOMES } from '../../tools/silicon/bare/layout.ts';
import { OUTCOME_BYTES, readOutcomes } from '../../tools/silicon/format.ts';
import { recordedCases, WITNESSED } from '../support/conformance/recordings.ts';
import { describeCase } from '../support/silicon/compare.ts';
import type { Case, Outcome } from '../support/silicon/world.ts';

function runHere(cases: readonly Case[], engine: EngineName): Outcome[] {
  const machine = new Machine({ engine, cpu: 'max', memoryBytes: MEMORY_BYTES });
  machine.load(bareImage().elf);
  machine.memory.copyIn(physical(CASES), casesBytes(cases));
  expect(machine.run({ maxInstructions: 20_000_000 })).toEqual({ kind: 'debug-exit', value: 0 });
  expect(machine.memory.read(physical(OUTCOMES), 4)).toBe(cases.length);
  return readOutcomes(Buffer.from(machine.memory.copyOut(physical(FIRST_OUTCOME), cases.length * OUTCOME_BYTES)), cases);
}

/** So many of a suite, from all over it. */
const CHOSEN = { silicon: 60, groups: 0, x87: 30, alignment: 10 } as const;
const chosen = WITNESSED.flatMap((suite) => {
  const count = CHOSEN[suite];
  const cases = count === 0 ? [] : recordedCases(suite);
  return Array.from({ length: count }, (_, n) => cases[Math.floor((n * cases.length) / count)]!);
});

test.each(['reference', 'auto'] as const)('cases on the bare machine come out as on silicon › %s', (engine) => {
  const outcomes = runHere(chosen.map((x) => x.c), engine);
  const failures = chosen.flatMap((x, k) => { const lines = x.judge(outcomes[k]!); return lines.length === 0 ? [] : [[describeCase(x.c), ...lines].join('\n  ')]; });
  expect(failures).toEqual([]);
});
