/**
 * What stands in an assembler's operand list: registers, memory, immediates, branch targets, far pointers.
 * The values carry literal types, so that the types of the instructions (instruction-types.ts) can refuse a wrong one.
 */
import type { Width } from '../cpu/isa/operand.ts';
import { AssembleError } from './error.ts';

/** A general-purpose register; `number` as encoded with REX, `high` for AH CH DH BH (registers 0-3). */
export interface GeneralRegister<W extends Width = Width, N extends string = string> {
  readonly kind: 'register';
  readonly width: W;
  readonly name: N;
  readonly number: number;
  readonly high: boolean;
}
/** XMM0-XMM15, and YMM0-YMM15 with a width of 256 bits. */
export interface XmmRegister<N extends string = string, W extends 128 | 256 = 128 | 256> { readonly kind: 'xmm'; readonly width: W; readonly name: N; readonly number: number }
/** MM0-MM7. */
export interface MmxRegister<N extends string = string> { readonly kind: 'mmx'; readonly name: N; readonly number: number }
/** ST(0)-ST(7). */
export interface FpuRegister<N extends string = string> { readonly kind: 'fpu'; readonly name: N; readonly number: number }
/** Segment, control or debug register. */
export interface SpecialRegister<K extends 'segment' | 'control' | 'debug' = 'segment' | 'control' | 'debug', N extends string = string> {
  readonly kind: K;
  readonly name: N;
  readonly number: number;
}
export type SegmentRegister<N extends string = string> = SpecialRegister<'segment', N>;

/** A label's address, perhaps plus a constant or minus another label; known when the image is linked. */
export class LabelReference {
  readonly kind = 'label' as const;
  readonly name: string;
  readonly addend: bigint;
  readonly subtrahend: string | undefined;
  readonly space: 'linear' | 'physical';

  constructor(name: string, addend = 0n, subtrahend?: string, space: 'linear' | 'physical' = 'linear') {
    this.name = name;
    this.addend = addend;
    this.subtrahend = subtrahend;
    this.space = space;
  }
  /** The address `offset` bytes further on. */
  plus(offset: number | bigint): LabelReference {
    return new LabelReference(this.name, this.addend + integer(offset), this.subtrahend, this.space);
  }
  /** The distance from label `other` to this one, in bytes: a plain number, for sizes. */
  minus(other: string): LabelReference {
    if (this.subtrahend !== undefined) throw new AssembleError(`${this.toString()} already subtracts a label`);
    return new LabelReference(this.name, this.addend, other, this.space);
  }
  /** The physical address at which the label is loaded, instead of its linear address. */
  physical(): LabelReference {
    return new LabelReference(this.name, this.addend, this.subtrahend, 'physical');
  }
  /** The same reference with other names: local labels made complete. */
  rename(complete: (name: string) => string): LabelReference {
    return new LabelReference(complete(this.name), this.addend, this.subtrahend === undefined ? undefined : complete(this.subtrahend), this.space);
  }
  toString(): string {
    const sum = this.addend === 0n ? this.name : `${this.name}${this.addend < 0n ? '' : '+'}${this.addend}`;
    return this.subtrahend === undefined ? sum : `${sum}-${this.subtrahend}`;
  }
}
/** The address of a label. A name that starts with a dot is local to the last other label before it. */
export const label = (name: string): LabelReference => new LabelReference(name);

/** An immediate whose encoded width, in bits, is fixed by the program instead of chosen by the assembler. */
export interface SizedImmediate { readonly kind: 'sized-immediate'; readonly value: number | bigint | LabelReference; readonly width: Width }
export const imm = (value: number | bigint | LabelReference, width: Width): SizedImmediate => ({ kind: 'sized-immediate', value, width });
export type Immediate = number | bigint | LabelReference | SizedImmediate;

/** A branch target whose displacement's width, in bits, is fixed by the program: `jmp(rel('next', 32))`. */
export interface SizedTarget { readonly kind: 'sized-target'; readonly target: string | LabelReference; readonly width: 8 | 16 | 32 }
export const rel = (target: string | LabelReference, width: 8 | 16 | 32): SizedTarget => ({ kind: 'sized-target', target, width });
export type Target = string | LabelReference | SizedTarget;

