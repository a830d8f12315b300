/**
 * The reference engine: one instruction after the other, evaluated by ReferenceOps. No cleverness beyond decoded pages:
 * it is what the faster engines are compared with.
 */
import { PageFault } from '../../../mmu/page-fault.ts';
import type { GuestState } from '../../../state/guest-state.ts';
import { ACTIVITY, OFFSET } from '../../../state/layout.ts';
import type { Cpu } from '../../cpu.ts';
import { Frozen, GuestException, Unimplemented } from '../../exceptions.ts';
import type { Instruction } from '../../isa/instruction.ts';
import { RecentInstructions, type RecentInstruction } from '../../recent-instructions.ts';
import { isStopTest, type Engine, type StepResult, type Stop, type Stops } from '../engine.ts';
import { Fetcher } from './fetch.ts';
import { ReferenceOps } from './ops.ts';

const RETIRED: StepResult = { kind: 'retired' };
const EXCEPTION: StepResult = { kind: 'exception' };
const BUDGET: Stop = { kind: 'budget' };
const REQUESTED: Stop = { kind: 'requested' };
const BREAKPOINT: Stop = { kind: 'breakpoint' };
const HALTED: Stop = { kind: 'halted' };
const SHUTDOWN: Stop = { kind: 'shutdown' };

const RIP_LOW = OFFSET.rip / 4, RIP_HIGH = RIP_LOW + 1;

export class ReferenceEngine implements Engine {
  readonly cpu: Cpu;
  readonly #recent = new RecentInstructions();
  readonly #state: GuestState;
  readonly #ops: ReferenceOps;
  readonly #fetcher: Fetcher;
  #stopRequested = false;
  #stops: Stops | undefined;

  constructor(cpu: Cpu) {
    this.cpu = cpu;
    this.#state = cpu.state;
    this.#ops = new ReferenceOps(cpu);
    this.#fetcher = new Fetcher(cpu);
  }

  /** How many instructions have been noted so far. */
  get noted(): number { return this.#recent.noted; }
  recentInstructions(): readonly RecentInstruction[] { return this.#recent.list(); }
  requestStop(): void { this.#stopRequested = true; }
  stopAt(stops: Stops): void { this.#stops = isStopTest(stops) || stops.size > 0 ? stops : undefined; }
  /** Notes the instruction at RIP, in which another engine met a fault, among the recent ones. */
  noteInstruction(): void {
    const i = this.#fetcher.peek(this.cpu.mode());
    if (i !== undefined) this.#recent.note(this.#state, i);
  }
  /** Forgets which page the last fetch came from: another engine fetched since. */
  forgetPage(): void { this.#fetcher.forgetPage(); }

  forgetEverything(): void {
    this.#fetcher.clear();
    this.#recent.clear();
  }

  stateReplaced(): void {
    this.#fetcher.forgetPage();
    this.#recent.clear();
  }

  step(): StepResult {
    const { cpu } = this;
    cpu.deliveriesInStep = 0;
    if (cpu.attention) {
      this.#fetcher.forgetPage();
      const { deliveries } = cpu;
      try {
        const due = cpu.serviceAttention();
        if (due !== 'run') return due === 'halted' ? HALTED : SHUTDOWN;
        if (cpu.deliveries !== deliveries) return EXCEPTION;
      } catch (thrown) {
        return this.#unimplemented(thrown);
      }
    }
    return this.execute();
  }

  /** Executes the instruction at RIP, whatever is due before it: `step` without its first half, for lockstep comparison. */
  execute(): StepResult {
    let i: Instruction;
    try {
      i = this.#fetcher.fetch(this.cpu.mode());
    } catch (thrown) {
      return this.deliver(thrown);
    }
    return this.executeFetched(i);
  }

  /** The same where another engine has fetched and decoded the instruction at RIP. */
  executeFetched(i: Instruction): StepResult {
    const { cpu } = this;
    const state = this.#state, { u32 } = state;
    try {
      this.#recent.note(state, i);
      const low = u32[RIP_LOW]! + i.length;
      cpu.setNextIp(low, i.mode.codeSize !== 64 ? 0 : low < 2 ** 32 ? u32[RIP_HIGH]! : u32[RIP_HIGH]! + 1);
      const { meaning } = i.row;
      if (meaning.kind !== 'system') this.#ops.execute(i, cpu.nextIp);
      else {
        this.#fetcher.forgetPage();
        meaning.execute(cpu, i);
      }
    } catch (thrown) {
      return this.deliver(thrown);
    }
    u32[RIP_LOW] = cpu.nextHalves[0]!;
    u32[RIP_HIGH] = cpu.nextHalves[1]!;
    state.retired += 1;
    return RETIRED;
  }

  /** Delivers what the instruction at RIP threw; before one that froze, interrupts are looked for next. Throws on what is neither an exception of the guest nor unimplemented. */
  deliver(thrown: unknown): StepResult {
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
    return thrown instanceof Frozen ? EXCEPTION : this.#unimplemented(thrown);
  }

  /** The stop for what is not built (a task gate may be met in a delivery, too); anything else is a defect of ours and goes on up. */
  #unimplemented(thrown: unknown): Stop {
    if (!(thrown instanceof Unimplemented)) throw thrown;
    return { kind: 'unimplemented', rip: this.#state.rip, bytes: this.#fetcher.bytesForReport(this.cpu.mode()), what: thrown.what };
  }

  run(budget: number): Stop {
    this.#stopRequested = false;
    for (let left = budget; left > 0; left--) {
      const result = this.step();
      if (result !== RETIRED && result !== EXCEPTION) return result as Stop;
      if (this.#stops?.has(this.#state.rip) === true) return BREAKPOINT;
      if (this.#stopRequested) return REQUESTED;
    }
    return BUDGET;
  }
}
