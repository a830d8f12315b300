/** Instruction -> Intel syntax, lower case: `adc qword ptr [rax+rcx*8+0x10], rbx`. */
import { SEGMENT, type Segment } from '../../state/layout.ts';
import type { Instruction } from '../isa/instruction.ts';
import { NO_REGISTER, RBP, RBX, RDI, RSI, RSP, type ImmediateOperand, type MemoryOperand, type Operand } from '../isa/operand.ts';
import { CONDITION_NAMES, GENERAL_REGISTERS, SEGMENT_NAMES, SIZE_NAMES, mmxName, registerName, stackRegisterName, xmmName } from './names.ts';

/** Gives the symbol of an address, as `memcpy` or `memcpy+4`; undefined where there is none. */
export type Symbolize = (address: bigint) => string | undefined;

/** Numbers below 10 are the same in both bases. */
const number = (value: bigint): string => (value < 10n ? value.toString() : `0x${value.toString(16)}`);

/** Rows whose name in the table tells forms apart that share one spelling in assembly. */
const SPELLING: Record<string, string> = { RETF: 'ret far', RETFW: 'ret far', RETFQ: 'ret far', SAL: 'shl', RESERVEDNOP: 'nop', XLATB: 'xlat', INT: 'int', WAIT: 'fwait' };

/** Immediates that are numbers of their own width, as are those of instructions on XMM registers; all others are sign-extended to the operation's. */
const UNSIGNED_IMMEDIATE = new Set(['ROL', 'ROR', 'RCL', 'RCR', 'SHL', 'SAL', 'SHR', 'SAR', 'SHLD', 'SHRD', 'RORX', 'BT', 'BTS', 'BTR', 'BTC', 'INT', 'IN', 'OUT', 'ENTER', 'RET', 'RETF', 'RETFW', 'RETFQ', 'AAM', 'AAD']);

/** Memory operands of string instructions and XLAT, which the encoding leaves out: `d` is ES:[rDI], `s` is DS:[rSI] or its override, `b` DS:[rBX]. */
const IMPLICIT: Record<string, string> = { MOVS: 'ds', CMPS: 'sd', STOS: 'd', LODS: 's', SCAS: 'd', INS: 'dp', OUTS: 'ps', XLATB: 'b' };

/** `MOVS` for MOVSB, MOVSW, MOVSD, MOVSQ. */
const stringName = (i: Instruction): string | undefined => {
  const stem = i.mnemonic.slice(0, -1);
  return i.operands.length === 0 && stem in IMPLICIT ? stem : undefined;
};

function mnemonicText(i: Instruction): string {
  if (i.row.encoding.conditionInOpcode) return i.mnemonic.replace('cc', CONDITION_NAMES[i.condition] as string).toLowerCase();
  const far = (i.mnemonic === 'JMP' || i.mnemonic === 'CALL') && i.row.operands.some((x) => x.kind === 'far-pointer' || x.text.startsWith('m16:'));
  return (SPELLING[i.mnemonic] ?? i.mnemonic.toLowerCase()) + (far ? ' far' : '');
}

function prefixText(i: Instruction): string {
  const repeat = i.repeat === 'none' ? '' : i.repeat === 'repne' ? 'repne ' : i.row.repeat === 'repe' ? 'repe ' : 'rep ';
  return (i.lock ? 'lock ' : '') + repeat;
}

/** `qword ptr fs:` */
const sizeText = (width: number, segment: Segment | undefined): string =>
  (width === 0 ? '' : `${SIZE_NAMES[width] ?? `${width}-bit`} ptr `) + (segment === undefined ? '' : `${SEGMENT_NAMES[segment]}:`);

const defaultSegment = (x: MemoryOperand): Segment => (x.base === RSP || x.base === RBP ? SEGMENT.SS : SEGMENT.DS);

