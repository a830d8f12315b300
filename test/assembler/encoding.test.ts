/** Laws over all rows of the table: what the assembler encodes, iced-x86 decodes to the same instruction and our decoder to the same row. */
import { describe, expect, test } from 'vitest';
import { CONDITION_NAMES } from '../../src/assembler/conditions.ts';
import { encodings } from '../../src/assembler/encode.ts';
import { FORMS, matchingForms, type Form } from '../../src/assembler/forms.ts';
import * as asm from '../../src/assembler/index.ts';
import { Memory, type FpuRegister, type GeneralRegister, type MmxRegister, type OperandValue, type SpecialRegister, type XmmRegister } from '../../src/assembler/index.ts';
import * as registers from '../../src/assembler/registers.ts';
import { decode as ownDecode, DecodeFailure } from '../../src/cpu/decode/decode.ts';
import { modeOf } from '../../src/cpu/isa/instruction.ts';
import type { OperandSpec } from '../../src/cpu/isa/row.ts';
import { ROWS } from '../../src/cpu/isa/table/index.ts';
import { decode, expectedText } from './support/iced.ts';

type Bits = 16 | 32 | 64;
type AnyRegister = GeneralRegister | FpuRegister | MmxRegister | SpecialRegister | XmmRegister;
const REGISTERS: readonly AnyRegister[] = Object.values(registers);
const NUMBERS = new Map(REGISTERS.filter((x) => x.kind === 'register' && x.width > 8).map((x) => [x.name, x.number]));
const general = (width: number, bits: Bits): GeneralRegister[] =>
  REGISTERS.filter((x): x is GeneralRegister => x.kind === 'register' && x.width === width && (bits === 64 || (x.number < 8 && (width !== 8 || x.high || x.number < 4))));

const xmmRegisters = (bits: Bits, width: 128 | 256): XmmRegister[] => REGISTERS.filter((x): x is XmmRegister => x.kind === 'xmm' && x.width === width && (bits === 64 || x.number < 8));
const mmxRegisters = REGISTERS.filter((x): x is MmxRegister => x.kind === 'mmx');

/** A small generator with a printed seed: mulberry32. */
const SEED = Number(process.env['SEED'] ?? Date.now() % 1e9);
let random = SEED;
function below(n: number): number {
  random = (random + 0x6d2b79f5) | 0;
  let t = Math.imul(random ^ (random >>> 15), 1 | random);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) % n;
}
const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T;

const EDGES = [0n, 1n, -1n, 0x7fn, -0x80n, 0x80n, 0x7fffn, -0x8000n, 0x12345678n, 0x7fffffffn, -0x80000000n];
const DISPLACEMENTS = [0n, 1n, -1n, 127n, -128n, 128n, -129n, 0x7fffffffn, -0x80000000n];

function someMemory(size: Memory['size'], bits: Bits): Memory {
  if (bits === 16 && below(2) === 0) return someMemory16(size);
  const width = bits === 64 && below(4) > 0 ? 64 : 32;
  const registers = general(width, bits);
  const index = below(2) === 0 ? pick(registers.filter((x) => x.number !== 4)) : undefined;
  // Without base and index a 32-bit absolute address in 64-bit code would be a 64-bit one.
  const base = below(6) > 0 ? pick(registers) : undefined;
  const segment = below(5) === 0 ? pick([asm.fs, asm.gs]) : undefined;
  const displacement = pick(bits === 16 && !base && !index ? DISPLACEMENTS.filter((x) => x >= 0n) : DISPLACEMENTS);
  return new Memory(size, { base, index, scale: index ? pick([1, 2, 4, 8]) : 1, displacement, label: undefined, segment });
}
/** One of the eight forms of 16-bit addresses. */
function someMemory16(size: Memory['size']): Memory {
  const [base, index] = pick([[asm.bx, asm.si], [asm.bx, asm.di], [asm.bp, asm.si], [asm.bp, asm.di], [asm.si], [asm.di], [asm.bp], [asm.bx]] as const);
  return new Memory(size, { base, index, scale: 1, displacement: pick([0n, 1n, -1n, 127n, -128n, 128n, -129n, 0x7fffn, -0x8000n]), label: undefined, segment: below(5) === 0 ? pick([asm.es, asm.fs]) : undefined });
}

