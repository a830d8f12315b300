/**
 * The registers as gdb sees them: one description, that of 64-bit mode, whatever mode the processor is in, so that a session lives through the switch to
 * long mode. gdb knows the names and the order of the first features; those of the system feature are ours. "Debugging with GDB", appendix "Target Descriptions".
 */
import type { Machine } from '../../machine/machine.ts';
import { MACHINE_REGISTERS } from '../../machine/registers.ts';
import { fieldsOf } from '../register-fields.ts';

export interface GdbRegister {
  readonly name: string;
  /** Name in machine/registers.ts. */
  readonly machineName: string;
  readonly bits: 32 | 64 | 80 | 128;
  readonly type: string;
  readonly group?: 'system';
}
interface Feature { readonly name: string; readonly types: string; readonly registers: readonly GdbRegister[] }

const of = (bits: GdbRegister['bits'], type: string, group?: 'system') => (name: string, machineName = name): GdbRegister => ({ name, machineName, bits, type, ...(group === undefined ? {} : { group }) });
const data = of(64, 'int64'), word = of(32, 'int32'), float = of(80, 'i387_ext');
const numbered = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, n) => `${prefix}${n}`);
/** A type for a register of so many bytes whose bits have names; a field of several bits is a number. `name`: the register's in debug/register-fields.ts. */
function flags(id: string, bytes: number, name: string): string {
  const all = fieldsOf(name, true)!.map(({ name: field, mask }) => ({ field, start: mask.toString(2).length - mask.toString(2).replace(/0+$/, '').length, end: mask.toString(2).length - 1 }));
  const text = all.sort((a, b) => a.start - b.start).map(({ field, start, end }) => `<field name="${field}" start="${start}" end="${end}"${end > start ? ` type="uint${8 * bytes}"` : ''}/>`);
  return `<flags id="${id}" size="${bytes}">${text.join('')}</flags>`;
}
/** System registers whose bits have names. */
const WITH_FIELDS = ['cr0', 'cr3', 'cr4', 'cr8', 'efer', 'star', 'pat', 'apic_base', 'dr6', 'dr7'];

/** Of these the upper half is reserved. Without it they have the size of an int: gdb assigns to a register with fields only what has its size. */
const LOWER_HALF = ['cr0', 'cr4', 'cr8', 'efer', 'dr6', 'dr7'];
const bitsOf = (name: string): 32 | 64 => (LOWER_HALF.includes(name) ? 32 : 64);

/** Beside the program's own. */
const system = (name: string): GdbRegister => of(bitsOf(name), WITH_FIELDS.includes(name) ? `${name}_bits` : 'uint64', 'system')(name);

const FEATURES: readonly Feature[] = [
  {
    name: 'org.gnu.gdb.i386.core',
    types: flags('i386_eflags', 4, 'rflags'),
    registers: [
      ...['rax', 'rbx', 'rcx', 'rdx', 'rsi', 'rdi'].map((name) => data(name)), of(64, 'data_ptr')('rbp'), of(64, 'data_ptr')('rsp'), ...numbered('r', 16).slice(8).map((name) => data(name)),
      of(64, 'code_ptr')('rip'), of(32, 'i386_eflags')('eflags', 'rflags'), ...['cs', 'ss', 'ds', 'es', 'fs', 'gs'].map((name) => word(name)),
      ...numbered('st', 8).map((name) => float(name)), ...['fctrl', 'fstat', 'ftag', 'fiseg', 'fioff', 'foseg', 'fooff', 'fop'].map((name) => word(name)),
    ],
  },
  {
    name: 'org.gnu.gdb.i386.sse',
    types: '<vector id="v4f" type="ieee_single" count="4"/><vector id="v2d" type="ieee_double" count="2"/><vector id="v16i8" type="int8" count="16"/><vector id="v8i16" type="int16" count="8"/>'
      + '<vector id="v4i32" type="int32" count="4"/><vector id="v2i64" type="int64" count="2"/><union id="vec128"><field name="v4_float" type="v4f"/><field name="v2_double" type="v2d"/>'
      + '<field name="v16_int8" type="v16i8"/><field name="v8_int16" type="v8i16"/><field name="v4_int32" type="v4i32"/><field name="v2_int64" type="v2i64"/><field name="uint128" type="uint128"/></union>'
      + flags('i386_mxcsr', 4, 'mxcsr'),
    registers: [...numbered('xmm', 16).map((name) => of(128, 'vec128')(name)), of(32, 'i386_mxcsr')('mxcsr')],
  },
  { name: 'org.gnu.gdb.i386.segments', types: '', registers: [data('fs_base'), data('gs_base')] },
  {
    name: 'org.longmode.system',
    types: WITH_FIELDS.map((name) => flags(`${name}_bits`, bitsOf(name) / 8, name)).join(''),
    registers: [
      ...['cs', 'ss', 'ds', 'es'].map((name) => system(`${name}_base`)), ...['cr0', 'cr2', 'cr3', 'cr4', 'cr8', 'efer', 'k_gs_base', 'star', 'lstar', 'cstar', 'fmask', 'sysenter_cs', 'sysenter_esp', 'sysenter_eip', 'pat', 'apic_base', 'tsc_aux', 'tsc'].map((name) => system(name)),
      ...['gdtr_base', 'gdtr_limit', 'idtr_base', 'idtr_limit', 'ldtr', 'ldtr_base', 'tr', 'tr_base', ...numbered('dr', 4), 'dr6', 'dr7', 'cpl'].map((name) => system(name)),
    ],
  },
];

/** By gdb's number. */
export const GDB_REGISTERS: readonly GdbRegister[] = FEATURES.flatMap(({ registers }) => registers);
export const RIP_NUMBER = GDB_REGISTERS.findIndex(({ name }) => name === 'rip');

/** The document `target.xml`. */
export const TARGET_XML = '<?xml version="1.0"?><!DOCTYPE target SYSTEM "gdb-target.dtd"><target version="1.0"><architecture>i386:x86-64</architecture>'
  + FEATURES.map(({ name, types, registers }) => `<feature name="${name}">${types}${registers.map((r) => `<reg name="${r.name}" bitsize="${r.bits}" type="${r.type}"${r.group === undefined ? '' : ` group="${r.group}"`}/>`).join('')}</feature>`).join('')
  + '</target>';

/** The bytes that gdb expects of a register, the lowest first. */
export function registerBytes(machine: Machine, { machineName, bits }: GdbRegister): Uint8Array {
  let value = MACHINE_REGISTERS.get(machineName)!.read(machine);
  return Uint8Array.from({ length: bits / 8 }, () => {
    const byte = Number(value & 0xffn);
    value >>= 8n;
    return byte;
  });
}
