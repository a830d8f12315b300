/**
 * gdb's remote protocol on a debugger: bytes in, bytes out, and a machine that runs in slices between them. Sockets are the command line's. The peer
 * is hostile: whatever it sends is answered or dropped, and never takes the machine down. "Debugging with GDB", appendix "GDB Remote Serial Protocol".
 */
import { compareMoments } from '../../machine/position.ts';
import { MACHINE_REGISTERS } from '../../machine/registers.ts';
import type { Breakpoint } from '../break/breakpoints.ts';
import type { BreakKind } from '../break/kinds.ts';
import type { Debugger, DebugStop, Destination, Motion } from '../debugger.ts';
import { littleEndian } from '../bytes.ts';
import type { ImageNotes } from '../image-notes.ts';
import { Prompt } from '../prompt/prompt.ts';
import { stopLine } from '../prompt/views.ts';
import { ACK, fromHex, latin1, MOST_PAYLOAD, NACK, packet, PacketReader, toHex } from './packets.ts';
import { GDB_REGISTERS, registerBytes, RIP_NUMBER, TARGET_XML } from './registers.ts';

/** What a session tells its owner. */
export interface SessionOwner {
  send(bytes: Uint8Array): void;
  /** Something to run: call `slice` until it is idle again. */
  resumed(): void;
  /** gdb lets the machine run on its own. */
  detached(): void;
  /** gdb wants it ended. */
  killed(): void;
}

const SIGNAL = { INT: 2, TRAP: 5, ILL: 4, SEGV: 11 } as const;
const IN_THE_PAST = 'E.the machine is in its past: what came after would be forgotten ("monitor fork on" lets you)';
const ERROR = { memory: 'E0e', argument: 'E16' } as const;
/** All of the address space: what is mapped is for the page tables to say. */
const MEMORY_MAP = '<?xml version="1.0"?><!DOCTYPE memory-map PUBLIC "+//IDN gnu.org//DTD GDB Memory Map V1.0//EN" "http://sourceware.org/gdb/gdb-memory-map.dtd">'
  + '<memory-map><memory type="ram" start="0x0" length="0xffffffffffffffff"/></memory-map>';
const FEATURES = `PacketSize=${MOST_PAYLOAD.toString(16)};QStartNoAckMode+;qXfer:features:read+;qXfer:memory-map:read+;vContSupported+;swbreak+;hwbreak+;ReverseStep+;ReverseContinue+`;
/** Most bytes of one read: their hexadecimal must fit in a packet. */
const MOST_READ = MOST_PAYLOAD / 2;

/** What gdb waits for: a step, which is over at once, or a way somewhere. */
type Resume = 'step' | 'back' | { readonly motion: Motion; readonly backwards: boolean };

export class GdbSession {
  readonly #debug: Debugger;
  readonly #owner: SessionOwner;
  readonly #prompt: Prompt;
  readonly #reader = new PacketReader();
  readonly #points = new Map<string, Breakpoint>();
  #acknowledges = true;
  #last: Uint8Array | undefined;
  #resume: Resume | undefined;
  #interrupt = false;
  #physical = false;
  /** What gdb writes in the past begins another future. */
  #forks = false;
  #ended = false;
  /** Where `monitor goto` leads, once gdb lets the machine move: it would not notice a machine that moves by itself. */
  #destination: Destination | undefined;
  /** The stop that `?` asks about. */
  #stop = this.#trap();

  /** `notes`: what the image says of itself, for `monitor bt` and `monitor kernel`. */
  constructor(debug: Debugger, owner: SessionOwner, notes?: ImageNotes) {
    this.#debug = debug;
    this.#owner = owner;
    this.#prompt = new Prompt(debug, notes);
  }

