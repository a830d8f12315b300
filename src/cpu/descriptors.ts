/**
 * Segment and gate descriptors: their format, and how they are fetched from the GDT and the LDT.
 * SDM Vol. 3A, "Segment Descriptors", "System Descriptor Types", "Call Gates".
 */
import { linear, type LinearAddress } from '../state/addresses.ts';
import { joined } from '../state/halves.ts';
import { OFFSET, SEGMENT } from '../state/layout.ts';
import type { Cpu } from './cpu.ts';

/** Bits of `state.attributes` (descriptor bits 55:40 without the limit), and the mark of a register that holds a null selector. */
export const ATTRIBUTE = { TYPE: 0xf, S: 1 << 4, DPL: 3 << 5, P: 1 << 7, AVL: 1 << 12, L: 1 << 13, DB: 1 << 14, G: 1 << 15, UNUSABLE: 1 << 16 } as const;
const DESCRIPTOR_ATTRIBUTES = 0xf0ff;

/** Type-field bits of code and data segments. */
const ACCESSED = 1, READABLE_OR_WRITABLE = 2, CONFORMING_OR_EXPAND_DOWN = 4, CODE = 8;

/** Types of system descriptors. LDT, TSS and the gates; the 16-bit ones do not exist in IA-32e mode. */
export const SYSTEM_TYPE = {
  tss16Available: 1, ldt: 2, tss16Busy: 3, callGate16: 4, taskGate: 5, interruptGate16: 6, trapGate16: 7,
  tssAvailable: 9, tssBusy: 11, callGate: 12, interruptGate: 14, trapGate: 15,
} as const;

/** What the rights of a code or data segment are, whether they come from a table or from a register's cache. */
export const isCode = (attributes: number): boolean => (attributes & (ATTRIBUTE.S | CODE)) === (ATTRIBUTE.S | CODE);
export const isData = (attributes: number): boolean => (attributes & (ATTRIBUTE.S | CODE)) === ATTRIBUTE.S;
export const isConforming = (attributes: number): boolean => isCode(attributes) && (attributes & CONFORMING_OR_EXPAND_DOWN) !== 0;
export const isExpandDown = (attributes: number): boolean => isData(attributes) && (attributes & CONFORMING_OR_EXPAND_DOWN) !== 0;
export const isWritable = (attributes: number): boolean => isData(attributes) && (attributes & READABLE_OR_WRITABLE) !== 0;
export const isReadable = (attributes: number): boolean => isData(attributes) || (isCode(attributes) && (attributes & READABLE_OR_WRITABLE) !== 0);
export const dplOf = (attributes: number): number => (attributes >> 5) & 3;
export const rpl = (selector: number): number => selector & 3;
/** The selector as it stands in an error code: index and TI, without RPL. SDM Vol. 3A, "Error Code". */
export const selectorError = (selector: number): number => selector & 0xfffc;
export const isNull = (selector: number): boolean => (selector & 0xfffc) === 0;

/** Eight bytes of a descriptor table, and halves of the address where they were read. All four are signed: such numbers cost a field nothing. */
export class Descriptor {
  readonly addressLow: number;
  readonly addressHigh: number;
  readonly low: number;
  readonly high: number;
  constructor(low: number, high: number, addressLow = 0, addressHigh = 0) {
    this.addressLow = addressLow | 0;
    this.addressHigh = addressHigh | 0;
    this.low = low | 0;
    this.high = high | 0;
  }
  get attributes(): number { return (this.high >>> 8) & DESCRIPTOR_ATTRIBUTES; }
  get type(): number { return (this.high >>> 8) & 0xf; }
  /** A system segment or gate: S = 0. */
  get system(): boolean { return (this.high & (1 << 12)) === 0; }
  get dpl(): number { return (this.high >>> 13) & 3; }
  get present(): boolean { return (this.high & (1 << 15)) !== 0; }
  get base(): bigint { return joined(this.baseLow, 0); }
  /** The same as a number, signed. */
  get baseLow(): number { return (this.low >>> 16) | ((this.high & 0xff) << 16) | (this.high & 0xff00_0000); }
  /** Last valid offset in bytes, scaled by G. */
  get limit(): number {
    const limit = (this.low & 0xffff) | (this.high & 0xf_0000);
    return (this.high & (1 << 23)) === 0 ? limit : ((limit << 12) | 0xfff) >>> 0;
  }
  get code(): boolean { return isCode(this.attributes); }
  get conforming(): boolean { return isConforming(this.attributes); }
  get long(): boolean { return (this.attributes & ATTRIBUTE.L) !== 0; }
  get big(): boolean { return (this.attributes & ATTRIBUTE.DB) !== 0; }
  /** Of a gate: selector, offset bits 31:0, parameter count. */
  get gateSelector(): number { return this.low >>> 16; }
  get gateOffset(): number { return ((this.high & 0xffff_0000) | (this.low & 0xffff)) >>> 0; }
  get parameterCount(): number { return this.high & 31; }
  get raw(): bigint { return joined(this.low, this.high); }
}

