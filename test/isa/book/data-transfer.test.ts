/** Moves and conversions by example. */
import { example, instruction, MEMORY, PF, READ_ONLY, UD, UNMAPPED } from '../../support/example.ts';

const ALL_ONES = 0xffff_ffff_ffff_ffffn;

instruction('MOV', () => {
  example('loads from memory', 'mov rax, qword ptr [rdi+8]', { rdi: MEMORY - 8n, qword: 0x1234n }, { rax: 0x1234n });
  example('stores to memory', 'mov word ptr [rdi+rcx*2], ax', { rdi: MEMORY - 6n, rcx: 3n, rax: 0x1234n }, { word: 0x1234n });
  example('a 32-bit load clears the upper half of its register', 'mov eax, dword ptr [rdi]', { rax: ALL_ONES, rdi: MEMORY, dword: 5n }, { rax: 5n });
  example('an 8-bit register keeps its neighbours', 'mov ah, bl', { rax: 0x1111n, rbx: 0xabn }, { rax: 0xab11n });
  example('takes a 64-bit immediate', 'mov rax, 0x1122334455667788', {}, { rax: 0x1122_3344_5566_7788n });
  example('sign-extends a 32-bit immediate', 'mov qword ptr [rdi], -2', { rdi: MEMORY }, { qword: ALL_ONES - 1n });
  example('an absolute 64-bit address has a form of its own', 'mov al, byte ptr [0x20000200]', { rax: 0n, byte: 0x7fn }, { rax: 0x7fn }, { bytes: [0xa0, 0x00, 0x02, 0x00, 0x20, 0, 0, 0, 0] });
  example('to a page that cannot be written faults', 'mov dword ptr [rdi], eax', { rdi: READ_ONLY }, { fault: PF(READ_ONLY, { write: true, present: true }) });
  example('a store across two pages writes neither where the second faults', 'mov qword ptr [rdi], rax', { rdi: READ_ONLY - 4n }, { fault: PF(READ_ONLY, { write: true, present: true }) });
  example('must not be locked', 'mov dword ptr [rdi], eax', { rdi: MEMORY }, { fault: UD }, { bytes: [0xf0, 0x89, 0x07] });
});
instruction('MOVZX', () => {
  example('extends with zeros', 'movzx eax, bl', { rax: ALL_ONES, rbx: 0x80n }, { rax: 0x80n });
  example('reads only the bytes it names', 'movzx rax, word ptr [rdi]', { rdi: MEMORY, dword: 0xffff_1234n }, { rax: 0x1234n });
});
instruction('MOVSX', () => {
  example('extends with the sign', 'movsx rax, byte ptr [rdi]', { rdi: MEMORY, byte: 0x80n }, { rax: ALL_ONES - 0x7fn });
  example('to 16 bits leaves the upper 48', 'movsx ax, bl', { rax: 0x1_0000n, rbx: 0xffn }, { rax: 0x1_ffffn });
});
instruction('MOVSXD', () => {
  example('extends 32 bits to 64', 'movsxd rax, ebx', { rbx: 0x8000_0000n }, { rax: 0xffff_ffff_8000_0000n });
});
instruction('MOVBE', () => {
  example('loads with the bytes reversed', 'movbe rax, qword ptr [rdi]', { rdi: MEMORY, qword: 0x0102_0304_0506_0708n }, { rax: 0x0807_0605_0403_0201n });
  example('stores with the bytes reversed', 'movbe word ptr [rdi], ax', { rdi: MEMORY, rax: 0x1234n }, { word: 0x3412n });
});
instruction('LEA', () => {
  example('computes an address and touches no memory', 'lea rax, [rbx+rcx*8+16]', { rbx: 0x1000n, rcx: 2n }, { rax: 0x1020n });
  example('cuts the address to the destination', 'lea eax, [rbx-1]', { rax: ALL_ONES, rbx: 0n }, { rax: 0xffff_ffffn });
  example('an address size of 32 bits wraps the sum', 'lea rax, [ebx+2]', { rbx: 0xffff_ffffn }, { rax: 1n });
});
instruction('CMOVcc', () => {
  example('moves where the condition holds', 'cmove rax, rbx', { rbx: 5n, ZF: 1 }, { rax: 5n });
  example('clears the upper half of a 32-bit register even where it does not', 'cmove eax, ebx', { rax: ALL_ONES, rbx: 5n }, { rax: 0xffff_ffffn });
  example('reads its source whether the condition holds or not', 'cmove rax, qword ptr [rdi]', { rdi: UNMAPPED }, { fault: PF(UNMAPPED) });
});
instruction('BSWAP', () => {
  example('reverses the bytes of 32 bits', 'bswap eax', { rax: 0xffff_ffff_0102_0304n }, { rax: 0x0403_0201n });
  example('reverses the bytes of 64 bits', 'bswap rax', { rax: 0x0102_0304_0506_0708n }, { rax: 0x0807_0605_0403_0201n });
});
instruction('CBW', () => { example('extends AL into AX', 'cbw', { rax: 0x1_0080n }, { rax: 0x1_ff80n }); });
instruction('CWDE', () => { example('extends AX into EAX', 'cwde', { rax: 0xffff_ffff_0000_8000n }, { rax: 0xffff_8000n }); });
instruction('CDQE', () => { example('extends EAX into RAX', 'cdqe', { rax: 0x8000_0000n }, { rax: 0xffff_ffff_8000_0000n }); });
instruction('CWD', () => { example('copies the sign of AX into DX', 'cwd', { rax: 0x8000n, rdx: 0x1_0000n }, { rdx: 0x1_ffffn }); });
instruction('CDQ', () => { example('copies the sign of EAX into EDX', 'cdq', { rax: 0x8000_0000n, rdx: 0n }, { rdx: 0xffff_ffffn }); });
instruction('CQO', () => { example('copies the sign of RAX into RDX', 'cqo', { rax: 1n, rdx: ALL_ONES }, { rdx: 0n }); });
instruction('XLATB', () => {
  example('looks AL up in the table at RBX', 'xlatb', { rbx: MEMORY - 0x10n, rax: 0xff10n, byte: 0x5an }, { rax: 0xff5an });
});
