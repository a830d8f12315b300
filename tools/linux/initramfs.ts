/** Writes the initramfs of the boot test, /init and /dev/console: `node tools/linux/initramfs.ts FILE` (Node 24). */
import { writeFileSync } from 'node:fs';
import { cpio } from './cpio.ts';
import { initElf } from './init.ts';

/** The archive: without /dev/console the kernel would start /init with nowhere to print. */
export const initramfs = (): Uint8Array => cpio([
  { kind: 'directory', path: 'dev' },
  { kind: 'character-device', path: 'dev/console', major: 5, minor: 1 },
  { kind: 'file', path: 'init', content: initElf(), executable: true },
]);

if (import.meta.main) {
  const [file] = process.argv.slice(2);
  if (file === undefined) throw new Error('usage: node tools/linux/initramfs.ts FILE');
  writeFileSync(file, initramfs());
}
