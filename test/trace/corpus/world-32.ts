/**
 * What 32-bit system programs need besides the world: descriptor tables with segments, gates and a TSS of all kinds, and
 * a handler that takes control back from any privilege level, whatever the probe has done to stack and segments.
 */
import { al, type Assembler, at, ax, bp, ds, dword, dx, eax, ebp, ecx, edi, edx, es, esp, far, label, ss, word } from '../../../src/assembler/index.ts';
import { CLEARED_FLAGS, GATES, LOG, LOG_COUNT, RESUME, STACK_TOP, STUB_BYTES, stubs } from './world.ts';

/** Descriptors of the GDT, by name, from selector 8 on. The first four are in the order that SYSENTER and SYSEXIT want. */
const GDT = {
  code0: 0x00cf_9b00_0000_ffffn, data0: 0x00cf_9300_0000_ffffn, code3: 0x00cf_fb00_0000_ffffn, data3: 0x00cf_f300_0000_ffffn,
  code1: 0x00cf_bb00_0000_ffffn, data1: 0x00cf_b300_0000_ffffn,
  dataAbsent: 0x00cf_1300_0000_ffffn, dataReadOnly: 0x00cf_9100_0000_ffffn, dataDown: 0x00cf_9700_0000_0fffn, dataSmall: 0x0040_f312_3456_0123n,
  codeExecuteOnly: 0x00cf_9900_0000_ffffn, codeConforming: 0x00cf_9f00_0000_ffffn, codeAbsent: 0x00cf_1b00_0000_ffffn, codeSmall: 0x0040_9b00_0000_0fffn,
  data3Absent: 0x00cf_7300_0000_ffffn, data1ReadOnly: 0x00cf_b100_0000_ffffn,
  reserved0: 0x0000_8000_0000_0000n, reserved8: 0x0000_8800_0000_0000n,
  tss: 0x0000_8900_0000_0000n, tssBusy: 0x0000_8b00_0000_0067n, tssAbsent: 0x0000_0900_0000_0067n, tssSmall: 0x0000_8900_0000_000bn,
  ldt: 0x0000_8200_0000_001fn, ldtAbsent: 0x0000_0200_0000_001fn,
} as const;
/** Call gates behind them: where to, type and DPL, parameters. */
const CALL_GATES = {
  toKernel: ['code0', 0xec, 0, 'gate_kernel'], toKernel3: ['code0', 0xec, 3, 'gate_kernel_3'], toOne2: ['code1', 0xec, 2, 'gate_one_2'],
  toConforming: ['codeConforming', 0xec, 0, 'gate_kernel'], gateAbsent: ['code0', 0x6c, 0, 'gate_kernel'], gatePrivileged: ['code0', 0x8c, 0, 'gate_kernel'],
  toNull: [0, 0xec, 0, 'gate_kernel'], toNothing: [0x7f8, 0xec, 0, 'gate_kernel'], toData: ['data0', 0xec, 0, 'gate_kernel'],
  toAbsent: ['codeAbsent', 0xec, 0, 'gate_kernel'], toSmall: ['codeSmall', 0xec, 0, 'gate_kernel'], toUser: ['code3', 0xec, 0, 'gate_kernel'],
} as const satisfies Record<string, readonly [keyof typeof GDT | number, number, number, string]>;

export type SegmentName = keyof typeof GDT | keyof typeof CALL_GATES;
const NAMES = [...Object.keys(GDT), ...Object.keys(CALL_GATES)] as SegmentName[];
/** The selector of a descriptor, with RPL 0. */
export const selector = (name: SegmentName): number => (NAMES.indexOf(name) + 1) * 8;
/** All selectors of the GDT that no far transfer takes for a task switch, with one beyond its limit. */
export const SELECTORS: readonly number[] = [0, ...NAMES.map((name) => selector(name)), (NAMES.length + 1) * 8];
export const TASKS: readonly number[] = [selector('tss'), selector('tssSmall'), selector('tssAbsent')];
/** In the LDT: nothing, then these. */
export const LDT_SELECTOR = { code3: 0x0c, data3: 0x14, gate: 0x1c, beyond: 0x24 } as const;

