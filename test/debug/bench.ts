/** A processor with memory and nothing else, started in 64-bit mode with low memory mapped one to one. */
import { Cpu, type CpuBus } from '../../src/cpu/cpu.ts';
import { ReferenceEngine } from '../../src/cpu/engines/reference/engine.ts';
import { CR0, CR4, EFER } from '../../src/mmu/control-bits.ts';
import { Mmu } from '../../src/mmu/mmu.ts';
import { PhysicalMemory } from '../../src/mmu/physical-memory.ts';
import { physical } from '../../src/state/addresses.ts';
import { GuestState } from '../../src/state/guest-state.ts';
import { SEGMENT } from '../../src/state/layout.ts';

const NO_BUS: CpuBus = {
  readPort: () => 0xff, writePort: () => {}, interruptRequested: () => false, acknowledgeInterrupt: () => 0xff, now: () => 0, taskPriorityChanged: () => {}, apicBaseChanged: () => {},
};

/** Where things are. PAGE_TABLE maps the first 2 MiB in 4 KiB pages. */
export const CODE = 0x1000, IDT = 0x2000, GDT = 0x3000, TSS = 0x3800, STACK = 0x8000, PML4 = 0x1_0000, PAGE_TABLE = 0x1_3000;
export const CODE_SELECTOR = 0x08, DATA_SELECTOR = 0x10, TSS_SELECTOR = 0x18;

export class Bench {
  readonly state = new GuestState(4 << 20);
  readonly memory = new PhysicalMemory(this.state);
  readonly mmu = new Mmu(this.state, this.memory);
  readonly cpu: Cpu;
  readonly engine: ReferenceEngine;

  /** `bus`: what the board does other than nothing. */
  constructor(code: readonly number[], bus: Partial<CpuBus> = {}) {
    this.cpu = new Cpu(this.state, this.mmu, { ...NO_BUS, ...bus });
    this.engine = new ReferenceEngine(this.cpu);
    const { state, cpu, memory } = this;
    memory.copyIn(physical(CODE), Uint8Array.from(code));
    this.write64(PML4, 0x1_1003n);
    this.write64(0x1_1000, 0x1_2003n);
    this.write64(0x1_2000, BigInt(PAGE_TABLE) | 3n);
    for (let page = 0; page < 512; page++) this.write64(PAGE_TABLE + 8 * page, BigInt(page * 4096) | 3n);
    this.write64(GDT + CODE_SELECTOR, 0x00af_9b00_0000_ffffn);
    this.write64(GDT + DATA_SELECTOR, 0x00cf_9300_0000_ffffn);
    state.gdtrBase = BigInt(GDT);
    state.gdtrLimit = 0x27;
    state.idtrBase = BigInt(IDT);
    state.idtrLimit = 0xfff;
    state.cr3 = BigInt(PML4);
    cpu.setSegment(SEGMENT.CS, { selector: CODE_SELECTOR, base: 0n, limit: 0xffff_ffff, attributes: 0xa09b });
    for (const segment of [SEGMENT.ES, SEGMENT.SS, SEGMENT.DS, SEGMENT.FS, SEGMENT.GS]) {
      cpu.setSegment(segment, { selector: DATA_SELECTOR, base: 0n, limit: 0xffff_ffff, attributes: 0xc093 });
    }
    cpu.setSegment(SEGMENT.TR, { selector: TSS_SELECTOR, base: BigInt(TSS), limit: 0x67, attributes: 0x8b });
    cpu.setMode(CR0.PE | CR0.PG | CR0.WP | CR0.NE | CR0.ET, CR4.PAE, EFER.LME | EFER.LMA | EFER.NXE);
    state.rip = BigInt(CODE);
    state.gpr[4] = BigInt(STACK);
  }

  write64(at: number, value: bigint): void { this.memory.write64(physical(at), value); }

  /** Writes a 64-bit interrupt gate for a vector. */
  gate(vector: number, handler: bigint, options: { present?: boolean; ist?: number; selector?: number } = {}): void {
    const { present = true, ist = 0, selector = CODE_SELECTOR } = options;
    this.write64(IDT + 16 * vector, (handler & 0xffffn) | (BigInt(selector) << 16n) | (BigInt(ist) << 32n) | (present ? 0x8e00n : 0x0e00n) << 32n | ((handler >> 16n & 0xffffn) << 48n));
    this.write64(IDT + 16 * vector + 8, handler >> 32n);
  }

  /** Runs until the processor shuts down. */
  runToShutdown(): void {
    const stop = this.engine.run(1000);
    if (stop.kind !== 'shutdown') throw new Error(`expected a triple fault, not ${stop.kind} at 0x${this.state.rip.toString(16)}`);
  }
}
