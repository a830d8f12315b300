/**
 * The way into the kernel for everything that interrupts: 32 exceptions and 16 IRQs. A stub per vector makes all
 * frames alike (an error code of 0 where the CPU pushes none, then the vector); the common path saves every general
 * register as FRAME and hands the frame to the part that understands it.
 * SDM Vol. 3A, "64-Bit Mode Interrupt Gates", "Error Code".
 */
import { at, ax, byte, label, qword, r10, r11, r12, r13, r14, r15, r8, r8d, r8w, r9, rax, rbp, rbx, rcx, rdi, rdx, rsi, rsp, word } from '../assembler/index.ts';
import { IST } from './gdt.ts';
import { FRAME, RFLAGS, SELECTOR } from './layout.ts';
import type { KernelWriter } from './writer.ts';

export const VECTOR = { DB: 1, NMI: 2, BP: 3, UD: 6, DF: 8, GP: 13, PF: 14, MC: 18, IRQ0: 32 } as const;
const VECTORS = 48;
const PUSHES_ERROR_CODE = new Set([8, 10, 11, 12, 13, 14, 17, 21, 29, 30]);
const IST_OF: Readonly<Record<number, number>> = { [VECTOR.DF]: IST.doubleFault, [VECTOR.NMI]: IST.nmi, [VECTOR.MC]: IST.machineCheck };
const INTERRUPT_GATE = 0x8e00;
const DPL3 = 0x6000;

const SAVED = [rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15] as const;

export function idt(k: KernelWriter): void {
  const { a } = k;
  a.section('.bss');
  a.align(16);
  a.object('idt', () => a.reserve(256 * 16));
  a.section('.data');
  a.align(8);
  a.object('idt_register', () => {
    a.dw(VECTORS * 16 - 1);
    a.dq(label('idt'));
  });
  a.section('.rodata');
  a.align(8);
  a.object('interrupt_stubs', () => {
    for (let vector = 0; vector < VECTORS; vector += 1) a.dq(label(vector === VECTOR.DB ? 'count_instruction' : `vector_${vector}`));
  });
  a.object('interrupt_stacks', () => {
    for (let vector = 0; vector < VECTORS; vector += 1) a.db(IST_OF[vector] ?? 0);
  });
  a.section('.text');
  k.variable('counting');
  k.variable('instruction_count');

  k.func('idt_initialise', [], () => {
    a.lea(rsi, at('interrupt_stubs'));
    a.lea(rdx, at('interrupt_stacks'));
    a.lea(rdi, at('idt'));
    k.count(rcx, VECTORS, () => {
      a.mov(rax, qword(rsi, rcx, 8));
      a.mov(word(rdi), ax);               // offset 15:0
      a.mov(word(rdi, 2), SELECTOR.kernelCode);
      a.movzx(r8d, byte(rdx, rcx, 1));
      a.or(r8d, INTERRUPT_GATE);
      a.mov(word(rdi, 4), r8w);           // IST, type, DPL, P
      a.shr(rax, 16);
      a.mov(word(rdi, 6), ax);            // offset 31:16
      a.shr(rax, 16);
      a.mov(qword(rdi, 8), rax);          // offset 63:32, and zeros
      a.add(rdi, 16);
    });
    // INT3 may be executed in ring 3.
    a.or(word('idt', VECTOR.BP * 16 + 4), DPL3);
    a.lidt(at('idt_register'));
  });

  for (let vector = 0; vector < VECTORS; vector += 1) {
    if (vector === VECTOR.DB) continue;
    k.code(`vector_${vector}`, () => {
      if (!PUSHES_ERROR_CODE.has(vector)) a.push(0);
      a.push(vector);
      a.jmp('interrupt_common');
    }, { interruptFrameAt: PUSHES_ERROR_CODE.has(vector) ? 8 : 0 });
  }

  k.code('interrupt_common', () => {
    for (const register of SAVED) a.push(register);
    a.cld();
    // While instructions are counted, the handler's own count too: see `count_instruction`.
    a.cmp(qword('counting'), 0);
    k.when('ne', () => {
      a.pushfq();
      a.or(qword(rsp), RFLAGS.TF);
      a.popfq();
    });
    a.mov(rdi, rsp);
    a.call('interrupt_dispatch');
    for (const register of SAVED.toReversed()) a.pop(register);
    a.add(rsp, FRAME.rip - FRAME.vector);
    a.iretq();
  }, { interruptFrameAt: FRAME.rip - FRAME.vector });

  /**
   * #DB with RFLAGS.TF: the CPU interrupts itself after every instruction, and this handler counts them. So a table of
   * instruction counts needs no clock, and is the same on every machine that keeps the architecture.
   */
  k.code('count_instruction', () => {
    a.inc(qword('instruction_count'));
    a.iretq();
  }, { interruptFrameAt: 0 });

  // RDI: FRAME.
  k.func('interrupt_dispatch', [rbx], () => {
    a.mov(rbx, rdi);
    a.mov(rax, qword(rbx, FRAME.vector));
    a.cmp(rax, VECTOR.PF);
    k.when('e', () => {
      k.call('page_fault', rbx);
      k.leave();
    });
    a.cmp(rax, VECTOR.IRQ0);
    k.when('ae', () => {
      k.call('irq', rbx);
      k.leave();
    });
    k.call('exception', rbx);
  });
}
