/** `npm run bench`, with very little work. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const RUN = join(import.meta.dirname, '../../bench/run.mjs');

interface Results {
  readonly runs: readonly { machine: string; workload: string; bits: number; round: number; status: string; seconds: number; count: number }[];
  readonly targets: readonly { says: string; met?: boolean }[];
}

function bench(args: readonly string[], env: NodeJS.ProcessEnv = process.env): { status: number | null; stdout: string; stderr: string; results: Results | undefined } {
  const folder = mkdtempSync(join(tmpdir(), 'longmode-bench-')), file = join(folder, 'results.json');
  try {
    const { status, stdout, stderr } = spawnSync(process.execPath, [RUN, '--json', file, ...args], { encoding: 'utf8', env });
    return { status, stdout, stderr, results: existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) as Results : undefined };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe.skipIf(!existsSync('/proc/self/task'))('the benchmark runner', () => {
  test('measures each row in each round', () => {
    const { status, stdout, results } = bench(['--engines', 'reference', '--peers', 'none', '--only', 'fib', '--bits', '64', '--rounds', '2', '--scale', '0.002', '--sections', 'rows']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^fib \(call \/ ret\) +[\d.]+ MIPS$/m);
    const fib = results?.runs.filter((run) => run.workload === 'fib') ?? [];
    expect(fib.map(({ bits, round, status }) => [bits, round, status])).toEqual([[64, 0, 'ok'], [64, 1, 'ok']]);
    for (const { seconds, count } of fib) expect(seconds / count).toBeGreaterThan(0);
    expect(results?.targets.map(({ met }) => met)).not.toContain(true);
  });

  test('a machine that is not here is one line, and the others are measured', () => {
    const { status, stdout, results } = bench(['--engines', 'reference', '--peers', 'qemu,bochs', '--only', 'fib', '--bits', '64', '--rounds', '1', '--scale', '0.002', '--sections', 'rows'], { ...process.env, PATH: '' });
    expect(status).toBe(0);
    expect(stdout).toMatch(/^n\/a: qemu: not installed .*$/m);
    expect(stdout).toMatch(/^n\/a: bochs: not installed .*$/m);
    expect(results?.runs.map(({ machine }) => machine)).toEqual(['reference']);
  });

  test.each([
    [['--only', 'nonsense'], /^bench: --only: "nonsense" is not one of alu, /],
    [['--rounds', '0'], /^bench: --rounds: "0" is not a number above 0$/m],
    [['--linux', '/no/such/vmlinux'], /^bench: --linux \/no\/such\/vmlinux: there is no such file$/m],
    [['--engines', 'none', '--peers', 'none'], /^bench: there is nothing to measure$/m],
  ])('%j is refused with one line', (args, says) => {
    const { status, stderr, results } = bench(args);
    expect(status).toBe(2);
    expect(stderr).toMatch(says);
    expect(results).toBeUndefined();
  });
});
