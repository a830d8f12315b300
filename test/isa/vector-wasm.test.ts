/**
 * The verbs that carry the name of a WebAssembly instruction do what it does: the host's engine is asked. What has no such
 * name is left to silicon (silicon.test.ts). Opcodes: WebAssembly Core Specification, "Vector Instructions".
 */
import { expect, test } from 'vitest';
import { floatOperation } from '../../src/cpu/engines/reference/vector-float.ts';
import { bitmask, shuffle, vectorOperation, vectorShift } from '../../src/cpu/engines/reference/vector.ts';
import { LANE_BITS, type FloatOp, type Lanes, type VectorOp, type VectorShift } from '../../src/cpu/isa/vector-ops.ts';
import { simdEnvironment, MXCSR_AFTER_RESET } from '../../src/cpu/mxcsr.ts';
import { interestingVector } from '../support/silicon/interesting-simd.ts';
import { Random, seedOf } from '../support/random.ts';

const seed = seedOf('vectors beside WebAssembly');
const ROUNDS = 400;

const VECTOR: Partial<Record<VectorOp, number>> = {
  'v128.and': 0x4e, 'v128.andnot': 0x4f, 'v128.or': 0x50, 'v128.xor': 0x51,
  'i8x16.swizzle': 0x0e, 'i8x16.eq': 0x23, 'i8x16.gt_s': 0x27, 'i16x8.eq': 0x2d, 'i16x8.gt_s': 0x31, 'i32x4.eq': 0x37, 'i32x4.gt_s': 0x3b,
  'i8x16.narrow_i16x8_s': 0x65, 'i8x16.narrow_i16x8_u': 0x66, 'i16x8.narrow_i32x4_s': 0x85, 'i16x8.narrow_i32x4_u': 0x86,
  'i8x16.add': 0x6e, 'i8x16.add_sat_s': 0x6f, 'i8x16.add_sat_u': 0x70, 'i8x16.sub': 0x71, 'i8x16.sub_sat_s': 0x72, 'i8x16.sub_sat_u': 0x73,
  'i8x16.min_s': 0x76, 'i8x16.min_u': 0x77, 'i8x16.max_s': 0x78, 'i8x16.max_u': 0x79, 'i8x16.avgr_u': 0x7b,
  'i16x8.add': 0x8e, 'i16x8.add_sat_s': 0x8f, 'i16x8.add_sat_u': 0x90, 'i16x8.sub': 0x91, 'i16x8.sub_sat_s': 0x92, 'i16x8.sub_sat_u': 0x93,
  'i16x8.mul': 0x95, 'i16x8.min_s': 0x96, 'i16x8.min_u': 0x97, 'i16x8.max_s': 0x98, 'i16x8.max_u': 0x99, 'i16x8.avgr_u': 0x9b,
  'i32x4.add': 0xae, 'i32x4.sub': 0xb1, 'i32x4.mul': 0xb5, 'i32x4.min_s': 0xb6, 'i32x4.min_u': 0xb7, 'i32x4.max_s': 0xb8, 'i32x4.max_u': 0xb9, 'i32x4.dot_i16x8_s': 0xba, 'i64x2.eq': 0xd6, 'i64x2.gt_s': 0xd9, 'i64x2.add': 0xce, 'i64x2.sub': 0xd1,
};
const SHIFTS: Record<VectorShift, number> = {
  'i16x8.shl': 0x8b, 'i16x8.shr_s': 0x8c, 'i16x8.shr_u': 0x8d, 'i32x4.shl': 0xab, 'i32x4.shr_s': 0xac, 'i32x4.shr_u': 0xad, 'i64x2.shl': 0xcb, 'i64x2.shr_s': 0xcc, 'i64x2.shr_u': 0xcd,
};
const BITMASKS = { i8x16: 0x64, i32x4: 0xa4, i64x2: 0xc4 } as const;
/** `unary`: takes b only. `swapped`: MIN and MAX are pmin and pmax with their operands exchanged, which decides zeros and NaNs. */
const FLOATS: Partial<Record<FloatOp, { readonly opcode: number; readonly operands?: 'unary' | 'swapped' }>> = {
  'f32x4.add': { opcode: 0xe4 }, 'f32x4.sub': { opcode: 0xe5 }, 'f32x4.mul': { opcode: 0xe6 }, 'f32x4.div': { opcode: 0xe7 }, 'f32x4.sqrt': { opcode: 0xe3, operands: 'unary' },
  'f64x2.add': { opcode: 0xf0 }, 'f64x2.sub': { opcode: 0xf1 }, 'f64x2.mul': { opcode: 0xf2 }, 'f64x2.div': { opcode: 0xf3 }, 'f64x2.sqrt': { opcode: 0xef, operands: 'unary' },
  'f32x4.min': { opcode: 0xea, operands: 'swapped' }, 'f32x4.max': { opcode: 0xeb, operands: 'swapped' }, 'f64x2.min': { opcode: 0xf6, operands: 'swapped' }, 'f64x2.max': { opcode: 0xf7, operands: 'swapped' },
  'f32x4.demote_f64x2_zero': { opcode: 0x5e, operands: 'unary' }, 'f64x2.promote_low_f32x4': { opcode: 0x5f, operands: 'unary' },
  'f32x4.convert_i32x4_s': { opcode: 0xfa, operands: 'unary' }, 'f64x2.convert_low_i32x4_s': { opcode: 0xfe, operands: 'unary' },
};

