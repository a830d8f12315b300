/**
 * The vocabulary as generated WebAssembly: floating point under MXCSR. WebAssembly rounds to nearest and knows no flags, so an
 * operation is done here where its flags are known without being computed, and left to the reference engine where not:
 *
 * - Exceptions are masked, rounding is to nearest, DAZ and FTZ are off, and PE is set already: it is sticky, so that an inexact result
 *   changes nothing. An instruction that finds PE clear is left to the reference engine, which sets it.
 * - No operand is denormal (DE), and the result is finite: no IE, ZE, OE. NaNs, whose payloads WebAssembly leaves open, are among what is left.
 * - A product or quotient is above the least normal number or zero for the sake of an operand that is: no UE.
 *
 * Where the result is exact (comparisons, integers that fit) MXCSR does not matter at all. SDM Vol. 1, "SIMD Floating-Point Exceptions".
 */
import { OFFSET } from '../../../state/layout.ts';
import { FLAG } from '../../floating-point/exact.ts';
import type { ImmediateOperand } from '../../isa/operand.ts';
import type { Float, FloatOp, FloatShape } from '../../isa/vector-ops.ts';
import { lanePattern } from '../../isa/vector-shuffles.ts';
import { MXCSR, MXCSR_MASK } from '../../mxcsr.ts';
import { STATUS } from '../engine-memory.ts';
import { F32, F64, I32, I64, NUMERIC as N, OP, SATURATING, SIMD, STORE, V128, VOID } from '../wasm/opcodes.ts';
import { LeftToReference } from './graph-ops.ts';
import type { Node } from './node.ts';
import { VectorCode } from './vector-ops.ts';

export type Packed = 'f32x4' | 'f64x2';

/** A format's numbers, shifted left by one so that the sign is gone: the least normal one and infinity. */
const doubled = (bits: 32 | 64, fraction: number): { readonly leastNormal: bigint; readonly infinity: bigint } => ({
  leastNormal: 1n << BigInt(fraction + 1), infinity: (1n << BigInt(bits)) - (1n << BigInt(fraction + 1)),
});
const FORMAT = {
  f32: { lane: 'f32', bits: 32, type: F32, packed: 'f32x4', integers: 'i32x4', ...doubled(32, 23) },
  f64: { lane: 'f64', bits: 64, type: F64, packed: 'f64x2', integers: 'i64x2', ...doubled(64, 52) },
} as const;
export const formatOf = (shape: FloatShape): (typeof FORMAT)[Float] => FORMAT[shape.slice(0, 3) as Float];
export const isPacked = (shape: FloatShape): shape is Packed => shape.length > 3;

/** What MXCSR must say for an inexact operation, but for the flags other than PE. */
const ANY_FLAG_BUT_PE = MXCSR.FLAGS & ~FLAG.PE;
const INEXACT_ALLOWED = MXCSR.MASKS | FLAG.PE;

/** By the control of ROUNDPS. */
const ROUNDINGS = ['nearest', 'floor', 'ceil', 'trunc'] as const;

/** 2^31 and 2^63: what integers of that size are below. */
const LIMIT = { 32: 2 ** 31, 64: 2 ** 63 } as const;
/** Integers up to these are floating-point numbers: 2^(fraction + 1). */
const EXACT_INTEGERS = { f32: 1n << 24n, f64: 1n << 53n } as const;

const LOW_SINGLES = lanePattern(4, [0, 1, 0, 1]);
/** Differences in the even lanes, sums in the odd ones. */
const ALTERNATE = { f32x4: lanePattern(4, [0, 5, 2, 7]), f64x2: lanePattern(8, [0, 3]) } as const;

export abstract class FloatCode extends VectorCode {
  /** It has been checked since the block began that MXCSR allows inexact results. */
  #inexactChecked = false;
  /** What has been found not to be denormal: vectors, by their node, under the shape that was looked at. */
  #notDenormal = new Map<Node, Set<FloatShape>>();

  protected override beginVectors(): void {
    super.beginVectors();
    this.#inexactChecked = false;
    this.#notDenormal = new Map();
  }

