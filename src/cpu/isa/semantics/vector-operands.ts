/** How instructions on XMM and MMX registers begin, and how they read and write their operands. */
import type { Instruction } from '../instruction.ts';
import type { MemoryOperand, MmxOperand, Operand, XmmOperand } from '../operand.ts';
import type { Ops } from '../ops.ts';
import type { Semantics } from '../row.ts';
import type { VectorOp } from '../vector-ops.ts';

/** A meaning that needs SSE enabled: nothing else of it is looked at before. SDM Vol. 3A, "Providing Operating System Support for SSE". */
export const sse = (meaning: Semantics): Semantics => (o, i) => {
  o.requireSse();
  meaning(o, i);
};
/** A meaning that may run on XMM registers, on MMX registers, or takes one to the other: what its operands are decides what is asked first. */
export const vector = (meaning: Semantics): Semantics => (o, i) => {
  if (i.operands.some((x) => x.kind === 'xmm')) o.requireSse();
  if (usesMmx(i)) o.requireMmx();
  meaning(o, i);
};

/** Whether the instruction is one on MMX registers, decided by its form. */
export const usesMmx = (i: Instruction): boolean => i.operands.some((x) => x.kind === 'mmx');

/**
 * Reads operand n: an XMM register; 128 bits of memory, which must be aligned unless the instruction takes `any`; or an MMX
 * register or fewer bits of memory, with zeros above them.
 */
export function readX<V, B, X>(o: Ops<V, B, X>, i: Instruction, n: number, alignment: 'aligned' | 'any' = 'aligned'): X {
  const x = i.operands[n] as Operand;
  if (x.kind === 'xmm') return o.getXmm(x);
  if (x.kind === 'mmx') return o.lowX(64, o.getMmx(x));
  if (x.kind !== 'memory') throw new Error(`${i.row.text}: operand ${n} is no vector`);
  const offset = o.effectiveAddress(x);
  if (x.width !== 128) return o.lowX(x.width as 32 | 64, o.load(x.width as 32 | 64, x.segment, offset));
  if (alignment === 'aligned') o.requireAligned(16, x.segment, offset);
  return o.loadX(x.segment, offset);
}

/** Writes a vector to operand n: 128 bits, or the low 64 to an MMX register. */
export function writeX<V, B, X>(o: Ops<V, B, X>, i: Instruction, n: number, v: X, alignment: 'aligned' | 'any' = 'aligned'): void {
  const x = i.operands[n] as XmmOperand | MmxOperand | MemoryOperand;
  if (x.kind === 'xmm') {
    o.setXmm(x, v);
    return;
  }
  if (x.kind === 'mmx') {
    o.setMmx(x, o.laneX('i64x2', v, 0));
    return;
  }
  const offset = o.effectiveAddress(x);
  if (alignment === 'aligned') o.requireAligned(16, x.segment, offset);
  o.storeX(x.segment, offset, v);
}

/** The register that is operand n. */
export const xmm = (i: Instruction, n: number): XmmOperand => i.operands[n] as XmmOperand;
export const mmx = (i: Instruction, n: number): MmxOperand => i.operands[n] as MmxOperand;

/** DEST := DEST op SRC. */
export const lanewise = (op: VectorOp): Semantics => vector((o, i) => {
  writeX(o, i, 0, o.vectorX(op, readX(o, i, 0), readX(o, i, 1)));
});

/** DEST := the lanes of DEST, then those of SRC, each two or each one made into one of the result: MMX registers are the halves of one vector. */
export const pairwise = (op: VectorOp): Semantics => vector((o, i) => {
  const dest = readX(o, i, 0), src = readX(o, i, 1);
  if (!usesMmx(i)) {
    writeX(o, i, 0, o.vectorX(op, dest, src));
    return;
  }
  const both = o.replaceLaneX('i64x2', dest, 1, o.laneX('i64x2', src, 0));
  writeX(o, i, 0, o.vectorX(op, both, both));
});

/** DEST := sixteen bytes of DEST and SRC. */
export const shuffled = (bytes: readonly number[]): Semantics => sse((o, i) => {
  o.setXmm(xmm(i, 0), o.shuffleX(bytes, o.getXmm(xmm(i, 0)), readX(o, i, 1)));
});
