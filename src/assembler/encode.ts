/**
 * One form and its operands to bytes. SDM Vol. 2A, "Instruction Format". Whatever waits for a label's address becomes
 * a fixup, so that the linker can choose among the encodings of an instruction when the addresses are known.
 */
import type { CodeSize } from '../cpu/isa/instruction.ts';
import type { VexSpec } from '../cpu/isa/encoding.ts';
import type { Row } from '../cpu/isa/row.ts';
import { isAskedFor, selectingSize, type Form } from './forms.ts';
import { integer, label, LabelReference, Memory, type FpuRegister, type GeneralRegister, type MmxRegister, type OperandValue, type XmmRegister } from './operands.ts';

/** A field that receives a label's address (or its distance) when the image is linked. */
export interface Fixup {
  /** Where in the bytes, and how many. */
  readonly offset: number;
  readonly bytes: 1 | 2 | 4 | 8;
  readonly target: LabelReference;
  /** Relative to the end of the instruction, or the address itself. */
  readonly relative: boolean;
  readonly range: ValueRange;
}
export interface Encoded { readonly bytes: Uint8Array; readonly fixups: readonly Fixup[] }

export interface Prefixes {
  readonly lock?: boolean;
  readonly repeat?: 'rep' | 'repe' | 'repne';
  readonly segment?: number;
  readonly operandSize?: 16 | 32 | 64;
}

/**
 * Which values a field of `bits` can hold in an operation of `operation` bits. `sign`: the processor sign-extends the
 * field to the operation's width. A value may be given signed or unsigned at the operation's width.
 */
export interface ValueRange { readonly bits: number; readonly operation: number; readonly sign: boolean }

export function fits(value: bigint, { bits, operation, sign }: ValueRange): boolean {
  const width = sign && bits < operation ? operation : bits;
  if (value < -(1n << BigInt(width - 1)) || value >= 1n << BigInt(width)) return false;
  return width === bits || BigInt.asIntN(bits, value) === BigInt.asIntN(width, value);
}

type VectorRegister = XmmRegister | MmxRegister;

const SEGMENT_PREFIX = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65];
const LEGACY_PREFIX = { 'NP': undefined, 'NFx': undefined, '66': 0x66, 'F2': 0xf2, 'F3': 0xf3 } as const;
const ESCAPE = { '': [], '0F': [0x0f], '0F38': [0x0f, 0x38], '0F3A': [0x0f, 0x3a] } as const;

/** All ways to encode the operands in one form (they differ in the size of a displacement); none when a value does not fit. */
export function encodings(form: Form, operands: readonly OperandValue[], prefixes: Prefixes, bits: CodeSize): Encoded[] {
  const parts = place(form, operands, bits);
  if (!parts) return [];
  const { row } = form;
  const { encoding } = row;
  const memory = parts.memory;
  if (prefixes.lock && !(row.lock && operands[0] instanceof Memory)) return [];
  if (prefixes.repeat !== undefined && row.repeat !== (prefixes.repeat === 'rep' ? 'rep' : 'repe')) return [];
  // 90 is NOP, not an exchange of the accumulator with itself, which clears the upper half of RAX. SDM Vol. 2B, "NOP—No Operation".
  if (encoding.map === '' && encoding.opcode === 0x90 && parts.opcodeRegister?.number === 0) return [];

  return addressSizes(row, memory, bits).flatMap((address) => encodeWith(form, parts, operands, prefixes, bits, address));
}

/** The encodings with one address size. */
function encodeWith(form: Form, parts: Parts, operands: readonly OperandValue[], prefixes: Prefixes, bits: CodeSize, address: CodeSize): Encoded[] {
  const { row } = form;
  const { encoding } = row;
  const head: number[] = [];
  if (prefixes.lock) head.push(0xf0);
  if (prefixes.repeat !== undefined) head.push(prefixes.repeat === 'repne' ? 0xf2 : 0xf3);
  // Not parts.memory: an absolute address in a moffs form has an override too, and no ModRM.
  const segment = operands.find((x) => x instanceof Memory)?.segment?.number ?? prefixes.segment;
  if (segment !== undefined) head.push(SEGMENT_PREFIX[segment] as number);
  if (address !== bits) head.push(0x67);
  if (encoding.vex) return behindHead([...head, ...vexPrefix(encoding.vex, row, parts), encoding.opcode], row, parts, address, bits);
  if (needsOperandSizePrefix(row, bits, prefixes.operandSize)) head.push(0x66);
  const mandatory = encoding.mandatoryPrefix && LEGACY_PREFIX[encoding.mandatoryPrefix];
  if (mandatory !== undefined) head.push(mandatory);

  const registers = [parts.reg, parts.rm, parts.opcodeRegister].filter((x) => x?.kind === 'register');
  const rex = (encoding.rexW ? 8 : 0) | registerExtensions(parts);
  const needsRex = rex !== 0 || registers.some((x) => x.width === 8 && !x.high && x.number >= 4);
  if (needsRex && (bits !== 64 || registers.some((x) => x.high))) return [];
  if (needsRex) head.push(0x40 | rex);
  head.push(...ESCAPE[encoding.map], encoding.opcode | form.condition | (parts.opcodeRegister ? encode(parts.opcodeRegister) & 7 : 0));

  return behindHead(head, row, parts, address, bits);
}

