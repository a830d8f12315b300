import { describe, expect, test } from 'vitest';
import { decode, DecodeFailure } from '../../src/cpu/decode/decode.ts';
import { MODE_32, MODE_64, type Instruction, type Mode } from '../../src/cpu/isa/instruction.ts';

const bytes = (text: string): Uint8Array => Uint8Array.from(text.split(' '), (x) => parseInt(x, 16));
const decoded = (text: string, mode: Mode = MODE_64): Instruction => {
  const i = decode(bytes(text), 0, mode);
  if (i instanceof DecodeFailure) throw new Error(`${text}: ${i.kind}: ${i.what}`);
  return i;
};
const failure = (text: string, mode: Mode = MODE_64): string => {
  const i = decode(bytes(text), 0, mode);
  return i instanceof DecodeFailure ? i.kind : i.row.text;
};

describe('prefixes', () => {
  test('66 selects the 16-bit row and REX.W wins over it', () => {
    expect(decoded('01 c8').row.text).toBe('ADD r/m32, r32');
    expect(decoded('66 01 c8').row.text).toBe('ADD r/m16, r16');
    expect(decoded('66 48 01 c8').row.text).toBe('ADD r/m64, r64');
  });
  test('a REX byte that is not directly before the opcode is ignored', () => {
    expect(decoded('48 66 01 c8').row.text).toBe('ADD r/m16, r16');
    expect(decoded('4f 41 01 c8').operands[0]).toMatchObject({ kind: 'register', number: 8, width: 32 });
  });
  test('40-4F are no prefixes outside 64-bit mode', () => {
    const i = decode(bytes('48 01 c8'), 0, MODE_32);
    expect(i instanceof DecodeFailure || i.length === 1).toBe(true);
  });
  test('AH CH DH BH become SPL BPL SIL DIL with any REX prefix', () => {
    expect(decoded('00 e0').operands).toMatchObject([{ number: 0, high: false }, { number: 0, high: true }]);
    expect(decoded('40 00 e0').operands).toMatchObject([{ number: 0, high: false }, { number: 4, high: false }]);
  });
  test('LOCK needs a row that allows it and a memory destination', () => {
    expect(decoded('f0 01 08').lock).toBe(true);
    expect(failure('f0 01 c8')).toBe('invalid');
    expect(failure('f0 03 08')).toBe('invalid');
  });
  test('ES CS SS DS overrides are ignored in 64-bit mode, FS and GS are not', () => {
    expect(decoded('2e 01 08').operands[0]).toMatchObject({ segment: 3 });
    expect(decoded('64 2e 01 08').operands[0]).toMatchObject({ segment: 4 });
    expect(decoded('2e 01 08', MODE_32).operands[0]).toMatchObject({ segment: 1 });
  });
});

describe('a VEX prefix', () => {
  test('names a third register, and all fifteen others with R, X, B and vvvv', () => {
    expect(decoded('c4 42 98 f2 ff').operands).toMatchObject([{ number: 15, width: 64 }, { number: 12 }, { number: 15 }]);
    expect(decoded('c4 a2 78 f2 04 9e').operands[2]).toMatchObject({ kind: 'memory', base: 6, index: 11, scale: 4 });
  });
  test('behind 66, F2, F3, LOCK or REX is #UD, behind 67 and segment overrides is not', () => {
    for (const prefix of ['66', 'f2', 'f3', 'f0', '48']) expect(failure(`${prefix} c4 e2 78 f2 c1`)).toBe('invalid');
    expect(decoded('64 67 c4 e2 78 f2 01').operands[2]).toMatchObject({ segment: 4, addressWidth: 32 });
  });
  test('with vvvv other than 1111b is #UD where the instruction has no register there', () => {
    expect(failure('c4 e3 7b f0 c1 05')).toBe('RORX r32, r/m32, imm8');
    expect(failure('c4 e3 73 f0 c1 05')).toBe('invalid');
    // The topmost bit, too, where there are eight registers: AMD EPYC, in compatibility mode.
    expect(decoded('c4 e1 79 2b 00', MODE_32).mnemonic).toBe('VMOVNTPD');
    expect(failure('c4 e1 39 2b 00', MODE_32)).toBe('invalid');
  });
  test('with L of 1 is #UD for instructions on general registers', () => {
    expect(failure('c4 e2 7c f2 c1')).toBe('invalid');
  });
  test('with a map that is none is #UD', () => {
    for (const map of ['e0', 'e4', 'ff']) expect(failure(`c4 ${map} 78 f2 c1`)).toBe('invalid');
  });
  test('is LES or LDS outside 64-bit mode where memory follows, and in real-address mode always', () => {
    expect(decoded('c4 e2 78 f2 c1', MODE_32).row.text).toBe('ANDN r32a, r32b, r/m32');
    expect(decoded('c4 62 78', MODE_32).row.text).toBe('LES r32, m16:32');
    expect(failure('c4 62 78 f2 c1')).toBe('ANDN r32a, r32b, r/m32');
    expect(failure('c4 e2 78 f2 c1', { ...MODE_32, withoutVex: true })).toBe('invalid');
    expect(decoded('c5 62 78', { ...MODE_32, withoutVex: true }).row.text).toBe('LDS r32, m16:32');
  });
  test('outside 64-bit mode ignores B and the highest bit of vvvv, and W where it would be the size of a general register', () => {
    expect(decoded('c4 c2 b0 f2 c1', MODE_32).operands).toEqual(decoded('c4 e2 70 f2 c1', MODE_32).operands);
    expect(decoded('c4 c2 30 f2 c1', MODE_32).operands).toEqual(decoded('c4 e2 70 f2 c1', MODE_32).operands);
  });
});

