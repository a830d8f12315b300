/**
 * The widths and encodings that an instruction has, each with the same stated case. What the instruction is for stands in
 * the other chapters; here it is shown that all its rows do it.
 */
import { code, example, instruction, MEMORY, STACK, UD } from '../../support/example.ts';
import { form, forms } from '../../support/forms.ts';

/** The most negative and the most positive number of each width, and all ones. */
const MIN = { 8: 0x80n, 16: 0x8000n, 32: 0x8000_0000n, 64: 0x8000_0000_0000_0000n } as const;
const MAX = { 8: 0x7fn, 16: 0x7fffn, 32: 0x7fff_ffffn, 64: 0x7fff_ffff_ffff_ffffn } as const;
const ONES = { 8: 0xffn, 16: 0xffffn, 32: 0xffff_ffffn, 64: 0xffff_ffff_ffff_ffffn } as const;

// ------------------------------------------------------------------------------------------ addition and subtraction
instruction('ADD', () => {
  forms('ADD', 'all ones and 1 carry out', { 8: [[ONES[8], 1n], [0n]], 16: [[ONES[16], 1n], [0n]], 32: [[ONES[32], 1n], [0n]], 64: [[ONES[64], 1n], [0n]] }, {}, { CF: 1, PF: 1, AF: 1, ZF: 1 });
});
instruction('ADC', () => {
  forms('ADC', 'a carry and 0 turn the most positive number into the most negative one', { 8: [[MAX[8], 0n], [MIN[8]]] }, { CF: 1 }, { CF: 0, AF: 1, SF: 1, OF: 1 });
  forms('ADC', 'a carry and 0 turn the most positive number into the most negative one', { 16: [[MAX[16], 0n], [MIN[16]]], 32: [[MAX[32], 0n], [MIN[32]]], 64: [[MAX[64], 0n], [MIN[64]]] }, { CF: 1 }, { CF: 0, PF: 1, AF: 1, SF: 1, OF: 1 });
});
instruction('SUB', () => {
  forms('SUB', '0 less 1 borrows', { 8: [[0n, 1n], [ONES[8]]], 16: [[0n, 1n], [ONES[16]]], 32: [[0n, 1n], [ONES[32]]], 64: [[0n, 1n], [ONES[64]]] }, {}, { CF: 1, PF: 1, AF: 1, SF: 1 });
});
instruction('SBB', () => {
  forms('SBB', '2 less 1 and a borrow is 0', { 8: [[2n, 1n], [0n]], 16: [[2n, 1n], [0n]], 32: [[2n, 1n], [0n]], 64: [[2n, 1n], [0n]] }, { CF: 1 }, { CF: 0, PF: 1, ZF: 1 });
});
instruction('CMP', () => {
  forms('CMP', 'the most negative number less 1 overflows, and is not stored', { 8: [[MIN[8], 1n]] }, {}, { AF: 1, OF: 1 });
  forms('CMP', 'the most negative number less 1 overflows, and is not stored', { 16: [[MIN[16], 1n]], 32: [[MIN[32], 1n]], 64: [[MIN[64], 1n]] }, {}, { PF: 1, AF: 1, OF: 1 });
});
instruction('NEG', () => {
  forms('NEG', '1 becomes -1', { 8: [[1n], [ONES[8]]], 16: [[1n], [ONES[16]]], 32: [[1n], [ONES[32]]], 64: [[1n], [ONES[64]]] }, {}, { CF: 1, PF: 1, AF: 1, SF: 1 });
});
instruction('INC', () => {
  forms('INC', 'all ones become 0, without CF', { 8: [[ONES[8]], [0n]], 16: [[ONES[16]], [0n]], 32: [[ONES[32]], [0n]], 64: [[ONES[64]], [0n]] }, {}, { PF: 1, AF: 1, ZF: 1 });
});
instruction('DEC', () => {
  forms('DEC', '1 becomes 0 and CF stays', { 8: [[1n], [0n]], 16: [[1n], [0n]], 32: [[1n], [0n]], 64: [[1n], [0n]] }, { CF: 1 }, { PF: 1, ZF: 1 });
});
instruction('XADD', () => {
  forms('XADD', 'the sum goes to the first operand, what was there to the second', { 8: [[0x41n, 0x22n], [0x63n, 0x41n]], 16: [[0x4001n, 0x2002n], [0x6003n, 0x4001n]], 32: [[0x4000_0001n, 0x2000_0002n], [0x6000_0003n, 0x4000_0001n]] }, {}, { PF: 1 });
});

