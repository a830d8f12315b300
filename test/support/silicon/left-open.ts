/** Outcomes of single cases that the manual leaves open, or in which AMD's processors are not the processor of Intel's manual that ours is: they are not compared. */
import { VECTOR } from '../../../src/cpu/exceptions.ts';
import type { Row } from '../../../src/cpu/isa/row.ts';
import type { Case, Outcome } from './world.ts';

const RCX = 1, REX_B = 0x41, BOUND_RANGE_EXCEEDED = 5;

/** Whether one of the lanes of 32 bits is not a number. */
const hasNan = (v: bigint): boolean => Array.from({ length: 8 }, (_, n) => Number(BigInt.asUintN(31, v >> BigInt(32 * n)))).some((x) => x > 0x7f80_0000);

/** Why a case is left out; undefined where it is compared. `ours` is what the reference engine does. */
export function leftOpen(row: Row, c: Case, { fault, simd }: Outcome, ours: Outcome): string | undefined {
  const { mnemonic } = row;
  if (/^SH[LR]D$/.test(mnemonic) && row.width === 16) {
    const count = (row.operands[2]?.kind === 'immediate' ? c.code.at(-1)! : Number(c.gpr[RCX]! & 0xffn)) & 31;
    if (count > 16) return 'SDM Vol. 2B, "SHLD—Double Precision Shift Left": with a count above the operand size the result is undefined';
  }
  if ((mnemonic === 'SERIALIZE' || mnemonic === 'RESERVEDNOP') && fault?.vector === VECTOR.UD) return 'AMD\'s processors do not have SERIALIZE, and of 0F 0D no form with a register';
  if (mnemonic === 'CALL' && fault?.vector === VECTOR.GP) return 'whether the return address is in memory when the target is not canonical: Intel\'s have it there (semantics/control-transfer.ts)';
  if (mnemonic === 'BOUND' && fault?.vector === VECTOR.PF && ours.fault?.vector === BOUND_RANGE_EXCEEDED) return 'SDM Vol. 2A, "BOUND—Check Array Index Against Bounds": whether the upper bound is read where the lower one decides; AMD\'s processors read both first';
  if (mnemonic === 'PAUSE' && c.code.includes(REX_B)) return 'with REX.B AMD\'s processors exchange registers; SDM Vol. 2B, "PAUSE—Spin Loop Hint" has F3 90';
  if (row.feature === 'sha-ni' && ours.fault?.vector === VECTOR.GP) return 'SDM Vol. 2B, "SHA1MSG1" and its kin: exceptions of type 4, #GP where misaligned; AMD\'s processors do not check';
  if (/^V?DPPS$/.test(mnemonic) && simd?.xmm.some((v, n) => v !== c.simd?.xmm[n] && hasNan(v)) === true) return 'which of several NaNs is the result (semantics/vector-horizontal.ts)';
  if (/^VP?GATHER/.test(mnemonic) && fault !== undefined) return 'SDM Vol. 2D, "VGATHERDPS/VGATHERDPD": what a fault leaves of the mask but the elements that are done';
  if (mnemonic === 'VCVTPS2PH' && fault !== undefined) return 'whether a store that faults has set flags of MXCSR: SDM Vol. 1, "Exception Priority" orders what is raised, not what is noted';
  return undefined;
}
