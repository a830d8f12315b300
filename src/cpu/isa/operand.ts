/**
 * Operands as the decoder makes them. An operand's *kind* and *width* belong to the instruction's form (decode time);
 * its *value* (register number, immediate, displacement, target) is opaque to semantics and reached through verbs of
 * `Ops` only, so that one handler can serve every instruction of a form.
 */
import type { Segment } from '../../state/layout.ts';

/** Operand width in bits. Known at decode time: an `if` on it in a semantics is staging, not guest control flow. */
export type Width = 8 | 16 | 32 | 64;
export type AddressWidth = 16 | 32 | 64;

/** The register number that means "none": it reads as zero. */
export const NO_REGISTER = 16;
export const RAX = 0, RCX = 1, RDX = 2, RBX = 3, RSP = 4, RBP = 5, RSI = 6, RDI = 7;

/** A general-purpose register. `high`: AH CH DH BH, bits 15:8 of registers 0-3. */
export interface RegisterOperand {
  readonly kind: 'register';
  readonly width: Width;
  readonly number: number;
  readonly high: boolean;
  /** Fixed by the instruction (CL, RAX, RSP) rather than read from its bytes. */
  readonly implicit: boolean;
}
/** XMM0-XMM15, or with 256 bits YMM0-YMM15. */
export interface XmmOperand { readonly kind: 'xmm'; readonly width: 128 | 256; readonly number: number }
/** MM0-MM7. */
export interface MmxOperand { readonly kind: 'mmx'; readonly number: number }
/** ST(0)-ST(7): a register of the x87 stack, counted from its top. `implicit`: the instruction's own ST(0). */
export interface FpuOperand { readonly kind: 'fpu'; readonly number: number; readonly implicit: boolean }
/** A memory operand. `base` and `index` may be NO_REGISTER; RIP-relative sets `ripRelative` and has neither. */
export interface MemoryOperand {
  readonly kind: 'memory';
  /** Width of the access in bits; 0 where the instruction says (LGDT, FXSAVE, INVLPG, LEA). */
  readonly width: number;
  readonly segment: Segment;
  readonly base: number;
  readonly index: number;
  readonly scale: 1 | 2 | 4 | 8;
  /** The vector of indices of a gather, in the place of `index`, which then is no register. SDM Vol. 2A, "Vector SIB (VSIB) Memory Addressing". */
  readonly vectorIndex?: XmmOperand;
  /** Sign-extended to 64 bits, as an unsigned 64-bit value. */
  readonly displacement: bigint;
  readonly ripRelative: boolean;
  readonly addressWidth: AddressWidth;
}
/** An immediate, sign-extended from its encoded width to 64 bits (as unsigned); `width` is the encoded width. */
export interface ImmediateOperand { readonly kind: 'immediate'; readonly width: Width; readonly value: bigint }
/** A branch target relative to the next instruction; sign-extended to 64 bits (as unsigned). */
export interface RelativeOperand { readonly kind: 'relative'; readonly width: Width; readonly displacement: bigint }
/** ptr16:16, ptr16:32. */
export interface FarPointerOperand { readonly kind: 'far-pointer'; readonly selector: number; readonly offset: number }
/** Segment, control or debug register. */
export interface SpecialRegisterOperand { readonly kind: 'segment' | 'control' | 'debug'; readonly number: number }

export type Operand = RegisterOperand | FpuOperand | XmmOperand | MmxOperand | MemoryOperand | ImmediateOperand | RelativeOperand | FarPointerOperand | SpecialRegisterOperand;

/** A register that the semantics itself names. */
export const implicit = (number: number, width: Width, high = false): RegisterOperand => ({ kind: 'register', width, number, high, implicit: true });
