/**
 * Puts beside FOLDER/vmlinuz and FOLDER/busybox what a boot needs: the ELF file in vmlinuz as vmlinux (of a kernel for clouds), initramfs.cpio with our init,
 * and busybox.cpio with BusyBox and the scripts of tools/linux/busybox.
 * `node tools/linux/prepare.ts FOLDER` (Node 24); fetch.sh calls it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { busyboxInitramfs, initramfs } from './initramfs.ts';
import { extractVmlinux, hasLz4Payload } from './vmlinux.ts';

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: node tools/linux/prepare.ts FOLDER');
const vmlinuz = readFileSync(join(folder, 'vmlinuz'));
if (hasLz4Payload(vmlinuz)) writeFileSync(join(folder, 'vmlinux'), extractVmlinux(vmlinuz));
else console.log('no vmlinux: the payload of vmlinuz is not compressed with lz4; vmlinuz boots and unpacks itself');
writeFileSync(join(folder, 'initramfs.cpio'), initramfs());
const script = (name: string): Uint8Array => readFileSync(new URL(`busybox/${name}`, import.meta.url));
writeFileSync(join(folder, 'busybox.cpio'), busyboxInitramfs(readFileSync(join(folder, 'busybox')), { init: script('init'), session: script('session.sh') }));
