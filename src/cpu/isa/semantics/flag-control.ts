/** Instructions on single flags, and the low byte of RFLAGS in AH. */
import { implicit, RAX } from '../operand.ts';
import type { Flag } from '../ops.ts';
import type { Semantics } from '../row.ts';

const set = (flag: Flag, value: 0 | 1): Semantics => (o) => { o.setFlag(flag, o.constBit(value)); };

/** SDM Vol. 2A, "CLC—Clear Carry Flag", "CLD—Clear Direction Flag"; Vol. 2B, "STC—Set Carry Flag", "STD—Set Direction Flag". */
export const CLC = set('CF', 0);
export const STC = set('CF', 1);
export const CLD = set('DF', 0);
export const STD = set('DF', 1);
/** SDM Vol. 2A, "CMC—Complement Carry Flag". */
export const CMC: Semantics = (o) => { o.setFlag('CF', o.not(o.getFlag('CF'))); };

const AL = implicit(RAX, 8);
/**
 * SALC: AL := FF with CF, else 0. SDM Vol. 3A, "Interrupt 6—Invalid Opcode Exception (#UD)": D6 is reserved, and not #UD; what it does is silicon's
 * (test/golden/silicon/general.bin.br).
 */
export const SALC: Semantics = (o) => { o.setReg(AL, o.select(8, o.getFlag('CF'), o.const(8, 0xffn), o.const(8, 0n))); };

const AH = implicit(RAX, 8, true);
/** Where the flags lie in AH; bit 1 is always set. */
const IN_AH = [['SF', 7], ['ZF', 6], ['AF', 4], ['PF', 2], ['CF', 0]] as const;

/** LAHF — Load Status Flags Into AH. SDM Vol. 2A, "LAHF". */
export const LAHF: Semantics = (o) => {
  let value = o.const(8, 2n);
  for (const [flag, bit] of IN_AH) value = o.or(8, value, o.shl(8, o.fromBit(8, o.getFlag(flag)), o.const(8, BigInt(bit))));
  o.setReg(AH, value);
};

/** SAHF — Store AH Into Flags. SDM Vol. 2B, "SAHF". */
export const SAHF: Semantics = (o) => {
  const value = o.getReg(AH);
  for (const [flag, bit] of IN_AH) o.setFlag(flag, o.bit(8, value, bit));
};
