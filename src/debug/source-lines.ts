/**
 * Which source line an instruction comes from: the .debug_line section of an ELF file, DWARF versions 2 to 5. The file is hostile: what
 * cannot be read is said, and the lines before it still count.
 * DWARF Debugging Information Format 5, "Line Number Information"; 4, the same for versions 2 to 4.
 */
import { FileReader, ImageError } from '../machine/boot/image-error.ts';
import { isElf } from '../machine/boot/elf.ts';
import { cString, sectionsOf } from './elf-sections.ts';

export interface SourceLine {
  readonly file: string;
  readonly line: number;
}
interface Row extends SourceLine { readonly address: bigint; readonly ends: boolean }

/** Rows and file names that are kept at most: of Linux's vmlinux, debugging information has some 10 million, which no page wants. */
const MOST_ROWS = 1_000_000, MOST_FILES = 100_000;

/** Lines by address. */
export class SourceLines {
  readonly #rows: readonly Row[];
  /** What could not be read, in a line. */
  readonly problem: string | undefined;

  constructor(rows: Iterable<Row> = [], problem?: string) {
    // At one address the end of a sequence comes before the beginning of the next.
    this.#rows = [...rows].sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : Number(b.ends) - Number(a.ends)));
    this.problem = problem;
  }

  /** How many there are. */
  get count(): number { return this.#rows.length; }
  /** The files they are in. */
  get files(): ReadonlySet<string> { return new Set(this.#rows.map(({ file }) => file)); }

  /** The line that an address belongs to, and whether it begins there. */
  at(address: bigint): (SourceLine & { readonly begins: boolean }) | undefined {
    let low = 0, high = this.#rows.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#rows[middle]!.address <= address) low = middle + 1;
      else high = middle;
    }
    const row = this.#rows[low - 1];
    if (row === undefined || row.ends || row.line === 0) return undefined;
    // Compilers say several lines of one address; what came before it decides.
    let previous = low - 2;
    while (this.#rows[previous]?.address === row.address && !this.#rows[previous]!.ends) previous--;
    const before = this.#rows[previous];
    const goesOn = before !== undefined && !before.ends && before.line === row.line && before.file === row.file;
    return { file: row.file, line: row.line, begins: row.address === address && !goesOn };
  }
}

/** Reads the lines of an image; one that is no ELF file, or has none, has none. */
export function readSourceLines(file: Uint8Array): SourceLines {
  if (!isElf(file)) return new SourceLines();
  const rows: Row[] = [];
  try {
    const sections = sectionsOf(file, (name) => name.startsWith('.debug_'));
    const lines = sections.get('.debug_line');
    if (lines !== undefined) readUnits(new FileReader(lines), new Strings(sections), rows);
  } catch (error) {
    if (error instanceof ImageError) return new SourceLines(rows, `source lines: ${error.message}`);
    throw error;
  }
  return new SourceLines(rows);
}

/** Strings that lie in other sections. */
class Strings {
  readonly #sections: ReadonlyMap<string, Uint8Array>;
  constructor(sections: ReadonlyMap<string, Uint8Array>) { this.#sections = sections; }
  at(section: '.debug_str' | '.debug_line_str', offset: number): string { return cString(this.#sections.get(section) ?? new Uint8Array(0), offset); }
}

/** Goes through a section byte by byte. */
class Cursor {
  readonly #r: FileReader;
  at: number;
  wide = false;
  constructor(r: FileReader, at: number) {
    this.#r = r;
    this.at = at;
  }
  bytes(count: number): Uint8Array {
    const bytes = this.#r.slice(this.at, count, '.debug_line');
    this.at += count;
    return bytes;
  }
  u8(): number { return this.bytes(1)[0]!; }
  s8(): number { return (this.u8() << 24) >> 24; }
  u16(): number { return this.u8() | (this.u8() << 8); }
  u32(): number { return (this.u16() | (this.u16() << 16)) >>> 0; }
  u64(): number {
    this.at += 8;
    return this.#r.u64(this.at - 8, '.debug_line');
  }
  address(size: number): bigint { return this.bytes(size).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n); }
  offset(): number { return this.wide ? this.u64() : this.u32(); }
  leb(signed: boolean): number {
    let value = 0, scale = 1;
    for (let n = 0; n < 10; n++) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      scale *= 128;
      if ((byte & 0x80) === 0) return signed && (byte & 0x40) !== 0 ? value - scale : value;
    }
    throw new ImageError('.debug_line: a LEB128 number of more than 10 bytes');
  }
  string(): string {
    const start = this.at;
    while (this.u8() !== 0);
    return cString(this.#r.bytes, start);
  }
}

function readUnits(r: FileReader, strings: Strings, rows: Row[]): void {
  for (let at = 0; at < r.bytes.length;) {
    const c = new Cursor(r, at);
    let length = c.u32();
    c.wide = length === 0xffff_ffff;
    if (c.wide) length = c.u64();
    const end = c.at + length;
    if (end > r.bytes.length) throw new ImageError(`.debug_line: a unit at ${at} of ${length} bytes reaches beyond the section`);
    readUnit(c, end, strings, rows);
    at = end;
  }
}

const DW_LNCT = { path: 1, directoryIndex: 2 } as const;
const DW_FORM = { block2: 0x03, block4: 0x04, data2: 0x05, data4: 0x06, data8: 0x07, string: 0x08, block: 0x09, block1: 0x0a, data1: 0x0b, strp: 0x0e, udata: 0x0f, data16: 0x1e, lineStrp: 0x1f } as const;

interface Header { readonly folders: readonly string[]; readonly files: readonly { readonly name: string; readonly folder: number }[] }

function readUnit(c: Cursor, end: number, strings: Strings, rows: Row[]): void {
  const version = c.u16();
  if (version < 2 || version > 5) throw new ImageError(`.debug_line: version ${version}`);
  if (version >= 5) c.bytes(2);
  const headerLength = c.offset(), program = c.at + headerLength;
  const unit = c.u8();
  // maximum_operations_per_instruction, which only VLIW machines have, and default_is_stmt.
  c.bytes(version >= 4 ? 2 : 1);
  const lineBase = c.s8(), lineRange = c.u8(), opcodeBase = c.u8();
  if (lineRange === 0 || opcodeBase === 0) throw new ImageError('.debug_line: line_range or opcode_base is 0');
  const operands = [...c.bytes(opcodeBase - 1)];
  const header = version >= 5 ? entriesOfVersion5(c, strings) : entriesOfVersion4(c);
  const nameOf = (number: number): string => {
    const file = header.files[version >= 5 ? number : number - 1];
    if (file === undefined) return '?';
    const folder = version >= 5 ? header.folders[file.folder] : file.folder === 0 ? undefined : header.folders[file.folder - 1];
    return folder === undefined || folder === '' || file.name.startsWith('/') ? file.name : `${folder}/${file.name}`;
  };
  const names = new Map<number, string>();
  const name = (number: number): string => {
    let known = names.get(number);
    if (known === undefined) names.set(number, known = nameOf(number));
    return known;
  };
  let address = 0n, file = 1, line = 1;
  const row = (ends: boolean): void => {
    if (rows.length >= MOST_ROWS) throw new ImageError(`more than ${MOST_ROWS} lines; those behind are left out`);
    rows.push({ address, file: name(file), line, ends });
  };
  const advance = (by: number): void => { address = BigInt.asUintN(64, address + BigInt(by * unit)); };
  c.at = program;
  while (c.at < end) {
    const opcode = c.u8();
    if (opcode >= opcodeBase) {
      const adjusted = opcode - opcodeBase;
      advance(Math.floor(adjusted / lineRange));
      line += lineBase + (adjusted % lineRange);
      row(false);
      continue;
    }
    switch (opcode) {
      case 0: {
        const length = c.leb(false), next = c.at + length;
        if (length === 0 || next > end) throw new ImageError('.debug_line: an extended opcode reaches beyond its unit');
        const extended = c.u8();
        if (extended === 1) {
          row(true);
          address = 0n;
          file = line = 1;
        } else if (extended === 2) address = c.address(Math.min(length - 1, 8));
        c.at = next;
        break;
      }
      case 1: row(false); break;
      case 2: advance(c.leb(false)); break;
      case 3: line += c.leb(true); break;
      case 4: file = c.leb(false); break;
      case 8: advance(Math.floor((255 - opcodeBase) / lineRange)); break;
      case 9: address = BigInt.asUintN(64, address + BigInt(c.u16())); break;
      // Columns, statements, blocks, prologues: nothing that a line needs.
      default: for (let n = operands[opcode - 1] ?? 0; n > 0; n--) c.leb(false);
    }
  }
}

function entriesOfVersion4(c: Cursor): Header {
  const folders: string[] = [], files: { name: string; folder: number }[] = [];
  for (let name; (name = c.string()) !== '' && folders.length < MOST_FILES;) folders.push(name);
  for (let name; (name = c.string()) !== '' && files.length < MOST_FILES;) {
    files.push({ name, folder: c.leb(false) });
    c.leb(false);
    c.leb(false);
  }
  return { folders, files };
}

function entriesOfVersion5(c: Cursor, strings: Strings): Header {
  const list = (): { name: string; folder: number }[] => {
    const formats = Array.from({ length: c.u8() }, () => [c.leb(false), c.leb(false)] as const);
    const count = c.leb(false);
    if (count > MOST_FILES) throw new ImageError(`.debug_line: ${count} files in a unit`);
    return Array.from({ length: count }, () => {
      const entry = { name: '', folder: 0 };
      for (const [content, form] of formats) {
        const value = readForm(c, form, strings);
        if (content === DW_LNCT.path && typeof value === 'string') entry.name = value;
        if (content === DW_LNCT.directoryIndex && typeof value === 'number') entry.folder = value;
      }
      return entry;
    });
  };
  return { folders: list().map(({ name }) => name), files: list() };
}

function readForm(c: Cursor, form: number, strings: Strings): string | number | undefined {
  const skip = (count: number): undefined => { c.bytes(count); };
  switch (form) {
    case DW_FORM.string: return c.string();
    case DW_FORM.strp: return strings.at('.debug_str', c.offset());
    case DW_FORM.lineStrp: return strings.at('.debug_line_str', c.offset());
    case DW_FORM.udata: return c.leb(false);
    case DW_FORM.data1: return c.u8();
    case DW_FORM.data2: return c.u16();
    case DW_FORM.data4: return c.u32();
    case DW_FORM.data8: return skip(8);
    case DW_FORM.data16: return skip(16);
    case DW_FORM.block: return skip(c.leb(false));
    case DW_FORM.block1: return skip(c.u8());
    case DW_FORM.block2: return skip(c.u16());
    case DW_FORM.block4: return skip(c.u32());
    default: throw new ImageError(`.debug_line: form 0x${form.toString(16)}`);
  }
}
