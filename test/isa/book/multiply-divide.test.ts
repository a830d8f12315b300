/** Multiplication and division by example. */
import { DE, example, instruction, MEMORY } from '../../support/example.ts';

const ALL_ONES = 0xffff_ffff_ffff_ffffn;

instruction('MUL', () => {
  example('puts the upper half of the product into RDX', 'mul rbx', { rax: ALL_ONES, rbx: 2n }, { rax: ALL_ONES - 1n, rdx: 1n, CF: 1, OF: 1 });
  example('clears CF and OF where the upper half is zero', 'mul ebx', { rax: 3n, rbx: 4n, CF: 1, OF: 1 }, { rax: 12n, rdx: 0n, CF: 0, OF: 0 });
  example('an 8-bit product is AX', 'mul bl', { rax: 0xffn, rbx: 0xffn }, { rax: 0xfe01n, CF: 1, OF: 1 });
  example('a 16-bit product is DX:AX', 'mul word ptr [rdi]', { rax: 0x1_8000n, rdx: 0x1_0000n, rdi: MEMORY, word: 4n }, { rax: 0x1_0000n, rdx: 0x1_0002n, CF: 1, OF: 1 });
});

instruction('IMUL', () => {
  example('with one operand multiplies signed numbers', 'imul rbx', { rax: ALL_ONES, rbx: 2n }, { rax: ALL_ONES - 1n, rdx: ALL_ONES });
  example('with two operands keeps the lower half', 'imul rax, rbx', { rax: 7n, rbx: ALL_ONES }, { rax: ALL_ONES - 6n });
  example('says by CF and OF that the product did not fit', 'imul ax, bx', { rax: 0x4000n, rbx: 4n }, { rax: 0n, CF: 1, OF: 1 });
  example('with three operands multiplies by an immediate', 'imul rax, rbx, -3', { rbx: 5n }, { rax: ALL_ONES - 14n });
});

instruction('DIV', () => {
  example('divides RDX:RAX', 'div rbx', { rdx: 1n, rax: 0n, rbx: 16n }, { rax: 0x1000_0000_0000_0000n, rdx: 0n });
  example('puts the remainder into RDX', 'div ebx', { rdx: 0n, rax: 100n, rbx: 7n }, { rax: 14n, rdx: 2n });
  example('an 8-bit division leaves quotient in AL and remainder in AH', 'div bl', { rax: 0x0201n, rbx: 3n }, { rax: 0x00abn });
  example('by zero is #DE', 'div rbx', { rbx: 0n }, { fault: DE });
  example('a quotient that does not fit is #DE', 'div rbx', { rdx: 16n, rax: 0n, rbx: 16n }, { fault: DE });
});

instruction('IDIV', () => {
  example('truncates towards zero', 'idiv rbx', { rdx: ALL_ONES, rax: ALL_ONES - 6n, rbx: 2n }, { rax: ALL_ONES - 2n, rdx: ALL_ONES });
  example('the remainder has the sign of the dividend', 'idiv ebx', { rdx: 0n, rax: 7n, rbx: 0xffff_fffen }, { rax: 0xffff_fffdn, rdx: 1n });
  example('the most negative quotient fits', 'idiv bl', { rax: 0xff80n, rbx: 1n }, { rax: 0x0080n });
  example('the most negative number by -1 is #DE', 'idiv rbx', { rdx: ALL_ONES, rax: 0x8000_0000_0000_0000n, rbx: ALL_ONES }, { fault: DE });
  example('by zero is #DE', 'idiv dword ptr [rdi]', { rdi: MEMORY, dword: 0n }, { fault: DE });
});
