/**
 * The world in which one instruction runs, the same on the host processor (tools/silicon/harness.c) and here: user mode,
 * flat segments, two writable pages, a read-only one and an unmapped one, and code pages full of INT3.
 */
import { MXCSR_AFTER_RESET } from '../../../src/cpu/mxcsr.ts';

export const DATA = 0x2000_0000n;
export const CODE = 0x3000_0000n;
export const PAGE = 4096;
/** Where the instruction stands: in the middle of three code pages. */
export const START = CODE + 0x1800n;
export const CODE_PAGES = 3;
export const GS_BASE = DATA + 0x40n;
/** Pages from DATA: writable ones, then a read-only one; what follows is not mapped. */
export const WRITABLE_PAGES = 2;
export const DATA_PAGES = 3;

export const AC_FLAG = 1 << 18;
/** CF PF AF ZF SF DF OF. */
export const COMPARED_FLAGS = 0xcd5;

/** What the data pages hold before a case. */
export function dataPattern(): Uint8Array {
  let s = 0x12345678;
  return Uint8Array.from({ length: DATA_PAGES * PAGE }, () => {
    s ^= s << 13;
    s ^= s >>> 17;
    s ^= s << 5;
    return s >>> 24;
  });
}

/** XMM0-XMM15, or where it is `wide` YMM0-YMM15, and MXCSR. */
export interface Simd { readonly xmm: readonly bigint[]; readonly mxcsr: number; readonly wide: boolean }

/** What XMM register n holds where a case does not say: a pattern that shows which register and which byte of it went astray. */
const defaultXmm = (n: number): bigint => 0x2122_2324_2526_2728_292a_2b2c_2d2e_2f20n + BigInt(n) * 0x0808_0808_0808_0808_0808_0808_0808_0808n;
/** The upper half of a YMM register is the pattern turned over. */
const defaultYmm = (n: number): bigint => defaultXmm(n) | ((defaultXmm(n) ^ ((1n << 128n) - 1n)) << 128n);
export const defaultSimd = (wide = false): Simd => ({ xmm: Array.from({ length: 16 }, (_, n) => (wide ? defaultYmm(n) : defaultXmm(n))), mxcsr: MXCSR_AFTER_RESET, wide });

/** The x87 state as instructions on MMX registers see and leave it. */
export interface Fpu {
  /** R0-R7 by their physical numbers, 80 bits each. */
  readonly registers: readonly bigint[];
  readonly control: number;
  readonly status: number;
  /** A bit for each register that is not empty. */
  readonly valid: number;
}
/** A stack that MMX instructions find disturbed: TOP is 5, all registers are empty, and each holds a pattern. */
export const defaultFpu = (): Fpu => ({
  registers: Array.from({ length: 8 }, (_, n) => (BigInt(0x4000 + n) << 64n) | (0x8182_8384_8586_8788n + BigInt(n) * 0x0808_0808_0808_0808n)),
  control: 0x37f, status: 5 << 11, valid: 0,
});

/** What registers and a memory operand hold, apart from any instruction; cases begin with one and say what is different. */
export interface Input {
  readonly gpr: readonly bigint[];
  readonly flags: number;
  /** 256 bits each; a case of 128 bits sees the lower half. */
  readonly simd: Simd;
  readonly fpu: Fpu;
  /** 32 bytes, of which a memory operand mostly holds the first. */
  readonly operand: Uint8Array;
}

/** Of an input, what a case of 256 or of 128 bits has. */
export const simdSeen = ({ simd }: Input, wide: boolean): Simd => ({ ...simd, xmm: wide ? simd.xmm : simd.xmm.map((v) => BigInt.asUintN(128, v)), wide });
/** In 32-bit code eight registers of 32 bits. */
export const registersSeen = ({ gpr }: Input, codeSize: 32 | 64): bigint[] => gpr.map((v, n) => (codeSize === 64 ? v : n < 8 ? BigInt.asUintN(32, v) : 0n));

/** One instruction with everything it can see. */
export interface Case {
  readonly codeSize: 32 | 64;
  readonly code: Uint8Array;
  /** RAX RCX RDX RBX RSP RBP RSI RDI R8-R15. */
  readonly gpr: readonly bigint[];
  /** Status flags and DF; AC, where alignment is checked (CR0.AM is set). */
  readonly flags: number;
  /** Bytes put over the pattern before. */
  readonly poke: { readonly offset: number; readonly bytes: Uint8Array };
  /** Absent: the instruction uses no XMM register, and they are not compared. */
  readonly simd?: Simd | undefined;
  /** Absent: it uses no MMX register, and the x87 state is not compared. */
  readonly fpu?: Fpu | undefined;
}

/** What it did. */
export interface Outcome {
  readonly gpr: readonly bigint[];
  readonly flags: number;
  readonly rip: bigint;
  /** The exception it raised, or undefined. */
  readonly fault: { readonly vector: number; readonly errorCode: number; readonly cr2: bigint } | undefined;
  /** The span of writable memory that is different now. */
  readonly changed: { readonly offset: number; readonly bytes: Uint8Array };
  /** Where the case had them. */
  readonly simd?: Simd | undefined;
  readonly fpu?: Fpu | undefined;
}
