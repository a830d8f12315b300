/** Descriptors and gates in words. SDM Vol. 3A, "Segment Descriptors", "IDT Descriptors", "64-Bit Mode IDT". */
import { ATTRIBUTE, Descriptor, SYSTEM_TYPE } from '../cpu/descriptors.ts';
import type { SymbolTable } from './symbols.ts';
import { hex, segmentText } from './registers.ts';

const GATES: Record<number, string> = {
  [SYSTEM_TYPE.interruptGate]: 'interrupt gate', [SYSTEM_TYPE.trapGate]: 'trap gate', [SYSTEM_TYPE.taskGate]: 'task gate',
  [SYSTEM_TYPE.interruptGate16]: '16-bit interrupt gate', [SYSTEM_TYPE.trapGate16]: '16-bit trap gate', [SYSTEM_TYPE.callGate]: 'call gate',
};

const of = (raw: bigint): Descriptor => new Descriptor(Number(raw & 0xffff_ffffn), Number(raw >> 32n));

/** An IDT gate from its first 8 bytes; `handler` is the whole offset where it is known. */
export function gateText(raw: bigint, long: boolean, handler: bigint | undefined, symbols: SymbolTable): string {
  const gate = of(raw);
  const value = hex(raw, 16);
  if (raw === 0n) return `${value}  empty`;
  const kind = gate.system ? GATES[gate.type] ?? `system type ${gate.type}, not a gate` : 'a code or data segment, not a gate';
  const parts = [kind, `selector 0x${hex(gate.gateSelector, 4)}`, `handler ${symbols.text(handler ?? BigInt(gate.gateOffset))}${handler === undefined && long ? ' (bits 31:0)' : ''}`, `DPL ${gate.dpl}`];
  const ist = gate.parameterCount & 7;
  if (long && ist !== 0) parts.push(`IST${ist}`);
  parts.push(gate.present ? 'present' : 'NOT PRESENT');
  return `${value}  ${parts.join(', ')}`;
}

/** `selector 0x0008 = GDT entry 1, RPL 0`. */
export function selectorText(selector: number): string {
  if ((selector & 0xfffc) === 0) return `selector 0x${hex(selector, 4)} = null`;
  return `selector 0x${hex(selector, 4)} = ${(selector & 4) !== 0 ? 'LDT' : 'GDT'} entry ${selector >>> 3}, RPL ${selector & 3}`;
}

/** A segment descriptor. */
export function descriptorText(raw: bigint): string {
  const descriptor = of(raw);
  if (raw === 0n) return `${hex(raw, 16)}  empty`;
  return `${hex(raw, 16)}  ${segmentText(descriptor.attributes & ~ATTRIBUTE.UNUSABLE, descriptor.system)}`;
}