/** R, X and B of REX: the fourth bits of register numbers. */
const registerExtensions = ({ regNumber, rm, opcodeRegister, memory }: Parts): number => (regNumber >= 8 ? 4 : 0) | ((memory?.anyIndex?.number ?? 0) >= 8 ? 2 : 0)
  | ((rm?.number ?? opcodeRegister?.number ?? memory?.base?.number ?? 0) >= 8 ? 1 : 0);

const VEX_PP = { 'NP': 0, 'NFx': 0, '66': 1, 'F3': 2, 'F2': 3 } as const;
const VEX_MAP = { '': 0, '0F': 1, '0F38': 2, '0F3A': 3 } as const;

/** C5 where that says enough, else C4. SDM Vol. 2A, "Vector Extension (VEX) Prefixes". */
function vexPrefix(vex: VexSpec, { encoding }: Row, parts: Parts): number[] {
  const extensions = registerExtensions(parts);
  const last = ((~parts.vvvv & 15) << 3) | (vex.length === 1 ? 4 : 0) | VEX_PP[encoding.mandatoryPrefix ?? 'NP'];
  if (encoding.map === '0F' && vex.w !== 1 && (extensions & 3) === 0) return [0xc5, (extensions === 0 ? 0x80 : 0) | last];
  return [0xc4, ((~extensions & 7) << 5) | VEX_MAP[encoding.map], (vex.w === 1 ? 0x80 : 0) | last];
}

/** ModRM and what follows it, behind prefixes and opcode. */
function behindHead(head: readonly number[], { encoding }: Row, parts: Parts, address: CodeSize, bits: CodeSize): Encoded[] {
  const { memory } = parts;
  if (encoding.modrm === 'none') return [finish(head, [], parts.trailing)];
  if (typeof encoding.modrm === 'object' && 'fixed' in encoding.modrm) return [finish([...head, encoding.modrm.fixed], [], parts.trailing)];
  const reg = encoding.modrm === '/r' ? parts.regNumber & 7 : encoding.modrm.extension;
  if (parts.rm) return [finish([...head, 0xc0 | (reg << 3) | (encode(parts.rm) & 7)], [], parts.trailing)];
  if (!memory) return [finish([...head, 0xc0 | (reg << 3)], [], parts.trailing)];
  return modrmMemory(memory, reg, address, bits).map((m) => finish([...head, ...m.bytes], m.fixup ? [{ ...m.fixup, offset: head.length + m.bytes.length - m.fixup.bytes }] : [], parts.trailing));
}

function needsOperandSizePrefix(row: Row, bits: CodeSize, asked: 16 | 32 | 64 | undefined): boolean {
  if (row.encoding.mandatoryPrefix === '66') return false;
  const size = selectingSize(row);
  if (size === 'any') return row.width === 'effective' && asked !== undefined && asked !== 64 && asked !== (bits === 16 ? 16 : 32);
  return bits === 16 ? size === 32 && isAskedFor(row) : size === 16;
}

/** AH CH DH BH take the numbers of SPL BPL SIL DIL. */
const encode = (x: GeneralRegister | FpuRegister | VectorRegister): number => x.number + (x.kind === 'register' && x.high ? 4 : 0);

interface TrailingField { readonly bytes: 1 | 2 | 4 | 8; readonly value: bigint; readonly fixup: Omit<Fixup, 'offset'> | undefined }
interface Parts {
  reg: GeneralRegister | undefined;
  regNumber: number;
  /** The register in VEX.vvvv; 0 where there is none. */
  vvvv: number;
  rm: GeneralRegister | FpuRegister | VectorRegister | undefined;
  opcodeRegister: GeneralRegister | undefined;
  memory: Memory | undefined;
  trailing: TrailingField[];
}

