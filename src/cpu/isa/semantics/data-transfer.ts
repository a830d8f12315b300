/** Moves, address calculation and conversions of width. */
import { SEGMENT } from '../../../state/layout.ts';
import { implicit, RAX, RBX, RDX, type MemoryOperand, type Operand, type RegisterOperand, type Width } from '../operand.ts';
import type { Ops } from '../ops.ts';
import type { Semantics } from '../row.ts';
import { addOffset, narrow, read, widen, write } from './operands.ts';

/** MOV — Move, general registers and memory. SDM Vol. 2B, "MOV—Move". */
export const MOV: Semantics = (o, i) => {
  write(o, i, 0, read(o, i, 1));
};

/** The width of a register or memory operand. */
const widthOf = (x: Operand | undefined): Width => (x as RegisterOperand | MemoryOperand).width as Width;

/** MOVZX — Move With Zero-Extend. SDM Vol. 2B, "MOVZX—Move With Zero-Extend". */
export const MOVZX: Semantics = (o, i) => {
  const from = widthOf(i.operands[1]);
  o.setReg(i.operands[0] as RegisterOperand, widen(o, from, i.width, read(o, i, 1)));
};

/** MOVSX, MOVSXD — Move With Sign-Extension. SDM Vol. 2B, "MOVSX/MOVSXD—Move With Sign-Extension". */
export const MOVSX: Semantics = (o, i) => {
  const from = widthOf(i.operands[1]);
  const src = read(o, i, 1);
  o.setReg(i.operands[0] as RegisterOperand, from === i.width ? src : o.sext(from, i.width, src));
};

/** The bytes of a value in reverse order: neighbours swapped in groups of 1, 2, then 4 bytes. */
function reverseBytes<V, B>(o: Ops<V, B>, w: Width, v: V): V {
  let result = v;
  for (let group = 8; group < w; group *= 2) {
    let mask = 0n;
    for (let at = 0; at < w; at += 2 * group) mask |= ((1n << BigInt(group)) - 1n) << BigInt(at);
    const by = o.const(w, BigInt(group));
    const keep = o.const(w, mask);
    result = o.or(w, o.and(w, o.shrU(w, result, by), keep), o.shl(w, o.and(w, result, keep), by));
  }
  return result;
}

/** MOVBE — Move Data After Swapping Bytes. SDM Vol. 2B, "MOVBE—Move Data After Swapping Bytes". */
export const MOVBE: Semantics = (o, i) => {
  write(o, i, 0, reverseBytes(o, i.width, read(o, i, 1)));
};

/** BSWAP — Byte Swap. SDM Vol. 2A, "BSWAP—Byte Swap". */
export const BSWAP: Semantics = (o, i) => {
  write(o, i, 0, reverseBytes(o, i.width, read(o, i, 0)));
};

/** LEA — Load Effective Address. SDM Vol. 2A, "LEA—Load Effective Address". */
export const LEA: Semantics = (o, i) => {
  o.setReg(i.operands[0] as RegisterOperand, narrow(o, 64, i.width, o.effectiveAddress(i.operands[1] as MemoryOperand)));
};

/** CBW, CWDE, CDQE: rAX from its lower half. SDM Vol. 2A, "CBW/CWDE/CDQE". */
export const CBW: Semantics = (o, i) => {
  const half = (i.width / 2) as Width;
  o.setReg(implicit(RAX, i.width), o.sext(half, i.width, o.getReg(implicit(RAX, half))));
};

/** CWD, CDQ, CQO: the sign of rAX into rDX. SDM Vol. 2A, "CWD/CDQ/CQO". */
export const CWD: Semantics = (o, i) => {
  o.setReg(implicit(RDX, i.width), o.shrS(i.width, o.getReg(implicit(RAX, i.width)), o.const(i.width, BigInt(i.width - 1))));
};

/** XLATB — Table Look-up Translation: AL from DS:[rBX + AL]. SDM Vol. 2D, "XLAT/XLATB—Table Look-up Translation". */
export const XLATB: Semantics = (o, i) => {
  const base = widen(o, i.addressWidth, 64, o.getReg(implicit(RBX, i.addressWidth)));
  const at = addOffset(o, i, base, o.zext(8, 64, o.getReg(implicit(RAX, 8))));
  o.setReg(implicit(RAX, 8), o.load(8, i.segmentOverride ?? SEGMENT.DS, at));
};
