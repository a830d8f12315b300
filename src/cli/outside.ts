/** What reaches a machine from outside a run: a snapshot to begin with, stdin, a recording of another run. */
import { basename } from 'node:path';
import { planBoot, ImageError } from '../machine/boot/index.ts';
import { FileFormatError } from '../machine/container.ts';
import { crc32 } from '../machine/crc32.ts';
import { InputLog, Replay, serialTaken, type RunOf } from '../machine/input-log.ts';
import { Machine, type Stop } from '../machine/machine.ts';
import { compareMoments, momentOf } from '../machine/position.ts';
import { openSnapshot } from '../machine/snapshot.ts';
import { ACTIVITY } from '../state/layout.ts';
import type { Console } from './console.ts';
import { CommandError } from './exit-status.ts';
import { readInput } from './files.ts';
import type { Arguments } from './options.ts';
import { bootFromArguments, engineOf, startFromRom } from './boot.ts';

export interface Recorded { readonly of: RunOf; readonly log: InputLog; readonly path: string }

/** Reads `--replay FILE`. Throws CommandError. */
export async function readReplay(args: Arguments): Promise<Recorded | undefined> {
  const path = args.text('replay');
  if (path === undefined) return undefined;
  for (const other of ['record', 'rtc']) if (args.has(other)) throw new CommandError('usage', `--replay and --${other}: the recording says it`);
  return refusing('--replay', path, async () => ({ ...await InputLog.open(Uint8Array.from(readInput(path, '--replay'))), path }));
}

/** Builds the machine of a run: from IMAGE, or from `--restore FILE`. `runOf`: where it is recorded or replayed. Throws CommandError. */
export async function startMachine(args: Arguments, onOutput: (port: 0 | 1 | 'debug', byte: number) => void, replayed: Recorded | undefined): Promise<{ machine: Machine; runOf: RunOf | undefined }> {
  const restore = args.text('restore');
  const rtcEpochSeconds = replayed?.of.rtcEpochSeconds ?? rtcOf(args);
  const bios = args.text('bios');
  const { machine, fingerprint } = bios !== undefined ? startFromRom(args, bios, onOutput, rtcEpochSeconds) : restore === undefined ? bootFromArguments(args, onOutput, rtcEpochSeconds) : await restoreMachine(args, restore, onOutput);
  // To look at every byte of a kernel takes a while.
  if (replayed === undefined && !args.has('record')) return { machine, runOf: undefined };
  const runOf: RunOf = { image: fingerprint(), memoryBytes: machine.state.ramBytes, rtcEpochSeconds: machine.rtcEpochSeconds };
  if (replayed !== undefined && (replayed.of.image !== runOf.image || replayed.of.memoryBytes !== runOf.memoryBytes)) {
    throw new CommandError('image', `--replay ${replayed.path}: was recorded with another image, snapshot, command line, initrd or memory size`);
  }
  return { machine, runOf };
}

/** What a snapshot has in it already. */
const INSTEAD_OF_SNAPSHOT = ['memory', 'cmdline', 'initrd', 'protocol', 'load-address', 'entry', 'bits', 'cpu', 'debug-exit', 'rtc'] as const;

async function restoreMachine(args: Arguments, path: string, onOutput: (port: 0 | 1 | 'debug', byte: number) => void): Promise<{ machine: Machine; fingerprint: () => number }> {
  for (const name of INSTEAD_OF_SNAPSHOT) if (args.has(name)) throw new CommandError('usage', `--restore and --${name}: the snapshot has it already`);
  const file = Uint8Array.from(readInput(path, '--restore'));
  const machine = await refusing('--restore', path, async () => {
    const snapshot = await openSnapshot(file);
    const restored = new Machine({ ...snapshot.options, engine: engineOf(args), onOutput });
    snapshot.restore(restored);
    return restored;
  });
  const [image] = args.operands;
  if (image !== undefined) {
    try {
      machine.boot = planBoot(readInput(image, 'image'), machine.state.ramBytes, { name: basename(image) });
    } catch (e) {
      if (e instanceof ImageError) throw new CommandError('image', `image ${image}: ${e.message}`);
      throw e;
    }
  }
  return { machine, fingerprint: () => crc32(file) };
}

function rtcOf(args: Arguments): number | undefined {
  return args.text('rtc') === 'now' ? Math.floor(Date.now() / 1000) : args.integer('rtc', 0, 253_402_300_799);
}

async function refusing<T>(option: string, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (e) {
    if (e instanceof FileFormatError) throw new CommandError('image', `${option} ${path}: ${e.message}`);
    throw e;
  }
}

/** The guest has ended, which a recording does not say: HLT with interrupts off. */
export const isHaltedForGood = (machine: Machine): boolean => (machine.state.activity === ACTIVITY.halted || machine.state.activity === ACTIVITY.waiting) && !machine.mayBeInterrupted;

/** Runs a machine with the guest's input: from the user, noted if it is to be recorded, or from a recording. */
export interface Outside {
  /** The input is a recording's. */
  readonly replays: boolean;
  /** Bytes for COM1 now. Returns how many it took. */
  serial(bytes: readonly number[]): number;
  /** Goes on for at most so many instructions. */
  run(maxInstructions: number): Stop | { readonly kind: 'replayed' };
  /** What came in so far, as a file. */
  recorded(of: RunOf): Promise<Uint8Array<ArrayBuffer>>;
}

/** Gives the machine what has been typed. */
export function feed(terminal: Console, outside: Outside): void {
  const waiting = outside.replays ? [] : terminal.take(64);
  if (waiting.length > 0) terminal.giveBack(waiting.slice(outside.serial(waiting)));
}

/** A machine without a history. */
export class PlainOutside implements Outside {
  readonly #machine: Machine;
  /** What came in, if it is recorded. */
  readonly log = new InputLog();
  readonly #records: boolean;
  readonly #replay: Replay | undefined;

  constructor(machine: Machine, records: boolean, replayed: InputLog | undefined) {
    this.#machine = machine;
    this.#records = records;
    this.#replay = replayed && new Replay(machine, replayed);
  }

  get replays(): boolean { return this.#replay !== undefined; }

  serial(bytes: readonly number[]): number {
    if (!this.#records) return this.#machine.input(bytes);
    return serialTaken(this.log.give(this.#machine, { kind: 'serial', port: 0, bytes }));
  }

  run(maxInstructions: number): Stop | { readonly kind: 'replayed' } {
    return this.#replay === undefined ? this.#machine.run({ maxInstructions }) : this.#runReplay(this.#replay, maxInstructions);
  }

  #runReplay(replay: Replay, maxInstructions: number): Stop | { readonly kind: 'replayed' } {
    const machine = this.#machine;
    replay.give();
    const before = momentOf(machine), { next } = replay;
    if (next === undefined || (replay.isOver && compareMoments(before, next) >= 0)) return isHaltedForGood(machine) ? machine.run({ maxInstructions: 1 }) : { kind: 'replayed' };
    const near = next.retired === before.retired;
    const stop = machine.run({ maxInstructions: near ? 1 : Math.min(maxInstructions, next.retired - before.retired), ...(near ? { maxIdleTime: next.idleTime } : {}) });
    const waited = stop.kind === 'halted' && stop.wakeable && compareMoments(momentOf(machine), before) > 0;
    return waited ? { kind: 'instruction-limit' } : stop;
  }

  async recorded(of: RunOf): Promise<Uint8Array<ArrayBuffer>> {
    this.log.end = momentOf(this.#machine);
    return this.log.save(of);
  }
}
