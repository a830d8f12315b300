/** What Linux unpacks before its first process. Without /dev/console the kernel would start /init with nowhere to print. */
import { cpio, type CpioEntry } from './cpio.ts';
import { initElf } from './init.ts';

const CONSOLE: readonly CpioEntry[] = [
  { kind: 'directory', path: 'dev' },
  { kind: 'character-device', path: 'dev/console', major: 5, minor: 1 },
];

/** The initramfs of the boot test: our init and nothing else. */
export const initramfs = (): Uint8Array => cpio([...CONSOLE, { kind: 'file', path: 'init', content: initElf(), executable: true }]);

/** BusyBox, a static ELF file, with the scripts of tools/linux/busybox: an init that gives a shell on the serial console, and what the test types there. */
export const busyboxInitramfs = (busybox: Uint8Array, scripts: { readonly init: Uint8Array; readonly session: Uint8Array }): Uint8Array => cpio([
  ...CONSOLE,
  { kind: 'directory', path: 'bin' },
  { kind: 'file', path: 'bin/busybox', content: busybox, executable: true },
  { kind: 'file', path: 'init', content: scripts.init, executable: true },
  { kind: 'file', path: 'session.sh', content: scripts.session },
]);
