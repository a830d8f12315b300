/** The benchmark's guest: every workload gives its checksum, and costs the instructions that bench/instructions.json says. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Machine, type Stop } from '../../src/machine/machine.ts';

interface Row { readonly name: string; readonly group: string; readonly bits?: readonly number[] }

const BENCH = join(import.meta.dirname, '../../bench');
const BUILD = join(import.meta.dirname, '../../tools/bench/build.sh');
const rows = JSON.parse(readFileSync(join(BENCH, 'workloads.json'), 'utf8')) as Row[];
const instructions = JSON.parse(readFileSync(join(BENCH, 'instructions.json'), 'utf8')) as Record<string, Record<string, number>>;
/** Rows with more instructions in a unit are counted by tools/bench/count.mjs only. */
const QUICK_INSTRUCTIONS = 150_000;

const cases = rows.flatMap(({ name, bits = [64, 32] }) => bits.map((width) => [name, width] as const));

function run(folder: string, bits: number, cmdline: string): { text: string; stop: Stop; retired: number } {
  const bytes: number[] = [];
  const machine = new Machine({ memoryBytes: 256 * 2 ** 20, onOutput: (port, byte) => { if (port === 0) bytes.push(byte); } });
  machine.load(readFileSync(join(folder, `bench${bits}.elf`)), { name: 'bench', cmdline });
  const stop = machine.run({ maxInstructions: 3_000_000 });
  return { text: Buffer.from(bytes).toString('latin1'), stop, retired: machine.state.retired };
}
const IMAGES = join(BENCH, 'images');

describe('the prebuilt benchmark guest', () => {
  test.each(cases)('%s in %i bits gives its checksum and costs what is written', (name, bits) => {
    const one = run(IMAGES, bits, `workload=${name} count=1`);
    expect(one.text).toMatch(/^begin\nend [0-9a-f]+ ok\n/);
    expect(one.stop).toEqual({ kind: 'debug-exit', value: 0 });
    const unit = instructions[name]?.[bits] ?? 0;
    expect(unit).toBeGreaterThan(0);
    if (unit > QUICK_INSTRUCTIONS) return;
    const two = run(IMAGES, bits, `workload=${name} count=2`);
    expect(two.retired - one.retired).toBe(unit);
  });

  test('a workload that there is not is a failure, not a measurement', () => {
    const { text, stop } = run(IMAGES, 64, 'workload=nonsense');
    expect(text).toMatch(/^there is no such workload: workload=nonsense\n/);
    expect(stop).toEqual({ kind: 'debug-exit', value: 1 });
  });

  test('regions makes another loop each time', () => {
    const { text, stop } = run(IMAGES, 64, 'workload=regions count=3');
    expect(text).toMatch(/end bb80 ok/);
    expect(stop).toEqual({ kind: 'debug-exit', value: 0 });
  });
});

describe('the compiler at hand', () => {
  const gcc = spawnSync('gcc', ['-dumpmachine'], { encoding: 'utf8' });
  test.skipIf(gcc.error !== undefined || !gcc.stdout.startsWith('x86_64'))('builds a benchmark guest that gives the same checksums', () => {
    const folder = mkdtempSync(join(tmpdir(), 'longmode-bench-'));
    try {
      const build = spawnSync(BUILD, [folder], { encoding: 'utf8' });
      expect(build.status, build.stderr).toBe(0);
      for (const name of ['mix', 'switch', 'fault', 'emit']) {
        for (const bits of [64, 32]) expect(run(folder, bits, `workload=${name} count=1`).stop, `${name} ${bits}`).toEqual({ kind: 'debug-exit', value: 0 });
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
