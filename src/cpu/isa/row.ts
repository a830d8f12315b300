/**
 * A row of the instruction table: one line of the manual, spelled its way, e.g. `['ADC r/m64, r64', 'REX.W 11 /r']`.
 * This file gives the spelling its meaning: it parses a row and refuses one that contradicts itself. The decoder,
 * the assembler, the disassembler and the tests all work from the parsed row.
 * SDM Vol. 2A, "Interpreting the Instruction Reference Pages".
 */
import type { Cpu } from '../cpu.ts';
import { fieldsOf, parseEncoding, type Encoding, type Field } from './encoding.ts';
import type { CpuFeature } from './features.ts';
import type { Instruction } from './instruction.ts';
import type { Ops } from './ops.ts';
import type { Width } from './operand.ts';

/** The meaning of an ordinary instruction, written once over the vocabulary. */
export type Semantics = <V, B, X>(o: Ops<V, B, X>, i: Instruction) => void;
/** The meaning of an instruction that changes the machine's mode or leaves it: plain TypeScript on the concrete CPU; it ends the block. */
export type SystemSemantics = (cpu: Cpu, i: Instruction) => void;
export type Meaning =
  | { readonly kind: 'translated'; readonly semantics: Semantics }
  /** The same, on the x87 stack: judged by cases of its own (test/fpu). */
  | { readonly kind: 'x87'; readonly semantics: Semantics }
  /** The same, of one that a device answers: it ends the block, and is judged by cases of its own (test/system). */
  | { readonly kind: 'device'; readonly semantics: Semantics }
  | { readonly kind: 'system'; readonly execute: SystemSemantics };

/** What one place in an operand list accepts, and where it is encoded. */
export type OperandSpec =
  /** General register: in ModRM.reg (`r64`), in the opcode byte (`50+rd`), in VEX.vvvv (`r64b`), or fixed (`AL`, `RAX`, `CL`, `DX`). */
  | { readonly kind: 'register'; readonly text: string; readonly width: Width; readonly at: 'reg' | 'opcode' | 'vvvv' | 'fixed'; readonly number: number }
  /** `r/m32`, `r32/m16`: ModRM.rm, register or memory. */
  | { readonly kind: 'register-or-memory'; readonly text: string; readonly width: Width; readonly memoryBits: number }
  /** A general register in ModRM.rm where memory is not allowed (MOV CR, MOV DR, SMSW ...). */
  | { readonly kind: 'rm-register'; readonly text: string; readonly width: Width }
  /** `xmm1`, `ymm1`: a register in ModRM.reg, in ModRM.rm where that can be nothing else (MOVHLPS xmm1, xmm2; PSLLW xmm1, imm8), in VEX.vvvv, or in bits 7:4 of an immediate byte (`/is4`); `<XMM0>`: that one. */
  | { readonly kind: 'xmm'; readonly text: string; readonly width: 128 | 256; readonly at: 'reg' | 'rm' | 'vvvv' | 'is4' | 'fixed' }
  /** `xmm2/m64`, `ymm2/m256`: ModRM.rm, register or memory. */
  | { readonly kind: 'xmm-or-memory'; readonly text: string; readonly width: 128 | 256; readonly memoryBits: number }
  /** `mm`, `mm1`: an MMX register, in ModRM.reg or ModRM.rm as an XMM register is; `mm/m64`: ModRM.rm, MMX register or memory. */
  | { readonly kind: 'mmx'; readonly text: string; readonly at: 'reg' | 'rm' }
  | { readonly kind: 'mmx-or-memory'; readonly text: string; readonly memoryBits: number }
  /** `ST(0)`: fixed; `ST(i)`: a register of the x87 stack in ModRM.rm. */
  | { readonly kind: 'fpu'; readonly text: string; readonly at: 'fixed' | 'rm' }
  /** `m`, `m8` ... `m16:64`, `m16&32`: ModRM.rm, memory only. bits: size of the access, 0 for `m`. `vm32x`, `vm64y`: an element at each index of an XMM or YMM register. */
  | { readonly kind: 'memory'; readonly text: string; readonly bits: number; readonly vectorIndex?: 128 | 256 }
  /** `imm8` ... `imm64`. */
  | { readonly kind: 'immediate'; readonly text: string; readonly width: Width }
  /** The constant 1 of shifts, 3 of INT 3: no bytes. */
  | { readonly kind: 'constant'; readonly text: string; readonly value: 1 | 3 }
  | { readonly kind: 'relative'; readonly text: string; readonly width: 8 | 16 | 32 }
  | { readonly kind: 'far-pointer'; readonly text: string; readonly offsetBits: 16 | 32 }
  /** `moffs8` ...: an address-size offset behind the opcode. */
  | { readonly kind: 'memory-offset'; readonly text: string; readonly width: Width }
  /** `Sreg`, `CRn`, `DRn`: ModRM.reg; `ES` ... `GS`: fixed. */
  | { readonly kind: 'segment' | 'control' | 'debug'; readonly text: string; readonly at: 'reg' | 'fixed'; readonly number: number };

