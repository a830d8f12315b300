/** A debugger's commands as text: what a terminal's prompt takes, and gdb's `monitor`. */
import type { LastWrite } from '../history/last-write.ts';
import { addBreakpoint, BREAK_HELP } from '../break/parse.ts';
import { ExpressionError } from '../break/expression.ts';
import { Search } from '../history/search.ts';
import type { Debugger, DebugStop, Destination, Motion } from '../debugger.ts';
import { ImageNotes } from '../image-notes.ts';
import { kernelMemory } from '../kernel-memory.ts';
import { postMortem } from '../post-mortem.ts';
import { registerDump } from '../registers.ts';
import { MACHINE_REGISTERS } from '../../machine/registers.ts';
import type { Moment } from '../../machine/position.ts';
import { backtraceView, breakpointLine, disassembly, infoView, kernelMemoryView, lastWriteView, memoryView, placeLine, stopLine, tlbView, walkView, type Unit } from './views.ts';

/** What comes of a line: text to show; a way forwards, or to a moment; a search, whose outcome is text; the end of the prompt. */
export type Outcome =
  | { readonly kind: 'text'; readonly lines: readonly string[] }
  | { readonly kind: 'run'; readonly motion: Motion }
  | { readonly kind: 'goto'; readonly to: Destination }
  | { readonly kind: 'search'; readonly search: Search<readonly string[]> }
  | { readonly kind: 'leave'; readonly how: 'continue' | 'quit' };

interface Command {
  readonly names: readonly string[];
  readonly takes: string;
  readonly says: string;
  /** It takes the machine elsewhere in time: not for a gdb, which would not notice. */
  readonly moves?: boolean;
  /** Further lines for who asks for help with it. */
  readonly more?: readonly string[];
  /** `moves`: commands that move the machine are taken. `name`: which of its names was said. */
  readonly run: (rest: string, moves: boolean, name: string) => Outcome;
}

const text = (lines: readonly string[]): Outcome => ({ kind: 'text', lines });
const MOST_UNITS = 4096, MOST_STEPS = 1_000_000;
const noCommand = (name: string): string => `there is no command "${name}"; "help" lists them`;
const UNITS: Readonly<Record<string, Unit>> = { b: 1, h: 2, w: 4, g: 8 };

export class Prompt {
  readonly debug: Debugger;
  readonly #notes: ImageNotes;
  readonly #commands: readonly Command[];
  readonly #moments: Moment[] = [];
  #last = '';

  /** `notes`: where in its source something is, and what its memory looks like. */
  constructor(debug: Debugger, notes = new ImageNotes()) {
    this.debug = debug;
    this.#notes = notes;
    this.#commands = this.#all();
  }

  /** Carries out a line; an empty one is the last one again. Throws nothing that a user can cause: what is wrong is said. */
  execute(line: string, { moves = true }: { readonly moves?: boolean } = {}): Outcome {
    const wanted = line.trim() === '' ? this.#last : line.trim();
    this.#last = wanted;
    const [, name = '', rest = ''] = /^([a-z-]+!?)(.*)$/is.exec(wanted) ?? [];
    if (wanted === '') return text([]);
    const command = this.#named(name);
    if (command === undefined) return text([noCommand(wanted.split(/\s/)[0]!)]);
    if (command.moves === true && !moves) return text([`"${name}" moves or changes the machine, and gdb would not notice: use its own commands (stepi, reverse-stepi, continue, reverse-continue, set)`]);
    try {
      return command.run(rest.trim(), moves, name);
    } catch (error) {
      if (error instanceof ExpressionError) return text([`${error.message}${error.column > 0 ? ` (character ${error.column + 1})` : ''}`]);
      if (error instanceof RangeError) return text([error.message]);
      throw error;
    }
  }

  /** Where the machine is, and why it stopped there. */
  report(stop: DebugStop): readonly string[] {
    const why = stopLine(this.debug, stop), hint = stop.kind === 'triple-fault' ? ' ("why" tells the story, "back" goes before it)' : '';
    const fault = this.debug.faultAddress;
    return [
      ...(why === undefined ? [] : [why + hint]), placeLine(this.debug),
      ...(fault === undefined ? [] : [`   next is a #PF: CR2 will be 0x${fault.toString(16)} ("walk fault" walks it)`]),
    ];
  }

