/**
 * From a method's name and its operands to the rows that can encode them. A form is a row of the table under one of
 * its names: a `cc` row has one form for each name of each condition.
 */
import type { Row, OperandSpec } from '../cpu/isa/row.ts';
import type { CodeSize } from '../cpu/isa/instruction.ts';
import { ROWS } from '../cpu/isa/table/index.ts';
import { CONDITION_NAMES } from './conditions.ts';
import { LabelReference, Memory, type OperandValue, type SizedImmediate } from './operands.ts';

export interface Form {
  readonly row: Row;
  /** The tttn field; 0 where the row has none. */
  readonly condition: number;
  /** For each operand: an immediate here is sign-extended to the operation's width, because the mnemonic also has a wider one. */
  readonly signExtended: readonly boolean[];
}

/** All forms, by method name, in the order of the table. */
export const FORMS: ReadonlyMap<string, readonly Form[]> = buildForms(ROWS);

function buildForms(rows: readonly Row[]): Map<string, Form[]> {
  const widest = new Map<string, number>();
  for (const row of rows) {
    row.operands.forEach((x, n) => {
      if (x.kind === 'immediate') widest.set(`${row.mnemonic} ${n}`, Math.max(widest.get(`${row.mnemonic} ${n}`) ?? 0, x.width));
    });
  }
  const forms = new Map<string, Form[]>();
  const add = (name: string, form: Form): void => {
    const list = forms.get(name);
    if (list) list.push(form);
    else forms.set(name, [form]);
  };
  for (const row of rows) {
    const signExtended = row.operands.map((x, n) => x.kind === 'immediate' && (x.width === 32 || x.width < (widest.get(`${row.mnemonic} ${n}`) ?? 0)));
    if (!row.encoding.conditionInOpcode) add(row.mnemonic.toLowerCase(), { row, condition: 0, signExtended });
    else {
      const stem = row.mnemonic.slice(0, -2).toLowerCase();
      CONDITION_NAMES.forEach((names, condition) => names.forEach((name) => add(stem + name, { row, condition, signExtended })));
    }
  }
  return forms;
}

/** The forms that accept these operands in this mode, whatever their values. */
export function matchingForms(forms: readonly Form[], operands: readonly OperandValue[], bits: CodeSize, operandSize: 16 | 32 | 64 | undefined): readonly Form[] {
  const accepted = forms.filter(({ row }) => row.modes !== (bits === 64 ? 'legacy' : '64')
    && row.operands.length === operands.length
    && row.operands.every((spec, n) => accepts(spec, operands[n] as OperandValue)));
  if (operandSize !== undefined) {
    const sized = accepted.filter(({ row }) => selectingSize(row) === operandSize);
    // LGDT: one line for every operand size, which still means something.
    return sized.length > 0 || bits === 64 || operandSize === 64 ? sized : accepted.filter(({ row }) => row.width === 'effective');
  }
  if (operands.some(tellsSize)) return accepted;
  // PUSH imm16, JMP rel16, far JMP with a 16-bit offset: nothing in the operands asks for them, so the mode's own size is meant.
  const usual = accepted.filter(({ row }) => {
    const size = selectingSize(row);
    return size === 'any' || size === (bits === 16 ? 16 : bits === 64 && row.size64 !== undefined ? 64 : 32) || (bits === 64 && row.size === 'any');
  });
  return usual.length > 0 ? usual : accepted;
}

const formKey = ({ encoding: e }: Row): string => `${e.map} ${e.opcode} ${JSON.stringify(e.modrm)} ${e.mandatoryPrefix ?? ''} ${e.vex ? 'VEX' : ''}`;
const WORD_FORMS: ReadonlySet<string> = new Set(ROWS.filter((row) => row.size === 16).map(formKey));
/**
 * The operand size that tells a line from others of its opcode. PUSH imm32 and JMP rel32, which are for 32 and 64 bits
 * and so say `any`, have a neighbour for 16.
 */
