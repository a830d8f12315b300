/** The smallest board that a traced program needs: processor, memory, and a debug-exit port. Every other port reads all ones. */
import { Cpu } from '../../../src/cpu/cpu.ts';
import { EVERY_FEATURE } from '../../../src/cpu/models.ts';
import { ReferenceEngine } from '../../../src/cpu/engines/reference/engine.ts';
import { enter } from '../../../src/machine/boot/enter.ts';
import { planBoot } from '../../../src/machine/boot/index.ts';
import { Mmu } from '../../../src/mmu/mmu.ts';
import { PhysicalMemory } from '../../../src/mmu/physical-memory.ts';
import { GuestState } from '../../../src/state/guest-state.ts';
import { CpuStepper } from '../../../src/trace/cpu-stepper.ts';

const DEBUG_EXIT = 0xf4;

export class BareBoard {
  readonly stepper: CpuStepper;
  readonly cpu: Cpu;
  readonly engine: ReferenceEngine;
  readonly entry: number;
  /** The exit status that the guest asked for. */
  status: number | undefined;

  constructor(image: Uint8Array, memoryBytes: number) {
    const state = new GuestState(memoryBytes);
    const memory = new PhysicalMemory(state);
    const mmu = new Mmu(state, memory);
    this.cpu = new Cpu(state, mmu, {
      readPort: (_port, bytes) => (bytes === 4 ? 0xffff_ffff : bytes === 2 ? 0xffff : 0xff),
      writePort: (port, _bytes, value) => { if (port === DEBUG_EXIT) this.status ??= ((value << 1) | 1) & 0xff; },
      interruptRequested: () => false,
      acknowledgeInterrupt: () => 0,
      now: () => state.retired,
      taskPriorityChanged: () => undefined,
      apicBaseChanged: () => undefined,
    }, EVERY_FEATURE);
    const plan = planBoot(image, memoryBytes);
    enter(this.cpu, memory, plan);
    this.entry = plan.entry;
    this.engine = new ReferenceEngine(this.cpu);
    this.stepper = new CpuStepper({ cpu: this.cpu, engine: this.engine, memory });
  }

  /** Calls `sabotage` when the stepper has executed `count` instructions. */
  afterInstruction(count: number, sabotage: () => void): void {
    const execute = this.stepper.execute.bind(this.stepper);
    let executed = 0;
    this.stepper.execute = () => {
      const move = execute();
      if (++executed === count) sabotage();
      return move;
    };
  }
}
