/** Addition, subtraction and comparison by example. */
import { example, instruction, MEMORY, PF, READ_ONLY, UNMAPPED } from '../../support/example.ts';

const ALL_ONES = 0xffff_ffff_ffff_ffffn;

instruction('ADD', () => {
  example('adds two registers', 'add rax, rbx', { rax: 1n, rbx: 2n }, { rax: 3n, PF: 1 });
  example('carries out of bit 63', 'add rax, rbx', { rax: ALL_ONES, rbx: 1n }, { rax: 0n, CF: 1, PF: 1, AF: 1, ZF: 1 });
  example('overflows where two positive numbers give a negative one', 'add al, bl', { rax: 0x7fn, rbx: 1n }, { rax: 0x80n, AF: 1, SF: 1, OF: 1 });
  example('a 32-bit result clears the upper half of its register', 'add eax, ebx', { rax: ALL_ONES, rbx: 1n }, { rax: 0n, CF: 1, PF: 1, AF: 1, ZF: 1 });
  example('a 16-bit result leaves the upper 48 bits', 'add ax, bx', { rax: 0x1111_2222_3333_ffffn, rbx: 1n }, { rax: 0x1111_2222_3333_0000n, CF: 1, PF: 1, AF: 1, ZF: 1 });
  example('AH is bits 15:8', 'add ah, bl', { rax: 0x1234n, rbx: 1n }, { rax: 0x1334n });
  example('sign-extends an 8-bit immediate', 'add rax, -1', { rax: 0n }, { rax: ALL_ONES, PF: 1, SF: 1 });
  example('adds to memory', 'add qword ptr [rdi], rax', { rdi: MEMORY, qword: 5n, rax: 1n }, { qword: 6n, PF: 1 });
  example('may be locked with a memory destination', 'lock add dword ptr [rdi], eax', { rdi: MEMORY, dword: 5n, rax: 1n }, { dword: 6n, PF: 1 });
  example('a destination that cannot be written faults as a write before anything changes', 'add dword ptr [rdi], eax', { rdi: READ_ONLY, rax: 1n, CF: 1 }, { fault: PF(READ_ONLY, { write: true, present: true }) });
  example('an access across two pages reports the page that is not there', 'add qword ptr [rdi], rax', { rdi: UNMAPPED - 4n, rax: 1n }, { fault: PF(UNMAPPED - 4n, { write: true, present: true }) });
});

instruction('ADC', () => {
  example('adds the incoming carry', 'adc rax, rbx', { rax: 1n, rbx: 2n, CF: 1 }, { rax: 4n, CF: 0 });
  example('carries out when only the incoming carry overflows it', 'adc rax, rbx', { rax: ALL_ONES, rbx: 0n, CF: 1 }, { rax: 0n, CF: 1, PF: 1, AF: 1, ZF: 1 });
  example('a 32-bit result clears the upper half of its register', 'adc eax, ebx', { rax: ALL_ONES, rbx: 0n, CF: 1 }, { rax: 0n, CF: 1, PF: 1, AF: 1, ZF: 1 });
  example('a faulting destination changes nothing', 'adc qword ptr [rdi], rax', { rdi: UNMAPPED, rax: 1n, CF: 1 }, { fault: PF(UNMAPPED, { write: true }) });
});

instruction('SUB', () => {
  example('borrows below zero', 'sub rax, rbx', { rax: 0n, rbx: 1n }, { rax: ALL_ONES, CF: 1, PF: 1, AF: 1, SF: 1 });
  example('equal operands give zero', 'sub rax, rax', { rax: 7n }, { rax: 0n, ZF: 1, PF: 1 });
  example('overflows where a negative number less a positive one is positive', 'sub al, bl', { rax: 0x80n, rbx: 1n }, { rax: 0x7fn, AF: 1, OF: 1 });
});

instruction('SBB', () => {
  example('subtracts the incoming borrow', 'sbb rax, rbx', { rax: 5n, rbx: 2n, CF: 1 }, { rax: 2n, CF: 0 });
  example('makes a mask of the carry', 'sbb eax, eax', { rax: 0x1234n, CF: 1 }, { rax: 0xffff_ffffn, CF: 1, PF: 1, AF: 1, SF: 1 });
});

instruction('CMP', () => {
  example('sets flags as a subtraction and keeps its operands', 'cmp rax, rbx', { rax: 1n, rbx: 2n }, { CF: 1, PF: 1, AF: 1, SF: 1 });
  example('only reads memory', 'cmp dword ptr [rdi], 5', { rdi: MEMORY, dword: 5n }, { ZF: 1, PF: 1 });
  example('may compare with memory that cannot be written', 'cmp byte ptr [rdi], 5', { rdi: UNMAPPED }, { fault: PF(UNMAPPED) });
});

instruction('NEG', () => {
  example('is zero minus its operand', 'neg rax', { rax: 1n }, { rax: ALL_ONES, CF: 1, PF: 1, AF: 1, SF: 1 });
  example('clears CF for zero', 'neg rax', { rax: 0n, CF: 1 }, { CF: 0, ZF: 1, PF: 1 });
  example('overflows for the most negative number', 'neg al', { rax: 0x80n }, { CF: 1, SF: 1, OF: 1 });
});

instruction('INC', () => {
  example('keeps CF', 'inc rax', { rax: ALL_ONES, CF: 1 }, { rax: 0n, ZF: 1, PF: 1, AF: 1 });
  example('overflows into the sign', 'inc dword ptr [rdi]', { rdi: MEMORY, dword: 0x7fff_ffffn }, { dword: 0x8000_0000n, PF: 1, AF: 1, SF: 1, OF: 1 });
  example('has a one-byte form outside 64-bit mode', 'inc ecx', { rcx: 1n }, { rcx: 2n }, { bits: 32 });
});

instruction('DEC', () => {
  example('keeps CF', 'dec rax', { rax: 0n, CF: 1 }, { rax: ALL_ONES, PF: 1, AF: 1, SF: 1 });
  example('overflows out of the sign', 'dec al', { rax: 0x80n }, { rax: 0x7fn, AF: 1, OF: 1 });
});
instruction('ADCX', () => {
  example('adds CF and gives the carry to CF, leaving OF to another chain', 'adcx rax, rbx', { rax: 0xffff_ffff_ffff_ffffn, rbx: 0n, CF: 1, OF: 1 }, { rax: 0n, CF: 1, OF: 1 });
  example('two carries never meet: all ones twice and one', 'adcx rax, qword ptr [rdi]', { rdi: MEMORY, rax: 0xffff_ffff_ffff_ffffn, qword: 0xffff_ffff_ffff_ffffn, CF: 1 }, { rax: 0xffff_ffff_ffff_ffffn, CF: 1 });
  example('is no result of its own: ZF and SF stay', 'adcx eax, ebx', { rax: 1n, rbx: 2n, ZF: 1, SF: 1 }, { rax: 3n });
});
instruction('ADOX', () => {
  example('adds OF and gives the carry to OF, leaving CF to another chain', 'adox rax, rbx', { rax: 0xffff_ffff_ffff_ffffn, rbx: 0n, CF: 1, OF: 1 }, { rax: 0n, CF: 1, OF: 1 });
  example('an overflow of signed numbers is no carry', 'adox eax, dword ptr [rdi]', { rdi: MEMORY, rax: 0x7fff_ffffn, dword: 1n }, { rax: 0x8000_0000n, OF: 0 });
});