// ----------------------------------------------------------------------------------------------------------- logic
instruction('AND', () => {
  forms('AND', 'keeps the low four bits', { 8: [[0xa5n, 0x0fn], [5n]], 16: [[0xa5a5n, 0x0fn], [5n]], 32: [[0xa5a5_a5a5n, 0x0fn], [5n]], 64: [[0xa5a5_a5a5_a5a5_a5a5n, 0x0fn], [5n]] }, { CF: 1, OF: 1 }, { CF: 0, OF: 0, PF: 1 });
});
instruction('OR', () => {
  forms('OR', 'sets the low four bits', { 8: [[0x81n, 0x0fn], [0x8fn]] }, { CF: 1, OF: 1 }, { CF: 0, OF: 0, SF: 1 });
  forms('OR', 'sets the low four bits', { 16: [[0x8001n, 0x0fn], [0x800fn]], 32: [[0x8000_0001n, 0x0fn], [0x8000_000fn]], 64: [[0x8000_0000_0000_0001n, 0x0fn], [0x8000_0000_0000_000fn]] }, { CF: 1, OF: 1 }, { CF: 0, OF: 0, PF: 1, SF: 1 });
});
instruction('XOR', () => {
  forms('XOR', 'turns the low four bits over', { 8: [[0x55n, 0x0fn], [0x5an]], 16: [[0x5555n, 0x0fn], [0x555an]], 32: [[0x5555_5555n, 0x0fn], [0x5555_555an]], 64: [[0x5555_5555_5555_5555n, 0x0fn], [0x5555_5555_5555_555an]] }, { CF: 1, OF: 1 }, { CF: 0, OF: 0, PF: 1 });
});
instruction('TEST', () => {
  forms('TEST', 'no bit in common is zero, and nothing is stored', { 8: [[0xf0n, 0x0fn]], 16: [[0xfff0n, 0x0fn]], 32: [[0xffff_fff0n, 0x0fn]], 64: [[0xffff_ffff_ffff_fff0n, 0x0fn]] }, { CF: 1, OF: 1 }, { CF: 0, OF: 0, PF: 1, ZF: 1 });
});
instruction('NOT', () => {
  forms('NOT', 'turns every bit over and no flag', { 8: [[0x0fn], [0xf0n]], 16: [[0x0fn], [0xfff0n]], 32: [[0x0fn], [0xffff_fff0n]], 64: [[0x0fn], [0xffff_ffff_ffff_fff0n]] }, { CF: 1 });
});

