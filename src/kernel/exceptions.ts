/**
 * Exceptions that nobody resolves. In order: a scenario that expects one goes on behind it (a probe); a ring-3 task is
 * stopped and the kernel goes on; the kernel itself prints all it knows and ends the machine with a failure status.
 */
import { al, at, ax, cr2, dx, eax, edi, edx, label, qword, rax, rbp, rbx, rcx, rdi, rdx, rsi, rsp } from '../assembler/index.ts';
import { EXIT, FRAME, RFLAGS } from './layout.ts';
import { VECTOR } from './idt.ts';
import type { KernelWriter } from './writer.ts';

const DEBUG_EXIT_PORT = 0xf4;
/** ACPI power-off: SLP_EN, sleeping type 0, in PM1a_CNT. QEMU's PC has it at the first port, Bochs' BIOS puts it at the second. */
const POWER_OFF = { ports: [0x604, 0xb004], value: 0x2000 } as const;
/** Bochs without ACPI: this text, letter by letter. */
const SHUTDOWN = { port: 0x8900, text: 'Shutdown' } as const;
const NO_EXCEPTION = -1;

const NAMES = ['#DE divide error', '#DB debug', 'NMI', '#BP breakpoint', '#OF overflow', '#BR bound range', '#UD invalid opcode', '#NM no coprocessor',
  '#DF double fault', 'coprocessor segment overrun', '#TS invalid TSS', '#NP segment not present', '#SS stack segment', '#GP general protection', '#PF page fault', 'reserved',
  '#MF floating point', '#AC alignment check', '#MC machine check', '#XM SIMD floating point', '#VE virtualization', '#CP control protection'];

/** Runs `body`, of which one instruction may raise an exception: execution then goes on behind the body. Changes RAX. */
export function attempt(k: KernelWriter, body: () => void): void {
  const { a } = k;
  const after = a.fresh('.after');
  a.lea(rax, at(after));
  a.mov(qword('probe_resume'), rax);
  a.mov(qword('probe_rsp'), rsp);
  a.mov(qword('probe_vector'), NO_EXCEPTION);
  body();
  a.label(after);
  a.mov(qword('probe_resume'), 0);
}

