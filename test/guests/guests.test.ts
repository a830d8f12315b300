/** Kernels in C, as gcc compiles them at every level of optimisation: each says here what it said on QEMU. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { stepperOf } from '../../src/cli/lockstep.ts';
import { FastEngine } from '../../src/cpu/engines/fast/engine.ts';
import { ENGINE_NAMES, Machine, type EngineName, type Stop } from '../../src/machine/machine.ts';
import { runLockstep } from '../../src/trace/lockstep.ts';
import { DEFAULT_QEMU } from '../../src/trace/qemu-recorder.ts';
import { stateHash } from '../support/state-hash.ts';

/** Built by tools/guests/build.sh: PROGRAM-VARIANT.elf, and what PROGRAM prints on QEMU 7.2.22 in PROGRAM.txt. */
const IMAGES = join(import.meta.dirname, 'images');
const BUILD = join(import.meta.dirname, '../../tools/guests/build.sh');
const MAX_INSTRUCTIONS = 4_000_000;
/** How far tests follow QEMU; `longmode lockstep` follows it to the end. */
const LOCKSTEP_INSTRUCTIONS = 25_000;

const MEMORY_BYTES = 64 * 2 ** 20;
/** Instructions between two looks at the state. */
const CHECKPOINT_INSTRUCTIONS = 99_991;

interface Run { readonly text: string; readonly stop: Stop; readonly machine: Machine; readonly states: readonly string[] }

function run(image: string, engine: EngineName = 'auto'): Run {
  const bytes: number[] = [];
  const machine = new Machine({ engine, memoryBytes: MEMORY_BYTES, onOutput: (port, byte) => { if (port === 0) bytes.push(byte); } });
  machine.load(readFileSync(image), { name: 'guest' });
  const states: string[] = [];
  let stop: Stop;
  do {
    stop = machine.run({ maxInstructions: CHECKPOINT_INSTRUCTIONS });
    states.push(`${machine.state.retired} ${stateHash(machine)}`);
  } while (stop.kind === 'instruction-limit' && machine.state.retired < MAX_INSTRUCTIONS);
  return { text: Buffer.from(bytes).toString('latin1'), stop, machine, states };
}
const expected = (image: string): string => readFileSync(join(IMAGES, `${image.split('-')[0]}.txt`), 'latin1');
const images = readdirSync(IMAGES).filter((name) => name.endsWith('.elf')).map((name) => name.slice(0, -'.elf'.length)).sort();

describe('on every engine', () => {
  test.each(images)('%s says what it says on QEMU, ends with all its checks held, and has the same state at each checkpoint', (image) => {
    const file = join(IMAGES, `${image}.elf`);
    const reference = run(file, 'reference');
    for (const engine of ENGINE_NAMES) {
      const { text, stop, machine, states } = engine === 'reference' ? reference : run(file, engine);
      expect(text, engine).toBe(expected(image));
      expect(stop, engine).toEqual({ kind: 'debug-exit', value: 0 });
      expect(machine.boot?.protocol).toBe(image.startsWith('protected32') ? 'multiboot' : 'pvh');
      expect(states, engine).toEqual(reference.states);
      // Generated code did the work.
      const left = machine.engine instanceof FastEngine ? machine.engine.statistics.referenceInstructions : 0;
      expect(left, engine).toBeLessThan(0.5 * machine.state.retired);
    }
  });
});

describe('the compiler at hand', () => {
  const gcc = spawnSync('gcc', ['-dumpmachine'], { encoding: 'utf8' });
  test.skipIf(gcc.error !== undefined || !gcc.stdout.startsWith('x86_64'))('builds guests that say the same', () => {
    const folder = mkdtempSync(join(tmpdir(), 'longmode-guests-'));
    try {
      const rebuilt = ['system-O2', 'protected32-Os', 'floating-O3'];
      const build = spawnSync(BUILD, [folder, ...rebuilt], { encoding: 'utf8' });
      expect(build.status, build.stderr).toBe(0);
      for (const image of rebuilt) {
        const { text, stop } = run(join(folder, `${image}.elf`));
        expect(text).toBe(expected(image));
        expect(stop).toEqual({ kind: 'debug-exit', value: 0 });
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('beside a real QEMU', () => {
  const qemu = spawnSync(DEFAULT_QEMU, ['--version']);
  test.skipIf(qemu.error !== undefined).each(['system-O2', 'protected32-O3', 'floating-O3'])('%s does the same, instruction by instruction', async (name) => {
    const image = join(IMAGES, `${name}.elf`);
    const machine = new Machine({ memoryBytes: MEMORY_BYTES });
    const { entry } = machine.load(readFileSync(image), { name: 'guest' });
    const { lockstep } = await runLockstep({ image, entry, memoryBytes: MEMORY_BYTES }, stepperOf(machine), { maxInstructions: LOCKSTEP_INSTRUCTIONS });
    expect(lockstep.difference).toBeUndefined();
    expect(lockstep.compared).toBe(LOCKSTEP_INSTRUCTIONS);
  });
});
