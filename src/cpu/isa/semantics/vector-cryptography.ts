/** AES, carry-less multiplication and SHA. SDM Vol. 1, "Programming with Intel AES and SHA"; FIPS 197; FIPS 180-4. */
import type { ImmediateOperand } from '../operand.ts';
import type { Ops } from '../ops.ts';
import type { Semantics } from '../row.ts';
import { readX, sse, writeX, xmm, type Combination, type Mapping } from './vector-operands.ts';

// ------------------------------------------------------------------------------------------------------------ AES
/** Byte r + 4c of the state is row r of column c: a pattern that takes each byte from a column and row that are given. */
const state = (from: (row: number, column: number) => readonly [row: number, column: number]): readonly number[] =>
  Array.from({ length: 16 }, (_, k) => {
    const [row, column] = from(k & 3, k >> 2);
    return (row & 3) + 4 * (column & 3);
  });
const SHIFT_ROWS = state((row, column) => [row, column + row]);
const INVERSE_SHIFT_ROWS = state((row, column) => [row, column - row]);
/** Each column turned by n rows. */
const turned = (n: number): readonly number[] => state((row, column) => [row + n, column]);
const TURNED_1 = turned(1), TURNED_2 = turned(2);

/** Every byte times x in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1. */
function timesX<V, B, X>(o: Ops<V, B, X>, a: X): X {
  const overflow = o.vectorX('v128.and', o.vectorX('i8x16.gt_s', o.constX(0n), a), o.constX(0x1b1b_1b1b_1b1b_1b1b_1b1b_1b1b_1b1b_1b1bn));
  return o.vectorX('v128.xor', o.vectorX('i8x16.add', a, a), overflow);
}
/** MixColumns: each byte is twice itself, three times the next of its column, and the other two. */
function mixColumns<V, B, X>(o: Ops<V, B, X>, a: X): X {
  const next = o.shuffleX(TURNED_1, a, a);
  const pair = o.vectorX('v128.xor', a, next);
  const others = o.vectorX('v128.xor', next, o.shuffleX(TURNED_2, pair, pair));
  return o.vectorX('v128.xor', timesX(o, pair), others);
}
/** InvMixColumns: MixColumns of what each byte is with four times itself and the opposite one. */
function inverseMixColumns<V, B, X>(o: Ops<V, B, X>, a: X): X {
  const four = timesX(o, timesX(o, o.vectorX('v128.xor', a, o.shuffleX(TURNED_2, a, a))));
  return mixColumns(o, o.vectorX('v128.xor', a, four));
}

/** AESENC, and AESENCLAST without MixColumns: a round with the key in SRC. SDM Vol. 2A, "AESENC—Perform One Round of an AES Encryption Flow". */
export const AESENC = (round: 'inner' | 'last'): Combination => (o, a, key) => {
  const shifted = o.shuffleX(SHIFT_ROWS, a, a);
  const substituted = o.vectorX('i8x16.sub_bytes', shifted, shifted);
  return o.vectorX('v128.xor', round === 'inner' ? mixColumns(o, substituted) : substituted, key);
};
/** AESDEC, and AESDECLAST without InvMixColumns. SDM Vol. 2A, "AESDEC—Perform One Round of an AES Decryption Flow". */
export const AESDEC = (round: 'inner' | 'last'): Combination => (o, a, key) => {
  const shifted = o.shuffleX(INVERSE_SHIFT_ROWS, a, a);
  const substituted = o.vectorX('i8x16.inverse_sub_bytes', shifted, shifted);
  return o.vectorX('v128.xor', round === 'inner' ? inverseMixColumns(o, substituted) : substituted, key);
};
/** AESIMC. SDM Vol. 2A, "AESIMC—Perform the AES InvMixColumn Transformation". */
export const AESIMC: Mapping = (o, source) => inverseMixColumns(o, source);
/** AESKEYGENASSIST: the words 1 and 3 substituted, as they are and turned with the round constant. SDM Vol. 2A, "AESKEYGENASSIST—AES Round Key Generation Assist". */
export const AESKEYGENASSIST: Mapping = (o, source, i) => {
  const substituted = o.vectorX('i8x16.sub_bytes', source, source);
  const words = o.shuffleX([4, 5, 6, 7, 5, 6, 7, 4, 12, 13, 14, 15, 13, 14, 15, 12], substituted, substituted);
  const constant = o.and(32, o.imm(32, i.operands.at(-1) as ImmediateOperand), o.const(32, 0xffn));
  return o.vectorX('v128.xor', words, o.replaceLaneX('i32x4', o.replaceLaneX('i32x4', o.constX(0n), 1, constant), 3, constant));
};

