/** The texts of an image's source files, from a folder that the user names. The image says which: it is hostile, and gets nothing from outside that folder. */
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { ImageNotes } from '../debug/image-notes.ts';
import { pathParts } from '../debug/source-files.ts';
import type { SourceLines } from '../debug/source-lines.ts';
import { CommandError } from './exit-status.ts';
import { readInput } from './files.ts';
import type { Arguments } from './options.ts';

const MOST_FILE_BYTES = 4 * 2 ** 20, MOST_BYTES = 128 * 2 ** 20;

/** What IMAGE says of itself. */
export function notesOfImage(args: Arguments): ImageNotes {
  const [image] = args.operands;
  return image === undefined ? new ImageNotes() : new ImageNotes(() => readInput(image, 'image'));
}

/** Texts by the names that the line table has, of the files whose path, or what remains of it without the first folders, is in the folder. Says how many. Throws CommandError. */
export function readSources(folder: string, lines: SourceLines): Record<string, string> {
  const root = rootOf(folder), names = [...lines.files], texts: [string, string][] = [];
  let bytes = 0;
  for (const name of names) {
    const path = within(root, pathParts(name));
    if (path === undefined) continue;
    const text = readFileSync(path, 'utf8');
    bytes += text.length;
    if (bytes > MOST_BYTES) throw new CommandError('usage', `--source ${folder}: the image's source files have more than ${MOST_BYTES >> 20} MiB`);
    texts.push([name, text]);
  }
  process.stderr.write(lines.problem !== undefined ? `longmode: --source: ${lines.problem}\n` : names.length === 0 ? 'longmode: --source: IMAGE has no line table; compile it with -g\n' : `longmode: ${texts.length} of the ${names.length} source files of IMAGE are in ${folder}\n`);
  return Object.fromEntries(texts);
}

function rootOf(folder: string): string {
  try {
    if (statSync(folder).isDirectory()) return realpathSync(folder);
  } catch { /* said below */ }
  throw new CommandError('usage', `--source ${folder}: there is no such folder`);
}

/** The longest end of a path that is a file in the folder, links followed. */
function within(root: string, parts: readonly string[]): string | undefined {
  for (let first = 0; first < parts.length; first++) {
    const path = join(root, ...parts.slice(first));
    try {
      const real = realpathSync(path), stats = statSync(real);
      if (real.startsWith(root.endsWith(sep) ? root : root + sep) && stats.isFile() && stats.size <= MOST_FILE_BYTES) return real;
    } catch { /* no such file: a shorter end may be one */ }
  }
  return undefined;
}
