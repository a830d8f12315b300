/**
 * The trace file: what QEMU did, small enough to keep in the repository. Pure: bytes in, bytes out; compression is at
 * the Node edge (trace-file.ts).
 *
 *   file   = magic, chunk*
 *   chunk  = type (1 byte), payload length (4 bytes, little-endian), payload, CRC-32 of type, length and payload
 *   H      header, JSON                          first, once
 *   I      a piece of the image file             any number, in order; none when the image is kept elsewhere
 *   E      events (see EventEncoder)             any number, in order
 *   C      pages at a checkpoint, which is the beginning of the next event: (frame number, 64-bit hash)*; those whose
 *          hash is another one than at the last checkpoint
 *   P      an initial page: frame number, 4096 bytes
 *   M      pages that the run changed: (frame number, 64-bit hash)*
 *   Z      how the run ended, JSON               last, once
 *
 * Numbers without a width are unsigned LEB128. A reader accepts one version and nothing that is not written here.
 */
import { crc32 } from '../machine/crc32.ts';
import { PAGE_SIZE } from '../state/addresses.ts';
import { CHECKPOINT_INSTRUCTIONS, type PageHashes } from './memory.ts';
import { FIELD, FIELD_COUNT, TRACE_FIELDS, TraceState, type MemorySnapshot, type TraceInterrupt, type TraceSink } from './state.ts';

/** Written into each file; a change of anything above or of TRACE_FIELDS makes it a different one. */
export const TRACE_VERSION = 3;
const MAGIC = 'longmode trace\n';
const CHUNK_TARGET_BYTES = 1 << 16;
const MAX_CHUNK_BYTES = 1 << 20;

/** A file is not a trace, or not a sound one. The message names the file and the field. */
export class TraceFormatError extends Error {
  override readonly name = 'TraceFormatError';
}

/** What was recorded, on what. */
export interface TraceHeader {
  readonly version: number;
  readonly qemuVersion: string;
  readonly commandLine: readonly string[];
  readonly cpu: string;
  /** SHA-256 of the image file, in hex. */
  readonly imageHash: string;
  readonly entry: number;
  readonly memoryBytes: number;
  readonly kernelCommandLine: string;
}

/** How the recorded run ended. */
export interface TraceEnd {
  readonly end: 'exited' | 'halted' | 'limit' | 'timeout';
  readonly status: number | null;
  readonly tripleFault: boolean;
  readonly instructions: number;
  readonly interrupts: number;
}

/** Encoded events. */
export interface EventPiece { readonly kind: 'events'; readonly bytes: Uint8Array }
/** What changed in memory since the last checkpoint; several in a row are one checkpoint. */
export interface MemoryPiece { readonly kind: 'memory'; readonly pages: PageHashes }

/** A trace as it was read; events are decoded when they are replayed. */
export interface Trace {
  readonly header: TraceHeader;
  readonly end: TraceEnd;
  /** The image file; empty when it is not in the trace. */
  readonly image: Uint8Array;
  readonly initialPages: ReadonlyMap<number, Uint8Array>;
  /** Undefined when the recording was stopped in mid-run: memory was then at no particular instruction. */
  readonly changedPages: ReadonlyMap<number, bigint> | undefined;
  readonly events: readonly (EventPiece | MemoryPiece)[];
  /** For messages. */
  readonly fileName: string;
}

/** A growing byte buffer with LEB128 numbers. */
class Bytes {
  #bytes = new Uint8Array(1 << 12);
  length = 0;

  byte(value: number): void {
    if (this.length === this.#bytes.length) {
      const grown = new Uint8Array(this.length * 2);
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes[this.length++] = value;
  }
  number(value: number): void {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 128)) this.byte(rest % 128 | 0x80);
    this.byte(rest);
  }
  /** A signed 64-bit difference: zigzag, so that small ones of both signs are short. */
  difference(value: bigint): void {
    const signed = BigInt.asIntN(64, value);
    let rest = BigInt.asUintN(64, signed << 1n ^ signed >> 63n);
    for (; rest >= 0x80n; rest >>= 7n) this.byte(Number(rest & 0x7fn) | 0x80);
    this.byte(Number(rest));
  }
  raw(bytes: Uint8Array): void {
    for (const byte of bytes) this.byte(byte);
  }
  take(): Uint8Array {
    const taken = this.#bytes.slice(0, this.length);
    this.length = 0;
    return taken;
  }
}

