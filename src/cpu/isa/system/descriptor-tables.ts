/** GDTR, IDTR, LDTR, TR, and the instructions that look at descriptors without loading them. */
import { joined } from '../../../state/halves.ts';
import { SEGMENT } from '../../../state/layout.ts';
import type { Cpu } from '../../cpu.ts';
import { SYSTEM_TYPE, isConforming, isNull, isReadable, isWritable, readDescriptor, readUpperHalf, rpl, selectorError, setType, typeBitsOf, type Descriptor } from '../../descriptors.ts';
import { GP, NP, UD } from '../../exceptions.ts';
import { setFlag } from '../../flags.ts';
import { isCanonical } from '../../../state/addresses.ts';
import { nullSegment } from '../../segmentation.ts';
import type { Instruction } from '../instruction.ts';
import type { Width } from '../operand.ts';
import type { SystemSemantics } from '../row.ts';
import { effectiveAddress, memoryOperand, offsetBy, readOperand, requireCpl0, requireUserMayAsk, writeOperand } from './operands.ts';

/** Limit (16 bits) and base (24, 32 or 64 bits) from a pseudo-descriptor. SDM Vol. 3A, "Pseudo-Descriptor Formats". */
function loadPseudoDescriptor(cpu: Cpu, i: Instruction): { limit: number; base: bigint } {
  requireCpl0(cpu, i);
  const x = memoryOperand(i, 0);
  const offset = effectiveAddress(cpu, x);
  const limit = Number(cpu.load(16, x.segment, offset, 'read'));
  const base = cpu.load(i.width === 64 ? 64 : 32, x.segment, offsetBy(x, offset, 2), 'read');
  if (i.width === 64 && !isCanonical(base, cpu.widestLinear)) throw GP(0, `${i.mnemonic} of a non-canonical base`);
  return { limit, base: i.width === 16 ? base & 0xff_ffffn : base };
}

/** The limit, then the base, as the manual writes it: where the first faults nothing is stored, where the second does the limit is. */
function storePseudoDescriptor(cpu: Cpu, i: Instruction, limit: number, base: bigint): void {
  requireUserMayAsk(cpu, i);
  const x = memoryOperand(i, 0);
  const offset = effectiveAddress(cpu, x);
  const width = i.width === 64 ? 64 : 32;
  cpu.store(16, x.segment, offset, BigInt(limit));
  cpu.store(width, x.segment, offsetBy(x, offset, 2), BigInt.asUintN(width, base));
}

/** LGDT — Load Global Descriptor Table Register. */
export const LGDT: SystemSemantics = (cpu, i) => {
  const { limit, base } = loadPseudoDescriptor(cpu, i);
  cpu.state.gdtrLimit = limit;
  cpu.state.gdtrBase = base;
};
/** LIDT — Load Interrupt Descriptor Table Register. */
export const LIDT: SystemSemantics = (cpu, i) => {
  const { limit, base } = loadPseudoDescriptor(cpu, i);
  cpu.state.idtrLimit = limit;
  cpu.state.idtrBase = base;
};
/** SGDT — Store Global Descriptor Table Register. All 32 bits of the base, whatever the operand size. */
export const SGDT: SystemSemantics = (cpu, i) => storePseudoDescriptor(cpu, i, cpu.state.gdtrLimit, cpu.state.gdtrBase);
/** SIDT — Store Interrupt Descriptor Table Register. */
export const SIDT: SystemSemantics = (cpu, i) => storePseudoDescriptor(cpu, i, cpu.state.idtrLimit, cpu.state.idtrBase);

/** The descriptor of an LDT or TSS, which must be in the GDT; 16 bytes in IA-32e mode. Throws #GP(selector), #NP(selector). */
function readSystemDescriptor(cpu: Cpu, i: Instruction, selector: number, types: readonly number[]): { d: Descriptor; base: bigint } {
  const code = selectorError(selector);
  const long = cpu.longModeActive;
  const d = (selector & 4) !== 0 ? undefined : readDescriptor(cpu, selector, long ? 16 : 8);
  if (!d) throw GP(code, `${i.mnemonic}: selector not within the GDT`);
  if (!d.system || !types.includes(d.type)) throw GP(code, `${i.mnemonic}: wrong type of descriptor`);
  if (!d.present) throw NP(code, `${i.mnemonic}: descriptor not present`);
  if (!long) return { d, base: d.base };
  const upper = readUpperHalf(cpu, d);
  if (typeBitsOf(upper) !== 0) throw GP(code, `${i.mnemonic}: upper half of the descriptor has a type`);
  const base = joined(d.baseLow, upper.low);
  if (!isCanonical(base, cpu.widestLinear)) throw GP(code, `${i.mnemonic}: base is not canonical`);
  return { d, base };
}

function requireProtectedMode(cpu: Cpu, i: Instruction): void {
  if (!cpu.protectedMode) throw UD(`${i.mnemonic} in real-address mode`);
}

/** LLDT — Load Local Descriptor Table Register. A null selector makes the LDT unusable. */
export const LLDT: SystemSemantics = (cpu, i) => {
  requireProtectedMode(cpu, i);
  requireCpl0(cpu, i);
  const selector = Number(readOperand(cpu, i, 0));
  if (isNull(selector)) return cpu.setSegment(SEGMENT.LDTR, nullSegment(selector));
  const { d, base } = readSystemDescriptor(cpu, i, selector, [SYSTEM_TYPE.ldt]);
  cpu.setSegment(SEGMENT.LDTR, { selector, attributes: d.attributes, limit: d.limit, base });
};