/** Gates of the IDT behind the stubs: type and DPL, selector, handler. None into `codeSmall`: QEMU does not compare the handler's offset with the limit. */
export const SPECIAL_GATES: readonly (readonly [type: number, code: number, handler: string])[] = [
  [0xef, selector('code0'), 'return_here'], [0x8e, selector('code0'), 'return_here'], [0x6e, selector('code0'), 'return_here'], [0xe8, selector('code0'), 'return_here'],
  [0xee, 0, 'return_here'], [0xee, selector('data0'), 'return_here'], [0xee, selector('code1'), 'return_here'], [0xee, selector('codeConforming'), 'return_here'],
  [0xee, selector('codeAbsent'), 'return_here'], [0xee, 0x7f8, 'return_here'], [0xee, selector('code3'), 'return_here'],
];

export const TSS_BYTES = 0x68;
/** Ports below this have a bit in the I/O permission bitmap; those in its FREE byte are permitted. */
export const MAPPED_PORTS = 0x100, FREE_PORTS = 0x80;
export const INNER_STACK_BYTES = 0x400;
/** User code runs on a stack of its own, in the pages of the world's stack. */
export const USER_STACK = STACK_TOP - 0x800;

/** Emits code that enters this world; then `body`; then what `body` needs. */
export function inWorld32(body: (a: Assembler) => void): (a: Assembler) => void {
  return (a) => {
    enter(a);
    body(a);
    a.jmp('leave_32');
    handlers(a);
    tables(a);
    a.section('.body');
    a.label('leave_32');
    a.lgdt(at(label('gdt_pointer')));
  };
}

/** Emits code that may fault. */
export function probe(a: Assembler, code: () => void): void {
  const next = a.fresh('probe');
  a.mov(dword(RESUME), label(next));
  code();
  a.label(next);
}

/** Emits code that runs at CPL 3 (or 1) and ends with #UD, if nothing before faults. */
export function userProbe(a: Assembler, code: () => void, options: { flags?: number; cpl?: 1 | 3 } = {}): void {
  const cpl = options.cpl ?? 3;
  probe(a, () => {
    const start = a.fresh('user');
    a.push(selector(cpl === 3 ? 'data3' : 'data1') | cpl);
    a.push(USER_STACK);
    a.push(options.flags ?? 2);
    a.push(selector(cpl === 3 ? 'code3' : 'code1') | cpl);
    a.push(label(start));
    a.iretd();
    a.label(start);
    code();
    a.ud2();
  });
}

function enter(a: Assembler): void {
  setAddress(a, 'gdt_32', selector('tss'), 'tss_32');
  setAddress(a, 'gdt_32', selector('tssSmall'), 'tss_32');
  setAddress(a, 'gdt_32', selector('tssBusy'), 'tss_32');
  setAddress(a, 'gdt_32', selector('ldt'), 'ldt_32');
  a.mov(word('gdt_32', selector('tss')), TSS_BYTES + MAPPED_PORTS / 8);
  for (const [name, [code, type, parameters, target]] of Object.entries(CALL_GATES)) {
    gate(a, 'gdt_32', selector(name as SegmentName), type, typeof code === 'number' ? code : selector(code), target, parameters);
  }
  gate(a, 'ldt_32', LDT_SELECTOR.gate & ~7, 0xec, selector('code0'), 'gate_kernel');
  a.mov(ecx, GATES);
  a.mov(eax, label('stubs_32'));
  a.mov(edi, label('idt_32'));
  const fill = a.fresh('fill');
  a.label(fill);
  a.mov(word(edi), ax);
  a.mov(word(edi, 2), selector('code0'));
  a.mov(word(edi, 4), 0xee00);
  a.mov(edx, eax);
  a.shr(edx, 16);
  a.mov(word(edi, 6), dx);
  a.add(edi, 8);
  a.add(eax, STUB_BYTES);
  a.dec(ecx);
  a.jnz(fill);
  SPECIAL_GATES.forEach(([type, code, handler], n) => gate(a, 'idt_32', (GATES + n) * 8, type, code, handler));
  a.lgdt(at(label('gdt_32_pointer')));
  a.lidt(at(label('idt_32_pointer')));
  a.jmp(far(selector('code0'), 'in_world_32'));
  a.label('in_world_32');
  a.mov(eax, selector('data0'));
  a.mov(ss, ax);
  a.mov(eax, selector('data3'));
  a.mov(ds, ax);
  a.mov(es, ax);
  a.mov(eax, selector('tss'));
  a.ltr(ax);
  a.mov(eax, selector('ldt'));
  a.lldt(ax);
}