export function selectingSize(row: Row): 16 | 32 | 64 | 'any' {
  return row.size === 'any' && row.encoding.trailing.includes(4) && WORD_FORMS.has(formKey(row)) ? 32 : row.size;
}
/** Whether 16-bit code must ask for a line for 32 bits with a prefix: it has a neighbour for 16, or is undefined without (BSWAP). */
export const isAskedFor = (row: Row): boolean => WORD_FORMS.has(formKey(row)) || (row.encoding.map === '0F' && row.encoding.mandatoryPrefix === undefined);

const tellsSize = (x: OperandValue): boolean => x instanceof Memory ? x.size !== 0 : typeof x === 'object' && x.kind === 'register';

const isImmediate = (x: OperandValue): x is number | bigint | LabelReference | SizedImmediate =>
  typeof x === 'number' || typeof x === 'bigint' || x instanceof LabelReference || (typeof x === 'object' && x.kind === 'sized-immediate');

function accepts(spec: OperandSpec, x: OperandValue): boolean {
  const register = typeof x === 'object' && x.kind === 'register' ? x : undefined;
  const memory = x instanceof Memory ? x : undefined;
  switch (spec.kind) {
    case 'register': return register !== undefined && register.width === spec.width && (spec.at !== 'fixed' || (register.number === spec.number && !register.high));
    case 'rm-register': return register?.width === spec.width;
    case 'register-or-memory': return register ? register.width === spec.width : memory !== undefined && memory.size === spec.memoryBits;
    case 'xmm': return typeof x === 'object' && x.kind === 'xmm' && x.width === spec.width && (spec.at !== 'fixed' || x.number === 0);
    case 'mmx': return typeof x === 'object' && x.kind === 'mmx';
    case 'xmm-or-memory': return memory ? memory.size === spec.memoryBits : typeof x === 'object' && x.kind === 'xmm' && x.width === spec.width;
    case 'mmx-or-memory': return memory ? memory.size === spec.memoryBits : typeof x === 'object' && x.kind === 'mmx';
    case 'fpu': return typeof x === 'object' && x.kind === 'fpu' && (spec.at === 'rm' || x.number === 0);
    case 'memory': return memory !== undefined && (spec.vectorIndex === undefined ? memorySizeFits(spec.text, memory) : memory.size === spec.bits && memory.vectorIndex?.width === spec.vectorIndex);
    case 'memory-offset': return memory !== undefined && memory.size === spec.width && memory.base === undefined && memory.index === undefined;
    case 'immediate': return isImmediate(x) && (typeof x !== 'object' || x.kind !== 'sized-immediate' || x.width === spec.width);
    case 'constant': return (typeof x === 'number' || typeof x === 'bigint') && BigInt(spec.value) === BigInt(x);
    case 'relative': return typeof x === 'string' || x instanceof LabelReference || (typeof x === 'object' && x.kind === 'sized-target' && x.width === spec.width);
    case 'far-pointer': return typeof x === 'object' && x.kind === 'far-pointer';
    case 'segment': case 'control': case 'debug':
      return typeof x === 'object' && x.kind === spec.kind && (spec.at !== 'fixed' || x.number === spec.number);
  }
}

/** `m` takes any size, `m64` a qword, `m16:64` a far pointer, `m80fp` a tbyte, `m128` an xmmword or memory without a size; every other spelling (`m16&64`) has memory without a size. */
function memorySizeFits(text: string, memory: Memory): boolean {
  if (text === 'm') return true;
  if (text === 'm128') return memory.size === 128 || memory.size === 0;
  if (text === 'm256') return memory.size === 256;
  if (text === 'm2byte') return memory.size === 16;
  const size = /^m(8|16|32|64|16:\d\d|\d\d(?=fp|int|bcd))(fp|int|bcd)?$/.exec(text)?.[1];
  return size === undefined ? memory.size === 0 : String(memory.size) === size;
}
