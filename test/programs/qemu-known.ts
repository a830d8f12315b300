/** What QEMU 7.2 does otherwise than the manual or silicon, for random programs beside it: rows that it cannot judge, and differences that it always has. */
import { decode, DecodeFailure } from '../../src/cpu/decode/decode.ts';
import { RFLAGS } from '../../src/cpu/flags.ts';
import { modeOf, type Instruction } from '../../src/cpu/isa/instruction.ts';
import { RSP } from '../../src/cpu/isa/operand.ts';
import type { Row } from '../../src/cpu/isa/row.ts';
import type { Difference } from '../../src/trace/compare.ts';
import { FIELD } from '../../src/trace/state.ts';
import { EXCLUDED } from '../trace/corpus/rows.ts';
import type { ProgramMode } from './modes.ts';
import { isAbsolute, needsAlignment } from './program.ts';

/** Rows that QEMU cannot judge in random programs, and why. `lasts`: what it does otherwise may be seen by what follows, too. */
const NOT_FOR_QEMU: readonly { readonly applies: (row: Row, mode: ProgramMode) => boolean; readonly lasts?: true; readonly why: string }[] = [
  ...EXCLUDED.filter(({ why }) => why.includes('QEMU')).map(({ applies, why }) => ({ applies: (row: Row, mode: ProgramMode): boolean => applies(row, mode.bits === 64 ? 64 : 32), why })),
  { applies: (row) => row.operands.some((x) => x.kind === 'fpu') || row.feature === 'fpu' || /^F(?!S|G)[A-Z0-9]/.test(row.mnemonic), lasts: true, why: 'x87 registers are not in the log of QEMU' },
  { applies: (row, { bits }) => bits === 16 && (row.encoding.vex !== undefined || row.mnemonic === 'MOVBE' || row.mnemonic === 'CRC32'), why: 'QEMU 7.2 decodes VEX prefixes, and the operand size of MOVBE and CRC32, in 16-bit code as in 32-bit code' },
  { applies: (row) => /^(INVPCID|RDPID|RDPMC|INT1|SERIALIZE|SYSENTER|SYSEXIT|MONITOR|MWAIT|X[SR]|XGETBV)/.test(row.mnemonic), why: 'QEMU 7.2 (TCG) does not have it, or not as the SDM says' },
  { applies: (row) => /^CL(FLUSH|FLUSHOPT|WB|DEMOTE)$/.test(row.mnemonic), why: 'QEMU does nothing for it; SDM Vol. 2A, "CLFLUSH": all permission checks of a byte load' },
  { applies: (row) => /^BLS(I|R|MSK)$/.test(row.mnemonic), why: 'QEMU 7.2 has CF of these wrong (SDM Vol. 2A, "BLSI": set if the source is not 0)' },
  { applies: (row, { bits }) => bits === 16 && /^(J|CALL|RET|LOOP)/.test(row.mnemonic) && row.size === 32, why: 'QEMU does not compare a branch target with the limit of CS' },
  { applies: (row) => /^V?R(CP|SQRT)[PS]S$/.test(row.mnemonic), why: 'SDM Vol. 2B, "RCPPS", "RSQRTPS": an approximation, every processor\'s own' },
  { applies: (row) => /^INS?[BWD]?$/.test(row.mnemonic), lasts: true, why: 'other devices are behind the ports of QEMU, and where nothing is, a port that is not aligned to the access reads 0' },
  { applies: (row) => /^VP?GATHER/.test(row.mnemonic), why: 'QEMU 7.2 neither extends indices of 32 bits with their sign nor cuts addresses to the address size, and a fault, with which most gathers of a program end, leaves the mask as it was; SDM Vol. 2C, "VGATHERDPS/VGATHERQPS": the first bit of each element becomes all of it before' },
  { applies: (row, { bits }) => bits === 64 && row.operands.some((x) => x.kind === 'mmx' && x.at === 'rm'), why: 'with REX.B QEMU 7.2 takes a register behind MM7; SDM Vol. 2A, "REX Prefixes": REX.B is ignored' },
  { applies: (row, { bits, family }) => row.mnemonic.startsWith('VZERO') && bits !== 64 && family === 'long', why: 'QEMU zeroes sixteen registers in every mode; SDM Vol. 2C, "VZEROUPPER": outside 64-bit mode YMM0 to YMM7, and 64-bit code sees the others' },
  { applies: (row) => /^V?PCMPESTR/.test(row.mnemonic) && row.width === 64, why: 'QEMU 7.2 takes the lengths from EAX and EDX; SDM Vol. 2B, "PCMPESTRI": with REX.W or VEX.W from RAX and RDX' },
  { applies: (row) => /^(RD|WR)MSR$/.test(row.mnemonic), lasts: true, why: 'other MSRs are there, and a write to what is none has no effect; SDM Vol. 2D, "WRMSR": #GP (test/trace/corpus/not-raised.ts)' },
  { applies: (row) => row.feature === 'sha-ni', why: 'QEMU 7.2 (TCG) does not have SHA' },
];

