/**
 * Runs single instructions on a machine that has nothing but a processor, a debug-exit port and memory: what harness.c does in a process. It takes case after
 * case from memory, prepares the world of test/support/silicon/world.ts, goes to ring 3 in 64-bit or compatibility mode, and notes how it came back: by the INT3
 * behind the instruction, or by the exception it raised. Needs AVX and XSAVE.
 */
import {
  Assembler, ah, al, at, ax, byte, cr0, cr2, cr3, cr4, ds, dword, dx, eax, ecx, edx, es, esp, far, fs, gs, label, qword, r10, r11, r12, r13, r14, r15, r8, r9, rax, rbp, rbx, rcx, rdi, rdx,
  rsi, rsp, ss, word, flatten, writeElf,
} from '../../../src/assembler/index.ts';
import { CODE, CODE_PAGES, DATA, DATA_PAGES, dataPattern, GS_BASE, PAGE, START, WRITABLE_PAGES } from '../../../test/support/silicon/world.ts';
import { GATES, STUB_BYTES, stubs } from '../../../test/trace/corpus/world.ts';
import { CASE_BYTES, INPUT, MOST_CHANGED, OUTCOME, OUTCOME_BYTES } from '../format.ts';
import { CASES, EXIT_PORT, FIRST_CASE, FIRST_OUTCOME, IMAGE, OUTCOMES, UPPER_HALF } from './layout.ts';

const GPR = [rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15] as const;
const RAX = 0, RBX = 3, RSP = 4;
const SELECTOR = { code64: 0x08, data: 0x10, code32: 0x18, userCode32: 0x23, userData: 0x2b, userCode64: 0x33, tss: 0x38 } as const;
const DESCRIPTORS = [0n, 0x00af_9b00_0000_ffffn, 0x00cf_9300_0000_ffffn, 0x00cf_9b00_0000_ffffn, 0x00cf_fb00_0000_ffffn, 0x00cf_f300_0000_ffffn, 0x00af_fb00_0000_ffffn];
const CR0 = { PE: 1, MP: 2, ET: 0x10, NE: 0x20, WP: 0x1_0000, AM: 0x4_0000, PG: 0x8000_0000 } as const;
const CR4 = { PAE: 0x20, OSFXSR: 0x200, OSXMMEXCPT: 0x400, OSXSAVE: 0x4_0000 } as const;
const EFER = 0xc000_0080, EFER_LME = 0x100, EFER_NXE = 0x800, IA32_GS_BASE = 0xc000_0101;
/** x87, SSE and AVX: as bits of XCR0, and of the parts that XSAVE stores. */
const STATE = 7;
/** Where XSAVE has them. */
const XSAVE_AREA = { control: 0, status: 2, valid: 4, mxcsr: 24, st: 32, xmm: 160, present: 512, high: 576, bytes: 832 } as const;
/** What an exception leaves on the stack, its vector and error code first. */
const FRAME = { vector: 0, error: 8, rip: 16, cs: 24, flags: 32, rsp: 40 } as const;
const WRITABLE = WRITABLE_PAGES * PAGE;
const PAGE_FAULT = 14;

export interface BareImage {
  /** For a loader that knows PVH. */
  readonly elf: Uint8Array;
  /** For others: bytes at IMAGE, to be entered in 32-bit protected mode, flat, with paging off, at `entry`. */
  readonly flat: Uint8Array;
  readonly entry: number;
  /** Physical address of the first instruction behind the last case. */
  readonly end: number;
}

export function bareImage(): BareImage {
  const a = new Assembler({ origin: IMAGE, virtualBase: UPPER_HALF });
  boot(a);
  a.section('.text');
  supervisor(a);
  prepare(a);
  enter(a);
  note(a);
  compareMemory(a);
  finish(a);
  tables(a);
  memory(a);
  const image = a.link();
  return { elf: writeElf(image, { pvhEntry: 'start' }), flat: flatten(image), entry: image.symbols.get('start')!.physical, end: image.symbols.get('finished')!.physical };
}

