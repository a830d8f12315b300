/**
 * The first instructions. A boot loader leaves the CPU in 32-bit protected mode with paging off: by PVH (an ELF note
 * names the entry; EBX = hvm_start_info) or by Multiboot (a header; EAX = magic, EBX = multiboot_info). Both ways meet
 * here, build page tables for the first GiB, and climb into long mode. The order is the manual's, and every control
 * register is changed by reading it, setting a bit and writing it back.
 * SDM Vol. 3A, "Initializing IA-32e Mode"; APM Vol. 2, "Initializing Long Mode".
 */
import { ax, at, cr0, cr3, cr4, ds, dword, eax, ebx, ecx, edi, edx, es, esp, far, fs, gs, label, rax, rsp, ss, type Memory } from '../assembler/index.ts';
import { CR0, CR4, EFER, MSR, PAGE_2M, PAGE_SIZE, PML4_DIRECT, PML4_IMAGE, PTE, SELECTOR } from './layout.ts';
import type { KernelWriter } from './writer.ts';

export const PVH_MAGIC = 0x336e_c578;
export const MULTIBOOT_MAGIC = 0x2bad_b002;
const MULTIBOOT_HEADER_MAGIC = 0x1bad_b002;
/** Modules on page boundaries, a memory map, and the load addresses below (which let a loader take an ELF64 as it is). */
const MULTIBOOT_FLAGS = 0x1_0003;
const XEN_ELFNOTE_PHYS32_ENTRY = 18;
export const STACK_BYTES = 0x4000;
/** Of code that runs at its load address, so that debuggers know it there, too. */
export const BOOT_SECTION = '.boot';

/** The Multiboot header, within the first 8 KiB of the file. */
export function multibootHeader(k: KernelWriter): void {
  const { a } = k;
  a.align(4);
  a.object('multiboot_header', () => {
    a.dd(MULTIBOOT_HEADER_MAGIC, MULTIBOOT_FLAGS, 0x1_0000_0000 - (MULTIBOOT_HEADER_MAGIC + MULTIBOOT_FLAGS));
    a.dd(label('multiboot_header').physical(), label('__image_start').physical(), label('__load_end').physical(),
      label('__image_end').physical(), label('multiboot_entry').physical());
  });
}

/** The ELF note that makes QEMU, Xen and Firecracker enter at `pvh_entry`. The address takes 8 bytes: QEMU reads as many from a 64-bit file. */
export function pvhNote(k: KernelWriter): void {
  const { a } = k;
  a.section('.note', { flags: 'r', align: 16 });
  a.align(4);
  a.object('pvh_note', () => {
    a.dd(4, 8, XEN_ELFNOTE_PHYS32_ENTRY);
    a.db('Xen\0');
    a.dq(label('pvh_entry').physical());
  });
  a.section('.text');
}

/** Memory of the image while paging is off. */
const physical = (name: string, offset = 0): Memory<32> => dword(label(name).plus(offset).physical());

export function boot(k: KernelWriter): void {
  const { a } = k;

  a.section('.data');
  a.align(8);
  for (const handedOver of ['boot_protocol', 'boot_information']) a.object(handedOver, () => a.dq(0));
  a.section('.bss');
  a.align(PAGE_SIZE);
  for (const table of ['boot_pml4', 'boot_pdpt', 'boot_pdpt_image', 'boot_pd']) a.object(table, () => a.reserve(PAGE_SIZE));
  a.object('kernel_stack_guard', () => a.reserve(PAGE_SIZE));
  a.object('kernel_stack', () => a.reserve(STACK_BYTES));
  a.label('kernel_stack_top');
  a.reserve(16);                          // an object here would have the stack's top for a name
  a.section(BOOT_SECTION);

  a.bits(32);
  k.code('pvh_entry', () => a.mov(eax, PVH_MAGIC));
  k.code('multiboot_entry', () => {
    a.cli();
    a.cld();
    a.mov(esp, label('kernel_stack_top').physical());
    a.mov(physical('boot_protocol'), eax);
    a.mov(physical('boot_information'), ebx);
  });

  // One GiB in 2 MiB pages, reachable in three places: where it is, in the direct map, and where the image is linked.
  k.code('build_boot_tables', () => {
    const link = (table: string, index: number, next: string): void => {
      a.mov(eax, label(next).physical());
      a.or(eax, PTE.P | PTE.RW);
      a.mov(physical(table, index * 8), eax);
    };
    link('boot_pml4', 0, 'boot_pdpt');
    link('boot_pml4', PML4_DIRECT, 'boot_pdpt');
    link('boot_pml4', PML4_IMAGE, 'boot_pdpt_image');
    link('boot_pdpt', 0, 'boot_pd');
    link('boot_pdpt_image', 510, 'boot_pd');
    a.mov(edi, label('boot_pd').physical());
    a.mov(eax, PTE.P | PTE.RW | PTE.PS);
    a.mov(ecx, 512);
    a.label('.page');
    a.mov(dword(edi), eax);
    a.add(edi, 8);
    a.add(eax, PAGE_2M);
    a.dec(ecx);
    a.jne('.page');
  });

  k.code('enter_long_mode', () => {
    a.mov(eax, cr4);
    a.or(eax, CR4.PAE);
    a.mov(cr4, eax);
    a.mov(eax, label('boot_pml4').physical());
    a.mov(cr3, eax);
    a.mov(ecx, MSR.EFER);
    a.rdmsr();
    a.or(eax, EFER.LME | EFER.NXE | EFER.SCE);
    a.wrmsr();
    a.mov(eax, cr0);
    a.or(eax, CR0.PG | CR0.WP);
    a.mov(cr0, eax);                      // compatibility mode, until CS has its L bit
    a.lgdt(at(label('boot_gdt_register').physical()));
    a.jmp(far(SELECTOR.kernelCode, label('long_mode_low').physical()));
  });

  a.bits(64);
  k.code('long_mode_low', () => {
    a.mov(rax, label('long_mode'));
    a.jmp(rax);                           // from the identity map to the upper half
  });
  a.section('.text');
  k.code('long_mode', () => {
    a.lgdt(at('gdt_register'));
    a.mov(eax, SELECTOR.kernelData);
    for (const segment of [ds, es, ss]) a.mov(segment, ax);
    a.xor(edx, edx);
    a.mov(eax, edx);
    for (const segment of [fs, gs]) a.mov(segment, ax);
    a.lea(rsp, at('kernel_stack_top'));
    a.call('kernel_main');
    a.ud2();                              // kernel_main does not return
  });
}
