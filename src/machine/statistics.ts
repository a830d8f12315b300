/** What a run did, counted: the contents of `run --report`. */
import type { ExceptionObserver } from '../cpu/cpu.ts';
import { FastEngine } from '../cpu/engines/fast/engine.ts';
import { VECTOR } from '../cpu/exceptions.ts';
import type { Machine } from './machine.ts';

export interface Report {
  readonly instructions: number;
  /** Nanoseconds of virtual time, halted time included. */
  readonly virtualNanoseconds: number;
  /** Exceptions delivered, by vector: `"#PF": 12`. */
  readonly exceptions: Readonly<Record<string, number>>;
  /** Page faults by error code, its set bits in the manual's letters: `"P|W|U"`; `"0"` for a supervisor read of a page that is not present. */
  readonly pageFaults: Readonly<Record<string, number>>;
  /** Hardware interrupts taken, by vector. */
  readonly interrupts: Readonly<Record<string, number>>;
  /** INT n, INT3, INTO taken, by vector. */
  readonly softwareInterrupts: Readonly<Record<string, number>>;
  /**
   * The data TLB's and the instruction TLB's hits and misses together. A hit is an access that asked the TLB by way of TypeScript: generated
   * code does not count those that it answers inline, and no engine asks again for further instructions of a page.
   */
  readonly tlb: { readonly hits: number; readonly misses: number; readonly flushes: number };
  readonly pageWalks: number;
  readonly engine: string;
  /** Ports and physical addresses where nothing answered. */
  readonly unclaimedPorts: readonly { readonly port: number; readonly reads: number; readonly writes: number }[];
  readonly unclaimedPhysicalAccesses: number;
}

const NAMES = new Map<number, string>(Object.entries(VECTOR).map(([name, vector]) => [vector, name === 'NMI' ? name : `#${name}`]));
const ERROR_BITS = ['P', 'W', 'U', 'RSVD', 'I', 'PK', 'SS'] as const;

export class Statistics {
  private readonly exceptions = new Map<number, number>();
  private readonly pageFaults = new Map<number, number>();
  private readonly interrupts = new Map<number, number>();
  private readonly software = new Map<number, number>();
  private readonly machine: Machine;

  constructor(machine: Machine) {
    this.machine = machine;
    const { cpu, observers } = machine;
    const count: ExceptionObserver = (vector, errorCode, cr2, rip, kind) => {
      machine.observers.exception(vector, errorCode, cr2, rip, kind);
      if (machine.repeating) return;
      const counts = kind === 'interrupt' ? this.interrupts : kind === 'software' || kind === 'INT1' ? this.software : this.exceptions;
      add(counts, vector);
      if (counts === this.exceptions && vector === VECTOR.PF) add(this.pageFaults, errorCode ?? 0);
    };
    cpu.onException = count;
    cpu.unwatched = () => !machine.repeating && cpu.onException === count && cpu.observer === observers && observers.none;
  }

  /** With those that the engine counted. */
  private allSoftware(): Map<number, number> {
    const all = new Map(this.software);
    const { engine } = this.machine;
    if (engine instanceof FastEngine) engine.interrupts.forEach((count, vector) => { if (count > 0) all.set(vector, (all.get(vector) ?? 0) + count); });
    return all;
  }

  /** Page faults by error code, with those that the engine counted. */
  private allPageFaults(): Map<number, number> {
    const all = new Map(this.pageFaults);
    const { engine } = this.machine;
    if (engine instanceof FastEngine) engine.pageFaults.forEach((count, code) => { if (count > 0) all.set(code, (all.get(code) ?? 0) + count); });
    return all;
  }

  report(): Report {
    const { mmu, memory, state, devices } = this.machine;
    const pageFaults = this.allPageFaults();
    const exceptions = new Map(this.exceptions), sum = [...pageFaults.values()].reduce((a, b) => a + b, 0);
    if (sum > 0) exceptions.set(VECTOR.PF, sum);
    return {
      instructions: state.retired,
      virtualNanoseconds: this.machine.now(),
      exceptions: named(exceptions, (v) => NAMES.get(v) ?? `#${v}`),
      pageFaults: named(pageFaults, errorCodeName),
      interrupts: named(this.interrupts, String),
      softwareInterrupts: named(this.allSoftware(), String),
      tlb: { hits: mmu.statistics.hits, misses: mmu.statistics.misses, flushes: mmu.statistics.flushes },
      pageWalks: mmu.statistics.walks,
      engine: this.machine.engineName,
      unclaimedPorts: devices.ports.unclaimed(),
      unclaimedPhysicalAccesses: memory.unclaimedAccesses,
    };
  }
}

const add = (counts: Map<number, number>, key: number): void => { counts.set(key, (counts.get(key) ?? 0) + 1); };
const named = (counts: ReadonlyMap<number, number>, name: (key: number) => string): Record<string, number> =>
  Object.fromEntries([...counts].sort(([a], [b]) => a - b).map(([key, count]) => [name(key), count]));
const errorCodeName = (code: number): string => ERROR_BITS.filter((_, n) => (code & (1 << n)) !== 0).join('|') || '0';
