/** What all iterations of a repeated string instruction have in common, where many of them may be done at once (fast/strings.ts). */
import { OFFSET, SEGMENT } from '../../../state/layout.ts';
import type { Instruction } from '../../isa/instruction.ts';
import type { Semantics } from '../../isa/row.ts';
import { CMPS, MOVS, SCAS, STOS } from '../../isa/semantics/string.ts';

/** So many iterations take longer one by one than a way out of generated code. A power of two. */
export const MANY = 64;

export interface StringForm {
  readonly operation: 'MOVS' | 'STOS' | 'CMPS' | 'SCAS';
  /** Size of an element. */
  readonly bytes: 1 | 2 | 4 | 8;
  readonly addressWidth: 32 | 64;
  /** Byte offset in the state of the segment base that is added to rSI; undefined: none. */
  readonly sourceBase: number | undefined;
  /** REPE, not REPNE: iterations go on while the elements are equal. */
  readonly whileEqual: boolean;
}

const OPERATIONS = new Map<Semantics, StringForm['operation']>([[MOVS, 'MOVS'], [STOS, 'STOS'], [CMPS, 'CMPS'], [SCAS, 'SCAS']]);

/** The form of an instruction for which a handler can be generated; undefined where it is none of those. */
export function stringFormOf({ row: { meaning }, repeat, width, addressWidth, segmentOverride }: Instruction): StringForm | undefined {
  if (repeat === 'none' || addressWidth === 16 || meaning.kind !== 'translated') return undefined;
  const operation = OPERATIONS.get(meaning.semantics);
  if (operation === undefined) return undefined;
  return {
    operation,
    bytes: (width / 8) as 1 | 2 | 4 | 8,
    addressWidth,
    sourceBase: segmentOverride === SEGMENT.FS || segmentOverride === SEGMENT.GS ? OFFSET.base + 8 * segmentOverride : undefined,
    whileEqual: repeat !== 'repne',
  };
}
