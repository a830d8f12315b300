import { ROWS } from '../../../src/cpu/isa/table/index.ts';
import { isVectorRow } from './rows.ts';
import type { Entry } from '../../../src/cpu/isa/row.ts';
import { x87 } from '../../../src/cpu/isa/table/x87.ts';
import { xsave } from '../../../src/cpu/isa/table/xsave.ts';

/** Rows that no recording executes, each with the reason and with what judges it instead. A law keeps the list exact. */
const QEMU_UNDEFINED = 'QEMU 7.2 raises #UD, silicon does not: judged by the silicon cases (test/isa)';
const NEAR_16 = 'cuts the instruction pointer to 16 bits, below all code of the corpus: judged by test/isa and the silicon cases';
const FAR_16 = 'a far transfer with a 16-bit offset, below all code of the corpus: judged by test/system/far-transfers';
const REX_W_IGNORED = 'QEMU 7.2 ignores REX.W here: judged by test/system/segments (LSS; one meaning for all three)';
const QEMU_LACKS = 'QEMU 7.2 (TCG) does not have it, or raises #UD: judged by test/system/registers';
const X87 = 'x87 registers are not in the log of QEMU: judged by test/fpu (silicon cases)';

/** Every line of a table, with one reason. */
const listed = (table: readonly Entry[], reason: string): Record<string, string> =>
  Object.fromEntries(table.flatMap((entry) => entry.lines.map(([text, encoding]) => [`${text} = ${encoding}`, reason])));

export const NOT_RECORDED: Readonly<Record<string, string>> = {
  'TEST r/m8, imm8 = F6 /1 ib': QEMU_UNDEFINED,
  'TEST r/m16, imm16 = F7 /1 iw': QEMU_UNDEFINED,
  'TEST r/m32, imm32 = F7 /1 id': QEMU_UNDEFINED,
  'TEST r/m64, imm32 = REX.W F7 /1 id': QEMU_UNDEFINED,
  'JMP rel16 = E9 cw': NEAR_16,
  'JMP r/m16 = FF /4': NEAR_16,
  'Jcc rel16 = 0F 80+tttn cw': NEAR_16,
  'JCXZ rel8 = E3 cb': 'with a 16-bit address size only: judged by test/isa',
  'CALL rel16 = E8 cw': NEAR_16,
  'CALL r/m16 = FF /2': NEAR_16,
  ...Object.fromEntries(['0F 18 /0', '0F 18 /1', '0F 18 /2', '0F 18 /3', '0F 0D /0', '0F 0D /1', '0F 0D /2'].map((encoding) => [`RESERVEDNOP r32 = ${encoding}`, QEMU_UNDEFINED])),
  ...Object.fromEntries(['0F 0D /3', '0F 0D /4', '0F 0D /5', '0F 0D /6', '0F 0D /7'].map((encoding) => [`RESERVEDNOP r/m32 = ${encoding}`, QEMU_UNDEFINED])),
  'LFS r64, m16:64 = REX.W 0F B4 /r': REX_W_IGNORED,
  'LGS r64, m16:64 = REX.W 0F B5 /r': REX_W_IGNORED,
  'LSS r64, m16:64 = REX.W 0F B2 /r': REX_W_IGNORED,
  'JMP ptr16:16 = EA cd': FAR_16,
  'JMP m16:16 = FF /5': FAR_16,
  'CALL ptr16:16 = 9A cd': FAR_16,
  'CALL m16:16 = FF /3': FAR_16,
  'CALL m16:32 = FF /3': 'judged by test/system/far-transfers',
  'RETFQ imm16 = REX.W CA iw': 'judged by test/system/far-transfers',
  'RETFW = CB': FAR_16,
  'RETFW imm16 = CA iw': FAR_16,
  'IRET = CF': FAR_16,
  'SYSEXITQ = REX.W 0F 35': 'QEMU 7.2 has no SYSENTER in long mode to come from: judged by test/system',
  'INT1 = F1': 'QEMU 7.2 raises #UD for it: judged by test/system/delivery',
  'INVPCID r32, m128 = 66 0F 38 82 /r': QEMU_LACKS,
  'INVPCID r64, m128 = 66 0F 38 82 /r': QEMU_LACKS,
  'RDPMC = 0F 33': QEMU_LACKS,
  ...Object.fromEntries(ROWS.filter((row) => /^RD(RAND|SEED)$/.test(row.mnemonic)).map((row) => [`${row.text} = ${row.encodingText}`, 'the numbers of each machine are its own: judged by test/system/random'])),
  ...Object.fromEntries(['RDPID r32', 'RDPID r64'].map((text) => [`${text} = F3 0F C7 /7`, 'judged by test/system/random'])),
  'MONITOR = NP 0F 01 C8': 'what ends the wait is no part of a trace: judged by test/system/monitor',
  'MWAIT = NP 0F 01 C9': 'as MONITOR',
  'SERIALIZE = NP 0F 01 E8': 'QEMU (TCG) does not have it: judged by the silicon cases',
  ...Object.fromEntries(ROWS.filter(isVectorRow).map((row) => [`${row.text} = ${row.encodingText}`, 'XMM registers are not in a trace: judged by the silicon cases'])),
  ...Object.fromEntries(ROWS.filter((row) => row.mnemonic === 'BLSI').map((row) => [`${row.text} = ${row.encodingText}`, 'QEMU 7.2 has its CF the wrong way round: judged by the silicon cases'])),
  ...listed(xsave, 'the corpus leaves CR4.OSXSAVE clear: judged by test/system/xsave'),
  ...listed(x87, X87),
};
