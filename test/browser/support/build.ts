/** Builds dist/ and the page in it, so that the browser runs what src/ says. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import buildLibrary from '../../support/build.ts';

export default function build(): void {
  buildLibrary();
  const root = join(import.meta.dirname, '../../..');
  execFileSync(process.execPath, [join(root, 'tools/build-page.mjs')], { cwd: root, stdio: 'inherit' });
}