export const judgedByQemu = (row: Row, mode: ProgramMode): boolean => !NOT_FOR_QEMU.some(({ applies }) => applies(row, mode));

/** VEX.L: SDM Vol. 2A, "VEX Prefix". Behind C5 comes the byte that has it, behind C4 another. */
function hasVexL(bytes: readonly number[]): boolean {
  const at = bytes.findIndex((byte) => byte === 0xc4 || byte === 0xc5);
  return (bytes[at + (bytes[at] === 0xc5 ? 1 : 2)]! & 4) !== 0;
}
/** How many bytes are legacy prefixes. */
const prefixesOf = (bytes: readonly number[]): number => bytes.findIndex((byte) => !LEGACY_PREFIXES.has(byte));
/** A segment override that means nothing in 64-bit mode. */
const hasIgnoredOverride = (bytes: readonly number[]): boolean => bytes.slice(0, prefixesOf(bytes)).some((byte) => byte < 0x64);
function hasRexBeforePrefix(bytes: readonly number[]): boolean {
  const behind = bytes.slice(prefixesOf(bytes)), opcode = behind.findIndex((byte) => byte >> 4 !== 4);
  return opcode > 0 && LEGACY_PREFIXES.has(behind[opcode]!);
}
const LEGACY_PREFIXES: ReadonlySet<number> = new Set([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3]);
const hasMemory = ({ operands }: Instruction): boolean => operands.some((x) => x.kind === 'memory');
/** Instructions of rows that it can judge which a program beside QEMU has not all the same: by their operands. `lasts`: as above. */
const NOT_ACCEPTED: readonly { readonly applies: (i: Instruction, bytes: readonly number[]) => boolean; readonly lasts?: true; readonly why: string }[] = [
  { applies: ({ row }, bytes) => row.encodingText.startsWith('VEX.LIG') && hasVexL(bytes), why: 'VEX.L set is #UD for some scalar instructions, leaves the upper half of the register for others, and VROUNDSS and VROUNDSD end QEMU 7.2; SDM Vol. 2A, "Opcode Column in the Instruction Summary Table (Instructions with VEX Prefix)": LIG, it is ignored' },
  {
    applies: ({ row, operands }) => needsAlignment(row) && operands.some((x) => x.kind === 'memory' && !isAbsolute(x)),
    why: 'an operand of 16 bytes that must be aligned mostly is not, and QEMU 7.2 does not check (KNOWN): every program would end there',
  },
  { applies: ({ row }, bytes) => /^VP?BLENDV/.test(row.mnemonic) && bytes.at(-1)! >= 0x80, why: 'outside 64-bit mode QEMU 7.2 takes a register behind XMM7; SDM Vol. 2A, "BLENDVPD": bit 7 of the immediate is ignored' },
  { applies: ({ row, operands }) => /^SH[LR]D .*imm8/.test(row.text) && operands.some((x) => x.kind === 'memory' && x.ripRelative), why: 'QEMU 7.2 misplaces it by a byte (KNOWN), and so writes elsewhere' },
  {
    applies: (i, bytes) => i.mode.codeSize === 64 && (hasMemory(i) || i.row.repeat !== undefined || i.mnemonic.startsWith('XLAT')) && hasIgnoredOverride(bytes), lasts: true,
    why: 'prefixes of ES, CS, SS and DS add their base in 64-bit mode, which programs make other than 0; SDM Vol. 1, "Segment Registers in 64-Bit Mode": they are ignored',
  },
  { applies: (i, bytes) => i.mode.codeSize === 64 && i.row.size64 === 'forced' && bytes.slice(0, prefixesOf(bytes)).includes(0x66), lasts: true, why: '66 before a near branch in 64-bit mode makes its displacement one of 16 bits, as on AMD\'s processors; SDM Vol. 2A, "Jcc", "JMP", "CALL": the operand size is forced to 64 bits' },
  { applies: (i, bytes) => i.mode.codeSize === 64 && hasRexBeforePrefix(bytes), lasts: true, why: 'a REX prefix counts wherever it stands; SDM Vol. 2A, "REX Prefixes": it is ignored where it does not immediately precede the opcode' },
  { applies: (i) => /^(RC|RO|S[HA])[LR]D? .*CL$/.test(i.row.text) && hasMemory(i), lasts: true, why: 'after a shift or rotate by CL that faults QEMU 7.2 takes the next result for one of another width: SF of the handler\'s DEC is wrong' },
  { applies: (i) => /^RC[LR] /.test(i.row.text) && hasMemory(i), why: 'QEMU 7.2 has flags of its own for the state in which RCL and RCR fault: SDM Vol. 3A, "Program or Task Restart", it is that before the instruction' },
];
export const acceptedByQemu = (i: Instruction, bytes: readonly number[]): boolean => !NOT_ACCEPTED.some(({ applies }) => applies(i, bytes));

