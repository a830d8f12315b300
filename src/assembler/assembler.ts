/**
 * The assembler that programs are written with: `a.mov(rax, qword(rbx, 8))`. Its instruction methods come from the
 * table of encodings; this file has the rest: sections, labels, data, prefixes. Linking is in link.ts.
 */
import type { CodeSize } from '../cpu/isa/instruction.ts';
import { AssembleError } from './error.ts';
import { encodings, fits, littleEndian, type Encoded, type Fixup, type Prefixes } from './encode.ts';
import { FORMS, matchingForms } from './forms.ts';
import type { Image } from './image.ts';
import type { Instructions } from './instruction-types.ts';
import { link } from './link.ts';
import { integer, label, LabelReference, Memory, operandText, type OperandValue, type SegmentRegister } from './operands.ts';
import type { FunctionOptions, Section, SectionOptions, SymbolDefinition } from './section.ts';
import { captureCallSite, LocationReader, type CallSite, type ResolveLocation } from './source-location.ts';

export interface AssemblerOptions {
  /** Physical address at which the first section is loaded. Default 0. */
  readonly origin?: number | bigint;
  /** Linear address minus physical address, of every section that does not say otherwise. Default 0. */
  readonly virtualBase?: bigint;
  /** Code size at the start: 16, 32 or 64 (the default). */
  readonly bits?: CodeSize;
  /** Maps positions in running JavaScript to source positions. Default: none, the running file itself is named. */
  readonly resolveLocation?: ResolveLocation;
  /** Folder (path or file URL) that the file names of source locations are relative to. */
  readonly sourceRoot?: string;
  /** Ends of file names (`/kernel/writer.ts`) that hold helpers: what these emit belongs to the line that called them. */
  readonly helperFiles?: readonly string[];
}

/** How many frames are looked at for one that is no helper's. */
const HELPER_DEPTH = 8;

export type DataItem = number | bigint | string | LabelReference;

const SECTION_DEFAULTS: Record<string, SectionOptions> = {
  '.text': { flags: 'rx' }, '.rodata': { flags: 'r' }, '.data': { flags: 'rw' }, '.bss': { flags: 'rw', zero: true }, '.boot': { flags: 'rx', virtualOffset: 0n },
};

/** `__text_start`, `__bss_end`, `__image_start`, `__load_end`, `__image_end`: bounds of sections and of the image, for `label(...)`. */
const LINKER_SYMBOL = /^__\w+_(start|end)$/;

type LocatedMethod = 'section' | 'label' | 'func' | 'object' | 'db' | 'dw' | 'dd' | 'dq' | 'bytes' | 'fill' | 'reserve' | 'align';

/** Everything of the assembler but its instructions. */
export class AssemblerCore {
  readonly #sections = new Map<string, Section>();
  readonly #symbols = new Map<string, SymbolDefinition>();
  readonly #origin: bigint;
  readonly #virtualBase: bigint;
  readonly #locations: LocationReader;
  readonly #depth: number;
  #current: Section | undefined;
  #bits: CodeSize;
  #scope = '';
  #fresh = 0;
  #entry: string | undefined;

  constructor(options: AssemblerOptions = {}) {
    this.#origin = integer(options.origin ?? 0n);
    this.#virtualBase = options.virtualBase ?? 0n;
    this.#bits = options.bits ?? 64;
    const helpers = options.helperFiles ?? [];
    this.#locations = new LocationReader({ resolve: options.resolveLocation, root: options.sourceRoot, helpers });
    this.#depth = helpers.length > 0 ? HELPER_DEPTH : 1;
  }

