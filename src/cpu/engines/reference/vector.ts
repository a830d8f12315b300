/**
 * 128-bit values of the reference engine: bigints, taken apart into typed lanes for the length of one operation. What
 * each VectorOp of the vocabulary means is this file.
 */
import { INVERSE_SUBSTITUTION, SUBSTITUTION } from './substitution-box.ts';
import { LANE_BITS, type Lanes, type VectorOp, type VectorShift } from '../../isa/vector-ops.ts';

/** Sixteen bytes seen as every kind of lane. */
class Vector {
  readonly u64 = new BigUint64Array(2);
  readonly u8 = new Uint8Array(this.u64.buffer);
  readonly i8 = new Int8Array(this.u64.buffer);
  readonly u16 = new Uint16Array(this.u64.buffer);
  readonly i16 = new Int16Array(this.u64.buffer);
  readonly u32 = new Uint32Array(this.u64.buffer);
  readonly i32 = new Int32Array(this.u64.buffer);

  get value(): bigint { return (this.u64[1] as bigint) << 64n | (this.u64[0] as bigint); }
  set value(v: bigint) {
    this.u64[0] = BigInt.asUintN(64, v);
    this.u64[1] = v >> 64n;
  }
}
type Kind = 'u8' | 'i8' | 'u16' | 'i16' | 'u32' | 'i32';
/** Writes the result of an operation; a lane keeps the low bits of what is written to it. */
type Operation = (a: Vector, b: Vector, r: Vector) => void;

const each = (kind: Kind, f: (x: number, y: number) => number): Operation => (a, b, r) => {
  const from = a[kind], and = b[kind], to = r[kind];
  for (let n = 0; n < to.length; n++) to[n] = f(from[n] as number, and[n] as number);
};
const halves = (f: (x: bigint, y: bigint) => bigint): Operation => (a, b, r) => {
  for (const n of [0, 1]) r.u64[n] = f(a.u64[n] as bigint, b.u64[n] as bigint);
};
const clamp = (low: number, high: number, f: (x: number, y: number) => number) => (x: number, y: number): number => Math.min(high, Math.max(low, f(x, y)));
const i8 = (f: (x: number, y: number) => number): Operation => each('i8', clamp(-0x80, 0x7f, f));
const u8 = (f: (x: number, y: number) => number): Operation => each('u8', clamp(0, 0xff, f));
const i16 = (f: (x: number, y: number) => number): Operation => each('i16', clamp(-0x8000, 0x7fff, f));
const u16 = (f: (x: number, y: number) => number): Operation => each('u16', clamp(0, 0xffff, f));

const add = (x: number, y: number): number => x + y;
const subtract = (x: number, y: number): number => x - y;
const ONES = 0xffff_ffff_ffff_ffffn;
const average = (x: number, y: number): number => (x + y + 1) >> 1;
const equal = (x: number, y: number): number => (x === y ? -1 : 0);
const greater = (x: number, y: number): number => (x > y ? -1 : 0);

const narrow = (from: 'i16' | 'i32', to: 'i8' | 'u8' | 'i16' | 'u16', low: number, high: number): Operation => (a, b, r) => {
  const half = a[from].length;
  for (let n = 0; n < half; n++) {
    r[to][n] = Math.min(high, Math.max(low, a[from][n] as number));
    r[to][half + n] = Math.min(high, Math.max(low, b[from][n] as number));
  }
};

/** The product of 64-bit polynomials over GF(2). */
function carryLessProduct(x: bigint, y: bigint): bigint {
  let product = 0n;
  for (let n = 0n; n < 64n; n++) if (((y >> n) & 1n) === 1n) product ^= x << n;
  return product;
}

