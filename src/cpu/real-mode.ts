/**
 * Real-address mode, and what virtual-8086 mode shares with it: segments without descriptors. Its interrupts are in
 * interrupt-vector-table.ts.
 * SDM Vol. 3B, "8086 Emulation".
 */
import { SEGMENT } from '../state/layout.ts';
import type { Cpu } from './cpu.ts';
import { ATTRIBUTE } from './descriptors.ts';
import type { CachedSegment } from './segmentation.ts';

/** What every segment register of virtual-8086 mode has: present, DPL 3, read/write data, accessed; even CS. */
const VIRTUAL_8086_ATTRIBUTES = 0xf3;
const VIRTUAL_8086_LIMIT = 0xffff;

/** What a selector becomes in virtual-8086 mode. */
export const virtual8086Segment = (selector: number): CachedSegment =>
  ({ selector, attributes: VIRTUAL_8086_ATTRIBUTES, limit: VIRTUAL_8086_LIMIT, base: BigInt(selector) << 4n });

/**
 * What a selector becomes in a segment register outside protected mode. In real-address mode limit and attributes stay what
 * they were: 64 KiB after a reset, more where protected mode has left more.
 */
export function realSegment(cpu: Cpu, number: number, selector: number): CachedSegment {
  if (cpu.virtual8086Mode) return virtual8086Segment(selector);
  const { attributes, limit } = cpu.segment(number);
  return { selector, attributes: attributes & ~ATTRIBUTE.UNUSABLE, limit, base: BigInt(selector) << 4n };
}

/** Goes on at selector:offset outside protected mode. Throws #GP(0) beyond the limit of CS. */
export function enterRealCode(cpu: Cpu, selector: number, offset: bigint): void {
  cpu.checkBranchTarget(offset);
  cpu.setSegment(SEGMENT.CS, realSegment(cpu, SEGMENT.CS, selector));
  cpu.nextIp = offset;
}
