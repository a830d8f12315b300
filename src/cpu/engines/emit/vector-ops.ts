/**
 * The vocabulary as generated WebAssembly: vectors. A 128-bit value is a v128, and most verbs are one instruction of WebAssembly's;
 * a YMM register is two of them, as it is for the verbs.
 * A verb, or an operation of one, that is not here leaves its instruction to the reference engine
 * (test/engines/generated-rows.ts lists which).
 */
import type { Segment } from '../../../state/layout.ts';
import { OFFSET } from '../../../state/layout.ts';
import { STATUS as FPU_STATUS } from '../../fpu/control.ts';
import { MMX_SIGN_AND_EXPONENT } from '../../fpu/mmx.ts';
import { ALL_VALID } from '../../fpu/registers.ts';
import type { ImmediateOperand, MmxOperand, XmmOperand } from '../../isa/operand.ts';
import { LANE_BITS, type ImmediateShuffle, type Lanes, type OneOfLanes, type VectorOp, type VectorShift } from '../../isa/vector-ops.ts';
import { immediatePattern, lanePattern } from '../../isa/vector-shuffles.ts';
import { ENGINE } from '../engine-memory.ts';
import { F32, F64, I32, I64, LOAD, NUMERIC as N, OP, SIMD, STORE, V128, type ValueType } from '../wasm/opcodes.ts';
import { LeftToReference } from './graph-ops.ts';
import { PortOps } from './port-ops.ts';
import type { Node } from './node.ts';

/** Where the state holds an XMM register. */
export const xmmOffset = (x: Pick<XmmOperand, 'number'>): number => OFFSET.xmm + 16 * x.number;
/** Where it holds bits 255:128 of a YMM register. */
export const ymmHighOffset = (x: Pick<XmmOperand, 'number'>): number => OFFSET.ymmHigh + 16 * x.number;
/** The registers of MMX in the state: 16 bytes each, of which the significand is the value. */
export const mmxOffset = (x: MmxOperand): number => OFFSET.fpuRegisters + 16 * x.number;
const SIGN_AND_EXPONENT = 8;

/** Upper halves of the products of 16-bit lanes, lower lanes first. */
const UPPER_WORDS = lanePattern(2, [1, 3, 5, 7, 9, 11, 13, 15]);
const EVEN_DOUBLEWORDS = lanePattern(4, [0, 2, 0, 2]);

/** Where the state holds a register: an i32, if there is one, and what is added to it. */
export interface RegisterPlace { readonly base: Node | undefined; readonly offset: number }

export abstract class VectorCode extends PortOps {
  /** It has been checked, since the block began, that vectors may be used; that no x87 exception waits. */
  #sseChecked = false;
  #avxChecked = false;
  #mmxChecked = false;
  protected abstract mmxPlace(x: MmxOperand): RegisterPlace;

  /** To be called where a block begins: what was checked before holds no longer. */
  protected beginVectors(): void {
    this.#sseChecked = false;
    this.#avxChecked = false;
    this.#mmxChecked = false;
  }