const OPERATIONS: Record<VectorOp, Operation> = {
  'v128.and': halves((x, y) => x & y), 'v128.or': halves((x, y) => x | y), 'v128.xor': halves((x, y) => x ^ y), 'v128.andnot': halves((x, y) => x & ~y),
  'i8x16.add': each('u8', add), 'i16x8.add': each('u16', add), 'i32x4.add': each('u32', add), 'i64x2.add': halves((x, y) => x + y),
  'i8x16.sub': each('u8', subtract), 'i16x8.sub': each('u16', subtract), 'i32x4.sub': each('u32', subtract), 'i64x2.sub': halves((x, y) => x - y),
  'i8x16.add_sat_s': i8(add), 'i8x16.add_sat_u': u8(add), 'i16x8.add_sat_s': i16(add), 'i16x8.add_sat_u': u16(add),
  'i8x16.sub_sat_s': i8(subtract), 'i8x16.sub_sat_u': u8(subtract), 'i16x8.sub_sat_s': i16(subtract), 'i16x8.sub_sat_u': u16(subtract),
  'i8x16.avgr_u': each('u8', average), 'i16x8.avgr_u': each('u16', average),
  'i8x16.min_s': each('i8', Math.min), 'i8x16.min_u': each('u8', Math.min), 'i8x16.max_s': each('i8', Math.max), 'i8x16.max_u': each('u8', Math.max),
  'i16x8.min_s': each('i16', Math.min), 'i16x8.min_u': each('u16', Math.min), 'i16x8.max_s': each('i16', Math.max), 'i16x8.max_u': each('u16', Math.max),
  'i32x4.min_s': each('i32', Math.min), 'i32x4.min_u': each('u32', Math.min), 'i32x4.max_s': each('i32', Math.max), 'i32x4.max_u': each('u32', Math.max),
  'i8x16.eq': each('u8', equal), 'i16x8.eq': each('u16', equal), 'i32x4.eq': each('u32', equal), 'i64x2.eq': halves((x, y) => (x === y ? ONES : 0n)),
  'i8x16.gt_s': each('i8', greater), 'i16x8.gt_s': each('i16', greater), 'i32x4.gt_s': each('i32', greater),
  'i64x2.gt_s': halves((x, y) => (BigInt.asIntN(64, x) > BigInt.asIntN(64, y) ? ONES : 0n)),
  'i16x8.mul': each('i16', Math.imul), 'i16x8.mul_high_s': each('i16', (x, y) => Math.imul(x, y) >> 16), 'i16x8.mul_high_u': each('u16', (x, y) => Math.imul(x, y) >>> 16),
  'i32x4.mul': each('i32', Math.imul),
  'i64x2.mul_even_s': halves((x, y) => BigInt.asIntN(32, x) * BigInt.asIntN(32, y)),
  'i64x2.mul_even_u': halves((x, y) => BigInt.asUintN(32, x) * BigInt.asUintN(32, y)),
  'i32x4.dot_i16x8_s': (a, b, r) => {
    const product = (n: number): number => Math.imul(a.i16[n] as number, b.i16[n] as number);
    for (let n = 0; n < 4; n++) r.i32[n] = product(2 * n) + product(2 * n + 1);
  },
  'i8x16.swizzle': (a, b, r) => { b.u8.forEach((from, to) => { r.u8[to] = a.u8[from] ?? 0; }); },
  'i8x16.sub_bytes': (_a, b, r) => { b.u8.forEach((x, n) => { r.u8[n] = SUBSTITUTION[x] as number; }); },
  'i8x16.inverse_sub_bytes': (_a, b, r) => { b.u8.forEach((x, n) => { r.u8[n] = INVERSE_SUBSTITUTION[x] as number; }); },
  'v128.clmul_halves': (_a, b, r) => { r.value = carryLessProduct(b.u64[0] as bigint, b.u64[1] as bigint); },
  'i64x2.sad_u': (a, b, r) => {
    for (const half of [0, 1]) {
      let sum = 0;
      for (let n = 8 * half; n < 8 * half + 8; n++) sum += Math.abs((a.u8[n] as number) - (b.u8[n] as number));
      r.u64[half] = BigInt(sum);
    }
  },
  'i8x16.narrow_i16x8_s': narrow('i16', 'i8', -0x80, 0x7f), 'i8x16.narrow_i16x8_u': narrow('i16', 'u8', 0, 0xff), 'i16x8.narrow_i32x4_s': narrow('i32', 'i16', -0x8000, 0x7fff),
  'i16x8.narrow_i32x4_u': narrow('i32', 'u16', 0, 0xffff),
};

const left = new Vector(), right = new Vector(), result = new Vector();

export function vectorOperation(op: VectorOp, a: bigint, b: bigint): bigint {
  left.value = a;
  right.value = b;
  OPERATIONS[op](left, right, result);
  return result.value;
}

/** Lane by lane on bigints: a function of a lane's bits. */
export function mapLanes(bits: number, v: bigint, f: (lane: bigint, n: number) => bigint): bigint {
  let mapped = 0n;
  for (let at = 0, n = 0; at < 128; at += bits, n++) mapped |= BigInt.asUintN(bits, f(BigInt.asUintN(bits, v >> BigInt(at)), n)) << BigInt(at);
  return mapped;
}

export function vectorShift(op: VectorShift, a: bigint, count: bigint): bigint {
  const [lanes, how] = op.split('.') as [Lanes, 'shl' | 'shr_u' | 'shr_s'];
  const bits = LANE_BITS[lanes];
  const distance = count < BigInt(bits) ? count : BigInt(bits);
  return mapLanes(bits, a, (lane) => (how === 'shl' ? lane << distance : how === 'shr_u' ? lane >> distance : BigInt.asIntN(bits, lane) >> distance));
}

/** Bytes of a and b by the pattern of `shuffleX`. */
export function shuffle(pattern: readonly number[], a: bigint, b: bigint): bigint {
  left.value = a;
  right.value = b;
  pattern.forEach((from, to) => { result.u8[to] = (from < 16 ? left.u8[from] : right.u8[from - 16]) as number; });
  return result.value;
}

/** The sums of MPSADBW. */
export function sadBlocks(a: bigint, b: bigint, control: number): bigint {
  left.value = a;
  right.value = b;
  const from = control & 4, block = (control & 3) * 4;
  result.u16.forEach((_, n) => {
    let sum = 0;
    for (let k = 0; k < 4; k++) sum += Math.abs((left.u8[from + n + k] as number) - (right.u8[block + k] as number));
    result.u16[n] = sum;
  });
  return result.value;
}

/** The topmost bit of each lane. */
export function bitmask(bits: number, v: bigint): bigint {
  let mask = 0n;
  for (let at = bits - 1, n = 0n; at < 128; at += bits, n++) mask |= ((v >> BigInt(at)) & 1n) << n;
  return mask;
}