  // --------------------------------------------------------------------------------------------------------- checks
  #inexactAllowed(): Node {
    return this.eq(32, this.and(32, this.getMxcsr(), this.const(32, BigInt(0xffff & ~ANY_FLAG_BUT_PE))), this.const(32, BigInt(INEXACT_ALLOWED)));
  }
  protected requireInexactAllowed(): void {
    if (this.#inexactChecked) return;
    this.#inexactChecked = true;
    this.leaveUnless(this.#inexactAllowed());
  }
  /** Leaves unless one of them is 1; the second, rarely needed, is computed only where the first is 0. */
  #leaveUnlessEither(c: Node, rare: Node): void {
    const exit = this.leave();
    const otherwise = this.not(c), hopeless = this.not(rare);
    this.effect([otherwise, hopeless, ...exit.roots], () => {
      const { code } = this;
      this.emit(otherwise);
      code.open(OP.if, VOID);
      this.inArm(() => {
        this.emit(hopeless);
        code.open(OP.if, VOID);
        this.inArm(() => { exit.write(STATUS.reference); });
        code.end();
      });
      code.end();
    });
  }

  /** The lowest lane's bits, or all lanes, without signs. */
  #unsigned(shape: FloatShape, x: Node): Node {
    const { bits, integers } = formatOf(shape);
    if (isPacked(shape)) return this.simd(`${integers}.shl`, x, this.const(32, 1n));
    return this.shl(bits, this.laneX(integers, x, 0), this.const(bits, 1n));
  }
  /** Whether the bits of the lanes of x, shifted left by one, are at least `low` and below `high`; with `outside`, whether none of them are. */
  #within(shape: FloatShape, x: Node, low: bigint, high: bigint, outside = false): Node {
    const { bits, integers } = formatOf(shape);
    if (!isPacked(shape)) {
      const inside = this.ltU(bits, this.sub(bits, this.#unsigned(shape, x), this.const(bits, low)), this.const(bits, high - low));
      return outside ? this.not(inside) : inside;
    }
    return this.#allTrue(shape, this.#lanesWithin(shape, x, low, high, outside ? `${integers}.ge_s` : `${integers}.lt_s`));
  }
  /** WebAssembly compares 64-bit lanes as signed ones only: the range is moved to begin at the least. */
  #lanesWithin(shape: Packed, x: Node, low: bigint, high: bigint, comparison: `${'i32x4' | 'i64x2'}.${'ge_s' | 'lt_s'}`): Node {
    const { bits, integers } = formatOf(shape);
    const least = 1n << BigInt(bits - 1);
    return this.simd(comparison, this.simd(`${integers}.sub`, this.#unsigned(shape, x), this.#splat(shape, low + least)), this.#splat(shape, high - low + least));
  }
  #splat(shape: Packed, lane: bigint): Node {
    const { bits } = formatOf(shape);
    let all = 0n;
    for (let at = 0; at < 128; at += bits) all |= BigInt.asUintN(bits, lane) << BigInt(at);
    return this.constX(all);
  }
  #allTrue(shape: Packed, mask: Node): Node { return this.node(I32, SIMD[`${formatOf(shape).integers}.all_true`], mask); }

  /** 1 where no lane of x is denormal; undefined where that is known. */
  protected noDenormal(shape: FloatShape, x: Node): Node | undefined {
    const known = this.#notDenormal.get(x);
    if (known?.has(shape) === true) return undefined;
    this.noteNotDenormal(shape, x);
    return this.#within(shape, x, 1n, formatOf(shape).leastNormal, true);
  }
  protected noteNotDenormal(shape: FloatShape, x: Node): void {
    const known = this.#notDenormal.get(x);
    if (known === undefined) this.#notDenormal.set(x, new Set([shape]));
    else known.add(shape);
  }
  #finite(shape: FloatShape, x: Node): Node { return this.#within(shape, x, 0n, formatOf(shape).infinity); }
  protected requireAll(conditions: readonly (Node | undefined)[]): void {
    const open = conditions.filter((c) => c !== undefined);
    if (open.length > 0) this.leaveUnless(open.reduce((a, b) => this.andB(a, b)));
  }
  /** Neither NaN nor denormal, so that comparing sets no flag. */
  #requireOrderable(shape: FloatShape, ...operands: readonly Node[]): void {
    const { infinity } = formatOf(shape);
    this.requireAll(operands.flatMap((x) => [this.noDenormal(shape, x), this.#within(shape, x, 0n, infinity + 1n)]));
  }
  /** Leaves unless each lane of r is above the least normal number, or a zero where `mayBeZero` says that this is exact. */
  #requireNormal(shape: FloatShape, r: Node, mayBeZero: readonly Node[]): void {
    this.requireNormalOr(shape, r, this.simd('v128.and', this.zeros(shape, r), this.zerosOf(shape, mayBeZero)));
  }
  /** All ones in the lanes that are zero. */
  protected zeros(shape: FloatShape, x: Node): Node { return this.simd(`${formatOf(shape).packed}.eq`, x, this.constX(0n)); }
  /** All ones in the lanes that are zero in one of them. */
  protected zerosOf(shape: FloatShape, vectors: readonly Node[]): Node {
    return vectors.map((x) => this.zeros(shape, x)).reduce((a, b) => this.simd('v128.or', a, b));
  }
  /** Leaves unless each lane of r is above the least normal number and finite, or the lane of `exempt` is all ones. */
  protected requireNormalOr(shape: FloatShape, r: Node, exempt: Node): void { this.requireFromOr(shape, r, formatOf(shape).leastNormal + 1n, exempt); }
  /** Leaves unless the bits of each lane of r, shifted left by one, are at least `low` and those of a finite number, or the lane of `exempt` is all ones. */
  protected requireFromOr(shape: FloatShape, r: Node, low: bigint, exempt: Node): void {
    const { infinity, bits, integers } = formatOf(shape);
    const exempted = isPacked(shape)
      ? this.#allTrue(shape, this.simd('v128.or', exempt, this.#lanesWithin(shape, r, low, infinity, `${integers}.lt_s`)))
      : this.not(this.isZero(bits, this.laneX(integers, exempt, 0)));
    this.#leaveUnlessEither(this.#within(shape, r, low, infinity), exempted);
  }

  // --------------------------------------------------------------------------------------------------------- values
  /** The lowest lane as a floating-point value of WebAssembly. */
  #lowest(lane: Float, x: Node): Node {
    const { lowest } = x;
    if (lowest?.type === FORMAT[lane].type) return lowest;
    if (lane === 'f64' && lowest?.type === I64) return this.node(F64, N.f64_reinterpret_i64, lowest);
    if (lane === 'f32' && lowest?.type === I32) return this.node(F32, N.f32_reinterpret_i32, lowest);
    return this.withImmediates(FORMAT[lane].type, SIMD[`${FORMAT[lane].packed}.extract_lane`], [0], x);
  }
  #replaceLowest(lane: Float, x: Node, v: Node): Node {
    const replaced = this.withImmediates(V128, SIMD[`${FORMAT[lane].packed}.replace_lane`], [0], x, v);
    replaced.lowest = v;
    return replaced;
  }
  /** An operation on the lowest lanes, or on all. */
  #binary(shape: FloatShape, name: 'add' | 'sub' | 'mul' | 'div', a: Node, b: Node): Node {
    if (isPacked(shape)) return this.simd(`${shape}.${name}`, a, b);
    return this.#replaceLowest(shape, a, this.node(FORMAT[shape].type, N[`${shape}_${name}`], this.#lowest(shape, a), this.#lowest(shape, b)));
  }
  #f64(value: number): Node { return this.withImmediates(F64, OP.f64_const, [...new Uint8Array(Float64Array.of(value).buffer)]); }

  // ---------------------------------------------------------------------------------------------------------- verbs
  override floatX(op: FloatOp, a: Node, b: Node): Node {
    switch (op) {
      case 'f64.promote_f32': {
        this.#requireOrderable('f32', b);
        const wide = this.#replaceLowest('f64', a, this.node(F64, N.f64_promote_f32, this.#lowest('f32', b)));
        this.noteNotDenormal('f64', wide);
        return wide;
      }
      case 'f64x2.promote_low_f32x4': {
        this.#requireOrderable('f32x4', this.shuffleX(LOW_SINGLES, b, b));
        return this.simd(op, b);
      }
      case 'f32.demote_f64': {
        this.requireInexactAllowed();
        const narrow = this.#replaceLowest('f32', a, this.node(F32, N.f32_demote_f64, this.#lowest('f64', b)));
        const { leastNormal, infinity } = FORMAT.f32;
        this.#leaveUnlessEither(this.#within('f32', narrow, leastNormal + 1n, infinity), this.isZero(64, this.#unsigned('f64', b)));
        return narrow;
      }
      case 'f32x4.demote_f64x2_zero': {
        this.requireInexactAllowed();
        const narrow = this.simd(op, b);
        const both = this.shuffleX(LOW_SINGLES, narrow, narrow);
        this.leaveUnless(this.#within('f32x4', both, FORMAT.f32.leastNormal + 1n, FORMAT.f32.infinity));
        return narrow;
      }
      case 'f64x2.convert_low_i32x4_s': return this.simd(op, b);
      case 'f32x4.convert_i32x4_s': this.requireInexactAllowed(); return this.simd(op, b);
      case 'i32x4.round_f32x4_s': case 'i32x4.trunc_f32x4_s': return this.#integers('f32x4', op.includes('round') ? 'nearest' : 'trunc', b);
      case 'i32x4.round_f64x2_s_zero': case 'i32x4.trunc_f64x2_s_zero': return this.#integers('f64x2', op.includes('round') ? 'nearest' : 'trunc', b);
      default: return this.#arithmetic(op, a, b);
    }
  }

  #arithmetic(op: FloatOp, a: Node, b: Node): Node {
    const [shape, name] = op.split('.') as [FloatShape, string];
    switch (name) {
      case 'add': case 'sub': {
        this.requireInexactAllowed();
        const sum = this.#binary(shape, name, a, b);
        this.requireAll([this.noDenormal(shape, a), this.noDenormal(shape, b), this.#finite(shape, sum)]);
        return sum;
      }
      case 'sub_add': {
        if (!isPacked(shape)) break;
        this.requireInexactAllowed();
        const sums = this.shuffleX(ALTERNATE[shape], this.#binary(shape, 'sub', a, b), this.#binary(shape, 'add', a, b));
        this.requireAll([this.noDenormal(shape, a), this.noDenormal(shape, b), this.#finite(shape, sums)]);
        return sums;
      }
      case 'mul': case 'div': {
        this.requireInexactAllowed();
        const result = this.#binary(shape, name, a, b);
        this.requireAll([this.noDenormal(shape, a), this.noDenormal(shape, b)]);
        this.#requireNormal(shape, result, name === 'mul' ? [a, b] : [a]);
        this.noteNotDenormal(shape, result);
        return result;
      }
      case 'sqrt': {
        this.requireInexactAllowed();
        const root = isPacked(shape) ? this.simd(`${shape}.sqrt`, b) : this.#replaceLowest(shape, a, this.node(FORMAT[shape].type, N[`${shape}_sqrt`], this.#lowest(shape, b)));
        this.requireAll([this.noDenormal(shape, b), this.#finite(shape, root)]);
        this.noteNotDenormal(shape, root);
        return root;
      }
      case 'min': case 'max': {
        this.#requireOrderable(shape, a, b);
        // The second operand of equal ones, among them zeros of either sign: pmin and pmax give their first.
        if (isPacked(shape)) return this.simd(`${shape}.p${name}`, b, a);
        const x = this.#lowest(shape, a), y = this.#lowest(shape, b);
        const less = name === 'min' ? this.node(I32, N[`${shape}_lt`], x, y) : this.node(I32, N[`${shape}_lt`], y, x);
        return this.#replaceLowest(shape, a, this.node(FORMAT[shape].type, OP.select, x, y, less));
      }
    }
    throw new LeftToReference(op);
  }

  /** All lanes as signed 32-bit integers. What does not fit is left: it is invalid. */
  #integers(shape: Packed, how: 'nearest' | 'trunc', x: Node): Node {
    const whole = this.simd(`${shape}.${how}`, x);
    this.#leaveUnlessEither(this.#allTrue(shape, this.simd(`${shape}.eq`, whole, x)), this.#inexactAllowed());
    this.leaveUnless(this.#within(shape, whole, 0n, shape === 'f32x4' ? BITS_OF_LIMIT.f32 : BITS_OF_LIMIT.f64));
    return this.simd(shape === 'f32x4' ? 'i32x4.trunc_sat_f32x4_s' : 'i32x4.trunc_sat_f64x2_s_zero', whole);
  }

  override roundFloatX(shape: FloatShape, a: Node, b: Node, control: ImmediateOperand): Node {
    const how = Number(control.value & 0xfn);
    const byMxcsr = (how & 4) !== 0, silent = (how & 8) !== 0;
    const { lane, packed, integers } = formatOf(shape);
    this.#requireOrderable(shape, b);
    const whole = this.simd(`${packed}.${byMxcsr ? 'nearest' : ROUNDINGS[how & 3]!}`, b);
    if (silent && byMxcsr) this.leaveUnless(this.isZero(32, this.and(32, this.getMxcsr(), this.const(32, BigInt(3 << MXCSR.RC_SHIFT)))));
    else if (byMxcsr) this.requireInexactAllowed();
    else if (!silent) {
      const exact = isPacked(shape) ? this.#allTrue(shape, this.simd(`${packed}.eq`, whole, b))
        : this.node(I32, N[`${lane}_eq`], this.#lowest(lane, whole), this.#lowest(lane, b));
      this.#leaveUnlessEither(exact, this.#inexactAllowed());
    }
    return isPacked(shape) ? whole : this.replaceLaneX(integers, a, 0, this.laneX(integers, whole, 0));
  }

  override setMxcsr(v: Node): void {
    this.leaveUnless(this.isZero(32, this.and(32, v, this.const(32, BigInt(~MXCSR_MASK)))));
    this.storeState(STORE[32], OFFSET.mxcsr, v);
    this.#inexactChecked = false;
  }

  override compareFloatX(shape: FloatShape, a: Node, b: Node, predicate: ImmediateOperand): Node {
    // Of 32 predicates those beyond the first eight say otherwise only which NaNs are invalid, and what holds for them.
    const number = Number(predicate.value & 7n);
    this.#requireOrderable(shape, a, b);
    const { bits, integers } = formatOf(shape);
    const opposite = (number & 4) !== 0;
    const comparison = (['eq', 'lt', 'le'] as const)[number & 3];
    if (isPacked(shape)) {
      // None of them are unordered.
      const holds = comparison === undefined ? this.constX(0n) : this.simd(`${shape}.${comparison}`, a, b);
      return opposite ? this.simd('v128.not', holds) : holds;
    }
    const holds = comparison === undefined ? this.constBit(0) : this.node(I32, N[`${shape}_${comparison}`], this.#lowest(shape, a), this.#lowest(shape, b));
    const mask = this.sub(bits, this.const(bits, 0n), this.fromBit(bits, opposite ? this.not(holds) : holds));
    return this.replaceLaneX(integers, a, 0, mask);
  }

  override orderFloatX(lane: Float, a: Node, b: Node): Node {
    this.#requireOrderable(lane, a, b);
    const x = this.#lowest(lane, a), y = this.#lowest(lane, b);
    return this.or(32, this.node(I32, N[`${lane}_lt`], x, y), this.shl(32, this.node(I32, N[`${lane}_eq`], x, y), this.const(32, 6n)));
  }

  override integerFromFloatX(w: 32 | 64, lane: Float, a: Node, how: 'round' | 'trunc'): Node {
    const x = this.#lowest(lane, a);
    const value = lane === 'f32' ? this.node(F64, N.f64_promote_f32, x) : x;
    const whole = this.node(F64, how === 'round' ? N.f64_nearest : N.f64_trunc, value);
    const above = this.node(I32, N.f64_ge, whole, this.#f64(-LIMIT[w])), below = this.node(I32, N.f64_lt, whole, this.#f64(LIMIT[w]));
    this.leaveUnless(this.andB(above, below));
    this.#leaveUnlessEither(this.node(I32, N.f64_eq, whole, value), this.#inexactAllowed());
    return w === 64 ? this.node(I64, SATURATING.i64_trunc_sat_f64_s, whole) : this.node(I32, SATURATING.i32_trunc_sat_f64_s, whole);
  }

  override floatFromIntegerX(lane: Float, a: Node, w: 32 | 64, v: Node): Node {
    if (lane === 'f32' || w === 64) {
      const limit = EXACT_INTEGERS[lane];
      this.#leaveUnlessEither(this.ltU(w, this.add(w, v, this.const(w, limit)), this.const(w, 2n * limit)), this.#inexactAllowed());
    }
    const converted = this.#replaceLowest(lane, a, this.node(FORMAT[lane].type, N[`${lane}_convert_i${w}_s`], v));
    this.noteNotDenormal(lane, converted);
    return converted;
  }
}

/** 2^31, as the two formats write it, shifted left by one. */
const BITS_OF_LIMIT = { f32: 0x4f00_0000n << 1n, f64: 0x41e0_0000_0000_0000n << 1n } as const;
