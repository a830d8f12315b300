/** FMA: products and sums that are rounded once. */
import type { Semantics } from '../row.ts';
import type { FusedOp } from '../vector-ops.ts';
import { readX, sse, writeHalves } from './vector-operands.ts';

/** The order in which the operands are multiplied and added: `132` is DEST := DEST * SRC3 + SRC2. */
export type FusedOrder = '132' | '213' | '231';

/** VFMADD132PS and its kin. SDM Vol. 2C, "VFMADD132PS/VFMADD213PS/VFMADD231PS—Fused Multiply-Add of Packed Single Precision Floating-Point Values". */
export const FUSED = (op: FusedOp, order: FusedOrder): Semantics => sse((o, i) => {
  const [a, b, c] = Array.from(order, (digit) => Number(digit) - 1) as [number, number, number];
  writeHalves(o, i, (half) => {
    const sources = [0, 1, 2].map((n) => readX(o, i, n, 'any', half));
    return o.fusedX(op, sources[a]!, sources[b]!, sources[c]!, sources[0]!);
  });
});
