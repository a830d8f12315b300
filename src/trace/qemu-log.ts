/**
 * Reads the log of `qemu-system-x86_64 -d` with LOG_ITEMS and one guest instruction per translation
 * block, as it streams. QEMU prints "Trace ..." and the state *before* each block; an exception prints a "v=" line and
 * the state it found. When QEMU prints "Stopped execution" or "cpu_io_recompile" the block just announced did not run
 * and is announced again, so an instruction is passed on only when the next line is known.
 * CR8 is in no dump. It changes by MOV to CR8, whose source register is in the dump before it, and by a write of the task
 * priority register, which QEMU traces; QemuLogParser.cr8 is what follows from these, and whoever stops QEMU can check it.
 * Not documented by QEMU as an interface: every line must be known here, or the log is rejected.
 */
import { FIELD, TraceState, type TraceInterrupt, type TraceSink } from './state.ts';

/** The log has a line that this parser does not know, or one cut short. */
export class QemuLogError extends Error {
  override readonly name = 'QemuLogError';
}

/** A command of QEMU's human monitor that changes nothing; with LOG_ITEMS QEMU notes in the log when it is given. */
export const MARKER = 'info version';
/** What QEMU must log (its -d). */
export const LOG_ITEMS = 'in_asm,exec,cpu,int,nochain,cpu_reset,trace:handle_hmp_command,trace:apic_mem_writel';
const NEWLINE = 10, SPACE = 32, EQUALS = 61;
/** The longest line QEMU 7.2-10 prints is below 200 bytes. */
const MAX_LINE_BYTES = 4096;

/** Values of the lines that stand at fixed places: label -> words, in the order printed. */
const REGISTER_LINES: Readonly<Record<string, readonly number[]>> = {
  RAX: [0, 3, 1, 2], EAX: [0, 3, 1, 2], RSI: [6, 7, 5, 4], ESI: [6, 7, 5, 4],
  'R8 ': [8, 9, 10, 11], R12: [12, 13, 14, 15],
  CR0: [FIELD.cr0, FIELD.cr2, FIELD.cr3, FIELD.cr4],
  DR0: [FIELD.dr0, FIELD.dr0 + 1, FIELD.dr0 + 2, FIELD.dr0 + 3],
  DR6: [FIELD.dr6, FIELD.dr7], EFE: [FIELD.efer],
};
const SEGMENT_LINES: Readonly<Record<string, number>> = { 'ES ': 0, 'CS ': 1, 'SS ': 2, 'DS ': 3, 'FS ': 4, 'GS ': 5, LDT: 6, 'TR ': 7 };
const IGNORED = ['CCS', 'che', 'CPU', 'Tri', '---', 'IN:'];

/** Three bytes as a number: how lines are told apart without making strings. */
const label = (text: string): number => text.charCodeAt(0) | text.charCodeAt(1) << 8 | text.charCodeAt(2) << 16;
type Handler = 'ip' | 'translated' | 'apic' | 'trace' | 'interrupt' | 'servicing' | 'stopped' | 'gdt' | 'idt' | 'command' | 'ignored' | { readonly words: readonly number[] } | { readonly segment: number };
const HANDLERS = new Map<number, Handler>([
  ...Object.entries(REGISTER_LINES).map(([text, words]): [number, Handler] => [label(text), { words }]),
  ...Object.entries(SEGMENT_LINES).map(([text, segment]): [number, Handler] => [label(text), { segment }]),
  ...IGNORED.map((text): [number, Handler] => [label(text), 'ignored']),
  [label('RIP'), 'ip'], [label('EIP'), 'ip'], [label('Tra'), 'trace'], [label('Ser'), 'servicing'],
  [label('Sto'), 'stopped'], [label('cpu'), 'stopped'], [label('GDT'), 'gdt'], [label('IDT'), 'idt'], [label('   '), 'interrupt'], [label('han'), 'command'], [label('api'), 'apic'],
  ...Array.from({ length: 16 }, (_, n): [number, Handler] => [label(`0x${n.toString(16)}`), 'translated']),
]);

/** MOV to CR8 as `in_asm` shows it: REX.R 0F 22 /0, in bytes. */
const MOV_TO_CR8 = /^0x[0-9a-f]+: +(?:(?:66|67|f2|f3|2e|36|3e|26|64|65) )*(4[4-7c-f]) 0f 22 ([0-9a-f]{2})\b/;
/** The local APIC's task priority register: its offset in the APIC's page; CR8 is its bits 7:4. */
const APIC_WRITE = /^apic_mem_writel 0x([0-9a-f]+) = 0x([0-9a-f]+)$/;
const TASK_PRIORITY = 0x80;

