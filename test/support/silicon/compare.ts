/** How the outcome of a case here differs from silicon's. */
import { STATUS } from '../../../src/cpu/fpu/control.ts';
import { VECTOR } from '../../../src/cpu/exceptions.ts';
import { RFLAGS, STATUS_MASK } from '../../../src/cpu/flags.ts';
import type { Row } from '../../../src/cpu/isa/row.ts';
import { defaultSimd, START, type Case, type Fpu, type Outcome } from './world.ts';

const NAMES = ['RAX', 'RCX', 'RDX', 'RBX', 'RSP', 'RBP', 'RSI', 'RDI', ...Array.from({ length: 8 }, (_, n) => `R${n + 8}`)];
export const hex = (v: bigint): string => v.toString(16);
export const hexBytes = (bytes: Uint8Array): string => Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join(' ');
const STATUS_FLAGS = ['CF', 'PF', 'AF', 'ZF', 'SF', 'DF', 'OF'] as const;
const flagText = (flags: number): string => STATUS_FLAGS.filter((f) => (flags & RFLAGS[f]) !== 0).join(' ');
const faultText = (f: Outcome['fault']): string => (f === undefined ? 'none' : `vector ${f.vector} error ${f.errorCode} CR2 ${hex(f.cr2)}`);

/** The control and status words and the registers in use. */
export const fpuText = (fpu: Fpu | undefined): string => (fpu ? `control ${fpu.control.toString(16)} status ${fpu.status.toString(16)} valid ${fpu.valid.toString(16)}` : '');

const sameMemory = (a: Outcome, b: Outcome): boolean => a.changed.offset === b.changed.offset && Buffer.compare(a.changed.bytes, b.changed.bytes) === 0;
const memoryText = (o: Outcome): string => `${o.changed.offset}: ${hexBytes(o.changed.bytes)}`;

/** RCPPS and its kin are approximations, every processor's own: within 1.5 * 2^-12 of the truth, so within twice that of each other. */
const isApproximate = (row: Row | undefined): boolean => row !== undefined && /^V?R(CP|SQRT)[PS]S$/.test(row.mnemonic);
const single = new Float32Array(16);
function nearlyEqual(a: bigint, b: bigint): boolean {
  const words = new Uint32Array(single.buffer);
  for (let n = 0; n < 8; n++) {
    words[n] = Number(BigInt.asUintN(32, a >> BigInt(32 * n)));
    words[8 + n] = Number(BigInt.asUintN(32, b >> BigInt(32 * n)));
  }
  return words.subarray(0, 8).every((word, n) => {
    const x = single[n] as number, y = single[8 + n] as number;
    return word === words[8 + n] || Math.abs(x - y) <= Math.abs(y) * 3 * 2 ** -12;
  });
}

/**
 * Faults before which AMD's processors have entered the MMX state already: those of MASKMOVQ's store, and #XM. Ours leave
 * everything as it was, as other instructions do on silicon; run again, both end alike.
 */
const entersMmxBeforeFault = (row: Row | undefined): boolean => row !== undefined && /^(MASKMOVQ|CVTT?P[SD]2PI|CVTPI2PS)$/.test(row.mnemonic);
/** Of a store from an MMX register that faults, Intel's processors have set TOP to 0 already, and no tag. */
const clearsTopBeforeFault = (row: Row | undefined): boolean => row !== undefined && /^(MOVQ|MOVD|MOVNTQ|MASKMOVQ)$/.test(row.mnemonic);
const withTopCleared = (fpu: Fpu): Fpu => ({ ...fpu, status: fpu.status & ~STATUS.TOP });
const inMmxState = (fpu: Fpu): Fpu => ({ ...fpu, status: fpu.status & ~STATUS.TOP, valid: 0xff });

/**
 * Which of its bytes a masked store names that faults, and so which of two pages, is a matter of the processor: AMD's and Intel's differ. SDM Vol. 2B,
 * "MASKMOVDQU": exceptions of masked-out bytes are implementation-dependent. Of a VMASKMOVPS that reaches into a second page Intel's name the last of
 * up to 32 bytes, masked out or not.
 */
function sameMaskedStoreFault(silicon: Outcome['fault'], ours: Outcome['fault'], row: Row | undefined): boolean {
  if (row === undefined || !/^V?P?MASKMOV/.test(row.mnemonic) || silicon?.vector !== VECTOR.PF || ours?.vector !== VECTOR.PF) return false;
  const distance = silicon.cr2 - ours.cr2;
  return distance > -32n && distance < 32n;
}