/** Puts each operand where the row encodes it; undefined when a value does not fit its field. */
function place(form: Form, operands: readonly OperandValue[], bits: CodeSize): Parts | undefined {
  const { row } = form;
  const parts: Parts = { reg: undefined, regNumber: 0, vvvv: 0, rm: undefined, opcodeRegister: undefined, memory: undefined, trailing: [] };
  const operation = typeof row.width === 'number' ? row.width : typeof row.size === 'number' ? row.size : bits === 64 && row.size64 !== undefined ? 64 : bits === 16 && selectingSize(row) === 'any' ? 16 : 32;
  const field = (width: number, value: number | bigint | LabelReference, range: ValueRange, relative = false): boolean => {
    const bytes = (width / 8) as 1 | 2 | 4 | 8;
    if (value instanceof LabelReference) parts.trailing.push({ bytes, value: 0n, fixup: { bytes, target: value, relative, range } });
    else if (!fits(integer(value), range)) return false;
    else parts.trailing.push({ bytes, value: integer(value), fixup: undefined });
    return true;
  };
  for (const [n, spec] of row.operands.entries()) {
    const x = operands[n] as OperandValue;
    switch (spec.kind) {
      case 'register': case 'rm-register': case 'register-or-memory':
        if (x instanceof Memory) parts.memory = x;
        else if (spec.kind !== 'register') parts.rm = x as GeneralRegister;
        else if (spec.at === 'vvvv') parts.vvvv = (x as GeneralRegister).number;
        else if (spec.at === 'opcode') parts.opcodeRegister = x as GeneralRegister;
        else if (spec.at === 'reg') {
          parts.reg = x as GeneralRegister;
          parts.regNumber = encode(parts.reg);
        }
        break;
      case 'segment': case 'control': case 'debug':
        if (spec.at === 'reg') parts.regNumber = (x as { number: number }).number;
        break;
      case 'xmm': case 'mmx': case 'xmm-or-memory': case 'mmx-or-memory':
        if (x instanceof Memory) parts.memory = x;
        else if ('at' in spec && spec.at === 'fixed') break;
        else if ('at' in spec && spec.at === 'reg') parts.regNumber = (x as VectorRegister).number;
        else if ('at' in spec && spec.at === 'vvvv') parts.vvvv = (x as VectorRegister).number;
        else if ('at' in spec && spec.at === 'is4') parts.trailing.push({ bytes: 1, value: BigInt((x as VectorRegister).number) << 4n, fixup: undefined });
        else parts.rm = x as VectorRegister;
        break;
      case 'fpu': if (spec.at === 'rm') parts.rm = x as FpuRegister; break;
      case 'memory': parts.memory = x as Memory; break;
      case 'immediate': {
        const value = typeof x === 'object' && x.kind === 'sized-immediate' ? x.value : x as number | bigint | LabelReference;
        if (!field(spec.width, value, { bits: spec.width, operation, sign: form.signExtended[n] as boolean })) return undefined;
        break;
      }
      case 'relative': {
        const target = typeof x === 'object' && x.kind === 'sized-target' ? x.target : x as string | LabelReference;
        field(spec.width, typeof target === 'string' ? label(target) : target, { bits: spec.width, operation: bits, sign: true }, true);
        break;
      }
      case 'far-pointer': {
        const { offset, selector } = x as { offset: number | bigint | LabelReference; selector: number };
        if (!field(spec.offsetBits, offset, { bits: spec.offsetBits, operation: spec.offsetBits, sign: false })) return undefined;
        if (!field(16, selector, { bits: 16, operation: 16, sign: false })) return undefined;
        break;
      }
      case 'memory-offset': {
        const memory = x as Memory;
        // A label in 64-bit mode is RIP-relative; here only an absolute address can stand.
        if (bits === 64 && memory.label) return undefined;
        const width = bits;
        const value = memory.label ? memory.label.plus(memory.displacement) : memory.displacement;
        if (!field(width, value, { bits: width, operation: width, sign: false })) return undefined;
        break;
      }
      case 'constant': break;
    }
  }
  return parts;
}

/**
 * The address sizes that the instruction can have, best first; none when its registers have none in this mode. In 16-bit
 * code an address without registers may have 32 bits, where 16 do not hold it.
 */
function addressSizes(row: Row, memory: Memory | undefined, bits: CodeSize): CodeSize[] {
  const width = memory?.base?.width ?? memory?.index?.width;
  if (memory?.base && memory.index && memory.base.width !== memory.index.width) return [];
  if (width === 8) return [];
  if (width === undefined && row.addressSize === undefined && memory !== undefined && bits === 16 && row.encoding.modrm !== 'none') return [16, 32];
  const size = width ?? row.addressSize ?? bits;
  return (size === 64) === (bits === 64) || (bits === 64 && size === 32) ? [size] : [];
}