/** Reads the descriptor at a linear address in halves, as the implicit supervisor access it is. Throws PageFault. */
export function readDescriptorAt({ mmu }: Cpu, low: number, high: number): Descriptor {
  mmu.loadHalves(low, high, 8, 'implicit-supervisor');
  return new Descriptor(mmu.loadedLow, mmu.loadedHigh, low, high);
}

/** The descriptor that a selector names, or undefined when its `bytes` are not all within the limit of the GDT or LDT. Throws PageFault. */
export function readDescriptor(cpu: Cpu, selector: number, bytes: 8 | 16 = 8): Descriptor | undefined {
  const { state } = cpu;
  const offset = selector & 0xfff8;
  const inLdt = (selector & 4) !== 0;
  if (inLdt && (state.attributes[SEGMENT.LDTR]! & ATTRIBUTE.UNUSABLE) !== 0) return undefined;
  const limit = inLdt ? state.limit[SEGMENT.LDTR]! : state.gdtrLimit;
  if (offset + bytes - 1 > limit) return undefined;
  const base = (inLdt ? OFFSET.base + 8 * SEGMENT.LDTR : OFFSET.gdtrBase) / 4;
  const low = state.u32[base]! + offset;
  return readDescriptorAt(cpu, low >>> 0, highInTable(cpu, low, state.u32[base + 1]!));
}

/** Address in a descriptor table or the TSS: 64 bits in IA-32e mode, 32 elsewhere. */
export function tableAddress(cpu: Cpu, base: bigint, offset: number): LinearAddress {
  const address = base + BigInt(offset);
  return cpu.longModeActive ? linear(address) : linear(BigInt.asUintN(32, address));
}

/** Bits 63:32 of such an address: of the base, whose low half and an offset gave the sum `low`. */
export const highInTable = (cpu: Cpu, low: number, baseHigh: number): number => (!cpu.longModeActive ? 0 : low < 2 ** 32 ? baseHigh : (baseHigh + 1) >>> 0);

/** The second half of a 16-byte descriptor: in `low`, bits 63:32 of the base or offset. */
export function readUpperHalf(cpu: Cpu, d: Descriptor): Descriptor {
  const low = (d.addressLow >>> 0) + 8;
  return readDescriptorAt(cpu, low >>> 0, (low < 2 ** 32 ? d.addressHigh : d.addressHigh + 1) >>> 0);
}
/** Bits 12:8 of the last word of a 16-byte descriptor, which must be 0. */
export const typeBitsOf = (upperHalf: Descriptor): number => (upperHalf.high >>> 8) & 0x1f;

/** Linear address of the byte of a descriptor that holds its type. */
export const typeAddress = (d: Descriptor): LinearAddress => linear(joined(d.addressLow, d.addressHigh) + 5n);

/** Sets the accessed bit of a code or data segment in its table, if it is not set. Throws PageFault. */
export function setAccessed(cpu: Cpu, d: Descriptor): void {
  if ((d.type & ACCESSED) === 0) setType(cpu, d, d.type | ACCESSED);
}

/** Writes the type field of a descriptor in its table. Throws PageFault. */
export function setType(cpu: Cpu, d: Descriptor, type: number): void {
  const byte = ((d.high >>> 8) & 0xf0) | type;
  cpu.mmu.store(typeAddress(d), 1, 'implicit-supervisor', BigInt(byte));
}
