/**
 * A bzImage: a setup header that describes it, real-mode code (not used here), then the protected-mode part, which is
 * loaded at its preferred address and entered 0x200 bytes further on. Linux, "The Linux/x86 Boot Protocol".
 */
import { FileReader, ImageError } from './image-error.ts';
import { planLinux, SETUP_HEADER, type LinuxOptions } from './linux.ts';
import type { BootPlan } from './plan.ts';

/** Offsets in the file. */
const SETUP_SECTS = 0x1f1, SYSSIZE = 0x1f4, BOOT_FLAG = 0x1fe, JUMP = 0x200, HEADER = 0x202, VERSION = 0x206, LOADFLAGS = 0x211;
const INITRD_ADDR_MAX = 0x22c, XLOADFLAGS = 0x236, CMDLINE_SIZE = 0x238, PREF_ADDRESS = 0x258, INIT_SIZE = 0x260;
const BOOT_FLAG_VALUE = 0xaa55, HDRS = 0x5372_6448;
/** The first version of the protocol that has xloadflags. */
const VERSION_2_12 = 0x020c;
const LOADED_HIGH = 0x01, XLF_KERNEL_64 = 0x01;
const SECTOR = 512, ENTRY_64 = 0x200;
/** Where the fields of the setup header end in boot_params. */
const HEADER_LIMIT = 0x290;

/** Whether the file says that it is a Linux kernel with a setup header. */
export const isBzImage = (file: Uint8Array): boolean => {
  if (file.length < HEADER + 4) return false;
  const r = new FileReader(file);
  return r.u16(BOOT_FLAG, 'boot_flag') === BOOT_FLAG_VALUE && r.u32(HEADER, 'header') === HDRS;
};

const name = (field: string): string => `bzImage setup header ${field}`;

/** Makes the plan for a bzImage. Throws ImageError naming the field that is wrong. */
export function planBzImage(file: Uint8Array, options: LinuxOptions): BootPlan {
  const r = new FileReader(file);
  if (!isBzImage(file)) throw new ImageError(`${name('header')}: the magic number "HdrS" is missing at 0x202`);
  const version = r.u16(VERSION, name('version'));
  if (version < VERSION_2_12) throw new ImageError(`${name('version')}: ${version >> 8}.${version & 0xff} is too old; 2.12 has the 64-bit entry`);
  // The byte behind the jump opcode says where the header ends.
  const headerEnd = Math.min(HEADER + (r.u16(JUMP, name('jump')) >> 8), HEADER_LIMIT);
  if (headerEnd < INIT_SIZE + 4) throw new ImageError(`${name('jump')}: the header ends at 0x${headerEnd.toString(16)}, before init_size`);
  if ((r.u16(XLOADFLAGS, name('xloadflags')) & XLF_KERNEL_64) === 0) throw new ImageError(`${name('xloadflags')}: no 64-bit entry (XLF_KERNEL_64), so this is no x86-64 kernel`);
  if ((r.u16(LOADFLAGS, name('loadflags')) & LOADED_HIGH) === 0) throw new ImageError(`${name('loadflags')}: the kernel wants to be loaded low, as a zImage`);

  const setupSectors = (r.u16(SETUP_SECTS, name('setup_sects')) & 0xff) || 4;
  const start = (setupSectors + 1) * SECTOR;
  const size = r.u32(SYSSIZE, name('syssize')) * 16;
  if (size <= ENTRY_64) throw new ImageError(`${name('syssize')}: ${size} bytes hold no 64-bit entry`);
  // The last paragraph need not be whole.
  if (start + size > file.length + 15) throw new ImageError(`${name('syssize')}: the file ends at byte ${file.length}, the protected-mode part at ${start + size}`);
  const bytes = r.slice(start, Math.min(size, file.length - start), name('syssize'));
  const address = r.u64(PREF_ADDRESS, name('pref_address'));
  return planLinux({
    segments: [{ physicalAddress: address, bytes, memoryBytes: bytes.length }],
    entry: address + ENTRY_64,
    symbols: [], linked: [],
    end: address + Math.max(bytes.length, r.u32(INIT_SIZE, name('init_size'))),
    setupHeader: r.slice(SETUP_HEADER, headerEnd - SETUP_HEADER, name('jump')),
    cmdlineBytes: r.u32(CMDLINE_SIZE, name('cmdline_size')),
    initrdLimit: r.u32(INITRD_ADDR_MAX, name('initrd_addr_max')),
  }, options);
}
