import { describe, expect, test } from 'vitest';
import { decode, DecodeFailure } from '../../src/cpu/decode/decode.ts';
import { format } from '../../src/cpu/describe/format.ts';
import { MODE_32, MODE_64 } from '../../src/cpu/isa/instruction.ts';
import type { Row } from '../../src/cpu/isa/row.ts';
import { ROWS } from '../../src/cpu/isa/table/index.ts';
import { DIFFERENCES } from './differences.ts';
import { canonical, icedDecode } from './iced.ts';
import { random, seed, type Random } from './random.ts';

type Bitness = 32 | 64;
const modeOf = (bitness: Bitness) => (bitness === 64 ? MODE_64 : MODE_32);
const AT = 0x40_1000n;
const hex = (bytes: ArrayLike<number>): string => Array.from(bytes, (x) => x.toString(16).padStart(2, '0')).join(' ');

/** Bytes that begin with an encoding of the row, with prefixes, registers, addressing forms and immediates by chance. */
function encodingOf(row: Row, bitness: Bitness, r: Random): Uint8Array {
  const e = row.encoding;
  const bytes: number[] = [];
  const memoryOnly = row.operands.some((x) => x.kind === 'memory');
  const registerOnly = row.operands.some((x) => x.kind === 'rm-register');
  let modrm = r.byte();
  if (memoryOnly && modrm >= 0xc0) modrm &= 0xbf;
  if (registerOnly) modrm |= 0xc0;
  if (row.operands.some((x) => x.kind === 'segment' && x.at === 'reg')) modrm = (modrm & 0xc7) | ([0, 2, 3, 4, 5][r.below(5)] as number) << 3;
  if (row.operands.some((x) => x.kind === 'control')) modrm = (modrm & 0xc7) | ([0, 2, 3, 4][r.below(4)] as number) << 3;
  if (typeof e.modrm === 'object') modrm = 'fixed' in e.modrm ? e.modrm.fixed : (modrm & 0xc7) | (e.modrm.extension << 3);

  const prefixes: number[] = [];
  if (r.chance(0.2)) prefixes.push([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65][r.below(6)] as number);
  if (row.addressSize !== undefined ? row.addressSize < bitness : r.chance(0.15)) prefixes.push(0x67);
  if (row.size === 16 && e.mandatoryPrefix !== '66') prefixes.push(0x66);
  if (row.repeat !== undefined && r.chance(0.5)) prefixes.push(r.chance(0.5) ? 0xf3 : 0xf2);
  if (row.lock && e.modrm !== 'none' && modrm < 0xc0 && row.operands[0]?.kind !== 'register' && r.chance(0.3)) prefixes.push(0xf0);
  if (e.mandatoryPrefix !== undefined && e.mandatoryPrefix !== 'NP') prefixes.push(parseInt(e.mandatoryPrefix, 16));
  bytes.push(...prefixes);
  if (bitness === 64 && (e.rexW || r.chance(0.4))) {
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

describe.each([64, 32] as const)('in %s-bit mode', (bitness) => {
  test('every encoding of every row has the length and the text that iced gives it', () => {
    const r = random(seed);
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
    const r = random(seed);
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

  test('random bytes are instructions here exactly where iced says so, with the same length and text', () => {
    const r = random(seed ^ bitness);
    const wrong = new Map<string, string>();
    for (let k = 0; k < 200_000; k++) {
      const bytes = Uint8Array.from(r.bytes(15));
      if (r.chance(0.4)) bytes[r.below(2)] = 0x0f;
      if (r.chance(0.2)) bytes[0] = [0x66, 0xf2, 0xf3, 0x48, 0xf0, 0x67][r.below(6)] as number;
      const i = decode(bytes, 0, modeOf(bitness));
      if (i instanceof DecodeFailure && i.kind === 'unimplemented') continue;
      const iced = icedDecode(bytes, bitness, AT);
      const got = i instanceof DecodeFailure ? 'invalid' : `${i.length} ${canonical(format(i, AT))}`;
      const expected = iced === undefined ? 'invalid' : `${iced.length} ${iced.text}`;
      if (got !== expected && !DIFFERENCES.some((d) => d.applies(i, iced, bytes))) {
        wrong.set(i instanceof DecodeFailure ? `${expected.split(' ')[1]}` : i.row.text, `${hex(bytes)}: ${got}${i instanceof DecodeFailure ? ` (${i.what})` : ''}, iced: ${expected}`);
      }
    }
    expect([...wrong.values()].join('\n'), `seed ${seed}`).toBe('');
  });
});