// ---------------------------------------------------------------------------------------------------------- shifts
// By 1 the rows D0, D1 have their case too; the count is CL or an immediate in the others.
for (const mnemonic of ['SHL', 'SAL'] as const) {
  instruction(mnemonic, () => {
    forms(mnemonic, 'the top bit goes to CF, and OF says that the sign changed', { 8: [[MIN[8] + 1n, 1n], [2n]], 16: [[MIN[16] + 1n, 1n], [2n]], 32: [[MIN[32] + 1n, 1n], [2n]], 64: [[MIN[64] + 1n, 1n], [2n]] }, {}, { CF: 1, OF: 1 });
    forms(mnemonic, 'by four', { 8: [[0x13n, 4n], [0x30n]], 16: [[0x1003n, 4n], [0x30n]], 32: [[0x1000_0003n, 4n], [0x30n]], 64: [[0x1000_0000_0000_0003n, 4n], [0x30n]] }, {}, { CF: 1, PF: 1 });
  });
}
instruction('SHR', () => {
  forms('SHR', 'bit 0 goes to CF, and OF was the sign', { 8: [[MIN[8] + 1n, 1n], [0x40n]] }, {}, { CF: 1, OF: 1 });
  forms('SHR', 'bit 0 goes to CF, and OF was the sign', { 16: [[MIN[16] + 1n, 1n], [0x4000n]], 32: [[MIN[32] + 1n, 1n], [0x4000_0000n]], 64: [[MIN[64] + 1n, 1n], [0x4000_0000_0000_0000n]] }, {}, { CF: 1, OF: 1, PF: 1 });
  forms('SHR', 'by four', { 8: [[0xf8n, 4n], [0x0fn]], 16: [[0xf8n, 4n], [0x0fn]], 32: [[0xf8n, 4n], [0x0fn]], 64: [[0xf8n, 4n], [0x0fn]] }, {}, { CF: 1, PF: 1 });
});
instruction('SAR', () => {
  forms('SAR', 'the sign stays and bit 0 goes to CF', { 8: [[0x81n, 1n], [0xc0n]] }, {}, { CF: 1, PF: 1, SF: 1 });
  forms('SAR', 'the sign stays and bit 0 goes to CF', { 16: [[0x8001n, 1n], [0xc000n]], 32: [[0x8000_0001n, 1n], [0xc000_0000n]], 64: [[0x8000_0000_0000_0001n, 1n], [0xc000_0000_0000_0000n]] }, {}, { CF: 1, PF: 1, SF: 1 });
});
instruction('ROL', () => {
  forms('ROL', 'the top bit comes back as bit 0', { 8: [[MIN[8], 1n], [1n]], 16: [[MIN[16], 1n], [1n]], 32: [[MIN[32], 1n], [1n]], 64: [[MIN[64], 1n], [1n]] }, {}, { CF: 1, OF: 1 });
});
instruction('ROR', () => {
  forms('ROR', 'bit 0 comes back as the top bit', { 8: [[1n, 1n], [MIN[8]]], 16: [[1n, 1n], [MIN[16]]], 32: [[1n, 1n], [MIN[32]]], 64: [[1n, 1n], [MIN[64]]] }, {}, { CF: 1, OF: 1 });
});
instruction('RCL', () => {
  forms('RCL', 'CF comes in as bit 0, the top bit goes to CF', { 8: [[MIN[8], 1n], [1n]], 16: [[MIN[16], 1n], [1n]], 32: [[MIN[32], 1n], [1n]], 64: [[MIN[64], 1n], [1n]] }, { CF: 1 }, { CF: 1, OF: 1 });
});
instruction('RCR', () => {
  forms('RCR', 'CF comes in as the top bit, bit 0 goes to CF', { 8: [[1n, 1n], [MIN[8]]], 16: [[1n, 1n], [MIN[16]]], 32: [[1n, 1n], [MIN[32]]], 64: [[1n, 1n], [MIN[64]]] }, { CF: 1 }, { CF: 1, OF: 1 });
});
instruction('SHLD', () => {
  forms('SHLD', 'four bits come in from the top of the source', { 16: [[0x1001n, 0xa000n, 4n], [0x1an]], 32: [[0x1000_0001n, 0xa000_0000n, 4n], [0x1an]], 64: [[0x1000_0000_0000_0001n, 0xa000_0000_0000_0000n, 4n], [0x1an]] }, {}, { CF: 1 });
});
instruction('SHRD', () => {
  forms('SHRD', 'four bits come in from the bottom of the source', { 16: [[0x18n, 5n, 4n], [0x5001n]], 32: [[0x18n, 5n, 4n], [0x5000_0001n]], 64: [[0x18n, 5n, 4n], [0x5000_0000_0000_0001n]] }, {}, { CF: 1 });
});

