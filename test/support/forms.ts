/**
 * One stated case in every row that a mnemonic has: the widths, and in each width the encodings (register or memory,
 * either direction, accumulator, immediate, sign-extended immediate). The values are stated by whoever calls; this file
 * only knows where operands are: a register operand is in RBX, a register in ModRM.rm is RDX, one in VEX.vvvv RCX, memory is [RDI].
 */
import { decode, DecodeFailure } from '../../src/cpu/decode/decode.ts';
import { format } from '../../src/cpu/describe/format.ts';
import { MODE_32, MODE_64 } from '../../src/cpu/isa/instruction.ts';
import type { OperandSpec, Row } from '../../src/cpu/isa/row.ts';
import { ROWS } from '../../src/cpu/isa/table/index.ts';
import { encodeRow } from './encode-row.ts';
import { example, MEMORY, type Result, type State } from './example.ts';
import { START } from './silicon/world.ts';

const NAMES = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi'] as const;
const REG = 3, RM = 2, VVVV = 1;
const RDI = { base: 7, displacement: 0n, displacementBytes: 0 } as const;
/** What the bits of a register hold that an operand leaves out. */
const AROUND = { 32: 0x5566_7788n, 64: 0x1122_3344_5566_7788n } as const;
/** The condition in the opcode of a `cc` row: below, which is CF. */
const BELOW = 2;
const SIZES: Readonly<Record<number, 'byte' | 'word' | 'dword' | 'qword'>> = { 8: 'byte', 16: 'word', 32: 'dword', 64: 'qword' };
const mask = (bits: number): bigint => (1n << BigInt(bits)) - 1n;

/** Values of the operands, in order; afterwards only of those that are written. Of a value too many (an operand that a row does not have) nothing is made. */
export type Values = readonly bigint[];
export interface Stated { readonly before: Values; readonly after?: Values }
export type ByWidth = { readonly [W in 8 | 16 | 32 | 64]?: readonly [before: Values, after?: Values] };

/** A register with a part of it written: 32 bits clear those above (SDM Vol. 1, "General-Purpose Registers in 64-Bit Mode"), 8 and 16 leave them. */
const withPart = (whole: bigint, width: number, part: bigint): bigint => (width >= 32 ? part : (whole & ~mask(width)) | part);
const around = (width: number, value: bigint, bits: 32 | 64): bigint => (AROUND[bits] & ~mask(width)) | value;

interface Placed { before: Record<string, bigint>; after: Record<string, bigint>; immediates: bigint[] }

/** Puts one operand where the row has it. False when the row's immediate cannot hold the value. */
function place(spec: OperandSpec, inMemory: boolean, bits: 32 | 64, destinationWidth: number, before: bigint, after: bigint | undefined, into: Placed): boolean {
  const put = (name: string, width: number): void => {
    const whole = around(width, before, bits);
    into.before[name] = whole;
    if (after !== undefined) into.after[name] = withPart(whole, width, after);
  };
  const store = (width: number): void => {
    into.before[SIZES[width] as string] = before;
    if (after !== undefined) into.after[SIZES[width] as string] = after;
  };
  switch (spec.kind) {
    case 'register': put(NAMES[spec.at === 'fixed' ? spec.number : spec.at === 'vvvv' ? VVVV : REG]!, spec.width); return true;
    case 'rm-register': put(NAMES[RM], spec.width); return true;
    case 'register-or-memory':
      if (inMemory) store(spec.memoryBits);
      else put(NAMES[RM], spec.width);
      return true;
    case 'memory': store(spec.bits); return true;
    case 'memory-offset':
      into.immediates.push(MEMORY);
      store(spec.width);
      return true;
    case 'immediate':
      into.immediates.push(before);
      return spec.width >= destinationWidth || BigInt.asUintN(destinationWidth, BigInt.asIntN(spec.width, before)) === before;
    case 'constant': return before === BigInt(spec.value);
    default: throw new Error(`an operand ${spec.text} has no value to state`);
  }
}

function oneForm(row: Row, inMemory: boolean, sentence: string, { before, after }: Stated, more: State, outcome: Result): void {
  const bits = row.modes === 'legacy' ? 32 : 64;
  const usesMemory = inMemory || row.operands.some((x) => x.kind === 'memory');
  const placed: Placed = { before: usesMemory ? { rdi: MEMORY } : {}, after: {}, immediates: [] };
  const width = typeof row.width === 'number' ? row.width : 64;
  if (!row.operands.every((spec, n) => place(spec, inMemory, bits, width, before[n] as bigint, after?.[n], placed))) return;
  const bytes = encodeRow(row, { codeSize: bits, reg: REG, vvvv: VVVV, rm: usesMemory ? RDI : RM, condition: BELOW, immediates: placed.immediates });
  const i = decode(bytes, 0, bits === 64 ? MODE_64 : MODE_32);
  if (i instanceof DecodeFailure || i.row !== row) throw new Error(`${row.text} = ${row.encodingText}: its bytes are another row`);
  example(`${sentence} (${row.encodingText})`, format(i, START), { ...placed.before, ...more }, { ...placed.after, ...outcome }, { bits, bytes: [...bytes] });
}

function eachRow(rows: readonly Row[], sentence: string, stated: (row: Row) => Stated | undefined, more: State, outcome: Result): void {
  for (const row of rows) {
    const values = stated(row);
    if (!values) continue;
    const choices = row.operands.some((x) => x.kind === 'register-or-memory') ? [false, true] : [false];
    for (const inMemory of choices) oneForm(row, inMemory, sentence, values, more, outcome);
  }
}

/** The rows of `mnemonic` in the widths for which values are stated. */
export function forms(mnemonic: string, sentence: string, values: ByWidth, more: State = {}, outcome: Result = {}): void {
  const stated = (row: Row): Stated | undefined => {
    const found = typeof row.width === 'number' ? values[row.width as 8 | 16 | 32 | 64] : undefined;
    return found && { before: found[0], ...(found[1] ? { after: found[1] } : {}) };
  };
  eachRow(ROWS.filter((row) => row.mnemonic === mnemonic && row.meaning.kind === 'translated'), sentence, stated, more, outcome);
}

/** The rows spelled `text` in the manual, such as `MOVZX r16, r/m8`. */
export function form(text: string, sentence: string, before: Values, after?: Values, more: State = {}, outcome: Result = {}): void {
  const rows = ROWS.filter((row) => row.text === text);
  if (rows.length === 0) throw new Error(`the table has no row ${text}`);
  eachRow(rows, sentence, () => ({ before, ...(after ? { after } : {}) }), more, outcome);
}