/** A value that the spec accepts. */
function some(spec: OperandSpec, form: Form, n: number, bits: Bits): OperandValue {
  switch (spec.kind) {
    case 'register': return spec.at === 'fixed' ? general(spec.width, 64).find((x) => x.number === spec.number && !x.high) as GeneralRegister : pick(general(spec.width, bits));
    case 'rm-register': return pick(general(spec.width, bits));
    case 'register-or-memory': return below(2) === 0 ? pick(general(spec.width, bits)) : someMemory(spec.memoryBits as Memory['size'], bits);
    case 'xmm': return spec.at === 'fixed' ? xmmRegisters(bits, 128)[0] as XmmRegister : pick(xmmRegisters(bits, spec.width));
    case 'xmm-or-memory': return below(2) === 0 ? pick(xmmRegisters(bits, spec.width)) : someMemory(spec.memoryBits as Memory['size'], bits);
    case 'mmx': return pick(mmxRegisters);
    case 'mmx-or-memory': return below(2) === 0 ? pick(mmxRegisters) : someMemory(spec.memoryBits as Memory['size'], bits);
    case 'memory': {
      const size = spec.text === 'm2byte' ? '16' : /^m(16:\d\d|8|16|32|64|256|\d\d(?=fp|int|bcd))(fp|int|bcd)?$/.exec(spec.text)?.[1];
      return someMemory(size === undefined ? 0 : size.includes(':') ? size as Memory['size'] : Number(size) as Memory['size'], bits);
    }
    case 'fpu': return pick(REGISTERS.filter((x): x is FpuRegister => x.kind === 'fpu' && (spec.at === 'rm' || x.number === 0)));
    case 'memory-offset': return new Memory(spec.width, { base: undefined, index: undefined, scale: 1, displacement: bits === 64 ? 0x1122334455667788n : bits === 32 ? 0x11223344n : 0x1122n, label: undefined, segment: undefined });
    case 'immediate': return pick(EDGES.filter((x) => x >= -(1n << BigInt(spec.width - 1)) && x < 1n << BigInt(spec.width - (form.signExtended[n] ? 1 : 0))));
    case 'constant': return spec.value;
    case 'far-pointer': return asm.far(0x10, spec.offsetBits === 16 ? 0x1234 : 0x12345678);
    case 'relative': return '.here';
    default: return spec.at === 'fixed' ? REGISTERS.find((x) => x.kind === spec.kind && x.number === spec.number) as SpecialRegister
      : pick(REGISTERS.filter((x): x is SpecialRegister => x.kind === spec.kind && (bits === 64 || x.number < 8) && !(x.kind === 'segment' && x.name === 'cs' && n === 0) && !(x.kind === 'debug' && (x.number === 4 || x.number === 5))));
  }
}

const modesOf = (form: Form): Bits[] => form.row.modes === 'all' ? [16, 32, 64] : form.row.modes === '64' ? [64] : [16, 32];
const operationWidth = (form: Form, bits: Bits): number => typeof form.row.width === 'number' ? form.row.width : typeof form.row.size === 'number' ? form.row.size : bits;

/** What two decoders read differently from what was meant; undefined where they agree. */
function difference(form: Form, operands: readonly OperandValue[], bytes: Uint8Array, bits: Bits): string | undefined {
  const own = ownDecode(bytes, 0, modeOf(bits));
  if (own instanceof DecodeFailure) return `our decoder says ${own.what}`;
  if (own.row.encodingText !== form.row.encodingText || own.length !== bytes.length) return `our decoder reads ${own.length} bytes as ${own.row.text} = ${own.row.encodingText}`;
  const iced = decode(bytes, bits);
  if (iced.length !== bytes.length || !icedMnemonic(form).test(iced.mnemonic)) return `iced reads ${iced.length} bytes as ${iced.mnemonic}`;
  if (iced.mnemonic === 'cldemote') return undefined; // ignores ModRM.reg
  // What MASKMOVDQU writes stands in no operand of ours.
  const shown = iced.operands.filter((x) => !x.startsWith('implicit'));
  const wrong = form.row.operands.findIndex((spec, n) => !sameOperand(form, spec, n, operands, shown, bytes.length, bits));
  return wrong < 0 ? undefined : `iced reads operand ${wrong} as ${iced.operands[wrong]}`;
}

