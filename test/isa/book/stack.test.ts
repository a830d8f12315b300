/** Stack instructions by example. */
import { example, instruction, MEMORY, PF, READ_ONLY, SS, STACK, UNMAPPED } from '../../support/example.ts';

instruction('PUSH', () => {
  example('stores below RSP and moves it down', 'push rax', { rax: 5n }, { rsp: STACK - 8n, stack: [5n] });
  example('of RSP pushes its old value', 'push rsp', {}, { rsp: STACK - 8n, stack: [STACK] });
  example('sign-extends an immediate to 64 bits', 'push -1', {}, { rsp: STACK - 8n, stack: [0xffff_ffff_ffff_ffffn] });
  example('from memory', 'push qword ptr [rdi]', { rdi: MEMORY, qword: 7n }, { rsp: STACK - 8n, stack: [7n] });
  example('pushes 32 bits in 32-bit code', 'push eax', { rax: 5n }, { rsp: STACK - 4n, stack: [5n] }, { bits: 32 });
  example('leaves RSP where the store faults', 'push rax', { rsp: READ_ONLY + 8n }, { fault: PF(READ_ONLY, { write: true, present: true }) });
  example('with an RSP that is not canonical is #SS', 'push rax', { rsp: 0x8000_0000_0000_0008n }, { fault: SS });
});
instruction('POP', () => {
  example('loads from RSP and moves it up', 'pop rax', { stack: [5n] }, { rax: 5n, rsp: STACK + 8n });
  example('into RSP keeps the popped value', 'pop rsp', { stack: [0x1234n] }, { rsp: 0x1234n });
  example('to memory forms its address with the new RSP', 'pop qword ptr [rsp+8]', { rsp: MEMORY - 16n, stack: [9n] }, { rsp: MEMORY - 8n, qword: 9n });
  example('leaves RSP where the store faults', 'pop qword ptr [rdi]', { rdi: UNMAPPED }, { fault: PF(UNMAPPED, { write: true }) });
});
instruction('PUSHA', () => {
  example('pushes eight 16-bit registers', 'pusha', { rax: 1n, rcx: 2n, rdx: 3n, rbx: 4n, rbp: 6n, rsi: 7n, rdi: 8n }, { rsp: STACK - 16n, stack: [0x0007_0008n, 0x1000_0006n, 0x0003_0004n, 0x0001_0002n] }, { bits: 32 });
});
instruction('PUSHAD', () => {
  example('pushes eight registers, ESP as it was', 'pushad', { rax: 1n, rcx: 2n, rdx: 3n, rbx: 4n, rbp: 6n, rsi: 7n, rdi: 8n }, { rsp: STACK - 32n, stack: [8n, 7n, 6n, STACK, 4n, 3n, 2n, 1n] }, { bits: 32 });
});
instruction('POPA', () => {
  example('pops eight 16-bit registers', 'popa', { rax: 0n, rcx: 0n, rdx: 0n, rbx: 0n, rbp: 0n, rsi: 0n, rdi: 0n, stack: [0x0007_0008n, 0xffff_0006n, 0x0003_0004n, 0x0001_0002n] }, { rax: 1n, rcx: 2n, rdx: 3n, rbx: 4n, rbp: 6n, rsi: 7n, rdi: 8n, rsp: STACK + 16n }, { bits: 32 });
});
instruction('POPAD', () => {
  example('pops eight registers and discards the ESP among them', 'popad', { stack: [8n, 7n, 6n, 0xffff_ffffn, 4n, 3n, 2n, 1n] }, { rax: 1n, rcx: 2n, rdx: 3n, rbx: 4n, rbp: 6n, rsi: 7n, rdi: 8n, rsp: STACK + 32n }, { bits: 32 });
});
instruction('ENTER', () => {
  example('makes a frame with room for locals', 'enter 32, 0', { rsp: MEMORY + 8n, rbp: 0x1234n }, { rbp: MEMORY, rsp: MEMORY - 32n, qword: 0x1234n });
  example('copies the display of the outer frames', 'enter 0, 2', { rbp: MEMORY + 8n, qword: 0xabcdn }, { rbp: STACK - 8n, rsp: STACK - 24n, stack: [STACK - 8n, 0xabcdn, MEMORY + 8n] });
  example('faults where the new stack could not be written', 'enter 0x100, 0', { rsp: READ_ONLY + 0x50n }, { fault: PF(READ_ONLY + 0x48n, { write: true, present: true }) });
});
instruction('LEAVE', () => {
  example('undoes a frame', 'leave', { rbp: MEMORY, qword: 0x77n }, { rsp: MEMORY + 8n, rbp: 0x77n });
});
