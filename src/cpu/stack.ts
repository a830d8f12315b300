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
import { isCanonicalAccess } from '../state/addresses.ts';
import { withinLimit, type CachedSegment } from './segmentation.ts';

export type StackWidth = 16 | 32 | 64;
const RSP_LOW = OFFSET.gpr / 4 + 2 * RSP;
const SS_BASE_LOW = OFFSET.base / 4 + 2 * SEGMENT.SS;

export interface StackDescription {
  readonly segment: CachedSegment;
  /** Width of the stack pointer: 64 means flat, with canonical checks; else SS.B. */
  readonly width: StackWidth;
  readonly pointer: bigint;
  readonly privilege: Privilege;
  /** Of the #SS that a limit violation or a non-canonical address raises. Default: 0. */
  readonly errorCode?: number;
}

export class Stack {
  readonly #cpu: Cpu;
  /** Bits 31:0 and 63:32 of where the stack pointer is by now, signed. */
  #low = 0;
  #high = 0;
  #width: StackWidth = 64;
  #privilege: Privilege = 'supervisor';
  #errorCode = 0;
  /** Of the segment; nothing is asked of it where the width is 64. */
  #attributes = 0;
  #limit = 0;
  #base = 0;

  constructor(cpu: Cpu, description?: StackDescription) {
    this.#cpu = cpu;
    if (description === undefined) return;
    const { segment, width, pointer, privilege, errorCode = 0 } = description;
    this.#attributes = segment.attributes;
    this.#limit = segment.limit;
    this.#base = lowOf(segment.base);
    this.#begin(lowOf(pointer), highOf(pointer), width, privilege, errorCode);
  }

  /** The stack of SS:rSP. One serves all its users, one after the other. */
  static current(cpu: Cpu, errorCode = 0): Stack {
    const { stack, state } = cpu;
    stack.#attributes = state.attributes[SEGMENT.SS]!;
    stack.#limit = state.limit[SEGMENT.SS]!;
    stack.#base = state.u32[SS_BASE_LOW]!;
    return stack.#begin(state.u32[RSP_LOW]!, state.u32[RSP_LOW + 1]!, cpu.mode().stackSize, cpu.privilege, errorCode);
  }

  /** The flat stack of 64-bit mode at a pointer in halves, in the place of the current one. */
  static flat(cpu: Cpu, low: number, high: number, privilege: Privilege, errorCode: number): Stack { return cpu.stack.#begin(low, high, 64, privilege, errorCode); }

  #begin(low: number, high: number, width: StackWidth, privilege: Privilege, errorCode: number): this {
    this.#width = width;
    this.#privilege = privilege;
    this.#errorCode = errorCode;
    this.#setPointer(low, high);
    return this;
  }

  /** Where the stack pointer is by now. */
  get pointer(): bigint { return joined(this.#low, this.#high); }

  #setPointer(low: number, high: number): void {
    this.#low = this.#width === 16 ? low & 0xffff : low | 0;
    this.#high = this.#width === 64 ? high | 0 : 0;
  }

  /** Moves the pointer: forwards over parameters, backwards for a push. */
  skip(bytes: number): void {
    const low = (this.#low >>> 0) + bytes;
    this.#setPointer(low, this.#high + (low < 0 ? -1 : low >= 2 ** 32 ? 1 : 0));
  }

  /** Checks an access at the pointer. Returns bits 31:0 of its linear address; bits 63:32 are the pointer's. */
  #address(bytes: 2 | 4 | 8, write: boolean): number {
    let address = this.#low >>> 0;
    if (this.#width === 64) {
      if (!isCanonicalAccess(address, this.#high, bytes, this.#cpu.linearWidth)) throw this.#fault('stack address is not canonical');
    } else address = this.#legacyAddress(address, bytes, write);
    if (this.#privilege === 'user' && this.#cpu.alignmentChecked && (address & 7 & (bytes - 1)) !== 0) throw AC();
    return address;
  }
  #legacyAddress(pointer: number, bytes: 2 | 4 | 8, write: boolean): number {
    const attributes = this.#attributes;
    if ((attributes & ATTRIBUTE.UNUSABLE) !== 0) throw this.#fault('stack segment is null');
    if (this.#cpu.protectedMode && !(write ? isWritable : isReadable)(attributes)) throw this.#fault('stack segment type');
    if (!withinLimit(attributes, this.#limit, pointer, bytes)) throw this.#fault('stack segment limit');
    return (this.#base + pointer) >>> 0;
  }
  #fault(reason: string): GuestException { return SS(this.#errorCode, reason); }

  push(width: StackWidth, value: bigint): void { this.pushHalves(width, lowOf(value), highOf(value)); }

  /** The same of a value in halves: for selectors and flags the low one is all. */
  pushHalves(width: StackWidth, low: number, high = 0): void {
    const bytes = (width / 8) as 2 | 4 | 8;
    this.skip(-bytes);
    this.#cpu.mmu.storeHalves(this.#address(bytes, true), this.#high >>> 0, bytes, this.#privilege, low, high);
  }

  pop(width: StackWidth): bigint {
    const low = this.popLow(width);
    return joined(low, this.#cpu.mmu.loadedHigh);
  }

  /** Pops a value of which bits 31:0 are wanted; bits 63:32 are in `mmu.loadedHigh`. */
  popLow(width: StackWidth): number {
    const bytes = (width / 8) as 2 | 4 | 8;
    const { mmu } = this.#cpu;
    mmu.loadHalves(this.#address(bytes, false), this.#high >>> 0, bytes, this.#privilege);
    this.skip(bytes);
    return mmu.loadedLow;
  }

  /** Writes the stack pointer back: bits above a 16-bit pointer stay, those above a 32-bit one are cleared. */
  commit(): void {
    const { u32 } = this.#cpu.state;
    if (this.#width === 16) {
      u32[RSP_LOW] = (u32[RSP_LOW]! & ~0xffff) | this.#low;
      return;
    }
    u32[RSP_LOW] = this.#low;
    u32[RSP_LOW + 1] = this.#high;
  }
}
