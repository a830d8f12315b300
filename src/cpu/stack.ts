/**
 * A stack in use by an instruction or delivery that pushes or pops several values: memory is accessed as it goes, the
 * stack pointer is committed at the end. It may be the current stack or the one of an inner privilege level.
 * SDM Vol. 1, "Procedure Stack"; Vol. 3A, "Stack Switching".
 */
import { highOf, joined, lowOf } from '../state/halves.ts';
import { OFFSET, SEGMENT } from '../state/layout.ts';
import type { Privilege } from '../mmu/mmu.ts';
import type { Cpu } from './cpu.ts';
import { ATTRIBUTE, isReadable, isWritable } from './descriptors.ts';
import { AC, SS, type GuestException } from './exceptions.ts';
import { RSP } from './isa/operand.ts';
import { isCanonicalAccess, withinLimit, type CachedSegment } from './segmentation.ts';

export type StackWidth = 16 | 32 | 64;
const RSP_LOW = OFFSET.gpr / 4 + 2 * RSP;

export interface StackDescription {
  readonly segment: CachedSegment;
  /** Width of the stack pointer: 64 means flat, with canonical checks; else SS.B. */
  readonly width: StackWidth;
  readonly pointer: bigint;
  readonly privilege: Privilege;
  /** What a limit violation or a non-canonical address raises. Default: #SS(0). */
  readonly fault?: (reason: string) => GuestException;
}

export class Stack {
  readonly #cpu: Cpu;
  readonly #d: StackDescription;
  /** Bits 31:0 and 63:32 of where the stack pointer is by now. */
  #low = 0;
  #high = 0;

  constructor(cpu: Cpu, description: StackDescription) {
    this.#cpu = cpu;
    this.#d = description;
    this.#setPointer(lowOf(description.pointer), highOf(description.pointer));
  }

  /** The stack of SS:rSP. */
  static current(cpu: Cpu, fault?: StackDescription['fault']): Stack {
    const here = { segment: cpu.segment(SEGMENT.SS), width: cpu.mode().stackSize, pointer: cpu.state.gpr[RSP]!, privilege: cpu.privilege };
    return new Stack(cpu, fault ? { ...here, fault } : here);
  }

  /** Where the stack pointer is by now. */
  get pointer(): bigint { return joined(this.#low, this.#high); }

  #setPointer(low: number, high: number): void {
    const { width } = this.#d;
    this.#low = width === 16 ? low & 0xffff : low >>> 0;
    this.#high = width === 64 ? high >>> 0 : 0;
  }

  /** Moves the pointer: forwards over parameters, backwards for a push. */
  skip(bytes: number): void {
    const low = this.#low + bytes;
    this.#setPointer(low, this.#high + (low < 0 ? -1 : low >= 2 ** 32 ? 1 : 0));
  }

  /** Checks an access at the pointer. Returns bits 31:0 of its linear address; bits 63:32 are the pointer's. */
  #address(bytes: 2 | 4 | 8, write: boolean): number {
    const { segment, width, privilege } = this.#d;
    let address = this.#low;
    if (width === 64) {
      if (!isCanonicalAccess(address, this.#high, bytes, this.#cpu.linearWidth)) throw this.#fault('stack address is not canonical');
    } else {
      if ((segment.attributes & ATTRIBUTE.UNUSABLE) !== 0) throw this.#fault('stack segment is null');
      if (this.#cpu.protectedMode && !(write ? isWritable : isReadable)(segment.attributes)) throw this.#fault('stack segment type');
      if (!withinLimit(segment.attributes, segment.limit, address, bytes)) throw this.#fault('stack segment limit');
      address = (lowOf(segment.base) + address) >>> 0;
    }
    if (privilege === 'user' && this.#cpu.alignmentChecked && (address & 7 & (bytes - 1)) !== 0) throw AC();
    return address;
  }
  #fault(reason: string): GuestException { return this.#d.fault?.(reason) ?? SS(0, reason); }

  push(width: StackWidth, value: bigint): void { this.pushHalves(width, lowOf(value), highOf(value)); }

  /** The same of a value in halves: for selectors and flags the low one is all. */
  pushHalves(width: StackWidth, low: number, high = 0): void {
    const bytes = (width / 8) as 2 | 4 | 8;
    this.skip(-bytes);
    this.#cpu.mmu.storeHalves(this.#address(bytes, true), this.#high, bytes, this.#d.privilege, low, high);
  }

  pop(width: StackWidth): bigint {
    const low = this.popLow(width);
    return joined(low, this.#cpu.mmu.loadedHigh);
  }

  /** Pops a value of which bits 31:0 are wanted. */
  popLow(width: StackWidth): number {
    const bytes = (width / 8) as 2 | 4 | 8;
    const { mmu } = this.#cpu;
    mmu.loadHalves(this.#address(bytes, false), this.#high, bytes, this.#d.privilege);
    this.skip(bytes);
    return mmu.loadedLow;
  }

  /** Writes the stack pointer back: bits above a 16-bit pointer stay, those above a 32-bit one are cleared. */
  commit(): void {
    const { u32 } = this.#cpu.state;
    if (this.#d.width === 16) {
      u32[RSP_LOW] = (u32[RSP_LOW]! & ~0xffff) | this.#low;
      return;
    }
    u32[RSP_LOW] = this.#low;
    u32[RSP_LOW + 1] = this.#high;
  }
}
