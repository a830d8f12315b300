/** The methods' types come from the table: a wrong operand is a type error. `tsc` is the judge of this file; nothing in it runs but the last line. */
import { expect, test } from 'vitest';
import { al, Assembler, at, ax, byte, cl, dword, dx, eax, far, label, qword, rax, rbx, rcx, rdi, rsp, xmm0, xmm1, xmmword } from '../../src/assembler/index.ts';

function wellTyped(a: Assembler): void {
  a.add(rax, rbx);
  a.mov(rax, qword(rbx, 8));
  a.mov(rax, 5n);
  a.mov(rax, label('table').plus(8));
  a.mov(qword(rbx, rcx, 8, 16), rax);
  a.movzx(eax, byte(rsp));
  a.lea(rax, at('table'));
  a.shl(rax, cl);
  a.jne('.loop');
  a.jnbe('.loop');
  a.setae(byte(rbx));
  a.cmovpe(rax, rbx);
  a.rep.movsb();
  a.lock.add(dword(rbx), 1);
  a.addpd(xmm0, xmmword(rdi));
  a.addsd(xmm0, qword(rdi));
  a.movd(xmm0, eax);
  a.movsd(xmm0, xmm1);
  a.movsd();
  a.pshufd(xmm0, xmm1, 0x1b);
}

function illTyped(a: Assembler): void {
  // @ts-expect-error operands of different widths
  a.add(rax, eax);
  // @ts-expect-error a qword is not a 32-bit operand
  a.mov(eax, qword(rbx));
  // @ts-expect-error no instruction has two memory operands
  a.mov(qword(rax), qword(rbx));
  // @ts-expect-error a destination is not an immediate
  a.add(5, rax);
  // @ts-expect-error memory needs a size when it is stored to
  a.mov(at(rbx), 5);
  // @ts-expect-error shift counts are in CL
  a.shl(rax, dx);
  // @ts-expect-error RET takes no register
  a.ret(rax);
  // @ts-expect-error there is no such instruction
  a.move(rax, rbx);
  // @ts-expect-error there is no such condition
  a.jx('.loop');
  // @ts-expect-error an address is made of 16-, 32- or 64-bit registers
  a.mov(rax, qword(al));
  // @ts-expect-error a far pointer is no near target
  a.call(far(8, 'x'), 1);
  // @ts-expect-error MOVZX needs a narrower source
  a.movzx(ax, dword(rbx));
  // @ts-expect-error a packed operand in memory has 16 bytes
  a.addpd(xmm0, qword(rdi));
  // @ts-expect-error a scalar one has not
  a.addsd(xmm0, xmmword(rdi));
  // @ts-expect-error MOVD takes 32 bits
  a.movd(xmm0, rax);
  // @ts-expect-error XMM registers are no general registers
  a.add(xmm0, rax);
  // @ts-expect-error three operands
  a.add(al, al, al);
}

test('well-typed and ill-typed programs are told apart by the compiler', () => {
  expect([wellTyped, illTyped]).toHaveLength(2);
});
