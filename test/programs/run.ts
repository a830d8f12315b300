/** Runs an image of random programs on engines, and says where they part. */
import { ENGINE_NAMES, Machine, type EngineName, type Stop } from '../../src/machine/machine.ts';
import type { FastEngine } from '../../src/cpu/engines/fast/engine.ts';
import { wholeState } from '../machine/support/guests.ts';
import type { Random } from '../support/random.ts';
import { MEMORY_BYTES } from './image.ts';

export interface EngineRun {
  /** A line for each checkpoint: instructions, deliveries and a hash of the whole state. */
  readonly checkpoints: readonly string[];
  /** Vector, error code, CR2 and RIP of each delivery. */
  readonly exceptions: readonly string[];
  readonly stop: Stop;
  readonly machine: Machine;
}

export const exceptionText = (vector: number, errorCode: number | undefined, cr2: bigint, rip: bigint, kind: string): string =>
  `${vector}(${errorCode?.toString(16) ?? ''}) ${kind} CR2 ${cr2.toString(16)} RIP ${rip.toString(16)}`;

/** More than any batch needs: a program may run away. */
export const LIMIT = 150_000;

/** A machine for programs. Its interpreter makes handlers of several instructions at once; what `auto` interprets has a handler for each. */
export function programsMachine(engine: EngineName): Machine {
  const machine = new Machine({ engine, cpu: 'max', memoryBytes: MEMORY_BYTES });
  if (engine === 'interpreter') (machine.engine as FastEngine).heat = 1;
  return machine;
}

/** Runs the image in slices of the given lengths, again and again, until it ends. */
export function runImage(image: Uint8Array, engine: EngineName, slices: readonly number[], limit = LIMIT): EngineRun {
  const machine = programsMachine(engine);
  machine.load(image);
  const exceptions: string[] = [];
  machine.cpu.onException = (vector, errorCode, cr2, rip, kind) => { exceptions.push(exceptionText(vector, errorCode, cr2, rip, kind)); };
  const checkpoints: string[] = [];
  for (let n = 0; ; n++) {
    const stop = machine.run({ maxInstructions: slices[n % slices.length]! });
    checkpoints.push(`${stop.kind} ${wholeState(machine)}`);
    if (stop.kind !== 'instruction-limit' || machine.state.retired + machine.cpu.deliveries >= limit) return { checkpoints, exceptions, stop, machine };
  }
}

/** What differs between the reference engine's run and another's, or nothing. */
export function difference(a: EngineRun, b: EngineRun): string | undefined {
  const first = a.checkpoints.findIndex((line, n) => line !== b.checkpoints[n]);
  const exception = a.exceptions.findIndex((line, n) => line !== b.exceptions[n]);
  if (first < 0 && exception < 0 && a.exceptions.length === b.exceptions.length && a.checkpoints.length === b.checkpoints.length) return undefined;
  const at = exception < 0 ? Math.min(a.exceptions.length, b.exceptions.length) : exception;
  return `checkpoint ${first}: ${a.checkpoints[first]} | ${b.checkpoints[first]}\n  exception ${at}: ${a.exceptions[at]} | ${b.exceptions[at]}`;
}

/** Lengths of slices between checkpoints. */
export const randomSlices = (r: Random): number[] => Array.from({ length: 7 }, () => r.between(1, 4000));

export const FAST: readonly EngineName[] = ENGINE_NAMES.filter((name) => name !== 'reference');