  /** gdb waits for the machine to stop: call `slice`. */
  get isRunning(): boolean { return this.#resume !== undefined; }

  /** The machine is on a way through its past, where nothing may be given to it. */
  get isGoingBack(): boolean { return this.#resume === 'back' || (typeof this.#resume === 'object' && this.#resume.backwards); }

  /** The connection is gone, or the session over: the machine stands still and has no breakpoints of gdb's, nor of its monitor. */
  end(): void {
    this.#ended = true;
    if (typeof this.#resume === 'object') this.#resume.motion.cancel();
    this.#resume = undefined;
    this.#debug.breakpoints.clear();
    this.#points.clear();
  }

  /** Takes bytes from gdb. */
  receive(bytes: Uint8Array): void {
    for (const received of this.#reader.read(bytes)) {
      if (this.#ended) return;
      switch (received.kind) {
        case 'interrupt':
          this.#interrupt = true;
          break;
        case 'ack': break;
        case 'nack':
          if (this.#acknowledges && this.#last !== undefined) this.#owner.send(this.#last);
          break;
        case 'damaged':
          if (this.#acknowledges) this.#owner.send(NACK);
          break;
        case 'too-long':
          if (this.#acknowledges) this.#owner.send(ACK);
          this.#reply(ERROR.argument);
          break;
        case 'packet':
          if (this.#acknowledges) this.#owner.send(ACK);
          this.#packet(received.payload);
      }
    }
  }

  /** Goes on with what gdb waits for, for at most so many instructions. `waits`: input may still come to a processor that waits. */
  slice(maxInstructions: number, waits: boolean): 'running' | 'waiting' | 'stopped' {
    const resume = this.#resume;
    if (resume === undefined) return 'stopped';
    const debug = this.#debug;
    if (this.#interrupt) {
      if (typeof resume === 'object') resume.motion.cancel();
      return this.#stopped(this.#signal(SIGNAL.INT));
    }
    // A replay ends where what was recorded ends.
    const { now, log: { end } } = debug.history, ends = resume !== 'back' && (resume === 'step' || !resume.backwards) ? end : undefined;
    if (ends !== undefined && compareMoments(now, ends) >= 0) {
      if (typeof resume === 'object') resume.motion.cancel();
      return this.#stopped(this.#signal(SIGNAL.TRAP, 'replaylog:end;'));
    }
    const most = ends === undefined ? maxInstructions : Math.max(1, Math.min(maxInstructions, ends.retired - now.retired));
    const stop = resume === 'step' ? debug.step() : resume === 'back' ? debug.back() : resume.motion.advance(most);
    if (typeof resume === 'object') {
      if (stop.kind === 'instruction-limit') return 'running';
      if (!resume.backwards && stop.kind === 'halted' && stop.wakeable && waits) return 'waiting';
    }
    return this.#stopped(this.#describe(stop), stop);
  }

  #stopped(reply: string, stop?: DebugStop): 'stopped' {
    this.#resume = undefined;
    this.#interrupt = false;
    this.#stop = reply;
    // Its own breakpoints gdb announces; of the monitor's it knows nothing.
    const why = stop === undefined || stop.kind === 'start' ? undefined : stop.kind !== 'hit' || !this.#isOwn(stop.hit.breakpoint) ? stopLine(this.#debug, stop)
      : this.#isAnnounced(stop.hit.breakpoint) ? undefined : `${stop.hit.text}, where it has been loaded`;
    if (why !== undefined) this.#send(`O${toHex(latin1(`longmode: ${why}\n`))}`);
    this.#send(reply);
    return 'stopped';
  }

  // ------------------------------------------------------------------------------------------------------ replies
  #send(payload: string): void {
    this.#last = packet(payload);
    this.#owner.send(this.#last);
  }
  #reply(payload: string): void { this.#send(payload); }

  #signal(signal: number, more = ''): string {
    const rip = toHex(registerBytes(this.#debug.machine, GDB_REGISTERS[RIP_NUMBER]!));
    return `T${signal.toString(16).padStart(2, '0')}${RIP_NUMBER.toString(16).padStart(2, '0')}:${rip};thread:1;${more}`;
  }
  #trap(more = ''): string { return `T05thread:1;${more}`; }

  /** Whether gdb asked for it, by a packet. */
  #isOwn(breakpoint: Breakpoint): boolean { return [...this.#points.values()].includes(breakpoint); }
  /** gdb knows of its own breakpoints, but not of where one of them is before the kernel has mapped it. */
  #isAnnounced(breakpoint: Breakpoint): boolean {
    const { what } = breakpoint;
    return this.#isOwn(breakpoint) && !(what.on === 'execute' && what.from !== this.#debug.machine.state.rip);
  }

  #describe(stop: DebugStop): string {
    switch (stop.kind) {
      case 'hit': {
        const { what } = stop.hit.breakpoint;
        if (!this.#isAnnounced(stop.hit.breakpoint)) return this.#signal(SIGNAL.TRAP);
        const names = { write: 'watch', read: 'rwatch', access: 'awatch' } as const;
        if (what.on === 'write' || what.on === 'read' || what.on === 'access') return this.#signal(SIGNAL.TRAP, `${names[what.on]}:${what.from.toString(16)};`);
        return this.#signal(SIGNAL.TRAP, what.on !== 'execute' ? '' : this.#points.get(pointKey(1, what.from, what.bytes ?? 1)) === stop.hit.breakpoint ? 'hwbreak:;' : 'swbreak:;');
      }
      case 'start': return this.#signal(SIGNAL.TRAP, 'replaylog:begin;');
      // Not a plain SIGTRAP: gdb's `next` would go on for ever.
      case 'power-off': case 'reset': case 'debug-exit': return this.#signal(SIGNAL.TRAP, 'replaylog:end;');
      case 'halted': return this.#signal(SIGNAL.TRAP, stop.wakeable ? '' : 'replaylog:end;');
      case 'triple-fault': return this.#signal(SIGNAL.SEGV);
      case 'unimplemented': return this.#signal(SIGNAL.ILL);
      default: return this.#signal(SIGNAL.TRAP);
    }
  }

  // ------------------------------------------------------------------------------------------------------ packets
  #packet(payload: Uint8Array): void {
    const text = String.fromCharCode(...payload);
    // While the machine runs gdb waits; whoever sends something all the same stops it.
    if (this.#resume !== undefined) {
      this.#interrupt = true;
      this.slice(0, false);
    }
    const reply = this.#answer(text, payload);
    if (reply !== undefined) this.#reply(reply);
  }

  #answer(text: string, payload: Uint8Array): string | undefined {
    switch (text[0]) {
      case '?': return this.#stop;
      case 'g': return GDB_REGISTERS.map((register) => toHex(registerBytes(this.#debug.machine, register))).join('');
      case 'G': return this.#writeAll(text.slice(1));
      case 'p': return this.#readRegister(text.slice(1));
      case 'P': return this.#writeRegister(text.slice(1));
      case 'm': return this.#readMemory(text.slice(1));
      case 'M': {
        const [place = '', data = ''] = text.slice(1).split(':');
        return this.#writeMemory(place, fromHex(data));
      }
      case 'X': {
        const colon = payload.indexOf(':'.charCodeAt(0));
        return colon < 0 ? ERROR.argument : this.#writeMemory(text.slice(1, colon), payload.subarray(colon + 1));
      }
      case 'Z': case 'z': return this.#point(text);
      case 'c': case 'C': case 's': case 'S': return this.#resumeFrom(text[0].toLowerCase() === 's' ? 'step' : 'continue', text.slice(1));
      case 'b': return text === 'bs' ? this.#go('back') : text === 'bc' ? this.#go('reverse') : '';
      case 'H': case 'T': return 'OK';
      case 'D':
        this.#reply('OK');
        this.end();
        this.#owner.detached();
        return undefined;
      case 'k':
        this.end();
        this.#owner.killed();
        return undefined;
      case 'v': return this.#verbose(text);
      case 'q': case 'Q': return this.#query(text);
      default: return '';
    }
  }

  #go(resume: 'step' | 'back' | 'continue' | 'reverse'): undefined {
    this.#resume = resume === 'step' || resume === 'back' ? resume : this.#way(resume === 'reverse');
    this.#interrupt = false;
    this.#owner.resumed();
    return undefined;
  }

  #way(backwards: boolean): Resume {
    const to = this.#destination;
    this.#destination = undefined;
    if (to !== undefined) return { motion: this.#debug.goTo(to), backwards: true };
    return { motion: backwards ? this.#debug.reverse() : this.#debug.onwards(), backwards };
  }

  /** `c`, `s` with an address, `C`, `S` with a signal, which a machine has none of. */
  #resumeFrom(how: 'step' | 'continue', rest: string): string | undefined {
    if (/^[0-9a-f]+$/i.test(rest) && rest.length > 2) {
      const error = this.#give('rip', BigInt(`0x${rest}`));
      if (error !== 'OK') return error;
    }
    return this.#go(how);
  }

  #verbose(text: string): string | undefined {
    if (text === 'vCont?') return 'vCont;c;C;s;S';
    if (text.startsWith('vCont;')) {
      // One thread: the first action is its own.
      const action = text.slice(6)[0]?.toLowerCase();
      return action === 'c' || action === 's' ? this.#go(action === 's' ? 'step' : 'continue') : ERROR.argument;
    }
    if (text.startsWith('vKill')) {
      this.#reply('OK');
      this.end();
      this.#owner.killed();
      return undefined;
    }
    return '';
  }

  #query(text: string): string | undefined {
    if (text.startsWith('qSupported')) return FEATURES;
    if (text === 'QStartNoAckMode') {
      this.#reply('OK');
      this.#acknowledges = false;
      return undefined;
    }
    if (text.startsWith('qXfer:features:read:target.xml:')) return part(TARGET_XML, text.slice('qXfer:features:read:target.xml:'.length));
    if (text.startsWith('qXfer:memory-map:read::')) return part(MEMORY_MAP, text.slice('qXfer:memory-map:read::'.length));
    if (text.startsWith('qXfer:')) return 'E00';
    if (text.startsWith('qRcmd,')) return this.#monitor(text.slice(6));
    switch (text) {
      case 'qC': return 'QC1';
      case 'qfThreadInfo': return 'm1';
      case 'qsThreadInfo': return 'l';
      case 'qAttached': return '1';
      case 'qqemu.PhyMemMode': return this.#physical ? '1' : '0';
      case 'Qqemu.PhyMemMode:0': case 'Qqemu.PhyMemMode:1':
        this.#physical = text.endsWith('1');
        return 'OK';
      default: return '';
    }
  }

  #monitor(encoded: string): string {
    const bytes = fromHex(encoded);
    if (bytes === undefined) return ERROR.argument;
    const line = new TextDecoder().decode(bytes).trim();
    const mode = /^phys(?:\s+(on|off))?$/.exec(line);
    if (mode !== null) {
      if (mode[1] !== undefined) this.#physical = mode[1] === 'on';
      return this.#output([`addresses are ${this.#physical ? 'physical' : 'linear'}`]);
    }
    const fork = /^fork(?:\s+(on|off))?$/.exec(line);
    if (fork !== null) {
      if (fork[1] !== undefined) this.#forks = fork[1] === 'on';
      return this.#output([`what is written in the past ${this.#forks ? 'begins another future: what came after is forgotten' : 'is refused'}`]);
    }
    const outcome = this.#prompt.execute(line, { moves: false });
    if (outcome.kind === 'goto') {
      this.#destination = outcome.to;
      return this.#output(['"continue" or "reverse-continue" goes there, past breakpoints']);
    }
    const lines = outcome.kind === 'text' ? outcome.lines : outcome.kind === 'search' ? outcome.search.finish() : [];
    return this.#output(line === 'help' ? [...lines, 'phys [on|off]: whether memory is read and written by physical address', 'fork [on|off]: whether what is written in the past begins another future, or is refused'] : lines);
  }
  /** The text in packets of its own, then the answer. */
  #output(lines: readonly string[]): string {
    const text = new TextEncoder().encode(lines.map((line) => `${line}\n`).join(''));
    for (let at = 0; at < text.length; at += MOST_READ / 2) this.#send(`O${toHex(text.subarray(at, at + MOST_READ / 2))}`);
    return 'OK';
  }

  // ---------------------------------------------------------------------------------------------------- registers
  /** Nothing is written here: what came after would be forgotten, and nobody has said that it may. */
  get #keepsFuture(): boolean { return this.#debug.history.hasFuture && !this.#forks; }

  #readRegister(rest: string): string {
    const register = /^[0-9a-f]{1,4}$/i.test(rest) ? GDB_REGISTERS[Number.parseInt(rest, 16)] : undefined;
    return register === undefined ? ERROR.argument : toHex(registerBytes(this.#debug.machine, register));
  }

  #writeRegister(rest: string): string {
    const [number = '', data = ''] = rest.split('=');
    const register = /^[0-9a-f]{1,4}$/i.test(number) ? GDB_REGISTERS[Number.parseInt(number, 16)] : undefined;
    const bytes = fromHex(data);
    if (register === undefined || bytes?.length !== register.bits / 8) return ERROR.argument;
    return this.#give(register.machineName, littleEndian(bytes));
  }

  /** All of them: those that differ are written. */
  #writeAll(data: string): string {
    const bytes = fromHex(data);
    if (bytes === undefined) return ERROR.argument;
    let at = 0, answer = 'OK';
    for (const { machineName, bits } of GDB_REGISTERS) {
      if (at + bits / 8 > bytes.length) break;
      const value = littleEndian(bytes.subarray(at, at + bits / 8));
      at += bits / 8;
      if (value === BigInt.asUintN(bits, MACHINE_REGISTERS.get(machineName)!.read(this.#debug.machine))) continue;
      const given = this.#give(machineName, value);
      if (answer === 'OK') answer = given;
    }
    return answer;
  }

  /** A refusal says why: "Standard Replies", `E.errtext`. */
  #give(name: string, value: bigint): string {
    if (this.#keepsFuture) return IN_THE_PAST;
    try {
      this.#debug.history.give({ kind: 'register', name, value });
      return 'OK';
    } catch (error) {
      if (error instanceof RangeError) return `E.${error.message}`;
      throw error;
    }
  }

  // ------------------------------------------------------------------------------------------------------- memory
  #readMemory(rest: string): string {
    const place = placeOf(rest);
    if (place === undefined) return ERROR.argument;
    const { machine } = this.#debug;
    const count = Math.min(place.bytes, MOST_READ);
    const bytes = this.#physical
      ? place.address >= BigInt(machine.state.ramBytes) ? new Uint8Array() : machine.readPhysical(Number(place.address), Math.min(count, machine.state.ramBytes - Number(place.address)))
      : machine.readLinear(place.address, count);
    return bytes.length === 0 && count > 0 ? ERROR.memory : toHex(bytes);
  }

  #writeMemory(where: string, bytes: Uint8Array | undefined): string {
    const place = placeOf(where);
    if (place === undefined || bytes === undefined || bytes.length !== place.bytes) return ERROR.argument;
    // gdb asks with an empty write whether it may send bytes.
    if (this.#keepsFuture && bytes.length > 0) return IN_THE_PAST;
    try {
      this.#debug.writeMemory(place.address, bytes, this.#physical);
      return 'OK';
    } catch (error) {
      if (error instanceof RangeError) return ERROR.memory;
      throw error;
    }
  }

  // -------------------------------------------------------------------------------------------------- breakpoints
  #point(text: string): string {
    const [, insert, type = '', address = '', kind = ''] = /^(Z|z)([0-4]),([0-9a-f]{1,16}),([0-9a-f]{1,8})(?:;.*)?$/i.exec(text) ?? [];
    if (insert === undefined) return /^[Zz][5-9]/.test(text) ? '' : ERROR.argument;
    const from = BigInt(`0x${address}`), number = Number(type), bytes = number < 2 ? 1 : Number.parseInt(kind, 16);
    const key = pointKey(number, from, bytes), known = this.#points.get(key);
    if (insert === 'z') {
      if (known !== undefined) this.#debug.breakpoints.remove(known.id);
      this.#points.delete(key);
      return 'OK';
    }
    if (known !== undefined) return 'OK';
    const what: BreakKind = number < 2 ? { on: 'execute', from } : { on: number === 2 ? 'write' : number === 3 ? 'read' : 'access', from, bytes };
    try {
      this.#points.set(key, this.#debug.breakpoints.add(what));
      return 'OK';
    } catch (error) {
      if (error instanceof RangeError) return `E.${error.message}`;
      throw error;
    }
  }
}

const pointKey = (type: number, from: bigint, bytes: number): string => `${type},${from},${bytes}`;

/** `ADDRESS,LENGTH`, both hexadecimal. */
function placeOf(text: string): { readonly address: bigint; readonly bytes: number } | undefined {
  const [, address, bytes] = /^([0-9a-f]{1,16}),([0-9a-f]{1,8})$/i.exec(text) ?? [];
  return address === undefined ? undefined : { address: BigInt(`0x${address}`), bytes: Number.parseInt(bytes!, 16) };
}

/** `OFFSET,LENGTH` of a document: `m` where more follows, `l` for the last. */
function part(document: string, range: string): string {
  const place = placeOf(range);
  if (place === undefined || place.address > BigInt(document.length)) return ERROR.argument;
  // A byte may become two.
  const from = Number(place.address), count = Math.min(place.bytes, MOST_READ);
  return `${from + count < document.length ? 'm' : 'l'}${document.slice(from, from + count)}`;
}
