/** How semantics read and write their operands, whatever these are. */
import type { Instruction } from '../instruction.ts';
import type { Operand, Width } from '../operand.ts';
import type { Ops } from '../ops.ts';

/** Reads operand n at the instruction's width; immediates are sign-extended to it. */
export function read<V, B>(o: Ops<V, B>, i: Instruction, n: number, w: Width = i.width): V {
  const x = i.operands[n] as Operand;
  switch (x.kind) {
    case 'register': return o.getReg(x);
    case 'immediate': return o.imm(w, x);
    case 'memory': return o.load(x.width as Width, x.segment, o.effectiveAddress(x));
    default: throw new Error(`${i.row.text}: operand ${n} is no value`);
  }
}

/** Writes operand n. A memory destination is stored at once, so the caller commits registers and flags afterwards. */
export function write<V, B>(o: Ops<V, B>, i: Instruction, n: number, v: V): void {
  const x = i.operands[n] as Operand;
  if (x.kind === 'register') o.setReg(x, v);
  else if (x.kind === 'memory') o.store(x.width as Width, x.segment, o.effectiveAddress(x), v);
  else throw new Error(`${i.row.text}: operand ${n} is no destination`);
}

/** A read-modify-write operand: its value and its writer. The address is computed once and the load asks for write permission. */
export function place<V, B>(o: Ops<V, B>, i: Instruction, n: number): { value: V; write: (v: V) => void } {
  const x = i.operands[n] as Operand;
  if (x.kind !== 'memory') return { value: read(o, i, n), write: (v) => write(o, i, n, v) };
  const offset = o.effectiveAddress(x);
  const w = x.width as Width;
  return { value: o.load(w, x.segment, offset, 'modify'), write: (v) => o.store(w, x.segment, offset, v) };
}

/** A value with zeros in front, where that is wider. */
export const widen = <V, B>(o: Ops<V, B>, from: Width, to: Width, v: V): V => (from === to ? v : o.zext(from, to, v));
/** The lower bits of a value, where that is narrower. */
export const narrow = <V, B>(o: Ops<V, B>, from: Width, to: Width, v: V): V => (from === to ? v : o.trunc(from, to, v));

/** A sum of 64-bit offsets cut to the address width, as every effective address is. */
export function addOffset<V, B>(o: Ops<V, B>, i: Instruction, offset: V, delta: V): V {
  const sum = o.add(64, offset, delta);
  return i.addressWidth === 64 ? sum : o.zext(i.addressWidth, 64, o.trunc(64, i.addressWidth, sum));
}
