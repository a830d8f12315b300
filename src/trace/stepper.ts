/** What the comparison needs of a machine: small steps, and a way to read and correct its state. */
import type { Instruction } from '../cpu/isa/instruction.ts';
import type { CodeSize } from '../cpu/isa/instruction.ts';
import { FIELD, type TraceState } from './state.ts';

/** An exception or interrupt that our machine delivered (or began to deliver: a double fault follows its cause). */
export interface Delivery {
  readonly vector: number;
  readonly errorCode: number | undefined;
  /** INT n, INT3, INTO, INT1. */
  readonly software: boolean;
}

/** What came of one move. */
export interface Move {
  /** In order; empty when nothing was delivered. */
  readonly deliveries: readonly Delivery[];
  /** The guest needs something that is not built: the run cannot go on. */
  readonly unimplemented?: string;
}

/** Where an instruction is: its offset in CS, and what of CS says how it is read. */
export interface CodePlace { readonly rip: bigint; readonly base: bigint; readonly codeSize: CodeSize }
const CS = FIELD.segments + 4, CS_BASE = CS + 1, CS_ATTRIBUTES = CS + 3, D = 0x4000n;
/** The place of the instruction that a state is before. */
export const codePlace = (state: TraceState): CodePlace => ({
  rip: state.words[FIELD.rip]!,
  base: state.wide ? 0n : state.words[CS_BASE]!,
  codeSize: state.wide ? 64 : (state.words[CS_ATTRIBUTES]! & D) !== 0n ? 32 : 16,
});

/** A read from a device that the last instruction made. */
export interface DeviceRead { readonly space: 'port' | 'memory'; readonly address: number }

/**
 * A machine in lockstep. Its devices must not interrupt it: `interrupt` is the only source of asynchronous events.
 */
export interface Stepper {
  /** Takes the initial state of the recording: the registers, and the memory given. */
  start(state: TraceState, initialPages: ReadonlyMap<number, Uint8Array>): void;
  /** Writes the processor's state into `state`. */
  read(state: TraceState): void;
  /** Takes what is due between two instructions (a single-step trap, for example) without executing one. */
  boundary(): Move;
  /** Executes the instruction at RIP (one iteration of a REP), or delivers its fault. Call `boundary` first. */
  execute(): Move;
  /** Raises an interrupt request with this vector, or an NMI for vector 2, and delivers it now if the processor lets it through. */
  interrupt(vector: number): Move;
  /** Overwrites one word of the state (FIELD). */
  adopt(word: number, value: bigint): void;
  /** Overwrites the error code that the last delivery pushed. */
  adoptErrorCode(value: number): void;
  /** Clears bits in the RFLAGS image that the last delivery pushed. */
  clearPushedFlags(mask: number, withErrorCode: boolean): void;
  /** The instruction at a place as it is now, without side effects; undefined where there is none. */
  instructionAt(place: CodePlace): Instruction | undefined;
  /** The instruction that the last `execute` executed at a place; it may have written over itself. Undefined where it could not be fetched. */
  executedAt(place: CodePlace): Instruction | undefined;
  /** Text of the instruction at a place, for reports. */
  disassemble(place: CodePlace): string;
  /** What the last `execute` read from devices. */
  deviceReads(): readonly DeviceRead[];
  /** Guest RAM from physical address 0. */
  readonly ram: Uint8Array;
}
