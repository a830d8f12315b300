/**
 * A bootable image that runs random programs one after the other: a supervisor that enters each in its mode, and handlers that let it go
 * on behind the slot in which it was interrupted. The same image runs on our engines and on QEMU.
 */
import {
  assemble, Assembler, at, ax, bp, ah, al, byte, cr0, cr3, cr4, cs, ds, dword, dx, eax, ebp, ebx, ecx, edi, edx, es, esi, esp, far, fs, gs, label, qword, rax, rbp, rbx, rcx, rdi, rdx, rsi, rsp,
  r8, r9, r10, r11, r12, r13, r14, r15, sp, ss, word, writeElf, ymm0, ymm1, ymm2, ymm3, ymm4, ymm5, ymm6, ymm7, ymm8, ymm9, ymm10, ymm11, ymm12, ymm13, ymm14, ymm15, ymmword,
} from '../../src/assembler/index.ts';
import { FLAG } from '../../src/cpu/floating-point/exact.ts';
import { Random } from '../support/random.ts';
import { stubs } from '../trace/corpus/world.ts';
import { ARENA, DATA_BYTES, DATA_OFFSET, DESCRIPTORS, FUEL, MISSING_OFFSET, READ_ONLY_OFFSET, SEL, SLOT, baseOf, sharesStack, type ProgramMode } from './modes.ts';
import { layOut, type Program } from './program.ts';

export const ORIGIN = 0x10_0000, MEMORY_BYTES = 4 << 20;
export const DEBUG_EXIT = 0xf4, EXIT_VALUE = 0x2a;
/** What the handlers know of the program that runs, and its number. */
export const VARIABLE = { fuel: ORIGIN, start: ORIGIN + 4, length: ORIGIN + 8, code: ORIGIN + 12, next: ORIGIN + 16, mxcsr: ORIGIN + 20, program: ORIGIN + 24 } as const;
/** Where a program is left. */
const LEAVE = ORIGIN + 0x40;
const SUPERVISOR_STACK = ORIGIN + 0x1000;
/** The part of the supervisor that runs in real-address mode, a segment of its own; and its variables. */
const REAL_VECTORS = 32, REAL_BASE = 0x1_0000, REAL_SEGMENT = REAL_BASE >> 4;
/** The BIOS data area, and what stands behind it. */
const FIRMWARE_DATA = { from: 0x400, bytes: 0x400 } as const;
const REAL = { fuel: 0x800, length: 0x804, flags: 0x808, registers: 0x80c, cr0: 0x830 } as const;
const CR0 = { PE: 1, MP: 2, NE: 0x20, WP: 0x1_0000, AM: 0x4_0000, PG: 0x8000_0000 } as const;
const CR4 = { PAE: 0x20, OSFXSR: 0x200, OSXMMEXCPT: 0x400, OSXSAVE: 0x4_0000 } as const;
/** x87, SSE and AVX in XCR0. */
const EXTENDED_STATE = 7;
const EFER = 0xc000_0080, EFER_LME = 0x100, EFER_NXE = 0x800;
const VM = 0x2_0000, TF = 0x100;
const GPR32 = [eax, ecx, edx, ebx, esp, ebp, esi, edi] as const;
const GPR64 = [rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15] as const;
const YMM32 = [ymm0, ymm1, ymm2, ymm3, ymm4, ymm5, ymm6, ymm7] as const;
const YMM64 = [...YMM32, ymm8, ymm9, ymm10, ymm11, ymm12, ymm13, ymm14, ymm15] as const;
const DATA_SEGMENTS = [ds, es, fs, gs] as const;

export interface ImageOptions {
  /** CR0.AM: ring 3 may ask for alignment checks. */
  readonly alignmentChecks?: boolean;
  /** The arena's pages are dirty from the start: who may make them so differs. */
  readonly dirty?: boolean;
}