/** PCLMULQDQ: the half of DEST that bit 0 names by that of SRC that bit 4 does. SDM Vol. 2B, "PCLMULQDQ—Carry-Less Multiplication Quadword". */
export const PCLMULQDQ: Combination = (o, a, b, i) => {
  const factors = o.shuffleByX('PCLMULQDQ', a, b, i.operands.at(-1) as ImmediateOperand);
  return o.vectorX('v128.clmul_halves', factors, factors);
};

// ------------------------------------------------------------------------------------------------------------ SHA
/** Words of 32 bits, of which SHA-1 and SHA-256 are made. */
function wordsOf<V, B, X>(o: Ops<V, B, X>): {
  add: (...terms: V[]) => V; xor: (...terms: V[]) => V; and: (a: V, b: V) => V; left: (a: V, n: number) => V; right: (a: V, n: number) => V;
  shift: (a: V, n: number) => V; choose: (e: V, f: V, g: V) => V; majority: (a: V, b: V, c: V) => V; lanes: (x: X) => readonly [V, V, V, V]; join: (words: readonly V[]) => X;
} {
  const xor = (...terms: V[]): V => terms.reduce((x, y) => o.xor(32, x, y));
  const and = (a: V, b: V): V => o.and(32, a, b);
  const left = (a: V, n: number): V => o.rotl(32, a, o.const(32, BigInt(n)));
  return {
    xor, and, left,
    add: (...terms) => terms.reduce((x, y) => o.add(32, x, y)),
    right: (a, n) => left(a, 32 - n),
    shift: (a, n) => o.shrU(32, a, o.const(32, BigInt(n))),
    choose: (e, f, g) => xor(and(e, f), and(o.inv(32, e), g)),
    majority: (a, b, c) => xor(and(a, b), and(a, c), and(b, c)),
    lanes: (x) => [o.laneX('i32x4', x, 0), o.laneX('i32x4', x, 1), o.laneX('i32x4', x, 2), o.laneX('i32x4', x, 3)],
    join: (words) => words.reduce((x, word, n) => o.replaceLaneX('i32x4', x, n, word), o.constX(0n)),
  };
}