  /** Code size of what follows: 64 in 64-bit mode; 32 or 16 elsewhere, by D of the code segment (16 in real-address and virtual-8086 mode). */
  bits(bits: CodeSize): void { this.#bits = bits; }

  /** Continues section `name`, creating it at its first use. Sections are loaded in the order of their creation, those of zeroes last. */
  section(name: string, options?: SectionOptions): void {
    const existing = this.#sections.get(name);
    if (existing && options) throw this.#error(this.#site('section'), `section ${name} already exists: its options belong to its first use`);
    this.#current = existing ?? this.#createSection(name, options ?? {}, this.#site('section'));
  }

  #createSection(name: string, options: SectionOptions, site: CallSite): Section {
    const family = /^\.[^.]*/.exec(name)?.[0] ?? name;
    const { flags, virtualOffset = this.#virtualBase, align = 4096, zero = false } = { ...SECTION_DEFAULTS[family], ...options };
    if (flags === undefined || !/^r?w?x?$/.test(flags)) throw this.#error(site, `section ${name} needs flags, some of "rwx"`);
    if (!isPowerOfTwo(align)) throw this.#error(site, `section ${name}: alignment ${align} is no power of two`);
    const section = { name, flags: { read: flags.includes('r'), write: flags.includes('w'), execute: flags.includes('x') }, zero, virtualOffset, align, fragments: [] };
    this.#sections.set(name, section);
    return section;
  }
  #here(): Section {
    this.#current ??= this.#createSection('.text', {}, {});
    return this.#current;
  }

