/** BMI1 and BMI2 by example. */
import { example, instruction, MEMORY } from '../../support/example.ts';
import { forms } from '../../support/forms.ts';

instruction('ANDN', () => {
  example('inverts the first source, not the second', 'andn eax, ebx, ecx', { rbx: 0xffff_0000n, rcx: 0x1234_5678n, CF: 1, OF: 1 }, { rax: 0x5678n, CF: 0, OF: 0 });
  forms('ANDN', 'keeps what the first source has not', { 32: [[0n, 0x0fn, 0x8000_00ffn], [0x8000_00f0n]], 64: [[0n, 0x0fn, 0x8000_0000_0000_00ffn], [0x8000_0000_0000_00f0n]] }, {}, { SF: 1 });
});
instruction('BEXTR', () => {
  example('extracts a field that begins at bit 4 and has 8 bits', 'bextr eax, ebx, ecx', { rbx: 0x1234n, rcx: 0x0804n }, { rax: 0x23n });
  example('begins beyond the operand: nothing is there', 'bextr eax, ebx, ecx', { rbx: 0xffff_ffffn, rcx: 0x0820n }, { rax: 0n, ZF: 1 });
  example('a field as long as can be said ends with the operand', 'bextr rax, rbx, rcx', { rbx: 0xfedc_0000_0000_0000n, rcx: 0xff30n }, { rax: 0xfedcn });
  forms('BEXTR', 'extracts a field', { 32: [[0n, 0xabcdn, 0x0408n], [0xbn]], 64: [[0n, 0xabcdn, 0x0408n], [0xbn]] });
});
instruction('BLSI', () => {
  example('isolates the lowest bit', 'blsi eax, ebx', { rbx: 0x58n }, { rax: 8n, CF: 1 });
  example('of 0 is 0, without CF', 'blsi rax, rbx', { rbx: 0n, CF: 1 }, { rax: 0n, ZF: 1, CF: 0 });
  forms('BLSI', 'isolates the highest bit where it is the only one', { 32: [[0n, 0x8000_0000n], [0x8000_0000n]], 64: [[0n, 0x8000_0000_0000_0000n], [0x8000_0000_0000_0000n]] }, {}, { CF: 1, SF: 1 });
});
instruction('BLSMSK', () => {
  example('makes a mask up to the lowest bit', 'blsmsk eax, ebx', { rbx: 0x58n, CF: 1 }, { rax: 0xfn, CF: 0 });
  forms('BLSMSK', 'of 0 is all ones, with CF', { 32: [[0n, 0n], [0xffff_ffffn]], 64: [[0n, 0n], [0xffff_ffff_ffff_ffffn]] }, {}, { CF: 1, SF: 1 });
});
instruction('BLSR', () => {
  example('resets the lowest bit', 'blsr eax, ebx', { rbx: 0x58n, CF: 1 }, { rax: 0x50n, CF: 0 });
  forms('BLSR', 'of 0 is 0, with CF', { 32: [[1n, 0n], [0n]], 64: [[1n, 0n], [0n]] }, {}, { CF: 1, ZF: 1 });
});
instruction('BZHI', () => {
  example('keeps the bits below the position', 'bzhi eax, ebx, ecx', { rbx: 0xffff_ffffn, rcx: 0xab0cn }, { rax: 0xfffn });
  example('a position beyond the operand keeps all and sets CF', 'bzhi rax, qword ptr [rdi], rcx', { rdi: MEMORY, qword: 0x8000_0000_0000_0001n, rcx: 0x40n }, { rax: 0x8000_0000_0000_0001n, CF: 1, SF: 1 });
  forms('BZHI', 'a position of 0 keeps nothing', { 32: [[1n, 0xffn, 0n], [0n]], 64: [[1n, 0xffn, 0n], [0n]] }, {}, { ZF: 1 });
});
instruction('MULX', () => {
  example('leaves the flags and multiplies RDX', 'mulx rax, rbx, rcx', { rdx: 0xffff_ffff_ffff_ffffn, rcx: 0xffff_ffff_ffff_ffffn, CF: 1 }, { rax: 0xffff_ffff_ffff_fffen, rbx: 1n });
  example('into one register for both halves leaves the high one', 'mulx eax, eax, dword ptr [rdi]', { rdi: MEMORY, rdx: 0x8000_0000n, dword: 6n }, { rax: 3n });
});
instruction('PDEP', () => {
  example('deposits the low bits where the mask has ones', 'pdep eax, ebx, ecx', { rbx: 0b1_0110n, rcx: 0xf0f0_0000n }, { rax: 0x1060_0000n });
  forms('PDEP', 'deposits bits', { 32: [[0n, 0b101n, 0x8001_0010n], [0x8000_0010n]], 64: [[0n, 0b101n, 0x8000_0000_0001_0010n], [0x8000_0000_0000_0010n]] });
});
instruction('PEXT', () => {
  example('gathers the bits under the mask', 'pext eax, ebx, ecx', { rbx: 0x1060_0000n, rcx: 0xf0f0_0000n }, { rax: 0x16n });
  forms('PEXT', 'gathers bits', { 32: [[0n, 0x8000_0010n, 0x8001_0010n], [0b101n]], 64: [[0n, 0x8000_0000_0000_0010n, 0x8000_0000_0001_0010n], [0b101n]] });
});
instruction('RORX', () => {
  example('rotates without flags', 'rorx eax, ebx, 36', { rbx: 0x1234_5678n, CF: 1 }, { rax: 0x8123_4567n });
  forms('RORX', 'rotates by 1', { 32: [[0n, 1n, 1n], [0x8000_0000n]], 64: [[0n, 1n, 1n], [0x8000_0000_0000_0000n]] });
});
instruction('SARX', () => {
  forms('SARX', 'copies the sign, by a count modulo the width', { 32: [[0n, 0x8000_0000n, 0x24n], [0xf800_0000n]], 64: [[0n, 0x8000_0000_0000_0000n, 0x44n], [0xf800_0000_0000_0000n]] }, { CF: 1 });
});
instruction('SHLX', () => {
  forms('SHLX', 'shifts left, by a count modulo the width', { 32: [[0n, 0x1234_5678n, 0x24n], [0x2345_6780n]], 64: [[0n, 0x1234_5678n, 0x44n], [0x1_2345_6780n]] }, { CF: 1 });
});
instruction('SHRX', () => {
  forms('SHRX', 'shifts zeros in, by a count modulo the width', { 32: [[0n, 0x8000_0000n, 0x24n], [0x0800_0000n]], 64: [[0n, 0x8000_0000_0000_0000n, 0x44n], [0x0800_0000_0000_0000n]] }, { CF: 1 });
});
