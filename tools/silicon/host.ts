/** Runs cases on the host processor through the C harness. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Case, Outcome } from '../../test/support/silicon/world.ts';
import { readOutcomes, writeCases } from './format.ts';

/** Outcomes of the cases, in order. Needs gcc and an x86-64 Linux host. */
export function runOnHost(cases: readonly Case[]): Outcome[] {
  const folder = mkdtempSync(join(tmpdir(), 'silicon-'));
  try {
    const harness = join(folder, 'harness');
    execFileSync('gcc', ['-O2', '-o', harness, new URL('./harness.c', import.meta.url).pathname]);
    writeFileSync(join(folder, 'cases'), writeCases(cases));
    execFileSync(harness, [join(folder, 'cases'), join(folder, 'outcomes')], { stdio: 'inherit', timeout: 120_000 });
    return readOutcomes(readFileSync(join(folder, 'outcomes')), cases);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
