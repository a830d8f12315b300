/** The product as it is shipped: what tests import from src/ is loaded by Node itself from dist/, where the build (build.ts) has put it. */
import { dirname, join, relative, resolve } from 'node:path';
import type { Plugin } from 'vitest/config';

const ROOT = join(import.meta.dirname, '../..');
/** What a browser runs is bundled, and not in dist/. */
const BUNDLED = 'debugger/page/';

/**
 * Vite makes a function of every module, which takes longer to load, and looks every import up when it is used: a guest runs slower in it than it
 * does for users.
 */
export const compiled: Plugin = {
  name: 'compiled',
  enforce: 'pre',
  resolveId(source, importer) {
    if (importer === undefined || !source.startsWith('.') || !source.endsWith('.ts')) return undefined;
    const module = relative(join(ROOT, 'src'), resolve(dirname(importer), source));
    if (module.startsWith('..') || module.startsWith(BUNDLED)) return undefined;
    return { id: join(ROOT, 'dist', module.replace(/\.ts$/, '.js')), external: true };
  },
};
