/** Bit tests, scans and conditions by example. */
import { example, instruction, MEMORY, PF, UNMAPPED } from '../../support/example.ts';

instruction('BT', () => {
  example('copies a bit into CF', 'bt rax, 63', { rax: 0x8000_0000_0000_0000n }, { CF: 1 });
  example('takes a register offset modulo the width of a register', 'bt eax, ecx', { rax: 2n, rcx: 33n }, { CF: 1 });
  example('a register offset reaches any bit of memory', 'bt dword ptr [rdi], eax', { rdi: MEMORY, rax: 33n, qword: 0x2_0000_0000n }, { CF: 1 });
  example('a negative offset reaches down', 'bt dword ptr [rdi], eax', { rdi: MEMORY + 4n, rax: 0xffff_ffffn, dword: 0x8000_0000n }, { CF: 1 });
  example('an immediate offset stays within the operand', 'bt dword ptr [rdi], 33', { rdi: MEMORY, dword: 2n }, { CF: 1 });
});
instruction('BTS', () => {
  example('sets the bit', 'bts rax, rcx', { rax: 0n, rcx: 40n, CF: 1 }, { rax: 0x100_0000_0000n, CF: 0 });
  example('sets a bit of memory under LOCK', 'lock bts qword ptr [rdi], 0', { rdi: MEMORY, qword: 0n }, { qword: 1n });
});
instruction('BTR', () => {
  example('resets the bit', 'btr eax, 0', { rax: 0xffff_ffff_ffff_ffffn }, { rax: 0xffff_fffen, CF: 1 });
});
instruction('BTC', () => {
  example('complements the bit', 'btc ax, 15', { rax: 0n }, { rax: 0x8000n });
  example('needs write permission', 'btc dword ptr [rdi], 1', { rdi: UNMAPPED }, { fault: PF(UNMAPPED, { write: true }) });
});
instruction('BSF', () => {
  example('finds the lowest bit', 'bsf rax, rbx', { rbx: 0x50n }, { rax: 4n });
  example('of zero leaves the destination, all 64 bits of it', 'bsf eax, ebx', { rax: 0xffff_ffff_ffff_ffffn, rbx: 0n }, { ZF: 1 });
});
instruction('BSR', () => {
  example('finds the highest bit', 'bsr rax, qword ptr [rdi]', { rdi: MEMORY, qword: 0x50n }, { rax: 6n });
  example('of zero sets ZF', 'bsr ax, bx', { rbx: 0n }, { ZF: 1 });
});
instruction('POPCNT', () => {
  example('counts ones and clears the flags', 'popcnt rax, rbx', { rbx: 0xff00_0000_0000_00ffn, CF: 1, OF: 1, SF: 1, AF: 1, PF: 1 }, { rax: 16n, CF: 0, OF: 0, SF: 0, AF: 0, PF: 0 });
  example('of zero sets ZF', 'popcnt eax, ebx', { rbx: 0xffff_ffff_0000_0000n }, { rax: 0n, ZF: 1 });
});
instruction('LZCNT', () => {
  example('counts the zeros above the highest one', 'lzcnt rax, rbx', { rbx: 0x50n }, { rax: 57n });
  example('of zero is the operand size, with CF: BSR would leave the destination', 'lzcnt ax, bx', { rax: 0xffff_0000n, rbx: 0x5_0000n }, { rax: 0xffff_0010n, CF: 1 });
  example('of a number whose highest bit is set is 0, with ZF', 'lzcnt eax, dword ptr [rdi]', { rdi: MEMORY, dword: 0x8000_0000n, CF: 1 }, { rax: 0n, CF: 0, ZF: 1 });
});
instruction('TZCNT', () => {
  example('counts the zeros below the lowest one', 'tzcnt rax, rbx', { rbx: 0x50n }, { rax: 4n });
  example('of zero is the operand size, with CF: BSF would leave the destination', 'tzcnt rax, rbx', { rbx: 0n }, { rax: 64n, CF: 1 });
  example('of an odd number is 0, with ZF', 'tzcnt eax, dword ptr [rdi]', { rdi: MEMORY, dword: 1n, CF: 1 }, { rax: 0n, CF: 0, ZF: 1 });
});
instruction('CRC32', () => {
  example('accumulates a byte without touching a flag', 'crc32 eax, bl', { rax: 0n, rbx: 1n, CF: 1, ZF: 1 }, { rax: 0xf26b_8303n });
  example('is CRC-32C where the accumulator begins as all ones and ends inverted: of "123456789" after its first eight characters', 'crc32 rax, rbx', { rax: 0xffff_ffffn, rbx: 0x3837_3635_3433_3231n }, { rax: 0x9f78_7f65n });
  example('and its last one gives e3069283 inverted', 'crc32 eax, bl', { rax: 0x9f78_7f65n, rbx: 0x39n }, { rax: 0x1cf9_6d7cn });
  example('looks at no more than 32 bits of the accumulator', 'crc32 rax, qword ptr [rdi]', { rdi: MEMORY, rax: 0xffff_ffff_0000_0000n, qword: 1n }, { rax: 0x493c_7d27n });
});
instruction('SETcc', () => {
  example('stores 1 where the condition holds', 'setb al', { rax: 0xff00n, CF: 1 }, { rax: 0xff01n });
  example('stores 0 where it does not', 'setg byte ptr [rdi]', { rdi: MEMORY, byte: 0xffn, ZF: 1 }, { byte: 0n });
});
