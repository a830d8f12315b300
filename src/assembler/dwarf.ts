/**
 * Debugging information for gdb: which source line wrote each instruction, where functions begin and end, and what lies in data objects.
 * One compilation unit in DWARF version 4. DWARF Debugging Information Format 4, "Line Number Information",
 * "Debugging Information Entry".
 */
import { ByteWriter, StringTable } from './byte-writer.ts';
import { debugFrame } from './call-frames.ts';
import type { Image, ImageLine, ImageSymbol } from './image.ts';

export interface DwarfOptions {
  /** What is compiled: DW_AT_name of the unit. */
  readonly name: string;
  /** The folder that source file names are relative to: DW_AT_comp_dir. */
  readonly compilationDirectory: string;
}

const TAG = { arrayType: 0x01, compileUnit: 0x11, subrangeType: 0x21, baseType: 0x24, subprogram: 0x2e, variable: 0x34 };
const AT = { location: 0x02, name: 0x03, byteSize: 0x0b, stmtList: 0x10, lowPc: 0x11, highPc: 0x12, language: 0x13, compDir: 0x1b, producer: 0x25, declFile: 0x3a, declLine: 0x3b, external: 0x3f, count: 0x37, encoding: 0x3e, type: 0x49, ranges: 0x55 };
const FORM = { addr: 0x01, data2: 0x05, data8: 0x07, data1: 0x0b, strp: 0x0e, udata: 0x0f, ref4: 0x13, secOffset: 0x17, exprloc: 0x18, flagPresent: 0x19 };
const OP_ADDR = 0x03;
/** DW_ATE_unsigned; a byte may as well be a character of a text, which gdb shows as both. */
const ENCODING = { unsigned: 0x07, unsignedChar: 0x08 };
/** DW_LANG_Mips_Assembler: what assemblers of every architecture say. */
const LANGUAGE_ASSEMBLER = 0x8001;
const ABBREVIATION = { unit: 1, function: 2, item: 3, array: 4, range: 5, variable: 6 };

/** The contents of the .debug_* sections by name. */
export function dwarfSections(image: Image, options: DwarfOptions): Map<string, Uint8Array> {
  const lines = image.lines.filter((x) => x.kind === 'instruction' && x.source.line > 0);
  const files = [...new Set(lines.map((x) => x.source.file))];
  const strings = new StringTable();
  return new Map([
    ['.debug_info', debugInfo(image, lines, files, strings, options)],
    ['.debug_abbrev', debugAbbrev()],
    ['.debug_line', debugLine(lines, files)],
    ['.debug_ranges', debugRanges(image)],
    ['.debug_str', strings.finish()],
    ['.debug_frame', debugFrame(image)],
  ]);
}

function debugAbbrev(): Uint8Array {
  const w = new ByteWriter();
  const declare = (code: number, tag: number, children: boolean, attributes: readonly (readonly [number, number])[]): void => {
    w.uleb(code);
    w.uleb(tag);
    w.u8(children ? 1 : 0);
    for (const [attribute, form] of [...attributes, [0, 0] as const]) {
      w.uleb(attribute);
      w.uleb(form);
    }
  };
  declare(ABBREVIATION.unit, TAG.compileUnit, true, [
    [AT.producer, FORM.strp], [AT.language, FORM.data2], [AT.name, FORM.strp], [AT.compDir, FORM.strp], [AT.stmtList, FORM.secOffset], [AT.lowPc, FORM.addr], [AT.ranges, FORM.secOffset],
  ]);
  declare(ABBREVIATION.function, TAG.subprogram, false, [
    [AT.name, FORM.strp], [AT.lowPc, FORM.addr], [AT.highPc, FORM.data8], [AT.declFile, FORM.udata], [AT.declLine, FORM.udata], [AT.external, FORM.flagPresent],
  ]);
  declare(ABBREVIATION.item, TAG.baseType, false, [[AT.name, FORM.strp], [AT.encoding, FORM.data1], [AT.byteSize, FORM.data1]]);
  declare(ABBREVIATION.array, TAG.arrayType, true, [[AT.type, FORM.ref4]]);
  declare(ABBREVIATION.range, TAG.subrangeType, false, [[AT.type, FORM.ref4], [AT.count, FORM.udata]]);
  declare(ABBREVIATION.variable, TAG.variable, false, [[AT.name, FORM.strp], [AT.type, FORM.ref4], [AT.external, FORM.flagPresent], [AT.location, FORM.exprloc]]);
  w.u8(0);
  return w.finish();
}

