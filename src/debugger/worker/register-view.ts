/** The registers in groups, with what their bits and their contents say. */
import { RFLAGS } from '../../cpu/flags.ts';
import type { Debugger } from '../../debug/debugger.ts';
import { segmentText } from '../../debug/registers.ts';
import { MACHINE_REGISTERS } from '../../machine/registers.ts';
import { CR0, CR4, EFER } from '../../mmu/control-bits.ts';
import type { RegisterData, RegisterGroup } from '../messages.ts';

const GENERAL = ['rax', 'rbx', 'rcx', 'rdx', 'rsi', 'rdi', 'rbp', 'rsp', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15', 'rip'];
const SEGMENTS = ['cs', 'ss', 'ds', 'es', 'fs', 'gs', 'ldtr', 'tr'];
const MSRS = ['star', 'lstar', 'cstar', 'fmask', 'fs_base', 'gs_base', 'k_gs_base', 'sysenter_cs', 'sysenter_esp', 'sysenter_eip', 'pat', 'apic_base', 'tsc', 'tsc_aux'];
const numbered = (name: string, count: number): string[] => Array.from({ length: count }, (_, n) => `${name}${n}`);

/** Single bits by name, high ones first; the field IOPL has two. */
const flagsOf = (names: Readonly<Record<string, number>>): NonNullable<RegisterData['flags']> =>
  Object.entries(names).map(([name, mask]) => ({ name, mask: BigInt(mask >>> 0) })).sort((a, b) => (a.mask < b.mask ? 1 : -1));
const FLAGS: Readonly<Record<string, NonNullable<RegisterData['flags']>>> = { rflags: flagsOf(RFLAGS), cr0: flagsOf(CR0), cr4: flagsOf(CR4), efer: flagsOf(EFER) };

export function registerView(debug: Debugger): RegisterGroup[] {
  const { machine, symbols } = debug, { state } = machine;
  const one = (name: string, note?: string): RegisterData[] => {
    const register = MACHINE_REGISTERS.get(name);
    if (register === undefined) return [];
    const flags = FLAGS[name];
    return [{ name, bits: register.bits, value: register.read(machine), editable: register.write !== undefined, ...(note === undefined || note === '' ? {} : { note }), ...(flags === undefined ? {} : { flags }) }];
  };
  const pointing = (name: string): RegisterData[] => {
    const [register] = one(name);
    return one(name, register === undefined ? undefined : symbols.name(register.value));
  };
  const segment = (name: string): RegisterData[] => {
    const n = ['es', 'cs', 'ss', 'ds', 'fs', 'gs', 'ldtr', 'tr'].indexOf(name);
    return one(name, `base ${(state.base[n]!).toString(16)} limit ${state.limit[n]!.toString(16)}, ${segmentText(state.attributes[n]!, n >= 6)}`);
  };
  const table = (name: 'gdtr' | 'idtr'): RegisterData[] => one(`${name}_base`, `limit ${state[`${name}Limit`].toString(16)}`);
  return [
    { name: 'General', registers: GENERAL.flatMap(pointing) },
    { name: 'Flags', registers: one('rflags') },
    { name: 'Control', registers: ['cr0', 'cr2', 'cr3', 'cr4', 'cr8', 'efer'].flatMap((name) => one(name)) },
    { name: 'Segments', registers: [...SEGMENTS.flatMap(segment), ...table('gdtr'), ...table('idtr')] },
    { name: 'MSRs', registers: MSRS.flatMap(pointing) },
    machine.cpu.model.features.has('avx') ? { name: 'YMM', registers: [...numbered('ymm', 16), 'mxcsr'].flatMap((name) => one(name)) } : { name: 'XMM', registers: [...numbered('xmm', 16), 'mxcsr'].flatMap((name) => one(name)) },
    { name: 'x87', registers: [...numbered('st', 8), 'fctrl', 'fstat', 'ftag'].flatMap((name) => one(name)) },
    { name: 'Debug', registers: [0, 1, 2, 3, 6, 7].flatMap((n) => one(`dr${n}`)) },
  ];
}