/** LTR — Load Task Register. Marks the TSS busy. */
export const LTR: SystemSemantics = (cpu, i) => {
  requireProtectedMode(cpu, i);
  requireCpl0(cpu, i);
  const selector = Number(readOperand(cpu, i, 0));
  if (isNull(selector)) throw GP(0, 'LTR of a null selector');
  const { d, base } = readSystemDescriptor(cpu, i, selector, cpu.longModeActive ? [SYSTEM_TYPE.tssAvailable] : [SYSTEM_TYPE.tssAvailable, SYSTEM_TYPE.tss16Available]);
  setType(cpu, d, d.type | 2);
  cpu.setSegment(SEGMENT.TR, { selector, attributes: d.attributes | 2, limit: d.limit, base });
};

/** SLDT — Store Local Descriptor Table Register. */
export const SLDT: SystemSemantics = (cpu, i) => {
  requireProtectedMode(cpu, i);
  requireUserMayAsk(cpu, i);
  writeOperand(cpu, i, 0, BigInt(cpu.state.selector[SEGMENT.LDTR]!));
};
/** STR — Store Task Register. */
export const STR: SystemSemantics = (cpu, i) => {
  requireProtectedMode(cpu, i);
  requireUserMayAsk(cpu, i);
  writeOperand(cpu, i, 0, BigInt(cpu.state.selector[SEGMENT.TR]!));
};

/** The descriptor of a selector operand if it may be seen at CPL and RPL; undefined clears ZF. */
function visibleDescriptor(cpu: Cpu, i: Instruction, n: number): Descriptor | undefined {
  requireProtectedMode(cpu, i);
  const selector = Number(readOperand(cpu, i, n) & 0xffffn);
  if (isNull(selector)) return undefined;
  const d = readDescriptor(cpu, selector);
  if (!d) return undefined;
  if (!isConforming(d.attributes) && (cpu.state.cpl > d.dpl || rpl(selector) > d.dpl)) return undefined;
  return d;
}

/** System descriptors that LAR accepts. SDM Vol. 2A, "LAR—Load Access Rights Byte", table of segment and gate types. */
const LAR_LONG: ReadonlySet<number> = new Set([SYSTEM_TYPE.ldt, SYSTEM_TYPE.tssAvailable, SYSTEM_TYPE.tssBusy, SYSTEM_TYPE.callGate]);
const LAR_LEGACY: ReadonlySet<number> = new Set([...LAR_LONG, SYSTEM_TYPE.tss16Available, SYSTEM_TYPE.tss16Busy, SYSTEM_TYPE.callGate16, SYSTEM_TYPE.taskGate]);
const LSL_LONG: ReadonlySet<number> = new Set([SYSTEM_TYPE.ldt, SYSTEM_TYPE.tssAvailable, SYSTEM_TYPE.tssBusy]);
const LSL_LEGACY: ReadonlySet<number> = new Set([...LSL_LONG, SYSTEM_TYPE.tss16Available, SYSTEM_TYPE.tss16Busy]);

/** Writes operand 0 from the descriptor and sets ZF, or only clears ZF. */
function describe(cpu: Cpu, i: Instruction, types: ReadonlySet<number>, value: (d: Descriptor) => number): void {
  const d = visibleDescriptor(cpu, i, 1);
  const valid = d !== undefined && (!d.system || types.has(d.type));
  if (valid) writeOperand(cpu, i, 0, BigInt(value(d) >>> 0));
  setFlag(cpu.state, 'ZF', valid);
}

/** LAR — Load Access Rights Byte: the second word of the descriptor without base and limit. */
export const LAR: SystemSemantics = (cpu, i) => describe(cpu, i, cpu.longModeActive ? LAR_LONG : LAR_LEGACY, (d) => d.high & (i.width === 16 ? 0xff00 : 0x00f0_ff00));
/** LSL — Load Segment Limit, scaled to bytes. */
export const LSL: SystemSemantics = (cpu, i) => describe(cpu, i, cpu.longModeActive ? LSL_LONG : LSL_LEGACY, (d) => d.limit);

function verify(cpu: Cpu, i: Instruction, allowed: (attributes: number) => boolean): void {
  const d = visibleDescriptor(cpu, i, 0);
  setFlag(cpu.state, 'ZF', d !== undefined && !d.system && allowed(d.attributes));
}
/** VERR — Verify a Segment for Reading. */
export const VERR: SystemSemantics = (cpu, i) => verify(cpu, i, isReadable);
/** VERW — Verify a Segment for Writing. */
export const VERW: SystemSemantics = (cpu, i) => verify(cpu, i, isWritable);

/** ARPL — Adjust RPL Field of Segment Selector. */
export const ARPL: SystemSemantics = (cpu, i) => {
  requireProtectedMode(cpu, i);
  const x = i.operands[0];
  const offset = x?.kind === 'memory' ? effectiveAddress(cpu, x) : 0n;
  const destination = x?.kind === 'memory' ? cpu.load(x.width as Width, x.segment, offset, 'modify') : readOperand(cpu, i, 0);
  const source = readOperand(cpu, i, 1);
  const adjust = (destination & 3n) < (source & 3n);
  if (adjust) writeOperand(cpu, i, 0, (destination & ~3n) | (source & 3n));
  setFlag(cpu.state, 'ZF', adjust);
};
