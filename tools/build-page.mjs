/**
 * The debugger's page as files in dist/page: page and worker bundled, and the guest kernel with its sources as the example. Any server of static
 * files can serve the folder; `longmode debug` does. Run after tsc, which makes the dist/ that the example is assembled with.
 */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { buildKernel, kernelElf } from '../dist/kernel/index.js';
import { sourceMapResolver } from '../dist/cli/source-maps.js';

const root = join(import.meta.dirname, '..'), page = join(root, 'src/debugger/page'), out = join(root, 'dist/page');
mkdirSync(out, { recursive: true });
await build({
  entryPoints: { page: join(page, 'main.ts'), worker: join(root, 'src/debugger/worker/main.ts') },
  outdir: out, bundle: true, format: 'esm', target: 'es2022', minify: true, sourcemap: 'linked', logLevel: 'warning',
});
await build({ entryPoints: { page: join(page, 'style.css') }, outdir: out, bundle: true, minify: true, logLevel: 'warning' });
copyFileSync(join(page, 'index.html'), join(out, 'index.html'));

writeFileSync(join(out, 'kernel.elf'), kernelElf(buildKernel({ resolveLocation: sourceMapResolver() }), { compilationDirectory: '.' }));
const kernel = join(root, 'src/kernel');
const sources = readdirSync(kernel, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts')).map((name) => `src/kernel/${name}`);
writeFileSync(join(out, 'kernel-sources.json'), JSON.stringify(Object.fromEntries(sources.map((name) => [name, readFileSync(join(root, name), 'utf8')]))));
writeFileSync(join(out, 'boot.json'), JSON.stringify({ example: { name: 'guest kernel', image: 'kernel.elf', sources: 'kernel-sources.json' } }));
