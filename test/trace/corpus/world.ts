/**
 * The world of a corpus program: a PVH image that boots, sets up an IDT whose handlers log every exception and go on at
 * the address in RESUME, runs a body of generated code, and leaves through the debug-exit port.
 * Everything that generated code names has a fixed address.
 */
import {
  ah, al, Assembler, at, ax, byte, cr0, cr3, cr4, ds, dword, dx, eax, ecx, edi, edx, es, esp, far, fs, gs, label, qword, rax, rcx, rsp, ss, word, writeElf,
} from '../../../src/assembler/index.ts';
import { Random } from '../../support/random.ts';

export type Bits = 32 | 64;

export const ORIGIN = 0x10_0000;
/** Where the handler goes on: the code after the instruction under test. */
export const RESUME = ORIGIN;
/** Number of logged exceptions; the log itself follows a page later, 16 bytes an entry, the last 256. */
export const LOG_COUNT = ORIGIN + 8, LOG = ORIGIN + 0x1000;
/** Two pages of random bytes that memory operands refer to. */
export const DATA = ORIGIN + 0x2000, DATA_BYTES = 0x2000;
/** Two pages of stack. */
export const STACK = ORIGIN + 0x4000, STACK_TOP = ORIGIN + 0x5800, STACK_END = ORIGIN + 0x6000;
export const BODY = STACK_END;

export const SELECTOR = { code64: 0x08, data: 0x10, code32: 0x18, userCode32: 0x23, userData: 0x2b, userCode64: 0x33, tss: 0x38 } as const;
/** Descriptors behind those of SELECTOR, from selector 48h on. */
export const DESCRIPTORS: readonly (readonly [string, bigint])[] = [
  ['data that is not present', 0x00cf_1300_0000_ffffn], ['read-only data', 0x00cf_9100_0000_ffffn], ['expand-down data', 0x00cf_9700_0000_0fffn],
  ['execute-only code', 0x00cf_9900_0000_ffffn], ['conforming code', 0x00af_9f00_0000_ffffn], ['code that is not present', 0x00af_1b00_0000_ffffn],
  ['code with L and D', 0x00ef_9b00_0000_ffffn], ['small data with a base', 0x0040_f312_3456_0123n], ['reserved system type 0', 0x0000_8000_0000_0000n],
];
export const FIRST_DESCRIPTOR = 0x48, LAST_SELECTOR = FIRST_DESCRIPTOR + (DESCRIPTORS.length + 1) * 8;
export const DEBUG_EXIT = 0xf4;
/** What the program writes to the debug-exit port, and the exit status that makes. */
export const EXIT_VALUE = 0x2a, EXIT_STATUS = EXIT_VALUE * 2 + 1;
const ERROR_CODE_VECTORS = new Set([8, 10, 11, 12, 13, 14, 17, 21]);
const CR4_PAE = 0x20, CR4_LA57 = 0x1000;
const EFER = 0xc000_0080, EFER_SCE = 1, EFER_LME = 0x100, EFER_NXE = 0x800;

/** Builds the image. `body`, bytes or what emits them, must fall through at its end. `levels`: of paging in 64-bit mode. */
export function corpusImage(bits: Bits, body: Uint8Array | ((a: Assembler) => void), levels: 4 | 5 = 4): Uint8Array {
  const a = new Assembler({ origin: ORIGIN, bits });
  a.section('.fixed', { flags: 'rw' });
  a.fill(DATA - ORIGIN);
  a.bytes(new Random(0x5eed).bytes(DATA_BYTES));
  a.fill(STACK_END - STACK);
  a.section('.body', { flags: 'rx' });
  if (typeof body === 'function') body(a);
  else a.bytes(body);
  a.jmp('finish');
  a.section('.text');
  boot(a, bits, levels);
  a.label('finish');
  a.mov(eax, EXIT_VALUE);
  a.out(DEBUG_EXIT, eax);
  a.cli();
  a.hlt();
  handlers(a, bits);
  tables(a);
  if (levels === 5) fifthLevel(a);
  return writeElf(a.link(), { pvhEntry: 'start' });
}

