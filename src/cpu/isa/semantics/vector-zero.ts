/** VZEROALL and VZEROUPPER: of all registers that the mode has. */
import type { Instruction } from '../instruction.ts';
import type { XmmOperand } from '../operand.ts';
import { sse } from './vector-operands.ts';

const registersOf = (i: Instruction): readonly XmmOperand[] =>
  Array.from({ length: i.mode.codeSize === 64 ? 16 : 8 }, (_, number) => ({ kind: 'xmm', width: 256, number }));

/** VZEROUPPER — Zero Upper Bits of YMM Registers. SDM Vol. 2C, "VZEROUPPER". */
export const ZERO_UPPER = sse((o, i) => { for (const x of registersOf(i)) o.setYmmHigh(x, o.constX(0n)); });
/** VZEROALL — Zero YMM Registers. SDM Vol. 2C, "VZEROALL". */
export const ZERO_ALL = sse((o, i) => {
  for (const x of registersOf(i)) {
    o.setXmm(x, o.constX(0n));
    o.setYmmHigh(x, o.constX(0n));
  }
});
