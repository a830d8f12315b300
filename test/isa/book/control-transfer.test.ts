/** Near transfers of control by example. */
import { BR, code, example, GP, instruction, MEMORY, PF, STACK, UD, UNMAPPED } from '../../support/example.ts';

const TARGET = code(0x40);
const NOT_CANONICAL = 0x8000_0000_0000n;

instruction('JMP', () => {
  example('goes to a label', 'jmp target', {}, { rip: code(0x42) });
  example('goes where a register says', 'jmp rax', { rax: TARGET }, { rip: TARGET });
  example('goes where memory says', 'jmp qword ptr [rdi]', { rdi: MEMORY, qword: TARGET }, { rip: TARGET });
  example('a target that is not canonical is #GP and RIP stays', 'jmp rax', { rax: NOT_CANONICAL }, { fault: GP });
  example('the operand-size prefix is ignored in 64-bit mode', 'jmp rax', { rax: TARGET }, { rip: TARGET }, { bytes: [0x66, 0xff, 0xe0] });
});
instruction('Jcc', () => {
  example('goes where the condition holds', 'je target', { ZF: 1 }, { rip: code(0x42) });
  example('goes on where it does not', 'je target', {}, {});
  example('JL compares SF with OF', 'jl target', { OF: 1 }, { rip: code(0x42) });
});
instruction('JCXZ', () => {
  example('tests CX', 'jcxz', { rcx: 0xffff_0000n }, { rip: code(0x13) }, { bits: 32, bytes: [0x67, 0xe3, 0x10] });
});
instruction('JECXZ', () => {
  example('tests ECX', 'jecxz', { rcx: 0xffff_ffff_0000_0000n }, { rip: code(0x13) }, { bytes: [0x67, 0xe3, 0x10] });
});
instruction('JRCXZ', () => {
  example('tests RCX', 'jrcxz', { rcx: 0xffff_ffff_0000_0000n }, {}, { bytes: [0xe3, 0x10] });
});
instruction('LOOP', () => {
  example('counts RCX down and goes while it is not zero', 'loop', { rcx: 2n }, { rcx: 1n, rip: code(0x12) }, { bytes: [0xe2, 0x10] });
  example('ends at zero and touches no flag', 'loop', { rcx: 1n, ZF: 1 }, { rcx: 0n }, { bytes: [0xe2, 0x10] });
  example('from zero counts 2^64', 'loop', { rcx: 0n }, { rcx: 0xffff_ffff_ffff_ffffn, rip: code(0x12) }, { bytes: [0xe2, 0x10] });
});
instruction('LOOPE', () => {
  example('goes only while ZF is set', 'loope', { rcx: 2n }, { rcx: 1n }, { bytes: [0xe1, 0x10] });
});
instruction('LOOPNE', () => {
  example('goes only while ZF is clear', 'loopne', { rcx: 2n }, { rcx: 1n, rip: code(0x12) }, { bytes: [0xe0, 0x10] });
});
instruction('CALL', () => {
  example('pushes the address behind it', 'call rax', { rax: TARGET }, { rip: TARGET, rsp: STACK - 8n, stack: [code(2)] });
  example('goes to a label', 'call', {}, { rip: code(0x15), rsp: STACK - 8n, stack: [code(5)] }, { bytes: [0xe8, 0x10, 0, 0, 0] });
  example('reads a target relative to RSP before it pushes', 'call qword ptr [rsp]', { stack: [TARGET] }, { rip: TARGET, rsp: STACK - 8n, stack: [code(3)] });
  example('pushes 32 bits in 32-bit code', 'call eax', { rax: TARGET }, { rip: TARGET, rsp: STACK - 4n, stack: [code(2)] }, { bits: 32 });
});
instruction('RET', () => {
  example('pops where it goes', 'ret', { stack: [TARGET] }, { rip: TARGET, rsp: STACK + 8n });
  example('releases bytes of arguments', 'ret 16', { stack: [TARGET] }, { rip: TARGET, rsp: STACK + 24n });
  example('counts arguments unsigned', 'ret 0xfff0', { stack: [TARGET] }, { rip: TARGET, rsp: STACK + 8n + 0xfff0n });
  example('to an address that is not canonical is #GP and RSP stays', 'ret', { stack: [NOT_CANONICAL] }, { fault: GP });
});
instruction('BOUND', () => {
  const bounds = 0x0000_0009_ffff_ffffn;
  example('accepts an index within signed bounds', 'bound eax, [edi]', { rax: 9n, rdi: MEMORY, qword: bounds }, {}, { bits: 32, bytes: [0x62, 0x07] });
  example('raises #BR outside them', 'bound eax, [edi]', { rax: 10n, rdi: MEMORY, qword: bounds }, { fault: BR }, { bits: 32, bytes: [0x62, 0x07] });
  const atTheEnd = { rax: 0x8000_0000n, rdi: UNMAPPED - 4n };
  example('reads the upper bound even where the lower one decides', 'bound eax, [edi]', atTheEnd, { fault: PF(UNMAPPED) }, { bits: 32, bytes: [0x62, 0x07] });
});
instruction('UD2', () => { example('is #UD', 'ud2', {}, { fault: UD }); });
instruction('UD1', () => { example('is #UD and reads no operand', 'ud1 eax, dword ptr [rdi]', { rdi: NOT_CANONICAL }, { fault: UD }); });
instruction('UD0', () => { example('is #UD', 'ud0 eax, ebx', {}, { fault: UD }); });
