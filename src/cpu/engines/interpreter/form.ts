/**
 * Forms: what a handler depends on. Everything else of an instruction is a field of its record. Two instructions of one
 * form have the same meaning, widths, kinds of operands and mode.
 */
import { SEGMENT } from '../../../state/layout.ts';
import type { Instruction } from '../../isa/instruction.ts';
import { NO_REGISTER, type MemoryOperand, type Operand } from '../../isa/operand.ts';
import type { Meaning } from '../../isa/row.ts';
import { isBasedOnRsp } from './record.ts';

const meanings = new Map<Meaning, number>();
function numberOf(meaning: Meaning): number {
  let n = meanings.get(meaning);
  if (n === undefined) meanings.set(meaning, n = meanings.size);
  return n;
}

/** ES, SS and DS are alike: they have no base where generated code runs, and may be written. CS outside 64-bit mode may not. */
const segmentText = (segment: number | undefined): string => (segment === undefined || (segment < SEGMENT.FS && segment !== SEGMENT.CS) ? '' : `s${segment}`);
const memoryText = (x: MemoryOperand): string =>
  `M${x.width}${segmentText(x.segment)}a${x.addressWidth}${x.index === NO_REGISTER ? '' : 'x'}${isBasedOnRsp(x) ? 'p' : ''}`;

/** Beside vectors an immediate chooses lanes or a comparison, and is part of the form: WebAssembly knows these when code is made. */
export const isImmediateOfForm = (i: Instruction): boolean => i.operands.some((x) => x.kind === 'xmm' || x.kind === 'mmx');

function operandText(x: Operand, i: Instruction): string {
  switch (x.kind) {
    case 'register': return x.implicit ? `=${x.number}.${x.width}` : `R${x.width}`;
    case 'memory': return memoryText(x);
    case 'immediate': return isImmediateOfForm(i) ? `I${x.value}` : 'I';
    case 'xmm': return x.width === 256 ? 'Y' : 'X';
    case 'mmx': return 'Q';
    case 'fpu': return `S${x.number}`;
    case 'relative': return 'J';
    default: return `?${x.kind}`;
  }
}

/** Of a segment that matters, as in `segmentText`: CS, FS, GS; 2 bits. */
const segmentBits = (segment: number | undefined): number => {
  if (segment === undefined) return 0;
  return segment < SEGMENT.FS ? Number(segment === SEGMENT.CS) : segment - SEGMENT.FS + 2;
};
/** Of a width in bits, 8 or more: 4 bits. */
const widthBits = (width: number): number => 28 - Math.clz32(width);
const REPEAT_BITS = { none: 0, rep: 1, repne: 2 } as const;

/**
 * What, besides its row, an instruction's form depends on, as a number: two instructions of one row with one such number have one form. Cheaper than
 * the form's own key, which instructions of several rows may share.
 */
export function formInRow(i: Instruction): number {
  let bits = widthBits(i.width) | (widthBits(i.mode.codeSize) << 4) | (widthBits(i.mode.stackSize) << 8);
  bits = (((bits * 4 + segmentBits(i.segmentOverride)) * 4 + REPEAT_BITS[i.repeat]) * 16 + i.condition) * 4 + widthBits(i.addressWidth) - 1;
  const last = i.operands.at(-1);
  if (last?.kind === 'immediate' && isImmediateOfForm(i)) bits = bits * 256 + Number(last.value & 0xffn);
  for (const x of i.operands) {
    if (x.kind === 'fpu') bits = bits * 8 + x.number;
    if (x.kind === 'memory') {
      return ((bits * 16 + widthBits(x.width)) * 4 + segmentBits(x.segment)) * 16 + 1 + (x.index === NO_REGISTER ? 0 : 2) + (isBasedOnRsp(x) ? 4 : 0);
    }
  }
  return bits * 1024;
}

/** The key of an instruction's form. */
export function formOf(i: Instruction): string {
  return `${i.mnemonic}#${numberOf(i.row.meaning)}.${i.width}.${i.mode.codeSize}.${i.mode.stackSize}.${i.addressWidth} ${i.condition} ${i.repeat}`
    + `${segmentText(i.segmentOverride)} ${i.operands.map((x) => operandText(x, i)).join(',')}`;
}
