/**
 * A processor with memory, page tables, a GDT, an IDT and a TSS, and programs in guest assembly: for tests about system
 * instructions and exceptions. No devices: ports and interrupts are the test's own.
 */
import { Assembler, assemble, type AssemblerOptions } from '../../src/assembler/index.ts';
import { Cpu, type CpuBus } from '../../src/cpu/cpu.ts';
import type { Engine, StepResult, Stop } from '../../src/cpu/engines/engine.ts';
import { FastEngine } from '../../src/cpu/engines/fast/engine.ts';
import { ReferenceEngine } from '../../src/cpu/engines/reference/engine.ts';
import { decode, DecodeFailure } from '../../src/cpu/decode/decode.ts';
import type { CodeSize, Instruction } from '../../src/cpu/isa/instruction.ts';
import { onlyDeclaredWrites, registersOf } from './declared-writes.ts';
import { rowExecuted } from './rows-executed.ts';
import { readRflags, writeRflags } from '../../src/cpu/flags.ts';
import { EVERY_FEATURE, type CpuModel } from '../../src/cpu/models.ts';
import type { EngineName } from '../../src/machine/machine.ts';
import { CR0, CR4, EFER } from '../../src/mmu/control-bits.ts';
import { Mmu } from '../../src/mmu/mmu.ts';
import { PhysicalMemory } from '../../src/mmu/physical-memory.ts';
import { linear, physical } from '../../src/state/addresses.ts';
import { GuestState } from '../../src/state/guest-state.ts';
import { SEGMENT } from '../../src/state/layout.ts';

/** Where things are; all of it below 16 MiB, mapped to itself, open to user mode. */
export const AT = {
  code: 0x1_0000, userCode: 0x2_0000, handlers: 0x3_0000, data: 0x4_0000,
  gdt: 0x5_0000, idt: 0x5_1000, tss: 0x5_2000, ldt: 0x5_4000,
  kernelStack: 0x6_0000, userStack: 0x7_0000, rsp0: 0x8_0000, ist1: 0x9_0000, ist2: 0x9_8000,
  pml4: 0x10_0000, pdpt: 0x10_1000, pd: 0x10_2000, pt: 0x10_3000,
  /** 2 MiB in, mapped with 4 KiB pages, of which the test may take any away. */
  pages: 0x20_0000,
} as const;

/** Selectors of the GDT that `SystemMachine` writes. Free entries begin at `free`. */
export const SEL = { code64: 0x08, data: 0x10, code32: 0x18, userCode32: 0x23, userData: 0x2b, userCode64: 0x33, tss: 0x38, free: 0x48 } as const;

/** Access byte (bits 47:40) of usual descriptors at DPL 0. */
export const ACCESS = { code: 0x9b, conforming: 0x9f, executeOnly: 0x99, data: 0x93, readOnly: 0x91, expandDown: 0x97, ldt: 0x82, tss: 0x89, callGate: 0x8c, interruptGate: 0x8e, trapGate: 0x8f, taskGate: 0x85 } as const;
/** Flags nibble (bits 55:52). */
export const FLAGS = { long: 0xa, big: 0xc, big16: 0x8, byte: 0x4 } as const;
/** Selectors of real-address mode for the addresses in AT. */
export const REAL = { code: 0x1000, handlers: 0x3000, data: 0x4000, stack: 0x5800 } as const;
export const dpl = (level: number): number => level << 5;

/** The 8 bytes of a code, data or system segment descriptor. */
export function segment(access: number, flags: number, limit = 0xf_ffff, base = 0): bigint {
  const b = BigInt(base), l = BigInt(limit);
  return (l & 0xffffn) | ((b & 0xff_ffffn) << 16n) | (BigInt(access) << 40n) | ((l >> 16n) << 48n) | (BigInt(flags) << 52n) | ((b >> 24n) << 56n);
}
/** The first 8 bytes of a gate; the second half of a 64-bit one is offset bits 63:32. */
export function gate(access: number, selector: number, offset: number | bigint, low5 = 0): bigint {
  const o = BigInt(offset);
  return (o & 0xffffn) | (BigInt(selector) << 16n) | (BigInt(low5) << 32n) | (BigInt(access) << 40n) | (((o >> 16n) & 0xffffn) << 48n);
}

export interface Delivered { readonly vector: number; readonly errorCode: number | undefined; readonly kind: string; readonly rip: bigint }