// ------------------------------------------------------------------------------------------------------------ bits
instruction('BT', () => { forms('BT', 'CF is the bit', { 16: [[0x20n, 5n]], 32: [[0x20n, 5n]], 64: [[0x20n, 5n]] }, {}, { CF: 1 }); });
instruction('BTS', () => { forms('BTS', 'CF is the bit, which becomes 1', { 16: [[1n, 5n], [0x21n]], 32: [[1n, 5n], [0x21n]], 64: [[1n, 5n], [0x21n]] }, { CF: 1 }, { CF: 0 }); });
instruction('BTR', () => { forms('BTR', 'CF is the bit, which becomes 0', { 16: [[0x21n, 5n], [1n]], 32: [[0x21n, 5n], [1n]], 64: [[0x21n, 5n], [1n]] }, {}, { CF: 1 }); });
instruction('BTC', () => { forms('BTC', 'CF is the bit, which turns over', { 16: [[0x21n, 5n], [1n]], 32: [[0x21n, 5n], [1n]], 64: [[0x21n, 5n], [1n]] }, {}, { CF: 1 }); });
instruction('BSF', () => { forms('BSF', 'the lowest bit of 48h is bit 3', { 16: [[0n, 0x48n], [3n]], 32: [[0n, 0x48n], [3n]], 64: [[0n, 0x48n], [3n]] }); });
instruction('BSR', () => { forms('BSR', 'the highest bit of 48h is bit 6', { 16: [[0n, 0x48n], [6n]], 32: [[0n, 0x48n], [6n]], 64: [[0n, 0x48n], [6n]] }); });
instruction('POPCNT', () => { forms('POPCNT', 'counts ones', { 16: [[0n, 0x8421n], [4n]], 32: [[0n, 0x8000_0421n], [4n]], 64: [[0n, 0x8000_0000_0000_0421n], [4n]] }, { CF: 1, OF: 1 }, { CF: 0, OF: 0 }); });
instruction('LZCNT', () => { forms('LZCNT', 'one zero stands above bit w - 2', { 16: [[0n, 0x4001n], [1n]], 32: [[0n, 0x4000_0001n], [1n]], 64: [[0n, 0x4000_0000_0000_0001n], [1n]] }, { CF: 1, ZF: 1 }, { CF: 0, ZF: 0 }); });
instruction('TZCNT', () => { forms('TZCNT', 'three zeros stand below bit 3', { 16: [[0n, 0x48n], [3n]], 32: [[0n, 0x48n], [3n]], 64: [[0n, 0x48n], [3n]] }, { CF: 1, ZF: 1 }, { CF: 0, ZF: 0 }); });
instruction('CRC32', () => {
  form('CRC32 r32, r/m8', 'accumulates a byte', [0n, 1n], [0xf26b_8303n]);
  form('CRC32 r32, r/m16', 'accumulates two bytes', [0n, 1n], [0x13a2_9877n]);
  form('CRC32 r32, r/m32', 'accumulates four bytes', [0n, 1n], [0xdd45_aab8n]);
  form('CRC32 r64, r/m8', 'accumulates a byte and clears the upper half', [0n, 1n], [0xf26b_8303n]);
  form('CRC32 r64, r/m64', 'accumulates eight bytes and clears the upper half', [0n, 1n], [0x493c_7d27n]);
});
instruction('ADCX', () => { forms('ADCX', 'all ones and a carry carry again', { 32: [[ONES[32], 0n], [0n]], 64: [[ONES[64], 0n], [0n]] }, { CF: 1 }, { CF: 1 }); });
instruction('ADOX', () => { forms('ADOX', 'all ones and an overflow overflow again', { 32: [[ONES[32], 0n], [0n]], 64: [[ONES[64], 0n], [0n]] }, { OF: 1 }, { OF: 1 }); });

// ------------------------------------------------------------------------------------------------- multiply, divide
instruction('IMUL', () => {
  example('-2 times 3 is -6, in AX', 'imul bl', { rax: 0x11fen, rbx: 3n }, { rax: 0xfffan });
  example('-2 times 3 is -6, in DX:AX', 'imul bx', { rax: 0xfffen, rbx: 3n, rdx: 0n }, { rax: 0xfffan, rdx: 0xffffn });
  example('-2 times 3 is -6, in EDX:EAX', 'imul ebx', { rax: ONES[32] - 1n, rbx: 3n }, { rax: 0xffff_fffan, rdx: ONES[32] });
  form('IMUL r32, r/m32', '-2 times 3 is -6', [ONES[32] - 1n, 3n], [0xffff_fffan]);
  form('IMUL r16, r/m16, imm8', '-3 times 5 is -15', [0n, 0xfffdn, 5n], [0xfff1n]);
  form('IMUL r32, r/m32, imm8', '-3 times 5 is -15', [0n, 0xffff_fffdn, 5n], [0xffff_fff1n]);
  form('IMUL r16, r/m16, imm16', 'CF and OF say that 100h times 100h does not fit', [0n, 0x100n, 0x100n], [0n], {}, { CF: 1, OF: 1 });
  form('IMUL r32, r/m32, imm32', 'CF and OF say that 10000h times 10000h does not fit', [0n, 0x1_0000n, 0x1_0000n], [0n], {}, { CF: 1, OF: 1 });
  form('IMUL r64, r/m64, imm32', '1_0000_0000h times 10000h', [0n, 0x1_0000_0000n, 0x1_0000n], [0x1_0000_0000_0000n]);
});
instruction('DIV', () => { example('7 by 2 is 3, remainder 1 in DX', 'div bx', { rdx: 0n, rax: 7n, rbx: 2n }, { rax: 3n, rdx: 1n }); });
instruction('IDIV', () => { example('-7 by 2 is -3, remainder -1 in DX', 'idiv bx', { rdx: 0xffffn, rax: 0xfff9n, rbx: 2n }, { rax: 0xfffdn, rdx: 0xffffn }); });

