/** What a debugger's prompt shows: the state of the machine in lines of text. */
import { DEFAULT_MODEL_NAME } from '../../cpu/models.ts';
import { format } from '../../cpu/describe/format.ts';
import type { Machine } from '../../machine/machine.ts';
import { pageOf } from '../../mmu/tlb.ts';
import { linear } from '../../state/addresses.ts';
import { instructionAt, lineOfFrame } from '../backtrace.ts';
import { littleEndian } from '../bytes.ts';
import type { Debugger, DebugStop } from '../debugger.ts';
import type { KernelData } from '../kernel-memory.ts';
import type { LastWrite } from '../history/last-write.ts';
import { modeText } from '../mode.ts';
import { raises, walkLines } from '../page-fault.ts';
import { hex } from '../registers.ts';
import type { SourceLines } from '../source-lines.ts';
import type { SymbolTable } from '../symbols.ts';

const mib = (count: number): string => `${(count / 2 ** 20).toFixed(1)} MiB`;
const groups = (count: number): string => count.toLocaleString('en-US');

/** `=> 0x101000 <main+0x4>  add rax, 1   [instruction 1,234]`. */
export function placeLine({ machine, symbols, history }: Debugger): string {
  const { state, cpu } = machine;
  const left = history.end.retired - state.retired, past = left === 0 ? '' : `, ${groups(left)} before the end`;
  return `=> ${symbols.text(state.rip)}  ${instructionText(machine, state.rip, symbols) ?? 'no instruction can be read here'}   [instruction ${groups(state.retired)}${cpu.deliveries === 0 ? '' : `, ${groups(cpu.deliveries)} ${cpu.deliveries === 1 ? 'delivery' : 'deliveries'}`}${past}]`;
}

const instructionText = (machine: Machine, ip: bigint, symbols: SymbolTable): string | undefined => {
  const i = instructionAt(machine, ip);
  return i === undefined ? undefined : format(i, ip, (address) => symbols.name(address));
};

/** Instructions from an offset in CS on. */
export function disassembly(machine: Machine, from: bigint, count: number, symbols: SymbolTable): string[] {
  const lines: string[] = [];
  for (let n = 0, ip = from; n < count; n++) {
    const i = instructionAt(machine, ip);
    if (i === undefined) {
      lines.push(`   ${symbols.text(ip)}  cannot be read or is no instruction`);
      break;
    }
    lines.push(`${ip === machine.state.rip ? '=>' : '  '} ${symbols.text(ip)}  ${format(i, ip, (address) => symbols.name(address))}`);
    ip = BigInt.asUintN(i.mode.codeSize, ip + BigInt(i.length));
  }
  return lines;
}

/** Why the machine stands still, in a line. */
export function stopLine({ breakpoints }: Debugger, stop: DebugStop): string | undefined {
  switch (stop.kind) {
    case 'hit': return `breakpoint ${stop.hit.breakpoint.id} (${breakpoints.describe(stop.hit.breakpoint)}): ${stop.hit.text}`;
    case 'arrived': case 'reached': case 'paused': case 'instruction-limit': return undefined;
    case 'start': return 'the history begins here';
    case 'refused': return stop.why;
    case 'debug-exit': return `the guest wrote ${stop.value} to the debug-exit port`;
    case 'power-off': return 'the guest turned the power off';
    case 'reset': return 'the guest reset the machine';
    case 'triple-fault': return 'triple fault: the processor has shut down';
    case 'halted': return stop.wakeable ? 'the processor waits for an interrupt, and only input could cause one' : 'the processor halted with interrupts off';
    case 'unimplemented': return `unimplemented: ${stop.what}`;
  }
}

export const walkView = (machine: Machine, address: bigint): string[] => {
  const walk = machine.mmu.explain(linear(address));
  const verdicts = walk.verdicts.map((verdict) => `${verdict.privilege} ${verdict.access}: ${verdict.denial === undefined ? 'allowed' : `${raises(verdict)}, ${verdict.denial}`}`);
  return [...walkLines(walk), ...verdicts.map((verdict) => `  ${verdict}`)];
};

/** The TLBs, and where they differ from what the paging structures say now; with an address only what is cached for its page. */
export function tlbView({ mmu }: Machine, address?: bigint): string[] {
  const lines: string[] = [];
  for (const entry of mmu.tlb.entries()) {
    const page = pageOf(entry);
    if (address !== undefined && page >> 12n !== linear(address) >> 12n) continue;
    const stale = mmu.compare(entry)?.stale;
    const rights = `${entry.writable ? 'W' : '-'}${entry.executeDisable ? '-' : 'X'}${entry.user ? 'U' : 'S'}${entry.global ? 'G' : '-'}${entry.dirty ? 'D' : '-'}`;
    lines.push(`${entry.tlb.padEnd(11)} 0x${hex(page, 16)} -> 0x${hex(entry.frame * 4096, 12)}  ${rights}  ${entry.pageSize === 0 ? '4 KiB' : 'large'}  PCID ${entry.pcid}${stale === undefined ? ', not CR3\'s: not compared' : stale.length === 0 ? '' : `  STALE: ${stale.join('; ')}`}`);
  }
  return lines.length === 0 ? ['nothing is cached'] : lines;
}

export type Unit = 1 | 2 | 4 | 8;

