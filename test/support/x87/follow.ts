/** Which x87 rows are compared with silicon, and where we do something else than AMD's processors, on which they were first recorded: most often what Intel's manual says. */
import type { Row } from '../../../src/cpu/isa/row.ts';
import type { X87State } from './cases.ts';

/** Environments hold instruction pointers, which the harness cannot know; FXSAVE and FXRSTOR are what it uses itself. */
export const recordable = (row: Row): boolean => (row.feature === 'fpu' || /^(F(CMOV|U?COMI|ISTTP)|EMMS$)/.test(row.mnemonic)) && !/^(FNSTENV|FLDENV|FNSAVE|FRSTOR)$/.test(row.mnemonic);

const IE = 1, DE = 2, PE = 0x20, C1 = 0x200;
const COMPARISON = /^(FU?COM|FICOM|FTST)/;

/** 1 or -1. */
const isOne = (value: bigint): boolean => BigInt.asUintN(79, value) === 0x3fff_8000_0000_0000_0000n;

/** Why a case is left out: undefined where it is compared. */
export function notFollowed(row: Row, before: X87State, after: X87State): string | undefined {
  const significand = BigInt.asUintN(64, before.stack[0] as bigint);
  if (row.mnemonic === 'FYL2X' && (significand & (significand - 1n)) === 0n) return 'the logarithm of a power of two is exact; processors approximate it and flag PE';
  if (row.mnemonic === 'FYL2XP1' && ((before.stack[0] as bigint) >> 64n & 0x7fffn) >= 0x3ffen) return 'SDM Vol. 2A, "FYL2XP1": outside -(1 - sqrt(2)/2) to 1 - sqrt(2)/2 the result is undefined';
  const unmasked = after.status & ~after.control;
  if (row.mnemonic === 'F2XM1' && isOne(before.stack[0] as bigint) && (unmasked & PE) !== 0) return 'F2XM1 of 1 and -1 is exact; Intel\'s processors flag PE, which shows where it is unmasked';
  if (COMPARISON.test(row.mnemonic) && (unmasked & (IE | DE)) !== 0) return 'SDM Vol. 2A, "FCOM", "FCOMI": unmasked, the condition codes or flags are not set; AMD sets them';
  if (row.text.startsWith('FLD m') && (unmasked & DE) !== 0) return 'SDM Vol. 1, "Denormal Operand Exception (#D)": unmasked, TOP and operands remain unchanged; AMD pushes the value';
  return undefined;
}

/** Results of these may differ in their last bit, and so in C1 and PE: processors approximate. SDM Vol. 1, "Transcendental Instruction Accuracy": an error of less than 1 ulp. */
const TRANSCENDENTAL = /^(F2XM1|FYL2X|FYL2XP1|FPATAN|FPTAN|FSIN|FCOS|FSINCOS)$/;
export const allowedUlps = (row: Row): number => (TRANSCENDENTAL.test(row.mnemonic) ? 1 : 0);

/** The bits of the status word that count. SDM Vol. 2A, "FCOMI": C1 is set to 0; AMD keeps it. */
export const comparedStatus = (row: Row): number => (TRANSCENDENTAL.test(row.mnemonic) ? 0xffff & ~(C1 | PE) : /^FU?COMI/.test(row.mnemonic) ? 0xffff & ~C1 : 0xffff);
