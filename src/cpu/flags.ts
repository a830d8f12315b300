/**
 * RFLAGS and its parts: the six status flags live in three words (layout.ts: zeroWord, signParityWord, carriesWord), so that
 * an arithmetic instruction writes three words and a reader looks at one; the rest is systemFlags.
 * SDM Vol. 1, "EFLAGS Register".
 */
import type { GuestState } from '../state/guest-state.ts';
import { OFFSET } from '../state/layout.ts';
import type { Flag } from './isa/ops.ts';

/** Bits of RFLAGS. IOPL is a two-bit field, here as its mask. */
export const RFLAGS = {
  CF: 1 << 0, PF: 1 << 2, AF: 1 << 4, ZF: 1 << 6, SF: 1 << 7, TF: 1 << 8, IF: 1 << 9, DF: 1 << 10, OF: 1 << 11,
  IOPL: 3 << 12, NT: 1 << 14, RF: 1 << 16, VM: 1 << 17, AC: 1 << 18, VIF: 1 << 19, VIP: 1 << 20, ID: 1 << 21,
} as const;

/** CF PF AF ZF SF OF. */
export const STATUS_MASK = RFLAGS.CF | RFLAGS.PF | RFLAGS.AF | RFLAGS.ZF | RFLAGS.SF | RFLAGS.OF;
/** The flags that systemFlags holds. */
export const SYSTEM_MASK = RFLAGS.TF | RFLAGS.IF | RFLAGS.DF | RFLAGS.IOPL | RFLAGS.NT | RFLAGS.RF | RFLAGS.VM | RFLAGS.AC | RFLAGS.VIF | RFLAGS.VIP | RFLAGS.ID;
/** Bit 1 of RFLAGS is always 1. */
const FIXED_ONE = 1 << 1;

/** Indices of the halves of the flag words in `state.u32`. Generated code has the byte offsets; TypeScript is fast on 32-bit halves. */
export const ZERO_LOW = OFFSET.zeroWord / 4, ZERO_HIGH = ZERO_LOW + 1;
export const SIGN_PARITY_LOW = OFFSET.signParityWord / 4, SIGN_PARITY_HIGH = SIGN_PARITY_LOW + 1;
export const CARRIES_LOW = OFFSET.carriesWord / 4, CARRIES_HIGH = CARRIES_LOW + 1;
const SYSTEM = OFFSET.systemFlags / 4;

/** Even parity of the low 8 bits: the meaning of PF. */
export const evenParity = (value: number): boolean => {
  const folded = value ^ (value >>> 4);
  return ((0x9669 >>> (folded & 15)) & 1) === 1;
};

const word = (state: GuestState, index: number): number => state.u32[index] as number;

/** Reads a status flag or DF. */
export function getFlag(state: GuestState, flag: Flag): boolean {
  switch (flag) {
    case 'CF': return (word(state, CARRIES_HIGH) & 0x8000_0000) !== 0;
    case 'PF': return evenParity(word(state, SIGN_PARITY_LOW));
    case 'AF': return (word(state, CARRIES_LOW) & 8) !== 0;
    case 'ZF': return (word(state, ZERO_LOW) | word(state, ZERO_HIGH)) === 0;
    case 'SF': return (word(state, SIGN_PARITY_HIGH) & 0x8000_0000) !== 0;
    case 'OF': return ((word(state, CARRIES_HIGH) ^ (word(state, CARRIES_HIGH) << 1)) & 0x8000_0000) !== 0;
    default: return (word(state, SYSTEM) & RFLAGS.DF) !== 0;
  }
}

/** Writes a status flag or DF and leaves every other flag. */
export function setFlag(state: GuestState, flag: Flag, on: boolean): void {
  const { u32 } = state;
  switch (flag) {
    case 'CF': {
      // OF is bit 63 xor bit 62: both change together.
      const change = getFlag(state, 'CF') === on ? 0 : 0xc000_0000;
      u32[CARRIES_HIGH] = word(state, CARRIES_HIGH) ^ change;
      return;
    }
    case 'PF': u32[SIGN_PARITY_LOW] = on ? 0 : 1; return;
    case 'AF': u32[CARRIES_LOW] = on ? 8 : 0; return;
    case 'ZF': u32[ZERO_LOW] = on ? 0 : 1; u32[ZERO_HIGH] = 0; return;
    case 'SF': u32[SIGN_PARITY_HIGH] = on ? 0x8000_0000 : 0; return;
    case 'OF': {
      const change = getFlag(state, 'OF') === on ? 0 : 0x4000_0000;
      u32[CARRIES_HIGH] = word(state, CARRIES_HIGH) ^ change;
      return;
    }
    default: u32[SYSTEM] = on ? word(state, SYSTEM) | RFLAGS.DF : word(state, SYSTEM) & ~RFLAGS.DF; return;
  }
}

/** RFLAGS bits 31:0, with bit 1 set; bits 63:32 are 0. */
export function readRflags(state: GuestState): number {
  const high = word(state, CARRIES_HIGH);
  return (FIXED_ONE | word(state, SYSTEM)
    | (high >>> 31)
    | (evenParity(word(state, SIGN_PARITY_LOW)) ? RFLAGS.PF : 0)
    | ((word(state, CARRIES_LOW) & 8) << 1)
    | ((word(state, ZERO_LOW) | word(state, ZERO_HIGH)) === 0 ? RFLAGS.ZF : 0)
    | ((word(state, SIGN_PARITY_HIGH) >>> 31) << 7)
    | (((high ^ (high << 1)) >>> 31) << 11)) >>> 0;
}

/** Sets every flag from RFLAGS bits; bits that are no flags are dropped. Whoever calls it says which flags may change. */
export function writeRflags(state: GuestState, value: number): void {
  const { u32 } = state;
  const cf = value & RFLAGS.CF;
  const of = (value >>> 11) & 1;
  u32[ZERO_LOW] = (value & RFLAGS.ZF) !== 0 ? 0 : 1;
  u32[ZERO_HIGH] = 0;
  u32[SIGN_PARITY_LOW] = (value & RFLAGS.PF) !== 0 ? 0 : 1;
  u32[SIGN_PARITY_HIGH] = (value & RFLAGS.SF) << 24;
  u32[CARRIES_LOW] = (value & RFLAGS.AF) >> 1;
  u32[CARRIES_HIGH] = (cf << 31) | ((cf ^ of) << 30);
  u32[SYSTEM] = value & SYSTEM_MASK;
}