// -------------------------------------------------------------------------------------------------- moving and swapping
instruction('MOV', () => {
  forms('MOV', 'the second operand is copied to the first', { 8: [[0x11n, 0x22n], [0x22n]], 16: [[0x1111n, 0x22n], [0x22n]], 32: [[0x1111_1111n, 0x22n], [0x22n]], 64: [[0x1111_1111_1111_1111n, 0x22n], [0x22n]] });
});
instruction('MOVZX', () => {
  form('MOVZX r16, r/m8', 'zeroes above a byte', [ONES[16], 0x80n], [0x80n]);
  form('MOVZX r64, r/m8', 'zeroes above a byte', [ONES[64], 0x80n], [0x80n]);
  form('MOVZX r16, r/m16', 'is a move where nothing is left to extend', [0n, 0x8000n], [0x8000n]);
  form('MOVZX r32, r/m16', 'zeroes above a word', [ONES[32], 0x8000n], [0x8000n]);
});
instruction('MOVSX', () => {
  form('MOVSX r32, r/m8', 'copies of the sign above a byte', [0n, 0x80n], [0xffff_ff80n]);
  form('MOVSX r16, r/m16', 'is a move where nothing is left to extend', [0n, 0x8000n], [0x8000n]);
  form('MOVSX r32, r/m16', 'copies of the sign above a word', [0n, 0x8000n], [0xffff_8000n]);
  form('MOVSX r64, r/m16', 'copies of the sign above a word', [0n, 0x8000n], [0xffff_ffff_ffff_8000n]);
});
instruction('MOVSXD', () => {
  form('MOVSXD r16, r/m16', 'without REX.W extends nothing', [0n, 0x8000n], [0x8000n]);
  form('MOVSXD r32, r/m32', 'without REX.W extends nothing', [0n, 0x8000_0000n], [0x8000_0000n]);
});
instruction('MOVBE', () => {
  form('MOVBE r16, m16', 'turns the bytes around', [0n, 0x1122n], [0x2211n]);
  form('MOVBE r32, m32', 'turns the bytes around', [0n, 0x1122_3344n], [0x4433_2211n]);
  form('MOVBE m32, r32', 'turns the bytes around', [0n, 0x1122_3344n], [0x4433_2211n]);
  form('MOVBE m64, r64', 'turns the bytes around', [0n, 0x1122_3344_5566_7788n], [0x8877_6655_4433_2211n]);
});
instruction('LEA', () => { example('keeps the low 16 bits of the address', 'lea ax, [rdi+16]', { rax: 0x9999_9999n, rdi: 0x1_2345n }, { rax: 0x9999_2355n }); });
instruction('CMOVcc', () => {
  forms('CMOVcc', 'moves where the condition holds', { 16: [[1n, 2n], [2n]], 32: [[1n, 2n], [2n]], 64: [[1n, 2n], [2n]] }, { CF: 1 });
});
instruction('XCHG', () => {
  forms('XCHG', 'the operands change places', { 8: [[1n, 2n], [2n, 1n]], 16: [[1n, 2n], [2n, 1n]], 32: [[1n, 2n], [2n, 1n]], 64: [[1n, 2n], [2n, 1n]] });
});
instruction('CMPXCHG', () => {
  forms('CMPXCHG', 'stores the second operand where the first is AL', { 8: [[5n, 7n], [7n]] }, { rax: 0x1105n }, { ZF: 1, PF: 1 });
  forms('CMPXCHG', 'stores the second operand where the first is AX', { 16: [[5n, 7n], [7n]] }, { rax: 0x11_0005n }, { ZF: 1, PF: 1 });
});

// ----------------------------------------------------------------------------------------------------------- stack
instruction('PUSH', () => {
  example('a word, of a register', 'push ax', { rax: 0x9_1234n, stack: [0n] }, { rsp: STACK - 2n, stack: [0x1234n] });
  example('a word, of memory', 'push word ptr [rdi]', { rdi: MEMORY, word: 0x1234n, stack: [0n] }, { rsp: STACK - 2n, stack: [0x1234n] });
  example('a doubleword of memory, outside 64-bit mode', 'push dword ptr [edi]', { rdi: MEMORY, dword: 0x1234n }, { rsp: STACK - 4n, stack: [0x1234n] }, { bits: 32 });
  example('a word, which the immediate is', 'push 0x1234', { stack: [0n] }, { rsp: STACK - 2n, stack: [0x1234n] }, { bytes: [0x66, 0x68, 0x34, 0x12] });
  example('a sign-extended immediate of 32 bits', 'push -0x7fffffff', {}, { rsp: STACK - 8n, stack: [0xffff_ffff_8000_0001n] }, { bytes: [0x68, 0x01, 0x00, 0x00, 0x80] });
});
instruction('POP', () => {
  example('a word, to a register', 'pop ax', { rax: 0x9_9999n, stack: [0x1234n] }, { rax: 0x9_1234n, rsp: STACK + 2n });
  example('a doubleword, outside 64-bit mode', 'pop eax', { stack: [0x1234n] }, { rax: 0x1234n, rsp: STACK + 4n }, { bits: 32 });
  example('a word, to memory', 'pop word ptr [rdi]', { rdi: MEMORY, stack: [0x1234n] }, { word: 0x1234n, rsp: STACK + 2n });
  example('a doubleword to memory, outside 64-bit mode', 'pop dword ptr [edi]', { rdi: MEMORY, stack: [0x1234n] }, { dword: 0x1234n, rsp: STACK + 4n }, { bits: 32 });
});

