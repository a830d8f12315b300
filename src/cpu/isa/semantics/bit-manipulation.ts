/** BMI1 and BMI2: bit fields, lowest bits, deposits, and shifts without flags. */
import type { Instruction } from '../instruction.ts';
import { implicit, RDX, type RegisterOperand, type Width } from '../operand.ts';
import type { Ops } from '../ops.ts';
import type { Semantics } from '../row.ts';
import { read } from './operands.ts';

const dest = (i: Instruction): RegisterOperand => i.operands[0] as RegisterOperand;

/**
 * CF as given, OF cleared, ZF and SF from the result.
 * Manual: AF and PF are undefined, of BEXTR SF too; hardware (Intel): cleared.
 */
function resultAndCarry<V, B>(o: Ops<V, B>, i: Instruction, r: V, cf: B): void {
  o.setReg(dest(i), r);
  o.otherFlags(i.width, r, cf, o.constBit(0));
  o.setFlag('PF', o.constBit(0));
}

/** The value with zeros from bit n on; n may be anything, from the operation's width on it is the value. */
function lowBits<V, B>(o: Ops<V, B>, w: Width, v: V, n: V): V {
  const mask = o.sub(w, o.shl(w, o.const(w, 1n), o.and(w, n, o.const(w, BigInt(w - 1)))), o.const(w, 1n));
  return o.select(w, o.ltU(w, n, o.const(w, BigInt(w))), o.and(w, v, mask), v);
}

/** ANDN — Logical AND NOT. SDM Vol. 2A, "ANDN—Logical AND NOT". */
export const ANDN: Semantics = (o, i) => {
  resultAndCarry(o, i, o.and(i.width, o.inv(i.width, read(o, i, 1)), read(o, i, 2)), o.constBit(0));
};

/** BEXTR — Bit Field Extract: the field begins at the bit in bits 7:0 of the second source and is as long as bits 15:8 say. SDM Vol. 2A, "BEXTR—Bit Field Extract". */
export const BEXTR: Semantics = (o, i) => {
  const w = i.width;
  const source = read(o, i, 1), control = read(o, i, 2);
  const byte = o.const(w, 0xffn);
  const start = o.and(w, control, byte);
  const length = o.and(w, o.shrU(w, control, o.const(w, 8n)), byte);
  const moved = o.shrU(w, source, o.and(w, start, o.const(w, BigInt(w - 1))));
  const field = o.select(w, o.ltU(w, start, o.const(w, BigInt(w))), moved, o.const(w, 0n));
  resultAndCarry(o, i, lowBits(o, w, field, length), o.constBit(0));
  o.setFlag('SF', o.constBit(0));
};

/** BLSI — Extract Lowest Set Isolated Bit; CF says that there is one. SDM Vol. 2A, "BLSI—Extract Lowest Set Isolated Bit". */
export const BLSI: Semantics = (o, i) => {
  const w = i.width;
  const source = read(o, i, 1);
  resultAndCarry(o, i, o.and(w, o.sub(w, o.const(w, 0n), source), source), o.not(o.isZero(w, source)));
};

/** CF says that there is no bit set. */
const uptoLowestBit = (verb: 'xor' | 'and'): Semantics => (o, i) => {
  const w = i.width;
  const source = read(o, i, 1);
  resultAndCarry(o, i, o[verb](w, o.sub(w, source, o.const(w, 1n)), source), o.isZero(w, source));
};
/** BLSMSK — Get Mask Up to Lowest Set Bit. SDM Vol. 2A, "BLSMSK—Get Mask Up to Lowest Set Bit". */
export const BLSMSK = uptoLowestBit('xor');
/** BLSR — Reset Lowest Set Bit. SDM Vol. 2A, "BLSR—Reset Lowest Set Bit". */
export const BLSR = uptoLowestBit('and');

