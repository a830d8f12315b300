import { describe, expect, test } from 'vitest';
import { decode, DecodeFailure } from '../../src/cpu/decode/decode.ts';
import { format } from '../../src/cpu/describe/format.ts';
import { modeOf, type Instruction } from '../../src/cpu/isa/instruction.ts';
import type { Row } from '../../src/cpu/isa/row.ts';
import { ROWS } from '../../src/cpu/isa/table/index.ts';
import { DIFFERENCES } from './differences.ts';
import { Random, seedOf } from '../support/random.ts';
import { encodingOf, validIn } from '../support/random-encoding.ts';
import { canonical, icedDecode, type IcedInstruction } from './iced.ts';

const seed = seedOf('decoder against iced');
const AT = 0x40_1000n;
const hex = (bytes: ArrayLike<number>): string => Array.from(bytes, (x) => x.toString(16).padStart(2, '0')).join(' ');

/** Whether both say the same: an instruction of that length and text, or that there is none. */
const agree = (i: Instruction | DecodeFailure, iced: IcedInstruction | undefined): boolean =>
  i instanceof DecodeFailure ? iced === undefined : iced?.length === i.length && iced.isWritten(format(i, AT));
const oursInWords = (i: Instruction | DecodeFailure): string => (i instanceof DecodeFailure ? `${i.kind}: ${i.what}` : `${i.length} ${canonical(format(i, AT))}`);
const icedInWords = (iced: IcedInstruction | undefined): string => (iced === undefined ? 'invalid' : `${iced.length} ${iced.text}`);

describe.each([64, 32, 16] as const)('in %s-bit mode', (bitness) => {
  test('every encoding of every row has the length and the text that iced gives it', () => {
    const r = new Random(seed);
    const wrong = new Map<string, string>();
    for (const row of ROWS) {
      if (!validIn(row, bitness)) continue;
      if (row.addressSize === 16 && bitness === 64) continue;
      for (let k = 0; k < 60; k++) {
        const bytes = encodingOf(row, bitness, r);
        const i = decode(bytes, 0, modeOf(bitness));
        const iced = icedDecode(bytes, bitness, AT);
        // Bytes of a row are an instruction.
        if ((i instanceof DecodeFailure || !agree(i, iced)) && !DIFFERENCES.some((d) => d.applies(i, iced, bytes))) {
          wrong.set(row.text, `${row.text} = ${row.encodingText}: ${hex(bytes)}: ${oursInWords(i)}, iced: ${icedInWords(iced)}`);
        }
      }
    }
    expect([...wrong.values()].join('\n'), `seed ${seed}`).toBe('');
  });

  test('every row is what some bytes decode to', () => {
    const r = new Random(seed);
    const reached = new Set<Row>();
    for (const row of ROWS) {
      for (let k = 0; k < 40 && validIn(row, bitness); k++) {
        const i = decode(encodingOf(row, bitness, r), 0, modeOf(bitness));
        if (!(i instanceof DecodeFailure)) reached.add(i.row);
      }
    }
    const lost = ROWS.filter((row) => validIn(row, bitness) && !reached.has(row) && !(bitness === 64 && row.addressSize === 16));
    expect(lost.map((row) => `${row.text} = ${row.encodingText}`), `seed ${seed}`).toEqual([]);
  });

  /** Compares one byte string; notes it under what kind of thing it is, so that a report stays short. */
  function compare(bytes: Uint8Array, wrong: Map<string, string>): void {
    const i = decode(bytes, 0, modeOf(bitness));
    if (i instanceof DecodeFailure && i.kind === 'unimplemented') return;
    const iced = icedDecode(bytes, bitness, AT);
    if (agree(i, iced) || DIFFERENCES.some((d) => d.applies(i, iced, bytes))) return;
    wrong.set(i instanceof DecodeFailure ? `${icedInWords(iced).split(' ')[1]}` : i.row.text, `${hex(bytes)}: ${oursInWords(i)}, iced: ${icedInWords(iced)}`);
  }

  test.each(['', '66', 'f2', 'f3'])('behind prefix "%s" every opcode with every byte behind it is what iced says', (prefix) => {
    const wrong = new Map<string, string>();
    const rest = [0x24, 0x81, 0x42, 0x13, 0xf4, 0x05, 0x36, 0x87, 0x08];
    for (const map of [[], [0x0f], [0x0f, 0x38], [0x0f, 0x3a]]) {
      for (let opcode = 0; opcode < 256; opcode++) {
        for (let next = 0; next < 256; next++) compare(Uint8Array.from([...(prefix === '' ? [] : [parseInt(prefix, 16)]), ...map, opcode, next, ...rest]), wrong);
      }
    }
    expect([...wrong.values()].join('\n')).toBe('');
  });

  test('random bytes are instructions here exactly where iced says so, with the same length and text', () => {
    const r = new Random(seed ^ bitness);
    const wrong = new Map<string, string>();
    for (let k = 0; k < 60_000; k++) {
      const bytes = r.bytes(15);
      if (r.chance(40)) bytes[r.below(2)] = 0x0f;
      if (r.chance(20)) bytes[0] = [0x66, 0xf2, 0xf3, 0x48, 0xf0, 0x67][r.below(6)] as number;
      compare(bytes, wrong);
    }
    expect([...wrong.values()].join('\n'), `seed ${seed}`).toBe('');
  });
});