/** Deliveries that are the instruction's own purpose: INT n, INT3, INTO, INT1. */
const SOFTWARE_KINDS = new Set(['software', 'INT1']);
/** There is no counter, so every index is #GP. */
const ALWAYS_FAULTS = new Set(['RDPMC']);

export class SystemMachine {
  readonly state = new GuestState(16 << 20);
  readonly memory = new PhysicalMemory(this.state);
  readonly mmu = new Mmu(this.state, this.memory);
  /** What the guest wrote to ports, and what reading one gives. */
  readonly written: { port: number; bytes: number; value: number }[] = [];
  readonly ports = new Map<number, number>();
  /** Vectors that the interrupt controller asserts, in order. */
  readonly interrupts: number[] = [];
  readonly delivered: Delivered[] = [];
  readonly cpu: Cpu;
  readonly engine: Engine;
  readonly #symbols = new Map<string, bigint>();

  /** `mode` 16 is real-address mode: CS is REAL.code, and so on. */
  constructor(mode: CodeSize = 64, engine: EngineName = 'reference', model: CpuModel = EVERY_FEATURE) {
    const bus: CpuBus = {
      readPort: (port) => this.ports.get(port) ?? 0xffff_ffff,
      writePort: (port, bytes, value) => { this.written.push({ port, bytes, value }); },
      interruptRequested: () => this.interrupts.length > 0,
      acknowledgeInterrupt: () => {
        const vector = this.interrupts.shift() ?? 0;
        return vector;
      },
      now: () => this.state.retired + this.state.idleTime,
      taskPriorityChanged: () => undefined,
      apicBaseChanged: () => undefined,
    };
    this.cpu = new Cpu(this.state, this.mmu, bus, model);
    this.engine = engine === 'reference' ? new ReferenceEngine(this.cpu) : new FastEngine(this.cpu, engine);
    this.cpu.onException = (vector, errorCode, _cr2, rip, kind) => this.delivered.push({ vector, errorCode, kind, rip });
    this.#tables();
    const { cpu, state } = this;
    const wide = mode === 64;
    cpu.setSegment(SEGMENT.CS, { selector: wide ? SEL.code64 : SEL.code32, attributes: ACCESS.code | (wide ? 0xa000 : 0xc000), limit: 0xffff_ffff, base: 0n });
    for (const s of [SEGMENT.SS, SEGMENT.DS, SEGMENT.ES, SEGMENT.FS, SEGMENT.GS]) cpu.setSegment(s, { selector: SEL.data, attributes: ACCESS.data | 0xc000, limit: 0xffff_ffff, base: 0n });
    cpu.setSegment(SEGMENT.TR, { selector: SEL.tss, attributes: 0x8b, limit: 0x2fff, base: BigInt(AT.tss) });
    state.gdtrBase = BigInt(AT.gdt);
    state.gdtrLimit = 0xfff;
    state.idtrBase = BigInt(AT.idt);
    state.idtrLimit = 0xfff;
    state.gpr[4] = BigInt(AT.kernelStack);
    state.cr3 = BigInt(AT.pml4);
    state.rip = BigInt(AT.code);
    if (wide) cpu.setMode((CR0.PE | CR0.PG | CR0.WP | CR0.ET | CR0.NE | CR0.AM) >>> 0, CR4.PAE | CR4.PGE | CR4.DE, EFER.LME | EFER.LMA | EFER.NXE | EFER.SCE);
    else if (mode === 32) cpu.setMode(CR0.PE | CR0.ET | CR0.NE | CR0.AM, CR4.DE, 0);
    else this.#enterRealMode();
  }