/** BZHI — Zero High Bits Starting with Specified Bit Position; CF says that this is beyond the operand. SDM Vol. 2A, "BZHI". */
export const BZHI: Semantics = (o, i) => {
  const w = i.width;
  const source = read(o, i, 1);
  const position = o.and(w, read(o, i, 2), o.const(w, 0xffn));
  resultAndCarry(o, i, lowBits(o, w, source, position), o.not(o.ltU(w, position, o.const(w, BigInt(w)))));
};

/** MULX — Unsigned Multiply Without Affecting Flags: of one register for both halves the high half remains. SDM Vol. 2B, "MULX". */
export const MULX: Semantics = (o, i) => {
  const w = i.width;
  const a = o.getReg(implicit(RDX, w)), b = read(o, i, 2);
  const low = o.mul(w, a, b), high = o.mulHighU(w, a, b);
  o.setReg(i.operands[1] as RegisterOperand, low);
  o.setReg(dest(i), high);
};

/** Moves of mask bits by 1, 2, 4 ... places: at each step those whose number of zeros below has that bit. H. S. Warren, "Hacker's Delight", "Compress, or Generalized Extract". */
function movesOf<V, B>(o: Ops<V, B>, w: Width, mask: V): V[] {
  const moves: V[] = [];
  let m = mask;
  let zeros = o.shl(w, o.inv(w, m), o.const(w, 1n));
  for (let step = 1; step < w; step *= 2) {
    // Bit n is the parity of the zeros below it.
    let parity = zeros;
    for (let k = 1; k < w; k *= 2) parity = o.xor(w, parity, o.shl(w, parity, o.const(w, BigInt(k))));
    const move = o.and(w, parity, m);
    moves.push(move);
    m = o.or(w, o.xor(w, m, move), o.shrU(w, move, o.const(w, BigInt(step))));
    zeros = o.and(w, zeros, o.inv(w, parity));
  }
  return moves;
}

/** PEXT — Parallel Bits Extract. SDM Vol. 2B, "PEXT—Parallel Bits Extract". */
export const PEXT: Semantics = (o, i) => {
  const w = i.width;
  const source = read(o, i, 1), mask = read(o, i, 2);
  let r = o.and(w, source, mask);
  movesOf(o, w, mask).forEach((move, n) => {
    const moved = o.and(w, r, move);
    r = o.or(w, o.xor(w, r, moved), o.shrU(w, moved, o.const(w, BigInt(2 ** n))));
  });
  o.setReg(dest(i), r);
};

/** PDEP — Parallel Bits Deposit: the moves of PEXT backwards. SDM Vol. 2B, "PDEP—Parallel Bits Deposit". */
export const PDEP: Semantics = (o, i) => {
  const w = i.width;
  const source = read(o, i, 1), mask = read(o, i, 2);
  let r = source;
  const moves = movesOf(o, w, mask);
  for (let n = moves.length - 1; n >= 0; n--) {
    const move = moves[n]!;
    r = o.or(w, o.and(w, r, o.inv(w, move)), o.and(w, o.shl(w, r, o.const(w, BigInt(2 ** n))), move));
  }
  o.setReg(dest(i), o.and(w, r, mask));
};

/** RORX — Rotate Right Logical Without Affecting Flags. SDM Vol. 2B, "RORX". */
export const RORX: Semantics = (o, i) => {
  const w = i.width;
  const count = o.and(w, o.sub(w, o.const(w, 0n), read(o, i, 2)), o.const(w, BigInt(w - 1)));
  o.setReg(dest(i), o.rotl(w, read(o, i, 1), count));
};

const shift = (verb: 'shl' | 'shrU' | 'shrS'): Semantics => (o, i) => {
  const w = i.width;
  o.setReg(dest(i), o[verb](w, read(o, i, 1), o.and(w, read(o, i, 2), o.const(w, BigInt(w - 1)))));
};
/** SARX, SHLX, SHRX: shifts without flags. SDM Vol. 2B, "SARX/SHLX/SHRX—Shift Without Affecting Flags". */
export const SARX = shift('shrS');
export const SHLX = shift('shl');
export const SHRX = shift('shrU');
