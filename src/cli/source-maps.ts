/** Positions in dist/*.js back to src/*.ts, through the source maps that the build leaves beside each file. */
import { existsSync, readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ResolveLocation } from '../assembler/index.ts';

/** The folder of the package: what source file names are relative to. */
export const PACKAGE_ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Makes a resolver that reads each source map once. A file without a map keeps its own position. */
export function sourceMapResolver(): ResolveLocation {
  const maps = new Map<string, SourceMap | undefined>();
  const mapOf = (path: string): SourceMap | undefined => {
    if (!maps.has(path)) maps.set(path, existsSync(`${path}.map`) ? new SourceMap(JSON.parse(readFileSync(`${path}.map`, 'utf8'))) : undefined);
    return maps.get(path);
  };
  return (file, line, column) => {
    const path = file.startsWith('file:') ? fileURLToPath(file) : file;
    const entry = mapOf(path)?.findEntry(line - 1, column - 1);
    if (!entry || !('originalSource' in entry)) return { file: relative(PACKAGE_ROOT, path), line };
    return { file: relative(PACKAGE_ROOT, resolve(dirname(path), entry.originalSource)), line: entry.originalLine + 1 };
  };
}
