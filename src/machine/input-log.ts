/**
 * What came from outside, and when: serial bytes, keys, a debugger's edits, each with its moment. An image, its options and this log are the
 * whole run: replayed on any engine and any host, it is the same at every instruction.
 */
import { copyState, flag, queue, range, record, SnapshotError, time, u8, upTo } from '../devices/snapshot.ts';
import { MAX_PENDING_INPUT } from '../devices/uart16550.ts';
import { PAGE_SIZE, physical } from '../state/addresses.ts';
import { FileFormatError, pack, unpack, type FileKind } from './container.ts';
import type { Machine } from './machine.ts';
import { compareMoments, momentOf, runToMoment, type Moment } from './position.ts';
import { writeRegister } from './registers.ts';

/** A change that a debugger makes. */
export type Edit =
  | { readonly kind: 'register'; readonly name: string; readonly value: bigint }
  | { readonly kind: 'memory'; readonly address: number; readonly bytes: Uint8Array };

/** One thing from outside. */
export type Input = Edit
  | { readonly kind: 'serial'; readonly port: 0 | 1; readonly bytes: readonly number[] }
  | { readonly kind: 'key'; readonly code: string; readonly pressed: boolean };
export interface InputEvent { readonly at: Moment; readonly input: Input }

/** Lets the machine have it, and says what of it was taken. Throws RangeError for an edit of what there is not. */
export function applyInput(machine: Machine, input: Input): Input | undefined {
  switch (input.kind) {
    case 'serial': {
      const taken = machine.input(input.bytes, input.port);
      return taken === 0 ? undefined : { ...input, bytes: input.bytes.slice(0, taken) };
    }
    case 'key':
      // One that the keyboard has no room for leaves its mark as well.
      machine.devices.keyboard.key(input.code, input.pressed);
      return input;
    case 'register':
      writeRegister(machine, input.name, input.value);
      return input;
    case 'memory':
      machine.memory.copyIn(physical(input.address), input.bytes);
      return input;
  }
}

/** How many bytes of a serial input were taken. */
export const serialTaken = (taken: Input | undefined): number => (taken?.kind === 'serial' ? taken.bytes.length : 0);

/** What a run is a run of: a replay on anything else would not be one. */
export interface RunOf {
  /** CRC-32 of the image or snapshot, of its command line and its modules. */
  readonly image: number;
  readonly memoryBytes: number;
  /** What the real-time clock showed at power-on, in seconds since 1970. */
  readonly rtcEpochSeconds: number;
}

const KIND: FileKind = { magic: 'LMINPUTS', version: 1, what: 'input log', maxBytes: 2 ** 28 };
const MOMENT = record({ retired: time, deliveries: time, idleTime: time });
const RUN_OF = record({ image: range(0, 2 ** 32 - 1), memoryBytes: time, rtcEpochSeconds: time });
const SERIAL = record({ port: upTo(1), bytes: queue(u8, MAX_PENDING_INPUT) });
const KEY = record({ pressed: flag });
const MEMORY = record({ address: time, bytes: queue(u8, PAGE_SIZE) });

/** The log: events in the order of their moments. */
export class InputLog {
  readonly events: InputEvent[] = [];
  /** Where the recording ended; undefined: it goes on. */
  end: Moment | undefined;

  /** Gives the machine an input now and notes what of it was taken. Returns that. */
  give(machine: Machine, input: Input): Input | undefined {
    const taken = applyInput(machine, input);
    if (taken !== undefined) this.events.push({ at: momentOf(machine), input: taken });
    return taken;
  }

  /** Number of the first event at this moment or behind it. */
  indexFrom(moment: Moment): number {
    const index = this.events.findIndex(({ at }) => compareMoments(at, moment) >= 0);
    return index < 0 ? this.events.length : index;
  }

  /** As plain data: for a file, or for a link. */
  toJSON(): unknown {
    return { end: this.end, events: this.events.map(({ at, input }) => ({ at, ...plain(input) })) };
  }

