/** Bit tests, bit scans and bit counts. */
import type { Instruction } from '../instruction.ts';
import type { MemoryOperand, Operand, RegisterOperand, Width } from '../operand.ts';
import type { Ops } from '../ops.ts';
import type { Semantics } from '../row.ts';
import { addOffset, narrow, read, widen } from './operands.ts';

/** The operand that holds the bit, its writer, and the bit's number in it. */
interface BitPlace<V> { value: V; write: (v: V) => void; number: V }

/**
 * A register bit offset reaches any bit of memory: the operand accessed is the one that holds the bit, in units of
 * the operand size. SDM Vol. 2A, "BT—Bit Test"; Vol. 1, "Bit and Bit String Notation".
 */
function bitPlace<V, B>(o: Ops<V, B>, i: Instruction, intent: 'read' | 'modify'): BitPlace<V> {
  const w = i.width;
  const [base, offset] = i.operands as readonly [Operand, Operand];
  const selected = read(o, i, 1);
  const number = o.and(w, selected, o.const(w, BigInt(w - 1)));
  if (base.kind !== 'memory') return { value: read(o, i, 0), write: (v) => { o.setReg(base as RegisterOperand, v); }, number };
  const unit = o.const(w, BigInt(Math.log2(w)));
  const away = offset.kind === 'immediate' ? undefined : o.shrS(w, selected, unit);
  const address = bitAddress(o, i, base, away);
  return { value: o.load(w, base.segment, address, intent), write: (v) => { o.store(w, base.segment, address, v); }, number };
}
/** The address of the operand that lies `units` operands away from `base`. */
function bitAddress<V, B>(o: Ops<V, B>, i: Instruction, base: MemoryOperand, units: V | undefined): V {
  const start = o.effectiveAddress(base);
  if (units === undefined) return start;
  const signed = i.width === 64 ? units : o.sext(i.width, 64, units);
  return addOffset(o, i, start, o.shl(64, signed, o.const(64, BigInt(Math.log2(i.width / 8)))));
}

/** BT — Bit Test. Manual: OF SF AF PF are undefined; hardware (Intel): unchanged. SDM Vol. 2A, "BT—Bit Test". */
export const BT: Semantics = (o, i) => {
  const { value, number } = bitPlace(o, i, 'read');
  o.setFlag('CF', o.bit(i.width, o.shrU(i.width, value, number), 0));
};

const change = (how: 'set' | 'reset' | 'complement'): Semantics => (o, i) => {
  const w = i.width;
  const { value, write, number } = bitPlace(o, i, 'modify');
  const mask = o.shl(w, o.const(w, 1n), number);
  const result = how === 'set' ? o.or(w, value, mask) : how === 'reset' ? o.and(w, value, o.inv(w, mask)) : o.xor(w, value, mask);
  write(result);
  o.setFlag('CF', o.bit(w, o.shrU(w, value, number), 0));
};

/** BTS — Bit Test and Set. SDM Vol. 2A, "BTS—Bit Test and Set". */
export const BTS = change('set');
/** BTR — Bit Test and Reset. SDM Vol. 2A, "BTR—Bit Test and Reset". */
export const BTR = change('reset');
/** BTC — Bit Test and Complement. SDM Vol. 2A, "BTC—Bit Test and Complement". */
export const BTC = change('complement');

/**
 * BSF and BSR. A source of 0 leaves the destination unchanged, all 64 bits of it: APM Vol. 3, "BSF", documents it, and
 * current Intel processors do the same (SDM Vol. 2A, "BSF—Bit Scan Forward", note on older processors).
 * Manual: the flags except ZF are undefined; hardware (Intel): PF from the index, the others cleared.
 */
const scan = (reverse: boolean): Semantics => (o, i) => {
  const w = i.width;
  const src = read(o, i, 1);
  const none = o.isZero(w, src);
  const index = reverse ? o.sub(w, o.const(w, BigInt(w - 1)), o.clz(w, src)) : o.ctz(w, src);
  o.when(o.not(none), () => { o.setReg(i.operands[0] as RegisterOperand, index); });
  o.logicFlags(w, o.select(w, none, o.const(w, 0n), index));
  o.setFlag('ZF', none);
};

/** BSF — Bit Scan Forward. SDM Vol. 2A, "BSF—Bit Scan Forward". */
export const BSF = scan(false);
/** BSR — Bit Scan Reverse. SDM Vol. 2A, "BSR—Bit Scan Reverse". */
export const BSR = scan(true);

/** POPCNT — Return the Count of Number of Bits Set to 1. All flags but ZF are cleared. SDM Vol. 2B, "POPCNT". */
export const POPCNT: Semantics = (o, i) => {
  const src = read(o, i, 1);
  o.setReg(i.operands[0] as RegisterOperand, o.popcnt(i.width, src));
  o.setFlag('ZF', o.isZero(i.width, src));
  for (const flag of ['OF', 'SF', 'AF', 'CF', 'PF'] as const) o.setFlag(flag, o.constBit(0));
};

/**
 * LZCNT and TZCNT: of 0 the operand size, with CF. SDM Vol. 2A, "LZCNT—Count the Number of Leading Zero Bits"; Vol. 2B,
 * "TZCNT—Count the Number of Trailing Zero Bits". Manual: OF SF AF PF are undefined; hardware (Intel): cleared.
 */
const count = (leading: boolean): Semantics => (o, i) => {
  const w = i.width;
  const src = read(o, i, 1);
  const zeros = leading ? o.clz(w, src) : o.ctz(w, src);
  const none = o.isZero(w, src);
  o.setReg(i.operands[0] as RegisterOperand, zeros);
  o.setFlag('ZF', o.isZero(w, zeros));
  o.setFlag('CF', none);
  for (const flag of ['OF', 'SF', 'AF', 'PF'] as const) o.setFlag(flag, o.constBit(0));
};
/** LZCNT — Count the Number of Leading Zero Bits. */
export const LZCNT = count(true);
/** TZCNT — Count the Number of Trailing Zero Bits. */
export const TZCNT = count(false);

/** CRC32C, the polynomial 11EDC6F41 with its bits in the order in which they are shifted out. */
const CASTAGNOLI = 0x82f6_3b78n;

/** CRC32 — Accumulate CRC32 Value. SDM Vol. 2A, "CRC32—Accumulate CRC32 Value". */
export const CRC32: Semantics = (o, i) => {
  const [dest, source] = i.operands as readonly [RegisterOperand, RegisterOperand | MemoryOperand];
  const from = source.width as Width;
  const w = from === 64 ? 64 : 32;
  const polynomial = o.const(w, CASTAGNOLI);
  const one = o.const(w, 1n);
  let crc = o.xor(w, widen(o, 32, w, narrow(o, dest.width, 32, o.getReg(dest))), widen(o, from, w, read(o, i, 1)));
  for (let n = 0; n < from; n++) {
    const shifted = o.shrU(w, crc, one);
    crc = o.select(w, o.bit(w, crc, 0), o.xor(w, shifted, polynomial), shifted);
  }
  o.setReg(dest, widen(o, 32, dest.width, narrow(o, w, 32, crc)));
};
