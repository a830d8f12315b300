/** Reading and writing the user's files: what goes wrong is one line with a documented status, and nothing is left half-written. */
import { closeSync, openSync, readSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import { CommandError } from './exit-status.ts';

/** Larger input files are refused before they are read, in bytes; a pipe as soon as it has given more. */
const MAX_INPUT_BYTES = 2 ** 31, MAX_PIPE_BYTES = 2 ** 28, CHUNK_BYTES = 2 ** 20;

const reason = (e: unknown): string => {
  const code = (e as { code?: string }).code;
  return code === 'ENOENT' ? 'no such file' : code === 'EACCES' ? 'permission denied' : code === 'EISDIR' ? 'is a directory' : code === 'ENOSPC' ? 'no space left on the device' : ((e as Error).message ?? String(e));
};

/** Reads an input file, or a pipe (`<(...)`) to its end. Throws CommandError('image'). */
export function readInput(path: string, what: string): Uint8Array {
  try {
    const stats = statSync(path);
    if (stats.isFIFO()) return readPipe(path);
    if (stats.isDirectory()) throw new Error('is a directory');
    if (!stats.isFile()) throw new Error('is neither a file nor a pipe');
    if (stats.size > MAX_INPUT_BYTES) throw new Error(`${stats.size} bytes are more than the ${MAX_INPUT_BYTES} that an input file may have`);
    return readFileSync(path);
  } catch (e) {
    throw new CommandError('image', `${what} ${path}: ${reason(e)}`);
  }
}

function readPipe(path: string): Uint8Array {
  const file = openSync(path, 'r');
  try {
    const chunks: Uint8Array[] = [];
    for (let total = 0; ;) {
      const chunk = new Uint8Array(CHUNK_BYTES);
      const count = readSync(file, chunk);
      if (count === 0) return Buffer.concat(chunks);
      total += count;
      if (total > MAX_PIPE_BYTES) throw new Error(`a pipe may give ${MAX_PIPE_BYTES} bytes at most`);
      chunks.push(chunk.subarray(0, count));
    }
  } finally {
    closeSync(file);
  }
}

/** Why a file cannot be made: what is not there then is its folder. */
export function outputReason(path: string, e: unknown): string {
  return (e as { code?: string }).code === 'ENOENT' ? `there is no folder ${dirname(path)}` : reason(e);
}

/** What is at a path now; undefined when nothing is. */
function existing(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false });
}

/** Writes a file in one go: a regular file beside its place first, then renamed; a device or pipe as it is. Links are followed. Throws CommandError('output'). */
export function writeOutput(path: string, content: string | Uint8Array): void {
  let temporary: string | undefined;
  try {
    const before = existing(path);
    if (before && !before.isFile()) {
      writeFileSync(path, content);
      return;
    }
    const target = before ? realpathSync(path) : path;
    temporary = `${target}.${process.pid}.tmp`;
    writeFileSync(temporary, content, before ? { mode: before.mode } : {});
    renameSync(temporary, target);
  } catch (e) {
    if (temporary !== undefined) rmSync(temporary, { force: true });
    throw new CommandError('output', `${path}: cannot be written: ${outputReason(path, e)}`);
  }
}

/** Where an output that is renamed into place goes: links followed. Throws CommandError('output') for what is no regular file. */
export function regularOutput(path: string): string {
  const before = existing(path);
  if (before && !before.isFile()) throw new CommandError('output', `${path}: cannot be written: is not a regular file`);
  return before ? realpathSync(path) : path;
}
