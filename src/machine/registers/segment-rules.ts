/**
 * What a debugger may put into a segment register. A selector brings its descriptor with it, read without a trace: nothing in memory is marked accessed
 * or busy, no walk is kept. Selector and hidden part may also be changed one by one, to whatever the processor itself could have there.
 */
import { ATTRIBUTE, Descriptor, isCode, isConforming, isNull, isReadable, isWritable, rpl, SYSTEM_TYPE } from '../../cpu/descriptors.ts';
import { realSegment, virtual8086Segment } from '../../cpu/real-mode.ts';
import { nullSegment, type CachedSegment } from '../../cpu/segmentation.ts';
import { linear, isCanonical } from '../../state/addresses.ts';
import { SEGMENT } from '../../state/layout.ts';
import type { Machine } from '../machine.ts';

const { TYPE, S, DPL, P, AVL, L, DB, G, UNUSABLE } = ATTRIBUTE;
const ALL_ATTRIBUTES = TYPE | S | DPL | P | AVL | L | DB | G | UNUSABLE;
const ACCESSED = 1, BUSY = 2, TABLE_INDICATOR = 4;
const isSystem = (n: number): boolean => n === SEGMENT.LDTR || n === SEGMENT.TR;

function refuse(reason: string): never {
  throw new RangeError(reason);
}

/** What a selector makes of segment register `n` (LDTR and TR too), as MOV, a far JMP, LLDT or LTR would load it. Throws RangeError for one that they refuse. */
export function segmentOf(machine: Machine, n: number, selector: number): CachedSegment {
  const { cpu } = machine;
  if (!cpu.protectedMode && !isSystem(n)) return realSegment(cpu, n, selector);
  if (!isNull(selector)) return fromTable(machine, n, selector);
  return n === SEGMENT.SS ? nullSegment(selector, cpu.state.cpl) : nullSegment(selector);
}

function fromTable(machine: Machine, n: number, selector: number): CachedSegment {
  const { state, cpu } = machine;
  const wide = isSystem(n) && cpu.longModeActive, bytes = wide ? 16 : 8, offset = selector & 0xfff8;
  const inLdt = (selector & TABLE_INDICATOR) !== 0;
  if (inLdt && isSystem(n)) refuse('its descriptor must be in the GDT');
  if (inLdt && (state.attributes[SEGMENT.LDTR]! & UNUSABLE) !== 0) refuse('there is no LDT');
  const [base, limit] = inLdt ? [state.base[SEGMENT.LDTR]!, state.limit[SEGMENT.LDTR]!] : [state.gdtrBase, state.gdtrLimit];
  if (offset + bytes - 1 > limit) refuse('the selector is outside its descriptor table');
  const raw = machine.readLinear(linear(base + BigInt(offset)), bytes);
  if (raw.length < bytes) refuse('its descriptor cannot be read');
  const view = new DataView(raw.buffer, raw.byteOffset), word = (at: number): number => view.getUint32(at, true);
  const d = new Descriptor(word(0), word(4));
  const marked = n === SEGMENT.TR ? BUSY : n === SEGMENT.LDTR ? 0 : ACCESSED;
  return { selector, attributes: d.attributes | marked, limit: d.limit, base: wide ? (BigInt(word(8)) << 32n) | d.base : d.base };
}

/**
 * Throws RangeError for contents that segment register `n` cannot have now. SDM Vol. 3C, "Checks on Guest Segment Registers": there, too, hidden parts are
 * loaded that come from no table.
 */
