/**
 * What the bits of registers are called and what they say. SDM Vol. 1, "EFLAGS Register", "x87 FPU Control Word", "x87 FPU Status Register", "MXCSR Control and Status Register";
 * Vol. 3A, "Control Registers", "Segment Descriptors", "Extended Control Registers", "Protection Keys"; Vol. 3B, "Debug Registers".
 */
import { RFLAGS } from '../cpu/flags.ts';
import { CR0, CR4, EFER, XCR0 } from '../mmu/control-bits.ts';

/** A bit, or a field of several; `values`: what each value of the field says. */
export interface RegisterField { readonly name: string; readonly mask: bigint; readonly says: string; readonly values?: readonly string[] }

/** Fields by name, mask and meaning, high ones first. */
type Rows = readonly (readonly [name: string, mask: number | bigint, says: string, values?: readonly string[]])[];
const fields = (rows: Rows): readonly RegisterField[] =>
  rows.map(([name, mask, says, values]) => ({ name, mask: typeof mask === 'bigint' ? mask : BigInt(mask >>> 0), says, ...(values === undefined ? {} : { values }) })).sort((a, b) => (a.mask < b.mask ? 1 : -1));
/** Bits that have their names and masks already. */
const named = <N extends string>(masks: Readonly<Record<N, number>>, words: Readonly<Record<N, string>>): Rows => (Object.keys(masks) as N[]).map((name) => [name, masks[name], words[name]]);
const each = (count: number, row: (n: number) => Rows): Rows => Array.from({ length: count }, (_, n) => row(n)).flat();
const bits = (low: number, width = 1): bigint => ((1n << BigInt(width)) - 1n) << BigInt(low);

const ROUNDING = ['to nearest', 'down', 'up', 'toward zero'] as const;
const EXCEPTIONS = ['invalid operation', 'denormal operand', 'division by zero', 'overflow', 'underflow', 'inexact result'] as const;
const SHORT = ['I', 'D', 'Z', 'O', 'U', 'P'] as const;
const MEMORY_TYPES = ['uncacheable', 'write combining', '', '', 'write-through', 'write-protected', 'write-back', 'uncached'] as const;

const PDBR: Rows[number] = ['PDBR', bits(12, 40), 'frame of the first paging structure'];
const CR3_LONG: Rows = [PDBR, ['PCID', bits(0, 12), 'process-context identifier of the TLB\'s entries (CR4.PCIDE)']];
const CR3_PLAIN: Rows = [PDBR, ['PCD', bits(4), 'the first paging structure is not cached'], ['PWT', bits(3), 'the first paging structure is written through']];