/** SHA1RNDS4: four rounds with the function and constant that bits 1:0 name. SDM Vol. 2B, "SHA1RNDS4—Perform Four Rounds of SHA1 Operation". */
export const SHA1RNDS4: Combination = (o, first, second, i) => {
  const w = wordsOf(o);
  const which = o.imm(32, i.operands.at(-1) as ImmediateOperand);
  const odd = o.bit(32, which, 0), upper = o.bit(32, which, 1);
  const pick = (v0: ReturnType<typeof o.nextIp>, v1: typeof v0, v2: typeof v0, v3: typeof v0): typeof v0 => o.select(32, upper, o.select(32, odd, v3, v2), o.select(32, odd, v1, v0));
  const constant = pick(o.const(32, 0x5a82_7999n), o.const(32, 0x6ed9_eba1n), o.const(32, 0x8f1b_bcdcn), o.const(32, 0xca62_c1d6n));
  let [d, c, b, a] = w.lanes(first);
  let e = o.const(32, 0n);
  for (const word of [...w.lanes(second)].reverse()) {
    const parity = w.xor(b, c, d);
    const next = w.add(pick(w.choose(b, c, d), parity, w.majority(b, c, d), parity), w.left(a, 5), word, e, constant);
    [a, b, c, d, e] = [next, a, w.left(b, 30), c, d];
  }
  return w.join([d, c, b, a]);
};
/** SHA1NEXTE: the next E, added to the topmost word of SRC. SDM Vol. 2B, "SHA1NEXTE—Calculate SHA1 State Variable E After Four Rounds". */
export const SHA1NEXTE: Combination = (o, a, b) => {
  const w = wordsOf(o);
  return o.replaceLaneX('i32x4', b, 3, w.add(o.laneX('i32x4', b, 3), w.left(o.laneX('i32x4', a, 3), 30)));
};
/** SHA1MSG1: each word with the one two places on. SDM Vol. 2B, "SHA1MSG1—Perform an Intermediate Calculation for the Next Four SHA1 Message Dwords". */
export const SHA1MSG1: Combination = (o, a, b) => o.vectorX('v128.xor', a, o.shuffleX([24, 25, 26, 27, 28, 29, 30, 31, 0, 1, 2, 3, 4, 5, 6, 7], a, b));
/** SHA1MSG2. SDM Vol. 2B, "SHA1MSG2—Perform a Final Calculation for the Next Four SHA1 Message Dwords". */
export const SHA1MSG2: Combination = (o, a, b) => {
  const w = wordsOf(o);
  const [a0, a1, a2, a3] = w.lanes(a), [b0, b1, b2] = w.lanes(b);
  const w16 = w.left(w.xor(a3, b2), 1);
  return w.join([w.left(w.xor(a0, w16), 1), w.left(w.xor(a1, b0), 1), w.left(w.xor(a2, b1), 1), w16]);
};

/** SHA256RNDS2: two rounds with the words and constants in the low half of XMM0. SDM Vol. 2B, "SHA256RNDS2—Perform Two Rounds of SHA256 Operation". */
export const SHA256RNDS2: Semantics = sse((o, i) => {
  const w = wordsOf(o);
  let [h, g, d, c] = w.lanes(readX(o, i, 0));
  let [f, e, b, a] = w.lanes(readX(o, i, 1));
  const [word0, word1] = w.lanes(o.getXmm(xmm(i, 2)));
  for (const word of [word0, word1]) {
    const one = w.add(w.choose(e, f, g), w.xor(w.right(e, 6), w.right(e, 11), w.right(e, 25)), word, h);
    const two = w.add(w.majority(a, b, c), w.xor(w.right(a, 2), w.right(a, 13), w.right(a, 22)));
    [a, b, c, d, e, f, g, h] = [w.add(one, two), a, b, c, w.add(one, d), e, f, g];
  }
  writeX(o, i, 0, w.join([f, e, b, a]));
});
/** SHA256MSG1: each word and the small sigma 0 of the next. SDM Vol. 2B, "SHA256MSG1—Perform an Intermediate Calculation for the Next Four SHA256 Message Dwords". */
export const SHA256MSG1: Combination = (o, a, b) => {
  const w = wordsOf(o);
  const words = [...w.lanes(a), o.laneX('i32x4', b, 0)];
  const sigma = (x: (typeof words)[number]): typeof x => w.xor(w.right(x, 7), w.right(x, 18), w.shift(x, 3));
  return w.join([0, 1, 2, 3].map((n) => w.add(words[n]!, sigma(words[n + 1]!))));
};
/** SHA256MSG2: each word and the small sigma 1 of the one two places before it. SDM Vol. 2B, "SHA256MSG2—Perform a Final Calculation for the Next Four SHA256 Message Dwords". */
export const SHA256MSG2: Combination = (o, a, b) => {
  const w = wordsOf(o);
  const [a0, a1, a2, a3] = w.lanes(a), [, , b2, b3] = w.lanes(b);
  const sigma = (x: typeof a0): typeof x => w.xor(w.right(x, 17), w.right(x, 19), w.shift(x, 10));
  const w16 = w.add(a0, sigma(b2)), w17 = w.add(a1, sigma(b3));
  return w.join([w16, w17, w.add(a2, sigma(w16)), w.add(a3, sigma(w17))]);
};