/** ptr16:32 (ptr16:16): selector and offset of a far JMP or CALL, outside 64-bit mode. */
export interface FarPointer { readonly kind: 'far-pointer'; readonly selector: number; readonly offset: number | bigint | LabelReference }
export const far = (selector: number, offset: string | number | bigint | LabelReference): FarPointer =>
  ({ kind: 'far-pointer', selector, offset: typeof offset === 'string' ? label(offset) : offset });

/** What a memory operand says of its size: bits; a far pointer's shape; or 0, where the instruction knows (LEA, LGDT, INVLPG). */
export type MemorySize = 0 | Width | 80 | 128 | 256 | '16:16' | '16:32' | '16:64';

/** A memory operand: base + index * scale + displacement + label. */
export class Memory<S extends MemorySize = MemorySize> {
  readonly kind = 'memory' as const;
  readonly size: S;
  readonly #parts: AddressParts;

  constructor(size: S, parts: AddressParts) {
    this.size = size;
    this.#parts = parts;
  }
  get base(): GeneralRegister | undefined { return this.#parts.base; }
  get index(): GeneralRegister | undefined { return this.#parts.index; }
  /** The vector of indices of a gather, in the place of an index. */
  get vectorIndex(): XmmRegister | undefined { return this.#parts.vectorIndex; }
  /** The register that the SIB byte's index field names, of whatever kind. */
  get anyIndex(): GeneralRegister | XmmRegister | undefined { return this.index ?? this.vectorIndex; }
  get scale(): 1 | 2 | 4 | 8 { return this.#parts.scale; }
  get displacement(): bigint { return this.#parts.displacement; }
  get label(): LabelReference | undefined { return this.#parts.label; }
  get segment(): SegmentRegister | undefined { return this.#parts.segment; }
  /** The same operand with a segment-override prefix: `qword(rbx).in(gs)`. */
  in(segment: SegmentRegister): Memory<S> { return new Memory(this.size, { ...this.#parts, segment }); }
  rename(complete: (name: string) => string): Memory<S> {
    return this.label === undefined ? this : new Memory(this.size, { ...this.#parts, label: this.label.rename(complete) });
  }
  toString(): string {
    const terms = [this.base?.name, this.anyIndex && `${this.anyIndex.name}*${this.scale}`, this.label?.toString(), this.displacement === 0n ? undefined : String(this.displacement)];
    const address = terms.filter((x) => x !== undefined).join(' + ') || '0';
    return `${SIZE_WORDS[this.size]}[${this.segment ? `${this.segment.name}: ` : ''}${address}]`;
  }
}
const SIZE_WORDS: Record<MemorySize, string> = { 0: '', 8: 'byte ', 16: 'word ', 32: 'dword ', 64: 'qword ', 80: 'tbyte ', 128: 'xmmword ', 256: 'ymmword ', '16:16': 'm16:16 ', '16:32': 'm16:32 ', '16:64': 'm16:64 ' };

export interface AddressParts {
  readonly base: GeneralRegister | undefined;
  readonly index: GeneralRegister | undefined;
  readonly vectorIndex: XmmRegister | undefined;
  readonly scale: 1 | 2 | 4 | 8;
  readonly displacement: bigint;
  readonly label: LabelReference | undefined;
  readonly segment: SegmentRegister | undefined;
}
type AddressRegister = GeneralRegister<16 | 32 | 64>;
/** An index register with its scale where there is no base: `qword(scaled(rcx, 8), 'table')`; a vector of indices: `dword(rsi, scaled(ymm1, 4))`. */
export interface ScaledIndex { readonly kind: 'scaled'; readonly index: AddressRegister | XmmRegister; readonly scale: 1 | 2 | 4 | 8 }
export const scaled = (index: AddressRegister | XmmRegister, scale: 1 | 2 | 4 | 8): ScaledIndex => ({ kind: 'scaled', index, scale });

type Offset = number | bigint | string | LabelReference;
/** Makes a memory operand: base, index and scale, then displacements and at most one label, in this order. */
export interface MemoryOf<S extends MemorySize> {
  (base: AddressRegister, index: AddressRegister, scale: 1 | 2 | 4 | 8, ...offsets: Offset[]): Memory<S>;
  (base: AddressRegister, index: AddressRegister | ScaledIndex): Memory<S>;
  (base: AddressRegister, index: ScaledIndex, ...offsets: Offset[]): Memory<S>;
  (first: AddressRegister | ScaledIndex | Offset, ...offsets: Offset[]): Memory<S>;
}

function memoryOf<S extends MemorySize>(size: S): MemoryOf<S> {
  return (...terms: readonly (AddressRegister | ScaledIndex | Offset)[]): Memory<S> => {
    let base: AddressRegister | undefined, index: AddressRegister | undefined, vectorIndex: XmmRegister | undefined, reference: LabelReference | undefined;
    let scale: 1 | 2 | 4 | 8 = 1;
    let displacement = 0n;
    let scaleMayFollow = false;
    for (const term of terms) {
      if (typeof term === 'number' && scaleMayFollow) {
        if (term !== 1 && term !== 2 && term !== 4 && term !== 8) throw new AssembleError(`scale ${term}: an index is multiplied by 1, 2, 4 or 8`);
        scale = term;
        scaleMayFollow = false;
      } else if (typeof term === 'number' || typeof term === 'bigint') displacement += integer(term);
      else if (typeof term === 'string' || term instanceof LabelReference) {
        if (reference) throw new AssembleError('a memory operand takes one label');
        reference = typeof term === 'string' ? label(term) : term;
      } else if (term.kind === 'scaled') {
        if (index ?? vectorIndex) throw new AssembleError('a memory operand takes one index');
        if (term.index.kind === 'xmm') vectorIndex = term.index;
        else index = term.index;
        scale = term.scale;
      } else if (!base && !index) base = term;
      else if (!index) {
        index = term;
        scaleMayFollow = true;
      } else throw new AssembleError('a memory operand takes one base and one index');
    }
    return new Memory(size, { base, index, vectorIndex, scale, displacement, label: reference, segment: undefined });
  };
}
export const byte = memoryOf(8);
export const word = memoryOf(16);
export const dword = memoryOf(32);
export const qword = memoryOf(64);
export const xmmword = memoryOf(128);
export const ymmword = memoryOf(256);
export const tbyte = memoryOf(80);
/** Memory whose size the instruction knows: LEA, INVLPG, LGDT, FXSAVE, CMPXCHG16B. */
export const at = memoryOf(0);
/** A far pointer in memory with a 16-, 32- or 64-bit offset: m16:16, m16:32, m16:64. */
export const far16 = memoryOf('16:16');
export const far32 = memoryOf('16:32');
export const far64 = memoryOf('16:64');

export type OperandValue = GeneralRegister | FpuRegister | XmmRegister | MmxRegister | SpecialRegister | Memory | Immediate | Target | FarPointer;

/** An integer as a bigint. Throws AssembleError for a number that is none, or too large to be exact. */
export function integer(value: number | bigint): bigint {
  if (typeof value === 'bigint') return value;
  if (!Number.isSafeInteger(value)) throw new AssembleError(`${value} is not an exact integer: write it as a bigint`);
  return BigInt(value);
}

/** An operand as an error message shows it. */
export function operandText(x: OperandValue): string {
  if (typeof x === 'number') return String(x);
  if (typeof x === 'bigint') return x < 0x10000n && x > -0x10000n ? String(x) : `0x${BigInt.asUintN(64, x).toString(16)}`;
  if (typeof x === 'string') return x;
  switch (x.kind) {
    case 'register': case 'fpu': case 'xmm': case 'mmx': case 'segment': case 'control': case 'debug': return x.name;
    case 'memory': case 'label': return x.toString();
    case 'sized-immediate': return `imm${x.width} ${operandText(x.value)}`;
    case 'sized-target': return `rel${x.width} ${operandText(x.target)}`;
    case 'far-pointer': return `${x.selector}:${operandText(x.offset)}`;
  }
}