/** The streaming parser: feed() bytes as they come, end() when the log is complete. */
export class QemuLogParser {
  /** Blocks that QEMU announced and did not run. */
  stopped = 0;
  /** QEMU reported the shutdown condition after a failed double fault. */
  tripleFault = false;
  /** Called when MARKER was given to the monitor, after all that was logged before has been passed on. */
  onMarker: (() => void) | undefined;
  /** CR8 before the event that is passed on next. */
  cr8 = 0;
  /** QEMU's translations of MOV to CR8, by their address in the host, with the number of the source register. */
  readonly #movesToCr8 = new Map<string, number>();
  /** The block translated last, until it is announced: the source register of MOV to CR8, or that it is something else. */
  #translated: number | 'other' | undefined;
  /** The source register of the announced instruction if it is MOV to CR8. */
  #source: number | undefined;
  /** What MOV to CR8 at `rip` will have set, if it did not fault there. */
  #moved: { readonly rip: bigint; readonly cr8: number } | undefined;
  /** What the announced instruction wrote to the task priority register. */
  #written: number | undefined;
  readonly #sink: TraceSink;
  readonly #state = new TraceState();
  #rest: Uint8Array = new Uint8Array(0);
  #bytes: Uint8Array = this.#rest;
  #at = 0;
  #end = 0;
  /** What the dump being read belongs to, and whether it is complete. */
  #pending: 'none' | 'instruction' | 'interrupt' | 'reset' = 'none';
  #complete = false;
  #interrupt: TraceInterrupt | undefined;
  #hardware = false;

  constructor(sink: TraceSink) {
    this.#sink = sink;
  }

  /** CR8 where the log now is; undefined behind a MOV to CR8 until it is known whether that faulted. */
  get nextCr8(): number | undefined {
    return this.#moved ? undefined : this.cr8;
  }