/** From 32-bit protected mode without paging to the upper half in 64-bit mode. */
function boot(a: Assembler): void {
  a.section('.boot');
  a.bits(32);
  a.label('start');
  a.cli();
  a.cld();
  a.mov(esp, label('stack_top').physical());
  a.mov(al, 0xff);
  a.out(0x21, al);
  a.out(0xa1, al);
  a.mov(eax, CR4.PAE | CR4.OSFXSR | CR4.OSXMMEXCPT | CR4.OSXSAVE);
  a.mov(cr4, eax);
  a.mov(eax, label('boot_pml4').physical());
  a.mov(cr3, eax);
  a.mov(ecx, EFER);
  a.rdmsr();
  a.or(eax, EFER_LME | EFER_NXE);
  a.wrmsr();
  a.mov(eax, (CR0.PG | CR0.AM | CR0.WP | CR0.NE | CR0.ET | CR0.MP | CR0.PE) >>> 0);
  a.mov(cr0, eax);
  a.lgdt(at(label('boot_gdt_pointer')));
  a.jmp(far(SELECTOR.code64, 'low'));
  a.bits(64);
  a.label('low');
  a.mov(rax, label('high'));
  a.jmp(rax);
  a.align(8);
  a.label('boot_gdt_pointer');
  a.dw(gdtLimit);
  a.dd(label('gdt').physical());
}
const gdtLimit = (DESCRIPTORS.length + 2) * 8 - 1;

/** Descriptor tables, segments, and how many cases there are. */
function supervisor(a: Assembler): void {
  a.label('high');
  a.lea(rsp, at('stack_top'));
  a.mov(rax, label('cases_pml4').physical());
  a.mov(cr3, rax);
  a.lgdt(at('gdt_pointer'));
  a.mov(eax, SELECTOR.userData);
  for (const segment of [ds, es]) a.mov(segment, ax);
  a.xor(eax, eax);
  for (const segment of [ss, fs, gs]) a.mov(segment, ax);
  a.mov(ecx, IA32_GS_BASE);
  a.mov(eax, Number(GS_BASE));
  a.xor(edx, edx);
  a.wrmsr();
  a.lea(rax, at('tss'));
  a.mov(word('gdt_tss', 2), ax);
  a.shr(rax, 16);
  a.mov(byte('gdt_tss', 4), al);
  a.mov(byte('gdt_tss', 7), ah);
  a.shr(rax, 16);
  a.mov(dword('gdt_tss', 8), eax);
  a.mov(eax, SELECTOR.tss);
  a.ltr(ax);
  fillIdt(a);
  a.xor(ecx, ecx);
  a.xor(edx, edx);
  a.mov(eax, STATE);
  a.xsetbv();
  a.mov(rax, UPPER_HALF + BigInt(CASES));
  a.mov(rax, qword(rax));
  a.mov(qword('left'), rax);
  a.mov(rax, UPPER_HALF + BigInt(OUTCOMES));
  a.mov(qword(rax), 0);
  a.jmp('next_case');
}

/** Gates for the stubs: DPL 3 for INT3 and INTO. */
function fillIdt(a: Assembler): void {
  a.lea(rax, at('stubs'));
  a.lea(rdi, at('idt'));
  a.mov(ecx, GATES);
  a.label('fill_idt');
  a.mov(word(rdi), ax);
  a.mov(word(rdi, 2), SELECTOR.code64);
  a.mov(word(rdi, 4), 0x8e00);
  a.mov(rdx, rax);
  a.shr(rdx, 16);
  a.mov(word(rdi, 6), dx);
  a.shr(rdx, 16);
  a.mov(dword(rdi, 8), edx);
  a.add(rdi, 16);
  a.add(rax, STUB_BYTES);
  a.dec(ecx);
  a.jnz('fill_idt');
  for (const vector of [3, 4]) a.or(byte('idt', vector * 16 + 5), 0x60);
  a.lidt(at('idt_pointer'));
}

