/** What the machine asks of an engine, whichever it is. */
import type { Cpu } from '../cpu.ts';
import type { RecentInstruction } from '../recent-instructions.ts';

/** Why an engine stopped. */
export type Stop =
  /** The budget is used up. */
  | { readonly kind: 'budget' }
  /** `requestStop` was called. */
  | { readonly kind: 'requested' }
  /** RIP is at an address given to `stopAt`. */
  | { readonly kind: 'breakpoint' }
  /** The processor waits for an interrupt (HLT). */
  | { readonly kind: 'halted' }
  /** Triple fault. */
  | { readonly kind: 'shutdown' }
  /** The guest needs what we have not built. State is that before the instruction. */
  | { readonly kind: 'unimplemented'; readonly rip: bigint; readonly bytes: Uint8Array; readonly what: string };

/** What one step did: retired an instruction (or one iteration of a REP), delivered an exception or froze before an instruction, or nothing because of a stop. */
export type StepResult = { readonly kind: 'retired' } | { readonly kind: 'exception' } | Stop;

/** Offsets in CS: a set of them, or a question that is asked where code is made and where execution comes back to the engine. The answer depends on the code there. */
export type Stops = ReadonlySet<bigint> | StopTest;
export interface StopTest { readonly isTest: true; has(offset: bigint): boolean }
export const isStopTest = (stops: Stops): stops is StopTest => 'isTest' in stops;

export interface Engine {
  readonly cpu: Cpu;
  /** What was executed last, oldest first, for the post-mortem. */
  recentInstructions(): readonly RecentInstruction[];
  /**
   * Runs until `budget` instructions retired or something stops it. Deliveries of exceptions count against the budget
   * too, so that a guest that only faults cannot hold the host.
   */
  run(budget: number): Stop;
  /** Goes to the next boundary: an event that is due is delivered, or else one instruction runs. */
  step(): StepResult;
  /** Makes `run` return at the next instruction boundary: a device ended the machine, or a deadline moved closer. */
  requestStop(): void;
  /** `run` returns before the instruction at any of these offsets in CS (but not before the first one that it executes), even where its budget ends. */
  stopAt(stops: Stops): void;
  /** To be called after the state was replaced while memory was written through PhysicalMemory: what is decoded still holds, where execution was does not. */
  stateReplaced(): void;
  /** Drops everything decoded or remembered: after a snapshot or a debugger changed state or memory directly. */
  forgetEverything(): void;
}