/** Attributes of one mnemonic, or of one line where they differ. */
export interface RowOptions {
  /** Where the line is valid: `all`, `64` (64-bit mode only) or `legacy` (not in 64-bit mode). Default: `64` where a 64-bit operand or REX.W says so, else `all`. */
  readonly modes?: 'all' | '64' | 'legacy';
  /** The operand size that selects this line; `any` where operand size does not matter. Default: from the first sized operand. */
  readonly size?: 16 | 32 | 64 | 'any';
  /** Operation width in bits; `effective`: the operand size in effect. Default: width of the first sized operand, else `effective`. */
  readonly width?: Width | 'effective';
  /** In 64-bit mode the operand size is 64 without REX.W: `default` (66 still gives 16: stack) or `forced` (66 ignored: near branches). */
  readonly size64?: 'default' | 'forced';
  /** The address size that selects this line (JCXZ, JECXZ, JRCXZ share one opcode). Default: every size. */
  readonly addressSize?: 16 | 32 | 64;
  /** LOCK is allowed with a memory destination. */
  readonly lock?: boolean;
  /** F3 / F2 repeat the instruction: `rep` (both the same) or `repe` (F3 while ZF, F2 while not ZF). */
  readonly repeat?: 'rep' | 'repe';
  /** Flags read, written (always defined), or left undefined, as `'CF ZF'`. */
  readonly reads?: string;
  readonly writes?: string;
  readonly undefined?: string;
  /** Of three registers the last is in ModRM.reg and the first in ModRM.rm, the manual's MVR: what a store of a register to a register is. */
  readonly lastInReg?: boolean;
  /** The line is #UD on a processor without it. */
  readonly feature?: CpuFeature;
  /** A second feature without which the line is #UD (VAESENC needs AES and AVX). */
  readonly alsoNeeds?: CpuFeature;
  /** A processor without the feature ignores the prefix instead: the line without it is meant (F3 0F BD is BSR). */
  readonly prefixIgnored?: boolean;
}

/** One parsed line of the table. */
export interface Row {
  /** As written: `ADC r/m64, r64`. */
  readonly text: string;
  /** As written: `REX.W 11 /r`. */
  readonly encodingText: string;
  /** `ADC`; of a `cc` row, `Jcc`. */
  readonly mnemonic: string;
  readonly operands: readonly OperandSpec[];
  readonly encoding: Encoding;
  readonly meaning: Meaning;
  readonly modes: 'all' | '64' | 'legacy';
  readonly size: 16 | 32 | 64 | 'any';
  readonly width: Width | 'effective';
  readonly size64: 'default' | 'forced' | undefined;
  readonly addressSize: 16 | 32 | 64 | undefined;
  readonly lock: boolean;
  readonly repeat: 'rep' | 'repe' | undefined;
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  readonly undefinedFlags: readonly string[];
  readonly feature: CpuFeature | undefined;
  readonly alsoNeeds: CpuFeature | undefined;
  readonly prefixIgnored: boolean;
}

/** A line as it stands in a table file. */
export type Line = readonly [text: string, encoding: string, options?: RowOptions];
/** A mnemonic with its meaning and its lines; keeps the literal types of the lines, from which the assembler's types are derived. */
export interface Entry<L extends readonly Line[] = readonly Line[]> { readonly meaning: Meaning; readonly options: RowOptions; readonly lines: L }

/** An ordinary instruction: its semantics, what its lines share, its lines. */
export function instruction<const L extends readonly Line[]>(semantics: Semantics, options: RowOptions, lines: L): Entry<L> {
  return { meaning: { kind: 'translated', semantics }, options, lines };
}
/** An x87 instruction that is written over the vocabulary. */
export function x87Instruction<const L extends readonly Line[]>(semantics: Semantics, options: RowOptions, lines: L): Entry<L> {
  return { meaning: { kind: 'x87', semantics }, options, lines };
}
/** An instruction that a device answers. */
export function deviceInstruction<const L extends readonly Line[]>(semantics: Semantics, options: RowOptions, lines: L): Entry<L> {
  return { meaning: { kind: 'device', semantics }, options, lines };
}
/** A system instruction. */
export function system<const L extends readonly Line[]>(execute: SystemSemantics, options: RowOptions, lines: L): Entry<L> {
  return { meaning: { kind: 'system', execute }, options, lines };
}