  /** Reads what `toJSON` gave. Throws FileFormatError. */
  static from(value: unknown): InputLog {
    try {
      const { end, events } = (typeof value === 'object' && value !== null ? value : {}) as { end?: unknown; events?: unknown };
      if (!Array.isArray(events)) throw new SnapshotError('events', 'a list');
      const log = new InputLog();
      events.forEach((event, n) => {
        const at = copyState(MOMENT, (event as { at?: unknown } | null)?.at, `events[${n}].at`);
        const last = log.events.at(-1);
        if (last !== undefined && compareMoments(last.at, at) > 0) throw new SnapshotError(`events[${n}].at`, 'no earlier moment than the event before');
        log.events.push({ at, input: inputFrom(event as Record<string, unknown>, `events[${n}]`) });
      });
      if (end !== undefined) log.end = copyState(MOMENT, end, 'end');
      return log;
    } catch (error) {
      if (error instanceof SnapshotError) throw new FileFormatError(`is damaged: ${error.message.replace(/^snapshot: /, '')}`);
      throw error;
    }
  }

  /** As a file. */
  async save(of: RunOf): Promise<Uint8Array<ArrayBuffer>> {
    return pack(KIND, new TextEncoder().encode(JSON.stringify({ of, log: this })));
  }

  /** Reads a file. Throws FileFormatError. */
  static async open(file: Uint8Array<ArrayBuffer>): Promise<{ readonly of: RunOf; readonly log: InputLog }> {
    const content = await unpack(KIND, file);
    let given: { of?: unknown; log?: unknown };
    try {
      given = JSON.parse(new TextDecoder().decode(content)) as typeof given;
      return { of: copyState(RUN_OF, given.of, 'of'), log: InputLog.from(given.log) };
    } catch (error) {
      if (error instanceof FileFormatError) throw error;
      throw new FileFormatError('is damaged: it says not what it is a run of');
    }
  }
}

/** A replay: gives a machine the inputs of a log, each at its moment. */
export class Replay {
  readonly #machine: Machine;
  readonly #log: InputLog;
  #next = 0;

  constructor(machine: Machine, log: InputLog) {
    this.#machine = machine;
    this.#log = log;
  }

  /** Moment of the next input, or of the end of the recording; undefined where there is neither. */
  get next(): Moment | undefined { return this.#log.events[this.#next]?.at ?? this.#log.end; }
  /** All inputs were given. */
  get isOver(): boolean { return this.#next >= this.#log.events.length; }

  /** Gives what is due now. */
  give(): void {
    for (let event; (event = this.#log.events[this.#next]) !== undefined && compareMoments(event.at, momentOf(this.#machine)) <= 0;) {
      this.#next++;
      applyInput(this.#machine, event.input);
    }
  }

  /** Runs on from where the machine is to the end of the recording. Gives true if it came there. */
  run(): boolean {
    for (;;) {
      this.give();
      const to = this.next;
      if (to === undefined) return true;
      if (runToMoment(this.#machine, to) !== undefined) return false;
      if (this.isOver) return true;
    }
  }
}

const plain = (input: Input): Record<string, unknown> =>
  input.kind === 'register' ? { ...input, value: `0x${input.value.toString(16)}` } : input.kind === 'memory' ? { ...input, bytes: [...input.bytes] } : { ...input };

function inputFrom(given: Record<string, unknown>, path: string): Input {
  switch (given['kind']) {
    case 'serial': {
      const { port, bytes } = copyState(SERIAL, given, path);
      return { kind: 'serial', port: port === 0 ? 0 : 1, bytes };
    }
    case 'key': {
      const code = given['code'];
      if (typeof code !== 'string' || code.length > 32) throw new SnapshotError(`${path}.code`, 'the name of a key');
      return { kind: 'key', code, pressed: copyState(KEY, given, path).pressed };
    }
    case 'register': {
      const name = given['name'], value = given['value'];
      if (typeof name !== 'string' || name.length > 32) throw new SnapshotError(`${path}.name`, 'the name of a register');
      if (typeof value !== 'string' || !/^0x[0-9a-f]{1,32}$/.test(value)) throw new SnapshotError(`${path}.value`, 'a hexadecimal number');
      return { kind: 'register', name, value: BigInt(value) };
    }
    case 'memory': {
      const { address, bytes } = copyState(MEMORY, given, path);
      return { kind: 'memory', address, bytes: Uint8Array.from(bytes) };
    }
    default: throw new SnapshotError(`${path}.kind`, 'serial, key, register or memory');
  }
}
