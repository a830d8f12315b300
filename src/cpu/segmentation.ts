/**
 * Segmentation: the checks of every memory access outside the 64-bit fast path, and the loading of segment registers.
 * SDM Vol. 3A, "Protection" (limit, type and privilege checking); Vol. 2B, "MOV—Move".
 */
import { linear, type LinearAddress } from '../state/addresses.ts';
import { OFFSET, SEGMENT, type Segment } from '../state/layout.ts';
import type { Cpu } from './cpu.ts';
import { ATTRIBUTE, dplOf, isCode, isConforming, isData, isExpandDown, isNull, isReadable, isWritable, readDescriptor, rpl, selectorError, setAccessed, type Descriptor } from './descriptors.ts';
import { GP, NP, SS, type GuestException } from './exceptions.ts';
import { realSegment } from './real-mode.ts';

/** What a segment register holds: the visible selector and the hidden part. SDM Vol. 3A, "Segment Registers". */
export interface CachedSegment {
  readonly selector: number;
  /** As `state.attributes`. */
  readonly attributes: number;
  /** In bytes. */
  readonly limit: number;
  readonly base: bigint;
}

/** The exception of a refused access: #SS(0) through SS, #GP(0) through any other segment register. */
export const accessFault = (segment: number, reason: string): GuestException => (segment === SEGMENT.SS ? SS(0, reason) : GP(0, reason));

/** Whether `bytes` bytes at `offset` lie within a segment's limit. SDM Vol. 3A, "Limit Checking". */
export function withinLimit(attributes: number, limit: number, offset: number, bytes: number): boolean {
  const last = offset + bytes - 1;
  if (!isExpandDown(attributes)) return last <= limit;
  return offset > limit && last <= ((attributes & ATTRIBUTE.DB) !== 0 ? 0xffff_ffff : 0xffff);
}

/** Linear address of an access outside 64-bit mode, after all segment checks. Throws GuestException. */
export function legacyLinearAddress(cpu: Cpu, segment: Segment, offset: bigint, bytes: number, write: boolean): LinearAddress {
  const { state } = cpu;
  const attributes = state.attributes[segment]!;
  const at = Number(offset & 0xffff_ffffn);
  if ((attributes & ATTRIBUTE.UNUSABLE) !== 0) throw accessFault(segment, 'access through a null selector');
  if (cpu.protectedMode) {
    if (write ? !isWritable(attributes) : !isReadable(attributes)) throw accessFault(segment, write ? 'write to a segment that is not writable' : 'read from an execute-only segment');
  }
  if (!withinLimit(attributes, state.limit[segment]!, at, bytes)) throw accessFault(segment, 'segment limit');
  return linear(BigInt.asUintN(32, state.base[segment]! + BigInt(at)));
}

/** The base that a descriptor gives its segment register. */
const cached = (selector: number, d: Descriptor): CachedSegment => ({ selector, attributes: d.attributes | 1, limit: d.limit, base: d.base });

/** What a null selector leaves in a segment register. Deviates: AMD keeps base and limit; we clear them, as Intel does. */
export const nullSegment = (selector: number, dpl = 0): CachedSegment => ({ selector, attributes: ATTRIBUTE.UNUSABLE | (dpl << 5), limit: 0, base: 0n });

/** Loads SS with all checks of MOV. Throws GuestException or PageFault; nothing has changed then. */
function checkStackSegment(cpu: Cpu, selector: number): CachedSegment {
  const cpl = cpu.state.cpl;
  if (isNull(selector)) {
    if (cpu.in64BitMode && cpl < 3 && rpl(selector) === cpl) return nullSegment(selector, cpl);
    throw GP(0, 'SS loaded with a null selector');
  }
  return stackSegmentFor(cpu, selector, cpl, GP);
}

/** A stack segment that a selector names for privilege level `cpl`: used with #GP by loads and returns, with #TS by stack switches. */
export function stackSegmentFor(cpu: Cpu, selector: number, cpl: number, fault: (errorCode: number, reason: string) => GuestException, external = 0): CachedSegment {
  return cached(selector, stackDescriptorFor(cpu, selector, cpl, fault, external));
}

