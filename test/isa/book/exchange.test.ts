/** Exchanges by example. */
import { example, GP, instruction, MEMORY, PF, READ_ONLY } from '../../support/example.ts';

/** Sixteen bytes: two small quadwords. */
const sixteen = (low: number, high: number): number[] => [low, 0, 0, 0, 0, 0, 0, 0, high, 0, 0, 0, 0, 0, 0, 0];

instruction('XCHG', () => {
  example('swaps two registers', 'xchg rax, rbx', { rax: 1n, rbx: 2n }, { rax: 2n, rbx: 1n });
  example('swaps a register with memory', 'xchg dword ptr [rdi], ebx', { rdi: MEMORY, dword: 7n, rbx: 0xffff_ffff_0000_0001n }, { dword: 1n, rbx: 7n });
  example('of EAX with itself through 90 is NOP and keeps the upper half', 'nop', { rax: 0xffff_ffff_ffff_ffffn }, {}, { bytes: [0x90] });
  example('REX.B makes 90 an exchange with R8', 'xchg rax, r8', { rax: 1n, r8: 2n }, { rax: 2n, r8: 1n }, { bytes: [0x49, 0x90] });
});
instruction('XADD', () => {
  example('adds and returns the old value', 'lock xadd qword ptr [rdi], rax', { rdi: MEMORY, qword: 5n, rax: 1n }, { qword: 6n, rax: 5n, PF: 1 });
  example('with one register twice leaves the sum', 'xadd rax, rax', { rax: 3n }, { rax: 6n, PF: 1 });
});
instruction('CMPXCHG', () => {
  example('replaces an equal destination', 'lock cmpxchg dword ptr [rdi], ebx', { rdi: MEMORY, dword: 5n, rax: 5n, rbx: 9n }, { dword: 9n, ZF: 1, PF: 1 });
  example('loads the accumulator with an unequal destination', 'cmpxchg qword ptr [rdi], rbx', { rdi: MEMORY, qword: 5n, rax: 6n, rbx: 9n }, { rax: 5n });
  example('leaves all 64 bits of an unequal 32-bit register', 'cmpxchg ecx, ebx', { rcx: 0xffff_ffff_0000_0005n, rax: 6n, rbx: 9n }, { rax: 5n });
  example('needs write permission even where nothing is replaced', 'cmpxchg dword ptr [rdi], ebx', { rdi: READ_ONLY, rax: 0n }, { fault: PF(READ_ONLY, { write: true, present: true }) });
});
instruction('CMPXCHG8B', () => {
  example('replaces 64 equal bits by ECX:EBX', 'cmpxchg8b qword ptr [rdi]', { rdi: MEMORY, qword: 0x2_0000_0001n, rdx: 2n, rax: 1n, rcx: 4n, rbx: 3n }, { qword: 0x4_0000_0003n, ZF: 1 });
  example('loads EDX:EAX with unequal ones and leaves the other flags', 'cmpxchg8b qword ptr [rdi]', { rdi: MEMORY, qword: 0x2_0000_0001n, rdx: 0n, rax: 0n, CF: 1, ZF: 1 }, { rdx: 2n, rax: 1n, ZF: 0 });
});
instruction('CMPXCHG16B', () => {
  example('replaces 128 equal bits by RCX:RBX', 'cmpxchg16b [rdi]', { rdi: MEMORY, bytes: sixteen(1, 2), rdx: 2n, rax: 1n, rcx: 4n, rbx: 3n }, { bytes: sixteen(3, 4), ZF: 1 }, { bytes: [0x48, 0x0f, 0xc7, 0x0f] });
  example('a misaligned operand is #GP', 'cmpxchg16b [rdi]', { rdi: MEMORY + 8n }, { fault: GP }, { bytes: [0x48, 0x0f, 0xc7, 0x0f] });
});
