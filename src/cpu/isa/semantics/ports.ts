/** IN and OUT. SDM Vol. 1, "Input/Output". */
import type { Instruction } from '../instruction.ts';
import type { RegisterOperand } from '../operand.ts';
import type { Ops } from '../ops.ts';
import type { Semantics } from '../row.ts';
import { read } from './operands.ts';

/** Operand n, a port: DX, or an immediate byte with zeros above. */
function portOf<V, B>(o: Ops<V, B>, i: Instruction, n: number): V {
  const x = i.operands[n];
  return x?.kind === 'immediate' ? o.zext(8, 16, o.imm(8, x)) : read(o, i, n, 16);
}

/** IN — Input From Port. */
export const IN: Semantics = (o, i) => {
  o.setReg(i.operands[0] as RegisterOperand, o.readPort(i.width as 8 | 16 | 32, portOf(o, i, 1)));
};

/** OUT — Output to Port. */
export const OUT: Semantics = (o, i) => {
  o.writePort(i.width as 8 | 16 | 32, portOf(o, i, 0), read(o, i, 1));
};