  #enterRealMode(): void {
    const { cpu, state } = this;
    const put = (number: number, selector: number, attributes: number): void => cpu.setSegment(number, { selector, attributes, limit: 0xffff, base: BigInt(selector) << 4n });
    put(SEGMENT.CS, REAL.code, ACCESS.code);
    put(SEGMENT.SS, REAL.stack, ACCESS.data);
    for (const s of [SEGMENT.DS, SEGMENT.ES, SEGMENT.FS, SEGMENT.GS]) put(s, REAL.data, ACCESS.data);
    state.idtrBase = 0n;
    state.idtrLimit = 0x3ff;
    state.gpr[4] = 0x8000n;
    state.rip = 0n;
    cpu.setMode(CR0.ET, 0, 0);
  }
  /** Writes an entry of the interrupt vector table of real-address mode. */
  vector(number: number, offset: number, selector: number = REAL.handlers): void {
    this.memory.write(physical(number * 4), 4, (selector << 16 | offset) >>> 0);
  }

  #tables(): void {
    const open = 7n;
    this.write64(AT.pml4, BigInt(AT.pdpt) | open);
    this.write64(AT.pml4 + 8 * 511, BigInt(AT.pdpt) | open);
    this.write64(AT.pdpt, BigInt(AT.pd) | open);
    this.write64(AT.pdpt + 8 * 510, BigInt(AT.pd) | open);
    for (let n = 0; n < 8; n++) this.write64(AT.pd + 8 * n, BigInt(n << 21) | open | 0x80n);
    this.write64(AT.pd + 8, BigInt(AT.pt) | open);
    for (let n = 0; n < 512; n++) this.write64(AT.pt + 8 * n, BigInt(AT.pages + 4096 * n) | open);
    this.descriptor(SEL.code64, segment(ACCESS.code, FLAGS.long));
    this.descriptor(SEL.data, segment(ACCESS.data, FLAGS.big));
    this.descriptor(SEL.code32, segment(ACCESS.code, FLAGS.big));
    this.descriptor(SEL.userCode32, segment(ACCESS.code | dpl(3), FLAGS.big));
    this.descriptor(SEL.userData, segment(ACCESS.data | dpl(3), FLAGS.big));
    this.descriptor(SEL.userCode64, segment(ACCESS.code | dpl(3), FLAGS.long));
    this.descriptor(SEL.tss, segment(ACCESS.tss, 0, 0x2fff, AT.tss), 0n);
    this.write64(AT.tss + 4, BigInt(AT.rsp0));
    this.write64(AT.tss + 36, BigInt(AT.ist1));
    this.write64(AT.tss + 44, BigInt(AT.ist2));
    // No I/O permission bitmap.
    this.memory.write(physical(AT.tss + 102), 2, 0xffff);
  }

  read64(at: number): bigint { return this.memory.read64(physical(at)); }
  write64(at: number, value: bigint): void { this.memory.write64(physical(at), value); }
  /** Takes the 4 KiB page at `pages + offset` away, or gives its entry other bits. */
  mapPage(offset: number, bits: bigint): void {
    this.write64(AT.pt + (offset >> 12) * 8, bits === 0n ? 0n : BigInt(AT.pages + offset) | bits);
    this.mmu.flushAll();
  }

  /** Writes a GDT entry; a second half for 16-byte descriptors. */
  descriptor(selector: number, low: bigint, high?: bigint): void {
    this.write64(AT.gdt + (selector & ~7), low);
    if (high !== undefined) this.write64(AT.gdt + (selector & ~7) + 8, high);
  }

  /** Writes an IDT gate of the current mode. */
  gate(vector: number, options: { access?: number; selector?: number; offset?: number | bigint; ist?: number } = {}): void {
    const long = (this.state.efer & EFER.LMA) !== 0;
    const { access = ACCESS.interruptGate, selector = long ? SEL.code64 : SEL.code32, offset = AT.handlers + vector * 16, ist = 0 } = options;
    const at = AT.idt + vector * (long ? 16 : 8);
    this.write64(at, gate(access, selector, offset, ist));
    if (long) this.write64(at + 8, BigInt(offset) >> 32n);
  }
  /** Gates for all 32 exceptions, whose handlers are HLT. */
  gates(): this {
    for (let vector = 0; vector < 32; vector++) {
      if (this.cpu.realMode) this.vector(vector, vector * 16);
      else this.gate(vector);
      this.memory.write(physical(AT.handlers + vector * 16), 1, 0xf4);
    }
    return this;
  }

  /** Assembles a program to where RIP is, or elsewhere. */
  program(body: (a: Assembler) => void, options: AssemblerOptions = {}): this {
    const bits = this.cpu.mode().codeSize;
    // 16-bit code names offsets in its segment.
    const base = bits === 16 ? this.state.base[SEGMENT.CS]! : 0n;
    const origin = Number(options.origin ?? base + this.state.rip);
    const { bytes, symbols } = assemble(body, { bits, virtualBase: -base, origin, ...options });
    this.memory.copyIn(physical(origin), bytes);
    for (const [name, symbol] of symbols) this.#symbols.set(name, symbol.linear);
    return this;
  }

  /** Address of a label of any program so far. */
  symbol(name: string): bigint {
    const address = this.#symbols.get(name);
    if (address === undefined) throw new Error(`no label ${name}`);
    return address;
  }

  /** One step; the row of the instruction is noted if it was completed, or delivered what it is there to deliver. */
  #step(): StepResult {
    const i = this.#instructionAtRip();
    const { retired } = this.state;
    const deliveries = this.delivered.length, registers = i?.row.meaning.kind === 'system' ? registersOf(this.cpu) : undefined;
    const result = this.engine.step();
    const first = this.delivered[deliveries];
    const raised = first !== undefined && (SOFTWARE_KINDS.has(first.kind) || ALWAYS_FAULTS.has(i?.mnemonic ?? ''));
    if (i && (this.state.retired > retired || raised)) rowExecuted(i.row);
    if (i && registers !== undefined && this.state.retired > retired && first === undefined) onlyDeclaredWrites(i, registers, registersOf(this.cpu));
    return result;
  }

  #instructionAtRip(): Instruction | undefined {
    const { cpu, state } = this;
    const at = cpu.in64BitMode ? state.rip : BigInt.asUintN(32, state.base[SEGMENT.CS]! + state.rip);
    const bytes: number[] = [];
    for (let n = 0n; n < 15n; n++) {
      const found = this.mmu.explain(linear(at + n)).physicalAddress;
      if (found === undefined || found >= state.ramBytes) break;
      bytes.push(this.memory.read(physical(found), 1));
    }
    const i = decode(Uint8Array.from(bytes), 0, cpu.mode());
    return i instanceof DecodeFailure ? undefined : i;
  }

  /** Runs `count` steps (an instruction or a delivery each). */
  step(count = 1): StepResult {
    let result: StepResult = { kind: 'retired' };
    for (let n = 0; n < count; n++) result = this.#step();
    return result;
  }

  /** Runs until HLT, shutdown or something unimplemented; at most 10,000 steps. */
  run(): StepResult {
    for (let n = 0; n < 10_000; n++) {
      const result = this.#step();
      if (result.kind !== 'retired' && result.kind !== 'exception') return result;
    }
    throw new Error(`still running at RIP ${this.state.rip.toString(16)}`);
  }

  /** Runs on the chosen engine, as a board would: until HLT, shutdown, something unimplemented or the end of the budget. */
  runFast(budget: number): Stop {
    const { cpu, state } = this;
    const end = state.retired + cpu.deliveries + budget;
    for (;;) {
      const left = end - state.retired - cpu.deliveries;
      if (left <= 0) return { kind: 'budget' };
      const stop = this.engine.run(left);
      if (stop.kind !== 'budget' && stop.kind !== 'requested') return stop;
    }
  }

  /** Goes to CPL 3 at once, as a return from the kernel would. */
  enterUser(bits: 64 | 32 = 64): this {
    const { cpu, state } = this;
    cpu.setSegment(SEGMENT.CS, { selector: bits === 64 ? SEL.userCode64 : SEL.userCode32, attributes: ACCESS.code | dpl(3) | (bits === 64 ? 0xa000 : 0xc000), limit: 0xffff_ffff, base: 0n });
    for (const s of [SEGMENT.SS, SEGMENT.DS, SEGMENT.ES]) cpu.setSegment(s, { selector: SEL.userData, attributes: ACCESS.data | dpl(3) | 0xc000, limit: 0xffff_ffff, base: 0n });
    state.cpl = 3;
    state.gpr[4] = BigInt(AT.userStack);
    state.rip = BigInt(AT.userCode);
    cpu.refresh();
    return this;
  }

  get rflags(): number { return readRflags(this.state); }
  set rflags(value: number) { writeRflags(this.state, value); this.cpu.refresh(); }
  get rsp(): bigint { return this.state.gpr[4]!; }
  /** The n-th value from the top of the stack, as wide as asked. */
  stacked(n: number, bytes = 8): bigint {
    return this.mmu.load(linear(this.rsp + BigInt(n * bytes)), bytes as 4 | 8, 'supervisor', false);
  }
  selector(number: number): number { return this.state.selector[number]!; }

  /** The last exception that was delivered, in words: `#GP(0x18)`. */
  get lastException(): string {
    const last = this.delivered.at(-1);
    if (!last) return 'none';
    return nameOf(last);
  }
}

const NAMES = ['#DE', '#DB', 'NMI', '#BP', '#OF', '#BR', '#UD', '#NM', '#DF', '9', '#TS', '#NP', '#SS', '#GP', '#PF', '15', '#MF', '#AC', '#MC', '#XM'];
export const nameOf = (d: Delivered): string => `${NAMES[d.vector] ?? `vector ${d.vector}`}${d.errorCode === undefined ? '' : `(${d.errorCode === 0 ? '0' : `0x${d.errorCode.toString(16)}`})`}`;
