/** Runs `bin/longmode.js` as a user does, in a folder of its own. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

/** The command itself. */
export const PROGRAM = join(import.meta.dirname, '../../bin/longmode.js');

export interface Outcome { readonly status: number | null; readonly stdout: string; readonly stderr: string }

/** Runs one command line to its end. */
export function longmode(words: readonly string[], options: { input?: string; cwd?: string; timeout?: number } = {}): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...words], { encoding: 'latin1', input: options.input ?? '', cwd: options.cwd, timeout: options.timeout ?? 60_000 });
  return { status, stdout, stderr };
}

/** A temporary folder that goes away after the tests of the file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'longmode-test-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
