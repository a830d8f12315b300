/**
 * A stack in use by an instruction or delivery that pushes or pops several values: memory is accessed as it goes, the
 * stack pointer is committed at the end. It may be the current stack or the one of an inner privilege level.
 * SDM Vol. 1, "Procedure Stack"; Vol. 3A, "Stack Switching".
 */
import { linear, type LinearAddress } from '../state/addresses.ts';
import { SEGMENT } from '../state/layout.ts';
import type { Privilege } from '../mmu/mmu.ts';
import type { Cpu } from './cpu.ts';
import { ATTRIBUTE, isReadable, isWritable } from './descriptors.ts';
import { AC, SS, type GuestException } from './exceptions.ts';
import { RSP } from './isa/operand.ts';
import { isCanonicalAccess, withinLimit, type CachedSegment } from './segmentation.ts';

export type StackWidth = 16 | 32 | 64;
const MASK = { 16: 0xffffn, 32: 0xffff_ffffn, 64: 0xffff_ffff_ffff_ffffn } as const;

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
  readonly #mask: bigint;
  /** Where the stack pointer is by now. */
  pointer: bigint;

  constructor(cpu: Cpu, description: StackDescription) {
    this.#cpu = cpu;
    this.#d = description;
    this.#mask = MASK[description.width];
    this.pointer = description.pointer & this.#mask;
  }

  /** The stack of SS:rSP. */
  static current(cpu: Cpu, fault?: StackDescription['fault']): Stack {
    const here = { segment: cpu.segment(SEGMENT.SS), width: cpu.mode().stackSize, pointer: cpu.state.gpr[RSP]!, privilege: cpu.privilege };
    return new Stack(cpu, fault ? { ...here, fault } : here);
  }

  #address(bytes: 2 | 4 | 8, write: boolean): LinearAddress {
    const { segment, width, privilege } = this.#d;
    const fault = this.#d.fault ?? ((reason: string) => SS(0, reason));
    let address = this.pointer;
    if (width === 64) {
      if (!isCanonicalAccess(address, bytes, this.#cpu.linearWidth)) throw fault('stack address is not canonical');
    } else {
      if ((segment.attributes & ATTRIBUTE.UNUSABLE) !== 0) throw fault('stack segment is null');
      if (this.#cpu.protectedMode && !(write ? isWritable : isReadable)(segment.attributes)) throw fault('stack segment type');
      if (!withinLimit(segment.attributes, segment.limit, Number(address), bytes)) throw fault('stack segment limit');
      address = BigInt.asUintN(32, segment.base + address);
    }
    if (privilege === 'user' && this.#cpu.alignmentChecked && (Number(address & 7n) & (bytes - 1)) !== 0) throw AC();
    return linear(address);
  }

  push(width: StackWidth, value: bigint): void {
    const bytes = (width / 8) as 2 | 4 | 8;
    this.pointer = (this.pointer - BigInt(bytes)) & this.#mask;
    this.#cpu.mmu.store(this.#address(bytes, true), bytes, this.#d.privilege, BigInt.asUintN(width, value));
  }

  pop(width: StackWidth): bigint {
    const bytes = (width / 8) as 2 | 4 | 8;
    const value = this.#cpu.mmu.load(this.#address(bytes, false), bytes, this.#d.privilege, false);
    this.pointer = (this.pointer + BigInt(bytes)) & this.#mask;
    return value;
  }

  /** Moves the pointer over parameters. */
  skip(bytes: number): void {
    this.pointer = (this.pointer + BigInt(bytes)) & this.#mask;
  }

  /** Writes the stack pointer back: bits above a 16-bit pointer stay, those above a 32-bit one are cleared. */
  commit(): void {
    const { gpr } = this.#cpu.state;
    gpr[RSP] = this.#d.width === 16 ? (gpr[RSP]! & ~0xffffn) | this.pointer : this.pointer;
  }
}
