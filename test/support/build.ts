/** Builds dist/ and the command once before the tests, so that they, and the `bin/longmode.js` that they start, run what src/ says. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

export default function build(): void {
  const root = join(import.meta.dirname, '../..');
  execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
  execFileSync(process.execPath, [join(root, 'tools/build-cli.mjs')], { cwd: root, stdio: 'inherit' });
}