  #value(expression: string): bigint {
    const value = this.debug.evaluate(expression);
    if (value === undefined) throw new RangeError(`${expression} has no value here: memory that cannot be read, or a division by 0`);
    return value;
  }
  #count(rest: string, most: number, fallback = 1): number {
    if (rest === '') return fallback;
    const value = this.#value(rest);
    if (value > BigInt(most)) throw new RangeError(`at most ${most}`);
    return Number(value);
  }
  #moved(stop: DebugStop): Outcome { return text(this.report(stop)); }
  #back(motion: Motion): Outcome {
    const report = (stop: DebugStop): readonly string[] => this.report(stop);
    const pieces = function* (): Generator<void, readonly string[], void> {
      for (;;) {
        const stop = motion.advance(1);
        if (stop.kind !== 'instruction-limit') return report(stop);
        yield;
      }
    };
    return { kind: 'search', search: new Search(pieces(), () => { motion.cancel(); }, () => motion.progress?.()) };
  }

  #all(): readonly Command[] {
    const { debug } = this, { machine, symbols, breakpoints, history } = debug;
    return [
      { names: ['step', 's', 'stepi', 'si'], takes: '[N]', says: 'N instructions or deliveries on', moves: true, run: (rest) => this.#moved(debug.step(this.#count(rest, MOST_STEPS))) },
      { names: ['back', 'b', 'rs'], takes: '[N]', says: 'N back', moves: true, run: (rest) => this.#moved(debug.back(this.#count(rest, 10_000))) },
      { names: ['over', 'next', 'n'], takes: '', says: 'a step, over a call as a whole', moves: true, run: () => ({ kind: 'run', motion: debug.over() }) },
      { names: ['out', 'finish'], takes: '', says: 'to the caller', moves: true, run: () => ({ kind: 'run', motion: debug.out() }) },
      { names: ['backover', 'rn'], takes: '', says: 'a step back, over a call as a whole', moves: true, run: () => this.#back(debug.backOver()) },
      { names: ['backout'], takes: '', says: 'back to the call that led here', moves: true, run: () => this.#back(debug.backOut()) },
      { names: ['continue', 'c'], takes: '', says: 'on, to a breakpoint or the end', moves: true, run: () => ({ kind: 'run', motion: debug.onwards() }) },
      { names: ['reverse', 'rc'], takes: '', says: 'back to where a breakpoint would have stopped', moves: true, run: () => this.#back(debug.reverse()) },
      { names: ['until', 'u'], takes: 'ADDRESS', says: 'on to an address', moves: true, run: (rest) => ({ kind: 'run', motion: debug.toAddress(this.#value(rest)) }) },
      { names: ['goto'], takes: 'N | #SNAPSHOT | end', says: 'to an instruction count, a remembered moment, the end', more: ['"snapshot" remembers a moment. Breakpoints on the way do not stop it.'], run: (rest) => ({ kind: 'goto', to: this.#moment(rest) }) },
      { names: ['restart'], takes: '', says: 'to the beginning of the history', moves: true, run: () => this.#moved(debug.restart()) },
      { names: ['walk'], takes: 'ADDRESS', says: 'the page walk of a linear address', more: ['Each entry with its bits in words, and whether a read, a write, a fetch would be allowed; a pointer is walked by its value: walk u64[rsp]. Before a page fault is delivered "fault" is the address that CR2 will get.'], run: (rest) => text(walkView(machine, this.#value(rest))) },
      { names: ['tlb'], takes: '[ADDRESS]', says: 'what the TLBs hold, and what of it is stale', run: (rest) => text(tlbView(machine, rest === '' ? undefined : this.#value(rest))) },
      { names: ['x'], takes: '[/COUNT][b|h|w|g] [phys] ADDRESS', says: 'memory', more: ['Units are bytes, half words (16 bits), words (32 bits), giant words (64 bits): x/4g rsp. phys: by physical address.'], run: (rest) => text(this.#memory(rest)) },
      { names: ['who-wrote', 'who'], takes: '[phys] ADDRESS[,BYTES] | REGISTER | pte ADDRESS', says: 'the last write before now', more: ['who-wrote counter,8      the 8 bytes at a symbol, by linear address as it is mapped now', 'who-wrote phys 0x1000,4  bytes by physical address', 'who-wrote cr3            a register', 'who-wrote pte 0x400000   an entry of the paging structures on the walk of an address', 'It says who, when (for "goto"), and what was there before.'], run: (rest) => ({ kind: 'search', search: this.#whoWrote(rest).map((found) => lastWriteView(debug, found)) }) },
      { names: ['bt', 'backtrace', 'where'], takes: '', says: 'who called whom', run: () => text(backtraceView(debug, this.#notes.lines)) },
      { names: ['kernel'], takes: '', says: 'the kernel\'s own memory, if the image describes it', run: () => text(kernelMemoryView(kernelMemory(debug, this.#notes.description))) },
      { names: ['break', 'br'], takes: 'WHAT [if EXPRESSION]', says: '"help break" lists what', more: BREAK_HELP.split('\n'), run: (rest) => text([breakpointLine(breakpoints, addBreakpoint(breakpoints, machine, rest))]) },
      { names: ['tbreak'], takes: 'WHAT', says: 'the same, once', run: (rest) => text([breakpointLine(breakpoints, addBreakpoint(breakpoints, machine, rest, true))]) },
      { names: ['delete', 'd'], takes: '[N]', says: 'breakpoint N, or all', run: (rest) => text(this.#delete(rest)) },
      { names: ['info', 'i'], takes: '', says: 'the machine, its history, breakpoints', run: () => text(infoView(debug)) },
      { names: ['regs', 'r', 'registers'], takes: '', says: 'all registers', run: () => text(registerDump(machine.state).split('\n')) },
      { names: ['print', 'p'], takes: 'EXPRESSION', says: 'a value', run: (rest) => { const value = this.#value(rest); return text([`${value} = 0x${value.toString(16)}${symbols.name(value) === undefined ? '' : ` <${symbols.name(value)}>`}`]); } },
      { names: ['set', 'set!'], takes: 'REGISTER = EXPRESSION', says: 'changes a register; in the past "set!" does, and begins another future', moves: true, run: (rest, _moves, name) => text(this.#set(rest, name.endsWith('!'))) },
      { names: ['disassemble', 'dis'], takes: '[ADDRESS]', says: 'instructions', run: (rest) => text(disassembly(machine, rest === '' ? machine.state.rip : this.#value(rest), 12, symbols)) },
      { names: ['why'], takes: '', says: 'the story of a triple fault', run: () => text(postMortem(machine, symbols).split('\n')) },
      { names: ['snapshot'], takes: '', says: 'remembers this moment, for "goto #N"', run: () => text([`#${this.#moments.push(history.now)} is instruction ${machine.state.retired}`]) },
      { names: ['leave'], takes: '', says: 'leaves the prompt; the machine runs on', moves: true, run: () => ({ kind: 'leave', how: 'continue' }) },
      { names: ['quit', 'q'], takes: '', says: 'ends the machine', moves: true, run: () => ({ kind: 'leave', how: 'quit' }) },
      { names: ['help', 'h'], takes: '[COMMAND]', says: 'this, or more of one', run: (rest, moves) => text(rest === '' ? this.#help(moves) : this.#helpWith(rest)) },
    ];
  }

  #help(moves: boolean): string[] {
    const rows = this.#commands.filter((command) => moves || command.moves !== true).map(({ names, takes, says }) => [`${names.join(', ')} ${takes}`, says] as const);
    const width = Math.max(...rows.map(([left]) => left.length)) + 2;
    return rows.map(([left, says]) => left.padEnd(width) + says);
  }

  #helpWith(name: string): string[] {
    const command = this.#named(name);
    if (command === undefined) return [noCommand(name)];
    return [`${`${command.names.join(', ')} ${command.takes}`.trim()}: ${command.says}`, ...command.more ?? []];
  }
  #named(name: string): Command | undefined { return this.#commands.find(({ names }) => names.includes(name.toLowerCase())); }

  #moment(rest: string): number | Moment {
    if (rest === 'end') return this.debug.history.end;
    if (rest === '') throw new RangeError('goto where? To an instruction count, #N of "snapshot", or end');
    const remembered = /^#(\d+)$/.exec(rest);
    if (remembered === null) return this.#count(rest, Number.MAX_SAFE_INTEGER, 0);
    const moment = this.#moments[Number(remembered[1]) - 1];
    if (moment === undefined) throw new RangeError(`there is no snapshot ${rest}`);
    return moment;
  }

  #memory(rest: string): string[] {
    const [, count = '16', unit = 'b', physical, address = ''] = /^(?:\/(\d+)(?=\s|[bhwg]\s))?\s*([bhwg](?=\s))?\s*(phys\s+)?(.*)$/s.exec(rest) ?? [];
    if (Number(count) > MOST_UNITS) throw new RangeError(`at most ${MOST_UNITS}`);
    return memoryView(this.debug.machine, this.#value(address), Number(count), UNITS[unit]!, physical !== undefined);
  }

  #whoWrote(rest: string): Search<LastWrite | undefined> {
    const register = rest.toLowerCase().replace(/^[$%]/, '');
    if (MACHINE_REGISTERS.has(register)) return this.debug.lastWrite({ kind: 'register', name: register });
    const entry = /^pte\s+(.*)$/s.exec(rest);
    if (entry !== null) return this.debug.lastWrite({ kind: 'page-table', address: this.#value(entry[1]!) });
    const [, physical, address = '', bytes] = /^(phys\s+)?([^,]*)(?:,(.*))?$/s.exec(rest) ?? [];
    return this.debug.lastWrite({ kind: 'memory', address: this.#value(address), bytes: bytes === undefined ? 1 : this.#count(bytes, 4096), physical: physical !== undefined });
  }

  #delete(rest: string): string[] {
    const { breakpoints } = this.debug;
    if (rest === '') breakpoints.clear();
    else if (!breakpoints.remove(this.#count(rest, 2 ** 31))) throw new RangeError(`there is no breakpoint ${rest}`);
    return [];
  }

  #set(rest: string, forks: boolean): string[] {
    const [, name = '', expression = ''] = /^\s*[$%]?(\w+)\s*=(.*)$/s.exec(rest) ?? [];
    if (name === '') throw new ExpressionError('set REGISTER = EXPRESSION', 0);
    const { history } = this.debug;
    if (history.hasFuture && !forks) throw new RangeError(`the machine is in its past: what came after would be forgotten; "set! ${name} =${expression}" does it all the same`);
    history.give({ kind: 'register', name: name.toLowerCase(), value: this.#value(expression) });
    return [];
  }
}
