/** An instruction of every form that translated rows have: what the engines generate code for. */
import { decode, DecodeFailure } from '../../src/cpu/decode/decode.ts';
import { formOf } from '../../src/cpu/engines/interpreter/form.ts';
import { MODE_32, MODE_64, type Instruction } from '../../src/cpu/isa/instruction.ts';
import type { Row } from '../../src/cpu/isa/row.ts';
import { ROWS } from '../../src/cpu/isa/table/index.ts';
import { encodeRow, type Choice } from './encode-row.ts';

export interface Formed { readonly i: Instruction; readonly bytes: Uint8Array; readonly codeSize: 64 | 32 }

const REGISTERS_AND_MEMORY: readonly NonNullable<Choice['rm']>[] = [
  3,
  { base: 0, displacement: 0n, displacementBytes: 0 },
  { base: 4, displacement: 0n, displacementBytes: 1 },
  { base: 0, index: 1, displacement: 0n, displacementBytes: 4 },
];
const SEGMENTS = [[], [0x2e], [0x64]];
/** B, which reads one flag, and NLE, which reads three. */
const CONDITIONS = [2, 15];

/** Registers and each kind of memory operand, a segment with a base, one that may not be written and others, both address sizes. */
export function everyForm(): readonly Formed[] {
  const found = new Map<string, Formed>();
  for (const row of ROWS) {
    if (row.meaning.kind === 'system') continue;
    for (const codeSize of [64, 32] as const) {
      for (const choice of choicesOf(row, codeSize)) {
        const bytes = encodeRow(row, choice);
        const i = decode(bytes, 0, codeSize === 64 ? MODE_64 : MODE_32);
        if (!(i instanceof DecodeFailure) && i.row === row) found.set(formOf(i), { i, bytes, codeSize });
      }
    }
  }
  return [...found.values()];
}

function* choicesOf(row: Row, codeSize: 64 | 32): Generator<Choice> {
  for (const rm of REGISTERS_AND_MEMORY) {
    for (const prefixes of row.repeat === undefined ? SEGMENTS : [...SEGMENTS, [0xf2], [0xf3]]) {
      for (const shortAddress of codeSize === 64 ? [false, true] : [false]) {
        for (const condition of row.encoding.conditionInOpcode ? CONDITIONS : [0]) yield { codeSize, reg: 2, vvvv: 1, rm, condition, prefixes, shortAddress };
      }
    }
  }
}
