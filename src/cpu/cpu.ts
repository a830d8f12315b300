/**
 * The processor as system instructions and engines see it: state, paging, ports, and the rules that are not one
 * instruction's own (segmented access, exception delivery, modes). Every engine shares one Cpu.
 */
import type { GuestState } from '../state/guest-state.ts';
import type { Segment } from '../state/layout.ts';
import type { Mmu } from '../mmu/mmu.ts';
import type { PageFault } from '../mmu/page-fault.ts';
import type { GuestException } from './exceptions.ts';
import type { Mode } from './isa/instruction.ts';
import type { Width } from './isa/operand.ts';
import type { Intent } from './isa/ops.ts';

/** What the board gives the processor. */
export interface CpuBus {
  /** IN: `bytes` is 1, 2 or 4; an unclaimed port reads all ones. */
  readPort(port: number, bytes: 1 | 2 | 4): number;
  writePort(port: number, bytes: 1 | 2 | 4, value: number): void;
  /** Whether INTR is asserted. */
  interruptRequested(): boolean;
  /** INTA: the vector of the interrupt that is now in service. */
  acknowledgeInterrupt(): number;
  /** Virtual time in nanoseconds. */
  now(): number;
  /** MOV to CR8 and writes to IA32_APIC_BASE concern the local APIC. */
  taskPriorityChanged(cr8: number): void;
  apicBaseChanged(value: bigint): void;
}

export declare class Cpu {
  readonly state: GuestState;
  readonly mmu: Mmu;
  readonly bus: CpuBus;
  /** Where execution goes on: engines set it to the next instruction's offset before they execute one; branches overwrite it; engines commit it to RIP at the end. */
  nextIp: bigint;
  constructor(state: GuestState, mmu: Mmu, bus: CpuBus);
  /** Decode mode by EFER.LMA, CS.L, CS.D, SS.B. One of a few constant objects, so it may be compared by identity. */
  mode(): Mode;
  /** Reads w bits at segment:offset with all segment checks and the page walk. Throws GuestException or PageFault. */
  load(w: Width, segment: Segment, offset: bigint, intent: Intent): bigint;
  store(w: Width, segment: Segment, offset: bigint, value: bigint): void;
  /**
   * Something other than the next instruction may be due at the next boundary: an interrupt or NMI, a shadow to lift, TF,
   * a debug breakpoint. Whoever makes it so sets it; `beforeInstruction` clears it when nothing is left to watch.
   */
  attention: boolean;
  /** Called by engines at an instruction boundary when `attention` is set, also while halted: delivers what is due. The engine goes on at RIP if activity is then running. Throws nothing of the guest's. */
  beforeInstruction(): void;
  /** Delivers what an instruction threw; RIP is still that instruction's. Ends in a handler, in #DF or in shutdown (activity). Throws nothing of the guest's. */
  deliverException(exception: GuestException | PageFault): void;
}