// -------------------------------------------------------------------------------------------------------- branches
/** The instruction is at 3000_1800h: what remains of a target there when the operand size is 16. */
const LOW_16 = 0x1800n;
instruction('JMP', () => {
  example('by a distance of 32 bits', 'jmp +16', {}, { rip: code(5 + 16) }, { bytes: [0xe9, 16, 0, 0, 0] });
  example('by a distance of 16 bits, outside 64-bit mode, keeps 16 bits of EIP', 'jmp +16', {}, { rip: LOW_16 + 4n + 16n }, { bits: 32, bytes: [0x66, 0xe9, 16, 0] });
  example('to a register of 16 bits, outside 64-bit mode', 'jmp ax', { rax: 0x9_1234n }, { rip: 0x1234n }, { bits: 32, bytes: [0x66, 0xff, 0xe0] });
  example('to a register of 32 bits, outside 64-bit mode', 'jmp eax', { rax: code(64) }, { rip: code(64) }, { bits: 32, bytes: [0xff, 0xe0] });
});
instruction('Jcc', () => {
  example('by a distance of 32 bits', 'jb +16', { CF: 1 }, { rip: code(6 + 16) }, { bytes: [0x0f, 0x82, 16, 0, 0, 0] });
  example('by a distance of 16 bits, outside 64-bit mode, keeps 16 bits of EIP', 'jb +16', { CF: 1 }, { rip: LOW_16 + 5n + 16n }, { bits: 32, bytes: [0x66, 0x0f, 0x82, 16, 0] });
});
instruction('CALL', () => {
  example('by a distance of 16 bits, outside 64-bit mode, pushes IP', 'call +16', { stack: [0n] }, { rip: LOW_16 + 4n + 16n, rsp: STACK - 2n, stack: [LOW_16 + 4n] }, { bits: 32, bytes: [0x66, 0xe8, 16, 0] });
  example('to a register of 16 bits, outside 64-bit mode', 'call ax', { rax: 0x9_1234n, stack: [0n] }, { rip: 0x1234n, rsp: STACK - 2n, stack: [LOW_16 + 3n] }, { bits: 32, bytes: [0x66, 0xff, 0xd0] });
});
instruction('BOUND', () => {
  example('3 is between 1 and 5, words', 'bound ax, [edi]', { rax: 3n, rdi: MEMORY, dword: 0x0005_0001n }, {}, { bits: 32, bytes: [0x66, 0x62, 0x07] });
});

// --------------------------------------------------------------------------------------------------- nothing and #UD
instruction('LAHF', () => { example('AH is SF ZF 0 AF 0 PF 1 CF, outside 64-bit mode too', 'lahf', { rax: 0n, CF: 1, SF: 1 }, { rax: 0x8300n }, { bits: 32 }); });
instruction('SAHF', () => { example('takes them from AH, outside 64-bit mode too', 'sahf', { rax: 0x8100n, ZF: 1 }, { ZF: 0, CF: 1, SF: 1 }, { bits: 32 }); });
instruction('NOP', () => { forms('NOP', 'does nothing with its operand', { 16: [[5n]], 32: [[5n]], 64: [[5n]] }, { CF: 1 }); });
instruction('RESERVEDNOP', () => { forms('RESERVEDNOP', 'does nothing with its operands', { 32: [[5n, 6n]] }, { CF: 1 }); });
for (const mnemonic of ['UD0', 'UD1'] as const) {
  instruction(mnemonic, () => { forms(mnemonic, 'is #UD whatever its operands', { 16: [[5n, 6n]], 32: [[5n, 6n]], 64: [[5n, 6n]] }, {}, { fault: UD }); });
}
