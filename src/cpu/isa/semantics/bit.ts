/** Bit tests, bit scans and bit counts. */
import type { Instruction } from '../instruction.ts';
import type { MemoryOperand, Operand, RegisterOperand } from '../operand.ts';
import type { Ops } from '../ops.ts';
import type { Semantics } from '../row.ts';
import { addOffset, read } from './operands.ts';

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
