/** Outcomes of single cases that the manual leaves open, or in which AMD's processors are not the processor of Intel's manual that ours is: in these they may differ. */
import { VECTOR } from '../../../src/cpu/exceptions.ts';
import { FLAG } from '../../../src/cpu/floating-point/exact.ts';
import { MXCSR } from '../../../src/cpu/mxcsr.ts';
import { RFLAGS } from '../../../src/cpu/flags.ts';
import type { Row } from '../../../src/cpu/isa/row.ts';
import type { Case, Outcome } from './world.ts';

const RCX = 1, RSI = 6, RDI = 7, REX_B = 0x41;

const sameLowHalves = (a: readonly bigint[], b: readonly bigint[]): boolean => a.every((v, n) => BigInt.asUintN(32, v) === BigInt.asUintN(32, b[n]!));

/** UE, and the bit of MXCSR that masks it. */
const UNDERFLOW_NOT_MASKED = FLAG.UE | (FLAG.UE << MXCSR.MASKS_SHIFT);

/** Whether one of the lanes of 32 bits is not a number. */
const hasNan = (v: bigint): boolean => Array.from({ length: 8 }, (_, n) => Number(BigInt.asUintN(31, v >> BigInt(32 * n)))).some((x) => x > 0x7f80_0000);

/** Whether a page fault is that of an element which a register points to; the pages of the cases have short addresses. */
const isAt = (fault: Outcome['fault'], pointer: bigint): boolean => {
  const distance = (fault?.cr2 ?? 0n) - BigInt.asUintN(32, pointer);
  return fault?.vector === VECTOR.PF && distance >= 0n && distance < 8n;
};

/** What is open in a case: why, and which of the lines of `differences` it excuses. */
export interface Open { readonly why: string; readonly excuses: RegExp }
const open = (why: string, excuses: RegExp): Open => ({ why, excuses });
/** General registers; R0-R7 are x87's. */
const REGISTERS = /^R([A-D]X|[SB]P|[SD]I|[89]|1[0-5]):/;
const ANYTHING = /^/, VECTORS = /^[XY]MM\d+:/;

/** Why a case may come out otherwise; undefined where it is compared whole. `ours` is what the reference engine does. */
function leftOpen(row: Row, c: Case, { fault, flags, gpr, simd }: Outcome, ours: Outcome): Open | undefined {
  const { mnemonic } = row;
  if (/^SH[LR]D$/.test(mnemonic) && row.width === 16) {
    const count = (row.operands[2]?.kind === 'immediate' ? c.code.at(-1)! : Number(c.gpr[RCX]! & 0xffn)) & 31;
    if (count > 16) return open('SDM Vol. 2B, "SHLD—Double Precision Shift Left": with a count above the operand size the result is undefined', new RegExp(`${REGISTERS.source}|^(flags|memory):`));
  }
  if (/^BS[FR]$/.test(mnemonic) && (flags & RFLAGS.ZF) !== 0) return open('SDM Vol. 2A, "BSF—Bit Scan Forward": of 0 the result is undefined', REGISTERS);
  if ((mnemonic === 'SERIALIZE' || mnemonic === 'RESERVEDNOP') && fault?.vector === VECTOR.UD) return open('AMD\'s processors do not have SERIALIZE, and of 0F 0D no form with a register', ANYTHING);
  if (mnemonic === 'CALL' && fault?.vector === VECTOR.GP) return open('whether the return address is in memory when the target is not canonical: Intel\'s have it there (semantics/control-transfer.ts)', /^memory:/);
  if (/^CMPS[BWDQ]$/.test(mnemonic) && isAt(fault, gpr[RSI]!) && isAt(ours.fault, gpr[RDI]!)) return open('which of two page faults a CMPS raises: Intel\'s processors that of ES:rDI (semantics/string.ts), AMD\'s that of DS:rSI', /^fault:/);
  if (mnemonic === 'BOUND' && fault?.vector === VECTOR.BR && ours.fault?.vector === VECTOR.PF) return open('whether BOUND reads the upper bound when the index is below the lower one: AMD\'s processors do, and raise #PF there, Intel\'s do not (semantics/control-transfer.ts)', /^fault:/);
  if (mnemonic === 'PAUSE' && c.code.includes(REX_B)) return open('with REX.B AMD\'s processors exchange registers; SDM Vol. 2B, "PAUSE—Spin Loop Hint" has F3 90', /^R(AX|8):/);
  if (row.feature === 'sha-ni' && ours.fault?.vector === VECTOR.GP) return open('SDM Vol. 2B, "SHA1MSG1" and its kin: exceptions of type 4, #GP where misaligned; AMD\'s processors do not check', ANYTHING);
  if (/^V?DPPS$/.test(mnemonic) && simd?.xmm.some((v, n) => v !== c.simd?.xmm[n] && hasNan(v)) === true) return open('which of several NaNs is the result (semantics/vector-horizontal.ts)', VECTORS);
  if (/^VP?GATHER/.test(mnemonic) && fault !== undefined) return open('SDM Vol. 2C, "VGATHERDPS/VGATHERDPD": what a fault leaves of the mask but the elements that are done', VECTORS);
  if (mnemonic === 'VCVTPS2PH' && fault?.vector === VECTOR.XM && ((simd?.mxcsr ?? 0) & UNDERFLOW_NOT_MASKED) === FLAG.UE && ((simd?.mxcsr ?? 0) ^ (ours.simd?.mxcsr ?? 0)) === FLAG.PE) {
    return open('whether a denormal that underflows, unmasked, is inexact, too: Intel\'s processors say so, AMD\'s do not (engines/reference/vector-float.ts); SDM Vol. 1, "Numeric Underflow Exception (#U)"', /^MXCSR:/);
  }
  if (mnemonic === 'VCVTPS2PH' && fault !== undefined && fault.vector !== VECTOR.XM && ours.fault !== undefined) {
    return open('a store that faults: AMD\'s processors have set no flag of MXCSR and raised no #XM before, Intel\'s have (semantics/vector-float.ts); SDM Vol. 3A, "Priority Among Concurrent Events" has both in one class', /^(MXCSR|fault):/);
  }
  if (c.codeSize === 32 && sameLowHalves(gpr, ours.gpr)) return open('SDM Vol. 1, "General-Purpose Registers in 64-Bit Mode": in compatibility mode the upper halves are undefined', REGISTERS);
  return undefined;
}

/** What a case that is otherwise on silicon may be excused with, if that is all that differs. */
export function excuse(row: Row, c: Case, silicon: Outcome, ours: Outcome, lines: readonly string[]): string | undefined {
  const found = leftOpen(row, c, silicon, ours);
  return found !== undefined && lines.every((line) => found.excuses.test(line)) ? found.why : undefined;
}
