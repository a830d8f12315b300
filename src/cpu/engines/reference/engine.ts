/**
 * The reference engine: one instruction after the other, evaluated by ReferenceOps. No cleverness beyond decoded pages:
 * it is what the faster engines are compared with.
 */
import { PageFault } from '../../../mmu/page-fault.ts';
import type { GuestState } from '../../../state/guest-state.ts';
import { ACTIVITY } from '../../../state/layout.ts';
import type { Cpu } from '../../cpu.ts';
import { GuestException, Unimplemented } from '../../exceptions.ts';
import { RecentInstructions } from '../../recent-instructions.ts';
import { Fetcher } from './fetch.ts';
import { ReferenceOps } from './ops.ts';

/** Why an engine stopped. */
export type Stop =
  /** The budget is used up. */
  | { readonly kind: 'budget' }
  /** `requestStop` was called. */
  | { readonly kind: 'requested' }
  /** The processor waits for an interrupt (HLT). */
  | { readonly kind: 'halted' }
  /** Triple fault. */
  | { readonly kind: 'shutdown' }
  /** The guest needs what we have not built. State is that before the instruction. */
  | { readonly kind: 'unimplemented'; readonly rip: bigint; readonly bytes: Uint8Array; readonly what: string };

/** What one step did: retired an instruction (or one iteration of a REP), delivered an exception, or nothing because of a stop. */
export type StepResult = { readonly kind: 'retired' } | { readonly kind: 'exception' } | Stop;

const RETIRED: StepResult = { kind: 'retired' };
const EXCEPTION: StepResult = { kind: 'exception' };
const BUDGET: Stop = { kind: 'budget' };
const REQUESTED: Stop = { kind: 'requested' };
const HALTED: Stop = { kind: 'halted' };
const SHUTDOWN: Stop = { kind: 'shutdown' };

/** Lengths as bigints, so that RIP advances without converting a number. */
const LENGTH = Array.from({ length: 16 }, (_, n) => BigInt(n));

export class ReferenceEngine {
  readonly cpu: Cpu;
  /** What was executed last, for the post-mortem. */
  readonly recent = new RecentInstructions();
  readonly #state: GuestState;
  readonly #ops: ReferenceOps;
  readonly #fetcher: Fetcher;
  #stopRequested = false;

  constructor(cpu: Cpu) {
    this.cpu = cpu;
    this.#state = cpu.state;
    this.#ops = new ReferenceOps(cpu);
    this.#fetcher = new Fetcher(cpu);
  }

  /** Makes `run` return at the next instruction boundary: a device ended the machine, or a deadline moved closer. */
  requestStop(): void { this.#stopRequested = true; }

  /** Drops everything decoded or remembered: after a snapshot or a debugger changed state or memory directly. */
  forgetEverything(): void {
    this.#fetcher.clear();
    this.recent.clear();
  }

  /** Goes to the next instruction boundary: events that are due are delivered first, then one instruction runs. */
  step(): StepResult {
    const { cpu } = this;
    if (cpu.attention) {
      this.#fetcher.forgetPage();
      try {
        const due = cpu.serviceAttention();
        if (due !== 'run') return due === 'halted' ? HALTED : SHUTDOWN;
      } catch (thrown) {
        return this.#unimplemented(thrown);
      }
    }
    return this.execute();
  }

  /** Executes the instruction at RIP, whatever is due before it: `step` without its first half, for lockstep comparison. */
  execute(): StepResult {
    const { cpu } = this;
    const state = this.#state;
    try {
      const mode = cpu.mode();
      const i = this.#fetcher.fetch(mode);
      this.recent.note(state, i);
      const length = LENGTH[i.length] as bigint;
      const next = mode.codeSize === 64 ? BigInt.asUintN(64, state.rip + length) : BigInt.asUintN(32, state.rip + length);
      cpu.nextIp = next;
      const { meaning } = i.row;
      if (meaning.kind === 'translated') this.#ops.execute(i, next);
      else {
        this.#fetcher.forgetPage();
        meaning.execute(cpu, i);
      }
    } catch (thrown) {
      return this.#deliver(thrown);
    }
    state.rip = cpu.nextIp;
    state.retired += 1;
    return RETIRED;
  }

  #deliver(thrown: unknown): StepResult {
    const { cpu } = this;
    this.#fetcher.forgetPage();
    if (thrown instanceof GuestException || thrown instanceof PageFault) {
      try {
        cpu.deliverException(thrown);
      } catch (inDelivery) {
        return this.#unimplemented(inDelivery);
      }
      return this.#state.activity === ACTIVITY.shutdown ? SHUTDOWN : EXCEPTION;
    }
    return this.#unimplemented(thrown);
  }

  /** The stop for what is not built (a task gate may be met in a delivery, too); anything else is a defect of ours and goes on up. */
  #unimplemented(thrown: unknown): Stop {
    if (!(thrown instanceof Unimplemented)) throw thrown;
    return { kind: 'unimplemented', rip: this.#state.rip, bytes: this.#fetcher.bytesForReport(this.cpu.mode()), what: thrown.what };
  }

  /**
   * Runs until `budget` instructions retired or something stops it. Deliveries of exceptions count against the budget
   * too, so that a guest that only faults cannot hold the host.
   */
  run(budget: number): Stop {
    this.#stopRequested = false;
    for (let left = budget; left > 0; left--) {
      const result = this.step();
      if (result !== RETIRED && result !== EXCEPTION) return result as Stop;
      if (this.#stopRequested) return REQUESTED;
    }
    return BUDGET;
  }
}
