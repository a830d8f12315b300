/**
 * Ring 3: a task with an address space of its own, entered by IRETQ, calling the kernel by SYSCALL, leaving by the
 * call `exit`, or stopped at the first access that it may not make. There is one CPU and one task at a time, so its
 * few words of state are variables.
 * SDM Vol. 2B, "SYSCALL—Fast System Call", "SYSRET—Return From Fast System Call".
 */
import { at, byte, eax, ecx, edi, edx, label, qword, r10, r11, r12, r13, r14, r15, r8, r9, rax, rbp, rbx, rcx, rdi, rdx, rsi, rsp } from '../assembler/index.ts';
import { VECTOR } from './idt.ts';
import { FRAME, MSR, PAGE_SIZE, POLICY, PROTECTION, REGION, RFLAGS, SELECTOR, SPACE, USER_SPACE } from './layout.ts';
import { address, type KernelWriter, type Register64 } from './writer.ts';

/** Numbers of the system calls: RAX; arguments in RDI, RSI; result in RAX. */
export const CALL = { print: 0, allocate: 1, faults: 2, exit: 3 } as const;
/** What the program does at its end: its argument, in RDI. */
export const PROGRAM = { exit: 0, readKernel: 1, writeCode: 2, runHeap: 3, disableInterrupts: 4, overflowStack: 5, printKernel: 6 } as const;
/** task_run's answer for a task that did not get as far as `exit`. */
export const TASK_STOPPED = -1;

const STACK_TOP = 0x7fff_f000;
const STACK_PAGES = 4;
const HEAP_PAGES = 16;
/** Pages of its heap that the program touches: three of sixteen. */
export const HEAP_PAGES_TOUCHED = 3;
export const EXIT_STATUS = 42;

