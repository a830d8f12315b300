/** Timer interrupts while faulting, and the endings that are not good ones: each a scenario of its own. */
import { at, byte, eax, qword, r12, r13, rax, rbx, rcx, rsp } from '../../assembler/index.ts';
import { PAGE_SIZE, POLICY, PROTECTION } from '../layout.ts';
import { address, type KernelWriter } from '../writer.ts';

const PAGES = 8;

export function interrupts(k: KernelWriter): void {
  const { a } = k;
  k.variable('tick_log');

  // Called by the timer's interrupt handler: writes to memory that may not have a frame yet.
  k.func('write_tick_log', [], () => {
    a.mov(rax, qword('ticks'));
    a.and(eax, PAGES - 1);
    a.shl(rax, 12);
    a.add(rax, qword('tick_log'));
    a.inc(qword(rax));
  });

  k.func('scenario_timer', [rbx, r12, r13], () => {
    k.headline('timer interrupts while faulting');
    k.say(`IRQ 0 arrives while the kernel touches demand pages, and its handler writes to demand pages too: a page fault
inside an interrupt. When the ticks come is not the same on any two machines; what must hold is.`);
    const region = (): void => k.call('vmm_allocate', address('kernel_space'), PAGES * PAGE_SIZE, PROTECTION.WRITE, POLICY.DEMAND, PAGE_SIZE);
    region();
    a.mov(rbx, rax);
    region();
    a.mov(qword('tick_log'), rax);
    a.lea(rax, at('write_tick_log'));
    a.mov(qword('tick_hook'), rax);
    a.mov(r12, qword('fault_count'));
    k.call('timer_start');
    k.count(r13, PAGES, () => {
      // Tick by tick: wait for the next one, then touch a page at once, with interrupts on.
      a.mov(rcx, qword('ticks'));
      k.loop(({ leave }) => {
        a.cli();
        a.cmp(qword('ticks'), rcx);
        a.jne(leave);
        a.sti();
        a.hlt();                          // STI takes effect behind HLT's start: no tick can slip in between
      });
      a.sti();
      a.mov(qword(rbx), r13);
      a.add(rbx, PAGE_SIZE);
    });
    a.cli();
    k.call('timer_stop');
    a.mov(qword('tick_hook'), 0);
    a.cmp(qword('ticks'), PAGES);
    k.expect('ae', `at least ${PAGES} ticks arrived`);
    a.mov(rax, qword('fault_count'));
    a.sub(rax, r12);
    k.expectEqual(rax, 2 * PAGES, `${2 * PAGES} page faults: one for each page, in and outside the interrupt handler`);
    a.xor(rcx, rcx);
    a.mov(rax, qword('tick_log'));
    k.count(r13, PAGES, () => {
      a.add(rcx, qword(rax));
      a.add(rax, PAGE_SIZE);
    });
    k.expectEqual(rcx, qword('ticks'), 'the handler\'s own count, in memory that came by fault, has every tick');
    k.call('vmm_free', address('kernel_space'), qword('tick_log'));
    a.lea(rcx, at(rbx, -PAGES * PAGE_SIZE));
    k.call('vmm_free', address('kernel_space'), rcx);
  });

  k.func('scenario_unexplained_fault', [], () => {
    k.headline('a fault that no region explains');
    a.mov(rax, 0xffff_c012_3456_7890n);
    a.mov(byte(rax), 1);
  });

  k.func('scenario_stack_overflow', [], () => {
    k.headline('a stack that overflows');
    k.say('The push below the guard page faults; so does pushing the #PF frame: a double fault, on a stack of its own.');
    a.label('.deeper');
    a.call('.deeper');
  });

  k.func('scenario_triple_fault', [], () => {
    k.headline('a triple fault');
    k.say('An IDT without gates, and an INT3: #BP cannot be delivered (#GP), nor that (#DF), nor that.');
    a.push(0);
    a.push(0);
    a.lidt(at(rsp));
    a.int3();
  });
}
