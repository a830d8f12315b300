/**
 * A vmlinux, the ELF file inside a bzImage, entered at its ELF entry point in long mode. There is no setup header in it,
 * so boot_params has the least that says "a boot loader was here". Linux, arch/x86/kernel/head_64.S, `startup_64`.
 */
import type { ElfFile } from './elf.ts';
import { ImageError } from './image-error.ts';
import { planLinux, SETUP_HEADER, type LinuxOptions } from './linux.ts';
import type { BootPlan } from './plan.ts';

/** What the setup header says, by offset in boot_params: boot_flag, "HdrS", version 2.12. */
const FIELDS = [[0x1fe, 0xaa55, 2], [0x202, 0x5372_6448, 4], [0x206, 0x020c, 2]] as const;
const HEADER_BYTES = 0x80;
/** COMMAND_LINE_SIZE of x86, less its NUL. */
const CMDLINE_BYTES = 2047;
/** 64-bit kernels take a RAM disk anywhere below this, as every bzImage says in initrd_addr_max. */
const INITRD_LIMIT = 0x7fff_ffff;

/** Makes the plan for a vmlinux. Throws ImageError naming what is wrong. */
export function planVmlinux(elf: ElfFile, options: LinuxOptions): BootPlan {
  if (elf.bits !== 64) throw new ImageError('ELF header EI_CLASS: a 32-bit file has no 64-bit entry');
  if (elf.entry > BigInt(Number.MAX_SAFE_INTEGER)) throw new ImageError(`ELF header e_entry: 0x${elf.entry.toString(16)} is no physical address`);
  const setupHeader = new Uint8Array(HEADER_BYTES), view = new DataView(setupHeader.buffer);
  for (const [offset, value, bytes] of FIELDS) {
    if (bytes === 2) view.setUint16(offset - SETUP_HEADER, value, true);
    else view.setUint32(offset - SETUP_HEADER, value, true);
  }
  return planLinux({
    segments: elf.segments, entry: Number(elf.entry), symbols: elf.symbols, linked: elf.segments, setupHeader, cmdlineBytes: CMDLINE_BYTES, initrdLimit: INITRD_LIMIT,
    end: Math.max(...elf.segments.map((s) => s.physicalAddress + s.memoryBytes)),
  }, options);
}
