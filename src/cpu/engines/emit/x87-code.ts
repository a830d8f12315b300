/**
 * The vocabulary as generated WebAssembly: the x87 stack. Registers, tags and TOP stay in the state; arithmetic calls the functions of extended.ts.
 * All exceptions are masked and none waits where this code runs, so that the only ones that it can meet are those of inexact results. What is
 * not ordinary leaves in front of the instruction: an empty register, a full stack, other operands and results than normal numbers and zeros.
 */
import { CR0 } from '../../../mmu/control-bits.ts';
import { OFFSET, SEGMENT } from '../../../state/layout.ts';
import { minExponent } from '../../floating-point/exact.ts';
import { EXCEPTIONS, STATUS } from '../../fpu/control.ts';
import { FORMATS, fractionBits } from '../../fpu/conversion.ts';
import { BIAS, INTEGER_BIT, MAX_EXPONENT } from '../../fpu/float80.ts';
import { TAG, TOP_SHIFT } from '../../fpu/registers.ts';
import type { Located, X87Operation } from '../../isa/x87-ops.ts';
import { I32, I64, LOAD, NUMERIC as N, STORE } from '../wasm/opcodes.ts';
import { EXTENDED_FUNCTIONS, RAISED_SHIFT, type ExtendedFunction } from './extended.ts';
import { FusedCode } from './fused-ops.ts';
import { LEAF, Node } from './node.ts';

/** Sign and exponent in bits 15:0 of `high`. `raised`: bits of the status word that making it sets. */
export interface StackValue { readonly significand: Node; readonly high: Node; readonly raised?: Node }

const SIGN = 0x8000;
const FUNCTION: Readonly<Record<X87Operation, ExtendedFunction>> = { add: 'sum', subtract: 'sum', multiply: 'product', divide: 'quotient' };

export abstract class X87Code extends FusedCode {
  /** Whether functions of extended.ts are called. */
  callsExtended = false;
  /** It has been checked, since the block began, that the FPU may be used and that all exceptions are masked. */
  #checked = false;
  /** The status, tag and control words, where they are known. */
  #status: Node | undefined;
  #tags: Node | undefined;
  #control: Node | undefined;

  protected override beginVectors(): void {
    super.beginVectors();
    this.#checked = false;
    this.#forget();
  }
  #forget(): void { this.#status = this.#tags = this.#control = undefined; }
  override enterMmx(): void {
    super.enterMmx();
    this.#forget();
  }

