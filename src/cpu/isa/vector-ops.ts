/**
 * The part of the vocabulary that speaks of 128-bit values: X is one, V a run-time value of 8 to 64 bits. Operations carry
 * the names that WebAssembly gives them, so that most are one instruction there; the others (`dot`, `sad`, floating
 * point with its status flags) are a few, or leave to the reference engine.
 *
 * A verb here is not abstract: an interpretation that has no vectors inherits one that throws UnsupportedVerb.
 */
import type { Segment } from '../../state/layout.ts';
import type { ImmediateOperand, MmxOperand, XmmOperand } from './operand.ts';
import { unsupported } from './unsupported-verb.ts';
import { X87Ops } from './x87-ops.ts';

/** How 128 bits are divided into integers, lane 0 lowest. */
export type Lanes = 'i8x16' | 'i16x8' | 'i32x4' | 'i64x2';
/** Lanes that are taken out and put in one by one: also the four words that an MMX register has. */
export type OneOfLanes = Lanes | 'i16x4';
/** Bits of one lane. */
export const LANE_BITS = { i8x16: 8, i16x8: 16, i32x4: 32, i64x2: 64, i16x4: 16 } as const;

type SmallLanes = 'i8x16' | 'i16x8';

/** Lane by lane, from two vectors to one. */
export type VectorOp =
  | 'v128.and' | 'v128.or' | 'v128.xor'
  /** a and not b. */
  | 'v128.andnot'
  | `${Lanes}.${'add' | 'sub'}`
  | `${SmallLanes}.${'add_sat_s' | 'add_sat_u' | 'sub_sat_s' | 'sub_sat_u' | 'avgr_u'}`
  | `${SmallLanes | 'i32x4'}.${'min_s' | 'min_u' | 'max_s' | 'max_u'}`
  /** All ones where it holds. */
  | `${Lanes}.${'eq' | 'gt_s'}`
  /** Lower and upper half of the products. */
  | 'i16x8.mul' | 'i16x8.mul_high_s' | 'i16x8.mul_high_u' | 'i32x4.mul'
  /** Products of the even 32-bit lanes. */
  | 'i64x2.mul_even_u' | 'i64x2.mul_even_s'
  /** Sums of the products of neighbours. */
  | 'i32x4.dot_i16x8_s'
  /** The bytes of a whose numbers are the bytes of b; zeros for numbers of 16 and more. */
  | 'i8x16.swizzle'
  /** Every byte through the substitution box of AES, or its inverse: of b. FIPS 197, "SubBytes()", "InvSubBytes()". */
  | `i8x16.${'' | 'inverse_'}sub_bytes`
  /** The 128-bit product of the halves of b as polynomials over GF(2). */
  | 'v128.clmul_halves'
  /** Sums of the absolute differences of eight bytes. */
  | 'i64x2.sad_u'
  /** The lanes of a, then those of b, saturated to half their width. */
  | 'i8x16.narrow_i16x8_s' | 'i8x16.narrow_i16x8_u' | 'i16x8.narrow_i32x4_s' | 'i16x8.narrow_i32x4_u';

/** Shifts of every lane by one count; a count of the lane's width or more leaves zeros, or of `shr_s` copies of the sign. */
export type VectorShift = `${'i16x8' | 'i32x4' | 'i64x2'}.${'shl' | 'shr_u'}` | `${'i16x8' | 'i32x4' | 'i64x2'}.shr_s`;

/** Shuffles whose pattern is an immediate: vector-shuffles.ts gives the bytes. */
export type ImmediateShuffle = 'PSHUFD' | 'PSHUFLW' | 'PSHUFHW' | 'SHUFPS' | 'SHUFPD' | 'PSLLDQ' | 'PSRLDQ' | 'PALIGNR' | 'PBLENDW' | 'BLENDPS' | 'BLENDPD'
  | 'INSERTPS' | 'DPPS' | 'DPPD' | 'PCLMULQDQ';

/** A floating-point lane. */
export type Float = 'f32' | 'f64';
/** The lowest lane, whose neighbours come from the first operand, or all of them. */
export type FloatShape = Float | 'f32x4' | 'f64x2';

/**
 * Floating point under MXCSR: rounding, DAZ and FTZ, sticky flags, #XM. Operations on one operand take b; what f32 and f64
 * leave of the result comes from a.
 */
export type FloatOp =
  | `${FloatShape}.${'add' | 'sub' | 'mul' | 'div' | 'min' | 'max' | 'sqrt'}`
  /** Differences in the even lanes, sums in the odd ones. */
  | `${'f32x4' | 'f64x2'}.sub_add`
  /** Approximations without flags. */
  | `${'f32' | 'f32x4'}.${'recip' | 'recip_sqrt'}`
  | 'f64.promote_f32' | 'f32.demote_f64' | 'f64x2.promote_low_f32x4' | 'f32x4.demote_f64x2_zero'
  /** Half-precision numbers in the low words, whatever DAZ says; a denormal one is not reported. SDM Vol. 2C, "VCVTPH2PS". */
  | 'f32x4.promote_low_f16x4'
  | 'f32x4.convert_i32x4_s' | 'f64x2.convert_low_i32x4_s'
  /** To integers, rounding as MXCSR says or towards zero. */
  | `i32x4.${'round' | 'trunc'}_${'f32x4_s' | 'f64x2_s_zero'}`;

