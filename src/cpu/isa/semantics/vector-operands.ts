/** How instructions on XMM and MMX registers begin, and how they read and write their operands. */
import type { Instruction } from '../instruction.ts';
import type { MemoryOperand, MmxOperand, Operand, Width, XmmOperand } from '../operand.ts';
import type { Ops } from '../ops.ts';
import type { Semantics } from '../row.ts';
import type { VectorOp } from '../vector-ops.ts';
import { addOffset, widen } from './operands.ts';

/** Whether the line has a VEX prefix: then no operand needs alignment, and what is written to a register clears the bits above. */
const hasVex = (i: Instruction): boolean => i.row.encoding.vex !== undefined;
/** Whether VEX.vvvv names an operand, and so the destination is not the first source. */
const namesThird = (i: Instruction): boolean => i.row.operands.some((x) => 'at' in x && x.at === 'vvvv');
/** The number of the operand that is the first source, the destination of instructions without VEX.vvvv. */
export const firstSource = (i: Instruction): 0 | 1 => (namesThird(i) ? 1 : 0);

/** A meaning that needs SSE, or with a VEX prefix AVX, enabled: nothing else of it is looked at before. SDM Vol. 3A, "Providing Operating System Support for SSE". */
export const sse = (meaning: Semantics): Semantics => (o, i) => {
  if (hasVex(i)) o.requireAvx();
  else o.requireSse();
  meaning(o, i);
};
/** A meaning that may run on XMM registers, on MMX registers, or takes one to the other: what its operands are decides what is asked first. */
export const vector = (meaning: Semantics): Semantics => (o, i) => {
  if (hasVex(i)) o.requireAvx();
  else if (i.operands.some((x) => x.kind === 'xmm')) o.requireSse();
  if (usesMmx(i)) o.requireMmx();
  meaning(o, i);
};

/** Whether the instruction is one on MMX registers, decided by its form. */
export const usesMmx = (i: Instruction): boolean => i.operands.some((x) => x.kind === 'mmx');

/** Which 128 bits of a YMM register, or of 256 bits of memory. */
export type Half = 0 | 1;
/** The halves of the first operand, or of another: instructions on YMM registers do the same in both. */
export const halvesOf = (i: Instruction, n = 0): readonly Half[] => ((i.operands[n] as Operand & { width?: number }).width === 256 ? [0, 1] : [0]);

/**
 * Reads operand n: an XMM register or a half of a YMM register; 128 bits of memory, which must be aligned unless the instruction takes
 * `any`; or an MMX register or fewer bits of memory, with zeros above them. An operand of 128 bits is the same for both halves.
 */
export function readX<V, B, X>(o: Ops<V, B, X>, i: Instruction, n: number, alignment: 'aligned' | 'any' = 'aligned', half: Half = 0): X {
  const x = i.operands[n] as Operand;
  if (x.kind === 'xmm') return half === 1 && x.width === 256 ? o.getYmmHigh(x) : o.getXmm(x);
  if (x.kind === 'mmx') return o.lowX(64, o.getMmx(x));
  if (x.kind !== 'memory') throw new Error(`${i.row.text}: operand ${n} is no vector`);
  const offset = o.effectiveAddress(x);
  if (x.width === 256) return o.loadHalfX(x.segment, offset, half, half === 0 ? offset : addOffset(o, i, offset, o.const(64, 16n)));
  if (x.width < 128) {
    const value = o.load(x.width as Width, x.segment, offset);
    return o.lowX(x.width === 64 ? 64 : 32, widen(o, x.width as Width, x.width === 64 ? 64 : 32, value));
  }
  if (alignment === 'aligned' && !hasVex(i)) o.requireAligned(16, x.segment, offset);
  return o.loadX(x.segment, offset);
}

/** Writes an XMM register, with zeros above where there is a VEX prefix. */
export function writeXmm<V, B, X>(o: Ops<V, B, X>, i: Instruction, x: XmmOperand, v: X): void {
  o.setXmm(x, v);
  if (hasVex(i)) o.setYmmHigh(x, o.constX(0n));
}
/** Writes a vector to operand n: 128 bits, with zeros above where there is a VEX prefix, or the low 64 to an MMX register. */
export function writeX<V, B, X>(o: Ops<V, B, X>, i: Instruction, n: number, v: X, alignment: 'aligned' | 'any' = 'aligned'): void {
  const x = i.operands[n] as XmmOperand | MmxOperand | MemoryOperand;
  if (x.kind === 'xmm') {
    writeXmm(o, i, x, v);
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

/** DEST := f of each of its halves. All are computed before any is written. */
export function writeHalves<V, B, X>(o: Ops<V, B, X>, i: Instruction, f: (half: Half) => X): void {
  const halves = halvesOf(i);
  const [low, high] = halves.length === 1 ? [f(0)] : o.raisedTogether(() => halves.map(f));
  if (high === undefined) {
    writeX(o, i, 0, low as X);
    return;
  }
  o.setXmm(xmm(i, 0), low as X);
  o.setYmmHigh(xmm(i, 0), high);
}

/** The register that is operand n. */
export const xmm = (i: Instruction, n: number): XmmOperand => i.operands[n] as XmmOperand;
export const mmx = (i: Instruction, n: number): MmxOperand => i.operands[n] as MmxOperand;

/** What an instruction makes of 128 bits of its first source and 128 of its second. `i` is there for its immediate and for the kinds of its operands, which stand where they do without a VEX prefix. */
export type Combination = <V, B, X>(o: Ops<V, B, X>, first: X, second: X, i: Instruction, half: Half) => X;
/** The instruction with its operands where they stand without a VEX prefix: the destination is the first source. */
const withoutThird = (i: Instruction): Instruction => (namesThird(i) ? { ...i, operands: i.operands.slice(1) } : i);
/** DEST := f(DEST, SRC), or with a VEX prefix DEST := f(SRC1, SRC2), in each 128 bits. */
export const combined = (f: Combination): Semantics => vector((o, i) => {
  const first = firstSource(i), plain = withoutThird(i);
  writeHalves(o, i, (half) => f(o, readX(o, i, first, 'aligned', half), readX(o, i, first + 1, 'aligned', half), plain, half));
});
/** The same of one source. */
export type Mapping = <V, B, X>(o: Ops<V, B, X>, source: X, i: Instruction, half: Half) => X;
/** DEST := f(SRC), in each 128 bits. */
export const mapped = (f: Mapping): Semantics => vector((o, i) => {
  writeHalves(o, i, (half) => f(o, readX(o, i, 1, 'aligned', half), i, half));
});

/** DEST := DEST op SRC. */
export const lanewise = (op: VectorOp): Semantics => combined((o, a, b) => o.vectorX(op, a, b));

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
export const shuffled = (bytes: readonly number[]): Semantics => combined((o, a, b) => o.shuffleX(bytes, a, b));
