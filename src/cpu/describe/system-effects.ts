/** What a system instruction does, reads and writes: in words, since its meaning is not written over the vocabulary. */
import type { Instruction } from '../isa/instruction.ts';
import { NO_REGISTER, type Operand } from '../isa/operand.ts';
import { operandText } from './format.ts';
import { GENERAL_REGISTERS, SEGMENT_NAMES } from './names.ts';
import { PROCESSOR } from './system/processor.ts';
import { X87 } from './system/x87.ts';

export interface SystemEffects {
  /** In a line. */
  readonly says: string;
  /** Names as system/text.ts has them. */
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  /** Those of them that are written on some paths only. */
  readonly mayWrite: ReadonlySet<string>;
}

const general = (n: number): string => GENERAL_REGISTERS[64][n]!;

/** What an operand stands for: a register, memory, or nothing that could be read or written. */
function nameOf(x: Operand | undefined): string | undefined {
  switch (x?.kind) {
    case 'register': return general(x.number);
    case 'segment': return SEGMENT_NAMES[x.number];
    case 'control': return `cr${x.number}`;
    case 'debug': return `dr${x.number}`;
    case 'fpu': return 'x87';
    case 'memory': return 'memory';
    default: return undefined;
  }
}

/** The effects of a system instruction at an address; undefined for one that is not. */
export function systemEffectsOf(i: Instruction, at = 0n): SystemEffects | undefined {
  if (i.row.meaning.kind !== 'system') return undefined;
  const [says, reads, writes] = PROCESSOR[`${i.mnemonic} ${i.operands[0]?.kind}`] ?? PROCESSOR[i.mnemonic] ?? X87[i.mnemonic] ?? ['', '', ''];
  const mayWrite = new Set<string>();
  const named = (text: string): string[] => [...new Set(text.split(' ').filter((word) => word !== '').flatMap((word) => {
    const bare = word.replace('?', ''), [, operand] = /^\{(\d)\}$/.exec(bare) ?? [];
    const name = operand === undefined ? bare : nameOf(i.operands[Number(operand)]);
    if (name !== undefined && word !== bare) mayWrite.add(name);
    return name ?? [];
  }))];
  const addressed = i.operands.flatMap((x) => (x.kind === 'memory' ? [x.base, x.index].filter((n) => n !== NO_REGISTER).map(general) : []));
  const next = at + BigInt(i.length);
  return {
    says: says.replace(/\{(\d)\}/g, (_all, n: string) => { const x = i.operands[Number(n)]; return x === undefined ? '' : operandText(i, x, next, undefined); }),
    reads: [...new Set([...addressed, ...named(reads)])], writes: named(writes), mayWrite,
  };
}

const FLAG = /^[A-Z]{2,3}$/;
const VECTOR = /^[xy]mm\d+$/, X87_REGISTER = /^(?:st\d|f(?:ctrl|stat|tag|op|iseg|oseg|ioff|ooff))$/;
const MSRS = new Set(['fs_base', 'gs_base', 'k_gs_base', 'efer', 'star', 'lstar', 'cstar', 'fmask', 'sysenter_cs', 'sysenter_esp', 'sysenter_eip', 'pat', 'apic_base', 'tsc_aux', 'tsc']);

/** Whether a name of a system instruction's effects stands for a register of machine/registers.ts, or for a part or the whole of it. */
export function standsFor(name: string, register: string): boolean {
  switch (name) {
    case 'all': return true;
    case 'x87': return X87_REGISTER.test(register);
    case 'xmm': return VECTOR.test(register);
    case 'msrs': return MSRS.has(register);
    case 'memory': case 'port': case 'TLB': return false;
    default: return name === register || register.startsWith(`${name}_`) || (register === 'rflags' && FLAG.test(name));
  }
}
