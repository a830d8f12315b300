/** Bitwise logic by example. */
import { example, instruction, MEMORY } from '../../support/example.ts';

instruction('AND', () => {
  example('keeps the bits of both, and clears CF and OF', 'and rax, rbx', { rax: 0xf0f0n, rbx: 0xff00n, CF: 1, OF: 1 }, { rax: 0xf000n, CF: 0, OF: 0, PF: 1 });
  example('sign-extends an 8-bit immediate', 'and rax, -16', { rax: 0xffff_ffff_ffff_ffffn }, { rax: 0xffff_ffff_ffff_fff0n, SF: 1, PF: 1 });
});
instruction('OR', () => {
  example('keeps the bits of either', 'or byte ptr [rdi], 0x81', { rdi: MEMORY, byte: 0x02n }, { byte: 0x83n, SF: 1 });
});
instruction('XOR', () => {
  example('of a register with itself clears 64 bits', 'xor eax, eax', { rax: 0xffff_ffff_ffff_ffffn, CF: 1 }, { rax: 0n, CF: 0, ZF: 1, PF: 1 });
  example('inverts memory bit by bit', 'xor dword ptr [rdi], eax', { rdi: MEMORY, dword: 0xff00_ff00n, rax: 0xffff_ffffn }, { dword: 0x00ff_00ffn, PF: 1 });
});
instruction('NOT', () => {
  example('inverts and touches no flag', 'not rax', { rax: 1n, CF: 1, ZF: 1 }, { rax: 0xffff_ffff_ffff_fffen });
  example('a 32-bit result clears the upper half of its register', 'not eax', { rax: 0xffff_ffff_0000_0000n }, { rax: 0xffff_ffffn });
});
instruction('TEST', () => {
  example('sets flags as AND and keeps its operands', 'test rax, rax', { rax: 0n, CF: 1 }, { CF: 0, ZF: 1, PF: 1 });
  example('looks at bits of memory', 'test byte ptr [rdi], 0x80', { rdi: MEMORY, byte: 0xffn }, { SF: 1 });
  example('/1 is an alias of /0', 'test bl, 1', { rbx: 1n }, {}, { bytes: [0xf6, 0xcb, 0x01] });
});
