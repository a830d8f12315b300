/** What each FloatOp of the vocabulary means: lane by lane with the exact arithmetic of cpu/floating-point, under MXCSR. */
import { reciprocal, reciprocalRoot } from '../../floating-point/approximate.ts';
import { add, compare, divide, max, min, multiply, root, subtract, type BinaryOperation, type Order } from '../../floating-point/arithmetic.ts';
import { convert, fromInteger, toInteger, toIntegral } from '../../floating-point/convert.ts';
import { DOUBLE, FLAG, HALF, ROUND, SINGLE, type Environment, type Format, type Rounding } from '../../floating-point/exact.ts';
import type { Outcome } from '../../floating-point/format.ts';
import { fusedMultiplyAdd, type FusedSigns } from '../../floating-point/fused.ts';
import type { Float, FloatOp, FloatShape, FusedOp } from '../../isa/vector-ops.ts';

const FORMAT: Record<Float, Format> = { f32: SINGLE, f64: DOUBLE };
const BITS = { f32: 32, f64: 64 } as const;

/** A result and the exceptions that its lanes raised together. */
export interface Result { value: bigint; flags: number }

const laneOf = (v: bigint, bits: number, n: number): bigint => BigInt.asUintN(bits, v >> BigInt(bits * n));

/** Gives `lanes` lanes of `to` bits from a function of the lane's number; what they leave of 128 bits comes from `above`. */
function build(to: 16 | 32 | 64, lanes: number, above: bigint, f: (n: number) => Outcome): Result {
  const used = BigInt(to * lanes);
  const result: Result = { value: (above >> used) << used, flags: 0 };
  for (let n = 0; n < lanes; n++) {
    const { bits, flags } = f(n);
    result.value |= bits << BigInt(to * n);
    result.flags |= flags;
  }
  return result;
}

const BINARY: Record<string, BinaryOperation> = { add, sub: subtract, mul: multiply, div: divide, min, max };
/** By the lane's number modulo 2. */
const ALTERNATING: Record<string, readonly [BinaryOperation, BinaryOperation]> = { sub_add: [subtract, add] };
const UNARY: Record<string, (f: Format, b: bigint, e: Environment) => Outcome> = {
  sqrt: root,
  recip: (_f, b) => ({ bits: reciprocal(b), flags: 0 }),
  recip_sqrt: (_f, b) => ({ bits: reciprocalRoot(b), flags: 0 }),
};

const laneType = (shape: FloatShape): Float => shape.slice(0, 3) as Float;
const laneCount = (shape: FloatShape): number => (shape === 'f32x4' ? 4 : shape === 'f64x2' ? 2 : 1);

export function floatOperation(op: FloatOp, a: bigint, b: bigint, e: Environment): Result {
  const truncating = { ...e, rounding: ROUND.zero };
  const toIntegers = (lane: Float, lanes: number, how: Environment): Result => build(32, lanes, 0n, (n) => toInteger(FORMAT[lane], laneOf(b, BITS[lane], n), 32, how));
  const fromIntegers = (lane: Float, lanes: number): Result => build(BITS[lane], lanes, 0n, (n) => fromInteger(FORMAT[lane], BigInt.asIntN(32, laneOf(b, 32, n)), e));
  const widened = (lanes: number): Result => build(64, lanes, a, (n) => convert(SINGLE, DOUBLE, laneOf(b, 32, n), e));
  const narrowed = (lanes: number, above: bigint): Result => build(32, lanes, above, (n) => convert(DOUBLE, SINGLE, laneOf(b, 64, n), e));
  switch (op) {
    case 'f64.promote_f32': return widened(1);
    case 'f64x2.promote_low_f32x4': return widened(2);
    case 'f32x4.promote_low_f16x4': {
      const { value, flags } = build(32, 4, 0n, (n) => convert(HALF, SINGLE, laneOf(b, 16, n), { ...e, denormalsAreZero: false }));
      return { value, flags: flags & ~FLAG.DE };
    }
    case 'f32.demote_f64': return narrowed(1, a);
    case 'f32x4.demote_f64x2_zero': return narrowed(2, 0n);
    case 'f32x4.convert_i32x4_s': return fromIntegers('f32', 4);
    case 'f64x2.convert_low_i32x4_s': return fromIntegers('f64', 2);
    case 'i32x4.round_f32x4_s': return toIntegers('f32', 4, e);
    case 'i32x4.trunc_f32x4_s': return toIntegers('f32', 4, truncating);
    case 'i32x4.round_f64x2_s_zero': return toIntegers('f64', 2, e);
    case 'i32x4.trunc_f64x2_s_zero': return toIntegers('f64', 2, truncating);
    default: {
      const [shape, name] = op.split('.') as [FloatShape, string];
      const lane = laneType(shape);
      const bits = BITS[lane], format = FORMAT[lane];
      const one = UNARY[name];
      const two = (n: number): BinaryOperation | undefined => BINARY[name] ?? ALTERNATING[name]?.[n % 2];
      return build(bits, laneCount(shape), a, (n) => two(n)?.(format, laneOf(a, bits, n), laneOf(b, bits, n), e)
        ?? (one as NonNullable<typeof one>)(format, laneOf(b, bits, n), e));
    }
  }
}

