/**
 * The vocabulary interpreted as text: what an instruction will do, line by line, in the manual's style. Right-hand sides
 * speak of the state before the instruction; loads are named where they happen.
 */
import type { Segment } from '../../state/layout.ts';
import type { Instruction } from '../isa/instruction.ts';
import { NO_REGISTER, RSP, type ImmediateOperand, type MemoryOperand, type MmxOperand, type RegisterOperand, type RelativeOperand, type Width, type XmmOperand } from '../isa/operand.ts';
import { Ops, type Carry, type Flag } from '../isa/ops.ts';
import type { Float, FloatOp, FloatShape, FusedOp, ImmediateShuffle, Lanes, OneOfLanes, VectorOp, VectorShift } from '../isa/vector-ops.ts';
import type { Located, X87Operation } from '../isa/x87-ops.ts';
import { GENERAL_REGISTERS, SEGMENT_NAMES, mmxName, registerName, xmmName } from './names.ts';

/** Each condition as an expression of flags, by tttn / 2; odd tttn is its negation. */
const CONDITIONS = ['OF', 'CF', 'ZF', '(CF or ZF)', 'SF', 'PF', '(SF ≠ OF)', '(ZF or SF ≠ OF)'];

const number = (value: bigint): string => (value < 10n ? value.toString() : `0x${value.toString(16)}`);
/** `(a + b)` without its parentheses, where it stands alone. */
function bare(text: string): string {
  if (!text.startsWith('(')) return text;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '(') depth++;
    else if (text[at] === ')') depth--;
    if (depth === 0) return at === text.length - 1 ? text.slice(1, -1) : text;
  }
  return text;
}

class TextOps extends Ops<string, string, string, string> {
  readonly lines: string[] = [];
  private readonly i: Instruction;
  private readonly next: bigint;
  private indent = '';
  private loads = 0;

  constructor(i: Instruction, next: bigint) {
    super();
    this.i = i;
    this.next = next;
  }

  private say(line: string): void { this.lines.push(this.indent + line); }
  private target(x: RelativeOperand): string { return number(BigInt.asUintN(this.i.width, this.next + x.displacement)); }

  const(w: Width, n: bigint): string {
    const signed = BigInt.asIntN(w, n);
    return signed < 0n && signed >= -256n ? `-${number(-signed)}` : number(BigInt.asUintN(w, n));
  }
  imm(w: Width, x: ImmediateOperand): string { return this.const(w, x.value); }
  nextIp(): string { return number(this.next); }
  getReg(x: RegisterOperand): string { return registerName(x); }
  setReg(x: RegisterOperand, v: string): void { this.say(`${registerName(x)} ← ${bare(v)}`); }
  effectiveAddress(x: MemoryOperand, popped?: 2 | 4 | 8): string {
    const registers = GENERAL_REGISTERS[x.addressWidth];
    const displacement = BigInt.asIntN(x.addressWidth, x.displacement + (x.ripRelative ? this.next : 0n) + (popped !== undefined && x.base === RSP ? BigInt(popped) : 0n));
    const parts = [
      ...(x.base === NO_REGISTER ? [] : [registers[x.base] as string]),
      ...(x.index === NO_REGISTER ? [] : [(registers[x.index] as string) + (x.scale === 1 ? '' : `*${x.scale}`)]),
    ];
    if (parts.length === 0) return number(BigInt.asUintN(x.addressWidth, displacement));
    if (displacement === 0n) return parts.join(' + ');
    return `${parts.join(' + ')} ${displacement < 0n ? '-' : '+'} ${number(displacement < 0n ? -displacement : displacement)}`;
  }

  override elementAddress(x: MemoryOperand, index: string): string { return `${this.effectiveAddress(x)} + ${index}${x.scale === 1 ? '' : `*${x.scale}`}`; }