/** Memory in lines of 16 bytes; what cannot be read is said. */
export function memoryView(machine: Machine, from: bigint, count: number, unit: Unit, physical: boolean): string[] {
  const wanted = count * unit;
  const bytes = physical ? machine.readPhysical(Number(from), Math.max(0, Math.min(wanted, machine.state.ramBytes - Number(from)))) : machine.readLinear(from, wanted);
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = bytes.subarray(at, at + 16);
    const numbers: string[] = [];
    for (let n = 0; n + unit <= row.length; n += unit) numbers.push(hex(littleEndian(row.subarray(n, n + unit)), 2 * unit));
    const text = unit === 1 ? `  ${Array.from(row, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('')}` : '';
    lines.push(`${hex(from + BigInt(at), 16)}  ${numbers.join(' ').padEnd((16 / unit) * (2 * unit + 1) - 1)}${text}`.trimEnd());
  }
  if (bytes.length < wanted) lines.push(`0x${(from + BigInt(bytes.length)).toString(16)} ${physical ? 'is not RAM' : 'is not mapped to RAM'}`);
  return lines;
}

/** `#1  0x101012 <main+0x12> at main.c:7  rsp 0x8000`. */
export function backtraceView(debug: Debugger, lines: SourceLines): string[] {
  const frames = debug.backtrace().map((frame, n) => {
    const { rip, rsp, by } = frame, line = lineOfFrame(lines, debug.symbols, frame);
    return `#${String(n).padEnd(2)} ${debug.symbols.text(rip)}${line === undefined ? '' : ` at ${line.file}:${line.line}`}  rsp 0x${rsp.toString(16)}${by === 'event' ? '  (interrupted here)' : ''}`;
  });
  return lines.problem === undefined ? frames : [...frames, `source lines: ${lines.problem}`];
}

export function lastWriteView({ symbols }: Debugger, found: LastWrite | undefined): string[] {
  if (found === undefined) return ['nobody, since the history began'];
  const { at, rip, by, where, before, after } = found;
  return [`${by === 'instruction' ? symbols.text(rip) : `${by}${by === 'edit' ? '' : ` at ${symbols.text(rip)}`}`}, instruction ${groups(at.retired)}: ${where}: 0x${before.toString(16)} -> 0x${after.toString(16)}   (goto ${at.retired})`];
}

/** Cells in columns. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, n) => Math.max(...rows.map((row) => row[n]!.length)));
  return rows.map((row) => `  ${row.map((cell, n) => cell.padEnd(widths[n]!)).join('  ')}`.trimEnd());
}

/** Records and blocks that are shown of each list and heap. */
const MOST_SHOWN = 100;
const more = (count: number): string[] => (count > MOST_SHOWN ? [`  and ${groups(count - MOST_SHOWN)} more`] : []);

/** A kernel's own memory: how many frames of each kind, lists as tables, the blocks of heaps, what cannot be read. */
export function kernelMemoryView({ frames, lists, blocks, problem }: KernelData): string[] {
  return [
    ...(frames === undefined ? [] : [`frames: ${groups(frames.kinds.length)}, ${groups(frames.free)} free, ${groups(frames.tables)} paging structures`]),
    ...lists.flatMap(({ name, columns, rows, truncated }) => [`${name}: ${rows.length}${truncated ? ' and more' : ''}`, ...(rows.length === 0 ? [] : table([columns, ...rows.slice(0, MOST_SHOWN).map((row) => row.map((cell) => cell.text))])), ...more(rows.length)]),
    ...blocks.flatMap(({ name, blocks: all, problem: broken }) => [
      `${name}: ${all.length} blocks`,
      ...table(all.slice(0, MOST_SHOWN).map(({ at, bytes, state }) => [hex(at, 16), state, `${groups(Number(bytes))} bytes`])),
      ...more(all.length),
      ...(broken === undefined ? [] : [`  ${broken}`]),
    ]),
    ...(problem === undefined ? [] : [problem]),
  ];
}

/** The machine, its history and its devices in a few lines. */
export function infoView(debug: Debugger): string[] {
  const { machine, history, breakpoints } = debug, { state } = machine;
  const { bytes, firstBytes, budgetBytes, checkpoints } = history.memory;
  return [
    `engine ${machine.engineName}, processor ${machine.options.cpu ?? DEFAULT_MODEL_NAME}, RAM ${mib(state.ramBytes)}`,
    `${modeText(machine)}, CPL ${state.cpl}; virtual time ${groups(machine.now())} ns, of which ${groups(state.idleTime)} ns halted`,
    `history: instruction ${groups(history.start.retired)} to ${groups(history.end.retired)}, ${checkpoints} checkpoints in ${mib(firstBytes)} and ${mib(bytes - firstBytes)} of ${mib(budgetBytes)}; ${history.log.events.length} inputs`,
    ...(history.ending === undefined ? [] : [`the guest has ended here: ${stopLine(debug, history.ending)!}`]),
    ...breakpoints.all.map((breakpoint) => breakpointLine(breakpoints, breakpoint)),
  ];
}

export const breakpointLine = (breakpoints: Debugger['breakpoints'], breakpoint: Debugger['breakpoints']['all'][number]): string =>
  `breakpoint ${breakpoint.id}: ${breakpoints.describe(breakpoint)}${breakpoint.temporary ? ', once' : ''}${breakpoint.hits === 0 ? '' : `, hit ${breakpoint.hits} time${breakpoint.hits === 1 ? '' : 's'}`}`;
