/** The initramfs of the boot test. Without /dev/console the kernel would start /init with nowhere to print. */
import { cpio } from './cpio.ts';
import { initElf } from './init.ts';

export const initramfs = (): Uint8Array => cpio([
  { kind: 'directory', path: 'dev' },
  { kind: 'character-device', path: 'dev/console', major: 5, minor: 1 },
  { kind: 'file', path: 'init', content: initElf(), executable: true },
]);
