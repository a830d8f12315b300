/** What the far transfers have in common: where they lead, and the checks of the code segment there. */
import { highOf, lowOf } from '../../../state/halves.ts';
import { SEGMENT } from '../../../state/layout.ts';
import type { Cpu } from '../../cpu.ts';
import { isNull, readDescriptor, selectorError, type Descriptor } from '../../descriptors.ts';
import { GP } from '../../exceptions.ts';
import { isCanonicalHigh } from '../../../state/addresses.ts';
import { withinLimit, type CachedSegment } from '../../segmentation.ts';
import type { Instruction } from '../instruction.ts';

export type TransferWidth = 16 | 32 | 64;
export const MASK = { 16: 0xffffn, 32: 0xffff_ffffn, 64: 0xffff_ffff_ffff_ffffn } as const;
/** The operand size of a far transfer. */
export const widthOf = (i: Instruction): TransferWidth => i.width as TransferWidth;

/** The descriptor of a far transfer's selector. Throws #GP. */
export function targetDescriptor(cpu: Cpu, selector: number): Descriptor {
  if (isNull(selector)) throw GP(0, 'far transfer through a null selector');
  const d = readDescriptor(cpu, selector);
  if (!d) throw GP(selectorError(selector), 'selector outside its descriptor table');
  return d;
}

/** L and D of a code segment that is about to be entered. */
export function checkCodeSize(cpu: Cpu, selector: number, d: Descriptor): void {
  if (cpu.longModeActive && d.long && d.big) throw GP(selectorError(selector), 'code segment with both L and D set');
}

/** Throws #GP(0) unless execution may go on at `offset` in the code segment. */
export function checkOffset(cpu: Cpu, d: Descriptor, offset: bigint): void { checkHalves(cpu, d, lowOf(offset), highOf(offset)); }
/** The same of an offset in halves. */
export function checkHalves(cpu: Cpu, d: Descriptor, low: number, high: number): void {
  const long = cpu.longModeActive && d.long;
  if (long ? !isCanonicalHigh(high, cpu.linearWidth) : high !== 0 || !withinLimit(d.attributes, d.limit, low >>> 0, 1)) {
    throw GP(0, long ? 'target is not canonical' : 'target is beyond the limit of its code segment');
  }
}

/** Goes on at `offset` of a code segment. */
export function commitCode(cpu: Cpu, segment: CachedSegment, offset: bigint): void {
  cpu.setSegment(SEGMENT.CS, segment);
  cpu.nextIp = offset;
}
