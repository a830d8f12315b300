/** Descriptor tables and the TSS, decoded, with what is wrong in them. SDM Vol. 3A, "Segment Descriptors", "64-Bit Mode IDT", "Task Management in 64-bit Mode". */
import { Descriptor, SYSTEM_TYPE } from '../../cpu/descriptors.ts';
import { isCanonical } from '../../state/addresses.ts';
import { littleEndian } from '../../debug/bytes.ts';
import { descriptorText, gateText } from '../../debug/descriptors.ts';
import type { Debugger } from '../../debug/debugger.ts';
import { vectorMnemonic } from '../../debug/error-code.ts';
import { SEGMENT } from '../../state/layout.ts';
import type { TableData, TableRow } from '../messages.ts';

/** Entries of a table that are shown. */
const MOST_ENTRIES = 256;

export function tablesView(debug: Debugger): readonly TableData[] {
  const { state } = debug.machine;
  const tables = [idt(debug), segments(debug, 'GDT', state.gdtrBase, state.gdtrLimit)];
  if ((state.attributes[SEGMENT.LDTR]! & (1 << 16)) === 0 && state.selector[SEGMENT.LDTR] !== 0) tables.push(segments(debug, 'LDT', state.base[SEGMENT.LDTR]!, state.limit[SEGMENT.LDTR]!));
  if ((state.attributes[SEGMENT.TR]! & (1 << 16)) === 0 && state.selector[SEGMENT.TR] !== 0 && debug.machine.cpu.longModeActive) tables.push(tss(debug));
  return tables;
}

const raw = (bytes: Uint8Array, at: number): bigint => littleEndian(bytes.subarray(at, at + 8));

/** Its text without the bytes, which have a column of their own. */
const words = (text: string): string => text.slice(text.indexOf('  ') + 2);

function idt({ machine, symbols }: Debugger): TableData {
  const { state, cpu } = machine, long = cpu.longModeActive, size = long ? 16 : 8;
  if (cpu.realMode) return { name: 'IDT', base: state.idtrBase, limit: state.idtrLimit, rows: [], problem: 'real-address mode: an interrupt vector table of far pointers' };
  const bytes = machine.readLinear(state.idtrBase, Math.min(state.idtrLimit + 1, MOST_ENTRIES * size));
  const rows: TableRow[] = [];
  for (let vector = 0; (vector + 1) * size <= bytes.length; vector++) {
    const low = raw(bytes, vector * size);
    if (low === 0n) continue;
    const gate = new Descriptor(Number(low & 0xffff_ffffn), Number(low >> 32n));
    const handler = long ? (raw(bytes, vector * size + 8) & 0xffff_ffffn) << 32n | (low & 0xffffn) | ((low >> 32n) & 0xffff_0000n) : undefined;
    const problems: string[] = [];
    if (!gate.present) problems.push('not present: #NP');
    if (gate.present && long && ![SYSTEM_TYPE.interruptGate, SYSTEM_TYPE.trapGate].includes(gate.type as 14 | 15)) problems.push('no gate of 64-bit mode: #GP');
    if (handler !== undefined && !isCanonical(handler, machine.cpu.linearWidth)) problems.push('the handler is not canonical: #GP');
    else if (handler !== undefined && machine.readLinear(handler, 1).length === 0) problems.push('the handler is not mapped');
    rows.push({ index: `${vector}`, name: vectorMnemonic(vector).startsWith('vector') ? '' : vectorMnemonic(vector), value: low, text: words(gateText(low, long, handler, symbols)), target: handler, problem: problems.join('; ') || undefined });
  }
  return { name: 'IDT', base: state.idtrBase, limit: state.idtrLimit, rows, problem: missing(bytes, state.idtrLimit, MOST_ENTRIES * size) };
}

function segments({ machine }: Debugger, name: string, base: bigint, limit: number): TableData {
  const { state } = machine;
  const bytes = machine.readLinear(base, Math.min(limit + 1, MOST_ENTRIES * 8));
  const rows: TableRow[] = [];
  for (let at = 0; at + 8 <= bytes.length; at += 8) {
    const value = raw(bytes, at);
    if (value === 0n) continue;
    const descriptor = new Descriptor(Number(value & 0xffff_ffffn), Number(value >> 32n));
    const users = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS', 'LDTR', 'TR'].filter((_, n) => (state.selector[n]! & 0xfff8) === at && ((state.selector[n]! & 4) !== 0) === (name === 'LDT'));
    const long = machine.cpu.longModeActive;
    const wide = descriptor.system && long;
    const high = wide ? raw(bytes, at + 8) & 0xffff_ffffn : 0n;
    rows.push({
      index: `0x${at.toString(16)}`, name: users.join(' '), value, text: `${words(descriptorText(value))}, base ${((high << 32n) | descriptor.base).toString(16)}, limit ${descriptor.limit.toString(16)}`, target: undefined,
      problem: descriptor.present ? descriptor.code && descriptor.long && descriptor.big ? 'L and D are both set: #GP' : undefined : 'not present: #NP',
    });
    if (wide) at += 8;
  }
  return { name, base, limit, rows, problem: missing(bytes, limit, MOST_ENTRIES * 8) };
}

function tss({ machine, symbols }: Debugger): TableData {
  const { state } = machine, base = state.base[SEGMENT.TR]!, limit = state.limit[SEGMENT.TR]!;
  const bytes = machine.readLinear(base, Math.min(limit + 1, 104));
  const fields = [['RSP0', 4], ['RSP1', 12], ['RSP2', 20], ...Array.from({ length: 7 }, (_, n) => [`IST${n + 1}`, 36 + 8 * n] as const)] as const;
  const rows = fields.filter(([, at]) => at + 8 <= bytes.length).map(([name, at]): TableRow => {
    const value = raw(bytes, at);
    return { index: `+${at}`, name, value, text: value === 0n ? 'none' : endOf(symbols.lookup(value - 1n)), target: undefined, problem: value !== 0n && (!isCanonical(value, machine.cpu.linearWidth) || machine.readLinear(value - 8n, 8).length < 8) ? 'no stack is mapped below it' : undefined };
  });
  return { name: 'TSS', base, limit, rows, problem: missing(bytes, limit, 104) };
}

/** The end of a stack, by the object that it is the end of. */
const endOf = (last: { readonly name: string; readonly offset: bigint } | undefined): string => (last === undefined ? '' : `${last.name}+0x${(last.offset + 1n).toString(16)}`);

const missing = (bytes: Uint8Array, limit: number, most: number): string | undefined =>
  (bytes.length < Math.min(limit + 1, most) ? `bytes from 0x${bytes.length.toString(16)} on are not mapped` : undefined);
