/** The string comparisons of SSE4.2. SDM Vol. 2B, "PCMPESTRI", "PCMPESTRM", "PCMPISTRI", "PCMPISTRM". */
import { implicit, RAX, RCX, RDX, type ImmediateOperand, type XmmOperand } from '../operand.ts';
import type { Instruction } from '../instruction.ts';
import type { Ops } from '../ops.ts';
import type { Semantics } from '../row.ts';
import { readX, sse, writeXmm } from './vector-operands.ts';

const control = (i: Instruction): ImmediateOperand => i.operands[2] as ImmediateOperand;

/** The absolute value of a length in RAX or RDX, as far as it matters: at most 16. */
function length<V, B, X>(o: Ops<V, B, X>, i: Instruction, register: number): V {
  const w = i.width as 32 | 64;
  const most = o.const(w, 16n);
  const given = o.getReg(implicit(register, w));
  const magnitude = o.select(w, o.bit(w, given, w - 1), o.sub(w, o.const(w, 0n), given), given);
  const capped = o.select(w, o.ltU(w, magnitude, most), magnitude, most);
  return w === 64 ? o.trunc(64, 32, capped) : capped;
}

/** The comparison of operands 0 and 1, as compareStringsX gives it. */
function compare<V, B, X>(o: Ops<V, B, X>, i: Instruction, lengths: 'explicit' | 'implicit'): V {
  const first = readX(o, i, 0), second = readX(o, i, 1, 'any');
  return o.compareStringsX(first, second, lengths === 'explicit' ? [length(o, i, RAX), length(o, i, RDX)] : undefined, control(i));
}
function setFlags<V, B, X>(o: Ops<V, B, X>, comparison: V, matches: V): void {
  o.setFlag('CF', o.not(o.isZero(32, matches)));
  o.setFlag('ZF', o.bit(32, comparison, 16));
  o.setFlag('SF', o.bit(32, comparison, 17));
  o.setFlag('OF', o.bit(32, comparison, 0));
  for (const flag of ['AF', 'PF'] as const) o.setFlag(flag, o.constBit(0));
}
const matchesOf = <V, B, X>(o: Ops<V, B, X>, comparison: V): V => o.and(32, comparison, o.const(32, 0xffffn));

/** PCMPESTRI, PCMPISTRI: the number of the first match, or with bit 6 of the control the last, to ECX; of none, that of the elements. */
export const PCMPSTRI = (lengths: 'explicit' | 'implicit'): Semantics => sse((o, i) => {
  const comparison = compare(o, i, lengths);
  const matches = matchesOf(o, comparison);
  const how = o.imm(32, control(i));
  const elements = o.select(32, o.bit(32, how, 0), o.const(32, 8n), o.const(32, 16n));
  const last = o.sub(32, o.const(32, 31n), o.clz(32, matches));
  const index = o.select(32, o.bit(32, how, 6), last, o.ctz(32, matches));
  o.setReg(implicit(RCX, 32), o.select(32, o.isZero(32, matches), elements, index));
  setFlags(o, comparison, matches);
});

const XMM0: XmmOperand = { kind: 'xmm', width: 128, number: 0 };
/** PCMPESTRM, PCMPISTRM: the matches as a mask in XMM0. */
export const PCMPSTRM = (lengths: 'explicit' | 'implicit'): Semantics => sse((o, i) => {
  const comparison = compare(o, i, lengths);
  writeXmm(o, i, XMM0, o.stringMaskX(comparison, control(i)));
  setFlags(o, comparison, matchesOf(o, comparison));
});