  private infix(a: string, operator: string, b: string): string { return `(${a} ${operator} ${b})`; }
  add(_w: Width, a: string, b: string): string { return b.startsWith('-') ? this.infix(a, '-', b.slice(1)) : this.infix(a, '+', b); }
  sub(_w: Width, a: string, b: string): string { return this.infix(a, '-', b); }
  mul(_w: Width, a: string, b: string): string { return this.infix(a, '*', b); }
  mulHighU(_w: Width, a: string, b: string): string { return `high half of unsigned ${this.infix(a, '*', b)}`; }
  mulHighS(_w: Width, a: string, b: string): string { return `high half of signed ${this.infix(a, '*', b)}`; }
  divU(_w: Width, high: string, low: string, d: string): { quotient: string; remainder: string } {
    return { quotient: `(${high}:${low} / ${d})`, remainder: `(${high}:${low} mod ${d})` };
  }
  and(_w: Width, a: string, b: string): string { return this.infix(a, 'and', b); }
  or(_w: Width, a: string, b: string): string { return this.infix(a, 'or', b); }
  xor(_w: Width, a: string, b: string): string { return this.infix(a, 'xor', b); }
  shl(_w: Width, a: string, n: string): string { return this.infix(a, '<<', n); }
  shrU(_w: Width, a: string, n: string): string { return this.infix(a, '>>', n); }
  shrS(_w: Width, a: string, n: string): string { return this.infix(a, 'signed >>', n); }
  rotl(_w: Width, a: string, n: string): string { return `rotate_left(${bare(a)}, ${bare(n)})`; }
  clz(_w: Width, a: string): string { return `leading_zeros(${bare(a)})`; }
  ctz(_w: Width, a: string): string { return `trailing_zeros(${bare(a)})`; }
  popcnt(_w: Width, a: string): string { return `ones(${bare(a)})`; }
  zext(_from: Width, _to: Width, a: string): string { return a; }
  sext(from: Width, to: Width, a: string): string { return `sign_extend_${from}_to_${to}(${bare(a)})`; }
  trunc(_from: Width, to: Width, a: string): string { return `low_${to}(${bare(a)})`; }
  select(_w: Width, c: string, a: string, b: string): string { return `(${bare(c)} ? ${a} : ${b})`; }
  fromBit(_w: Width, b: string): string { return b; }

  bit(_w: Width, a: string, n: number): string { return `bit ${n} of ${a}`; }
  eq(_w: Width, a: string, b: string): string { return this.infix(a, '=', b); }
  ltU(_w: Width, a: string, b: string): string { return this.infix(a, 'below', b); }
  ltS(_w: Width, a: string, b: string): string { return this.infix(a, '<', b); }
  parity8(a: string): string { return `even_parity(${bare(a)})`; }
  not(a: string): string { return `not ${a}`; }
  andB(a: string, b: string): string { return this.infix(a, 'and', b); }
  orB(a: string, b: string): string { return this.infix(a, 'or', b); }
  xorB(a: string, b: string): string { return this.infix(a, '≠', b); }
  getFlag(f: Flag): string { return f; }
  setFlag(f: Flag, b: string): void { this.say(`${f} ← ${bare(b)}`); }

  load(w: Width, segment: Segment, offset: string): string { return this.loaded(w, segment, offset); }
  private loaded(w: number, segment: Segment, offset: string): string {
    const name = this.loads === 0 ? 'value' : `value${this.loads + 1}`;
    this.loads++;
    this.say(`${name} ← ${w} bits at ${SEGMENT_NAMES[segment]}:[${bare(offset)}]`);
    return name;
  }
  store(w: Width, segment: Segment, offset: string, v: string): void { this.stored(w, segment, offset, v); }
  private stored(w: number, segment: Segment, offset: string, v: string): void { this.say(`${w} bits at ${SEGMENT_NAMES[segment]}:[${bare(offset)}] ← ${bare(v)}`); }
  requireAligned(bytes: 16, segment: Segment, offset: string): void { this.say(`#GP(0) unless ${SEGMENT_NAMES[segment]}:[${bare(offset)}] is a multiple of ${bytes}`); }