/** a * b + c, a * b - c, -(a * b) + c and -(a * b) - c, rounded once; or by turns, in the even lanes as the second part of the name says. */
export type FusedOp = `${FloatShape}.${'madd' | 'msub' | 'nmadd' | 'nmsub'}` | `${'f32x4' | 'f64x2'}.${'maddsub' | 'msubadd'}`;

/** Operations that neither depend on MXCSR nor touch it; nor does a double-precision number made of a 32-bit integer. */
export const MXCSR_FREE: ReadonlySet<FloatOp> = new Set(['f32.recip', 'f32x4.recip', 'f32.recip_sqrt', 'f32x4.recip_sqrt', 'f64x2.convert_low_i32x4_s']);

export abstract class VectorOps<V, X, F = unknown> extends X87Ops<V, F> {
  /** #UD where CR0.EM is 1 or CR4.OSFXSR is 0, #NM where CR0.TS is 1: the first verb of every instruction that uses XMM registers or MXCSR. */
  requireSse(): void { unsupported('requireSse'); }

  /** #UD unless CR4.OSXSAVE is 1 and XCR0 enables SSE and AVX, #NM where CR0.TS is 1: requireSse of an instruction with a VEX prefix. */
  requireAvx(): void { unsupported('requireAvx'); }

  /** Bits 127:0, of a YMM register too. */
  getXmm(_x: XmmOperand): X { return unsupported('getXmm'); }
  /** Leaves bits 255:128. */
  setXmm(_x: XmmOperand, _v: X): void { unsupported('setXmm'); }
  /** Bits 255:128. */
  getYmmHigh(_x: XmmOperand): X { return unsupported('getYmmHigh'); }
  setYmmHigh(_x: XmmOperand, _v: X): void { unsupported('setYmmHigh'); }
  /**
   * #UD where CR0.EM is 1, #NM where CR0.TS is 1, #MF where an x87 exception waits: the first verb of every instruction that uses
   * MMX registers, or the next after requireSse.
   */
  requireMmx(): void { unsupported('requireMmx'); }
  /** 64 bits. */
  getMmx(_x: MmxOperand): V { return unsupported('getMmx'); }
  /** Writes the significand of an x87 register and ones to its sign and exponent; enters the MMX state. SDM Vol. 3A, "The MMX State and MMX Register Aliasing". */
  setMmx(_x: MmxOperand, _v: V): void { unsupported('setMmx'); }
  /** TOP becomes 0 and all x87 tags valid: what an instruction does at its end that reads MMX registers and writes none. */
  enterMmx(): void { unsupported('enterMmx'); }
  constX(_v: bigint): X { return unsupported('constX'); }
  /** Lane n as a value of its width; an immediate gives n modulo the number of lanes. */
  laneX(_shape: OneOfLanes, _a: X, _n: number | ImmediateOperand): V { return unsupported('laneX'); }
  replaceLaneX(_shape: OneOfLanes, _a: X, _n: number | ImmediateOperand, _v: V): X { return unsupported('replaceLaneX'); }

  // Memory: may fault (#PF, #GP, #SS, #AC).
  /** 128 bits of any alignment. */
  loadX(_segment: Segment, _offset: V): X { return unsupported('loadX'); }
  storeX(_segment: Segment, _offset: V, _v: X): void { unsupported('storeX'); }
  /** One half of the instruction's operand of 256 bits, of any alignment, at `offset`; `at` is the offset of that half. */
  loadHalfX(segment: Segment, _offset: V, _half: 0 | 1, at: V): X { return this.loadX(segment, at); }
  /** Stores 256 bits of any alignment, or nothing where one of the halves faults. */
  storeY(_segment: Segment, _offset: V, _low: X, _high: X): void { unsupported('storeY'); }
  /** Stores the bytes of v where bit 7 of the mask's byte is 1. Faults as a store of all sixteen does, whatever the mask (the manual leaves that open, silicon (AMD) does it). */
  storeMaskedX(_segment: Segment, _offset: V, _v: X, _mask: X): void { unsupported('storeMaskedX'); }

  /** As storeMaskedX, eight bytes. */
  storeMaskedMmx(_segment: Segment, _offset: V, _v: V, _mask: V): void { unsupported('storeMaskedMmx'); }

