/** Which x87 rows are compared with silicon, and where the manual that we follow (Intel's) says something else than the recorded processor (AMD's) does. */
import type { Row } from '../../../src/cpu/isa/row.ts';
import type { X87State } from './cases.ts';

/** Environments hold instruction pointers, which the harness cannot know; FXSAVE and FXRSTOR are what it uses itself; WAIT needs a pending exception. */
export const recordable = (row: Row): boolean => row.feature === 'fpu' && !/^(FNSTENV|FLDENV|FNSAVE|FRSTOR|WAIT)$/.test(row.mnemonic);

const IE = 1, DE = 2, C1 = 0x200;
const COMPARISON = /^(FU?COM|FICOM|FTST)/;

/** Why a case is left out: undefined where it is compared. */
export function notFollowed(row: Row, after: X87State): string | undefined {
  const unmasked = after.status & ~after.control;
  if (COMPARISON.test(row.mnemonic) && (unmasked & (IE | DE)) !== 0) return 'SDM Vol. 2A, "FCOM", "FCOMI": unmasked, the condition codes or flags are not set; AMD sets them';
  if (row.text.startsWith('FLD m') && (unmasked & DE) !== 0) return 'SDM Vol. 1, "Denormal Operand Exception (#D)": unmasked, TOP and operands remain unchanged; AMD pushes the value';
  return undefined;
}

/** The bits of the status word that count. SDM Vol. 2A, "FCOMI": C1 is set to 0; AMD keeps it. */
export const comparedStatus = (row: Row): number => (/^FU?COMI/.test(row.mnemonic) ? 0xffff & ~C1 : 0xffff);
