/** The registers in groups, with what their bits and their contents say. */
import type { Debugger } from '../../debug/debugger.ts';
import { fieldsOf } from '../../debug/register-fields.ts';
import { segmentText } from '../../debug/registers.ts';
import { MACHINE_REGISTERS } from '../../machine/registers.ts';
import { CR4 } from '../../mmu/control-bits.ts';
import type { RegisterData, RegisterGroup } from '../messages.ts';

const GENERAL = ['rax', 'rbx', 'rcx', 'rdx', 'rsi', 'rdi', 'rbp', 'rsp', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15', 'rip'];
const SEGMENTS = ['cs', 'ss', 'ds', 'es', 'fs', 'gs', 'ldtr', 'tr'];
const MSRS = ['star', 'lstar', 'cstar', 'fmask', 'fs_base', 'gs_base', 'k_gs_base', 'sysenter_cs', 'sysenter_esp', 'sysenter_eip', 'pat', 'apic_base', 'tsc', 'tsc_aux'];
const numbered = (name: string, count: number): string[] => Array.from({ length: count }, (_, n) => `${name}${n}`);

export function registerView({ machine, symbols }: Debugger): RegisterGroup[] {
  const { state, cpu } = machine, { features } = cpu.model;
  const one = (name: string, more: Pick<RegisterData, 'note' | 'parts'> = {}): RegisterData => {
    const register = MACHINE_REGISTERS.get(name)!, fields = fieldsOf(name, (state.cr4 & CR4.PCIDE) !== 0);
    return { name, bits: register.bits, value: register.read(machine), editable: register.write !== undefined, ...more, ...(fields === undefined ? {} : { fields }) };
  };
  const noted = (name: string, note: string | undefined, parts: readonly string[] = []): RegisterData =>
    one(name, { ...(note === undefined ? {} : { note }), ...(parts.length === 0 ? {} : { parts: parts.map((part) => one(part)) }) });
  const pointing = (name: string): RegisterData => noted(name, symbols.name(MACHINE_REGISTERS.get(name)!.read(machine)));
  const segment = (name: string): RegisterData => {
    const n = ['es', 'cs', 'ss', 'ds', 'fs', 'gs', 'ldtr', 'tr'].indexOf(name);
    return noted(name, segmentText(state.attributes[n]!, n >= 6), [`${name}_base`, `${name}_limit`, `${name}_attributes`]);
  };
  const vectors = features.has('avx') ? 'ymm' : 'xmm';
  return [
    { name: 'General', registers: GENERAL.map(pointing) },
    { name: 'Flags', registers: [one('rflags')] },
    { name: 'Control', registers: ['cr0', 'cr2', 'cr3', 'cr4', 'cr8', 'efer', ...(features.has('xsave') ? ['xcr0'] : []), ...(features.has('pku') ? ['pkru'] : [])].map((name) => one(name)) },
    { name: 'Segments', registers: [...SEGMENTS.map(segment), ...['gdtr', 'idtr'].map((name) => noted(`${name}_base`, undefined, [`${name}_limit`]))] },
    { name: 'MSRs', registers: MSRS.map(pointing) },
    { name: vectors.toUpperCase(), registers: [...numbered(vectors, 16), 'mxcsr'].map((name) => one(name)) },
    { name: 'x87', registers: [...numbered('st', 8), 'fctrl', 'fstat', 'ftag', 'fop', 'fiseg', 'fioff', 'foseg', 'fooff'].map((name) => one(name)) },
    { name: 'Debug', registers: [0, 1, 2, 3, 6, 7].map((n) => one(`dr${n}`)) },
  ];
}
