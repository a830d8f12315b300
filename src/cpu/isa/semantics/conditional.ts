/** SETcc and CMOVcc: data that depends on a condition. */
import type { RegisterOperand } from '../operand.ts';
import type { Semantics } from '../row.ts';
import { read, write } from './operands.ts';

/** SETcc — Set Byte on Condition. SDM Vol. 2B, "SETcc—Set Byte on Condition". */
export const SETcc: Semantics = (o, i) => {
  write(o, i, 0, o.fromBit(8, o.condition(i.condition)));
};

/**
 * CMOVcc — Conditional Move. The source is read and a 32-bit destination's upper half is cleared whether the
 * condition holds or not. SDM Vol. 2A, "CMOVcc—Conditional Move".
 */
export const CMOVcc: Semantics = (o, i) => {
  const src = read(o, i, 1);
  o.setReg(i.operands[0] as RegisterOperand, o.select(i.width, o.condition(i.condition), src, read(o, i, 0)));
};
