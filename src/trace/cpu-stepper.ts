/**
 * Our processor as a Stepper: the reference engine, one move at a time, with its interrupt input in the hands of the
 * comparison and its device reads observed. The board's own interrupts stay pending and are never taken.
 */
import type { Cpu } from '../cpu/cpu.ts';
import { decode, DecodeFailure } from '../cpu/decode/decode.ts';
import { instructionsOf } from '../cpu/decode/lookup.ts';
import type { ReferenceEngine } from '../cpu/engines/reference/engine.ts';
import { readRflags } from '../cpu/flags.ts';
import { modeOf, type Instruction } from '../cpu/isa/instruction.ts';
import { RSP } from '../cpu/isa/operand.ts';
import { format } from '../cpu/describe/format.ts';
import type { MmioDevice, PhysicalMemory } from '../mmu/physical-memory.ts';
import { linear, PAGE_SIZE, physical } from '../state/addresses.ts';
import { ACTIVITY, FIELDS, OFFSET, RAM_BASE, SEGMENT, type FieldName } from '../state/layout.ts';
import { FIELD, type TraceState } from './state.ts';
import type { CodePlace, Delivery, DeviceRead, Move, Stepper } from './stepper.ts';

/** The parts of a machine that lockstep takes hold of. */
export interface LockstepMachine {
  readonly cpu: Cpu;
  readonly engine: ReferenceEngine;
  readonly memory: PhysicalMemory;
  /** Devices in the physical address space, already added to `memory`. */
  readonly mmio?: readonly { readonly base: number; readonly bytes: number; readonly device: MmioDevice }[];
  /** Called after each instruction: lets devices see the time. */
  readonly afterInstruction?: () => void;
}

const NMI = 2;
const PRESENT = 0x80, UNUSABLE = 0x1_0000, MAX_INSTRUCTION_BYTES = 15;
const SOFTWARE_KINDS = new Set(['software', 'INT1']);

/** Where a recorded word lies in the guest state: index of a 32-bit word, and whether a second one follows. */
interface Home { readonly word: number; readonly at: number; readonly wide: boolean }

function homes(): readonly Home[] {
  const list: Home[] = [];
  const put = (word: number, name: FieldName, index = 0): void => {
    const wide = FIELDS[name].kind === 'u64';
    list.push({ word, at: OFFSET[name] / 4 + index * (wide ? 2 : 1), wide });
  };
  for (let n = 0; n < 16; n++) put(FIELD.gpr + n, 'gpr', n);
  put(FIELD.rip, 'rip');
  put(FIELD.cpl, 'cpl');
  for (let segment = 0; segment < 8; segment++) {
    put(FIELD.segments + segment * 4, 'selector', segment);
    put(FIELD.segments + segment * 4 + 1, 'base', segment);
    put(FIELD.segments + segment * 4 + 2, 'limit', segment);
    put(FIELD.segments + segment * 4 + 3, 'attributes', segment);
  }
  put(FIELD.gdtrBase, 'gdtrBase');
  put(FIELD.gdtrLimit, 'gdtrLimit');
  put(FIELD.idtrBase, 'idtrBase');
  put(FIELD.idtrLimit, 'idtrLimit');
  put(FIELD.cr0, 'cr0');
  put(FIELD.cr2, 'cr2');
  put(FIELD.cr3, 'cr3');
  put(FIELD.cr4, 'cr4');
  put(FIELD.cr8, 'cr8');
  put(FIELD.efer, 'efer');
  for (let n = 0; n < 4; n++) put(FIELD.dr0 + n, 'dr', n);
  put(FIELD.dr6, 'dr6');
  put(FIELD.dr7, 'dr7');
  return list;
}
const HOMES = homes();

export class CpuStepper implements Stepper {
  readonly ram: Uint8Array;
  readonly #machine: LockstepMachine;
  #moves: Delivery[] = [];
  #reads: DeviceRead[] = [];
  #vector: number | undefined;