  override requireSse(): void { /* goes without saying */ }
  override requireAvx(): void { /* goes without saying */ }
  override getXmm(x: XmmOperand): string { return x.width === 256 ? `${xmmName(x)}[127:0]` : xmmName(x); }
  override getYmmHigh(x: XmmOperand): string { return `ymm${x.number}[255:128]`; }
  override setYmmHigh(x: XmmOperand, v: string): void { this.say(`ymm${x.number}[255:128] ← ${bare(v)}`); }
  override setXmm(x: XmmOperand, v: string): void { this.say(`${this.getXmm(x)} ← ${bare(v)}`); }
  override requireMmx(): void { /* goes without saying */ }
  override getMmx(x: MmxOperand): string { return mmxName(x); }
  override setMmx(x: MmxOperand, v: string): void { this.say(`${mmxName(x)} ← ${bare(v)}`); }
  override requireX87(): void { /* what it raises is no step of the operation */ }
  override noteX87(): void { /* for a handler of exceptions */ }
  override getSt(i: number): string { return `ST(${i})`; }
  override loadExtended({ operand, offset }: Located<string>): string { return `80 bits at ${SEGMENT_NAMES[operand.segment]}:[${offset}]`; }
  override fromReal(w: 32 | 64, raw: string): string { return `extended(${w === 32 ? 'single' : 'double'} ${bare(raw)})`; }
  override constantX87(value: 0 | 1): string { return `${value}.0`; }
  override operate(op: X87Operation, a: string, b: string): string { return this.infix(a, { add: '+', subtract: '-', multiply: '*', divide: '/' }[op], b); }
  override squareRoot(a: string): string { return `√${a}`; }
  override withSign(how: 'negated' | 'absolute', a: string): string { return how === 'negated' ? `-${a}` : `|${a}|`; }
  override conclude(_raised: readonly string[], body: () => void): void { body(); }
  override storeExtended({ operand, offset }: Located<string>, v: string, body: () => void): void {
    this.say(`80 bits at ${SEGMENT_NAMES[operand.segment]}:[${offset}] ← ${bare(v)}`);
    body();
  }
  override pushSt(v: string): void { this.say(`push ${bare(v)}`); }
  override setSt(i: number, v: string): void { this.say(`ST(${i}) ← ${bare(v)}`); }
  override popSt(): void { this.say('pop ST(0)'); }
  override enterMmx(): void { this.say('the x87 registers become MMX registers'); }
  override constX(v: bigint): string { return number(v); }
  private element(n: number | ImmediateOperand): string { return typeof n === 'number' ? String(n) : number(BigInt.asUintN(8, n.value)); }
  override laneX(shape: OneOfLanes, a: string, n: number | ImmediateOperand): string { return `${a}.${shape}[${this.element(n)}]`; }
  override replaceLaneX(shape: OneOfLanes, a: string, n: number | ImmediateOperand, v: string): string { return `(${a} with ${shape}[${this.element(n)}] = ${bare(v)})`; }
  override loadX(segment: Segment, offset: string): string { return this.loaded(128, segment, offset); }
  override storeX(segment: Segment, offset: string, v: string): void { this.stored(128, segment, offset, v); }
  override storeY(segment: Segment, offset: string, low: string, high: string): void { this.stored(256, segment, offset, `(${bare(high)}:${bare(low)})`); }
  override loadWhere(c: string, w: 32 | 64, segment: Segment, offset: string): string { return `(${bare(c)} ? ${this.loaded(w, segment, offset)} : 0)`; }
  override storeWhere(w: 32 | 64, segment: Segment, parts: readonly { readonly where: string; readonly offset: string; readonly value: string }[]): void {
    for (const { where, offset, value } of parts) this.when(where, () => { this.stored(w, segment, offset, value); });
  }
  override storeMaskedX(segment: Segment, offset: string, v: string, mask: string): void {
    this.say(`bytes at ${SEGMENT_NAMES[segment]}:[${bare(offset)}] where bit 7 of ${bare(mask)} is set ← ${bare(v)}`);
  }
  override storeMaskedMmx(segment: Segment, offset: string, v: string, mask: string): void { this.storeMaskedX(segment, offset, v, mask); }
  private call(name: string, ...operands: readonly string[]): string { return `${name}(${operands.map(bare).join(', ')})`; }
  override vectorX(op: VectorOp, a: string, b: string): string { return this.call(op, a, b); }
  override shiftX(op: VectorShift, a: string, count: string): string { return this.call(op, a, count); }
  override shuffleX(bytes: readonly number[], a: string, b: string): string { return `bytes ${bytes.join(' ')} of ${a}:${b}`; }
  override shuffleByX(how: ImmediateShuffle, a: string, b: string, pattern: ImmediateOperand): string { return this.call(how.toLowerCase(), a, b, this.element(pattern)); }
  override sadBlocksX(a: string, b: string, control: ImmediateOperand): string { return this.call('sums_of_differences', a, b, this.element(control)); }
  override compareStringsX(a: string, b: string, lengths: readonly [string, string] | undefined, control: ImmediateOperand): string {
    return this.call('compare_strings', a, b, ...(lengths ?? []), this.element(control));
  }
  override stringMaskX(comparison: string, control: ImmediateOperand): string { return this.call('mask', comparison, this.element(control)); }
  override bitmaskX(shape: Lanes, a: string): string { return this.call(`${shape}.bitmask`, a); }
  override floatX(op: FloatOp, a: string, b: string): string { return this.call(op, a, b); }
  override halvesFromFloatX(a: string, control: ImmediateOperand): string { return this.call('f16x4.demote_f32x4', a, this.element(control)); }
  override fusedX(op: FusedOp, a: string, b: string, c: string): string { return this.call(op, a, b, c); }
  override compareFloatX(shape: FloatShape, a: string, b: string, predicate: ImmediateOperand): string { return this.call(`${shape}.compare`, a, b, this.element(predicate)); }
  override roundFloatX(shape: FloatShape, a: string, b: string, control: ImmediateOperand): string { return this.call(`${shape}.round`, a, b, this.element(control)); }
  override orderFloatX(lane: Float, a: string, b: string): string { return this.call(`${lane}.order`, a, b); }
  override integerFromFloatX(w: 32 | 64, lane: Float, a: string, how: 'round' | 'trunc'): string { return this.call(`i${w}.${how}_${lane}_s`, a); }
  override floatFromIntegerX(lane: Float, a: string, w: 32 | 64, v: string): string { return `(${a} with ${lane}[0] = ${bare(v)} of i${w})`; }
  override getMxcsr(): string { return 'MXCSR'; }
  override setMxcsr(v: string): void { this.say(`MXCSR ← ${bare(v)}`); }
  override lowX(w: 32 | 64, v: string): string { return w === 64 ? `(0:${v})` : `(0:0:0:${v})`; }

