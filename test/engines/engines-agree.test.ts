/** Every engine is in the same state at the same instruction, in whatever slices the machine runs. test/guests says so of kernels that gcc made. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildKernel, kernelElf } from '../../src/kernel/index.ts';
import { ENGINE_NAMES, Machine, type EngineName } from '../../src/machine/machine.ts';
import { stateHash } from '../support/state-hash.ts';

const FAST = ENGINE_NAMES.filter((name) => name !== 'reference');

/** Hashes at the given distances, in instructions, and at the end. */
function checkpoints(image: Uint8Array, engine: EngineName, every: number, memoryBytes: number): { hashes: string[]; machine: Machine } {
  const machine = new Machine({ engine, memoryBytes });
  machine.load(image);
  const hashes: string[] = [];
  for (let n = 0; n < 60; n++) {
    const stop = machine.run({ maxInstructions: every });
    hashes.push(`${stop.kind} ${machine.state.retired} ${stateHash(machine)}`);
    if (stop.kind !== 'instruction-limit') break;
  }
  return { hashes, machine };
}

describe('on the guest kernel', () => {
  it('every engine has the reference engine\'s state at each checkpoint', () => {
    const image = kernelElf(buildKernel());
    const { hashes } = checkpoints(image, 'reference', 249_989, 64 << 20);
    expect(hashes.length).toBeGreaterThan(10);
    for (const engine of FAST) expect(checkpoints(image, engine, 249_989, 64 << 20).hashes, engine).toEqual(hashes);
  });
});

describe('with limits that fall into blocks', () => {
  it.each(FAST)('the %s stops after exactly as many instructions as it may', (engine) => {
    const image = readFileSync(join(import.meta.dirname, '../guests/images/compute-O2.elf'));
    const machine = new Machine({ engine, memoryBytes: 16 << 20 });
    const reference = new Machine({ engine: 'reference', memoryBytes: 16 << 20 });
    machine.load(image);
    reference.load(image);
    let total = 0;
    for (let count = 1; count <= 400; count++) {
      total += count;
      machine.run({ maxInstructions: count });
      reference.run({ maxInstructions: count });
      expect(machine.state.retired).toBe(total);
      expect(machine.state.rip).toBe(reference.state.rip);
    }
    expect(stateHash(machine)).toBe(stateHash(reference));
  });
});