function chunk(type: string, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(payload.length + 9);
  const view = new DataView(bytes.buffer);
  bytes[0] = type.charCodeAt(0);
  view.setUint32(1, payload.length, true);
  bytes.set(payload, 5);
  view.setUint32(payload.length + 5, crc32(bytes.subarray(0, payload.length + 5)), true);
  return bytes;
}
const json = (type: string, value: unknown): Uint8Array => chunk(type, new TextEncoder().encode(JSON.stringify(value)));

/** First byte of an event: kind in bits 7:6, whether the state is a 64-bit one in bit 5, changed words besides RIP in bits 4:0. */
const KIND = { instruction: 0x00, interrupt: 0x40 } as const;
const WIDE = 0x20, COUNT_MASK = 0x1f;
const SOFTWARE = 1, HARDWARE = 2;

/**
 * Writes a trace: events as they come through the sink, then the rest, then close().
 * Each event is its kind, RIP's difference, and the words that differ from the last event: first the count (31 means
 * "31 or more": the number follows), then index and difference of each. An interrupt puts vector, error code and
 * origin behind its first byte.
 */
export class TraceWriter implements TraceSink {
  readonly #write: (bytes: Uint8Array) => void;
  readonly #limit: number;
  readonly #interval: number;
  #nextCheckpoint: number;
  #shown: PageHashes = new Map();
  readonly #last = new TraceState();
  readonly #events = new Bytes();
  instructions = 0;
  interrupts = 0;

  /**
   * `write` takes the file's bytes in order. The writer is finished after `maxInstructions`, and wants to see memory
   * every `checkpointEvery` instructions.
   */
  constructor(header: TraceHeader, write: (bytes: Uint8Array) => void, options: { readonly maxInstructions?: number | undefined; readonly checkpointEvery?: number | undefined } = {}) {
    this.#write = write;
    this.#limit = options.maxInstructions ?? Number.POSITIVE_INFINITY;
    this.#interval = options.checkpointEvery ?? CHECKPOINT_INSTRUCTIONS;
    this.#nextCheckpoint = this.#interval;
    write(new TextEncoder().encode(MAGIC));
    write(json('H', header));
  }

  get finished(): boolean {
    return this.instructions >= this.#limit;
  }

  get wantsMemory(): boolean {
    return this.instructions >= this.#nextCheckpoint;
  }

