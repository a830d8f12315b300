/** Reading and writing the user's files: what goes wrong is one line with a documented status, and nothing is left half-written. */
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { CommandError } from './exit-status.ts';

/** Larger input files are refused before they are read, in bytes. */
const MAX_INPUT_BYTES = 2 ** 31;

const reason = (e: unknown): string => {
  const code = (e as { code?: string }).code;
  return code === 'ENOENT' ? 'no such file' : code === 'EACCES' ? 'permission denied' : code === 'EISDIR' ? 'is a directory' : code === 'ENOSPC' ? 'no space left on the disk' : ((e as Error).message ?? String(e));
};

/** Reads an input file. Throws CommandError('image'). */
export function readInput(path: string, what: string): Uint8Array {
  try {
    const { size } = statSync(path);
    if (size > MAX_INPUT_BYTES) throw new Error(`${size} bytes are more than the ${MAX_INPUT_BYTES} that a machine could hold`);
    return readFileSync(path);
  } catch (e) {
    throw new CommandError('image', `${what} ${path}: ${reason(e)}`);
  }
}

/** Writes a file in one go: beside its place first, then renamed. Throws CommandError('output'). */
export function writeOutput(path: string, content: string | Uint8Array): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, content);
    renameSync(temporary, path);
  } catch (e) {
    rmSync(temporary, { force: true });
    throw new CommandError('output', `${path}: cannot be written: ${reason(e)}`);
  }
}