const FIXED_REGISTERS: Record<string, { width: Width; number: number }> = {
  AL: { width: 8, number: 0 }, CL: { width: 8, number: 1 }, AX: { width: 16, number: 0 }, DX: { width: 16, number: 2 },
  EAX: { width: 32, number: 0 }, ECX: { width: 32, number: 1 }, RAX: { width: 64, number: 0 },
};
const SEGMENTS = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS'];
const FAR_BITS: Record<string, number> = { 'm16:16': 32, 'm16:32': 48, 'm16:64': 80, 'm16&16': 32, 'm32&32': 64, 'm16&32': 48, 'm16&64': 80 };
/** Memory operands of x87 instructions; 0 where the size depends on the mode. */
const FPU_BITS: Record<string, number> = {
  m32fp: 32, m64fp: 64, m80fp: 80, m16int: 16, m32int: 32, m64int: 64, m80bcd: 80, m2byte: 16, 'm14/28byte': 0, 'm94/108byte': 0, m512byte: 0,
};

/** `elementBits`: of what is gathered, which VEX.W says. */
function parseOperand(text: string, field: Field, elementBits: 32 | 64): OperandSpec {
  const fixed = FIXED_REGISTERS[text];
  if (fixed) return { kind: 'register', text, at: 'fixed', ...fixed };
  if (SEGMENTS.includes(text)) return { kind: 'segment', text, at: 'fixed', number: SEGMENTS.indexOf(text) };
  if (text === 'Sreg') return { kind: 'segment', text, at: 'reg', number: 0 };
  if (text === 'CRn') return { kind: 'control', text, at: 'reg', number: 0 };
  if (text === 'CR8') return { kind: 'control', text, at: 'fixed', number: 8 };
  if (text === 'DRn') return { kind: 'debug', text, at: 'reg', number: 0 };
  if (text === '<XMM0>') return { kind: 'xmm', text, width: 128, at: 'fixed' };
  if (text === '1' || text === '3') return { kind: 'constant', text, value: text === '1' ? 1 : 3 };
  if (text === 'ST(0)' || text === 'ST(i)') return { kind: 'fpu', text, at: text === 'ST(i)' ? 'rm' : 'fixed' };
  const special = FPU_BITS[text];
  if (special !== undefined) return { kind: 'memory', text, bits: special };
  if (text === 'm') return { kind: 'memory', text, bits: 0 };
  const far = FAR_BITS[text];
  if (far !== undefined) return { kind: 'memory', text, bits: far };
  const indexed = /^vm(?:32|64)([xy])$/.exec(text);
  if (indexed) return { kind: 'memory', text, bits: elementBits, vectorIndex: indexed[1] === 'y' ? 256 : 128 };
  const vector = /^([xy]?mm)\d?(?:\/m(\d+))?$/.exec(text);
  if (vector) {
    const memoryBits = Number(vector[2]);
    if (vector[1] === 'mm') return vector[2] === undefined ? { kind: 'mmx', text, at: field === 'rm' ? 'rm' : 'reg' } : { kind: 'mmx-or-memory', text, memoryBits };
    const width = vector[1] === 'ymm' ? 256 : 128;
    return vector[2] === undefined ? { kind: 'xmm', text, width, at: field === 'opcode' ? 'reg' : field } : { kind: 'xmm-or-memory', text, width, memoryBits };
  }
  const match = /^(r\/m|r(\d+)\/m|r|m|imm|rel|ptr16:|moffs)(\d+)[ab]?$/.exec(text);
  if (!match) throw new Error(`operand "${text}" is not spelled as in the manual`);
  const bits = Number(match[3]);
  const width = bits as Width;
  if (match[2] !== undefined) return { kind: 'register-or-memory', text, width: Number(match[2]) as Width, memoryBits: bits };
  switch (match[1]) {
    case 'r/m': return { kind: 'register-or-memory', text, width, memoryBits: bits };
    case 'r': if (field === 'is4') throw new Error('a general register in an immediate byte');
      return field === 'rm' ? { kind: 'rm-register', text, width } : { kind: 'register', text, width, at: field, number: 0 };
    case 'm': return { kind: 'memory', text, bits };
    case 'imm': return { kind: 'immediate', text, width };
    case 'rel': return { kind: 'relative', text, width: bits as 8 | 16 | 32 };
    case 'ptr16:': return { kind: 'far-pointer', text, offsetBits: bits as 16 | 32 };
    default: return { kind: 'memory-offset', text, width };
  }
}