/** The image of some programs of one family. */
export function programsImage(programs: readonly Program[], options: ImageOptions = {}): Uint8Array {
  const long = programs[0]?.mode.family === 'long';
  const real = realPart();
  const a = new Assembler({ origin: ORIGIN, bits: 32 });
  a.section('.fixed', { flags: 'rwx' });
  a.fill(LEAVE - ORIGIN);
  leave(a, long);
  a.align(SUPERVISOR_STACK - ORIGIN);
  a.section('.text');
  boot(a, long, real.bytes, options);
  if (long) a.bits(64);
  programs.forEach((program, n) => { supervise(a, n, program, real.entry); });
  a.label(`program_${programs.length}`);
  keepVectors(a, programs.length - 1, long);
  a.mov(eax, EXIT_VALUE);
  a.out(DEBUG_EXIT, eax);
  a.cli();
  a.hlt();
  handlers(a, long);
  tables(a, long, real.bytes, options);
  programs.forEach((program, n) => {
    a.align(4);
    a.label(`code_${n}`);
    a.bytes(layOut(program).code);
  });
  return writeElf(a.link(), { pvhEntry: 'start' });
}

function boot(a: Assembler, long: boolean, real: Uint8Array, { alignmentChecks = false }: ImageOptions): void {
  a.label('start');
  a.cli();
  a.mov(esp, SUPERVISOR_STACK);
  a.mov(al, 0xff);
  a.out(0x21, al);
  a.out(0xa1, al);
  a.lgdt(at(label('gdt_pointer')));
  a.jmp(far(SEL.code32, 'flat'));
  a.label('flat');
  a.mov(eax, SEL.data);
  for (const segment of [ss, ...DATA_SEGMENTS]) a.mov(segment, ax);
  a.mov(eax, label('tss'));
  a.mov(word('gdt_tss', 2), ax);
  a.shr(eax, 16);
  a.mov(byte('gdt_tss', 4), al);
  a.mov(byte('gdt_tss', 7), ah);
  copy(a, 'real_part', REAL_BASE, real.length);
  // The vectors of real-address mode lead to the first bytes of that part, those behind the exceptions' to one of them.
  a.mov(eax, REAL_SEGMENT << 16);
  a.mov(edi, 0);
  a.label('fill_vectors');
  a.mov(dword(edi), eax);
  a.add(edi, 4);
  a.cmp(edi, 4 * REAL_VECTORS);
  a.adc(eax, 0);
  a.cmp(edi, 1024);
  a.jb('fill_vectors');
  // What firmware keeps behind them may be read by programs.
  a.mov(edi, FIRMWARE_DATA.from);
  a.mov(ecx, FIRMWARE_DATA.bytes / 4);
  a.mov(eax, 0);
  a.cld();
  a.rep.stosd();
  fillIdt(a, long);
  a.mov(eax, cr4);
  a.or(eax, CR4.OSFXSR | CR4.OSXMMEXCPT | CR4.OSXSAVE | (long ? CR4.PAE : 0));
  a.mov(cr4, eax);
  a.mov(ecx, 0);
  a.mov(edx, 0);
  a.mov(eax, EXTENDED_STATE);
  a.xsetbv();
  a.mov(eax, label(long ? 'pml4' : 'directory'));
  a.mov(cr3, eax);
  if (long) {
    a.mov(ecx, EFER);
    a.rdmsr();
    a.or(eax, EFER_LME | EFER_NXE);
    a.wrmsr();
  }
  a.mov(eax, cr0);
  a.and(eax, ~CR0.AM);
  a.or(eax, (CR0.PG | CR0.WP | CR0.NE | CR0.MP | (alignmentChecks ? CR0.AM : 0)) >>> 0);
  a.mov(cr0, eax);
  a.mov(dword(VARIABLE.mxcsr), 0x1f80);
  if (long) {
    a.jmp(far(SEL.code64, 'long_mode'));
    a.bits(64);
    a.label('long_mode');
  } else a.mov(dword(REAL_BASE + REAL.cr0), eax);
  a.mov(eax, SEL.tss);
  a.ltr(ax);
  a.lidt(at(label('idt_pointer')));
}

function copy(a: Assembler, from: string, to: number, bytes: number): void {
  a.mov(esi, label(from));
  a.mov(edi, to);
  a.mov(ecx, Math.ceil(bytes / 4));
  a.cld();
  a.rep.movsd();
}

