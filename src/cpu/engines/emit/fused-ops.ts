/**
 * The vocabulary as generated WebAssembly: products and sums that are rounded once. WebAssembly rounds each operation, so what the
 * roundings lose is computed, too, and taken into account:
 *
 * - Of single precision the product is exact in double precision. The sum with the third operand, rounded to odd there, has enough
 *   bits left that rounding it again is as good as rounding once.
 * - Of double precision product and sums are pairs of numbers, a value and its error, and the errors are added, rounded to odd. S. Boldo,
 *   G. Melquiond, "Emulation of a FMA and Correctly Rounded Sums: Proved Algorithms Using Rounding to Odd", IEEE Transactions on Computers 57 (2008).
 *   The error of a product is exact where nothing overflows or underflows: products close to the least number are left to the reference
 *   engine, and an overflow on the way makes the result infinite or NaN.
 *
 * Flags are as float-ops.ts has them: PE is set already, a result that would set another is left.
 */
import type { Float, FloatShape, FusedOp } from '../../isa/vector-ops.ts';
import { lanePattern } from '../../isa/vector-shuffles.ts';
import { FloatCode, formatOf, isPacked } from './float-ops.ts';
import type { Node } from './node.ts';

const SIGNS = { f32: 0x8000_0000_8000_0000_8000_0000_8000_0000n, f64: 0x8000_0000_0000_0000_8000_0000_0000_0000n } as const;
const EVEN_SIGNS = { f32: 0x8000_0000_0000_0000_8000_0000n, f64: 0x8000_0000_0000_0000n } as const;
/** 2^27 + 1 in both lanes: multiplying by it splits 53 bits into 26 and 26. */
const SPLITTER = 0x41a0_0000_0200_0000_41a0_0000_0200_0000n;
const ONES = 1n << 64n | 1n;
/** 2^-960, shifted left by one: the error of a product that is no less has no bits below the least number. */
const LEAST_PRODUCT = 63n << 53n;

const UPPER_SINGLES = lanePattern(4, [2, 3, 2, 3]);
const JOINED = lanePattern(8, [0, 2]);
/** One doubleword of each quadword of two vectors. */
const EVERY_SECOND = lanePattern(4, [0, 2, 4, 6]);

/** A result, and all ones in the lanes where it is an exact zero. */
interface Fused { readonly result: Node; readonly zeros: Node }

export abstract class FusedCode extends FloatCode {
  override fusedX(op: FusedOp, a: Node, b: Node, c: Node, above: Node): Node {
    const [shape, name] = op.split('.') as [FloatShape, string];
    const { lane, packed, integers } = formatOf(shape);
    this.requireInexactAllowed();
    this.requireAll([a, b, c].map((x) => this.noDenormal(shape, x)));
    const negated = (x: Node, signs: bigint): Node => this.simd('v128.xor', x, this.constX(signs));
    const factor = name.startsWith('n') ? negated(a, SIGNS[lane]) : a;
    const term = this.#term(name, lane, c, negated);
    const { result, zeros } = lane === 'f32' ? this.#singles(shape, factor, b, term) : this.#doubles(shape, factor, b, term);
    this.requireNormalOr(shape, result, zeros);
    this.noteNotDenormal(shape, result);
    return shape === packed ? result : this.replaceLaneX(integers, above, 0, this.laneX(integers, result, 0));
  }
  /** The third operand with the sign that it is added with. */
  #term(name: string, lane: Float, c: Node, negated: (x: Node, signs: bigint) => Node): Node {
    switch (name) {
      case 'madd': case 'nmadd': return c;
      case 'maddsub': return negated(c, EVEN_SIGNS[lane]);
      case 'msubadd': return negated(c, SIGNS[lane] ^ EVEN_SIGNS[lane]);
      default: return negated(c, SIGNS[lane]);
    }
  }

  #f64(name: 'add' | 'sub' | 'mul' | 'eq' | 'ne', a: Node, b: Node): Node { return this.simd(`f64x2.${name}`, a, b); }
  /** a + b and what rounding took from it (Knuth). */
  #sum(a: Node, b: Node): { readonly value: Node; readonly error: Node } {
    const value = this.#f64('add', a, b);
    const b1 = this.#f64('sub', value, a);
    return { value, error: this.#f64('add', this.#f64('sub', a, this.#f64('sub', value, b1)), this.#f64('sub', b, b1)) };
  }
  /** a * b and what rounding took from it (Dekker). */
  #product(a: Node, b: Node): { readonly value: Node; readonly error: Node } {
    const value = this.#f64('mul', a, b);
    const [a1, a0] = this.#split(a), [b1, b0] = this.#split(b);
    const error = [[a1, b0], [a0, b1], [a0, b0]].reduce((sum, [x, y]) => this.#f64('add', sum, this.#f64('mul', x!, y!)), this.#f64('sub', this.#f64('mul', a1, b1), value));
    return { value, error };
  }
  #split(a: Node): readonly [Node, Node] {
    const t = this.#f64('mul', a, this.constX(SPLITTER));
    const high = this.#f64('sub', t, this.#f64('sub', t, a));
    return [high, this.#f64('sub', a, high)];
  }
  /** a + b rounded to odd: of the two numbers beside an inexact sum the one whose last bit is 1. */
  #sumToOdd(a: Node, b: Node): Node {
    const { value, error } = this.#sum(a, b);
    const ones = this.constX(ONES);
    const even = this.simd('i64x2.eq', this.simd('v128.and', value, ones), this.constX(0n));
    const inexact = this.#f64('ne', error, this.constX(0n));
    // One up in magnitude where the error has the sum's sign, else one down.
    const step = this.simd('v128.or', this.simd('i64x2.shr_s', this.simd('v128.xor', value, error), this.const(32, 63n)), ones);
    return this.simd('i64x2.add', value, this.simd('v128.and', step, this.simd('v128.and', even, inexact)));
  }

  #singles(shape: FloatShape, a: Node, b: Node, c: Node): Fused {
    const pair = (which: 'low' | 'high'): Fused => {
      const [x, y, z] = [a, b, c].map((v) => this.simd('f64x2.promote_low_f32x4', which === 'low' ? v : this.shuffleX(UPPER_SINGLES, v, v))) as [Node, Node, Node];
      const sum = this.#sumToOdd(this.#f64('mul', x, y), z);
      return { result: this.simd('f32x4.demote_f64x2_zero', sum), zeros: this.#f64('eq', sum, this.constX(0n)) };
    };
    const low = pair('low');
    if (!isPacked(shape)) return low;
    const high = pair('high');
    return { result: this.shuffleX(JOINED, low.result, high.result), zeros: this.shuffleX(EVERY_SECOND, low.zeros, high.zeros) };
  }

  #doubles(shape: FloatShape, a: Node, b: Node, c: Node): Fused {
    const product = this.#product(a, b);
    this.requireFromOr(shape, product.value, LEAST_PRODUCT, this.zerosOf(shape, [a, b]));
    const lower = this.#sum(c, product.error);
    const upper = this.#sum(product.value, lower.value);
    const rounded = this.#f64('add', upper.value, this.#sumToOdd(lower.error, upper.error));
    // A sum of zero is exact, and its sign that of a plain sum.
    const zeros = this.#f64('eq', rounded, this.constX(0n));
    const plain = this.simd('v128.and', this.#f64('add', product.value, c), zeros);
    return { result: this.simd('v128.or', this.simd('v128.andnot', rounded, zeros), plain), zeros };
  }
}