  // ------------------------------------------------------------------------------------------------------- the words
  #i32(n: number): Node { return this.const(32, BigInt(n)); }
  #word(offset: number): Node { return this.loadState(I32, LOAD[32], offset); }
  #hasNone(word: Node, bits: number): Node { return this.isZero(32, this.and(32, word, this.#i32(bits))); }
  override requireX87(): void {
    this.#status ??= this.#word(OFFSET.fpuStatus);
    this.#tags ??= this.#word(OFFSET.fpuTag);
    this.#control ??= this.#word(OFFSET.fpuControl);
    if (this.#checked) return;
    this.#checked = true;
    const enabled = this.#hasNone(this.#word(OFFSET.cr0), CR0.EM | CR0.TS);
    const masked = this.#hasNone(this.xor(32, this.#control, this.#i32(EXCEPTIONS)), EXCEPTIONS);
    this.leaveUnless(this.andB(this.andB(enabled, masked), this.#hasNone(this.#status, STATUS.ES)));
  }
  #setStatus(word: Node): void {
    this.#status = word;
    this.storeState(STORE[32], OFFSET.fpuStatus, word);
  }
  #setTags(word: Node): void {
    this.#tags = word;
    this.storeState(STORE[32], OFFSET.fpuTag, word);
  }
  override noteX87(memory: Located<Node> | undefined): void {
    const selector = (segment: number): Node => this.#word(OFFSET.selector + 4 * segment);
    this.storeState(STORE[64], OFFSET.fpuInstructionPointer, this.ownIp());
    this.storeState(STORE[32], OFFSET.fpuInstructionSelector, selector(SEGMENT.CS));
    if (memory === undefined) return;
    this.storeState(STORE[64], OFFSET.fpuDataPointer, memory.offset);
    this.storeState(STORE[32], OFFSET.fpuDataSelector, selector(memory.operand.segment));
  }

  // ------------------------------------------------------------------------------------------------------- registers
  /** The number of the physical register of ST(i). */
  #physical(i: number): Node {
    return this.and(32, this.add(32, this.shrU(32, this.#status!, this.#i32(TOP_SHIFT)), this.#i32(i & 7)), this.#i32(7));
  }
  #base(physical: Node): Node { return this.shl(32, physical, this.#i32(4)); }
  #tagPlace(physical: Node): Node { return this.shl(32, physical, this.#i32(1)); }
  #isEmpty(i: number): Node {
    return this.eq(32, this.and(32, this.shrU(32, this.#tags!, this.#tagPlace(this.#physical(i))), this.#i32(TAG.empty)), this.#i32(TAG.empty));
  }
  #tagged(physical: Node, tag: Node): void {
    const place = this.#tagPlace(physical);
    const others = this.and(32, this.#tags!, this.inv(32, this.shl(32, this.#i32(TAG.empty), place)));
    this.#setTags(this.or(32, others, this.shl(32, tag, place)));
  }
  /** The tag that a value deserves. */
  #tagOf({ significand, high }: StackValue): Node {
    const exponent = this.and(32, high, this.#i32(MAX_EXPONENT));
    const small = this.select(32, this.isZero(64, significand), this.#i32(TAG.zero), this.#i32(TAG.special));
    const normal = this.andB(this.ltS(64, significand, this.const(64, 0n)), this.ltU(32, exponent, this.#i32(MAX_EXPONENT)));
    return this.select(32, this.isZero(32, exponent), small, this.select(32, normal, this.#i32(TAG.valid), this.#i32(TAG.special)));
  }

  override getSt(i: number): StackValue {
    this.leaveUnless(this.not(this.#isEmpty(i)));
    const base = this.#base(this.#physical(i));
    return { significand: this.loadState(I64, LOAD[64], OFFSET.fpuRegisters, base), high: this.loadState(I32, LOAD[16], OFFSET.fpuRegisters + 8, base) };
  }
  override setSt(i: number, v: StackValue): void {
    const physical = this.#physical(i), base = this.#base(physical);
    this.storeState(STORE[64], OFFSET.fpuRegisters, v.significand, base);
    this.storeState(STORE[64], OFFSET.fpuRegisters + 8, this.zext(32, 64, v.high), base);
    this.#tagged(physical, this.#tagOf(v));
  }
  #moveTop(by: 1 | -1): void {
    const moved = this.and(32, this.add(32, this.#status!, this.#i32(by << TOP_SHIFT)), this.#i32(STATUS.TOP));
    this.#setStatus(this.or(32, this.and(32, this.#status!, this.#i32(~STATUS.TOP)), moved));
  }
  override popSt(): void {
    this.#tagged(this.#physical(0), this.#i32(TAG.empty));
    this.#moveTop(1);
  }
  override pushSt(v: StackValue): void {
    this.leaveUnless(this.#isEmpty(-1));
    this.conclude([v], () => {
      this.#moveTop(-1);
      this.setSt(0, v);
    });
  }
  override conclude(raised: readonly StackValue[], body: () => void): void {
    const flags = raised.reduce((all, x) => (x.raised === undefined ? all : this.or(32, all, x.raised)), this.#i32(0));
    this.#setStatus(this.or(32, this.and(32, this.#status!, this.#i32(~STATUS.C1)), flags));
    body();
  }

  // ------------------------------------------------------------------------------------------------------------ values
  override loadExtended({ operand, offset }: Located<Node>): StackValue {
    const [significand, high] = this.loadTen(operand.segment, offset);
    return { significand, high };
  }
  override storeExtended({ operand, offset }: Located<Node>, v: StackValue, body: () => void): void {
    this.storeTen(operand.segment, offset, v.significand, v.high);
    this.conclude([v], body);
  }
  /** Normal numbers and zeros. */
  override fromReal(w: 32 | 64, raw: Node): StackValue {
    const f = FORMATS[w], fraction = fractionBits(f), bias = 1 - minExponent(f);
    const most = 2 * bias + 1;
    const bits = w === 64 ? raw : this.zext(32, 64, raw);
    const n = (x: number): Node => this.const(64, BigInt(x));
    const exponent = this.trunc(64, 32, this.and(64, this.shrU(64, bits, n(fraction)), n(most)));
    const isZero = this.isZero(64, this.shl(64, bits, n(65 - w)));
    const normal = this.ltU(32, this.sub(32, exponent, this.#i32(1)), this.#i32(most - 1));
    this.leaveUnless(this.orB(normal, isZero));
    const sign = this.shl(32, this.trunc(64, 32, this.shrU(64, bits, n(w - 1))), this.#i32(15));
    const significand = this.or(64, this.shl(64, bits, n(63 - fraction)), this.const(64, INTEGER_BIT));
    return {
      significand: this.select(64, isZero, n(0), significand),
      high: this.or(32, sign, this.select(32, isZero, this.#i32(0), this.add(32, exponent, this.#i32(BIAS - bias)))),
    };
  }
  override constantX87(value: 0 | 1): StackValue {
    return value === 0 ? { significand: this.const(64, 0n), high: this.#i32(0) } : { significand: this.const(64, INTEGER_BIT), high: this.#i32(BIAS) };
  }
  override withSign(how: 'negated' | 'absolute', { significand, high }: StackValue): StackValue {
    return { significand, high: how === 'negated' ? this.xor(32, high, this.#i32(SIGN)) : this.and(32, high, this.#i32(MAX_EXPONENT)) };
  }
  override operate(op: X87Operation, a: StackValue, b: StackValue): StackValue { return this.#call(FUNCTION[op], a, op === 'subtract' ? this.withSign('negated', b) : b); }
  override squareRoot(a: StackValue): StackValue { return this.#call('root', a, a); }
  #call(name: ExtendedFunction, a: StackValue, b: StackValue): StackValue {
    this.callsExtended = true;
    const operands = [a.significand, a.high, b.significand, b.high, this.#control!];
    const significand = new Node(I64, LEAF), word = new Node(I32, LEAF);
    this.effect(operands, () => {
      for (const x of operands) this.emit(x);
      this.code.call(EXTENDED_FUNCTIONS.indexOf(name));
      this.bind(word);
      this.bind(significand);
    });
    this.leaveUnless(this.not(this.node(I32, N.i32_lt_s, word, this.#i32(0))));
    return { significand, high: this.and(32, word, this.#i32(0xffff)), raised: this.shrU(32, word, this.#i32(RAISED_SHIFT)) };
  }
}