/** Copies `bytes`, a multiple of 8. */
function copy(a: Assembler, from: Parameters<typeof a.lea>[1], to: Parameters<typeof a.lea>[1], bytes: number): void {
  a.lea(rsi, from);
  a.lea(rdi, to);
  a.mov(ecx, bytes / 8);
  a.rep.movsq();
}

/** Memory, code and vector registers as the case wants them. RBX is the case. */
function prepare(a: Assembler): void {
  a.label('next_case');
  a.dec(qword('left'));
  a.js('finished');
  a.mov(rbx, qword('input'));
  copy(a, at('pattern'), at('expected'), WRITABLE);
  a.lea(rdi, at('expected'));
  a.mov(eax, dword(rbx, INPUT.pokeOffset));
  a.add(rdi, rax);
  a.lea(rsi, at(rbx, INPUT.poke));
  a.mov(ecx, dword(rbx, INPUT.pokeLength));
  a.rep.movsb();
  copy(a, at('expected'), at('data'), WRITABLE);
  const start = label('code').plus(START - CODE);
  a.lea(rdi, at(start.plus(-32)));
  a.mov(eax, 0xcccc_cccc);
  a.mov(ecx, 16);
  a.rep.stosd();
  a.lea(rdi, at(start));
  a.lea(rsi, at(rbx, INPUT.code));
  a.mov(ecx, dword(rbx, INPUT.length));
  a.rep.movsb();
  a.mov(dword('xstate', XSAVE_AREA.control), 0x37f);
  a.mov(byte('xstate', XSAVE_AREA.valid), 0);
  a.cmp(dword(rbx, INPUT.hasFpu), 0);
  a.je('without_fpu');
  a.mov(eax, dword(rbx, INPUT.control));
  a.mov(dword('xstate', XSAVE_AREA.control), eax);
  a.mov(al, byte(rbx, INPUT.valid));
  a.mov(byte('xstate', XSAVE_AREA.valid), al);
  a.label('without_fpu');
  a.mov(eax, dword(rbx, INPUT.mxcsr));
  a.mov(dword('xstate', XSAVE_AREA.mxcsr), eax);
  a.mov(dword('xstate', XSAVE_AREA.present), STATE);
  copy(a, at(rbx, INPUT.st), at(label('xstate').plus(XSAVE_AREA.st)), 128);
  copy(a, at(rbx, INPUT.xmm), at(label('xstate').plus(XSAVE_AREA.xmm)), 256);
  copy(a, at(rbx, INPUT.high), at(label('xstate').plus(XSAVE_AREA.high)), 256);
  a.mov(eax, STATE);
  a.xor(edx, edx);
  a.xrstor64(at('xstate'));
}

/** To ring 3. */
function enter(a: Assembler): void {
  a.lea(rsp, at('stack_top'));
  a.push(SELECTOR.userData);
  a.push(qword(rbx, INPUT.gpr + 8 * RSP));
  a.push(qword(rbx, INPUT.flags));
  a.mov(eax, SELECTOR.userCode64);
  a.cmp(dword(rbx, INPUT.compatibility), 0);
  a.je('wide_code');
  a.mov(eax, SELECTOR.userCode32);
  a.label('wide_code');
  a.push(rax);
  a.push(Number(START));
  GPR.forEach((register, n) => { if (n !== RSP && n !== RBX) a.mov(register, qword(rbx, INPUT.gpr + 8 * n)); });
  a.mov(rbx, qword(rbx, INPUT.gpr + 8 * RBX));
  a.iretq();
}