  // ------------------------------------------------------------------------------------------------------ registers
  override requireSse(): void {
    if (this.#sseChecked) return;
    this.#sseChecked = true;
    this.leaveUnless(this.isZero(32, this.loadState(I32, LOAD[32], ENGINE.vectorsBlocked)));
  }
  override requireAvx(): void {
    if (this.#avxChecked) return;
    this.#avxChecked = true;
    this.leaveUnless(this.isZero(32, this.loadState(I32, LOAD[32], ENGINE.avxBlocked)));
  }
  /** Leaves more often than it must: where SSE is not enabled. */
  override requireMmx(): void {
    this.requireSse();
    if (this.#mmxChecked) return;
    this.#mmxChecked = true;
    const status = this.loadState(I32, LOAD[32], OFFSET.fpuStatus);
    this.leaveUnless(this.isZero(32, this.and(32, status, this.const(32, BigInt(FPU_STATUS.ES)))));
  }
  override getMmx(x: MmxOperand): Node {
    const { base, offset } = this.mmxPlace(x);
    return this.loadState(I64, LOAD[64], offset, base);
  }
  override setMmx(x: MmxOperand, v: Node): void {
    const { base, offset } = this.mmxPlace(x);
    this.storeState(STORE[64], offset, v, base);
    this.storeState(STORE[64], offset + SIGN_AND_EXPONENT, this.const(64, MMX_SIGN_AND_EXPONENT), base);
    this.enterMmx();
  }
  override enterMmx(): void {
    const status = this.loadState(I32, LOAD[32], OFFSET.fpuStatus);
    this.storeState(STORE[32], OFFSET.fpuStatus, this.and(32, status, this.const(32, BigInt(~FPU_STATUS.TOP))));
    this.storeState(STORE[32], OFFSET.fpuTag, this.const(32, BigInt(ALL_VALID)));
  }

  // --------------------------------------------------------------------------------------------------------- values
  /** A node whose instruction has bytes behind its opcode. */
  protected withImmediates(type: ValueType, op: number, immediates: readonly number[], a?: Node, b?: Node): Node {
    const x = this.node(type, op, a, b);
    x.immediates = immediates;
    return x;
  }
  protected simd(name: keyof typeof SIMD, a: Node, b?: Node): Node { return this.node(V128, SIMD[name], a, b); }
  override constX(v: bigint): Node {
    return this.withImmediates(V128, SIMD['v128.const'], Array.from({ length: 16 }, (_, n) => Number((v >> BigInt(8 * n)) & 0xffn)));
  }
  override laneX(shape: OneOfLanes, a: Node, n: number | ImmediateOperand): Node {
    const lanes = vectorLanes(shape), lane = laneNumber(shape, n);
    const put = lane === 0 ? this.#integerPut(lanes, a) : undefined;
    if (put !== undefined) return put;
    if (lanes === 'i64x2') return this.withImmediates(I64, SIMD['i64x2.extract_lane'], [lane], a);
    return this.withImmediates(I32, lanes === 'i32x4' ? SIMD['i32x4.extract_lane'] : SIMD[`${lanes}.extract_lane_u`], [lane], a);
  }
  override replaceLaneX(shape: OneOfLanes, a: Node, n: number | ImmediateOperand, v: Node): Node {
    const replaced = this.withImmediates(V128, SIMD[`${vectorLanes(shape)}.replace_lane`], [laneNumber(shape, n)], a, v);
    if (shape === 'i32x4' || shape === 'i64x2') replaced.lowest = laneNumber(shape, n) === 0 ? v : lowestBelow(shape, a);
    return replaced;
  }
  /** What was put into the lowest lane, if it was as wide, as an integer. */
  #integerPut(lanes: Lanes, a: Node): Node | undefined {
    const { lowest } = a;
    if (lanes === 'i64x2') return lowest?.type === I64 ? lowest : lowest?.type === F64 ? this.node(I64, N.i64_reinterpret_f64, lowest) : undefined;
    if (lanes === 'i32x4') return lowest?.type === I32 ? lowest : lowest?.type === F32 ? this.node(I32, N.i32_reinterpret_f32, lowest) : undefined;
    return undefined;
  }
  override loadX(segment: Segment, offset: Node): Node { return this.loadAs(128, V128, SIMD['v128.load'], segment, offset); }
  override storeX(segment: Segment, offset: Node, v: Node): void { this.storeAs(128, SIMD['v128.store'], segment, offset, [v]); }
  override loadHalfX(segment: Segment, offset: Node, half: 0 | 1): Node { return this.loadHalfAs(V128, SIMD['v128.load'], segment, offset, half); }
  override storeY(segment: Segment, offset: Node, low: Node, high: Node): void { this.storeAs(256, SIMD['v128.store'], segment, offset, [low, high]); }
  override selectX(c: Node, a: Node, b: Node): Node {
    if (c.value !== undefined) return c.value === 1n ? a : b;
    return this.node(V128, OP.select, a, b, c);
  }

  override vectorX(op: VectorOp, a: Node, b: Node): Node {
    if (op in SIMD) return this.simd(op as VectorOp & keyof typeof SIMD, a, b);
    switch (op) {
      case 'i16x8.mul_high_s': case 'i16x8.mul_high_u': {
        const sign = op === 'i16x8.mul_high_s' ? 's' : 'u';
        return this.shuffleX(UPPER_WORDS, this.simd(`i32x4.extmul_low_i16x8_${sign}`, a, b), this.simd(`i32x4.extmul_high_i16x8_${sign}`, a, b));
      }
      case 'i64x2.mul_even_s': case 'i64x2.mul_even_u':
        return this.simd(`i64x2.extmul_low_i32x4_${op === 'i64x2.mul_even_s' ? 's' : 'u'}`, this.shuffleX(EVEN_DOUBLEWORDS, a, a), this.shuffleX(EVEN_DOUBLEWORDS, b, b));
      case 'i64x2.sad_u': {
        const differences = this.simd('v128.or', this.simd('i8x16.sub_sat_u', a, b), this.simd('i8x16.sub_sat_u', b, a));
        const fours = this.simd('i32x4.extadd_pairwise_i16x8_u', this.simd('i16x8.extadd_pairwise_i8x16_u', differences));
        const count = this.const(32, 32n);
        return this.simd('i64x2.add', this.simd('i64x2.shr_u', fours, count), this.simd('i64x2.shr_u', this.simd('i64x2.shl', fours, count), count));
      }
      default: throw new LeftToReference(op);
    }
  }
  override shiftX(op: VectorShift, a: Node, count: Node): Node {
    if (!(op in SIMD)) throw new LeftToReference(op);
    const [lanes, how] = op.split('.') as [Lanes, string];
    const bits = BigInt(LANE_BITS[lanes]);
    const shifted = (n: Node): Node => this.simd(op, a, n);
    if (count.value !== undefined) {
      if (count.value < bits) return count.value === 0n ? a : shifted(this.const(32, count.value));
      return how === 'shr_s' ? shifted(this.const(32, bits - 1n)) : this.constX(0n);
    }
    const fits = this.ltU(64, count, this.const(64, bits));
    const low = this.node(I32, N.i32_wrap_i64, count);
    if (how === 'shr_s') return shifted(this.select(32, fits, low, this.const(32, bits - 1n)));
    return this.simd('v128.and', shifted(low), this.node(V128, SIMD['i64x2.splat'], this.sub(64, this.const(64, 0n), this.fromBit(64, fits))));
  }
  override shuffleX(bytes: readonly number[], a: Node, b: Node): Node { return this.withImmediates(V128, SIMD['i8x16.shuffle'], bytes, a, b); }
  override shuffleByX(how: ImmediateShuffle, a: Node, b: Node, pattern: ImmediateOperand, half: 0 | 1 = 0): Node {
    return this.shuffleX(immediatePattern(how, Number(pattern.value & 0xffn), half), a, b);
  }
  override bitmaskX(shape: 'i8x16' | 'i32x4' | 'i64x2', a: Node): Node { return this.node(I32, SIMD[`${shape}.bitmask`], a); }

  override getMxcsr(): Node { return this.loadState(I32, LOAD[32], OFFSET.mxcsr); }
}

/** A lane above the lowest was replaced: what is known of that stays, if it is not wider. */
const lowestBelow = (shape: 'i32x4' | 'i64x2', a: Node): Node | undefined =>
  shape === 'i64x2' || a.lowest?.type === I32 || a.lowest?.type === F32 ? a.lowest : undefined;
/** The words of an MMX register are the lower ones of a vector. */
const vectorLanes = (shape: OneOfLanes): Lanes => (shape === 'i16x4' ? 'i16x8' : shape);
const laneNumber = (shape: OneOfLanes, n: number | ImmediateOperand): number =>
  (typeof n === 'number' ? n : Number(n.value & 0xffn)) & ((shape === 'i16x4' ? 64 : 128) / LANE_BITS[shape] - 1);