function boot(a: Assembler, bits: Bits, levels: 4 | 5): void {
  a.bits(32);
  a.label('start');
  a.cli();
  a.mov(esp, STACK_TOP);
  // The firmware leaves its timer running.
  a.mov(al, 0xff);
  a.out(0x21, al);
  a.out(0xa1, al);
  a.lgdt(at(label('gdt_pointer')));
  a.jmp(far(SELECTOR.code32, 'flat'));
  a.label('flat');
  a.mov(eax, SELECTOR.data);
  for (const segment of [ds, es, ss, fs, gs]) a.mov(segment, ax);
  a.mov(eax, label('tss'));
  a.mov(word('gdt_tss', 2), ax);
  a.shr(eax, 16);
  a.mov(byte('gdt_tss', 4), al);
  a.mov(byte('gdt_tss', 7), ah);
  fillIdt(a, bits);
  if (bits === 64) {
    a.mov(eax, cr4);
    a.or(eax, levels === 5 ? CR4_PAE | CR4_LA57 : CR4_PAE);
    a.mov(cr4, eax);
    a.mov(eax, label(levels === 5 ? 'pml5' : 'pml4'));
    a.mov(cr3, eax);
    a.mov(ecx, EFER);
    a.rdmsr();
    a.or(eax, EFER_SCE | EFER_LME | EFER_NXE);
    a.wrmsr();
    a.mov(eax, cr0);
    a.or(eax, 0x8001_0000);
    a.mov(cr0, eax);
    a.jmp(far(SELECTOR.code64, 'long_mode'));
    a.bits(64);
    a.label('long_mode');
    a.mov(eax, SELECTOR.tss);
    a.ltr(ax);
  }
  a.lidt(at(label('idt_pointer')));
  a.mov(eax, BODY);
  if (bits === 64) a.jmp(rax);
  else a.jmp(eax);
}

/** Gates 0-63, each to its stub; the stubs are of equal size. */
function fillIdt(a: Assembler, bits: Bits): void {
  a.mov(eax, label('stubs'));
  a.mov(edi, label('idt'));
  a.mov(ecx, GATES);
  a.label('fill_idt');
  a.mov(word(edi), ax);
  a.mov(word(edi, 2), bits === 64 ? SELECTOR.code64 : SELECTOR.code32);
  // Present, DPL 3 so that INT n works everywhere, interrupt gate, in 64-bit mode on IST 1.
  a.mov(word(edi, 4), bits === 64 ? 0xee01 : 0xee00);
  a.mov(edx, eax);
  a.shr(edx, 16);
  a.mov(word(edi, 6), dx);
  a.add(edi, bits === 64 ? 16 : 8);
  a.add(eax, STUB_BYTES);
  a.dec(ecx);
  a.jnz('fill_idt');
}
/** AC RF NT IOPL TF are clear when the handler returns. */
export const CLEARED_FLAGS = ~0x5_7100;
export const GATES = 64, STUB_BYTES = 16;

/** A stub for each of the first gates, STUB_BYTES apart: pushes error code and vector, and goes on at `common`, which follows. */
export function stubs(a: Assembler, name: string, common: string): void {
  a.align(16);
  a.label(name);
  for (let vector = 0; vector < GATES; vector++) {
    if (!ERROR_CODE_VECTORS.has(vector)) a.push(0);
    a.push(vector);
    a.jmp(common);
    a.align(STUB_BYTES);
  }
  a.label(common);
}

