/**
 * Random programs of up to 200 instructions, in every mode, on every engine: the same state at checkpoints, the same exceptions.
 * `npm test` runs a few batches; `npm run fuzz:programs` PROGRAMS of them (2,000 if it does not say), SEED repeats a run.
 */
import { describe, it } from 'vitest';
import { Random, seedOf } from '../support/random.ts';
import { expectAgreement } from './engines.ts';
import { MODES } from './modes.ts';
import { randomProgram } from './program.ts';

/** Programs of an image. */
const BATCH = 6;
const wanted = Number(process.env['PROGRAMS'] ?? BATCH * MODES.length);
const batches = Math.max(1, Math.round(wanted / MODES.length / BATCH));

describe('random programs run the same on every engine', () => {
  const seed = seedOf('random programs');
  it.each(MODES)('in $name', { timeout: 3_600_000 }, async (mode) => {
    for (let n = 0; n < batches; n++) {
      // Each batch has a seed of its own: SEED and PROGRAMS=1 repeat the one that failed.
      const own = (seed + n * 0x9e37) >>> 0;
      const r = new Random(own);
      await expectAgreement(Array.from({ length: BATCH }, () => randomProgram(r, mode, { most: 200, wideAddresses: true })), own);
    }
  });
});