/** An exception: its frame, the general registers and the extended state become the outcome. */
function note(a: Assembler): void {
  stubs(a, 'stubs', 'exception');
  a.push(rax);
  a.mov(rax, qword('output'));
  GPR.forEach((register, n) => { if (n !== RAX && n !== RSP) a.mov(qword(rax, OUTCOME.gpr + 8 * n), register); });
  a.mov(rbx, rax);
  a.pop(rax);
  a.cld();
  a.mov(qword(rbx, OUTCOME.gpr + 8 * RAX), rax);
  a.test(byte(rsp, FRAME.cs), 3);
  a.jz('failed');
  for (const [from, to] of [[FRAME.rsp, OUTCOME.gpr + 8 * RSP], [FRAME.rip, OUTCOME.rip], [FRAME.flags, OUTCOME.flags]] as const) {
    a.mov(rax, qword(rsp, from));
    a.mov(qword(rbx, to), rax);
  }
  a.mov(eax, dword(rsp, FRAME.error));
  a.mov(dword(rbx, OUTCOME.error), eax);
  a.mov(eax, dword(rsp, FRAME.vector));
  a.mov(dword(rbx, OUTCOME.vector), eax);
  a.xor(ecx, ecx);
  a.cmp(eax, PAGE_FAULT);
  a.jne('no_address');
  a.mov(rcx, cr2);
  a.label('no_address');
  a.mov(qword(rbx, OUTCOME.cr2), rcx);
  a.mov(eax, STATE);
  a.xor(edx, edx);
  a.xsave64(at('xstate'));
  a.mov(eax, dword('xstate', XSAVE_AREA.control));
  a.mov(dword(rbx, OUTCOME.control), eax);
  a.movzx(eax, byte('xstate', XSAVE_AREA.valid));
  a.mov(word(rbx, OUTCOME.valid), ax);
  a.mov(eax, dword('xstate', XSAVE_AREA.mxcsr));
  a.mov(dword(rbx, OUTCOME.mxcsr), eax);
  copy(a, at(label('xstate').plus(XSAVE_AREA.st)), at(rbx, OUTCOME.st), 128);
  copy(a, at(label('xstate').plus(XSAVE_AREA.xmm)), at(rbx, OUTCOME.xmm), 256);
  copy(a, at(label('xstate').plus(XSAVE_AREA.high)), at(rbx, OUTCOME.high), 256);
}

/** The span of memory that is not as expected: from the first byte to the last. RBX is the outcome. */
function compareMemory(a: Assembler): void {
  a.mov(qword(rbx, OUTCOME.changedOffset), 0);
  a.lea(r8, at('expected'));
  a.lea(r9, at('data'));
  a.mov(rsi, r8);
  a.mov(rdi, r9);
  a.mov(ecx, WRITABLE / 8);
  a.repe.cmpsq();
  a.je('same_memory');
  a.lea(rdx, at(rdi, -8));
  a.sub(rdx, r9);
  a.label('first_byte');
  a.mov(al, byte(r8, rdx));
  a.cmp(al, byte(r9, rdx));
  a.lea(rdx, at(rdx, 1));
  a.je('first_byte');
  a.dec(rdx);
  a.mov(ecx, WRITABLE);
  a.label('last_qword');
  a.mov(rax, qword(r8, rcx, 1, -8));
  a.cmp(rax, qword(r9, rcx, 1, -8));
  a.jne('last_byte');
  a.sub(ecx, 8);
  a.jmp('last_qword');
  a.label('last_byte');
  a.dec(ecx);
  a.mov(al, byte(r8, rcx));
  a.cmp(al, byte(r9, rcx));
  a.je('last_byte');
  a.inc(ecx);
  a.sub(ecx, edx);
  a.mov(dword(rbx, OUTCOME.changedOffset), edx);
  a.mov(dword(rbx, OUTCOME.changedLength), ecx);
  a.lea(rsi, at(r9, rdx));
  a.lea(rdi, at(rbx, OUTCOME.changed));
  a.mov(eax, MOST_CHANGED);
  a.cmp(ecx, eax);
  a.cmova(ecx, eax);
  a.rep.movsb();
  a.label('same_memory');
  a.add(qword('input'), CASE_BYTES);
  a.add(qword('output'), OUTCOME_BYTES);
  a.mov(rax, UPPER_HALF + BigInt(OUTCOMES));
  a.inc(qword(rax));
  a.jmp('next_case');
}

function finish(a: Assembler): void {
  a.label('failed');
  a.mov(eax, 1);
  a.jmp('leave');
  a.label('finished');
  a.xor(eax, eax);
  a.label('leave');
  a.out(EXIT_PORT, eax);
  a.cli();
  a.hlt();
}

