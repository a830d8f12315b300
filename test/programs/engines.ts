/** A batch of random programs on all engines, with switches from one to the other in mid-run; a failure as text. */
import { captureState, replaceState } from '../../src/machine/machine-state.ts';
import type { Machine, EngineName } from '../../src/machine/machine.ts';
import { PAGE_SIZE, physical } from '../../src/state/addresses.ts';
import { wholeState } from '../machine/support/guests.ts';
import { Random } from '../support/random.ts';
import { MEMORY_BYTES, programsImage } from './image.ts';
import type { Program } from './program.ts';
import { difference, exceptionText, FAST, LIMIT, programsMachine, randomSlices, runImage, type EngineRun } from './run.ts';
import { pasteable, shrink } from './shrink.ts';

const ENGINES: readonly EngineName[] = ['reference', ...FAST];

/** One machine for each engine; the state goes from one to the next after every slice, so that none has seen what went before. */
function runSwitching(image: Uint8Array, slices: readonly number[], r: Random): EngineRun {
  const machines = ENGINES.map(programsMachine);
  const exceptions: string[] = [], checkpoints: string[] = [];
  for (const { cpu } of machines) cpu.onException = (vector, errorCode, cr2, rip, kind) => { exceptions.push(exceptionText(vector, errorCode, cr2, rip, kind)); };
  let machine = machines[0]!;
  machine.load(image);
  for (let n = 0; ; n++) {
    const next = r.pick(machines);
    if (next !== machine) hand(machine, next);
    machine = next;
    const stop = machine.run({ maxInstructions: slices[n % slices.length]! });
    checkpoints.push(`${stop.kind} ${wholeState(machine)}`);
    if (stop.kind !== 'instruction-limit' || machine.state.retired + machine.cpu.deliveries >= LIMIT) return { checkpoints, exceptions, stop, machine };
  }
}
function hand(from: Machine, to: Machine): void {
  replaceState(to, captureState(from));
  for (let frame = 0; frame < MEMORY_BYTES / PAGE_SIZE; frame++) to.memory.replaceFrame(frame, from.memory.copyOut(physical(frame * PAGE_SIZE), PAGE_SIZE));
}

/** What the engines do not agree on, or nothing. */
export function disagreement(programs: readonly Program[], seed: number): string | undefined {
  if (programs.length === 0) return undefined;
  // Where they are on, generated code does not run at CPL 3.
  const image = programsImage(programs, { alignmentChecks: seed % 2 === 1 });
  const slices = randomSlices(new Random(seed));
  const reference = runImage(image, 'reference', slices);
  for (const engine of FAST) {
    const differs = difference(reference, runImage(image, engine, slices));
    if (differs !== undefined) return `${engine}: ${differs}`;
  }
  const differs = difference(reference, runSwitching(image, slices, new Random(seed)));
  return differs && `engines in turn: ${differs}`;
}

/** Throws an error with a test to paste if the engines do not agree on the batch. */
export async function expectAgreement(programs: readonly Program[], seed: number): Promise<void> {
  const what = disagreement(programs, seed);
  if (what === undefined) return;
  const small = await shrink(programs, (fewer) => disagreement(fewer, seed) !== undefined);
  throw new Error(`${what}\nSEED=${seed}; shrunk, for test/programs/found.test.ts:\n${small.map(pasteable).join('\n')}\n(${disagreement(small, seed)})`);
}