function debugInfo(image: Image, lines: readonly ImageLine[], files: readonly string[], strings: StringTable, options: DwarfOptions): Uint8Array {
  const w = new ByteWriter();
  w.u32(0);
  w.u16(4);
  w.u32(0);
  w.u8(8);
  w.uleb(ABBREVIATION.unit);
  w.u32(strings.offset('longmode assembler'));
  w.u16(LANGUAGE_ASSEMBLER);
  w.u32(strings.offset(options.name));
  w.u32(strings.offset(options.compilationDirectory));
  w.u32(0);
  w.u64(0n);
  w.u32(0);
  const lineAt = new Map(lines.map((x) => [x.linear, x]));
  for (const symbol of image.symbols.values()) {
    const first = lineAt.get(symbol.linear);
    if (symbol.kind !== 'function' || !first) continue;
    w.uleb(ABBREVIATION.function);
    w.u32(strings.offset(symbol.name));
    w.u64(symbol.linear);
    w.u64(BigInt(symbol.size));
    w.uleb(files.indexOf(first.source.file) + 1);
    w.uleb(first.source.line);
  }
  const types = new Types(w, strings), data = image.lines.filter((x) => x.kind === 'data');
  for (const symbol of image.symbols.values()) {
    if (symbol.kind !== 'object' || symbol.local || symbol.size === 0) continue;
    const type = types.of(unitOf(symbol, data), symbol.size);
    w.uleb(ABBREVIATION.variable);
    w.u32(strings.offset(symbol.name));
    w.u32(type);
    w.uleb(9);
    w.u8(OP_ADDR);
    w.u64(symbol.linear);
  }
  w.u8(0);
  w.patch32(0, w.length - 4);
  return w.finish();
}

type Unit = 1 | 2 | 4 | 8;

/** Bytes of an item of an object: those of the data in it, which are all alike; of reserved memory the most that its size can consist of. */
function unitOf({ linear, size }: ImageSymbol, data: readonly ImageLine[]): Unit {
  const end = linear + BigInt(size), units = new Set(data.filter((x) => x.linear >= linear && x.linear < end).map((x) => x.unit));
  const [unit] = units;
  if (units.size > 0) return units.size > 1 || unit === undefined || size % unit !== 0 ? 1 : unit;
  return ([8, 4, 2] as const).find((bytes) => size % bytes === 0) ?? 1;
}

/** Types of items, u8 to u64, and of arrays of them: each is written where it is needed first, and named by its offset. */
class Types {
  readonly #written = new Map<string, number>();
  readonly #w: ByteWriter;
  readonly #strings: StringTable;
  constructor(w: ByteWriter, strings: StringTable) {
    this.#w = w;
    this.#strings = strings;
  }

  of(unit: Unit, bytes: number): number { return bytes === unit ? this.#item(unit) : this.#array(unit, bytes / unit); }

  #item(unit: Unit): number {
    return this.#once(`${unit}`, () => {
      this.#w.uleb(ABBREVIATION.item);
      this.#w.u32(this.#strings.offset(`u${8 * unit}`));
      this.#w.u8(unit === 1 ? ENCODING.unsignedChar : ENCODING.unsigned);
      this.#w.u8(unit);
    });
  }
  #array(unit: Unit, count: number): number {
    const item = this.#item(unit), index = this.#item(8);
    return this.#once(`${unit}[${count}]`, () => {
      this.#w.uleb(ABBREVIATION.array);
      this.#w.u32(item);
      this.#w.uleb(ABBREVIATION.range);
      this.#w.u32(index);
      this.#w.uleb(count);
      this.#w.u8(0);
    });
  }
  #once(key: string, write: () => void): number {
    const known = this.#written.get(key);
    if (known !== undefined) return known;
    const at = this.#w.length;
    this.#written.set(key, at);
    write();
    return at;
  }
}