/** The same before it is loaded. */
export function stackDescriptorFor(cpu: Cpu, selector: number, cpl: number, fault: (errorCode: number, reason: string) => GuestException, external = 0): Descriptor {
  const code = selectorError(selector) | external;
  const d = readDescriptor(cpu, selector);
  if (!d) throw fault(code, 'SS selector outside its descriptor table');
  if (rpl(selector) !== cpl) throw fault(code, 'RPL of the SS selector is not CPL');
  if (!isWritable(d.attributes)) throw fault(code, 'SS is not a writable data segment');
  if (d.dpl !== cpl) throw fault(code, 'DPL of the stack segment is not CPL');
  if (!d.present) throw SS(code, 'stack segment not present');
  setAccessed(cpu, d);
  return d;
}

function checkDataSegment(cpu: Cpu, selector: number): CachedSegment {
  if (isNull(selector)) return nullSegment(selector);
  const code = selectorError(selector);
  const d = readDescriptor(cpu, selector);
  if (!d) throw GP(code, 'selector outside its descriptor table');
  const attributes = d.attributes;
  if (!isReadable(attributes)) throw GP(code, 'neither a data nor a readable code segment');
  if (!isConforming(attributes) && (rpl(selector) > d.dpl || cpu.state.cpl > d.dpl)) throw GP(code, 'RPL or CPL exceeds the DPL of the segment');
  if (!d.present) throw NP(code, 'segment not present');
  setAccessed(cpu, d);
  return cached(selector, d);
}

/** Everything MOV to a segment register checks, without loading it. Throws GuestException or PageFault. */
export function checkSegmentLoad(cpu: Cpu, segment: Segment, selector: number): CachedSegment {
  if (!cpu.protectedMode) return realSegment(cpu, segment, selector);
  return segment === SEGMENT.SS ? checkStackSegment(cpu, selector) : checkDataSegment(cpu, selector);
}

/** A code segment as a far transfer caches it, with the CPL in the selector's RPL. Sets the accessed bit: throws PageFault. */
export function codeSegment(cpu: Cpu, selector: number, d: Descriptor, cpl: number): CachedSegment {
  setAccessed(cpu, d);
  return cached(codeSelector(selector, cpl), d);
}

/** Loads a code or data segment whose descriptor has been checked and has its accessed bit set. */
export function loadChecked({ state }: Cpu, number: number, selector: number, d: Descriptor): void {
  state.selector[number] = selector;
  state.attributes[number] = d.attributes | 1;
  state.limit[number] = d.limit;
  state.u32[BASES + 2 * number] = d.baseLow;
  state.u32[BASES + 2 * number + 1] = 0;
}
const BASES = OFFSET.base / 4;
/** The selector of a code segment in CS: its RPL is CPL. */
export const codeSelector = (selector: number, cpl: number): number => (selector & 0xfffc) | cpl;

const DATA_SEGMENTS = [SEGMENT.ES, SEGMENT.DS, SEGMENT.FS, SEGMENT.GS] as const;

/**
 * After a return to an outer privilege level: data segments that the new CPL may not use become null.
 * SDM Vol. 2B, "RET—Return From Procedure", "Return to Outer Privilege Level".
 */
export function dropInnerDataSegments(cpu: Cpu): void {
  const { state } = cpu;
  for (const segment of DATA_SEGMENTS) {
    const attributes = state.attributes[segment]!;
    // A null selector loses its RPL too.
    if ((state.selector[segment]! & 0xfffc) === 0) state.selector[segment] = 0;
    if ((attributes & ATTRIBUTE.UNUSABLE) !== 0) continue;
    const inner = dplOf(attributes) < state.cpl;
    if (inner && (isData(attributes) || (isCode(attributes) && !isConforming(attributes)))) {
      // The base stays: a 64-bit kernel may have put it there by MSR.
      state.selector[segment] = 0;
      state.attributes[segment] = attributes | ATTRIBUTE.UNUSABLE;
    }
  }
}