  vectorX(_op: VectorOp, _a: X, _b: X): X { return unsupported('vectorX'); }
  /** The count is a 64-bit value. */
  shiftX(_op: VectorShift, _a: X, _count: V): X { return unsupported('shiftX'); }
  /** Sixteen bytes of the 32 of a and b, by their numbers: 0-15 are a's, 16-31 b's. */
  shuffleX(_bytes: readonly number[], _a: X, _b: X): X { return unsupported('shuffleX'); }
  /** `half` 1: of a pattern whose bits say one thing for each lane of a YMM register, those for its upper half. */
  shuffleByX(_how: ImmediateShuffle, _a: X, _b: X, _pattern: ImmediateOperand, _half?: 0 | 1): X { return unsupported('shuffleByX'); }
  /**
   * Eight sums of the absolute differences of four bytes, as words: four bytes of b, at the doubleword that bits 1:0 of the control name, and
   * those of a at each of eight places from byte 0, or 4 with bit 2. `half` 1: by bits 5:3, which are there for the upper half of a YMM register.
   * SDM Vol. 2B, "MPSADBW".
   */
  sadBlocksX(_a: X, _b: X, _control: ImmediateOperand, _half?: 0 | 1): X { return unsupported('sadBlocksX'); }
  /**
   * Compares two strings of bytes or words as the control says. Their lengths are 32-bit values, of which what a register holds counts; without, each
   * ends at its first zero. A 32-bit value: IntRes2, a bit for each element of b, in bits 15:0; bits 16 and 17 say that b and a end inside
   * their registers. SDM Vol. 1, "PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM".
   */
  compareStringsX(_a: X, _b: X, _lengths: readonly [V, V] | undefined, _control: ImmediateOperand): V { return unsupported('compareStringsX'); }
  /** IntRes2 of such a comparison as bit 6 of the control asks for it: its bits, with zeros above, or all ones in the elements that they stand for. */
  stringMaskX(_comparison: V, _control: ImmediateOperand): X { return unsupported('stringMaskX'); }
  /** The topmost bits of the lanes, lane 0 lowest, as a 32-bit value. */
  bitmaskX(_shape: 'i8x16' | 'i32x4' | 'i64x2', _a: X): V { return unsupported('bitmaskX'); }

  // Floating point: sets the sticky flags of MXCSR, and raises #XM (#UD without CR4.OSXMMEXCPT) for an unmasked exception.
  floatX(_op: FloatOp, _a: X, _b: X): X { return unsupported('floatX'); }
  /** The lanes of b rounded to whole numbers as the control says: bits 1:0 and 2, of rounding, and 3, which keeps PE from being set. What the shape leaves comes from a. SDM Vol. 2B, "ROUNDPD". */
  roundFloatX(_shape: FloatShape, _a: X, _b: X, _control: ImmediateOperand): X { return unsupported('roundFloatX'); }
  /** Four half-precision numbers in the low words, zeros above: rounded as bits 1:0 of the control say, or with bit 2 as MXCSR says, whatever FTZ does. SDM Vol. 2C, "VCVTPS2PH". */
  halvesFromFloatX(_a: X, _control: ImmediateOperand): X { return unsupported('halvesFromFloatX'); }
  /** What f32 and f64 leave of the result comes from `above`. */
  fusedX(_op: FusedOp, _a: X, _b: X, _c: X, _above: X): X { return unsupported('fusedX'); }
  /** All ones in the lanes where the predicate holds, one of 8 or of 32 by the low bits of the immediate. SDM Vol. 2A, "CMPPD". */
  compareFloatX(_shape: FloatShape, _a: X, _b: X, _predicate: ImmediateOperand, _predicates: 8 | 32): X { return unsupported('compareFloatX'); }
  /** The order of the lowest lanes, an 8-bit value in the places of CF (less), ZF (equal) and PF; unordered is all three. A quiet NaN is invalid where it signals. */
  orderFloatX(_lane: Float, _a: X, _b: X, _quietNaN: 'quiet' | 'signals'): V { return unsupported('orderFloatX'); }
  /** The lowest lane as a signed integer of w bits; what does not fit is the integer indefinite. */
  integerFromFloatX(_w: 32 | 64, _lane: Float, _a: X, _how: 'round' | 'trunc'): V { return unsupported('integerFromFloatX'); }
  /** A signed integer of w bits in the lowest lane of a. */
  floatFromIntegerX(_lane: Float, _a: X, _w: 32 | 64, _v: V): X { return unsupported('floatFromIntegerX'); }
  /** 32 bits. */
  getMxcsr(): V { return unsupported('getMxcsr'); }
  /** #GP(0) for a reserved bit. */
  setMxcsr(_v: V): void { unsupported('setMxcsr'); }

  // ------------------------------------------------------------------------------------------------------ derived
  /** Floating point in the body is one operation: what its parts raise is set and raised at its end. Values made inside leave it. */
  raisedTogether<T>(body: () => T): T { return body(); }
  /** A value of 32 or 64 bits with zeros above it. */
  lowX(w: 32 | 64, v: V): X { return this.replaceLaneX(w === 32 ? 'i32x4' : 'i64x2', this.constX(0n), 0, v); }
}