export function ring3(k: KernelWriter): void {
  const { a } = k;
  for (const name of ['task_kernel_rsp', 'task_user_rsp', 'task_cause', 'task_vector', 'task_faults', 'task_frames']) k.variable(name);
  a.section('.bss');
  a.align(8);
  a.object('task_space', () => a.reserve(SPACE.bytes));
  a.section('.text');

  userProgram(k);

  k.func('syscall_initialise', [], () => {
    // STAR: SYSCALL takes CS and SS from bits 47:32, SYSRET its own from 63:48 (+16 and +8).
    writeMsr(k, MSR.STAR, () => a.xor(eax, eax), () => a.mov(edx, (SELECTOR.user32 | 3) << 16 | SELECTOR.kernelCode));
    writeMsr(k, MSR.LSTAR, () => a.lea(rax, at('syscall_entry')), () => {
      a.mov(rdx, rax);
      a.shr(rdx, 32);
    });
    writeMsr(k, MSR.SFMASK, () => a.mov(eax, RFLAGS.IF | RFLAGS.TF | RFLAGS.DF), () => a.xor(edx, edx));
  });

  // RCX: the task's RIP, R11: its RFLAGS. The CPU changes no stack here: RSP is still the task's.
  k.code('syscall_entry', () => {
    a.mov(qword('task_user_rsp'), rsp);
    a.mov(rsp, qword('task_kernel_rsp'));
    a.push(rcx);
    a.push(r11);
    a.call('syscall_dispatch');
    a.pop(r11);
    a.pop(rcx);
    // Nothing of the kernel's stays in a register.
    for (const register of [rdx, rsi, rdi, r8, r9, r10]) a.xor(register, register);
    a.mov(rsp, qword('task_user_rsp'));
    a.sysretq();
  });

  k.func('syscall_dispatch', [rbx], () => {
    const one = (number: number, body: () => void): void => {
      a.cmp(rax, number);
      k.when('e', () => {
        body();
        k.leave();
      });
    };
    one(CALL.print, () => a.call('task_print'));
    one(CALL.allocate, () => {
      a.mov(rsi, rdi);
      k.call('vmm_allocate', address('task_space'), rsi, PROTECTION.WRITE | PROTECTION.USER, POLICY.DEMAND, PAGE_SIZE);
    });
    one(CALL.faults, () => a.mov(rax, qword('task_space', SPACE.faults)));
    one(CALL.exit, () => {
      a.mov(rax, rdi);
      a.jmp('task_return');
    });
    k.leave(-1);
  });

  // RDI: text of the task, RSI: its length. RAX: 0, or -1 when it is not the task's to read.
  k.func('task_print', [rbx, rbp, r12], () => {
    a.mov(rbx, rdi);
    a.mov(rbp, rsi);
    a.test(rbx, rbx);
    k.when('s', () => k.leave(-1));       // the upper half is the kernel's
    k.call('vmm_find', address('task_space'), rbx);
    a.test(rax, rax);
    k.when('e', () => k.leave(-1));
    a.test(qword(rax, REGION.protection), PROTECTION.USER);
    k.when('e', () => k.leave(-1));
    a.mov(rcx, qword(rax, REGION.base));
    a.add(rcx, qword(rax, REGION.length));
    a.sub(rcx, rbx);
    a.cmp(rbp, rcx);
    k.when('a', () => k.leave(-1));
    k.print('    ring 3 | ');
    k.count(r12, rbp, () => {
      a.movzx(edi, byte(rbx, r12, 1));
      a.call('console_put');
    });
    k.print('\n');
    k.leave(0);
  });

  /**
   * RDI: the program's argument. Makes an address space with code, a stack above its guard page and no heap yet, runs
   * the task in it, and takes everything back. RAX: what the task gave to `exit`, TASK_STOPPED, or -2: no memory.
   */
  k.func('task_run', [rbx, rbp, r12, r13, r14, r15], () => {
    a.mov(rbx, rdi);
    a.mov(qword('task_cause'), 0);
    k.call('vmm_create_space', address('task_space'));
    a.test(rax, rax);
    a.jne('.noMemory');
    a.lea(r12, at('user_program_end'));
    a.lea(rax, at('user_program'));
    a.sub(r12, rax);                      // bytes of the program
    k.call('vmm_place', address('task_space'), USER_SPACE, r12, PROTECTION.WRITE, POLICY.IMMEDIATE, PAGE_SIZE);
    a.test(rax, rax);
    a.je('.noMemory');
    k.call('vmm_place', address('task_space'), STACK_TOP - (STACK_PAGES + 1) * PAGE_SIZE, PAGE_SIZE, PROTECTION.WRITE | PROTECTION.USER, POLICY.GUARD, PAGE_SIZE);
    a.test(rax, rax);
    a.je('.noMemory');
    k.call('vmm_place', address('task_space'), STACK_TOP - STACK_PAGES * PAGE_SIZE, STACK_PAGES * PAGE_SIZE, PROTECTION.WRITE | PROTECTION.USER, POLICY.DEMAND, PAGE_SIZE);
    a.test(rax, rax);
    a.je('.noMemory');

    k.call('vmm_switch', address('task_space'));
    a.mov(edi, USER_SPACE);
    a.lea(rsi, at('user_program'));
    a.mov(rcx, r12);
    a.rep.movsb();
    // Written, then executable: never both.
    k.call('vmm_protect', address('task_space'), USER_SPACE, PROTECTION.EXECUTE | PROTECTION.USER);

    a.call('task_enter');
    a.mov(r13, rax);
    a.mov(rax, qword('task_space', SPACE.faults));
    a.mov(qword('task_faults'), rax);
    a.mov(rax, qword('task_space', SPACE.frames));
    a.mov(qword('task_frames'), rax);
    k.call('vmm_switch', address('kernel_space'));
    k.call('vmm_destroy_space', address('task_space'));
    k.leave(r13);

    a.label('.noMemory');
    k.leave(-2);
  });

  // RBX: the program's argument. Returns when the task ends: RAX.
  k.code('task_enter', () => {
    for (const register of [rbx, rbp, r12, r13, r14, r15]) a.push(register);
    a.mov(qword('task_kernel_rsp'), rsp);
    k.call('tss_set_rsp0', rsp);
    a.mov(rdi, rbx);
    a.push(SELECTOR.userData | 3);
    a.push(STACK_TOP);
    a.push(RFLAGS.IF | 2);
    a.push(SELECTOR.userCode | 3);
    a.push(USER_SPACE);
    for (const register of [rax, rbx, rcx, rdx, rsi, rbp, r8, r9, r10, r11, r12, r13, r14, r15]) a.xor(register, register);
    a.iretq();
  });
  // Where `exit` and task_stop go, from whatever stack, with the answer in RAX: task_enter returns.
  k.code('task_return', () => {
    a.mov(rsp, qword('task_kernel_rsp'));
    for (const register of [rbx, rbp, r12, r13, r14, r15].toReversed()) a.pop(register);
    a.ret();
  });

  // RDI: FRAME of an exception in ring 3 that is not resolved. Says what happened, and ends the task instead of the machine.
  k.func('task_stop', [], () => {
    a.mov(rbx, rdi);
    a.mov(rax, qword(rbx, FRAME.vector));
    a.mov(qword('task_vector'), rax);
    a.cmp(rax, VECTOR.PF);
    k.when('e', () => {
      a.mov(rcx, qword('fault_cause'));
      a.mov(qword('task_cause'), rcx);
      k.print('    stopped: #PF at RIP 0x%x, CR2=0x%x, error=%d (', qword(rbx, FRAME.rip), qword('fault_address'), qword('fault_error'));
      k.call('print_access', qword('fault_error'));
      k.print(')\n             %s\n', qword('fault_cause'));
    }, () => {
      a.lea(rdx, at('exception_names'));
      k.print('    stopped: %s at RIP 0x%x, error code %d\n', qword(rdx, rax, 8), qword(rbx, FRAME.rip), qword(rbx, FRAME.errorCode));
    });
    a.mov(rax, TASK_STOPPED);
    a.jmp('task_return');
  });
}

