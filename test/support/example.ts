/**
 * Tests that read as documentation: an instruction as text, the state that matters before it and after it. What is not
 * named holds a pattern and must not change; a flag that is not named was 0 and must stay so, unless the manual leaves it undefined.
 */
import { describe, expect, test } from 'vitest';
import { decode, DecodeFailure } from '../../src/cpu/decode/decode.ts';
import { VECTOR } from '../../src/cpu/exceptions.ts';
import { STATUS } from '../../src/cpu/fpu/control.ts';
import { RFLAGS } from '../../src/cpu/flags.ts';
import { MODE_32, MODE_64 } from '../../src/cpu/isa/instruction.ts';
import { assembleText } from './assemble-text.ts';
import { flagBits, fpuText, hexBytes } from './silicon/compare.ts';
import { SiliconWorld } from './silicon/run.ts';
import { defaultRegister } from './silicon/vectors.ts';
import { DATA, dataPattern, defaultFpu, defaultSimd, PAGE, START, type Fpu, type Simd } from './silicon/world.ts';
import { littleEndian } from './encode-row.ts';
import { countExample, isCounting } from './rows-shown.ts';

/** Where examples keep a memory operand, and where their stack is. */
export const MEMORY = DATA + 0x200n;
export const STACK = DATA + 0x1000n;
/** Memory that may be read and not written, and memory that is not mapped. */
export const READ_ONLY = DATA + 0x2000n;
export const UNMAPPED = DATA + 0x3000n;
/** An address in the code, n bytes behind the instruction's first byte. */
export const code = (bytes: number): bigint => START + BigInt(bytes);

const NAMES = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15'] as const;
const FLAG_NAMES = ['CF', 'PF', 'AF', 'ZF', 'SF', 'OF', 'DF'] as const;

type XmmName = `xmm${0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13 | 14 | 15}`;
type YmmName = `ymm${0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13 | 14 | 15}`;
type MmxName = `mm${0 | 1 | 2 | 3 | 4 | 5 | 6 | 7}`;
type Registers = { readonly [R in (typeof NAMES)[number] | XmmName | YmmName | MmxName]?: bigint };
type Flags = { readonly [F in (typeof FLAG_NAMES)[number]]?: 0 | 1 };
export interface State extends Registers, Flags {
  /** Bytes at MEMORY, as one little-endian number of that size or as a list of bytes. */
  readonly byte?: bigint;
  readonly word?: bigint;
  readonly dword?: bigint;
  readonly qword?: bigint;
  readonly xmmword?: bigint;
  readonly ymmword?: bigint;
  readonly bytes?: readonly number[];
  /** MXCSR; default: all exceptions masked, round to nearest. */
  readonly mxcsr?: number;
  /** Stack slots from the stack pointer upwards, as wide as the mode's code. */
  readonly stack?: readonly bigint[];
}
export interface Result extends State {
  /** Where execution goes on; default: behind the instruction. */
  readonly rip?: bigint;
  readonly fault?: { readonly vector: number; readonly errorCode?: number; readonly cr2?: bigint };
}

export const DE = { vector: VECTOR.DE };
export const XM = { vector: VECTOR.XM };
export const UD = { vector: VECTOR.UD };
export const BR = { vector: VECTOR.BR };
export const GP = { vector: VECTOR.GP };
export const SS = { vector: VECTOR.SS };
/** #PF in user mode. */
export const PF = (cr2: bigint, { write = false, present = false } = {}): NonNullable<Result['fault']> =>
  ({ vector: VECTOR.PF, errorCode: 4 | (write ? 2 : 0) | (present ? 1 : 0), cr2 });

// ----------------------------------------------------------------------------------------------------------- state
const memoryBytes = (s: State): number[] | undefined => {
  if (s.bytes) return [...s.bytes];
  for (const [name, bytes] of [['byte', 1], ['word', 2], ['dword', 4], ['qword', 8], ['xmmword', 16], ['ymmword', 32]] as const) {
    const value = s[name];
    if (value !== undefined) return littleEndian(value, bytes);
  }
  return undefined;
};
const flagWord = (s: Flags): number => FLAG_NAMES.reduce((word, f) => (s[f] === 1 ? word | RFLAGS[f] : word), 0);

/** Every engine that must agree with the book. */
const ENGINES = (['reference', 'interpreter', 'translator'] as const).map((name) => ({ name: `${name} engine`, world: new SiliconWorld(name) }));

export interface ExampleOptions {
  readonly bits?: 32 | 64;
  /** The bytes themselves, for encodings that the assembler does not choose. */
  readonly bytes?: readonly number[];
}

/** What memory holds: the pattern, with the state's bytes over it. */
function memoryOf(before: Uint8Array, s: State, rsp: bigint, slot: number): Uint8Array {
  const memory = before.slice();
  const put = (address: bigint, bytes: readonly number[]): void => { memory.set(bytes, Number(address - DATA)); };
  const operand = memoryBytes(s);
  if (operand) put(MEMORY, operand);
  s.stack?.forEach((v, n) => { put(rsp + BigInt(n * slot), littleEndian(v, slot)); });
  return memory;
}

/**
 * The XMM or YMM registers and MXCSR of a state; what it does not name is as in `unless`. Bits 255:128 behind a named XMM register are `above`: kept before
 * an instruction with a VEX prefix, 0 after it.
 */