/** One line per difference; empty when they agree. `ignoredFlags`: RFLAGS bits that are not compared. */
export function differences(silicon: Outcome, ours: Outcome, ignoredFlags = 0, row?: Row): string[] {
  const lines: string[] = [];
  if ((silicon.fault ?? ours.fault) !== undefined && faultText(silicon.fault) !== faultText(ours.fault) && !sameMaskedStoreFault(silicon.fault, ours.fault, row)) lines.push(`fault: silicon ${faultText(silicon.fault)}, ours ${faultText(ours.fault)}`);
  silicon.gpr.forEach((v, n) => { if (v !== ours.gpr[n]) lines.push(`${NAMES[n]}: silicon ${hex(v)}, ours ${hex(ours.gpr[n] as bigint)}`); });
  if (((silicon.flags ^ ours.flags) & ~ignoredFlags) !== 0) lines.push(`flags: silicon ${flagText(silicon.flags)}, ours ${flagText(ours.flags)}`);
  silicon.simd?.xmm.forEach((v, n) => {
    const own = ours.simd?.xmm[n] as bigint;
    if (v !== own && !(isApproximate(row) && nearlyEqual(v, own))) lines.push(`${silicon.simd?.wide === true ? 'YMM' : 'XMM'}${n}: silicon ${hex(v)}, ours ${hex(own)}`);
  });
  if (silicon.simd?.mxcsr !== ours.simd?.mxcsr) lines.push(`MXCSR: silicon ${silicon.simd?.mxcsr.toString(16)}, ours ${ours.simd?.mxcsr.toString(16)}`);
  silicon.fpu?.registers.forEach((v, n) => { if (v !== ours.fpu?.registers[n]) lines.push(`R${n}: silicon ${hex(v)}, ours ${hex(ours.fpu?.registers[n] as bigint)}`); });
  const allowed = [ours.fpu];
  if (silicon.fault && ours.fpu && entersMmxBeforeFault(row)) allowed.push(inMmxState(ours.fpu));
  if (silicon.fault && ours.fpu && clearsTopBeforeFault(row)) allowed.push(withTopCleared(ours.fpu));
  if (!allowed.some((fpu) => fpuText(fpu) === fpuText(silicon.fpu))) lines.push(`x87: silicon ${fpuText(silicon.fpu)}, ours ${fpuText(ours.fpu)}`);
  if (silicon.rip !== ours.rip) lines.push(`RIP: silicon +${silicon.rip - START}, ours +${ours.rip - START}`);
  if (!sameMemory(silicon, ours)) lines.push(`memory: silicon ${memoryText(silicon)}, ours ${memoryText(ours)}`);
  return lines;
}

const simdText = (c: Case): string => {
  const unless = defaultSimd().xmm;
  return c.simd === undefined ? '' : ` | ${c.simd.xmm.flatMap((v, n) => (v === unless[n] ? [] : [`XMM${n}=${hex(v)}`])).join(' ')} MXCSR=${c.simd.mxcsr.toString(16)}`;
};

/** A case in words, for a failure. */
export const describeCase = (c: Case): string =>
  `${c.codeSize}-bit ${hexBytes(c.code)} | ${c.gpr.slice(0, c.codeSize / 4).map((v, n) => `${NAMES[n]}=${hex(v)}`).join(' ')} | ${flagText(c.flags)} | poke ${c.poke.offset}: ${hexBytes(c.poke.bytes)}${simdText(c)}${c.fpu ? ` | ${c.fpu.registers.map((v, n) => `R${n}=${hex(v)}`).join(' ')} ${fpuText(c.fpu)}` : ''}`;

/** RFLAGS bits of flags by name. */
export const flagBits = (names: readonly string[]): number => names.reduce((bits, name) => bits | RFLAGS[name as keyof typeof RFLAGS], 0);

/** Flags in which we do not follow the host (semantics/rotate.ts and string.ts say why). */
export function flagsNotFollowed(row: Row, silicon: Outcome): number {
  if (/^RO[LR]$/.test(row.mnemonic) && row.operands[1]?.kind === 'immediate') return RFLAGS.OF;
  return row.repeat === 'repe' && silicon.fault ? STATUS_MASK : 0;
}