const leb = (n: number): number[] => (n < 0x80 ? [n] : [(n & 0x7f) | 0x80, ...leb(n >> 7)]);
const simd = (opcode: number): number[] => [0xfd, ...leb(opcode)];
const LOAD_A = [0x41, 0, ...simd(0), 4, 0], LOAD_B = [0x41, 16, ...simd(0), 4, 0], LOAD_COUNT = [0x41, 16, 0x28, 2, 0];

/** A module that stores what `body` leaves, a v128 or an i32, at 32; operands are at 0 and 16. */
function run(body: readonly number[], leaves: 'v128' | 'i32' = 'v128'): (a: bigint, b: bigint) => bigint {
  const section = (id: number, content: readonly number[]): number[] => [id, ...leb(content.length), ...content];
  const code = [0, 0x41, 32, ...body, ...(leaves === 'v128' ? [...simd(11), 4, 0] : [0x36, 2, 0]), 0x0b];
  const module = new WebAssembly.Module(Uint8Array.from([
    0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    ...section(1, [1, 0x60, 0, 0]), ...section(3, [1, 0]), ...section(5, [1, 0, 1]),
    ...section(7, [2, 1, 0x66, 0, 0, 1, 0x6d, 2, 0]), ...section(10, [1, ...leb(code.length), ...code]),
  ]));
  const { f, m } = new WebAssembly.Instance(module).exports as { f: () => void; m: WebAssembly.Memory };
  const words = new BigUint64Array(m.buffer);
  return (a, b) => {
    words.set([a & 0xffff_ffff_ffff_ffffn, a >> 64n, b & 0xffff_ffff_ffff_ffffn, b >> 64n, 0n, 0n]);
    f();
    return ((words[5] as bigint) << 64n) | (words[4] as bigint);
  };
}

/** Compares two functions on interesting vectors; differences in words. */
function differences(floats: boolean, ours: (a: bigint, b: bigint) => bigint, theirs: (a: bigint, b: bigint) => bigint, same = (x: bigint, y: bigint): boolean => x === y): string[] {
  const r = new Random(seed);
  const wrong: string[] = [];
  for (let n = 0; n < ROUNDS; n++) {
    const a = interestingVector(r, floats), b = interestingVector(r, floats);
    if (!same(ours(a, b), theirs(a, b))) wrong.push(`${a.toString(16)} ${b.toString(16)}: ${ours(a, b).toString(16)}, WebAssembly ${theirs(a, b).toString(16)}`);
  }
  return wrong.slice(0, 3);
}

test.each(Object.entries(VECTOR) as [VectorOp, number][])('%s', (op, opcode) => {
  expect(differences(false, (a, b) => vectorOperation(op, a, b), run([...LOAD_A, ...LOAD_B, ...simd(opcode)])), `seed ${seed}`).toEqual([]);
});

test.each(Object.entries(SHIFTS) as [VectorShift, number][])('%s by counts below the lane’s width', (op, opcode) => {
  const bits = BigInt(LANE_BITS[op.split('.')[0] as Lanes]);
  const theirs = run([...LOAD_A, ...LOAD_COUNT, ...simd(opcode)]);
  expect(differences(false, (a, b) => vectorShift(op, a, b % bits), (a, b) => theirs(a, b % bits)), `seed ${seed}`).toEqual([]);
});

test.each(Object.entries(BITMASKS) as [keyof typeof BITMASKS, number][])('%s.bitmask', (shape, opcode) => {
  expect(differences(false, (a) => bitmask(LANE_BITS[shape], a), run([...LOAD_A, ...simd(opcode)], 'i32')), `seed ${seed}`).toEqual([]);
});

test('a shuffle', () => {
  const r = new Random(seed);
  for (let n = 0; n < 50; n++) {
    const bytes = Array.from({ length: 16 }, () => r.below(32));
    expect(differences(false, (a, b) => shuffle(bytes, a, b), run([...LOAD_A, ...LOAD_B, ...simd(13), ...bytes])), `${bytes.join(' ')}, seed ${seed}`).toEqual([]);
  }
});

/** Equal, or NaNs in the same lanes: which NaN WebAssembly leaves open. */
const sameButNaNs = (bits: 32 | 64) => (x: bigint, y: bigint): boolean => {
  const isNaN = (v: bigint): boolean => bits === 32 ? (v & 0x7fff_ffffn) > 0x7f80_0000n : (v & 0x7fff_ffff_ffff_ffffn) > 0x7ff0_0000_0000_0000n;
  return Array.from({ length: 128 / bits }, (_, n) => [x, y].map((v) => BigInt.asUintN(bits, v >> BigInt(bits * n))))
    .every(([p, q]) => p === q || (isNaN(p as bigint) && isNaN(q as bigint)));
};

test.each(Object.entries(FLOATS) as [FloatOp, NonNullable<(typeof FLOATS)[FloatOp]>][])('%s, rounded to nearest', (op, { opcode, operands }) => {
  const environment = simdEnvironment(MXCSR_AFTER_RESET);
  const load = operands === 'unary' ? LOAD_B : operands === 'swapped' ? [...LOAD_B, ...LOAD_A] : [...LOAD_A, ...LOAD_B];
  expect(differences(true, (a, b) => floatOperation(op, a, b, environment).value, run([...load, ...simd(opcode)]), sameButNaNs(op.startsWith('f32') ? 32 : 64)), `seed ${seed}`).toEqual([]);
});
