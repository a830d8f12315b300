/**
 * Segments, as far as long mode still has them: flat code and data for both privilege levels in the order that
 * SYSCALL / SYSRET expect, and one TSS, which only says where stacks are. #DF, NMI and #MC have stacks of their own
 * (the interrupt stack table): they must work when RSP does not.
 * SDM Vol. 3A, "Segment Descriptor Tables in IA-32e Mode", "64-Bit Task State Segment", "Interrupt Stack Table".
 */
import { at, ax, eax, label, qword, rax, rdi, rdx } from '../assembler/index.ts';
import { PAGE_SIZE, SELECTOR } from './layout.ts';
import type { KernelWriter } from './writer.ts';

const TSS_BYTES = 104;
/** Offset of RSP0, the only field that changes. */
const TSS = { rsp0: 4 } as const;
/** Which interrupt stack a vector uses; 0: the one it interrupts, or RSP0. */
export const IST = { none: 0, doubleFault: 1, nmi: 2, machineCheck: 3 } as const;

/** Descriptors with their accessed bit set, so that the CPU has no reason to write to the table. */
const DESCRIPTOR = {
  kernelCode: 0x00af_9b00_0000_ffffn,
  kernelData: 0x00cf_9300_0000_ffffn,
  user32: 0x00cf_fb00_0000_ffffn,
  userData: 0x00cf_f300_0000_ffffn,
  userCode: 0x00af_fb00_0000_ffffn,
  /** An available 64-bit TSS at address 0; `gdt_initialise` puts the base in. */
  tss: 0x0000_8900_0000_0000n | BigInt(TSS_BYTES - 1),
} as const;

export function gdt(k: KernelWriter): void {
  const { a } = k;
  a.section('.data');
  a.align(16);
  a.object('gdt', () => {
    a.dq(0, DESCRIPTOR.kernelCode, DESCRIPTOR.kernelData, DESCRIPTOR.user32, DESCRIPTOR.userData, DESCRIPTOR.userCode);
    a.dq(DESCRIPTOR.tss, 0);
  });
  a.label('gdt_end');
  a.object('gdt_register', () => {
    a.dw(label('gdt_end').minus('gdt').plus(-1));
    a.dq(label('gdt'));
  });
  a.object('boot_gdt_register', () => {
    a.dw(label('gdt_end').minus('gdt').plus(-1));
    a.dd(label('gdt').physical());
  });
  a.align(16);
  a.object('tss', () => {
    a.dd(0);
    a.dq(label('kernel_stack_top'), 0, 0);
    a.dq(0);
    a.dq(label('double_fault_stack').plus(PAGE_SIZE), label('nmi_stack').plus(PAGE_SIZE), label('machine_check_stack').plus(PAGE_SIZE));
    a.dq(0, 0, 0, 0, 0);
    a.dw(0, TSS_BYTES);                   // no I/O permission bitmap
  });
  a.section('.bss');
  a.align(16);
  for (const stack of ['double_fault_stack', 'nmi_stack', 'machine_check_stack']) a.object(stack, () => a.reserve(PAGE_SIZE));
  a.section('.text');

  k.func('gdt_initialise', [], () => {
    a.lea(rax, at('tss'));
    a.lea(rdi, at('gdt', SELECTOR.tss));
    // The base is spread over the descriptor: bits 23:0 at bit 16, bits 31:24 at bit 56, bits 63:32 in the second half.
    a.mov(rdx, rax);
    a.and(rdx, 0xff_ffff);
    a.shl(rdx, 16);
    a.or(qword(rdi), rdx);
    a.mov(rdx, rax);
    a.shr(rdx, 24);
    a.shl(rdx, 56);
    a.or(qword(rdi), rdx);
    a.shr(rax, 32);
    a.mov(qword(rdi, 8), rax);
    a.mov(eax, SELECTOR.tss);
    a.ltr(ax);
  });

  // RDI: the stack that an interrupt from ring 3 starts on.
  k.func('tss_set_rsp0', [], () => a.mov(qword('tss', TSS.rsp0), rdi));
}