describe('memory operands', () => {
  test('base, index, scale and displacement come from SIB with REX.X and REX.B', () => {
    expect(decoded('4b 01 8c f5 78 56 34 12').operands[0]).toEqual({
      kind: 'memory', width: 64, segment: 3, base: 13, index: 14, scale: 8, displacement: 0x12345678n, ripRelative: false, addressWidth: 64,
    });
  });
  test('mod 0 rm 5 is RIP-relative in 64-bit mode and an absolute address elsewhere', () => {
    expect(decoded('01 0d fc ff ff ff').operands[0]).toMatchObject({ ripRelative: true, base: 16, displacement: 0xffff_ffff_ffff_fffcn });
    expect(decoded('01 0d fc ff ff ff', MODE_32).operands[0]).toMatchObject({ ripRelative: false, base: 16, addressWidth: 32 });
  });
  test('RSP and RBP as base use SS', () => {
    expect(decoded('01 4d 00').operands[0]).toMatchObject({ base: 5, segment: 2 });
    expect(decoded('01 0c 24').operands[0]).toMatchObject({ base: 4, index: 16, segment: 2 });
    expect(decoded('41 01 4d 00').operands[0]).toMatchObject({ base: 13, segment: 3 });
  });
  test('67 in 32-bit mode gives the 16-bit forms', () => {
    expect(decoded('67 01 42 fe', MODE_32).operands[0]).toMatchObject({ base: 5, index: 6, segment: 2, addressWidth: 16, displacement: 0xffff_ffff_ffff_fffen });
    expect(decoded('67 01 06 34 12', MODE_32).operands[0]).toMatchObject({ base: 16, index: 16, displacement: 0x1234n });
  });
});

describe('what is no instruction', () => {
  test('a prefix of an instruction is truncated at every length', () => {
    const whole = bytes('f0 48 81 84 b7 78 56 34 12 01 02 03 04');
    expect(decode(whole, 0, MODE_64)).toMatchObject({ mnemonic: 'ADD', length: 13 });
    for (let n = 0; n < whole.length; n++) expect(decode(whole.subarray(0, n), 0, MODE_64)).toMatchObject({ kind: 'truncated' });
  });
  test('fifteen bytes are an instruction, sixteen are too long', () => {
    expect(decoded(`${'3e '.repeat(13)}01 c8`).length).toBe(15);
    expect(failure(`${'3e '.repeat(14)}01 c8`)).toBe('too-long');
    expect(failure('66 '.repeat(14).trim())).toBe('truncated');
    expect(failure('66 '.repeat(15).trim())).toBe('too-long');
  });
  test('what the manual defines and we have not built is told apart from #UD', () => {
    expect(failure('0f 24 f8')).toBe('invalid');
    expect(decode(bytes('0f 24 f8'), 0, MODE_32)).toMatchObject({ kind: 'unimplemented' });
    expect(failure('62 f1 7c 48 10 c1')).toBe('unimplemented');
    expect(failure('c5 ed 4b cb')).toBe('unimplemented');
    expect(failure('0f 0a')).toBe('invalid');
    expect(failure('06')).toBe('invalid');
  });
  test('RDFSBASE outside 64-bit mode is invalid, the instructions that share its opcode are only not built', () => {
    expect(decode(bytes('f3 0f ae c0'), 0, MODE_32)).toMatchObject({ kind: 'invalid' });
    expect(decode(bytes('f3 0f ae e8'), 0, MODE_32)).toMatchObject({ kind: 'unimplemented' });
  });
  test('immediates are sign-extended from their encoded width', () => {
    expect(decoded('48 83 c0 ff').operands[1]).toEqual({ kind: 'immediate', width: 8, value: 0xffff_ffff_ffff_ffffn });
    expect(decoded('66 05 00 80').operands[1]).toEqual({ kind: 'immediate', width: 16, value: 0xffff_ffff_ffff_8000n });
  });
});
