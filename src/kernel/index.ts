/**
 * The guest kernel: an x86-64 kernel written with the assembler, which boots by PVH or Multiboot, and shows on COM1
 * what it does with physical memory, paging, demand faults and its heap.
 *
 * To read it, begin with writer.ts. Its words are in every other file: `k.func` with its local label `.return`; `k.leave(x)`, which
 * returns x; `k.when`, which runs its body when the flags say so; `k.loop`, which goes round until something jumps to
 * `leave`. A function that returns a value without `k.leave` has it in RAX when its body ends. Then, as the machine runs them:
 *
 *   layout                            where everything is: addresses, entries, records
 *   boot  gdt  idt  console           from the loader into long mode, and a voice
 *   memory-map  pmm                   which RAM there is; frames
 *   paging  vmm  page-fault           page tables; regions and their policies; memory that arrives on demand
 *   exceptions                        the faults that nobody resolves, and the panic screen
 *   heap-stages  heap                 an allocator in six small steps, and the one that the kernel uses
 *   timer  ring3                      interrupts from outside; a task in user mode
 *   main  scenarios/                  the order of it all, and what is shown and checked
 */
import { Assembler, writeElf, type AssemblerOptions, type ElfOptions, type Image } from '../assembler/index.ts';
import { boot, BOOT_SECTION, multibootHeader, pvhNote } from './boot.ts';
import { console } from './console.ts';
import { DESCRIPTION, DESCRIPTION_SECTION } from './description.ts';
import { exceptions } from './exceptions.ts';
import { gdt } from './gdt.ts';
import { heapStages } from './heap-stages.ts';
import { heap } from './heap.ts';
import { idt } from './idt.ts';
import { KERNEL_BASE } from './layout.ts';
import { main } from './main.ts';
import { memoryMap } from './memory-map.ts';
import { pageFault } from './page-fault.ts';
import { paging } from './paging.ts';
import { pmm } from './pmm.ts';
import { ring3 } from './ring3.ts';
import { scenarios } from './scenarios/index.ts';
import { timer } from './timer.ts';
import { vmm } from './vmm.ts';
import { KernelWriter } from './writer.ts';

export { SCENARIOS, type Scenario } from './scenarios/index.ts';

/** Physical address at which the kernel is loaded: 1 MiB. */
export const KERNEL_LOAD_ADDRESS = 0x10_0000;

export interface KernelOptions extends Pick<AssemblerOptions, 'resolveLocation' | 'sourceRoot'> {
  /**
   * Ways in that the image offers. Default: both. A loader that knows both prefers Multiboot (QEMU does);
   * the state at entry differs, the kernel's output does not.
   */
  readonly protocols?: readonly ('pvh' | 'multiboot')[];
}

/** What these emit belongs to the line that called them (in listings and DWARF). */
const HELPER_FILES = ['/kernel/writer.ts', '/kernel/writer.js'];

/** Assembles the kernel. Its sections follow each other from 1 MiB, linked in the upper half but for the boot code's; its entry symbol is `pvh_entry`. */
export function buildKernel(options: KernelOptions = {}): Image {
  const { protocols = ['pvh', 'multiboot'], ...rest } = options;
  const a = new Assembler({ ...rest, helperFiles: HELPER_FILES, origin: KERNEL_LOAD_ADDRESS, virtualBase: KERNEL_BASE });
  const k = new KernelWriter(a);
  // What runs before paging is on is linked where it is loaded, in front of the rest.
  a.section(BOOT_SECTION);
  if (protocols.includes('multiboot')) multibootHeader(k);
  a.section('.text');
  if (protocols.includes('pvh')) pvhNote(k);
  for (const part of [boot, gdt, idt, console, memoryMap, pmm, paging, vmm, pageFault, exceptions, heapStages, heap, timer, ring3, scenarios, main]) part(k);
  k.finish();
  a.entry('pvh_entry');
  return a.link();
}

/** The kernel as an ELF64 file with symbols, DWARF line numbers and the description of its memory. What the loaders look for, the image itself contains. */
export const kernelElf = (image: Image, options: Pick<ElfOptions, 'compilationDirectory'> = {}): Uint8Array<ArrayBuffer> =>
  writeElf(image, { ...options, name: 'longmode guest kernel', notLoaded: { [DESCRIPTION_SECTION]: new TextEncoder().encode(JSON.stringify(DESCRIPTION)) } });
