/** A case on one of the engines, in the same world as on the host. */
import type { GuestException } from '../../../src/cpu/exceptions.ts';
import { Cpu, type CpuBus } from '../../../src/cpu/cpu.ts';
import { decode, DecodeFailure } from '../../../src/cpu/decode/decode.ts';
import { instructionsOf } from '../../../src/cpu/decode/lookup.ts';
import type { Stop } from '../../../src/cpu/engines/engine.ts';
import { FastEngine } from '../../../src/cpu/engines/fast/engine.ts';
import { ReferenceEngine } from '../../../src/cpu/engines/reference/engine.ts';
import { EVERY_FEATURE } from '../../../src/cpu/models.ts';
import { readRflags, RFLAGS, writeRflags } from '../../../src/cpu/flags.ts';
import { setControl, setStatus } from '../../../src/cpu/fpu/control.ts';
import { emptyRegisters, retag } from '../../../src/cpu/fpu/registers.ts';
import { MODE_32, MODE_64 } from '../../../src/cpu/isa/instruction.ts';
import type { EngineName } from '../../../src/machine/machine.ts';
import { MXCSR_AFTER_RESET } from '../../../src/cpu/mxcsr.ts';
import { CR0, CR4, EFER, XCR0 } from '../../../src/mmu/control-bits.ts';
import { Mmu } from '../../../src/mmu/mmu.ts';
import { PageFault } from '../../../src/mmu/page-fault.ts';
import { PhysicalMemory } from '../../../src/mmu/physical-memory.ts';
import { GuestState } from '../../../src/state/guest-state.ts';
import { RAM_BASE, SEGMENT } from '../../../src/state/layout.ts';
import { CODE, CODE_PAGES, COMPARED_FLAGS, DATA, DATA_PAGES, dataPattern, GS_BASE, PAGE, START, WRITABLE_PAGES, type Case, type Fpu, type Outcome, type Simd } from './world.ts';

const NO_DEVICES: CpuBus = {
  readPort: () => 0xff,
  writePort: () => {},
  interruptRequested: () => false,
  acknowledgeInterrupt: () => 0,
  now: () => 0,
  taskPriorityChanged: () => {},
  apicBaseChanged: () => {},
};

/** Keeps what would be delivered: there is no IDT in this world. */
class FaultKeepingCpu extends Cpu {
  fault: GuestException | PageFault | undefined;
  onFault: () => void = () => {};
  override deliverException(e: GuestException | PageFault): void {
    this.fault = e;
    this.onFault();
  }
}

// Physical addresses.
const PML4 = 0x1000, PDPT = 0x2000, DIRECTORY = 0x3000, DATA_PT = 0x5000, CODE_PT = 0x6000;
const DATA_FRAMES = 0x1_0000, CODE_FRAMES = 0x2_0000;
const PRESENT = 1n, WRITABLE = 2n, USER = 4n, NO_EXECUTE = 1n << 63n;
const CODE_64 = 0xa0fb, CODE_32 = 0xc0fb, FLAT_DATA = 0xc0f3;
/** Iterations of the longest REP that a case asks for, and more. */
const MOST_STEPS = 1000;
/** Instructions that a fast engine may execute: so many that it enters what it translates, but most cases end at the INT3 behind the instruction. */
const MOST_FAST_STEPS = 5000;

const stopped = (result: Stop): Error => new Error(`the engine stopped: ${'what' in result ? result.what : result.kind}`);

function loadFpu(state: GuestState, { registers, control, status, valid }: Fpu): void {
  registers.forEach((v, n) => {
    state.fpuRegisters[2 * n] = BigInt.asUintN(64, v);
    state.fpuRegisters[2 * n + 1] = v >> 64n;
  });
  setControl(state, control);
  setStatus(state, status);
  retag(state, ~valid & 0xff);
}
const fpuOf = (state: GuestState): Fpu => ({
  registers: Array.from({ length: 8 }, (_, n) => (state.fpuRegisters[2 * n + 1]! << 64n) | state.fpuRegisters[2 * n]!),
  control: state.fpuControl, status: state.fpuStatus, valid: ~emptyRegisters(state.fpuTag) & 0xff,
});

/** One processor that runs case after case. */
export class SiliconWorld {
  readonly #cpu: FaultKeepingCpu;
  readonly #engine: ReferenceEngine | FastEngine;
  readonly #pattern = dataPattern();
  readonly #memory: Uint8Array;
  readonly #memoryWords: Uint32Array;
  readonly #expected = new Uint8Array(WRITABLE_PAGES * PAGE);
  readonly #expectedWords = new Uint32Array(this.#expected.buffer);
  /** The instruction that is in its place. */
  #last: Pick<Case, 'code' | 'codeSize'> | undefined;