/** Bits of an operand that say which operand size the line is for; undefined where the operand is silent. */
function sizedWidth(x: OperandSpec): Width | undefined {
  switch (x.kind) {
    case 'register': return x.text === 'DX' || x.text === 'CL' ? undefined : x.width;
    case 'register-or-memory': case 'rm-register': case 'memory-offset': return x.width;
    case 'memory': if (x.text.startsWith('m16:')) return (x.bits - 16) as Width;
      return x.bits === 8 || x.bits === 16 || x.bits === 32 || x.bits === 64 ? x.bits : undefined;
    case 'far-pointer': return x.offsetBits;
    default: return undefined;
  }
}
/** An XMM or MMX register, or memory in its place. */
export const isVector = (x: OperandSpec): boolean => x.kind === 'xmm' || x.kind === 'mmx' || isVectorOrMemory(x);
export const isVectorOrMemory = (x: OperandSpec): x is Extract<OperandSpec, { kind: 'xmm-or-memory' | 'mmx-or-memory' }> => x.kind === 'xmm-or-memory' || x.kind === 'mmx-or-memory';
const flagList = (text: string | undefined): readonly string[] => (text === undefined || text === '' ? [] : text.split(' '));

/** Parses one line. Throws Error naming the line when it contradicts itself: a row is checked when the table is built. */
export function parseRow(entry: Entry, line: Line): Row {
  const [text, encodingText, own] = line;
  const options = { ...entry.options, ...own };
  try {
    const encoding = parseEncoding(encodingText);
    const space = text.indexOf(' ');
    const mnemonic = space < 0 ? text : text.slice(0, space);
    const operandTexts = space < 0 ? [] : text.slice(space + 1).split(', ');
    const fields = fieldsOf(operandTexts, encoding, options.lastInReg);
    const operands = operandTexts.map((x, n) => parseOperand(x, fields[n] as Field, encoding.vex?.w === 1 ? 64 : 32));

    const needsModrm = operands.some((x) => x.kind === 'register-or-memory' || x.kind === 'memory' || x.kind === 'rm-register' || x.kind === 'fpu' || isVector(x) || (x.kind === 'register' && x.at === 'reg'));
    if (needsModrm && encoding.modrm === 'none') throw new Error('operands need a ModRM byte, the encoding has none');
    const immediates = operands.filter((x) => x.kind === 'immediate' || x.kind === 'relative' || x.kind === 'far-pointer' || x.kind === 'memory-offset');
    if (immediates.length !== encoding.trailing.length) throw new Error(`${immediates.length} immediate operands, ${encoding.trailing.length} in the encoding`);

    // With a VEX prefix general registers alone have an operand size.
    const sized = operands.filter((x) => encoding.vex === undefined || x.kind !== 'memory').map(sizedWidth).find((w) => w !== undefined);
    const relative = operands.find((x) => x.kind === 'relative');
    const defaultSize = encoding.rexW ? 64 : sized === undefined ? (relative?.width === 16 ? 16 : 'any') : sized === 8 ? 'any' : sized;
    const size = options.size ?? defaultSize;
    const wide = encoding.rexW || size === 64 || (encoding.vex !== undefined && sized === 64);
    return {
      text, encodingText, mnemonic, operands, encoding, meaning: entry.meaning,
      modes: options.modes ?? (wide ? '64' : 'all'),
      size,
      width: options.width ?? sized ?? (size === 'any' ? 'effective' : size),
      size64: options.size64,
      addressSize: options.addressSize,
      lock: options.lock ?? false,
      repeat: options.repeat,
      reads: flagList(options.reads),
      writes: flagList(options.writes),
      undefinedFlags: flagList(options.undefined),
      feature: options.feature,
      alsoNeeds: options.alsoNeeds,
      prefixIgnored: options.prefixIgnored ?? false,
    };
  } catch (cause) {
    throw new Error(`table row "${text}" = "${encodingText}": ${(cause as Error).message}`, { cause });
  }
}