export function exceptions(k: KernelWriter): void {
  const { a } = k;
  for (const name of ['probe_resume', 'probe_rsp', 'probe_vector', 'probe_error', 'probe_rip']) k.variable(name);
  a.section('.rodata');
  a.align(8);
  a.object('exception_names', () => {
    for (const name of NAMES) a.dq(label(k.text(name)));
    for (let vector = NAMES.length; vector < VECTOR.IRQ0; vector += 1) a.dq(label(k.text('reserved')));
  });
  a.section('.text');

  // RDI: FRAME of an exception that is not resolved.
  k.func('exception', [rbx], () => {
    a.mov(rbx, rdi);
    a.cmp(qword('probe_resume'), 0);
    k.when('ne', () => {
      for (const [variable, field] of [['probe_vector', FRAME.vector], ['probe_error', FRAME.errorCode], ['probe_rip', FRAME.rip]] as const) {
        a.mov(rax, qword(rbx, field));
        a.mov(qword(variable), rax);
      }
      for (const [variable, field] of [['probe_resume', FRAME.rip], ['probe_rsp', FRAME.rsp]] as const) {
        a.mov(rax, qword(variable));
        a.mov(qword(rbx, field), rax);
      }
      k.leave();
    });
    a.test(qword(rbx, FRAME.cs), 3);
    k.when('ne', () => {
      k.call('task_stop', rbx);           // does not come back
    });
    k.call('exception_screen', rbx);
    a.cmp(qword(rbx, FRAME.vector), VECTOR.PF);
    k.when('e', () => k.call('debug_exit', EXIT.unexplainedFault));
    k.call('debug_exit', EXIT.panic);
  });

  // RDI: FRAME.
  k.func('exception_screen', [rbx, rbp], () => {
    a.mov(rbx, rdi);
    a.mov(rax, qword(rbx, FRAME.vector));
    a.lea(rdx, at('exception_names'));
    a.mov(rdx, qword(rdx, rax, 8));
    k.print('\n*** %s (vector %d) that nothing explains\n', rdx, rax);
    a.cmp(rax, VECTOR.PF);
    k.when('e', () => {
      k.say('CR2        0x%x', qword('fault_address'));
      k.say('cause      %s', qword('fault_cause'));
      k.say('error code 0x%x', qword('fault_error'));
      k.call('print_error_code', qword('fault_error'));
    }, () => {
      k.say('error code 0x%x', qword(rbx, FRAME.errorCode));
    });
    a.cmp(qword(rbx, FRAME.vector), VECTOR.DF);
    k.when('e', () => {
      a.mov(rax, cr2);
      k.say('CR2        0x%x', rax);
      a.lea(rcx, at('kernel_stack_guard'));
      a.sub(rax, rcx);
      a.cmp(rax, 0x1000);
      k.when('b', () => k.say('cause      the guard page below the kernel stack: the stack overflowed'));
    });
    k.call('symbol_of', qword(rbx, FRAME.rip));
    k.say('RIP        0x%x = %s + 0x%x', qword(rbx, FRAME.rip), rax, rdx);
    a.mov(rax, qword(rbx, FRAME.rflags));
    a.and(rax, ~RFLAGS.RF);               // a fault pushes RF = 1: it says nothing about the code that faulted (and QEMU leaves it 0)
    k.say('RSP        0x%x   RFLAGS 0x%x   CS 0x%x', qword(rbx, FRAME.rsp), rax, qword(rbx, FRAME.cs));
    for (const pair of [['rax', 'rbx'], ['rcx', 'rdx'], ['rsi', 'rdi'], ['rbp', 'r8'], ['r9', 'r10'], ['r11', 'r12'], ['r13', 'r14']] as const) {
      k.say(`${pair[0].toUpperCase().padEnd(4)} 0x%x   ${pair[1].toUpperCase()} 0x%x`, qword(rbx, FRAME[pair[0]]), qword(rbx, FRAME[pair[1]]));
    }
  });

  // RDI: an address of code. RAX: the name of the function that contains it, RDX: how far into it.
  k.func('symbol_of', [], () => {
    a.lea(rsi, at('symbol_table'));
    a.lea(rax, at(k.text('(outside the image)')));
    a.mov(rdx, rdi);
    k.loop(({ leave }) => {
      a.mov(rcx, qword(rsi));
      a.test(rcx, rcx);
      a.je(leave);
      a.cmp(rdi, rcx);
      a.jb(leave);
      a.mov(rax, qword(rsi, 8));
      a.mov(rdx, rdi);
      a.sub(rdx, rcx);
      a.add(rsi, 16);
    });
  });

  // RDI: why the kernel cannot go on.
  k.func('panic', [], () => {
    k.print('\n*** kernel panic: %s\n', rdi);
    k.call('debug_exit', EXIT.panic);
  });

  // RDI: value. Ends the machine with status (value << 1) | 1.
  k.func('debug_exit', [], () => {
    a.mov(eax, edi);
    a.mov(edx, DEBUG_EXIT_PORT);
    a.out(dx, eax);
    a.jmp('halt_for_ever');               // no such device here
  });

  // Ends the machine with status 0: the first way that it has.
  k.func('power_off', [], () => {
    a.call('console_drain');
    a.mov(eax, POWER_OFF.value);
    for (const port of POWER_OFF.ports) {
      a.mov(edx, port);
      a.out(dx, ax);
    }
    a.mov(edx, SHUTDOWN.port);
    for (const letter of SHUTDOWN.text) {
      a.mov(al, letter.charCodeAt(0));
      a.out(dx, al);
    }
    a.jmp('halt_for_ever');
  });

  k.code('halt_for_ever', () => {
    a.cli();
    a.hlt();
    a.jmp('halt_for_ever');
  });
}
