import { describe, expect, test } from 'vitest';
import { decode, DecodeFailure } from '../../src/cpu/decode/decode.ts';
import { format } from '../../src/cpu/describe/format.ts';
import { modeOf } from '../../src/cpu/isa/instruction.ts';
import type { Row } from '../../src/cpu/isa/row.ts';
import { ROWS } from '../../src/cpu/isa/table/index.ts';
import { DIFFERENCES } from './differences.ts';
import { Random, seedOf } from '../support/random.ts';
import { canonical, icedDecode } from './iced.ts';

type Bitness = 16 | 32 | 64;
const seed = seedOf('decoder against iced');
const AT = 0x40_1000n;
const hex = (bytes: ArrayLike<number>): string => Array.from(bytes, (x) => x.toString(16).padStart(2, '0')).join(' ');

/** A VEX prefix of the row, with registers and what it ignores by chance, of two bytes where it can have two. */
function vexOf({ encoding: e, operands }: Row, bitness: Bitness, r: Random): number[] {
  const pp = ['NP', '66', 'F3', 'F2'].indexOf(e.mandatoryPrefix as string);
  const vvvv = operands.some((x) => 'at' in x && x.at === 'vvvv') ? r.below(bitness === 64 ? 16 : 8) : 0;
  const w = e.vex?.w === 'ignored' ? r.below(2) : e.vex?.w as number;
  const l = e.vex?.length === 'ignored' ? r.below(2) : e.vex?.length as number;
  const last = ((15 - vvvv) << 3) | (l << 2) | pp;
  if (e.map === '0F' && w === 0 && r.chance(50)) return [0xc5, (bitness === 64 && r.chance(50) ? 0 : 0x80) | last];
  return [0xc4, (bitness === 64 ? r.below(8) << 5 : 0xe0) | ['', '0F', '0F38', '0F3A'].indexOf(e.map), (w << 7) | last];
}

/** Bytes that begin with an encoding of the row, with prefixes, registers, addressing forms and immediates by chance. */
function encodingOf(row: Row, bitness: Bitness, r: Random): Uint8Array {
  const e = row.encoding;
  const bytes: number[] = [];
  const memoryOnly = row.operands.some((x) => x.kind === 'memory');
  const registerOnly = row.operands.some((x) => x.kind === 'rm-register' || (x.kind === 'fpu' && x.at === 'rm') || ((x.kind === 'xmm' || x.kind === 'mmx') && x.at === 'rm'));
  let modrm = r.below(256);
  if (memoryOnly && modrm >= 0xc0) modrm &= 0xbf;
  if (registerOnly) modrm |= 0xc0;
  if (row.operands.some((x) => x.kind === 'segment' && x.at === 'reg')) modrm = (modrm & 0xc7) | ([0, 2, 3, 4, 5][r.below(5)] as number) << 3;
  if (row.operands.some((x) => x.kind === 'control')) modrm = (modrm & 0xc7) | ([0, 2, 3, 4][r.below(4)] as number) << 3;
  if (typeof e.modrm === 'object') modrm = 'fixed' in e.modrm ? e.modrm.fixed : (modrm & 0xc7) | (e.modrm.extension << 3);

  const prefixes: number[] = [];
  if (r.chance(20)) prefixes.push([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65][r.below(6)] as number);
  if (row.addressSize !== undefined ? row.addressSize !== bitness : r.chance(15)) prefixes.push(0x67);
  const of32 = row.size === 32 || (row.size === 'any' && e.trailing.includes(4));
  if (e.mandatoryPrefix !== '66' && e.mandatoryPrefix !== 'NP' && (row.size === 16 ? bitness !== 16 : of32 && bitness === 16)) prefixes.push(0x66);
  if (row.repeat !== undefined && r.chance(50)) prefixes.push(r.chance(50) ? 0xf3 : 0xf2);
  if (row.lock && e.modrm !== 'none' && modrm < 0xc0 && row.operands[0]?.kind !== 'register' && r.chance(30)) prefixes.push(0xf0);
  if (e.vex) return Uint8Array.from([...prefixes.filter((x) => x !== 0x66), ...vexOf(row, bitness, r), e.opcode, ...(e.modrm === 'none' ? [] : [modrm]), ...r.bytes(15)].slice(0, 15));
  if (/^(66|F[23])$/.test(e.mandatoryPrefix ?? '')) prefixes.push(parseInt(e.mandatoryPrefix as string, 16));
  bytes.push(...prefixes);
  if (bitness === 64 && (e.rexW || r.chance(40))) {
    const extendsSpecial = row.operands.some((x) => x.kind === 'control' || x.kind === 'debug');
    bytes.push(0x40 | (e.rexW ? 8 : 0) | (r.below(8) & (extendsSpecial ? 3 : 7)));
  }
  if (e.map !== '') bytes.push(0x0f);
  if (e.map === '0F38') bytes.push(0x38);
  if (e.map === '0F3A') bytes.push(0x3a);
  bytes.push(e.opcode + (e.registerInOpcode ? r.below(8) : e.conditionInOpcode ? r.below(16) : 0));
  if (e.modrm !== 'none') bytes.push(modrm);
  bytes.push(...r.bytes(15));
  return Uint8Array.from(bytes.slice(0, 15));
}

const validIn = (row: Row, bitness: Bitness): boolean => row.modes === 'all' || row.modes === (bitness === 64 ? '64' : 'legacy');

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
        const got = i instanceof DecodeFailure ? `${i.kind}: ${i.what}` : `${i.length} ${canonical(format(i, AT))}`;
        const expected = iced === undefined ? 'invalid' : `${iced.length} ${iced.text}`;
        if (got !== expected && !DIFFERENCES.some((d) => d.applies(i, iced, bytes))) {
          wrong.set(row.text, `${row.text} = ${row.encodingText}: ${hex(bytes)}: ${got}, iced: ${expected}`);
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
    const got = i instanceof DecodeFailure ? 'invalid' : `${i.length} ${canonical(format(i, AT))}`;
    const expected = iced === undefined ? 'invalid' : `${iced.length} ${iced.text}`;
    if (got === expected || DIFFERENCES.some((d) => d.applies(i, iced, bytes))) return;
    wrong.set(i instanceof DecodeFailure ? `${expected.split(' ')[1]}` : i.row.text, `${hex(bytes)}: ${got}${i instanceof DecodeFailure ? ` (${i.what})` : ''}, iced: ${expected}`);
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
