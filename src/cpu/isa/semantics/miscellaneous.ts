/** Instructions that do nothing a program can see, except perhaps fault. */
import type { MemoryOperand } from '../operand.ts';
import type { Semantics } from '../row.ts';

/** NOP, PAUSE, hints, fences, SERIALIZE. SDM Vol. 2B, "NOP—No Operation". */
export const NOP: Semantics = () => {};

/** CLFLUSH, CLFLUSHOPT, CLWB: there is no cache, so only the check is left, that of a byte load. SDM Vol. 2A, "CLFLUSH—Flush Cache Line". */
export const CLFLUSH: Semantics = (o, i) => {
  const x = i.operands[0] as MemoryOperand;
  o.load(8, x.segment, o.effectiveAddress(x));
};
