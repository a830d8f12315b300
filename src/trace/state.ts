/**
 * The processor's state as a trace records it: a flat list of 64-bit words with names, and the two kinds of event that
 * a trace is made of. Recorder, file format and comparison speak only in these terms.
 */
import type { PageHashes } from './memory.ts';

const SEGMENT_NAMES = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS', 'LDTR', 'TR'] as const;

/** Names of the recorded words, in the order in which they lie in TraceState.words and in trace files. */
export const TRACE_FIELDS: readonly string[] = [
  'RAX', 'RCX', 'RDX', 'RBX', 'RSP', 'RBP', 'RSI', 'RDI', 'R8', 'R9', 'R10', 'R11', 'R12', 'R13', 'R14', 'R15',
  'RIP', 'RFLAGS', 'CPL', 'shadow', 'halted',
  ...SEGMENT_NAMES.flatMap((name) => [`${name} selector`, `${name} base`, `${name} limit`, `${name} attributes`]),
  'GDTR base', 'GDTR limit', 'IDTR base', 'IDTR limit',
  'CR0', 'CR2', 'CR3', 'CR4', 'CR8', 'EFER', 'DR0', 'DR1', 'DR2', 'DR3', 'DR6', 'DR7',
];

/** Index of the words that code names; the segment words follow each other as selector, base, limit, attributes. */
export const FIELD = {
  gpr: 0, rip: 16, rflags: 17, cpl: 18, shadow: 19, halted: 20, segments: 21,
  gdtrBase: 53, gdtrLimit: 54, idtrBase: 55, idtrLimit: 56,
  cr0: 57, cr2: 58, cr3: 59, cr4: 60, cr8: 61, efer: 62, dr0: 63, dr6: 67, dr7: 68,
} as const;

/** Words per state. */
export const FIELD_COUNT = TRACE_FIELDS.length;

/**
 * One processor state. `wide` is false outside 64-bit mode, where QEMU prints only the low halves of the eight old
 * registers and none of R8-R15: those words then hold what was last known.
 */
export class TraceState {
  readonly words = new BigUint64Array(FIELD_COUNT);
  /** The same words as 32-bit halves, low half first. */
  readonly halves = new Uint32Array(this.words.buffer);
  wide = false;

  /** Makes this state equal to another one. */
  copyFrom(other: TraceState): void {
    this.words.set(other.words);
    this.wide = other.wide;
  }

  /** The word called `name` in TRACE_FIELDS. Throws RangeError for a name that is not there. */
  get(name: string): bigint {
    const index = TRACE_FIELDS.indexOf(name);
    if (index < 0) throw new RangeError(`a trace has no field "${name}"`);
    return this.words[index] as bigint;
  }
}

/** An exception or interrupt on its way through the IDT. */
export interface TraceInterrupt {
  readonly vector: number;
  /** What is pushed as error code; 0 where the vector has none. */
  readonly errorCode: number;
  /** INT n, INT3, INTO and INT1. */
  readonly software: boolean;
  /** Asynchronous: an interrupt request or an NMI, taken between two instructions. */
  readonly hardware: boolean;
}

/** What a run has done to memory so far. */
export interface MemorySnapshot {
  /** The pages that differ from what they were at the start, or did at an earlier checkpoint, with the hashes they have now. */
  readonly changed: PageHashes;
  /** Guest RAM itself, where it is at hand. */
  readonly ram?: Uint8Array;
}

/**
 * Takes a run, event by event. The state is the processor's before the instruction, or before the delivery; it
 * belongs to the caller and is valid until the method returns.
 */
export interface TraceSink {
  /** True when nothing more is wanted: the source may stop. */
  readonly finished: boolean;
  instruction(state: TraceState): void;
  interrupt(event: TraceInterrupt, state: TraceState): void;
  /** True when memory should be shown: a live source then stops the machine where it is and calls `checkpoint`. */
  readonly wantsMemory?: boolean;
  /** Memory as it is when the next event begins: before that instruction, before that delivery. */
  checkpoint?(memory: MemorySnapshot): void;
}
