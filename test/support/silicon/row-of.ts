/** Which row of the table a case is one of. */
import { decode, DecodeFailure } from '../../../src/cpu/decode/decode.ts';
import { MODE_32, MODE_64, type Instruction } from '../../../src/cpu/isa/instruction.ts';
import type { Row } from '../../../src/cpu/isa/row.ts';
import type { Case } from './world.ts';

const LOCK = 0xf0;

/** The instruction of a case. LOCK where it is not allowed is #UD, and recorded as that: it is that of the rest. */
export function instructionOf({ code, codeSize }: Pick<Case, 'code' | 'codeSize'>): Instruction {
  const mode = codeSize === 64 ? MODE_64 : MODE_32;
  const whole = decode(code, 0, mode);
  const i = whole instanceof DecodeFailure ? decode(code.filter((x) => x !== LOCK), 0, mode) : whole;
  if (i instanceof DecodeFailure) throw new Error(`${Buffer.from(code).toString('hex')}: ${i.what}`);
  return i;
}
export const rowOf = (c: Pick<Case, 'code' | 'codeSize'>): Row => instructionOf(c).row;
