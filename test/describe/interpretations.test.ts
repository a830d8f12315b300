import { describe, expect, test } from 'vitest';
import { decode, DecodeFailure } from '../../src/cpu/decode/decode.ts';
import { effectsOf, type Effects } from '../../src/cpu/describe/effects.ts';
import { format } from '../../src/cpu/describe/format.ts';
import { pseudocode } from '../../src/cpu/describe/pseudocode.ts';
import { checkWidths } from '../../src/cpu/describe/widths.ts';
import { MODE_64, type Instruction } from '../../src/cpu/isa/instruction.ts';
import { RAX, RBX, RCX, RDI, RSI, RSP } from '../../src/cpu/isa/operand.ts';
import type { Semantics } from '../../src/cpu/isa/row.ts';
import { ROWS } from '../../src/cpu/isa/table/index.ts';

const decoded = (text: string): Instruction => {
  const i = decode(Uint8Array.from(text.split(' '), (x) => parseInt(x, 16)), 0, MODE_64);
  if (i instanceof DecodeFailure) throw new Error(`${text}: ${i.what}`);
  return i;
};
const effects = (text: string): Effects => {
  const e = effectsOf(decoded(text));
  if (e === undefined) throw new Error(`${text} is a system instruction`);
  return e;
};

const broken: Semantics = (o) => { o.add(32, o.const(32, 0n), o.const(16, 0n)); };
const symbols = (address: bigint): string | undefined => (address === 0x40_1005n ? 'next' : undefined);

describe('effects', () => {
  test('ADC [rax+rcx*8], rbx reads three registers and CF, modifies memory and writes all status flags', () => {
    const e = effects('48 11 1c c8');
    expect(e.registersRead).toEqual(new Set([RAX, RCX, RBX]));
    expect(e.registersWritten.size).toBe(0);
    expect(e.flagsRead).toEqual(new Set(['CF']));
    expect(e.flagsAlwaysWritten).toEqual(new Set(['CF', 'PF', 'AF', 'ZF', 'SF', 'OF']));
    expect(e).toMatchObject({ memoryRead: true, memoryWritten: true, mayFault: true, branches: false, repeats: false });
  });
  test('a shift by CL may leave the flags, so none is always written', () => {
    const e = effects('48 d3 e0');
    expect(e.flagsWritten.has('CF')).toBe(true);
    expect(e.flagsAlwaysWritten.size).toBe(0);
  });
  test('REP MOVSB repeats, reads and writes memory and moves three registers', () => {
    const e = effects('f3 a4');
    expect(e.registersWritten).toEqual(new Set([RSI, RDI, RCX]));
    expect(e).toMatchObject({ memoryRead: true, memoryWritten: true, repeats: true });
    expect(e.flagsRead).toEqual(new Set(['DF']));
  });
  test('LEA touches no memory and cannot fault; CALL does and can', () => {
    expect(effects('48 8d 04 08')).toMatchObject({ memoryRead: false, mayFault: false });
    const call = effects('e8 00 00 00 00');
    expect(call.registersWritten).toEqual(new Set([RSP]));
    expect(call).toMatchObject({ memoryWritten: true, branches: true });
  });
  test('ADDSD xmm1, [rax] reads and writes XMM1 and MXCSR, CVTSI2SD xmm1, eax leaves MXCSR alone', () => {
    const e = effects('f2 0f 58 08');
    expect([e.xmmRead, e.xmmWritten, e.registersRead]).toEqual([new Set([1]), new Set([1]), new Set([RAX])]);
    expect(e).toMatchObject({ mxcsrRead: true, mxcsrWritten: true, memoryRead: true });
    expect(effects('f2 0f 2a c8')).toMatchObject({ mxcsrRead: false, mxcsrWritten: false, mayFault: true });
    expect(effects('0f 28 c1').xmmRead).toEqual(new Set([1]));
  });
});

describe('widths', () => {
  test('a semantics that mixes widths is refused by name', () => {
    const i = decoded('01 c8');
    expect(() => checkWidths({ ...i, row: { ...i.row, meaning: { kind: 'translated', semantics: broken } } })).toThrow('ADD r/m32, r32: add of 32 bits with 32 and 16');
    expect(() => checkWidths(i)).not.toThrow();
  });
});

describe('format', () => {
  test('branch targets and addresses are shown by their symbols', () => {
    expect(format(decoded('e8 00 00 00 00'), 0x40_1000n, symbols)).toBe('call next');
    expect(format(decoded('8b 05 ff ff ff ff'), 0x40_1000n, symbols)).toBe('mov eax, dword ptr [next]');
    expect(format(decoded('48 11 5c c8 10'), 0n)).toBe('adc qword ptr [rax+rcx*8+0x10], rbx');
  });
});

describe('pseudocode', () => {
  test.each([
    ['48 11 5c c8 10', ['value ← 64 bits at ds:[rax + rcx*8 + 0x10]', '64 bits at ds:[rax + rcx*8 + 0x10] ← (value + rbx) + CF', 'CF PF AF ZF SF OF ← of value + rbx + CF']],
    ['53', ['64 bits at ss:[rsp - 8] ← rbx', 'rsp ← rsp - 8']],
    ['74 10', ['if ZF: rip ← 0x401012']],
    ['0f af c3', ['eax ← eax * ebx']],
    ['66 0f fe 08', ['#GP(0) unless ds:[rax] is a multiple of 16', 'value ← 128 bits at ds:[rax]', 'xmm1 ← i32x4.add(xmm1, value)']],
    ['66 0f 72 d1 05', ['xmm1 ← i32x4.shr_u(xmm1, 5)']],
    ['f2 0f 2c c1', ['eax ← i32.trunc_f64_s(xmm1)']],
    ['f3 0f 7e c1', ['xmm0 ← 0:xmm1.i64x2[0]']],
    ['8b 05 10 00 00 00', ['value ← 32 bits at ds:[0x401016]', 'eax ← value']],
  ])('of %s', (text, lines) => {
    expect(pseudocode(decoded(text), 0x40_1000n).slice(0, lines.length)).toEqual(lines);
  });
  test('no row leaves it without words', () => {
    const silent = ROWS.filter((row) => row.meaning.kind === 'translated' && !/^(NOP|RESERVEDNOP|PAUSE|PREFETCH|ENDBR|.FENCE|CLFLUSH)/.test(row.mnemonic))
      .filter((row) => row.encoding.modrm === 'none' && row.operands.length === 0 && row.modes !== 'legacy' && row.encoding.map === '')
      .filter((row) => pseudocode(decoded(`${row.encoding.rexW ? '48 ' : ''}${row.encoding.opcode.toString(16).padStart(2, '0')}`), 0n).length === 0);
    expect(silent.map((row) => row.text)).toEqual([]);
  });
});