/** Gates for the stubs: DPL 3 for INT3, INTO and INT 30h, else 0; in IA-32e mode on IST 1. */
function fillIdt(a: Assembler, long: boolean): void {
  a.mov(eax, label('stubs'));
  a.mov(edi, label('idt'));
  a.mov(ecx, 64);
  a.label('fill_idt');
  a.mov(word(edi), ax);
  a.mov(word(edi, 2), long ? SEL.code64 : SEL.code32);
  a.mov(word(edi, 4), long ? 0x8e01 : 0x8e00);
  a.mov(edx, eax);
  a.shr(edx, 16);
  a.mov(word(edi, 6), dx);
  a.add(edi, long ? 16 : 8);
  a.add(eax, 16);
  a.dec(ecx);
  a.jnz('fill_idt');
  for (const vector of [3, 4, 0x30]) a.or(byte('idt', vector * (long ? 16 : 8) + 5), 0x60);
}

/** Where vector registers and MXCSR of program n are kept when it is over: no trace shows them, but memory is compared. Without DE, which QEMU does not set. */
export const VECTORS = ORIGIN + 0x8_0000, VECTORS_EACH = 0x400;
function keepVectors(a: Assembler, n: number, wide: boolean): void {
  const at = VECTORS + n * VECTORS_EACH;
  (wide ? YMM64 : YMM32).forEach((register, r) => { a.vmovdqu(ymmword(at + 32 * r), register); });
  a.stmxcsr(dword(at + 0x200));
  a.and(dword(at + 0x200), ~FLAG.DE);
}

/** Prepares the arena and enters a program. */
function supervise(a: Assembler, n: number, program: Program, real: number): void {
  const { mode, registers, flags } = program;
  const { code } = layOut(program);
  const wide = mode.family === 'long', base = baseOf(mode);
  a.label(`program_${n}`);
  if (n > 0) keepVectors(a, n - 1, wide);
  copy(a, `code_${n}`, ARENA, code.length);
  copy(a, 'data_pattern', ARENA + DATA_OFFSET, DATA_BYTES);
  a.mov(dword(VARIABLE.program), n);
  a.mov(dword(VARIABLE.fuel), FUEL);
  a.mov(dword(VARIABLE.start), base);
  a.mov(dword(VARIABLE.length), code.length);
  a.mov(dword(VARIABLE.code), mode.code);
  a.mov(dword(VARIABLE.next), label(`program_${n + 1}`));
  a.fninit();
  a.ldmxcsr(dword(VARIABLE.mxcsr));
  // Vector registers begin with what data there is.
  (wide ? YMM64 : YMM32).forEach((register, r) => { a.vmovdqu(register, ymmword(ARENA + DATA_OFFSET + 32 * r)); });
  if (mode.is8086 && mode.ring === 0) {
    a.mov(dword(REAL_BASE + REAL.fuel), FUEL);
    a.mov(dword(REAL_BASE + REAL.length), code.length);
    a.mov(dword(REAL_BASE + REAL.flags), flags);
    registers.forEach((value, r) => { a.mov(dword(REAL_BASE + REAL.registers + 4 * r), value); });
    a.jmp(far(SEL.toReal, real));
    return;
  }
  if (wide) {
    a.push(mode.data);
    push64(a, registers[4]!);
    a.push(flags);
    a.push(mode.code);
    a.push(base);
    loadSegments(a, mode);
    registers.forEach((value, r) => { if (r !== 4) a.mov(GPR64[r]!, value); });
    a.iretq();
    return;
  }
  const stack = Number(registers[4]);
  if (sharesStack(mode)) {
    a.mov(eax, mode.data);
    a.mov(ss, ax);
    a.mov(esp, stack);
  } else {
    if (mode.is8086) for (let segment = 0; segment < 4; segment++) a.push(mode.data);
    a.push(mode.data);
    a.push(stack);
  }
  a.push(mode.is8086 ? flags | VM : flags);
  a.push(mode.code);
  a.push(base);
  if (!mode.is8086) loadSegments(a, mode);
  registers.forEach((value, r) => { if (r !== 4) a.mov(GPR32[r]!, value); });
  a.iretd();
}
function push64(a: Assembler, value: bigint): void {
  a.mov(rax, value);
  a.push(rax);
}
function loadSegments(a: Assembler, mode: ProgramMode): void {
  a.mov(eax, mode.data);
  for (const segment of DATA_SEGMENTS) a.mov(segment, ax);
}

