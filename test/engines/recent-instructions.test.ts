/** Whatever executed them, the last instructions can be listed: the post-mortem of a triple fault does. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { format } from '../../src/cpu/describe/format.ts';
import { RECENT_INSTRUCTIONS } from '../../src/cpu/recent-instructions.ts';
import { buildKernel, kernelElf } from '../../src/kernel/index.ts';
import { ENGINE_NAMES, Machine, type EngineName } from '../../src/machine/machine.ts';
import { fastEngine } from '../support/engine-runs.ts';

const IMAGES = join(import.meta.dirname, '../guests/images');
const FAST = ENGINE_NAMES.filter((name) => name !== 'reference');
const guest = (name: string): Uint8Array => readFileSync(join(IMAGES, `${name}.elf`));

const listing = (machine: Machine): string[] =>
  machine.engine.recentInstructions().map(({ rip, instruction }) => `0x${rip.toString(16)} ${format(instruction, rip)}`);

/** What was executed last, after each stretch of a run. */
function listings(image: Uint8Array, engine: EngineName, every: number, stretches: number): string[][] {
  const machine = new Machine({ engine, memoryBytes: 64 << 20 });
  machine.load(image);
  return Array.from({ length: stretches }, () => {
    machine.run({ maxInstructions: every });
    return listing(machine);
  });
}

describe('the last 32 instructions', () => {
  // Primes, so that stretches end in the middle of blocks.
  it.each([
    ['compute-O2', 5_003, 15], ['protected32-Os', 5_003, 15], ['system-O2', 1_009, 60], ['floating-O2', 5_003, 15], ['compute-Os', 211, 100],
  ] as const)('of %s, every %i instructions, are the same on every engine', (name, every, stretches) => {
    const image = guest(name);
    const expected = listings(image, 'reference', every, stretches);
    expect(expected.at(-1)).toHaveLength(RECENT_INSTRUCTIONS);
    for (const engine of FAST) expect(listings(image, engine, every, stretches), engine).toEqual(expected);
  });

  it('of the guest kernel, which faults, switches address spaces and is interrupted, too', () => {
    const image = kernelElf(buildKernel());
    const expected = listings(image, 'reference', 40_009, 12);
    for (const engine of FAST) expect(listings(image, engine, 40_009, 12), engine).toEqual(expected);
  });

  it('are still known when all code has been forgotten meanwhile', () => {
    const machine = new Machine({ engine: 'translator', memoryBytes: 64 << 20 });
    machine.load(guest('compute-O2'));
    machine.run({ maxInstructions: 100_003 });
    const before = listing(machine);
    fastEngine(machine).code.clear();
    expect(listing(machine)).toEqual(before);
    machine.run({ maxInstructions: 5 });
    expect(listing(machine).slice(0, -5)).toEqual(before.slice(5));
  });
});