export function checkSegment({ cpu, state }: Machine, n: number, { selector, attributes, limit, base }: CachedSegment): void {
  if ((attributes & ~ALL_ATTRIBUTES) !== 0) refuse('a reserved bit of the attributes is set');
  // The kind first: what is no descriptor of 16 bytes has no base of 64 bits.
  if (isSystem(n) && !cpu.realMode) checkSystem(n, selector, attributes);
  const wideBase = n === SEGMENT.FS || n === SEGMENT.GS || isSystem(n);
  if (wideBase ? !isCanonical(base, cpu.widestLinear) : base >> 32n !== 0n) refuse(wideBase ? 'the base is not canonical' : 'the base of this segment has 32 bits');
  if (cpu.virtual8086Mode && !isSystem(n)) {
    const must = virtual8086Segment(selector);
    if (base !== must.base || limit !== must.limit || attributes !== must.attributes) refuse('in virtual-8086 mode the selector says everything');
    return;
  }
  const inPages = (attributes & G) !== 0;
  if ((attributes & UNUSABLE) === 0 && (inPages ? (limit & 0xfff) !== 0xfff : limit > 0xf_ffff)) refuse(inPages ? 'the limit is no number of pages, as the G bit says' : 'a limit without the G bit has 20 bits');
  if (cpu.realMode || isSystem(n)) return;
  if (n === SEGMENT.CS) checkCode(cpu.longModeActive, state, selector, attributes);
  else if (n === SEGMENT.SS) checkStack(cpu.in64BitMode, state.cpl, selector, attributes);
  else checkData(state.cpl, selector, attributes);
}

function checkCode(long: boolean, { cpl, rip }: { readonly cpl: number; readonly rip: bigint }, selector: number, attributes: number): void {
  if ((attributes & UNUSABLE) !== 0 || !isCode(attributes)) refuse('not a code segment');
  if (rpl(selector) !== cpl) refuse('RPL of the selector is not CPL');
  const dpl = (attributes & DPL) >> 5;
  if (isConforming(attributes) ? dpl > cpl : dpl !== cpl) refuse(isConforming(attributes) ? 'DPL exceeds CPL' : 'DPL of the segment is not CPL');
  if ((attributes & ACCESSED) === 0) refuse('the segment is not accessed');
  requirePresent(attributes);
  if (long && (attributes & L) !== 0 && (attributes & DB) !== 0) refuse('L and D are both set');
  if (!(long && (attributes & L) !== 0) && rip >> 32n !== 0n) refuse('RIP is beyond 4 GiB, where only 64-bit code can be');
}

function checkStack(in64BitMode: boolean, cpl: number, selector: number, attributes: number): void {
  if (rpl(selector) !== cpl) refuse('RPL of the selector is not CPL');
  if ((attributes & DPL) >> 5 !== cpl) refuse('DPL of the segment is not CPL');
  if ((attributes & UNUSABLE) !== 0) {
    if (!in64BitMode || cpl === 3) refuse('SS cannot be null here');
    return;
  }
  if (!isWritable(attributes) || (attributes & ACCESSED) === 0) refuse('not a writable data segment that is accessed');
  requirePresent(attributes);
}

function checkData(cpl: number, selector: number, attributes: number): void {
  if ((attributes & UNUSABLE) !== 0) return;
  if (!isReadable(attributes) || (attributes & ACCESSED) === 0) refuse('neither a data nor a readable code segment that is accessed');
  if (!isConforming(attributes) && Math.max(cpl, rpl(selector)) > (attributes & DPL) >> 5) refuse('RPL or CPL exceeds the DPL of the segment');
  requirePresent(attributes);
}

function checkSystem(n: number, selector: number, attributes: number): void {
  if ((attributes & UNUSABLE) !== 0) {
    if (n === SEGMENT.TR) refuse('TR cannot be null');
    return;
  }
  if ((selector & TABLE_INDICATOR) !== 0) refuse('its descriptor must be in the GDT');
  const types: readonly number[] = n === SEGMENT.LDTR ? [SYSTEM_TYPE.ldt] : [SYSTEM_TYPE.tss16Busy, SYSTEM_TYPE.tssBusy];
  if ((attributes & S) !== 0 || !types.includes(attributes & TYPE)) refuse(n === SEGMENT.LDTR ? 'not an LDT' : 'not a TSS that is busy');
  requirePresent(attributes);
}

function requirePresent(attributes: number): void {
  if ((attributes & P) === 0) refuse('the segment is not present');
}
