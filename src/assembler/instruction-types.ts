/**
 * The assembler's methods as types, computed from the table's own text: `'ADD r/m64, r64'` becomes an overload of
 * `add` that takes a 64-bit register or memory operand and a 64-bit register. No instruction is named here.
 */
import type { Width } from '../cpu/isa/operand.ts';
import type { ENTRIES } from '../cpu/isa/table/index.ts';
import type { CONDITION_NAMES } from './conditions.ts';
import type { FarPointer, FpuRegister, GeneralRegister, Immediate, Memory, MmxRegister, SegmentRegister, SpecialRegister, Target, XmmRegister } from './operands.ts';

/** The text of every line of the table. */
export type LineText = (typeof ENTRIES)[number]['lines'][number][0];

type FixedRegister = { AL: 8; CL: 8; AX: 16; DX: 16; EAX: 32; ECX: 32; RAX: 64 };
/** Memory operands of x87 instructions that say their size. */
type FpuMemory = { m32fp: 32; m64fp: 64; m80fp: 80; m16int: 16; m32int: 32; m64int: 64; m80bcd: 80; m2byte: 16 };
type FixedSegment = 'ES' | 'CS' | 'SS' | 'DS' | 'FS' | 'GS';

/** What one operand of a line accepts; `never` for a spelling that is not known. */
export type OperandOf<T extends string> =
  T extends keyof FixedRegister ? GeneralRegister<FixedRegister[T], Lowercase<T>>
  : T extends FixedSegment ? SegmentRegister<Lowercase<T>>
  : T extends '<XMM0>' ? XmmRegister<'xmm0', 128>
  : T extends `xmm${string}/m${infer W extends Width | 128}` ? XmmRegister<string, 128> | Memory<W>
  : T extends `xmm${string}` ? XmmRegister<string, 128>
  : T extends `ymm${string}/m256` ? XmmRegister<string, 256> | Memory<256>
  : T extends `ymm${string}` ? XmmRegister<string, 256>
  : T extends `mm${string}/m${infer W extends Width}` ? MmxRegister | Memory<W>
  : T extends `mm${string}` ? MmxRegister
  : T extends 'ST(0)' ? FpuRegister<'st0'>
  : T extends 'ST(i)' ? FpuRegister
  : T extends keyof FpuMemory ? Memory<FpuMemory[T]>
  : T extends `imm${string}` ? Immediate
  : T extends `rel${string}` ? Target
  : T extends `r/m${infer W extends Width}` ? GeneralRegister<W> | Memory<W>
  : T extends `r${infer W extends Width}/m${infer M extends Width}` ? GeneralRegister<W> | Memory<M>
  : T extends `r${infer W extends Width}` | `r${infer W extends Width}a` | `r${infer W extends Width}b` ? GeneralRegister<W>
  : T extends `vm${string}` ? Memory<32 | 64>
  : T extends 'm' ? Memory
  : T extends `moffs${infer W extends Width}` ? Memory<W>
  : T extends `m16:${infer N extends 16 | 32 | 64}` ? Memory<`16:${N}`>
  : T extends `m${infer W extends Width}` ? Memory<W>
  : T extends 'm128' ? Memory<0 | 128>
  : T extends 'm256' ? Memory<256>
  : T extends `m${string}` ? Memory<0>
  : T extends `ptr${string}` ? FarPointer
  : T extends 'Sreg' ? SegmentRegister
  : T extends 'CRn' ? SpecialRegister<'control'>
  : T extends 'CR8' ? SpecialRegister<'control', 'cr8'>
  : T extends 'DRn' ? SpecialRegister<'debug'>
  : T extends '1' ? 1
  : T extends '3' ? 3
  : never;

type OperandList<T extends string> = T extends `${infer First}, ${infer Rest}` ? [OperandOf<First>, ...OperandList<Rest>] : [OperandOf<T>];
/** The operand tuples of lines, as a union. */
export type OperandsOf<L extends string> = L extends `${string} ${infer T}` ? OperandList<T> : [];

type Mnemonic<L extends string> = L extends `${infer M} ${string}` ? M : L;
type ConditionName = (typeof CONDITION_NAMES)[number][number];
/** The method names of a line: one, or for a `cc` line one for each name of each condition. */
export type MethodName<L extends string> = Mnemonic<L> extends `${infer Stem}cc` ? `${Lowercase<Stem>}${ConditionName}` : Lowercase<Mnemonic<L>>;

/** Every instruction of the table as a method that emits it. */
export type Instructions = { readonly [L in LineText as MethodName<L>]: (...operands: OperandsOf<L>) => void };