const PRESENT = 1, WRITE = 2, USER = 4, ACCESSED = 0x60, LARGE = 0x80, NO_EXECUTE = 1n << 63n;
/** Which entry of a table a linear address uses. */
const index = (address: bigint, level: 0 | 1 | 2): number => Number((address >> BigInt(12 + 9 * level)) & 511n);
/** Page tables: the supervisor's for the start, below and above; for cases only above, and below the pages of the world. */
function tables(a: Assembler): void {
  a.section('.data');
  const table = (name: string, entries: Readonly<Record<number, () => void>>): void => {
    a.align(PAGE);
    a.label(name);
    for (let n = 0; n < 512; n++) (entries[n] ?? (() => { a.dq(0); }))();
  };
  const to = (name: string, offset: number, rights: number) => (): void => { a.dq(label(name).plus(offset | rights | ACCESSED).physical()); };
  const supervisor = PRESENT | WRITE, user = PRESENT | WRITE | USER;
  table('boot_pml4', { 0: to('low_pdpt', 0, supervisor), 511: to('high_pdpt', 0, supervisor) });
  table('cases_pml4', { 0: to('user_pdpt', 0, user), 511: to('high_pdpt', 0, supervisor) });
  table('low_pdpt', { 0: to('directory', 0, supervisor) });
  table('high_pdpt', { [index(UPPER_HALF, 2)]: to('directory', 0, supervisor) });
  table('directory', Object.fromEntries(Array.from({ length: 512 }, (_, n) => [n, () => { a.dq(n * 0x20_0000 + (supervisor | LARGE | ACCESSED)); }])));
  table('user_pdpt', { [index(DATA, 2)]: to('user_directory', 0, user) });
  table('user_directory', { [index(DATA, 1)]: to('data_table', 0, user), [index(CODE, 1)]: to('code_table', 0, user) });
  // The upper half of an entry says that its page is not for code.
  const data = (n: number) => (): void => {
    a.dd(label('data').plus(n * PAGE | (n < WRITABLE_PAGES ? user : PRESENT | USER) | ACCESSED).physical());
    a.dd(NO_EXECUTE >> 32n);
  };
  table('data_table', Object.fromEntries(Array.from({ length: DATA_PAGES }, (_, n) => [index(DATA, 0) + n, data(n)])));
  table('code_table', Object.fromEntries(Array.from({ length: CODE_PAGES }, (_, n) => [index(CODE, 0) + n, to('code', n * PAGE, user)])));
}

/** The frames of the world, and what the supervisor remembers. */
function memory(a: Assembler): void {
  a.align(PAGE);
  a.label('data');
  a.bytes(dataPattern());
  a.label('code');
  a.fill(CODE_PAGES * PAGE, 0xcc);
  a.label('pattern');
  a.bytes(dataPattern().subarray(0, WRITABLE));
  a.label('input');
  a.dq(UPPER_HALF + BigInt(FIRST_CASE));
  a.label('output');
  a.dq(UPPER_HALF + BigInt(FIRST_OUTCOME));
  a.label('gdt');
  a.dq(...DESCRIPTORS);
  a.label('gdt_tss');
  a.dq(0x0000_8900_0000_0067n, 0);
  a.label('gdt_pointer');
  a.dw(gdtLimit);
  a.dq(label('gdt'));
  a.label('idt_pointer');
  a.dw(GATES * 16 - 1);
  a.dq(label('idt'));
  a.align(8);
  a.label('tss');
  a.dd(0);
  a.dq(label('stack_top'));
  a.fill(90);
  a.dw(104);
  // Zeros, too, are in the image: not every machine's memory is empty.
  a.align(64);
  for (const [name, bytes] of [['xstate', XSAVE_AREA.bytes], ['idt', GATES * 16], ['expected', WRITABLE], ['left', 8], ['stack', PAGE]] as const) a.object(name, () => { a.fill(bytes); });
  a.label('stack_top');
}