  /** Takes over the interrupt input and the exception observer of the machine's processor. */
  constructor(machine: LockstepMachine) {
    this.#machine = machine;
    const { cpu, memory } = machine;
    this.ram = cpu.state.u8.subarray(RAM_BASE, RAM_BASE + cpu.state.ramBytes);
    const { bus } = cpu;
    const readPort = bus.readPort.bind(bus);
    bus.readPort = (port, bytes) => {
      this.#reads.push({ space: 'port', address: port });
      return readPort(port, bytes);
    };
    bus.interruptRequested = () => this.#vector !== undefined;
    bus.acknowledgeInterrupt = () => {
      const vector = this.#vector;
      if (vector === undefined) throw new Error('an interrupt was acknowledged that lockstep did not request');
      this.#vector = undefined;
      return vector;
    };
    for (const { base, bytes, device } of machine.mmio ?? []) {
      memory.removeMmio(physical(base));
      memory.addMmio(physical(base), bytes, {
        name: device.name,
        read: (offset, width) => {
          this.#reads.push({ space: 'memory', address: base + offset });
          return device.read(offset, width);
        },
        write: (offset, width, value) => device.write(offset, width, value),
      });
    }
    const observer = cpu.onException;
    cpu.onException = (vector, errorCode, cr2, rip, kind) => {
      this.#moves.push({ vector, errorCode, software: SOFTWARE_KINDS.has(kind) });
      observer?.(vector, errorCode, cr2, rip, kind);
    };
  }

  start(state: TraceState, initialPages: ReadonlyMap<number, Uint8Array>): void {
    const { cpu, memory, engine } = this.#machine;
    for (const [frame, page] of initialPages) memory.copyIn(physical(frame * PAGE_SIZE), page);
    for (const { word, at, wide } of HOMES) {
      cpu.state.u32[at] = state.halves[word * 2]!;
      if (wide) cpu.state.u32[at + 1] = state.halves[word * 2 + 1]!;
    }
    this.#markUnusable();
    cpu.setMode(cpu.state.cr0, cpu.state.cr4, cpu.state.efer);
    cpu.bus.taskPriorityChanged(cpu.state.cr8);
    cpu.state.cpl = Number(state.words[FIELD.cpl]);
    cpu.setRflags(Number(state.words[FIELD.rflags]));
    engine.forgetEverything();
  }