  checkpoint({ changed }: MemorySnapshot): void {
    this.#nextCheckpoint = this.instructions + this.#interval;
    if (this.#events.length > 0) this.#write(chunk('E', this.#events.take()));
    this.#pages('C', new Map([...changed].filter(([frame, hash]) => this.#shown.get(frame) !== hash)));
    this.#shown = changed;
  }

  instruction(state: TraceState): void {
    this.instructions++;
    this.#event(KIND.instruction, undefined, state);
  }

  interrupt(event: TraceInterrupt, state: TraceState): void {
    this.interrupts++;
    this.#event(KIND.interrupt, event, state);
  }

  #event(kind: number, interrupt: TraceInterrupt | undefined, state: TraceState): void {
    const out = this.#events;
    const changed: number[] = [];
    for (let i = 0; i < FIELD_COUNT; i++) {
      if (i !== FIELD.rip && (state.halves[i * 2] !== this.#last.halves[i * 2] || state.halves[i * 2 + 1] !== this.#last.halves[i * 2 + 1])) changed.push(i);
    }
    const count = Math.min(changed.length, COUNT_MASK);
    out.byte(kind | (state.wide ? WIDE : 0) | count);
    if (count === COUNT_MASK) out.number(changed.length);
    if (interrupt) {
      out.byte(interrupt.vector);
      out.number(interrupt.errorCode);
      out.byte((interrupt.software ? SOFTWARE : 0) | (interrupt.hardware ? HARDWARE : 0));
    }
    const word = (i: number): void => out.difference((state.words[i] as bigint) - (this.#last.words[i] as bigint));
    word(FIELD.rip);
    for (const i of changed) {
      out.byte(i);
      word(i);
    }
    this.#last.copyFrom(state);
    if (out.length >= CHUNK_TARGET_BYTES) this.#write(chunk('E', out.take()));
  }

  /** The image file, so that the trace can be replayed by itself. */
  image(file: Uint8Array): void {
    for (let at = 0; at < file.length; at += CHUNK_TARGET_BYTES) this.#write(chunk('I', file.subarray(at, at + CHUNK_TARGET_BYTES)));
  }

  /** A page of guest memory as it was at the entry. */
  initialPage(frame: number, page: Uint8Array): void {
    const out = new Bytes();
    out.number(frame);
    out.raw(page);
    this.#write(chunk('P', out.take()));
  }

  /** The pages that the run changed, with the hashes of what they were at its end. */
  changedPages(pages: PageHashes): void {
    this.#pages('M', pages);
  }

  #pages(type: 'C' | 'M', pages: PageHashes): void {
    const out = new Bytes();
    for (const [frame, hash] of pages) {
      out.number(frame);
      for (let shift = 0n; shift < 64n; shift += 8n) out.byte(Number(hash >> shift & 0xffn));
      if (out.length >= CHUNK_TARGET_BYTES) this.#write(chunk(type, out.take()));
    }
    this.#write(chunk(type, out.take()));
  }

  close(end: Omit<TraceEnd, 'instructions' | 'interrupts'>): void {
    if (this.#events.length > 0) this.#write(chunk('E', this.#events.take()));
    this.#write(json('Z', { ...end, instructions: this.instructions, interrupts: this.interrupts }));
  }
}

/** Reads numbers from a chunk and knows what they are called. */
class Cursor {
  readonly #bytes: Uint8Array;
  readonly #where: string;
  at = 0;
  constructor(bytes: Uint8Array, where: string) {
    this.#bytes = bytes;
    this.#where = where;
  }
  get done(): boolean {
    return this.at >= this.#bytes.length;
  }
  fail(why: string): never {
    throw new TraceFormatError(`${this.#where} at byte ${this.at}: ${why}`);
  }
  byte(field: string): number {
    const value = this.#bytes[this.at];
    if (value === undefined) this.fail(`${field} is missing`);
    this.at++;
    return value;
  }
  number(field: string): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte(field);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      if (scale > 2 ** 35) this.fail(`${field} is too large`);
    }
  }
  difference(field: string): bigint {
    // One or two bytes are the rule: no bigint arithmetic for them.
    let byte = this.byte(field);
    let low = byte & 0x7f;
    if (byte >= 0x80) {
      byte = this.byte(field);
      low |= (byte & 0x7f) << 7;
    }
    let rest = BigInt(low);
    for (let shift = 14n; byte >= 0x80; shift += 7n) {
      if (shift > 63n) this.fail(`${field} is longer than 64 bits`);
      byte = this.byte(field);
      rest |= BigInt(byte & 0x7f) << shift;
    }
    return (rest & 1n) === 0n ? rest >> 1n : -(rest >> 1n) - 1n;
  }
  raw(length: number, field: string): Uint8Array {
    if (this.at + length > this.#bytes.length) this.fail(`${field} is cut short`);
    return this.#bytes.slice(this.at, this.at += length);
  }
}

const shapes: { readonly [K in keyof TraceHeader]: (x: unknown) => boolean } = {
  version: Number.isSafeInteger,
  qemuVersion: (x) => typeof x === 'string',
  commandLine: (x) => Array.isArray(x) && x.every((word) => typeof word === 'string'),
  cpu: (x) => typeof x === 'string',
  imageHash: (x) => typeof x === 'string' && /^[0-9a-f]{64}$/.test(x),
  entry: (x) => Number.isSafeInteger(x) && (x as number) >= 0,
  memoryBytes: (x) => Number.isInteger(x) && (x as number) > 0 && (x as number) % PAGE_SIZE === 0 && (x as number) <= 2 ** 32,
  kernelCommandLine: (x) => typeof x === 'string',
};
const endShapes: { readonly [K in keyof TraceEnd]: (x: unknown) => boolean } = {
  end: (x) => x === 'exited' || x === 'halted' || x === 'limit' || x === 'timeout',
  status: (x) => x === null || Number.isInteger(x),
  tripleFault: (x) => typeof x === 'boolean',
  instructions: (x) => Number.isSafeInteger(x) && (x as number) >= 0,
  interrupts: (x) => Number.isSafeInteger(x) && (x as number) >= 0,
};

function checked<T>(payload: Uint8Array, where: string, fields: { readonly [K in keyof T]: (x: unknown) => boolean }): T {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch {
    throw new TraceFormatError(`${where}: not JSON text`);
  }
  if (typeof value !== 'object' || value === null) throw new TraceFormatError(`${where}: not an object`);
  for (const [name, valid] of Object.entries<(x: unknown) => boolean>(fields)) {
    if (!valid((value as Record<string, unknown>)[name])) throw new TraceFormatError(`${where}: field "${name}" is missing or not valid`);
  }
  return value as T;
}

/** The header. Its version comes first: the other fields are those of this version. */
function headerOf(payload: Uint8Array, where: string, fileName: string): TraceHeader {
  const { version } = checked<Pick<TraceHeader, 'version'>>(payload, where, { version: shapes.version });
  if (version !== TRACE_VERSION) throw new TraceFormatError(`${fileName}: trace version ${version}; only version ${TRACE_VERSION} can be read: record the trace again`);
  return checked<TraceHeader>(payload, where, shapes);
}

/**
 * Reads the frame of a trace and everything but its events.
 * Throws TraceFormatError for anything that TraceWriter does not write.
 */
export function readTrace(file: Uint8Array, fileName: string): Trace {
  // A plain array even if it is a Node Buffer, whose slice() does not copy.
  const bytes = new Uint8Array(file.buffer, file.byteOffset, file.byteLength);
  if (new TextDecoder('latin1').decode(bytes.subarray(0, MAGIC.length)) !== MAGIC) throw new TraceFormatError(`${fileName}: not a longmode trace (magic)`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let header: TraceHeader | undefined, end: TraceEnd | undefined;
  let changed: Map<number, bigint> | undefined;
  const initialPages = new Map<number, Uint8Array>();
  const events: (EventPiece | MemoryPiece)[] = [], image: Uint8Array[] = [];
  for (let at = MAGIC.length; at < bytes.length;) {
    const type = String.fromCharCode(bytes[at] as number);
    const where = `${fileName}: chunk "${type}" at byte ${at}`;
    if (end) throw new TraceFormatError(`${where}: behind the end`);
    const length = at + 5 <= bytes.length ? view.getUint32(at + 1, true) : MAX_CHUNK_BYTES + 1;
    if (length > MAX_CHUNK_BYTES || at + length + 9 > bytes.length) throw new TraceFormatError(`${where}: length is not valid, or the file is cut short`);
    if (crc32(bytes.subarray(at, at + 5 + length)) !== view.getUint32(at + 5 + length, true)) throw new TraceFormatError(`${where}: checksum is wrong`);
    const payload = bytes.subarray(at + 5, at + 5 + length);
    if ((header === undefined) !== (type === 'H')) throw new TraceFormatError(`${where}: the header must be the first chunk, once`);
    switch (type) {
      case 'H': header = headerOf(payload, where, fileName); break;
      case 'Z': end = checked<TraceEnd>(payload, where, endShapes); break;
      case 'E': events.push({ kind: 'events', bytes: payload }); break;
      case 'C': events.push({ kind: 'memory', pages: new Map(pageHashes(payload, where)) }); break;
      case 'I': image.push(payload); break;
      case 'P': {
        const cursor = new Cursor(payload, where);
        const frame = cursor.number('frame');
        if (frame >= (header as TraceHeader).memoryBytes / PAGE_SIZE) cursor.fail('frame is beyond memory');
        initialPages.set(frame, cursor.raw(PAGE_SIZE, 'page'));
        if (!cursor.done) cursor.fail('page is too long');
        break;
      }
      case 'M':
        changed ??= new Map();
        for (const [frame, hash] of pageHashes(payload, where)) changed.set(frame, hash);
        break;
      default: throw new TraceFormatError(`${where}: unknown type`);
    }
    at += length + 9;
  }
  if (!header || !end) throw new TraceFormatError(`${fileName}: the file is cut short: no ${header ? 'end' : 'header'}`);
  return { header, end, image: concatenate(image), initialPages, changedPages: changed, events, fileName };
}

function* pageHashes(payload: Uint8Array, where: string): Generator<[frame: number, hash: bigint]> {
  for (const cursor = new Cursor(payload, where); !cursor.done;) {
    const frame = cursor.number('frame');
    const hash = cursor.raw(8, 'hash');
    yield [frame, new DataView(hash.buffer).getBigUint64(0, true)];
  }
}

function concatenate(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** Decodes the events of a trace into a sink until it is finished. Throws TraceFormatError for damaged events. */
export function replayTrace(trace: Trace, sink: TraceSink): void {
  const state = new TraceState();
  let instructions = 0, interrupts = 0;
  const memory = new Map<number, bigint>();
  for (const [index, piece] of trace.events.entries()) {
    if (piece.kind === 'memory') {
      for (const [frame, hash] of piece.pages) memory.set(frame, hash);
      sink.checkpoint?.({ changed: memory });
      continue;
    }
    for (const cursor = new Cursor(piece.bytes, `${trace.fileName}: event chunk ${index}`); !cursor.done;) {
      if (sink.finished) return;
      const first = cursor.byte('kind');
      state.wide = (first & WIDE) !== 0;
      let count = first & COUNT_MASK;
      if (count === COUNT_MASK) count = cursor.number('count');
      if (count >= FIELD_COUNT) cursor.fail(`count ${count} of changed words`);
      const kind = first & 0xc0;
      let interrupt: TraceInterrupt | undefined;
      if (kind === KIND.interrupt) {
        const vector = cursor.byte('vector');
        const errorCode = cursor.number('error code');
        const origin = cursor.byte('origin');
        interrupt = { vector, errorCode, software: (origin & SOFTWARE) !== 0, hardware: (origin & HARDWARE) !== 0 };
      } else if (kind !== KIND.instruction) cursor.fail(`unknown event kind 0x${kind.toString(16)}`);
      state.words[FIELD.rip] = (state.words[FIELD.rip] as bigint) + cursor.difference('RIP');
      for (let i = 0; i < count; i++) {
        const word = cursor.byte('word');
        if (word >= FIELD_COUNT) cursor.fail(`there is no word ${word}`);
        state.words[word] = (state.words[word] as bigint) + cursor.difference(TRACE_FIELDS[word] as string);
      }
      if (interrupt) {
        interrupts++;
        sink.interrupt(interrupt, state);
      } else {
        instructions++;
        sink.instruction(state);
      }
    }
  }
  if (sink.finished) return;
  if (instructions !== trace.end.instructions || interrupts !== trace.end.interrupts) {
    throw new TraceFormatError(`${trace.fileName}: ${instructions} instructions and ${interrupts} interrupts, but its end says ${trace.end.instructions} and ${trace.end.interrupts}`);
  }
}
