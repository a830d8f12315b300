/** Error codes, bit by bit. SDM Vol. 3A, "Error Code" and "Interrupt 14—Page-Fault Exception (#PF)". */
import { VECTOR } from '../cpu/exceptions.ts';
import { PF_ERROR } from '../mmu/page-fault.ts';

const NAMES: Record<number, readonly [string, string]> = {
  [VECTOR.DE]: ['#DE', 'divide error'], [VECTOR.DB]: ['#DB', 'debug exception'], [VECTOR.NMI]: ['NMI', 'non-maskable interrupt'],
  [VECTOR.BP]: ['#BP', 'breakpoint'], [VECTOR.OF]: ['#OF', 'overflow'], [VECTOR.BR]: ['#BR', 'BOUND range exceeded'],
  [VECTOR.UD]: ['#UD', 'invalid opcode'], [VECTOR.NM]: ['#NM', 'device not available'], [VECTOR.DF]: ['#DF', 'double fault'],
  [VECTOR.TS]: ['#TS', 'invalid TSS'], [VECTOR.NP]: ['#NP', 'segment not present'], [VECTOR.SS]: ['#SS', 'stack-segment fault'],
  [VECTOR.GP]: ['#GP', 'general protection'], [VECTOR.PF]: ['#PF', 'page fault'], [VECTOR.MF]: ['#MF', 'x87 floating-point error'],
  [VECTOR.AC]: ['#AC', 'alignment check'], [VECTOR.MC]: ['#MC', 'machine check'], [VECTOR.XM]: ['#XM', 'SIMD floating-point exception'],
  [VECTOR.VE]: ['#VE', 'virtualization exception'], [VECTOR.CP]: ['#CP', 'control protection'],
};

/** `#PF`; `vector 33` for what has no mnemonic. */
export const vectorMnemonic = (vector: number): string => NAMES[vector]?.[0] ?? `vector ${vector}`;
/** `#PF (page fault, vector 14)`. */
export function vectorText(vector: number): string {
  const known = NAMES[vector];
  return known === undefined ? `vector ${vector}` : `${known[0]} (${known[1]}, vector ${vector})`;
}

/**
 * The bits of a page fault's error code, one phrase each; PK and SS only when set. `fetchesReported`: EFER.NXE or CR4.SMEP
 * is on, without which the I/D bit is always 0.
 */
export function pageFaultBits(errorCode: number, fetchesReported = true): string[] {
  const bit = (mask: number, name: string, set: string, clear: string): string => ((errorCode & mask) !== 0 ? `${name}=1 ${set}` : `${name}=0 ${clear}`);
  const bits = [
    bit(PF_ERROR.P, 'P', 'the page is present, but its entries forbid the access', 'the page is not present'),
    bit(PF_ERROR.W, 'W/R', 'a write', (errorCode & PF_ERROR.I) !== 0 ? 'not a write' : fetchesReported ? 'a read' : 'a read or a fetch'),
    bit(PF_ERROR.U, 'U/S', 'in user mode', 'in supervisor mode'),
    bit(PF_ERROR.RSVD, 'RSVD', 'an entry has a reserved bit set', 'no reserved bit is to blame'),
    bit(PF_ERROR.I, 'I/D', 'an instruction fetch', fetchesReported ? 'not an instruction fetch' : 'not reported, because neither NXE nor SMEP is on'),
  ];
  if ((errorCode & PF_ERROR.PK) !== 0) bits.push('PK=1 refused by a protection key');
  if ((errorCode & PF_ERROR.SS) !== 0) bits.push('SS=1 a shadow-stack access');
  const known = PF_ERROR.P | PF_ERROR.W | PF_ERROR.U | PF_ERROR.RSVD | PF_ERROR.I | PF_ERROR.PK | PF_ERROR.SS;
  if ((errorCode & ~known) !== 0) bits.push(`undefined bits 0x${(errorCode & ~known).toString(16)}`);
  return bits;
}

/** The bits of an error code that names a selector or an IDT entry: #TS #NP #SS #GP. */
export function selectorBits(errorCode: number): string[] {
  if (errorCode === 0) return ['no selector is to blame'];
  const external = (errorCode & 1) !== 0;
  const idt = (errorCode & 2) !== 0, ldt = (errorCode & 4) !== 0, index = (errorCode >>> 3) & 0x1fff;
  const bits = [external ? 'EXT=1 while delivering an event, not by the program itself' : 'EXT=0 by the program itself'];
  if (errorCode === 1) return [...bits, 'no selector is to blame'];
  bits.push(idt ? 'IDT=1 the index is an IDT entry' : 'IDT=0 the index is a segment selector\'s');
  if (!idt) bits.push(ldt ? 'TI=1 in the LDT' : 'TI=0 in the GDT');
  bits.push(idt ? `index ${index} = vector ${index}` : `index ${index} = selector 0x${(errorCode & 0xfffc).toString(16)}`);
  return bits;
}

/** The bits of the error code of any vector, or undefined if the vector pushes none. */
export function errorCodeBits(vector: number, errorCode: number | undefined): string[] | undefined {
  if (errorCode === undefined) return undefined;
  if (vector === VECTOR.PF) return pageFaultBits(errorCode);
  if (vector === VECTOR.DF || vector === VECTOR.AC) return ['always zero'];
  return selectorBits(errorCode);
}
