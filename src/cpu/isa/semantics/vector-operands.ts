/** How instructions on XMM registers begin, and how they read and write their operands. */
import type { Instruction } from '../instruction.ts';
import type { MemoryOperand, Operand, XmmOperand } from '../operand.ts';
import type { Ops } from '../ops.ts';
import type { Semantics } from '../row.ts';
import type { VectorOp } from '../vector-ops.ts';

/** A meaning that needs SSE enabled: nothing else of it is looked at before. SDM Vol. 3A, "Providing Operating System Support for SSE". */
export const sse = (meaning: Semantics): Semantics => (o, i) => {
  o.requireSse();
  meaning(o, i);
};

/**
 * Reads operand n: an XMM register; 128 bits of memory, which must be aligned unless the instruction takes `any`; or fewer
 * bits of memory, with zeros above them.
 */
export function readX<V, B, X>(o: Ops<V, B, X>, i: Instruction, n: number, alignment: 'aligned' | 'any' = 'aligned'): X {
  const x = i.operands[n] as Operand;
  if (x.kind === 'xmm') return o.getXmm(x);
  if (x.kind !== 'memory') throw new Error(`${i.row.text}: operand ${n} is no vector`);
  const offset = o.effectiveAddress(x);
  if (x.width !== 128) return o.lowX(x.width as 32 | 64, o.load(x.width as 32 | 64, x.segment, offset));
  if (alignment === 'aligned') o.requireAligned(16, x.segment, offset);
  return o.loadX(x.segment, offset);
}

/** Writes 128 bits to operand n. */
export function writeX<V, B, X>(o: Ops<V, B, X>, i: Instruction, n: number, v: X, alignment: 'aligned' | 'any' = 'aligned'): void {
  const x = i.operands[n] as XmmOperand | MemoryOperand;
  if (x.kind === 'xmm') {
    o.setXmm(x, v);
    return;
  }
  const offset = o.effectiveAddress(x);
  if (alignment === 'aligned') o.requireAligned(16, x.segment, offset);
  o.storeX(x.segment, offset, v);
}

/** The register that is operand n. */
export const xmm = (i: Instruction, n: number): XmmOperand => i.operands[n] as XmmOperand;

/** DEST := DEST op SRC. */
export const lanewise = (op: VectorOp): Semantics => sse((o, i) => {
  o.setXmm(xmm(i, 0), o.vectorX(op, o.getXmm(xmm(i, 0)), readX(o, i, 1)));
});

/** DEST := sixteen bytes of DEST and SRC. */
export const shuffled = (bytes: readonly number[]): Semantics => sse((o, i) => {
  o.setXmm(xmm(i, 0), o.shuffleX(bytes, o.getXmm(xmm(i, 0)), readX(o, i, 1)));
});