  constructor(engine: EngineName = 'reference') {
    const state = new GuestState(0x4_0000);
    const cpu = new FaultKeepingCpu(state, new Mmu(state, new PhysicalMemory(state)), NO_DEVICES, EVERY_FEATURE);
    const entry = (table: number, index: bigint, value: bigint): void => { state.view.setBigUint64(RAM_BASE + table + Number(index & 511n) * 8, value, true); };
    const table = PRESENT | WRITABLE | USER;
    entry(PML4, 0n, BigInt(PDPT) | table);
    entry(PDPT, DATA >> 30n, BigInt(DIRECTORY) | table);
    for (const [base, pages, frames, count, code] of [[DATA, DATA_PT, DATA_FRAMES, DATA_PAGES, false], [CODE, CODE_PT, CODE_FRAMES, CODE_PAGES, true]] as const) {
      entry(DIRECTORY, base >> 21n, BigInt(pages) | table);
      for (let n = 0; n < count; n++) {
        const rights = code ? WRITABLE : n < WRITABLE_PAGES ? WRITABLE | NO_EXECUTE : NO_EXECUTE;
        entry(pages, (base >> 12n) + BigInt(n), BigInt(frames + n * PAGE) | PRESENT | USER | rights);
      }
    }
    for (const n of [SEGMENT.ES, SEGMENT.SS, SEGMENT.DS]) cpu.setSegment(n, { selector: 0x2b, attributes: FLAT_DATA, limit: 0xffff_ffff, base: 0n });
    cpu.setSegment(SEGMENT.GS, { selector: 0, attributes: FLAT_DATA, limit: 0xffff_ffff, base: GS_BASE });
    cpu.setSegment(SEGMENT.CS, { selector: 0x33, attributes: CODE_64, limit: 0xffff_ffff, base: 0n });
    state.cr3 = BigInt(PML4);
    // The INT3 behind an instruction looks for no gate.
    state.idtrLimit = 0;
    state.xcr0 = XCR0.X87 | XCR0.SSE | XCR0.AVX;
    cpu.setMode(CR0.PG | CR0.AM | CR0.WP | CR0.NE | CR0.ET | CR0.MP | CR0.PE, CR4.PAE | CR4.OSFXSR | CR4.OSXMMEXCPT | CR4.OSXSAVE, EFER.LME | EFER.LMA | EFER.NXE);
    this.#cpu = cpu;
    this.#engine = engine === 'reference' ? new ReferenceEngine(cpu) : new FastEngine(cpu, engine);
    cpu.onFault = () => { this.#engine.requestStop(); };
    this.#memory = state.u8.subarray(RAM_BASE + DATA_FRAMES, RAM_BASE + DATA_FRAMES + WRITABLE_PAGES * PAGE);
    this.#memoryWords = new Uint32Array(this.#memory.buffer, this.#memory.byteOffset, this.#memory.length / 4);
    state.u8.set(this.#pattern, RAM_BASE + DATA_FRAMES);
    state.u8.fill(0xcc, RAM_BASE + CODE_FRAMES, RAM_BASE + CODE_FRAMES + CODE_PAGES * PAGE);
  }

  /**
   * Makes the handlers of these cases together. Made one by one, each has a module and an instance of it, and V8 before 12 gives each instance a copy
   * of the handlers' table.
   */
  prepare(cases: Iterable<Pick<Case, 'code' | 'codeSize'>>): void {
    const engine = this.#engine;
    if (!(engine instanceof FastEngine)) return;
    const instructions = instructionsOf(this.#cpu.model.features);
    for (const { code, codeSize } of cases) {
      const i = decode(code, 0, codeSize === 64 ? MODE_64 : MODE_32, instructions);
      if (!(i instanceof DecodeFailure)) engine.handlers.of(i);
    }
    engine.handlers.compile();
  }

  run(c: Case): Outcome {
    const cpu = this.#cpu;
    const { state } = cpu;
    this.#expected.set(this.#pattern.subarray(0, this.#expected.length));
    this.#expected.set(c.poke.bytes, c.poke.offset);
    this.#memory.set(this.#expected);
    this.#putCode(c);
    c.gpr.forEach((v, n) => { state.gpr[n] = v; });
    c.simd?.xmm.forEach((v, n) => {
      state.xmm[2 * n] = BigInt.asUintN(64, v);
      state.xmm[2 * n + 1] = BigInt.asUintN(64, v >> 64n);
      state.ymmHigh[2 * n] = BigInt.asUintN(64, v >> 128n);
      state.ymmHigh[2 * n + 1] = v >> 192n;
    });
    state.mxcsr = c.simd?.mxcsr ?? MXCSR_AFTER_RESET;
    if (c.fpu) loadFpu(state, c.fpu);
    writeRflags(state, c.flags | RFLAGS.IF);
    cpu.setSegment(SEGMENT.CS, c.codeSize === 64
      ? { selector: 0x33, attributes: CODE_64, limit: 0xffff_ffff, base: 0n }
      : { selector: 0x23, attributes: CODE_32, limit: 0xffff_ffff, base: 0n });
    cpu.refresh();
    state.rip = START;
    cpu.fault = undefined;
    if (this.#engine instanceof FastEngine) this.#runFast(this.#engine);
    else this.#stepReference(this.#engine);
    return { ...this.#outcome(c.simd), fpu: c.fpu && fpuOf(state) };
  }

  /** Puts the instruction in its place. Where it is there already, an engine goes on with what it has made of it. */
  #putCode({ code, codeSize }: Case): void {
    if (this.#last?.codeSize === codeSize && Buffer.compare(this.#last.code, code) === 0) return;
    this.#last = { code, codeSize };
    const { u8 } = this.#cpu.state;
    const at = RAM_BASE + CODE_FRAMES + Number(START - CODE);
    u8.fill(0xcc, at - 32, at + 32);
    u8.set(code, at);
    this.#forgetCode();
  }

  #forgetCode(): void {
    const engine = this.#engine;
    if (!(engine instanceof FastEngine)) return engine.forgetEverything();
    engine.reference.forgetEverything();
    engine.code.clear();
  }

  #stepReference(engine: ReferenceEngine): void {
    const { state } = this.#cpu;
    for (let n = 0; n < MOST_STEPS; n++) {
      const result = engine.step();
      if (result.kind !== 'retired' && result.kind !== 'exception') throw stopped(result);
      if (result.kind === 'exception' || state.rip !== START) break;
    }
  }

  /** Runs on to the next fault: the instruction's own, or that of the INT3 that it left for, which is not part of the outcome. */
  #runFast(engine: FastEngine): void {
    const cpu = this.#cpu;
    const result = engine.run(MOST_FAST_STEPS);
    if (result.kind !== 'requested' && result.kind !== 'budget') throw stopped(result);
    if (cpu.state.rip !== START) cpu.fault = undefined;
  }

  /** How many regions the translator has made. */
  get regions(): number { return this.#engine instanceof FastEngine ? this.#engine.translator.statistics.regions : 0; }

  #outcome(simd: Simd | undefined): Outcome {
    const { state, fault } = this.#cpu;
    const memory = this.#memory;
    const expected = this.#expected;
    // Words first: they are looked at for every case that stores.
    const now = this.#memoryWords, then = this.#expectedWords;
    let first = 0;
    let end = Buffer.compare(memory, expected) === 0 ? 0 : memory.length;
    while (first < end && now[first >> 2] === then[first >> 2]) first += 4;
    while (first < end && memory[first] === expected[first]) first++;
    while (end > first && now[(end >> 2) - 1] === then[(end >> 2) - 1]) end -= 4;
    while (end > first && memory[end - 1] === expected[end - 1]) end--;
    return {
      gpr: Array.from({ length: 16 }, (_, n) => state.gpr[n] as bigint),
      flags: readRflags(state) & COMPARED_FLAGS,
      rip: state.rip,
      fault: fault === undefined ? undefined
        : fault instanceof PageFault ? { vector: 14, errorCode: fault.errorCode, cr2: fault.address }
          : { vector: fault.vector, errorCode: fault.errorCode ?? 0, cr2: 0n },
      changed: { offset: first === end ? 0 : first, bytes: memory.slice(first, end) },
      // The upper halves of registers that the case does not have are 0, and stay so.
      simd: simd && { xmm: Array.from({ length: 16 }, (_, n) => [state.ymmHigh[2 * n + 1]!, state.ymmHigh[2 * n]!, state.xmm[2 * n + 1]!, state.xmm[2 * n]!].reduce((v, part) => (v << 64n) | part)), mxcsr: state.mxcsr, wide: simd.wide },
    };
  }
}