function memoryText(i: Instruction, x: MemoryOperand, next: bigint, symbolize: Symbolize | undefined): string {
  const registers = GENERAL_REGISTERS[x.addressWidth];
  const parts: string[] = [];
  if (x.base !== NO_REGISTER) parts.push(registers[x.base] as string);
  if (x.index !== NO_REGISTER) parts.push((registers[x.index] as string) + (x.scale > 1 || x.base === NO_REGISTER ? `*${x.scale}` : ''));
  if (x.vectorIndex !== undefined) parts.push(xmmName(x.vectorIndex) + (x.scale > 1 || x.base === NO_REGISTER ? `*${x.scale}` : ''));
  if (parts.length === 0) {
    const address = BigInt.asUintN(x.addressWidth, (x.ripRelative ? next : 0n) + x.displacement);
    parts.push(symbolize?.(address) ?? number(address));
  } else {
    const displacement = BigInt.asIntN(x.addressWidth, x.displacement);
    if (displacement !== 0n) parts.push(displacement < 0n ? `-${number(-displacement)}` : number(displacement));
  }
  // LGDT and its like are six bytes in 32-bit mode and keep that name in 64-bit mode.
  const width = x.width === 80 && i.row.operands.some((spec) => spec.text === 'm16&64') ? 48 : x.width;
  return `${sizeText(width, i.mnemonic === 'LEA' || x.segment === defaultSegment(x) ? undefined : x.segment)}[${parts.join('+').replaceAll('+-', '-')}]`;
}

function immediateText(i: Instruction, x: ImmediateOperand): string {
  const unsigned = UNSIGNED_IMMEDIATE.has(i.mnemonic) || i.operands.some((operand) => operand.kind === 'xmm' || operand.kind === 'mmx');
  return number(BigInt.asUintN(unsigned ? x.width : Math.max(i.width, x.width), x.value));
}

/** An operand as it is printed. */
export function operandText(i: Instruction, x: Operand, next: bigint, symbolize: Symbolize | undefined): string {
  switch (x.kind) {
    case 'register': return registerName(x);
    case 'xmm': return xmmName(x);
    case 'mmx': return mmxName(x);
    case 'fpu': return stackRegisterName(x);
    case 'memory': return memoryText(i, x, next, symbolize);
    case 'immediate': return immediateText(i, x);
    case 'relative': {
      const target = BigInt.asUintN(i.width, next + x.displacement);
      return symbolize?.(target) ?? number(target);
    }
    case 'far-pointer': return `${number(BigInt(x.selector))}:${number(BigInt(x.offset))}`;
    case 'segment': return SEGMENT_NAMES[x.number] ?? '?';
    case 'control': return `cr${x.number}`;
    default: return `dr${x.number}`;
  }
}

/** Operands that the instruction has by its name. An override concerns the source only; both segments are shown then. */
function implicitOperands(i: Instruction, stem: string): string[] {
  const override = i.segmentOverride === SEGMENT.DS ? undefined : i.segmentOverride;
  const name = (number: number): string => GENERAL_REGISTERS[i.addressWidth][number] as string;
  return Array.from(IMPLICIT[stem] as string, (part) => {
    switch (part) {
      case 'd': return `${sizeText(i.width, override === undefined ? undefined : SEGMENT.ES)}[${name(RDI)}]`;
      case 'b': return `${sizeText(i.width, override)}[${name(RBX)}]`;
      case 's': return `${sizeText(i.width, override)}[${name(RSI)}]`;
      default: return 'dx';
    }
  });
}

/** The instruction in Intel syntax. `at`: its address; branch targets and RIP-relative addresses are shown as absolute, or by their symbols. */
export function format(i: Instruction, at: bigint, symbolize?: Symbolize): string {
  const next = at + BigInt(i.length);
  const stem = stringName(i);
  const operands = stem !== undefined ? implicitOperands(i, stem)
    : i.mnemonic === 'XLATB' ? implicitOperands(i, i.mnemonic)
    : i.operands.map((x) => operandText(i, x, next, symbolize));
  if (/^V?MASKMOV[DQ]/.test(i.mnemonic) && i.segmentOverride !== undefined && i.segmentOverride !== SEGMENT.DS) operands.push(SEGMENT_NAMES[i.segmentOverride]);
  return `${prefixText(i)}${mnemonicText(i)}${operands.length > 0 ? ` ${operands.join(', ')}` : ''}`;
}
