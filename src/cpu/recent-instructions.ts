/** The last instructions that an engine started, for the post-mortem of a triple fault. */
import type { GuestState } from '../state/guest-state.ts';
import { OFFSET } from '../state/layout.ts';
import type { Instruction } from './isa/instruction.ts';

/** How many are kept. */
export const RECENT_INSTRUCTIONS = 32;

export interface RecentInstruction {
  /** Offset in CS. */
  readonly rip: bigint;
  readonly instruction: Instruction;
}

const RIP_AT = OFFSET.rip / 4;

/** A ring that costs an engine a few stores an instruction. */
export class RecentInstructions {
  readonly #rips = new BigUint64Array(RECENT_INSTRUCTIONS);
  readonly #halves = new Uint32Array(this.#rips.buffer);
  readonly #instructions: (Instruction | undefined)[] = Array.from({ length: RECENT_INSTRUCTIONS }, () => undefined);
  #next = 0;
  /** How many have been noted so far. */
  noted = 0;

  /** Notes that the instruction at RIP is about to be executed. */
  note(state: GuestState, instruction: Instruction): void {
    this.noted++;
    const at = this.#next;
    this.#halves[2 * at] = state.u32[RIP_AT]!;
    this.#halves[2 * at + 1] = state.u32[RIP_AT + 1]!;
    this.#instructions[at] = instruction;
    this.#next = (at + 1) % RECENT_INSTRUCTIONS;
  }

  /** Oldest first. The iterations of a REP instruction count one by one. */
  list(): RecentInstruction[] {
    const found: RecentInstruction[] = [];
    for (let i = 0; i < RECENT_INSTRUCTIONS; i++) {
      const at = (this.#next + i) % RECENT_INSTRUCTIONS;
      const instruction = this.#instructions[at];
      if (instruction !== undefined) found.push({ rip: this.#rips[at]!, instruction });
    }
    return found;
  }

  clear(): void {
    this.#instructions.fill(undefined);
  }
}