/** Rounding by the control of ROUNDPS: bits 1:0 are the rounding unless bit 2 leaves it to MXCSR; bit 3 suppresses the precision exception. */
export function roundLanes(shape: FloatShape, a: bigint, b: bigint, control: number, e: Environment): Result {
  const lane = laneType(shape);
  const how = (control & 4) !== 0 ? e : { ...e, rounding: (control & 3) as Rounding };
  const { value, flags } = build(BITS[lane], laneCount(shape), a, (n) => toIntegral(FORMAT[lane], laneOf(b, BITS[lane], n), how));
  return { value, flags: (control & 8) !== 0 ? flags & ~FLAG.PE : flags };
}

export function halvesOf(a: bigint, control: number, e: Environment): Result {
  const how = { ...e, flushToZero: false, rounding: (control & 4) !== 0 ? e.rounding : (control & 3) as Rounding };
  return build(16, 4, 0n, (n) => {
    const { bits, flags } = convert(SINGLE, HALF, laneOf(a, 32, n), how);
    // A denormal of few bits, whose underflow is not masked, is inexact all the same; a normal number is not (hardware, Intel).
    return { bits, flags: (flags & FLAG.DE) !== 0 && (flags & FLAG.UE) !== 0 ? flags | FLAG.PE : flags };
  });
}

/** The signs of an operation, by the parity of the lane. */
const FUSED_SIGNS: Record<string, readonly [even: FusedSigns, odd: FusedSigns]> = (() => {
  const madd = { product: false, addend: false }, msub = { product: false, addend: true };
  const nmadd = { product: true, addend: false }, nmsub = { product: true, addend: true };
  return { madd: [madd, madd], msub: [msub, msub], nmadd: [nmadd, nmadd], nmsub: [nmsub, nmsub], maddsub: [msub, madd], msubadd: [madd, msub] };
})();
export function fusedOperation(op: FusedOp, a: bigint, b: bigint, c: bigint, above: bigint, e: Environment): Result {
  const [shape, name] = op.split('.') as [FloatShape, string];
  const lane = laneType(shape);
  const bits = BITS[lane], format = FORMAT[lane];
  return build(bits, laneCount(shape), above, (n) =>
    fusedMultiplyAdd(format, laneOf(a, bits, n), laneOf(b, bits, n), laneOf(c, bits, n), e, FUSED_SIGNS[name]![n & 1]!));
}

/** The orders in which predicates 0-3 and 8-11 hold: EQ LT LE UNORD, EQ_UQ NGE NGT FALSE; 4-7 and 12-15 are their opposites. SDM Vol. 2A, "CMPPD". */
const PREDICATES: readonly (readonly Order[])[] = [['equal'], ['less'], ['less', 'equal'], ['unordered'], ['equal', 'unordered'], ['less', 'unordered'], ['less', 'equal', 'unordered'], []];

export function compareLanes(shape: FloatShape, a: bigint, b: bigint, predicate: number, e: Environment): Result {
  const lane = laneType(shape);
  const bits = BITS[lane];
  const holds = PREDICATES[(predicate & 3) | ((predicate & 8) >> 1)] as readonly Order[];
  const opposite = (predicate & 4) !== 0;
  // LT, LE and what is like them, and their opposites, are invalid for quiet NaNs too; from 16 on it is the others that are.
  const orders = (predicate & 3) === 1 || (predicate & 3) === 2;
  const quietNaN = orders !== (predicate & 16) > 0 ? 'signals' : 'quiet';
  return build(bits, laneCount(shape), a, (n) => {
    const { order, flags } = compare(FORMAT[lane], laneOf(a, bits, n), laneOf(b, bits, n), e, quietNaN);
    return { bits: holds.includes(order) !== opposite ? (1n << BigInt(bits)) - 1n : 0n, flags };
  });
}

/** CF, PF and ZF of an order, in their places. SDM Vol. 2A, "COMISD". */
const ORDER_FLAGS: Record<Order, bigint> = { less: 0x01n, equal: 0x40n, greater: 0n, unordered: 0x45n };

export function orderOf(lane: Float, a: bigint, b: bigint, e: Environment, quietNaN: 'quiet' | 'signals'): Result {
  const { order, flags } = compare(FORMAT[lane], laneOf(a, BITS[lane], 0), laneOf(b, BITS[lane], 0), e, quietNaN);
  return { value: ORDER_FLAGS[order], flags };
}

export function integerOf(w: 32 | 64, lane: Float, a: bigint, e: Environment, how: 'round' | 'trunc'): Result {
  const { bits, flags } = toInteger(FORMAT[lane], laneOf(a, BITS[lane], 0), w, how === 'trunc' ? { ...e, rounding: ROUND.zero } : e);
  return { value: bits, flags };
}

export const floatOf = (lane: Float, a: bigint, w: 32 | 64, v: bigint, e: Environment): Result =>
  build(BITS[lane], 1, a, () => fromInteger(FORMAT[lane], BigInt.asIntN(w, v), e));