const simdOf = (s: State, unless: Simd, above: 'kept' | 'cleared'): Simd => ({
  ...unless, mxcsr: s.mxcsr ?? unless.mxcsr,
  xmm: unless.xmm.map((v, n) => {
    const low = s[`xmm${n}` as XmmName];
    return s[`ymm${n}` as YmmName] ?? (low === undefined ? v : above === 'kept' ? ((v >> 128n) << 128n) | low : low);
  }),
});
const simdText = ({ xmm, mxcsr }: Simd): string => `${xmm.map((v, n) => `XMM${n}=${v.toString(16)}`).join(' ')} MXCSR=${mxcsr.toString(16)}`;
const flagText = (word: number): string => FLAG_NAMES.filter((f) => (word & RFLAGS[f]) !== 0).join(' ');
const registerText = (values: readonly bigint[]): string => values.map((v, n) => `${NAMES[n]}=${v.toString(16)}`).join(' ');
const faultText = (f: Result['fault']): string => (f ? `vector ${f.vector} error ${f.errorCode ?? 0} CR2 ${(f.cr2 ?? 0n).toString(16)}` : 'none');
function memoryDifference(expected: Uint8Array, got: Uint8Array): string {
  const at = expected.findIndex((b, n) => b !== got[n]);
  return at < 0 ? 'as expected' : `from DATA + 0x${at.toString(16)}: ${hexBytes(got.subarray(at, at + 16))}, expected ${hexBytes(expected.subarray(at, at + 16))}`;
}

/** The x87 registers with the MMX registers of a state in them, whose other bits are ones. */
const withMmx = (s: State, fpu: Fpu): Fpu => ({ ...fpu, registers: fpu.registers.map((v, n) => { const mm = s[`mm${n}` as MmxName]; return mm === undefined ? v : (0xffffn << 64n) | mm; }) });
/** What an instruction on MMX registers makes of the x87 stack: TOP is 0, no register is empty. */
const inMmxState = (fpu: Fpu): Fpu => ({ ...fpu, status: fpu.status & ~STATUS.TOP, valid: 0xff });
const mmxText = (fpu: Fpu | undefined): string => (fpu ? `${fpu.registers.map((v, n) => `R${n}=${v.toString(16)}`).join(' ')} ${fpuText(fpu)}` : '');

/** One example of the instruction that `instruction` names. */
export function example(sentence: string, text: string, before: State, result: Result, options: ExampleOptions = {}): void {
  const bits = options.bits ?? 64;
  const bytes = options.bytes ? Uint8Array.from(options.bytes) : assembleText(text, bits, START);
  const i = decode(bytes, 0, bits === 64 ? MODE_64 : MODE_32);
  if (countExample(i instanceof DecodeFailure ? undefined : i.row)) return;
  for (const engine of ENGINES) {
    test(`${sentence}: ${text} › ${engine.name}`, () => {
      const code = bytes;
      const initial = NAMES.map((name, n) => before[name] ?? (name === 'rsp' ? STACK : defaultRegister(n, bits)));
      const rspBefore = initial[4] as bigint;
      const pattern = dataPattern();
      const start = memoryOf(pattern, before, rspBefore, bits / 8);
      const gpr = NAMES.map((name, n) => result[name] ?? initial[n] as bigint);
      const end = memoryOf(start, result, gpr[4] as bigint, bits / 8);

      const simd = simdOf(before, defaultSimd(!(i instanceof DecodeFailure) && i.row.encoding.vex !== undefined), 'kept');
      const writable = start.subarray(0, 2 * PAGE);
      const usesMmx = !(i instanceof DecodeFailure) && i.operands.some((x) => x.kind === 'mmx');
      const fpu = usesMmx ? withMmx(before, defaultFpu()) : undefined;
      const fpuAfter = fpu && (result.fault ? fpu : inMmxState(withMmx(result, fpu)));
      const outcome = engine.world.run({ codeSize: bits, code, gpr: initial, flags: flagWord(before), poke: { offset: 0, bytes: writable }, simd, fpu });
      const memory = start.slice();
      memory.set(outcome.changed.bytes, outcome.changed.offset);
      const undefinedFlags = i instanceof DecodeFailure || outcome.fault ? 0 : flagBits(i.row.undefinedFlags);
      const rip = result.rip ?? (result.fault ? START : START + BigInt(code.length));

      expect({
        registers: registerText(outcome.gpr), flags: flagText(outcome.flags & ~undefinedFlags), rip: outcome.rip - START,
        fault: faultText(outcome.fault), memory: memoryDifference(end, memory), simd: simdText(outcome.simd as Simd), mmx: mmxText(outcome.fpu),
      }).toEqual({
        registers: registerText(gpr), flags: flagText(flagWord({ ...before, ...result }) & ~undefinedFlags), rip: rip - START,
        fault: faultText(result.fault), memory: 'as expected', simd: simdText(simdOf(result, simd, 'cleared')), mmx: mmxText(fpuAfter),
      });
    });
  }
}

/** A chapter of the book: the examples of one mnemonic. */
export const instruction = (mnemonic: string, examples: () => void): void => {
  if (isCounting()) examples();
  else describe(`the ${mnemonic} instruction`, () => { examples(); });
};
