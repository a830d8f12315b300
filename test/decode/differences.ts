/** Where we read or spell bytes differently from iced-x86 on purpose, each with its reason. */
import { DecodeFailure } from '../../src/cpu/decode/decode.ts';
import type { Instruction } from '../../src/cpu/isa/instruction.ts';
import type { IcedInstruction } from './iced.ts';

export interface Difference {
  readonly why: string;
  readonly applies: (ours: Instruction | DecodeFailure, iced: IcedInstruction | undefined, bytes: Uint8Array) => boolean;
}

/** Same length, another name. */
const renamed = (ours: RegExp, iced: RegExp, why: string): Difference => ({
  why,
  applies: (i, other) => !(i instanceof DecodeFailure) && other !== undefined && i.length === other.length && ours.test(i.mnemonic) && iced.test(other.text),
});
/** An instruction for iced, #UD for us. */
const undefinedHere = (iced: RegExp, why: string): Difference => ({
  why,
  applies: (i, other) => i instanceof DecodeFailure && i.kind === 'invalid' && other !== undefined && iced.test(other.text),
});

/** The byte behind the legacy and REX prefixes, and the one after it. */
function opcodeAndNext(bytes: Uint8Array): readonly [number | undefined, number | undefined] {
  const prefixes = [0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65];
  const at = bytes.findIndex((x) => !prefixes.includes(x) && (x & 0xf0) !== 0x40);
  return [bytes[at], bytes[at + 1]];
}

export const DIFFERENCES: readonly Difference[] = [
  renamed(/^(RESERVEDNOP|NOP)$/, /^(nop|prefetch\w*|cldemote|endbr\w*|rdssp\w|bnd\w+|hint)/, 'reserved NOPs have no spelling of their own: SDM Vol. 2D, "Opcode Map", "Reserved_NOP"'),
  renamed(/^PREFETCH/, /^prefetch/, 'iced follows AMD in naming 0F 0D'),
  renamed(/^BSWAP$/, /^bswap/, 'a 16-bit BSWAP is undefined: SDM Vol. 2A, "BSWAP"; we swap the 32-bit register'),
  renamed(/^WBINVD$/, /^wbnoinvd/, 'a processor without WBNOINVD ignores F3: SDM Vol. 2D, "WBNOINVD"'),
  renamed(/^V?PCMPESTR[IM]$/, /^v?pcmpestr[im]64 /, 'the manual has no name of its own for REX.W and VEX.W1, with which the lengths are in RAX and RDX'),
  undefinedHere(/^(movntss|movntsd|extrq|insertq)\b/, 'SSE4a is AMD only: not in the SDM'),
  undefinedHere(/^(femms|pf\w+|pi2f\w|pmulhrw|pswapd|pavgusb)/, '3DNow! is AMD\'s and gone'),
  undefinedHere(/^(clzero|rdpru|mwaitx|monitorx|mcommit|vm(run|load|save|mcall|gexit)|stgi|clgi|skinit|invlpga|invlpgb|tlbsync|psmash|pvalidate|rmp\w+|xop)\b/, 'AMD only: not in the SDM'),
  undefinedHere(/^(rep |repne )?(xstore|xcrypt|montmul|xsha|ccs_|undoc)/, 'VIA PadLock: not in the SDM'),
  {
    why: 'XOP is AMD\'s: SDM Vol. 2D, "Opcode Map", defines 8F /0 only',
    applies: (i, _iced, bytes) => {
      const [opcode, modrm] = opcodeAndNext(bytes);
      return i instanceof DecodeFailure && i.kind === 'invalid' && opcode === 0x8f && modrm !== undefined && (modrm & 0x38) !== 0;
    },
  },
  undefinedHere(/^sys(call|ret)$/, '#UD outside 64-bit mode on Intel: SDM Vol. 2B, "SYSCALL", "SYSRET"'),
  undefinedHere(/^(tdcall|seam\w+)$/, 'TDX is outside the SDM, in a manual of its own; #UD without it'),
  undefinedHere(/^rsm$/, '#UD outside system-management mode: SDM Vol. 2B, "RSM"'),
];