/** These store from the lowest byte up there, and begin before they know whether all of it may be stored. */
const STORES_IN_PARTS = /^(PUSHA[DW]?|V?MASKMOV(DQU|Q)|VP?MASKMOV(P[SD]|[DQ]))$/;
/** SDM Vol. 3A, "Guaranteed Atomic Operations": of a store of more than a quadword part may be in memory when another part faults. QEMU leaves it there, ours stores nothing. */
function storesMoreThanAQuadword({ row }: Instruction): boolean {
  const [first] = row.operands;
  return (first?.kind === 'xmm-or-memory' && first.memoryBits > 64) || (first?.kind === 'memory' && first.bits > 64 && row.operands.some((x) => x.kind === 'xmm'));
}
/** Whether what QEMU does otherwise may be seen by the rest of the program: it does not judge that. Code that changes may come by anything. */
export const endsJudgement = (i: Instruction, bytes: readonly number[], mode: ProgramMode, faulted: boolean): boolean =>
  NOT_FOR_QEMU.some(({ applies, lasts }) => lasts === true && applies(i.row, mode)) || NOT_ACCEPTED.some(({ applies, lasts }) => lasts === true && applies(i, bytes))
  // Where the store of SETcc faults QEMU loses flags, and the next result is taken for one of another width.
  || (faulted && (STORES_IN_PARTS.test(i.mnemonic) || i.mnemonic.startsWith('SET') || storesMoreThanAQuadword(i)));

/** What an entry of KNOWN looks at. */
interface Seen {
  readonly difference: Difference;
  /** The text of the instruction, its bytes where it is none. */
  readonly text: string;
  /** The row of the instruction, and the mode of the program that is at it. */
  readonly row: Row | undefined;
  readonly mode: ProgramMode | undefined;
  /** Why our last exception was raised. */
  readonly reason: string;
}
/** Why our last exception was raised where it is a #PF. */
export const PAGE_FAULT = 'page fault';