function sameOperand(form: Form, spec: OperandSpec, n: number, operands: readonly OperandValue[], shown: readonly string[], length: number, bits: Bits): boolean {
  const text = shown[n] ?? '';
  if (spec.kind === 'relative') return text === `-> ${spec.width === 16 ? length & 0xffff : length}`;
  if (spec.kind === 'immediate') {
    const width = operationWidth(form, bits);
    return BigInt.asUintN(width, BigInt(text)) === BigInt.asUintN(width, BigInt.asUintN(form.signExtended[n] ? 64 : spec.width, operands[n] as bigint));
  }
  // iced does not show XMM0 where it is no field of the encoding.
  if (spec.kind === 'xmm' && spec.at === 'fixed') return text === '';
  const expected = expectedText(operands[n] as OperandValue, bits, 64);
  // Exchanging is symmetrical, and iced shows the accumulator of XCHG second.
  if (form.row.mnemonic === 'XCHG' && form.row.encoding.registerInOpcode) return shown.includes(expected);
  // iced also shows the top of the x87 stack where the manual's line leaves it out.
  if (spec.kind === 'fpu' && form.row.operands.length === 1) return shown.includes(expected);
  // A reserved NOP reads no register, so nothing tells how wide it is.
  if (form.row.mnemonic === 'RESERVEDNOP' && NUMBERS.has(text)) return NUMBERS.get(text) === (operands[n] as AnyRegister).number;
  // The tables differ in how wide they call a register of which a system instruction reads 16 bits.
  if (form.row.meaning.kind === 'system' && NUMBERS.has(text)) return NUMBERS.get(text) === (operands[n] as AnyRegister).number;
  return text === expected;
}

describe(`every row encodes to bytes that iced-x86 decodes to the same instruction (seed ${SEED})`, () => {
  for (const [name, forms] of FORMS) {
    test(`${name} encodes`, () => {
      const differences: string[] = [];
      for (const form of forms) {
        for (const bits of modesOf(form)) {
          let encoded = 0;
          for (let round = 0; round < 12; round++) {
            const operands = form.row.operands.map((spec, n) => some(spec, form, n, bits));
            for (const { bytes, fixups } of encodings(form, operands, {}, bits)) {
              encoded++;
              const found = fixups.length === form.row.operands.filter((x) => x.kind === 'relative').length ? difference(form, operands, bytes, bits) : `${fixups.length} fixups`;
              if (found !== undefined) differences.push(`${bits}-bit ${form.row.text} = ${form.row.encodingText}: ${operands.map((x) => asm.operandText(x)).join(', ')} -> ${Buffer.from(bytes).toString('hex')}: ${found}`);
            }
          }
          if (encoded === 0) differences.push(`${bits}-bit ${form.row.text} was never encodable`);
        }
      }
      expect(differences).toEqual([]);
    });
  }
});

/** iced names a condition by the first of its names, all far returns RETF, and knows what newer processors make of some reserved NOPs. */
function icedMnemonic({ row, condition }: Form): RegExp {
  if (row.mnemonic === 'RESERVEDNOP') return /^(reservednop|prefetch.*|cldemote)$/;
  if (/^V?PCMPESTR/.test(row.mnemonic)) return new RegExp(`^${row.mnemonic}${row.width === 64 || row.encoding.rexW ? '64' : ''}$`, 'i');
  const name = row.encoding.conditionInOpcode ? row.mnemonic.slice(0, -2) + (CONDITION_NAMES[condition] as readonly string[])[0] : row.mnemonic.replace(/^RETF.$/, 'RETF');
  return new RegExp(`^${name}$`, 'i');
}

test('every row of the table is a form of some method', () => {
  const covered = new Set([...FORMS.values()].flat().map((x) => x.row));
  expect(ROWS.filter((x) => !covered.has(x)).map((x) => x.text)).toEqual([]);
  expect(matchingForms([], [], 64, undefined)).toEqual([]);
});