  /** Takes the next bytes of the log. Throws QemuLogError for a line it does not know. */
  feed(chunk: Uint8Array): void {
    let bytes = chunk;
    if (this.#rest.length > 0) {
      bytes = new Uint8Array(this.#rest.length + chunk.length);
      bytes.set(this.#rest);
      bytes.set(chunk, this.#rest.length);
    }
    this.#bytes = bytes;
    let start = 0;
    while (!this.#sink.finished) {
      const end = bytes.indexOf(NEWLINE, start);
      if (end < 0) break;
      this.#at = start;
      this.#end = end;
      this.#line();
      start = end + 1;
    }
    this.#rest = bytes.slice(start);
    if (this.#rest.length > MAX_LINE_BYTES && !this.#sink.finished) this.#fail(`a line of more than ${MAX_LINE_BYTES} bytes`);
  }

  /** The log is complete: passes on the last event. A last record that was cut short by QEMU's end is dropped. */
  end(): void {
    this.#flush();
  }

  #fail(why: string): never {
    const line = new TextDecoder('latin1').decode(this.#bytes.subarray(this.#at, Math.min(this.#end, this.#at + 160)));
    throw new QemuLogError(`QEMU's log: ${why}: "${line}"`);
  }

  #flush(): void {
    const pending = this.#complete ? this.#pending : 'none';
    this.#pending = 'none';
    this.#complete = false;
    if (this.#sink.finished || pending === 'none') return;
    const { words } = this.#state;
    const rip = words[FIELD.rip] as bigint;
    if (this.#moved && this.#moved.rip !== rip) this.cr8 = this.#moved.cr8;
    this.#moved = undefined;
    words[FIELD.cr8] = BigInt(this.cr8);
    if (pending === 'reset') this.cr8 = 0;
    else if (pending === 'interrupt' && this.#interrupt) this.#sink.interrupt(this.#interrupt, this.#state);
    else if (pending === 'instruction') {
      this.#sink.instruction(this.#state);
      if (this.#source !== undefined) this.#moved = { rip, cr8: Number((words[this.#source] as bigint) & 15n) };
    }
    this.cr8 = this.#written ?? this.cr8;
    this.#written = undefined;
  }

  /** A block of one instruction is announced: "Trace 0: 0x7f0123456789 [...". Each is translated, and shown, before its first time. */
  #announced(): void {
    this.#source = undefined;
    if (this.#translated === undefined && this.#movesToCr8.size === 0) return;
    const block = /^Trace \d+: (0x[0-9a-f]+) /.exec(this.#text())?.[1];
    if (block === undefined) this.#fail('unknown line');
    if (typeof this.#translated === 'number') this.#movesToCr8.set(block, this.#translated);
    else if (this.#translated === 'other') this.#movesToCr8.delete(block);
    this.#translated = undefined;
    this.#source = this.#movesToCr8.get(block);
  }

  #translatedLine(): void {
    const [, rex, modrm] = MOV_TO_CR8.exec(this.#text()) ?? [];
    const rm = parseInt(modrm ?? '', 16);
    const toCr8 = rex !== undefined && (rm >> 3 & 7) === 0;
    // A long instruction takes several lines; the first says what it is.
    this.#translated ??= toCr8 ? (parseInt(rex, 16) & 1) << 3 | rm & 7 : 'other';
  }

  #apicLine(): void {
    const [, offset, value] = APIC_WRITE.exec(this.#text()) ?? [];
    if (offset === undefined || value === undefined) this.#fail('unknown line');
    if ((parseInt(offset, 16) & 0xfff) === TASK_PRIORITY) this.#written = parseInt(value, 16) >> 4 & 15;
  }

  #line(): void {
    const b = this.#bytes, at = this.#at;
    if (this.#end === at) return;
    const handler = HANDLERS.get((b[at] as number) | (b[at + 1] as number) << 8 | (b[at + 2] as number) << 16);
    if (handler === undefined) {
      // From the millionth interrupt on the counter fills its column: "1000000: v=20".
      if (/^ *\d+: v=/.test(this.#text())) this.#interruptLine();
      else this.#fail('unknown line');
    } else if (typeof handler === 'object') {
      if ('words' in handler) {
        for (const word of handler.words) this.#value(word);
        if (handler.words[0] === FIELD.efer) this.#complete = true;
      } else this.#segment(handler.segment);
    } else this.#special(handler);
  }

  #special(handler: Exclude<Handler, object>): void {
    switch (handler) {
      case 'trace':
        this.#flush();
        this.#announced();
        this.#pending = 'instruction';
        break;
      case 'translated': this.#translatedLine(); break;
      case 'apic': this.#apicLine(); break;
      case 'ip': this.#ipLine(); break;
      case 'gdt': this.#tableRegister(FIELD.gdtrBase); break;
      case 'idt': this.#tableRegister(FIELD.idtrBase); break;
      case 'interrupt': this.#interruptLine(); break;
      case 'servicing':
        this.#flush();
        this.#hardware = true;
        break;
      case 'stopped':
        this.stopped++;
        this.#pending = 'none';
        break;
      case 'command':
        if (!this.#text().endsWith(`cmdline: ${MARKER}`)) break;
        this.#flush();
        this.onMarker?.();
        break;
      case 'ignored':
        if (this.#text().startsWith('Triple fault')) this.tripleFault = true;
        if (this.#text().startsWith('CPU Reset')) {
          this.#flush();
          this.#pending = 'reset';
        }
        break;
    }
  }

  #text(): string {
    return new TextDecoder('latin1').decode(this.#bytes.subarray(this.#at, this.#end));
  }

  #interruptLine(): void {
    this.#flush();
    const match = /^ *\d+: v=([0-9a-f]{2}) e=([0-9a-f]{4,8}) i=([01]) /.exec(this.#text());
    if (!match) this.#fail('unknown interrupt line');
    const vector = parseInt(match[1] as string, 16);
    const software = match[3] === '1';
    // An NMI is not announced by "Servicing"; nothing but the hardware raises vector 2 without INT n.
    this.#interrupt = { vector, errorCode: parseInt(match[2] as string, 16), software, hardware: this.#hardware || (vector === 2 && !software) };
    this.#hardware = false;
    this.#pending = 'interrupt';
  }

  /** Moves behind the next "=" of the line. */
  #equals(): void {
    const found = this.#bytes.indexOf(EQUALS, this.#at);
    if (found < 0 || found >= this.#end) this.#fail('a value is missing');
    this.#at = found + 1;
  }

  /** Reads one run of hex digits, after blanks, into a word of the state; returns how many digits it had. */
  #hex(word: number): number {
    const b = this.#bytes;
    let at = this.#at;
    while (at < this.#end && b[at] === SPACE) at++;
    const start = at;
    let low = 0, high = 0;
    for (; at < this.#end; at++) {
      const c = b[at] as number;
      const digit = c >= 48 && c <= 57 ? c - 48 : c >= 97 && c <= 102 ? c - 87 : -1;
      if (digit < 0) break;
      high = high << 4 | low >>> 28;
      low = low << 4 | digit;
    }
    const digits = at - start;
    if (digits === 0 || digits > 16) this.#fail('a value is not a hexadecimal number');
    this.#state.halves[word * 2] = low;
    this.#state.halves[word * 2 + 1] = high;
    this.#at = at;
    return digits;
  }

  #value(word: number): number {
    this.#equals();
    return this.#hex(word);
  }

  /** RIP=... RFL=... [flags] CPL=. II=. A20=. SMM=. HLT=. */
  #ipLine(): void {
    this.#state.wide = this.#value(FIELD.rip) === 16;
    this.#value(FIELD.rflags);
    this.#value(FIELD.cpl);
    this.#value(FIELD.shadow);
    this.#equals();
    this.#equals();
    this.#value(FIELD.halted);
  }

  /** CS =0008 base limit flags: bits 8-23 of the flags are bits 40-55 of the descriptor. */
  #segment(segment: number): void {
    const word = FIELD.segments + segment * 4;
    this.#value(word);
    this.#hex(word + 1);
    this.#hex(word + 2);
    this.#hex(word + 3);
    const halves = this.#state.halves;
    halves[(word + 3) * 2] = (halves[(word + 3) * 2] as number) >>> 8 & 0xf0ff;
  }

  #tableRegister(word: number): void {
    this.#value(word);
    this.#hex(word + 1);
  }
}