  /** QEMU has no mark for a segment register that holds nothing: it is one that is not present. */
  #markUnusable(): void {
    const { attributes } = this.#machine.cpu.state;
    for (let segment = 0; segment < 8; segment++) {
      if ((attributes[segment]! & PRESENT) === 0) attributes[segment]! |= UNUSABLE;
    }
  }

  read(state: TraceState): void {
    const { cpu } = this.#machine;
    const { u32 } = cpu.state;
    const { halves } = state;
    for (const { word, at, wide } of HOMES) {
      halves[word * 2] = u32[at]!;
      halves[word * 2 + 1] = wide ? u32[at + 1]! : 0;
    }
    for (let word = FIELD.segments + 3; word < FIELD.segments + 32; word += 4) halves[word * 2]! &= 0xffff;
    halves[FIELD.rflags * 2] = readRflags(cpu.state);
    halves[FIELD.shadow * 2] = cpu.state.interruptShadow;
    halves[FIELD.halted * 2] = cpu.state.activity;
    state.wide = cpu.in64BitMode;
  }

  #take(unimplemented?: string): Move {
    const deliveries = this.#moves;
    if (deliveries.length > 0) this.#moves = [];
    return unimplemented === undefined ? { deliveries } : { deliveries, unimplemented };
  }

  boundary(): Move {
    const { cpu } = this.#machine;
    if (cpu.attention) cpu.serviceAttention();
    return this.#take();
  }

  execute(): Move {
    if (this.#reads.length > 0) this.#reads = [];
    const result = this.#machine.engine.execute();
    this.#machine.afterInstruction?.();
    return this.#take(result.kind === 'unimplemented' ? result.what : undefined);
  }

  interrupt(vector: number): Move {
    const { cpu } = this.#machine;
    if (vector === NMI) cpu.requestNmi();
    else {
      this.#vector = vector;
      cpu.interruptLineChanged();
    }
    cpu.serviceAttention();
    this.#vector = undefined;
    cpu.interruptLineChanged();
    return this.#take();
  }

  adopt(word: number, value: bigint): void {
    const { cpu } = this.#machine;
    if (word === FIELD.rflags) cpu.setRflags(Number(value));
    else {
      const home = HOMES.find((x) => x.word === word);
      if (!home) return;
      cpu.state.u32[home.at] = Number(value & 0xffff_ffffn);
      if (home.wide) cpu.state.u32[home.at + 1] = Number(value >> 32n);
      this.#markUnusable();
      cpu.refresh();
    }
  }

  /** Whether what was delivered last has pushed a frame: the delivery that ends in a shutdown has none. */
  get #hasFrame(): boolean { return this.#machine.cpu.state.activity !== ACTIVITY.shutdown; }

  adoptErrorCode(value: number): void {
    const { cpu } = this.#machine;
    if (!this.#hasFrame) return;
    cpu.store(32, SEGMENT.SS, cpu.state.gpr[RSP]!, BigInt(value));
  }

  clearPushedFlags(mask: number, withErrorCode: boolean): void {
    const { cpu } = this.#machine;
    // FLAGS alone is pushed in real-address mode.
    if (cpu.realMode || !this.#hasFrame) return;
    // Error code, RIP, CS, RFLAGS: 8 bytes each in IA-32e mode, 4 elsewhere.
    const at = cpu.state.gpr[RSP]! + (cpu.longModeActive ? 8n : 4n) * (withErrorCode ? 3n : 2n);
    const flags = cpu.load(32, SEGMENT.SS, at, 'read');
    cpu.store(32, SEGMENT.SS, at, flags & ~BigInt(mask));
  }

  /** The bytes from a place on, up to the longest instruction; fewer where a page is missing. */
  #code({ rip, base, codeSize }: CodePlace): Uint8Array {
    const { cpu } = this.#machine;
    const start = codeSize === 64 ? rip : BigInt.asUintN(32, base + rip);
    const inPage = Math.min(MAX_INSTRUCTION_BYTES, PAGE_SIZE - Number(start & 0xfffn));
    const bytes = new Uint8Array(MAX_INSTRUCTION_BYTES);
    let have = 0;
    for (const [from, count] of [[start, inPage], [start + BigInt(inPage), MAX_INSTRUCTION_BYTES - inPage]] as const) {
      const at = count === 0 ? undefined : cpu.mmu.explain(linear(from)).physicalAddress;
      if (at === undefined || at + count > this.ram.length) break;
      bytes.set(this.ram.subarray(at, at + count), have);
      have += count;
    }
    return bytes.subarray(0, have);
  }

  instructionAt(place: CodePlace): Instruction | undefined {
    const decoded = decode(this.#code(place), 0, modeOf(place.codeSize), instructionsOf(this.#machine.cpu.model.features));
    return decoded instanceof DecodeFailure ? undefined : decoded;
  }

  executedAt(place: CodePlace): Instruction | undefined {
    const last = this.#machine.engine.recentInstructions().at(-1);
    return last !== undefined && last.rip === place.rip ? last.instruction : this.instructionAt(place);
  }

  disassemble(place: CodePlace): string {
    const instruction = this.instructionAt(place);
    return instruction === undefined ? [...this.#code(place)].map((b) => b.toString(16).padStart(2, '0')).join(' ') : format(instruction, place.rip);
  }

  deviceReads(): readonly DeviceRead[] {
    return this.#reads;
  }
}