const FIELDS: Readonly<Record<string, readonly RegisterField[]>> = {
  rflags: fields(named(RFLAGS, {
    CF: 'carry', PF: 'even parity of the low byte', AF: 'carry out of bit 3', ZF: 'zero', SF: 'sign', TF: 'trap after each instruction', IF: 'interrupts are taken', DF: 'string instructions go down', OF: 'signed overflow',
    IOPL: 'privilege level that may use ports, CLI and STI', NT: 'nested task', RF: 'no instruction breakpoint for one instruction', VM: 'virtual-8086 mode', AC: 'alignment is checked; with SMAP, user pages may be used', VIF: 'virtual interrupt flag', VIP: 'virtual interrupt pending', ID: 'CPUID is there',
  })),
  cr0: fields(named(CR0, {
    PE: 'protected mode', MP: 'WAIT, too, asks TS', EM: 'no x87: #NM', TS: 'the task was switched: #NM at the next x87 or SSE instruction', ET: 'always 1', NE: 'x87 errors raise #MF', WP: 'the supervisor, too, cannot write to read-only pages',
    AM: 'alignment checks are possible', NW: 'not write-through', CD: 'caches are off', PG: 'paging',
  })),
  cr4: fields(named(CR4, {
    VME: 'virtual-8086 mode extensions', PVI: 'virtual interrupts of protected mode', TSD: 'RDTSC is the supervisor\'s', DE: 'I/O breakpoints', PSE: 'pages of 4 MiB with 32-bit paging', PAE: 'entries of 64 bits: PAE and long-mode paging', MCE: 'machine checks',
    PGE: 'global pages', PCE: 'RDPMC is for all', OSFXSR: 'the system saves SSE state: SSE works', OSXMMEXCPT: 'the system handles #XM', UMIP: 'SGDT, SIDT, SLDT, SMSW and STR are the supervisor\'s', LA57: '5-level paging', VMXE: 'VMX', SMXE: 'SMX', FSGSBASE: 'RDFSBASE and its like work',
    PCIDE: 'CR3 has a PCID', OSXSAVE: 'the system uses XSAVE', SMEP: 'the supervisor cannot execute user pages', SMAP: 'the supervisor cannot use user pages, but with RFLAGS.AC', PKE: 'protection keys of user pages', CET: 'control-flow enforcement', PKS: 'protection keys of supervisor pages',
  })),
  efer: fields(named(EFER, { SCE: 'SYSCALL works', LME: 'long mode, once paging is on', LMA: 'long mode is active', NXE: 'pages can be execute-disable' })),
  xcr0: fields(named(XCR0, { X87: 'x87 state', SSE: 'XMM registers', AVX: 'upper halves of the YMM registers', PKRU: 'PKRU' })),
  cr8: fields([['TPR', bits(0, 4), 'interrupts of this priority class and lower ones wait']]),
  apic_base: fields([['BASE', bits(12, 28), 'frame of the local APIC\'s registers'], ['EN', bits(11), 'the local APIC is on'], ['EXTD', bits(10), 'x2APIC mode'], ['BSP', bits(8), 'the processor that boots']]),
  star: fields([['SYSRET', bits(48, 16), 'selector that SYSRET makes CS and SS of'], ['SYSCALL', bits(32, 16), 'selector that SYSCALL makes CS and SS of']]),
  pat: fields(each(8, (n) => [[`PA${n}`, bits(8 * n, 3), `memory type of PAT, PCD, PWT = ${n.toString(2).padStart(3, '0')}`, MEMORY_TYPES]])),
  pkru: fields(each(16, (n) => [[`WD${n}`, bits(2 * n + 1), `no writes to user pages of key ${n}`], [`AD${n}`, bits(2 * n), `no access to user pages of key ${n}`]])),
  mxcsr: fields([
    ['FZ', bits(15), 'tiny results become zero'], ['RC', bits(13, 2), 'rounding', ROUNDING], ['DAZ', bits(6), 'denormal operands count as zero'],
    ...each(6, (n) => [[`${SHORT[n]}M`, bits(7 + n), `${EXCEPTIONS[n]} is masked`], [`${SHORT[n]}E`, bits(n), `${EXCEPTIONS[n]} has happened`]]),
  ]),
  fctrl: fields([
    ['RC', bits(10, 2), 'rounding', ROUNDING], ['PC', bits(8, 2), 'precision', ['24 bits', '', '53 bits', '64 bits']],
    ...each(6, (n) => [[`${SHORT[n]}M`, bits(n), `${EXCEPTIONS[n]} is masked`]]),
  ]),
  fstat: fields([
    ['B', bits(15), 'busy: as ES'], ['C3', bits(14), 'condition code 3'], ['TOP', bits(11, 3), 'register that is ST0'], ['C2', bits(10), 'condition code 2'], ['C1', bits(9), 'condition code 1'], ['C0', bits(8), 'condition code 0'],
    ['ES', bits(7), 'an exception that is not masked waits'], ['SF', bits(6), 'stack fault'], ...each(6, (n) => [[`${SHORT[n]}E`, bits(n), `${EXCEPTIONS[n]} has happened`]]),
  ]),
  dr6: fields([['BT', bits(15), 'a task switch'], ['BS', bits(14), 'a single step'], ['BD', bits(13), 'an access to a debug register'], ...each(4, (n) => [[`B${n}`, bits(n), `breakpoint ${n} was met`]])]),
  dr7: fields([
    ...each(4, (n) => [
      [`LEN${n}`, bits(18 + 4 * n, 2), `length of breakpoint ${n}`, ['1 byte', '2 bytes', '8 bytes', '4 bytes']], [`RW${n}`, bits(16 + 4 * n, 2), `what breakpoint ${n} is for`, ['execution', 'writes', 'ports', 'reads and writes']],
      [`G${n}`, bits(2 * n + 1), `breakpoint ${n} is on`], [`L${n}`, bits(2 * n), `breakpoint ${n} is on for this task`],
    ]),
    ['GD', bits(13), 'accesses to debug registers are #DB'], ['GE', bits(9), 'exact, global'], ['LE', bits(8), 'exact, local'],
  ]),
};

const PRIVILEGES = ['supervisor', '', '', 'user'] as const;
/** The attributes in a segment register's hidden part: bits 23:8 of the descriptor's upper half. */
const ATTRIBUTES = fields([
  ['G', bits(15), 'the limit counts pages'], ['D/B', bits(14), 'operands and stack of 32 bits'], ['L', bits(13), '64-bit code'], ['AVL', bits(12), 'for the system to use'], ['P', bits(7), 'present'], ['DPL', bits(5, 2), 'descriptor privilege level', PRIVILEGES],
  ['S', bits(4), 'code or data, not a system segment'], ['TYPE', bits(0, 4), 'type'],
]);

const CR3_FIELDS = { long: fields(CR3_LONG), plain: fields(CR3_PLAIN) } as const;

/** The fields of a register; undefined: it is a number as a whole. `pcid`: CR4.PCIDE is on. */
export function fieldsOf(name: string, pcid: boolean): readonly RegisterField[] | undefined {
  if (name.endsWith('_attributes')) return ATTRIBUTES;
  return name === 'cr3' ? pcid ? CR3_FIELDS.long : CR3_FIELDS.plain : FIELDS[name];
}