function handlers(a: Assembler, long: boolean): void {
  stubs(a, 'stubs', 'common');
  // Vector, error code, instruction pointer, CS, flags.
  if (long) {
    a.push(rax);
    a.dec(dword(VARIABLE.fuel));
    a.jz('leave');
    a.mov(rax, qword(rsp, 24));
    a.or(rax, SLOT - 1);
    a.inc(rax);
    where(a, () => { a.push(rcx); a.mov(ecx, dword(VARIABLE.start)); a.sub(rax, rcx); a.mov(ecx, dword(VARIABLE.length)); a.cmp(rax, rcx); a.pop(rcx); }, () => { a.mov(eax, dword(VARIABLE.code)); a.mov(qword(rsp, 32), rax); });
    a.push(rcx); a.mov(ecx, dword(VARIABLE.start)); a.add(rax, rcx); a.pop(rcx);
    a.mov(qword(rsp, 24), rax);
    a.and(qword(rsp, 40), ~TF);
    a.pop(rax);
    a.add(rsp, 16);
    a.iretq();
    return;
  }
  a.push(eax);
  a.push(ds);
  a.mov(eax, SEL.data);
  a.mov(ds, ax);
  a.dec(dword(VARIABLE.fuel));
  a.jz('leave');
  a.mov(eax, dword(esp, 16));
  a.or(eax, SLOT - 1);
  a.inc(eax);
  where(a, () => { a.sub(eax, dword(VARIABLE.start)); a.cmp(eax, dword(VARIABLE.length)); }, () => { a.mov(eax, dword(VARIABLE.code)); a.mov(dword(esp, 20), eax); });
  a.add(eax, dword(VARIABLE.start));
  a.mov(dword(esp, 16), eax);
  a.and(dword(esp, 24), ~TF);
  a.pop(ds);
  a.pop(eax);
  a.add(esp, 8);
  a.iretd();
}
/** Goes on with the next program. Real-address mode comes back to it, too, by its fixed address. */
function leave(a: Assembler, long: boolean): void {
  a.bits(long ? 64 : 32);
  a.label('leave');
  a.mov(eax, SEL.data);
  for (const segment of [ss, ...DATA_SEGMENTS]) a.mov(segment, ax);
  a.mov(esp, SUPERVISOR_STACK);
  a.lidt(at(label('idt_pointer')));
  a.mov(eax, dword(VARIABLE.next));
  if (long) a.jmp(rax);
  else a.jmp(eax);
  a.bits(32);
}
/** At the end of the code: leave. Beyond it: back into CS, to the slot whose number is the count of exceptions. */
function where(a: Assembler, compare: () => void, backToCode: () => void): void {
  compare();
  a.je('leave');
  a.jb('inside');
  backToCode();
  a.mov(eax, FUEL);
  a.sub(eax, dword(VARIABLE.fuel));
  a.shl(eax, 5);
  a.cmp(eax, dword(VARIABLE.length));
  a.jae('leave');
  a.label('inside');
}