function debugRanges(image: Image): Uint8Array {
  const w = new ByteWriter();
  for (const x of image.sections) {
    if (!x.flags.execute || x.size === 0) continue;
    w.u64(x.linear);
    w.u64(BigInt.asUintN(64, x.linear + BigInt(x.size)));
  }
  w.u64(0n);
  w.u64(0n);
  return w.finish();
}

/** Parameters of the special opcodes, which advance address and line together in one byte. */
const LINE_BASE = -5, LINE_RANGE = 14, OPCODE_BASE = 13;
const OPERANDS_OF_STANDARD_OPCODES = [0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1];
const LNS = { copy: 1, advancePc: 2, advanceLine: 3, setFile: 4 };
const LNE = { endSequence: 1, setAddress: 2 };

function debugLine(lines: readonly ImageLine[], files: readonly string[]): Uint8Array {
  const w = new ByteWriter();
  w.u32(0);
  w.u16(4);
  const headerLength = w.length;
  w.u32(0);
  w.u8(1); // minimum_instruction_length
  w.u8(1); // maximum_operations_per_instruction
  w.u8(1); // default_is_stmt
  w.u8(LINE_BASE & 0xff);
  w.u8(LINE_RANGE);
  w.u8(OPCODE_BASE);
  for (const n of OPERANDS_OF_STANDARD_OPCODES) w.u8(n);
  const folders = [...new Set(files.map(folderOf))].filter((x) => x !== '');
  for (const folder of folders) w.string(folder);
  w.u8(0);
  for (const file of files) {
    w.string(file.slice(file.lastIndexOf('/') + 1));
    w.uleb(folders.indexOf(folderOf(file)) + 1);
    w.uleb(0); // modification time and length: not known
    w.uleb(0);
  }
  w.u8(0);
  w.patch32(headerLength, w.length - headerLength - 4);
  for (const section of new Set(lines.map((x) => x.section))) lineSequence(w, lines.filter((x) => x.section === section), files);
  w.patch32(0, w.length - 4);
  return w.finish();
}

const folderOf = (file: string): string => file.slice(0, Math.max(0, file.lastIndexOf('/')));

function lineSequence(w: ByteWriter, lines: readonly ImageLine[], files: readonly string[]): void {
  let address = (lines[0] as ImageLine).linear as bigint;
  let line = 1;
  let file = 1;
  let previous: ImageLine | undefined;
  extended(w, LNE.setAddress, 8);
  w.u64(address);
  for (const x of lines) {
    const number = files.indexOf(x.source.file) + 1;
    if (previous && number === file && x.source.line === line && previous.linear + BigInt(previous.size) === x.linear) {
      previous = x;
      continue;
    }
    if (number !== file) {
      w.u8(LNS.setFile);
      w.uleb(number);
      file = number;
    }
    const advance = Number(x.linear - address);
    const lineAdvance = x.source.line - line;
    const special = lineAdvance - LINE_BASE + LINE_RANGE * advance + OPCODE_BASE;
    if (lineAdvance >= LINE_BASE && lineAdvance < LINE_BASE + LINE_RANGE && special <= 255) w.u8(special);
    else {
      if (advance !== 0) {
        w.u8(LNS.advancePc);
        w.uleb(advance);
      }
      if (lineAdvance !== 0) {
        w.u8(LNS.advanceLine);
        w.sleb(lineAdvance);
      }
      w.u8(LNS.copy);
    }
    address = x.linear;
    line = x.source.line;
    previous = x;
  }
  const last = lines.at(-1) as ImageLine;
  w.u8(LNS.advancePc);
  w.uleb(Number(last.linear - address) + last.size);
  extended(w, LNE.endSequence, 0);
}
function extended(w: ByteWriter, opcode: number, operandBytes: number): void {
  w.u8(0);
  w.uleb(1 + operandBytes);
  w.u8(opcode);
}
