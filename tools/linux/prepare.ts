/**
 * Puts beside FOLDER/vmlinuz what a boot needs: the ELF file in it as vmlinux, and initramfs.cpio with our init.
 * `node tools/linux/prepare.ts FOLDER` (Node 24); fetch.sh calls it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { initramfs } from './initramfs.ts';
import { extractVmlinux } from './vmlinux.ts';

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: node tools/linux/prepare.ts FOLDER');
writeFileSync(join(folder, 'vmlinux'), extractVmlinux(readFileSync(join(folder, 'vmlinuz'))));
writeFileSync(join(folder, 'initramfs.cpio'), initramfs());