const SS = FIELD.segments + 8;
/** RCX, RSI and RDI. */
const STRING_REGISTERS = [1, 6, 7].map((n) => FIELD.gpr + n);
/** Bytes that a delivery pushes in protected mode without a change of privilege: EFLAGS, CS, EIP, error code. */
const LARGEST_FRAME = 16n;
const isOfSs = (word: number): boolean => word >= SS && word < SS + 4;

/** PE, MP, EM, TS, ET, NE; WP; AM; NW, CD, PG. SDM Vol. 3A, "Control Registers". */
const CR0_BITS = 0xe005_003fn;
/** B0 to B3 of DR6; L0 to G3 of DR7. */
const BREAKPOINTS_MET = 0xfn, BREAKPOINTS_ENABLED = 0xffn;
/** What stands behind legacy prefixes but LOCK, and REX, in the bytes of what is no instruction. */
const behindPrefixes = (text: string): string => text.replace(/^((26|2e|36|3e|64|65|66|67|f2|f3|4.) )*/, '');

/** Differences that QEMU always has. */
const KNOWN: readonly { readonly why: string; applies(seen: Seen): boolean }[] = [
  { why: 'accesses and branches are checked against paging only (test/trace/corpus/not-raised.ts)', applies: ({ reason }) => /limit|not writable|execute-only|access through a null selector/i.test(reason) },
  { why: 'so are the pushes of a delivery: a frame across the end of a 16-bit stack is #SS; SDM Vol. 2A, "INT n/INTO/INT3/INT1"', applies: ({ difference: d, mode }) => mode?.bits === 16 && mode.ring === 0 && !mode.is8086 && /we delivered vector 12/.test(d.what) && (d.ours.words[FIELD.gpr + RSP]! & 0xffffn) < LARGEST_FRAME },
  { why: 'behind offset FFFF of 16-bit code comes offset 0; SDM Vol. 3A, "Limit Checking": 10000 is beyond the limit', applies: ({ difference: d }) => d.words.length === 1 && d.words[0] === FIELD.rip && d.ours.words[FIELD.rip] === 0x1_0000n },
  { why: 'an address that is not canonical is #GP, through SS too; SDM Vol. 3A, "Interrupt 12—Stack Fault Exception (#SS)"', applies: ({ difference: d, reason }) => /^(stack )?address is not canonical$/.test(reason) && /vector 13.*vector 12/.test(d.what) },
  { why: 'flags of shifts and rotates are written before the store faults', applies: ({ difference: d, text, reason }) => reason === PAGE_FAULT && /^(rc|ro|s[ha])/.test(text) && d.words.every((word) => word === FIELD.rflags) },
  { why: '8F /1 to /7 are POP; SDM Vol. 2D, "Opcode Extensions for One-Byte and Two-Byte Opcodes", has 8F /0 only. Code that changes may come by it', applies: ({ text }) => /^8f (?![048c][0-7])/.test(behindPrefixes(text)) },
  { why: 'F3 90 with REX.B exchanges RAX and R8 there; on silicon it is PAUSE (test/isa/book has it)', applies: ({ text }) => text === 'pause' },
  { why: 'IRET at CPL 0 leaves VIF and VIP as they are; SDM Vol. 2A, "IRET/IRETD/IRETQ": they are popped', applies: ({ difference: d, text }) => text.startsWith('iret') && d.words.every((word) => word === FIELD.rflags) && ((d.ours.words[FIELD.rflags]! ^ d.recorded.words[FIELD.rflags]!) & ~0x18_0000n) === 0n },
  { why: 'IRETD into virtual-8086 mode leaves RF as it is; SDM Vol. 2A, "IRET/IRETD/IRETQ" (RETURN-TO-VIRTUAL-8086-MODE): EFLAGS is what is popped', applies: ({ difference: d, text }) => text.startsWith('iret') && d.words.every((word) => word === FIELD.rflags) && (d.ours.words[FIELD.rflags]! ^ d.recorded.words[FIELD.rflags]!) === BigInt(RFLAGS.RF) && (d.ours.words[FIELD.rflags]! & BigInt(RFLAGS.VM)) !== 0n },
  { why: 'the address of SHLD and SHRD by an immediate, relative to RIP, is that of their last byte; SDM Vol. 2A, "RIP-Relative Addressing": of the next instruction', applies: ({ text }) => /^sh[lr]d \w+ ptr (\w\w:)?\[0x[0-9a-f]+\], \w+, 0?x?[0-9a-f]+$/.test(text) },
  { why: 'a branch to an address that is not canonical is taken, and #GP saves that address (the handler reads it); SDM Vol. 2A, "JMP": the branch faults', applies: ({ difference: d, text }) => text === 'mov rax, qword ptr [rsp+0x18]' && !isCanonical(d.recorded.words[0]!) },
  { why: 'LOCK is #UD before some of the instructions only that do not allow it; SDM Vol. 2A, "LOCK—Assert LOCK# Signal Prefix", and silicon: before each', applies: ({ text }) => behindPrefixes(text).startsWith('f0 ') },
  { why: 'operands of 16 bytes need not be aligned; SDM Vol. 2A, "Exceptions Type 1", "Type 2" and "Type 4": #GP', applies: ({ reason }) => reason.startsWith('memory operand not aligned') },
  { why: 'a far return with an operand size of 16 or 32 bits cuts RSP to 32 bits; SDM Vol. 1, "Address-Size Attributes for Stack Accesses": in 64-bit mode it has 64', applies: ({ text, mode, row }) => /^(ret far|iretd?)( |$)/.test(text) && mode?.bits === 64 && row?.width !== 64 },
  { why: 'the loads of VMASKMOV and VPMASKMOV read their whole operand, the stores go element by element; SDM Vol. 2C, "VMASKMOV—Conditional SIMD Packed Loads and Stores": faults occur for elements whose mask bit is set only', applies: ({ text, difference: d }) => /^vp?maskmovp?[sdq]/.test(text) && (d.words.every((word) => word === FIELD.cr2) || /QEMU delivered vector 14/.test(d.what)) },
  { why: 'the log has no single-step traps of real-address mode (target/i386/tcg/seg_helper.c: with CR0.PE only)', applies: ({ difference: d, mode }) => mode?.name === 'real-address mode' && (d.ours.words[FIELD.rflags]! & BigInt(RFLAGS.TF)) !== 0n && d.words.includes(FIELD.rip) },
  { why: 'some vector instructions read as many bytes as a register has (CVTDQ2PD, VPSRLD with YMM registers, scalar FMA, PUNPCKLBW of MMX registers) where the next page is missing; SDM Vol. 2, their rows: m32, m64, m128', applies: ({ row, difference: d }) => row !== undefined && hasShortMemory(row) && (d.recorded.words[FIELD.cr2]! & 0xfffn) === 0n && (/QEMU delivered vector 14/.test(d.what) || d.words.every((word) => word === FIELD.cr2)) },
  { why: 'VEX.L set is #UD for scalar instructions; SDM Vol. 2A, "Opcode Column in the Instruction Summary Table (Instructions with VEX Prefix)": LIG, it is ignored', applies: ({ text, difference: d }) => /^v.*s[sd] /.test(text) && /QEMU delivered vector 6/.test(d.what) },
  { why: 'no exception of SSE or AVX is raised, whatever MXCSR masks; SDM Vol. 3A, "Interrupt 19—SIMD Floating-Point Exception (#XM)"', applies: ({ reason }) => reason.startsWith('SIMD floating-point exception') },
  { why: 'LDMXCSR takes bits that MXCSR does not have; SDM Vol. 2A, "LDMXCSR": #GP', applies: ({ text, reason }) => /^v?ldmxcsr/.test(text) && reason !== '' && reason !== PAGE_FAULT },
  { why: 'what far CALL, RET and IRET push and pop is the supervisor\'s; SDM Vol. 3A, "Determination of Access Rights": it is CPL\'s', applies: ({ text, reason, difference: d }) => /^(call far|i?ret)/.test(text) && (/we delivered vector 14, error code 0x[4-7]/.test(d.what) || (reason === PAGE_FAULT && d.words.includes(FIELD.cr2))) },
  { why: 'flags are lost where the store of SETcc faults; SDM Vol. 3A, "Program or Task Restart": they are those before it', applies: ({ text, reason, difference: d }) => reason === PAGE_FAULT && text.startsWith('set') && d.words.every((word) => word === FIELD.rflags) },
  { why: 'MOV to a control register refuses few values (test/trace/corpus/not-raised.ts); SDM Vol. 2B, "MOV—Move to/from Control Registers"', applies: ({ text, difference: d }) => /^mov cr\d/.test(text) && /we delivered vector 13.*QEMU went on/.test(d.what) },
  { why: 'of a control or debug register that does not exist, CPL is asked first; SDM Vol. 2B, "MOV—Move to/from Control Registers", and silicon: #UD at every CPL', applies: ({ text, difference: d }) => /^QEMU delivered vector 13, error code 0x0, we delivered vector 6$/.test(d.what) && /^0f 2[0-3] /.test(behindPrefixes(text)) },
  { why: 'ENTER does not ask whether the final RSP may be written to; SDM Vol. 2A, "ENTER": a page fault where it may not', applies: ({ text, difference: d }) => text.startsWith('enter') && /we delivered vector 14.*QEMU went on/.test(d.what) },
  { why: 'MOV SS takes a null selector whose RPL is not CPL in 64-bit mode; SDM Vol. 2B, "MOV—Move": #GP(0)', applies: ({ text, mode, difference: d }) => /^(mov|pop|lss) ss/.test(text) && mode?.bits === 64 && /we delivered vector 13, error code 0x0, QEMU went on/.test(d.what) },
  { why: 'REP with a 32-bit address size and a count of 0 leaves the upper half of RCX, as AMD\'s processors do; Intel\'s clear it (semantics/string.ts)', applies: ({ text, mode, difference: d }) => text.startsWith('rep') && mode?.bits === 64 && BigInt.asUintN(32, d.ours.words[FIELD.gpr + 1]!) === 0n && d.words.every((word) => STRING_REGISTERS.includes(word) && BigInt.asUintN(32, d.ours.words[word]! ^ d.recorded.words[word]!) === 0n) },
  { why: 'C6 and C7 are MOV whatever bits 5 to 3 of ModR/M; SDM Vol. 2D, "Opcode Extensions for One-Byte and Two-Byte Opcodes": /0 only', applies: ({ text }) => /^c[67] /.test(behindPrefixes(text)) },
  { why: 'B0 to B3 of DR6 are set with a single-step trap where an address is that of a breakpoint which DR7 does not enable; SDM Vol. 3B, "Debug Status Register (DR6)": they may be', applies: ({ difference: d }) => d.words.every((word) => word === FIELD.dr6) && ((d.ours.words[FIELD.dr6]! ^ d.recorded.words[FIELD.dr6]!) & ~BREAKPOINTS_MET) === 0n && (d.ours.words[FIELD.dr7]! & BREAKPOINTS_ENABLED) === 0n },
  { why: 'CR0 keeps bits that it does not have; SDM Vol. 2B, "MOV—Move to/from Control Registers": setting them is ignored', applies: ({ difference: d }) => d.words.every((word) => word === FIELD.cr0) && ((d.ours.words[FIELD.cr0]! ^ d.recorded.words[FIELD.cr0]!) & CR0_BITS) === 0n },
  { why: 'IRETD enters virtual-8086 mode at CPL 3, too; SDM Vol. 2A, "IRET/IRETD/IRETQ": VM is popped at CPL 0 only', applies: ({ text, difference: d }) => text.startsWith('iret') && (d.recorded.words[FIELD.rflags]! & BigInt(RFLAGS.VM)) !== 0n && (d.ours.words[FIELD.rflags]! & BigInt(RFLAGS.VM)) === 0n },
  { why: '66, F2 and F3 before 0F AE /0 to /3 with a memory operand are ignored; SDM Vol. 2A, "FXSAVE", "LDMXCSR": NP, and silicon: #UD', applies: ({ text }) => /^0f ae [014589][0-9a-f]/.test(behindPrefixes(text)) && /^((26|2e|36|3e|64|65|67|4.) )*(66|f2|f3)/.test(text) },
  { why: 'a far return in real-address and virtual-8086 mode reads CS behind offset FFFF of the stack; SDM Vol. 1, "Address-Size Attributes for Stack Accesses": SP has 16 bits, so that it is at 0', applies: ({ text, mode, row, difference: d }) => text.startsWith('ret far') && mode?.is8086 === true && (row?.size === 16 || row?.size === 32) && wrapsBetweenPops(d, text, row.size / 8) },
  { why: 'the selector of a far pointer whose offset ends at FFFF is read behind it; it has an effective address of its own, which is cut to the address size, so that it is at 0 (silicon: LFS with 16-bit addresses in compatibility mode on Intel)', applies: ({ text, mode, difference: d }) => /^l[defgs]s|^(call|jmp) far/.test(text) && mode?.bits === 16 && /QEMU delivered vector 14/.test(d.what) && (d.recorded.words[FIELD.cr2]! & 0xffffn) === 0n },
  { why: 'PUSHA stores from the lowest address up, so that CR2 is another; SDM Vol. 2B, "PUSHA/PUSHAD": EAX is pushed first, and silicon faults there', applies: ({ text, difference: d, reason }) => reason === PAGE_FAULT && text.startsWith('pusha') && d.words.every((word) => word === FIELD.cr2) },
  { why: 'POPA loads registers before it knows whether all of it may be read; SDM Vol. 3A, "Exception Classifications" (note on POPAD), leaves that open, and ours are those before it', applies: ({ text, difference: d, reason }) => reason === PAGE_FAULT && text.startsWith('popa') && d.words.every((word) => word >= FIELD.gpr && word < FIELD.gpr + 8) },
  { why: 'MASKMOVDQU and MASKMOVQ store byte by byte, only what is not masked; SDM Vol. 2B, "MASKMOVDQU": which exceptions masked bytes raise is implementation-dependent', applies: ({ text, difference: d, reason }) => reason === PAGE_FAULT && /^v?maskmov(dqu|q) /.test(text) && (d.words.every((word) => word === FIELD.cr2) || /we delivered vector 14/.test(d.what)) },
  { why: 'VEX.W is ignored where the manual has W0 or W1; SDM Vol. 2A, "Opcode Column in the Instruction Summary Table (Instructions with VEX Prefix)", and silicon: #UD', applies: ({ text, mode, difference: d }) => mode !== undefined && d.what.includes('we delivered vector 6') && isRowWithOtherW(text, mode) },
  { why: 'FF /7 reads its operand before it is #UD; SDM Vol. 2D, "Opcode Extensions for One-Byte and Two-Byte Opcodes": there is no /7', applies: ({ text, difference: d }) => d.what.endsWith('we delivered vector 6') && /^ff [37b][89a-f]/.test(behindPrefixes(text)) },
  { why: 'VEX without 66 before an opcode of MMX is taken for the instruction with it; SDM Vol. 2D, "Opcode Map": there is none', applies: ({ text, difference: d }) => /we delivered vector 6.*QEMU went on/.test(d.what) && /^((26|2e|36|3e|64|65|67) )*(c5 .[048c]|c4 .1 .[048c]) [67d-f][0-9a-f] /.test(text) },
];
/** Whether bytes that are no instruction are one with the other VEX.W. */
function isRowWithOtherW(text: string, mode: ProgramMode): boolean {
  const bytes = text.split(' ').map((x) => parseInt(x, 16)), at = prefixesOf(bytes);
  if (bytes[at] !== 0xc4) return false;
  bytes[at + 2]! ^= 0x80;
  const other = decode(Uint8Array.from(bytes), 0, modeOf(mode.bits));
  return !(other instanceof DecodeFailure) && other.row.encoding.vex !== undefined;
}
/** Whether the stack that a far return reads goes on at offset 0. `ours` is behind it. */
function wrapsBetweenPops({ ours }: Difference, text: string, bytes: number): boolean {
  const released = Number(text.split(' ')[2] ?? 0);
  const before = (Number(ours.words[FIELD.gpr + RSP]! & 0xffffn) - 2 * bytes - released) & 0xffff;
  return before + 2 * bytes > 0x1_0000;
}
/** Whether a memory operand is shorter than the registers beside it. */
function hasShortMemory({ operands }: Row): boolean {
  const widest = Math.max(...operands.map((x) => (x.kind === 'mmx' || x.kind === 'mmx-or-memory' ? 64 : x.kind === 'xmm' || x.kind === 'xmm-or-memory' ? x.width : 0)));
  return operands.some((x) => (x.kind === 'xmm-or-memory' || x.kind === 'mmx-or-memory') && x.memoryBits < widest);
}
const isCanonical = (address: bigint): boolean => BigInt.asUintN(64, BigInt.asIntN(48, address)) === address;