/** WRMSR; `low` and `high` load EAX and EDX. */
function writeMsr(k: KernelWriter, msr: number, low: () => void, high: () => void): void {
  k.a.mov(ecx, msr);
  low();
  high();
  k.a.wrmsr();
}

/** The program: position-independent code and its texts, copied to USER_SPACE of each task. */
function userProgram(k: KernelWriter): void {
  const { a } = k;
  const texts: (readonly [name: string, text: string])[] = [];
  const call = (number: number): void => {
    a.mov(eax, number);
    a.syscall();
  };
  const print = (text: string): void => {
    const name = `user_text_${texts.length}`;
    texts.push([name, text]);
    a.lea(rdi, at(name));
    a.mov(rsi, text.length);
    call(CALL.print);
  };
  /** The program's own allocator: a bump of RBP. */
  const alloc = (register: Register64, bytes: number): void => {
    a.mov(register, rbp);
    a.add(rbp, bytes);
  };

  a.section('.user', { flags: 'rx' });
  a.label('user_program');
  a.func('user_main', () => {
    a.mov(rbx, rdi);
    a.cmp(rbx, PROGRAM.exit);
    a.jne('.forbidden');
    print('hello, from an address space of my own');
    a.mov(rdi, HEAP_PAGES * PAGE_SIZE);
    call(CALL.allocate);
    a.mov(r14, rax);
    a.mov(rbp, rax);
    print('a heap of 16 pages: not one of them has a frame yet');
    alloc(r12, 5);
    alloc(r13, 10);
    alloc(r15, 100);
    a.mov(byte(r13), 0x62);
    a.mov(byte(r12), 0x61);
    a.mov(byte(r15, 99), 0x63);
    a.mov(qword(r14, 8 * PAGE_SIZE), 8);
    a.mov(qword(r14, 15 * PAGE_SIZE), 15);
    print('a, b, c and two more pages written');
    a.mov(rax, qword(r14, 8 * PAGE_SIZE));
    a.add(rax, qword(r14, 15 * PAGE_SIZE));
    a.movzx(ecx, byte(r12));
    a.add(rax, rcx);
    a.lea(rdi, at(rax, EXIT_STATUS - 8 - 15 - 0x61));
    call(CALL.exit);

    a.label('.forbidden');
    const program = (number: number, body: () => void): void => {
      const next = a.fresh('.next');
      a.cmp(rbx, number);
      a.jne(next);
      body();
      a.label(next);
    };
    program(PROGRAM.readKernel, () => {
      print('reading the kernel');
      a.mov(rax, label('kernel_main'));
      a.mov(rax, qword(rax));
    });
    program(PROGRAM.writeCode, () => {
      print('writing to my own code');
      a.mov(byte('user_main'), 0);
    });
    program(PROGRAM.runHeap, () => {
      print('jumping to my heap');
      a.mov(edi, PAGE_SIZE);
      call(CALL.allocate);
      a.jmp(rax);
    });
    program(PROGRAM.disableInterrupts, () => {
      print('CLI');
      a.cli();
    });
    program(PROGRAM.overflowStack, () => {
      print('pushing until something gives');
      a.label('.push');
      a.push(rax);
      a.jmp('.push');
    });
    program(PROGRAM.printKernel, () => {
      a.mov(rdi, label('kernel_main'));
      a.mov(rsi, 16);
      call(CALL.print);
      a.mov(rdi, rax);
      call(CALL.exit);
    });
    a.xor(edi, edi);
    call(CALL.exit);
  });
  for (const [name, text] of texts) a.object(name, () => a.db(text));
  a.label('user_program_end');
  a.section('.text');
}
