/** The names of registers, conditions and access sizes. SDM Vol. 1, "Basic Program Execution Registers"; Vol. 2D, "Encoding of the tttn Field". */
import type { FpuOperand, MmxOperand, RegisterOperand, Width, XmmOperand } from '../isa/operand.ts';

const LEGACY = ['ax', 'cx', 'dx', 'bx', 'sp', 'bp', 'si', 'di'];
const HIGH = ['ah', 'ch', 'dh', 'bh'];

const numbered = (suffix: string): string[] => Array.from({ length: 8 }, (_, n) => `r${n + 8}${suffix}`);

/** General registers 0-15 by width. */
export const GENERAL_REGISTERS: Record<Width, readonly string[]> = {
  8: ['al', 'cl', 'dl', 'bl', 'spl', 'bpl', 'sil', 'dil', ...numbered('b')],
  16: [...LEGACY, ...numbered('w')],
  32: [...LEGACY.map((x) => `e${x}`), ...numbered('d')],
  64: [...LEGACY.map((x) => `r${x}`), ...numbered('')],
};

/** `rax`, `ah`, `r9d`. */
export const registerName = (x: RegisterOperand): string => (x.high ? HIGH[x.number] : GENERAL_REGISTERS[x.width][x.number]) ?? '?';

export const xmmName = (x: XmmOperand): string => `${x.width === 256 ? 'ymm' : 'xmm'}${x.number}`;
export const mmxName = (x: MmxOperand): string => `mm${x.number}`;
/** `st` where the instruction means the top, `st(1)` where its bytes say which. */
export const stackRegisterName = (x: FpuOperand): string => (x.implicit ? 'st' : `st(${x.number})`);

export const SEGMENT_NAMES = ['es', 'cs', 'ss', 'ds', 'fs', 'gs'] as const;

/** Condition names by tttn. */
export const CONDITION_NAMES = ['o', 'no', 'b', 'ae', 'e', 'ne', 'be', 'a', 's', 'ns', 'p', 'np', 'l', 'ge', 'le', 'g'] as const;

/** Names of access sizes by width in bits. */
export const SIZE_NAMES: Record<number, string> = { 8: 'byte', 16: 'word', 32: 'dword', 48: 'fword', 64: 'qword', 80: 'tbyte', 128: 'xmmword', 256: 'ymmword' };