/**
 * SS is null after a delivery through an IST without a change of privilege, which says nothing of the rest; SDM Vol. 2A, "INT n/INTO/INT3/INT1": SS is
 * loaded with null in the procedure for another privilege level only.
 */
function withoutNullSs(d: Difference): Difference {
  const isNull = d.words.includes(SS) && d.recorded.words[SS] === 0n && d.ours.words[FIELD.cpl] === 0n;
  return isNull ? { ...d, words: d.words.filter((word) => !isOfSs(word)) } : d;
}

/** Whether a difference is one that QEMU always has. Code that changes may come by a row that QEMU cannot judge. */
export function isKnownDifference(given: Seen): boolean {
  const difference = withoutNullSs(given.difference), seen = { ...given, difference };
  if (difference !== given.difference && difference.words.length === 0) return true;
  return KNOWN.some((entry) => entry.applies(seen)) || (seen.row !== undefined && seen.mode !== undefined && !judgedByQemu(seen.row, seen.mode));
}

const isNan32 = (word: number): boolean => (word & 0x7fff_ffff) > 0x7f80_0000;
const isNan64 = (low: number, high: number): boolean => (high & 0x7fff_ffff) > 0x7ff0_0000 || ((high & 0x7fff_ffff) === 0x7ff0_0000 && low !== 0);
/**
 * Whether all that differs in these bytes of memory is which NaN came of two: QEMU takes the one with the larger significand, as the x87 FPU does;
 * SDM Vol. 1, "Operating on SNaNs and QNaNs": SSE and AVX the first operand.
 */
export function areOtherNans(recorded: Uint8Array, ours: Uint8Array): boolean {
  const [a, b] = [recorded, ours].map((bytes) => new Uint32Array(bytes.slice().buffer)) as [Uint32Array, Uint32Array];
  for (let n = 0; n < a.length; n += 2) {
    const isPair = isNan64(a[n]!, a[n + 1]!) && isNan64(b[n]!, b[n + 1]!);
    if (!isPair && [n, n + 1].some((k) => a[k] !== b[k] && !(isNan32(a[k]!) && isNan32(b[k]!)))) return false;
  }
  return true;
}

/**
 * Whether all that differs in a page is RF in the flags of a frame that a shutdown left unfinished, which `flags` is the offset of: QEMU 7.2 pushes it clear
 * (RF_OF_FAULTS, src/trace/exceptions-list.ts), and only a frame that is whole can be corrected.
 */
export function isOnlyRf(recorded: Uint8Array, ours: Uint8Array, flags: number): boolean {
  return ours.every((byte, at) => byte === recorded[at] || (at === flags + 2 && (byte ^ recorded[at]!) === RFLAGS.RF >>> 16));
}