/** What runs in 16-bit code of the supervisor: the way into real-address mode, the handler there, the way back. */
function realPart(): { bytes: Uint8Array; entry: number } {
  const own = (offset: number) => word(offset).in(cs);
  const wide = (offset: number) => dword(offset).in(cs);
  const { bytes, symbols } = assemble((a) => {
    // Each vector has an address of its own, so that it shows.
    a.fill(REAL_VECTORS, 0x90);
    a.push(bp);
    a.push(ax);
    a.mov(bp, sp);
    a.dec(own(REAL.fuel));
    a.jz('leave');
    a.mov(ax, word(bp, 4));
    a.or(ax, SLOT - 1);
    a.inc(ax);
    a.cmp(ax, own(REAL.length));
    a.je('leave');
    a.jb('inside');
    a.mov(word(bp, 6), ARENA >> 4);
    a.mov(ax, FUEL);
    a.sub(ax, own(REAL.fuel));
    a.shl(ax, 5);
    a.cmp(ax, own(REAL.length));
    a.jae('leave');
    a.label('inside');
    a.mov(word(bp, 4), ax);
    a.and(word(bp, 8), ~TF);
    a.pop(ax);
    a.pop(bp);
    a.iret();
    a.label('leave');
    a.mov(eax, wide(REAL.cr0));
    a.mov(cr0, eax);
    a.o32.jmp(far(SEL.code32, LEAVE));
    a.label('enter');
    // Limits of 64 KiB stay when the descriptors go.
    a.mov(ax, SEL.data16);
    for (const segment of [ss, ...DATA_SEGMENTS]) a.mov(segment, ax);
    a.mov(eax, cr0);
    a.and(eax, ~(CR0.PE | CR0.PG));
    a.mov(cr0, eax);
    a.jmp(far(REAL_SEGMENT, label('real')));
    a.label('real');
    a.lidt(at(label('vectors')).in(cs));
    a.mov(ax, ARENA >> 4);
    for (const segment of [ss, ...DATA_SEGMENTS]) a.mov(segment, ax);
    a.mov(esp, wide(REAL.registers + 16));
    a.push(wide(REAL.flags));
    for (const [n, register] of GPR32.entries()) if (n !== 4) a.mov(register, wide(REAL.registers + 4 * n));
    a.popfd();
    a.jmp(far(ARENA >> 4, 0));
    a.label('vectors');
    a.dw(0x3ff);
    a.dd(0);
  }, { bits: 16, origin: REAL_BASE, virtualBase: -BigInt(REAL_BASE) });
  return { bytes, entry: Number(symbols.get('enter')!.linear) };
}
function tables(a: Assembler, long: boolean, real: Uint8Array, { dirty = false }: ImageOptions): void {
  a.section('.data');
  a.align(16);
  a.label('gdt');
  a.dq(0n, ...DESCRIPTORS);
  a.label('gdt_tss');
  a.dq(0x0000_8900_0000_0067n, 0n);
  a.label('gdt_end');
  a.label('gdt_pointer');
  a.dw(label('gdt_end').minus('gdt'));
  a.dq(label('gdt'));
  a.label('idt_pointer');
  a.dw(64 * (long ? 16 : 8) - 1);
  a.dq(label('idt'));
  a.align(4);
  a.label('real_part');
  a.bytes(real);
  a.align(4);
  a.label('data_pattern');
  a.bytes(new Random(0x5eed).bytes(DATA_BYTES));
  a.align(4096);
  if (long) {
    a.label('pml4');
    a.dq(label('pdpt').plus(7));
    a.fill(4088);
    a.label('pdpt');
    a.dq(label('pd').plus(7));
    a.fill(4088);
    a.label('pd');
    a.dq(label('pt').plus(7));
    a.fill(4088);
  } else {
    a.label('directory');
    a.dd(label('pt').plus(7));
    a.fill(4092);
  }
  a.label('pt');
  const table = new DataView(new ArrayBuffer(4096)), size = long ? 8 : 4;
  for (let frame = 0; frame < 4096 / size; frame++) table.setUint32(frame * size, pageEntry(frame, dirty), true);
  a.bytes(new Uint8Array(table.buffer));
  a.label('tss');
  a.dd(0);
  if (long) {
    a.dq(SUPERVISOR_STACK);
    a.fill(24);
    a.dq(SUPERVISOR_STACK);
    a.fill(56);
  } else {
    a.dd(SUPERVISOR_STACK, SEL.data);
    a.fill(0x64 - 12);
  }
  a.dd(0x68 << 16);
  a.align(16);
  a.label('idt');
  a.fill(64 * 16);
}

/** QEMU reads what it is about to write, and sets A even where the write then faults. */
const ACCESSED = 0x20;
const DIRTY = 0x40;

/** The arena is user mode's, but for a page that is not there and one that is read-only; the supervisor is not. */
function pageEntry(frame: number, dirty: boolean): number {
  const offset = frame * 4096 - ARENA;
  if (offset >= 0 && offset < 0x1_0000) return offset === MISSING_OFFSET ? 0 : (frame << 12) | ACCESSED | (dirty ? DIRTY : 0) | (offset === READ_ONLY_OFFSET ? 5 : 7);
  return frame === 0 || frame === REAL_BASE >> 12 || frame >= ORIGIN >> 12 ? (frame << 12) | 3 : 0;
}