  when(c: string, body: () => void): void {
    this.say(`if ${bare(c)}:`);
    const { indent } = this;
    this.indent = `${indent}  `;
    body();
    this.indent = indent;
  }
  override readPort(w: 8 | 16 | 32, port: string): string {
    this.say(`value ← ${w} bits from port ${bare(port)}`);
    return 'value';
  }
  override writePort(w: 8 | 16 | 32, port: string, v: string): void { this.say(`${w} bits to port ${bare(port)}: ${bare(v)}`); }
  fault(vector: number): void { this.say(`raise exception ${vector}`); }
  goto(x: RelativeOperand): void { this.say(`rip ← ${this.target(x)}`); }
  gotoIf(c: string, x: RelativeOperand): void { this.say(`if ${bare(c)}: rip ← ${this.target(x)}`); }
  gotoIndirect(ip: string): void { this.say(`rip ← ${bare(ip)}`); }
  repeatIf(c: string): void { this.say(`if ${bare(c)}: run again`); }

  override constBit(b: 0 | 1): string { return String(b); }
  override inv(_w: Width, a: string): string { return `not ${a}`; }
  override isZero(_w: Width, a: string): string { return this.infix(a, '=', '0'); }
  override resultFlags(_w: Width, r: string): void { this.say(`ZF SF PF ← of ${bare(r)}`); }
  override carryFlags(_w: Width, carries: string, keepCF: boolean): void { this.say(`${keepCF ? '' : 'CF '}OF AF ← of the carries ${bare(carries)}`); }
  override addFlags(_w: Width, a: string, b: string, _r: string, how: Carry = 'plain'): void { this.arithmeticFlags('+', a, b, how); }
  override subFlags(_w: Width, a: string, b: string, _r: string, how: Carry = 'plain'): void { this.arithmeticFlags('-', a, b, how); }
  private arithmeticFlags(operator: string, a: string, b: string, how: Carry): void {
    this.say(`${how === 'keepCF' ? '' : 'CF '}PF AF ZF SF OF ← of ${a} ${operator} ${b}${how === 'carryIn' ? ` ${operator} CF` : ''}`);
  }
  override logicFlags(_w: Width, r: string): void { this.say(`CF OF AF ← 0; ZF SF PF ← of ${bare(r)}`); }
  override otherFlags(_w: Width, r: string, cf: string, of: string): void { this.say(`CF ← ${bare(cf)}; OF ← ${bare(of)}; AF ← 0; ZF SF PF ← of ${bare(r)}`); }
  override rotateFlags(cf: string, of: string): void { this.say(`CF ← ${bare(cf)}; OF ← ${bare(of)}`); }
  override condition(tttn: number): string {
    const base = CONDITIONS[tttn >> 1] as string;
    return (tttn & 1) === 1 ? `not ${base}` : base;
  }
}

/** What a translated instruction at address `at` will do, one line each; empty for a system instruction. */
export function pseudocode(i: Instruction, at: bigint): readonly string[] {
  if (i.row.meaning.kind === 'system') return [];
  const ops = new TextOps(i, BigInt.asUintN(64, at + BigInt(i.length)));
  i.row.meaning.semantics(ops, i);
  return ops.lines;
}