/** Logs vector, error code, address and flags; then on at RESUME, in the kernel, on the test's stack. */
function handlers(a: Assembler, bits: Bits): void {
  stubs(a, 'stubs', 'common');
  if (bits === 64) {
    a.push(rax);
    a.push(rcx);
    a.mov(ecx, dword(LOG_COUNT));
    a.inc(dword(LOG_COUNT));
    a.and(ecx, 0xff);
    a.shl(ecx, 4);
    a.mov(rax, qword(rsp, 16));
    a.mov(dword(rcx, LOG), eax);
    a.mov(rax, qword(rsp, 24));
    a.mov(dword(rcx, LOG + 4), eax);
    a.mov(rax, qword(rsp, 32));
    a.mov(dword(rcx, LOG + 8), eax);
    a.mov(rax, qword(rsp, 48));
    a.mov(dword(rcx, LOG + 12), eax);
    a.mov(rax, qword(RESUME));
    a.mov(qword(rsp, 32), rax);
    a.mov(qword(rsp, 40), SELECTOR.code64);
    a.and(qword(rsp, 48), CLEARED_FLAGS);
    a.mov(qword(rsp, 56), STACK_TOP);
    a.mov(qword(rsp, 64), SELECTOR.data);
    a.pop(rcx);
    a.pop(rax);
    a.add(rsp, 16);
    a.iretq();
    return;
  }
  a.push(eax);
  a.push(ecx);
  a.mov(ecx, dword(LOG_COUNT));
  a.inc(dword(LOG_COUNT));
  a.and(ecx, 0xff);
  a.shl(ecx, 4);
  a.mov(eax, dword(esp, 8));
  a.mov(dword(ecx, LOG), eax);
  a.mov(eax, dword(esp, 12));
  a.mov(dword(ecx, LOG + 4), eax);
  a.mov(eax, dword(esp, 16));
  a.mov(dword(ecx, LOG + 8), eax);
  a.mov(eax, dword(esp, 24));
  a.mov(dword(ecx, LOG + 12), eax);
  a.mov(eax, dword(RESUME));
  a.mov(dword(esp, 16), eax);
  a.and(dword(esp, 24), CLEARED_FLAGS);
  a.pop(ecx);
  a.pop(eax);
  a.add(esp, 8);
  a.iretd();
}

/** The root of 5-level paging: the lowest entry leads to everything, so do some others with rights of their own, and one has a reserved bit set. */
export const PML5_BITS: readonly bigint[] = [7n, 7n, 5n, 3n, 7n | (1n << 63n), 0x87n];
function fifthLevel(a: Assembler): void {
  a.section('.data');
  a.align(4096);
  a.label('pml5');
  for (const bits of PML5_BITS) a.dq(label('pml4').plus(bits));
  a.fill(4096 - 8 * PML5_BITS.length);
}

function tables(a: Assembler): void {
  a.section('.data');
  a.align(16);
  a.label('gdt');
  a.dq(0n, 0x00af_9b00_0000_ffffn, 0x00cf_9300_0000_ffffn, 0x00cf_9b00_0000_ffffn, 0x00cf_fb00_0000_ffffn, 0x00cf_f300_0000_ffffn, 0x00af_fb00_0000_ffffn);
  // An available 64-bit TSS; boot() fills in its address.
  a.label('gdt_tss');
  a.dq(0x0000_8900_0000_0067n, 0n);
  // Descriptors that loads are tried on: DESCRIPTORS says which is which.
  a.dq(...DESCRIPTORS.map(([, descriptor]) => descriptor));
  a.label('gdt_end');
  a.label('gdt_pointer');
  a.dw(label('gdt_end').minus('gdt'));
  a.dq(label('gdt'));
  a.label('idt_pointer');
  a.dw(GATES * 16 - 1);
  a.dq(label('idt'));
  a.align(4096);
  a.label('pml4');
  a.dq(label('pdpt').plus(7));
  a.fill(4088);
  a.label('pdpt');
  a.dq(label('pd').plus(7));
  a.fill(4088);
  a.label('pd');
  for (let n = 0; n < 8; n++) a.dq(BigInt(n * 0x20_0000 + 0x87));
  a.fill(4096 - 64);
  // Free page tables for programs.
  a.label('spare_tables');
  a.fill(4 * 4096);
  // RSP0 is at 4, IST 1 at 36. SDM Vol. 3A, "Task Management in 64-bit Mode".
  a.label('tss');
  a.dd(0);
  a.dq(label('inner_stack'));
  a.fill(24);
  a.dq(label('inner_stack'));
  a.fill(56);
  a.dd(0x68 << 16);
  a.label('idt');
  a.fill(4096);
  a.fill(4096);
  a.label('inner_stack');
}