  /** Names this place. A name that starts with a dot is local to the last label that does not. */
  label(name: string): void { this.#define(name, 'label', this.#site('label')); }
  /** A label, what `body` emits, and a function symbol of that size. */
  func(name: string, body: () => void, options: FunctionOptions = {}): void { this.#block(name, 'function', this.#site('func'), body, options); }
  /** A label, what `body` emits, and a data object symbol of that size. */
  object(name: string, body: () => void): void { this.#block(name, 'object', this.#site('object'), body); }
  /** A local label's name that is used nowhere else: for helpers that emit code with labels of their own. */
  fresh(stem = '.L'): string { return `${stem}@${++this.#fresh}`; }
  /** Says where the program starts. */
  entry(name: string): void { this.#entry = name; }

  #define(name: string, kind: SymbolDefinition['kind'], site: CallSite, options: FunctionOptions = {}): SymbolDefinition {
    const local = name.startsWith('.');
    if (local && this.#scope === '') throw this.#error(site, `local label ${name} stands before any label it could be local to`);
    if (LINKER_SYMBOL.test(name)) throw this.#error(site, `label ${name} has the form of those that the linker defines`);
    const full = this.#complete(name);
    const earlier = this.#symbols.get(full);
    if (earlier) throw this.#error(site, `label ${full} is already defined at ${this.#place(earlier.site)}`);
    if (!local) this.#scope = name;
    const symbol = { name: full, kind, local, site, ...options };
    this.#symbols.set(full, symbol);
    this.#here().fragments.push({ kind: 'label', symbol });
    return symbol;
  }
  #block(name: string, kind: 'function' | 'object', site: CallSite, body: () => void, options: FunctionOptions = {}): void {
    const symbol = this.#define(name, kind, site, options);
    const section = this.#here();
    body();
    if (this.#here() !== section) throw this.#error(site, `${name} starts in section ${section.name} and ends in ${this.#here().name}`);
    section.fragments.push({ kind: 'end', symbol });
  }
  #complete = (name: string): string => name.startsWith('.') ? this.#scope + name : name;

  /** Bytes: numbers, labels, or text as UTF-8. */
  db(...items: DataItem[]): void { this.#data(1, items, this.#site('db')); }
  /** 16-bit words. */
  dw(...items: DataItem[]): void { this.#data(2, items, this.#site('dw')); }
  /** 32-bit doublewords; a string is a label's name. */
  dd(...items: DataItem[]): void { this.#data(4, items, this.#site('dd')); }
  /** 64-bit quadwords; a string is a label's name. */
  dq(...items: DataItem[]): void { this.#data(8, items, this.#site('dq')); }

  #data(bytes: 1 | 2 | 4 | 8, items: readonly DataItem[], site: CallSite): void {
    const out: number[] = [];
    const fixups: Fixup[] = [];
    const range = { bits: bytes * 8, operation: bytes * 8, sign: false };
    for (const item of items) {
      if (typeof item === 'string' && bytes === 1) out.push(...new TextEncoder().encode(item));
      else if (typeof item === 'string' || item instanceof LabelReference) {
        const target = (typeof item === 'string' ? label(item) : item).rename(this.#complete);
        fixups.push({ offset: out.length, bytes, target, relative: false, range });
        out.push(...littleEndian(0n, bytes));
      } else {
        const value = this.#located(site, () => integer(item));
        if (!fits(value, range)) throw this.#error(site, `${operandText(value)} does not fit ${bytes * 8} bits`);
        out.push(...littleEndian(value, bytes));
      }
    }
    this.#emit('data', [{ bytes: Uint8Array.from(out), fixups }], site, `d${'bwdq'[Math.log2(bytes)] as string}`, bytes);
  }
  /** Raw bytes. */
  bytes(content: Uint8Array): void { this.#emit('data', [{ bytes: content.slice(), fixups: [] }], this.#site('bytes'), 'bytes'); }
  /** `count` bytes of `value`. */
  fill(count: number, value = 0): void {
    const site = this.#site('fill');
    this.#emit('data', [{ bytes: new Uint8Array(this.#count(count, site)).fill(value), fixups: [] }], site, 'fill');
  }
  /** `bytes` bytes of zero; in .bss they take no room in the file. */
  reserve(bytes: number): void { this.#here().fragments.push({ kind: 'space', bytes: this.#count(bytes, this.#site('reserve')) }); }
  /** Fills up to a multiple of `boundary` bytes: with NOP in sections that execute, with 0 in others. */
  align(boundary: number, filler?: number): void {
    const site = this.#site('align');
    const section = this.#here();
    if (!isPowerOfTwo(boundary)) throw this.#error(site, `alignment ${boundary} is no power of two`);
    if (boundary > section.align) throw this.#error(site, `alignment ${boundary} is more than that of section ${section.name} (${section.align})`);
    section.fragments.push({ kind: 'align', boundary, filler: filler ?? (section.flags.execute ? 0x90 : 0), site });
  }
  #count(bytes: number, site: CallSite): number {
    if (!Number.isSafeInteger(bytes) || bytes < 0 || bytes > 2 ** 32) throw this.#error(site, `${bytes} is no number of bytes`);
    return bytes;
  }

  /** LOCK. */
  get lock(): Instructions { return this.#prefixed({ lock: true }); }
  /** REP, of MOVS STOS LODS INS OUTS. */
  get rep(): Instructions { return this.#prefixed({ repeat: 'rep' }); }
  /** REPE and REPNE, of CMPS and SCAS. */
  get repe(): Instructions { return this.#prefixed({ repeat: 'repe' }); }
  get repne(): Instructions { return this.#prefixed({ repeat: 'repne' }); }
  /** The operand size where the operands do not say it: `a.o64.sysret()`, `a.o16.push(1)`. */
  get o16(): Instructions { return this.#prefixed({ operandSize: 16 }); }
  get o32(): Instructions { return this.#prefixed({ operandSize: 32 }); }
  get o64(): Instructions { return this.#prefixed({ operandSize: 64 }); }
  /** A segment override for the implicit memory operand of string instructions and XLATB. */
  override(segment: SegmentRegister): Instructions { return this.#prefixed({ segment: segment.number }); }

  #prefixed(prefixes: Prefixes): Instructions {
    return new PrefixedInstructions((name, operands, method) => this.emit(name, operands, method, prefixes)) as unknown as Instructions;
  }

  /** Emits an instruction by name; `method` is the function whose caller is the source line. The instruction methods call this. */
  emit(name: string, operands: readonly OperandValue[], method: (...operands: never[]) => unknown, prefixes: Prefixes = {}): void {
    const site = captureCallSite(method, this.#depth);
    const complete = operands.map((x) => this.#completeOperand(x));
    this.#located(site, () => {
      const forms = matchingForms(FORMS.get(name) ?? [], complete, this.#bits, prefixes.operandSize);
      const choices = forms.flatMap((form) => encodings(form, complete, prefixes, this.#bits)).sort((x, y) => x.bytes.length - y.bytes.length);
      const text = `${name}${operands.length > 0 ? ` ${operands.map(operandText).join(', ')}` : ''}`;
      if (choices.length === 0) throw new AssembleError(`no encoding of ${prefixText(prefixes)}${text} in ${this.#bits}-bit code${forms.length > 0 ? ': a value does not fit, or a register or prefix cannot be used here' : ''}`);
      // Without labels the shortest is final; with them every length may be needed.
      this.#emit('instruction', choices[0]?.fixups.length === 0 ? choices.slice(0, 1) : choices, site, text);
    });
  }
  #completeOperand(x: OperandValue): OperandValue {
    if (typeof x === 'string') return this.#complete(x);
    if (x instanceof LabelReference || x instanceof Memory) return x.rename(this.#complete);
    if (typeof x !== 'object') return x;
    if (x.kind === 'sized-target') return { ...x, target: typeof x.target === 'string' ? this.#complete(x.target) : x.target.rename(this.#complete) };
    if (x.kind === 'sized-immediate' && x.value instanceof LabelReference) return { ...x, value: x.value.rename(this.#complete) };
    if (x.kind === 'far-pointer' && x.offset instanceof LabelReference) return { ...x, offset: x.offset.rename(this.#complete) };
    return x;
  }
  #emit(content: 'instruction' | 'data', choices: readonly Encoded[], site: CallSite, text: string, unit?: 1 | 2 | 4 | 8): void {
    const section = this.#here();
    if (section.zero) throw this.#error(site, `section ${section.name} holds only reserved bytes`);
    section.fragments.push({ kind: 'code', content, bits: this.#bits, choices, site, text, ...(unit === undefined ? {} : { unit }) });
  }

  /** Resolves labels and chooses the shortest encodings. Throws AssembleError with the source location of the first offending line. */
  link(): Image {
    return link([...this.#sections.values()], this.#symbols, { origin: this.#origin, entry: this.#entry, locations: this.#locations });
  }

  #site(method: LocatedMethod): CallSite { return captureCallSite(AssemblerCore.prototype[method], this.#depth); }
  #place(site: CallSite): string {
    const { file, line } = this.#locations.read(site);
    return `${file}:${line}`;
  }
  #error(site: CallSite, message: string): AssembleError { return new AssembleError(message, this.#locations.read(site)); }
  /** Runs `action`, giving its AssembleError the location of `site`. */
  #located<T>(site: CallSite, action: () => T): T {
    try {
      return action();
    } catch (error) {
      if (error instanceof AssembleError && error.location === undefined) throw this.#error(site, error.message);
      throw error;
    }
  }
}

type Emit = (name: string, operands: readonly OperandValue[], method: (...operands: never[]) => unknown) => void;
/** The instruction methods with prefixes in front. */
class PrefixedInstructions {
  readonly emit: Emit;
  constructor(emit: Emit) { this.emit = emit; }
}

/** Gives a class one method for each name in the table. */
function addInstructionMethods(prototype: { emit: Emit } | AssemblerCore): void {
  for (const name of FORMS.keys()) {
    if (name in prototype) throw new Error(`instruction ${name} has the name of a method of the assembler`);
    const method = function (this: { emit: Emit }, ...operands: OperandValue[]): void { this.emit(name, operands, method); };
    Object.defineProperty(prototype, name, { value: method });
  }
}
addInstructionMethods(AssemblerCore.prototype);
addInstructionMethods(PrefixedInstructions.prototype);

const prefixText = (x: Prefixes): string => [x.lock && 'lock ', x.repeat && `${x.repeat} `, x.operandSize && `o${x.operandSize} `].filter((t) => t !== undefined && t !== false).join('');
const isPowerOfTwo = (n: number): boolean => Number.isSafeInteger(n) && n > 0 && Number.isInteger(Math.log2(n));

/** The assembler: instructions as methods, typed by the table, and sections, labels and data. */
export type Assembler = AssemblerCore & Instructions;
export const Assembler = AssemblerCore as unknown as new (options?: AssemblerOptions) => Assembler;
