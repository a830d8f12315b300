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
  if (x.width === 16) return o.lowX(32, o.zext(16, 32, o.load(16, x.segment, offset)));
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

/** What an instruction makes of 128 bits of its first source and 128 of its second. `i` is there for its immediate and for the kinds of its operands. */
export type Combination = <V, B, X>(o: Ops<V, B, X>, first: X, second: X, i: Instruction) => X;
/** DEST := f(DEST, SRC). */
export const combined = (f: Combination): Semantics => vector((o, i) => {
  writeX(o, i, 0, f(o, readX(o, i, 0), readX(o, i, 1), i));
});
/** The same of one source. */
export type Mapping = <V, B, X>(o: Ops<V, B, X>, source: X, i: Instruction) => X;
/** DEST := f(SRC). */
export const mapped = (f: Mapping): Semantics => vector((o, i) => {
  writeX(o, i, 0, f(o, readX(o, i, 1), i));
});

/** DEST := DEST op SRC. */
export const lanewise = (op: VectorOp): Semantics => vector((o, i) => {
  writeX(o, i, 0, o.vectorX(op, readX(o, i, 0), readX(o, i, 1)));
});

/**
 * Applies f to the sources of an operation whose result has the lanes of the first, then those of the second, each two or each one made into
 * one. MMX registers are the halves of one vector.
 */
export function joined<V, B, X>(o: Ops<V, B, X>, first: X, second: X, i: Instruction, f: (a: X, b: X) => X): X {
  if (!usesMmx(i)) return f(first, second);
  const both = o.replaceLaneX('i64x2', first, 1, o.laneX('i64x2', second, 0));
  return f(both, both);
}
/** DEST := the lanes of DEST, then those of SRC, by one operation on both. */
export const pairwise = (op: VectorOp): Semantics => combined((o, a, b, i) => joined(o, a, b, i, (x, y) => o.vectorX(op, x, y)));

/** DEST := sixteen bytes of DEST and SRC. */
export const shuffled = (bytes: readonly number[]): Semantics => sse((o, i) => {
  o.setXmm(xmm(i, 0), o.shuffleX(bytes, o.getXmm(xmm(i, 0)), readX(o, i, 1)));
});
