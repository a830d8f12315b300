/** Runs cases on the host processor through the C harnesses. Needs gcc and an x86-64 Linux host. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Case, Outcome } from '../../test/support/silicon/world.ts';
import { readOutcomes, writeCases } from './format.ts';

/** What a harness makes of its input. `source`: its file here. */
export function runHarness(source: 'harness.c' | 'x87.c', input: Uint8Array): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'silicon-'));
  try {
    const harness = join(folder, 'harness');
    execFileSync('gcc', ['-O2', '-o', harness, new URL(source, import.meta.url).pathname]);
    writeFileSync(join(folder, 'cases'), input);
    execFileSync(harness, [join(folder, 'cases'), join(folder, 'outcomes')], { stdio: 'inherit', timeout: 120_000 });
    return readFileSync(join(folder, 'outcomes'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Outcomes of the cases, in order. */
export const runOnHost = (cases: readonly Case[]): Outcome[] => readOutcomes(runHarness('harness.c', writeCases(cases)), cases);

/** The name of the host processor. */
export const processorName = (): string => /^model name\s*: (.*)$/m.exec(readFileSync('/proc/cpuinfo', 'latin1'))?.[1] ?? 'unknown';