interface EncodedMemory { readonly bytes: number[]; readonly fixup: Omit<Fixup, 'offset'> | undefined }

/** ModRM, SIB and displacement. SDM Vol. 2A, "Addressing-Mode Encoding of ModR/M and SIB Bytes". */
function modrmMemory(memory: Memory, reg: number, address: CodeSize, bits: CodeSize): EncodedMemory[] {
  const { base, anyIndex: index, scale, label: reference } = memory;
  if (address === 16) return memory.vectorIndex ? [] : modrmMemory16(memory, reg);
  if (memory.index?.number === 4) return []; // RSP is no index
  const range: ValueRange = { bits: 32, operation: address, sign: true };
  if (reference === undefined && !fits(memory.displacement, range)) return [];
  const displacement = BigInt.asIntN(address, memory.displacement);
  const target = reference?.plus(memory.displacement);
  const modrm = (mod: number, rm: number): number => (mod << 6) | (reg << 3) | rm;
  const wide = (head: number[], relative = false): EncodedMemory => target
    ? { bytes: [...head, 0, 0, 0, 0], fixup: { bytes: 4, target, relative, range } }
    : { bytes: [...head, ...littleEndian(displacement, 4)], fixup: undefined };

  if (!base && !index) {
    if (bits !== 64) return [wide([modrm(0, 5)])];
    return [target ? wide([modrm(0, 5)], true) : wide([modrm(0, 4), 0x25])];
  }
  const sibIndex = index ? index.number & 7 : 4;
  const scaleBits = Math.log2(scale) << 6;
  if (!base) return [wide([modrm(0, 4), scaleBits | (sibIndex << 3) | 5])];
  const low = base.number & 7;
  const needsSib = index !== undefined || low === 4;
  const head = (mod: number): number[] => needsSib ? [modrm(mod, 4), scaleBits | (sibIndex << 3) | low] : [modrm(mod, low)];
  if (target) return [wide(head(2))];
  if (displacement === 0n && low !== 5) return [{ bytes: head(0), fixup: undefined }];
  if (displacement >= -128n && displacement <= 127n) return [{ bytes: [...head(1), ...littleEndian(displacement, 1)], fixup: undefined }];
  return [wide(head(2))];
}

/** ModRM.rm of the eight 16-bit forms, by the registers' numbers: BX BP, then SI DI. */
const FORMS_16 = ['3+6', '3+7', '5+6', '5+7', '6', '7', '5', '3'];

/** ModRM and displacement with a 16-bit address: BX or BP, SI or DI, or their sum. */
function modrmMemory16(memory: Memory, reg: number): EncodedMemory[] {
  const { base, index, scale, label: reference } = memory;
  const range: ValueRange = { bits: 16, operation: 16, sign: false };
  if (scale !== 1 || (reference === undefined && !fits(memory.displacement, range))) return [];
  const displacement = BigInt.asIntN(16, memory.displacement);
  const modrm = (mod: number, rm: number): number => (mod << 6) | (reg << 3) | rm;
  const wide = (head: number): EncodedMemory => reference
    ? { bytes: [head, 0, 0], fixup: { bytes: 2, target: reference.plus(memory.displacement), relative: false, range } }
    : { bytes: [head, ...littleEndian(displacement, 2)], fixup: undefined };
  if (!base && !index) return [wide(modrm(0, 6))];
  const rm = FORMS_16.indexOf([base, index].filter((x) => x !== undefined).map((x) => x.number).sort((x, y) => x - y).join('+'));
  if (rm < 0) return [];
  if (reference) return [wide(modrm(2, rm))];
  if (displacement === 0n && rm !== 6) return [{ bytes: [modrm(0, rm)], fixup: undefined }];
  if (displacement >= -128n && displacement <= 127n) return [{ bytes: [modrm(1, rm), ...littleEndian(displacement, 1)], fixup: undefined }];
  return [wide(modrm(2, rm))];
}

/** The low bytes of a value, least significant first. */
export function littleEndian(value: bigint, bytes: number): number[] {
  const out: number[] = [];
  for (let n = 0; n < bytes; n++) out.push(Number((value >> BigInt(8 * n)) & 0xffn));
  return out;
}

function finish(head: readonly number[], fixups: readonly Fixup[], trailing: readonly TrailingField[]): Encoded {
  const bytes = [...head];
  const all = [...fixups];
  for (const x of trailing) {
    if (x.fixup) all.push({ ...x.fixup, offset: bytes.length });
    bytes.push(...littleEndian(x.value, x.bytes));
  }
  return { bytes: Uint8Array.from(bytes), fixups: all };
}
