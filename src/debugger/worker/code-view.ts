/** Instructions around an address: text, symbols, source lines, and what the next one does. */
import { effectsOf } from '../../cpu/describe/effects.ts';
import { systemEffectsOf } from '../../cpu/describe/system-effects.ts';
import { format } from '../../cpu/describe/format.ts';
import { GENERAL_REGISTERS, SEGMENT_NAMES } from '../../cpu/describe/names.ts';
import { pseudocode } from '../../cpu/describe/pseudocode.ts';
import type { Instruction } from '../../cpu/isa/instruction.ts';
import { instructionAt, lineAt } from '../../debug/backtrace.ts';
import type { Debugger } from '../../debug/debugger.ts';
import { SourceFiles } from '../../debug/source-files.ts';
import type { SourceLines } from '../../debug/source-lines.ts';
import type { SymbolTable } from '../../debug/symbols.ts';
import type { CodeData, CodeLine, Requests } from '../messages.ts';

/** How far before an address its function's beginning is looked for, and how far the search for a place to begin goes without one. */
const MOST_BEFORE = 4096n, BLIND_BEFORE = 64n;

/** Line table and source texts of an image. */
export class Sources {
  readonly lines: SourceLines;
  readonly files: SourceFiles;
  constructor(lines: SourceLines, texts: Readonly<Record<string, string>>) {
    this.lines = lines;
    this.files = new SourceFiles(texts);
  }

  /** The source line that begins at an address, or where what lies there is linked. */
  beginningAt(address: bigint, symbols: SymbolTable): CodeLine['source'] {
    const found = lineAt(this.lines, symbols, address);
    return found?.begins === true ? { file: found.file, line: found.line, text: this.files.line(found.file, found.line) } : undefined;
  }
}

export function codeView(debug: Debugger, sources: Sources, { at, before, after }: Requests['code']['takes']): CodeData {
  const { machine } = debug, { rip } = machine.state;
  const from = at ?? rip;
  const lines = linesBefore(debug, sources, from).slice(-before);
  let ip = from, problem: string | undefined;
  for (let n = 0; n < after; n++) {
    const i = instructionAt(machine, ip);
    if (i === undefined) {
      problem = `${debug.symbols.text(ip)} ${machine.readLinear(ip, 1).length === 0 ? 'cannot be read' : 'is no instruction'}`;
      break;
    }
    lines.push(lineOf(debug, sources, i, ip));
    ip = BigInt.asUintN(i.mode.codeSize, ip + BigInt(i.length));
  }
  const next = instructionAt(machine, rip);
  return { at: from, lines, problem, meaning: next === undefined ? undefined : { form: `${next.row.text}   ${next.row.encodingText}`, ...meaningOf(next, rip) } };
}

/** Instructions that end at an address: from the beginning of its function, or from the first place before it from which they fit. */
function linesBefore(debug: Debugger, sources: Sources, end: bigint): CodeLine[] {
  const symbol = debug.symbols.lookup(end);
  if (symbol !== undefined && symbol.offset <= MOST_BEFORE) return linesTo(debug, sources, end - symbol.offset, end) ?? [];
  for (let back = BLIND_BEFORE; back > 0n; back--) {
    const lines = end < back ? undefined : linesTo(debug, sources, end - back, end);
    if (lines !== undefined) return lines;
  }
  return [];
}

function linesTo(debug: Debugger, sources: Sources, from: bigint, end: bigint): CodeLine[] | undefined {
  const lines: CodeLine[] = [];
  let ip = from;
  while (ip < end) {
    const i = instructionAt(debug.machine, ip);
    if (i === undefined) return undefined;
    lines.push(lineOf(debug, sources, i, ip));
    ip += BigInt(i.length);
  }
  return ip === end ? lines : undefined;
}

function lineOf({ machine, symbols }: Debugger, sources: Sources, i: Instruction, ip: bigint): CodeLine {
  const text = format(i, ip, (address) => symbols.name(address));
  const [, mnemonic = text, operands = ''] = /^((?:(?:lock|rep|repe|repne|repz|repnz) )*\S+)(?: (.*))?$/.exec(text) ?? [];
  const symbol = symbols.lookup(ip);
  return {
    address: ip,
    bytes: Array.from(machine.readLinear(ip, i.length), (byte) => byte.toString(16).padStart(2, '0')).join(' '),
    mnemonic, operands,
    label: symbol?.offset === 0n ? symbol.name : undefined,
    source: sources.beginningAt(ip, symbols),
  };
}

const general = (numbers: ReadonlySet<number>): string[] => [...numbers].sort((a, b) => a - b).flatMap((n) => GENERAL_REGISTERS[64][n] ?? []);
/** A group of a system instruction's effects in words. */
const groupName = (name: string): string => ({ all: 'every register', msrs: 'that MSR', xmm: 'xmm and ymm registers' }[name] ?? name);
const mmx = (numbers: ReadonlySet<number>): string[] => [...numbers].sort((a, b) => a - b).map((n) => `mm${n}`);
const vectors = (numbers: ReadonlySet<number>): string[] => [...numbers].sort((a, b) => a - b).map((n) => `xmm${n}`);

function meaningOf(i: Instruction, ip: bigint): { text: readonly string[]; reads: readonly string[]; writes: readonly string[] } {
  const system = systemEffectsOf(i, ip);
  if (system !== undefined) return { text: [system.says], reads: system.reads.map(groupName), writes: system.writes.map(groupName) };
  const effects = effectsOf(i)!, isX87 = i.row.meaning.kind === 'x87';
  const segments = [...effects.segments].map((n) => SEGMENT_NAMES[n]).join(' ');
  const memory = segments === '' ? 'memory' : `memory by ${segments}`;
  return {
    text: pseudocode(i, ip),
    reads: [...general(effects.registersRead), ...vectors(effects.xmmRead), ...mmx(effects.mmxRead), ...(isX87 ? ['x87'] : []), ...(effects.mxcsrRead ? ['mxcsr'] : []), ...effects.flagsRead, ...(effects.memoryRead ? [memory] : []), ...(effects.portRead ? ['port'] : [])],
    writes: [...general(effects.registersWritten), ...vectors(effects.xmmWritten), ...mmx(effects.mmxWritten), ...(isX87 || effects.entersMmx ? ['x87'] : []), ...(effects.mxcsrWritten ? ['mxcsr'] : []), ...effects.flagsWritten, ...(effects.memoryWritten ? [memory] : []), ...(effects.portWritten ? ['port'] : []), ...(effects.branches ? ['rip'] : [])],
  };
}
