/**
 * Interrupts from outside: two 8259 PICs, moved from vectors 8-15 (which are exceptions) to 32-47, and the PIT's
 * channel 0 on IRQ 0. When a tick arrives is the machine's business; nothing that the kernel prints depends on it.
 * Intel 8259A data sheet, "Initialization Command Words"; 8254 data sheet, "Mode 2: Rate Generator".
 */
import { al, eax, qword, rax, rbx, rdi } from '../assembler/index.ts';
import { FRAME } from './layout.ts';
import { VECTOR } from './idt.ts';
import type { KernelWriter } from './writer.ts';

const PIC1 = { command: 0x20, data: 0x21 } as const;
const PIC2 = { command: 0xa0, data: 0xa1 } as const;
const ICW1_INITIALISE = 0x11, ICW4_8086 = 0x01, EOI = 0x20;
const MASK_ALL = 0xff, MASK_ALL_BUT_IRQ0 = 0xfe;
const PIT = { channel0: 0x40, command: 0x43, frequency: 1_193_182 } as const;
const PIT_CHANNEL0_RATE_GENERATOR = 0x34;
const TICKS_PER_SECOND = 1000;

export function timer(k: KernelWriter): void {
  const { a } = k;
  for (const name of ['ticks', 'tick_hook']) k.variable(name);
  const out = (port: number, value: number): void => {
    a.mov(eax, value);
    a.out(port, al);
  };

  k.func('pic_initialise', [], () => {
    for (const { command } of [PIC1, PIC2]) out(command, ICW1_INITIALISE);
    out(PIC1.data, VECTOR.IRQ0);
    out(PIC2.data, VECTOR.IRQ0 + 8);
    out(PIC1.data, 1 << 2);               // the second PIC is on IRQ 2
    out(PIC2.data, 2);
    for (const { data } of [PIC1, PIC2]) out(data, ICW4_8086);
    for (const { data } of [PIC1, PIC2]) out(data, MASK_ALL);
  });

  // Ticks arrive from now on, when RFLAGS.IF is set.
  k.func('timer_start', [], () => {
    const divisor = Math.round(PIT.frequency / TICKS_PER_SECOND);
    out(PIT.command, PIT_CHANNEL0_RATE_GENERATOR);
    out(PIT.channel0, divisor & 0xff);
    out(PIT.channel0, divisor >> 8);
    a.mov(qword('ticks'), 0);
    out(PIC1.data, MASK_ALL_BUT_IRQ0);
  });
  k.func('timer_stop', [], () => out(PIC1.data, MASK_ALL));

  // RDI: FRAME of an IRQ. EOI comes last: with IF = 0 nothing can arrive before IRETQ.
  k.func('irq', [rbx], () => {
    a.mov(rbx, qword(rdi, FRAME.vector));
    a.cmp(rbx, VECTOR.IRQ0);
    k.when('e', () => {
      a.inc(qword('ticks'));
      a.mov(rax, qword('tick_hook'));
      a.test(rax, rax);
      k.when('ne', () => a.call(rax));
    });
    a.cmp(rbx, VECTOR.IRQ0 + 8);
    k.when('ae', () => out(PIC2.command, EOI));
    out(PIC1.command, EOI);
  });
}