/** Puts the base address into a descriptor. */
function setAddress(a: Assembler, table: string, offset: number, target: string): void {
  a.mov(eax, label(target));
  a.mov(word(table, offset + 2), ax);
  a.shr(eax, 16);
  a.or(dword(table, offset + 4), eax);
}

/** Writes a gate descriptor. */
function gate(a: Assembler, table: string, offset: number, type: number, code: number, target: string, parameters = 0): void {
  a.mov(eax, label(target));
  a.mov(word(table, offset), ax);
  a.mov(word(table, offset + 2), code);
  a.mov(word(table, offset + 4), type << 8 | parameters);
  a.shr(eax, 16);
  a.mov(word(table, offset + 6), ax);
}

/** Logs, then on at RESUME with the kernel's segments and an empty stack. */
function handlers(a: Assembler): void {
  stubs(a, 'stubs_32', 'common_32');
  a.mov(ebp, selector('data3'));
  a.mov(ds, bp);
  a.mov(es, bp);
  a.mov(ecx, dword(LOG_COUNT));
  a.inc(dword(LOG_COUNT));
  a.and(ecx, 0xff);
  a.shl(ecx, 4);
  a.pop(dword(ecx, LOG));
  a.pop(dword(ecx, LOG + 4));
  a.pop(dword(ecx, LOG + 8));
  a.pop(ebp);
  a.mov(dword(ecx, LOG + 12), ebp);
  a.pop(ecx);
  a.and(ecx, CLEARED_FLAGS);
  a.mov(ebp, selector('data0'));
  a.mov(ss, bp);
  a.mov(esp, STACK_TOP);
  a.push(ecx);
  a.popfd();
  a.jmp(dword(RESUME));
  // Where gates lead: a look at what was pushed, and back.
  a.label('return_here');
  a.mov(ebp, dword(esp));
  a.iretd();
  a.label('gate_kernel');
  a.mov(ebp, dword(esp, 4));
  a.retf();
  a.label('gate_kernel_3');
  for (const offset of [8, 12, 16, 20, 24]) a.mov(ebp, dword(esp, offset));
  a.retf(12);
  a.label('gate_one_2');
  for (const offset of [8, 12, 16, 20]) a.mov(ebp, dword(esp, offset));
  a.mov(al, 1);
  a.retf(8);
}

function tables(a: Assembler): void {
  a.section('.data32', { flags: 'rw' });
  a.align(16);
  a.label('gdt_32');
  a.dq(0n, ...Object.values(GDT), ...Object.keys(CALL_GATES).map(() => 0n));
  a.label('gdt_32_end');
  a.label('ldt_32');
  a.dq(0n, GDT.code3, GDT.data3, 0n);
  a.label('gdt_32_pointer');
  a.dw(SELECTORS.at(-1)! - 1);
  a.dd(label('gdt_32'));
  a.label('idt_32_pointer');
  a.dw((GATES + SPECIAL_GATES.length) * 8 - 1);
  a.dd(label('idt_32'));
  a.align(16);
  // SDM Vol. 3A, "32-Bit Task-State Segment (TSS)": ESP and SS of levels 0 to 2, then what only task switches use.
  a.label('tss_32');
  a.dd(0);
  for (const [level, data] of [[0, selector('data0')], [1, selector('data1') | 1], [2, 0]] as const) a.dd(label(`inner_stack_${level}`), data);
  a.fill(TSS_BYTES - 4 - 24 - 4);
  a.dd(TSS_BYTES << 16);
  for (let port = 0; port < MAPPED_PORTS; port += 8) a.db(port === FREE_PORTS ? 0 : 0xff);
  a.db(0xff);
  a.align(16);
  a.label('idt_32');
  a.fill((GATES + SPECIAL_GATES.length) * 8);
  a.align(16);
  for (const level of [0, 1, 2]) {
    a.fill(INNER_STACK_BYTES);
    a.label(`inner_stack_${level}`);
  }
}
