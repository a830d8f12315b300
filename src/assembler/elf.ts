/**
 * An image as an ELF64 executable: segments for loaders, symbols and line numbers for debuggers, and a PVH note, so
 * that QEMU's -kernel finds the 32-bit entry. System V ABI, "ELF Header", "Program Header"; Xen documentation, "x86/HVM direct boot ABI".
 */
import { ByteWriter, StringTable } from './byte-writer.ts';
import { dwarfSections } from './dwarf.ts';
import { AssembleError } from './error.ts';
import type { Image, ImageSection, ImageSymbol } from './image.ts';

export interface ElfOptions {
  /** Name of the symbol that e_entry points to. Default: the image's entry. */
  readonly entry?: string;
  /** Name of the 32-bit PVH entry: writes its note (a program may also write notes into a section .note). Its physical address is what loaders jump to. */
  readonly pvhEntry?: string;
  /** DW_AT_name of the program. Default `kernel`. */
  readonly name?: string;
  /** The folder that source file names are relative to, for gdb. Default `.`. */
  readonly compilationDirectory?: string;
  /** Contents of further sections by name, which are not loaded: for debuggers. */
  readonly notLoaded?: Readonly<Record<string, Uint8Array>>;
}

const PAGE = 0x1000;
const HEADER_BYTES = 64, PROGRAM_HEADER_BYTES = 56, SECTION_HEADER_BYTES = 64, SYMBOL_BYTES = 24;
const PT = { LOAD: 1, NOTE: 4 };
const PF = { X: 1, W: 2, R: 4 };
const SHT = { PROGBITS: 1, SYMTAB: 2, STRTAB: 3, NOTE: 7, NOBITS: 8 };
const SHF = { WRITE: 1, ALLOC: 2, EXECINSTR: 4 };
const STT = { label: 0, object: 1, function: 2 };
const STB_GLOBAL = 1;
const XEN_ELFNOTE_PHYS32_ENTRY = 18;
/** What the parts of a note are padded to, in 64-bit files too. */
const NOTE_ALIGN = 4;

/** Sections that hold notes written by the program itself. */
const isNote = (x: ImageSection): boolean => x.name.startsWith('.note') && x.bytes.length > 0;

interface SectionHeader { name: string; type: number; flags: number; address: bigint; offset: number; size: number; link: number; info: number; align: number; entrySize: number }

/** Writes the file. The loaded sections keep their distances, so that a Multiboot header's address fields can describe the file too. Throws AssembleError for an entry that is not a symbol. */
export function writeElf(image: Image, options: ElfOptions = {}): Uint8Array<ArrayBuffer> {
  const symbol = (name: string): ImageSymbol => {
    const found = image.symbols.get(name);
    if (!found) throw new AssembleError(`entry ${name} is not a label of the image`);
    return found;
  };
  const entry = options.entry === undefined ? image.entry : symbol(options.entry);
  const note = options.pvhEntry === undefined ? undefined : pvhNote(symbol(options.pvhEntry));
  const loaded = image.sections.filter((x) => x.size > 0);
  const lowest = Math.min(...loaded.map((x) => x.physical));
  const ownNotes = loaded.filter(isNote);
  const programHeaders = loaded.length + ownNotes.length + (note ? 1 : 0);
  const headers = HEADER_BYTES + PROGRAM_HEADER_BYTES * programHeaders;
  const start = Math.ceil((headers + (note?.length ?? 0)) / PAGE) * PAGE + lowest % PAGE;
  const fileOffset = (x: ImageSection): number => start + x.physical - lowest;

  const w = new ByteWriter();
  // Section-header fields are patched in when their place is known.
  fileHeader(w, entry?.linear ?? 0n, programHeaders);
  for (const x of loaded) {
    const congruent = (BigInt(fileOffset(x)) - x.linear) % BigInt(PAGE) === 0n;
    programHeader(w, PT.LOAD, (x.flags.read ? PF.R : 0) | (x.flags.write ? PF.W : 0) | (x.flags.execute ? PF.X : 0), fileOffset(x), x.linear, x.physical, x.bytes.length, x.size, congruent ? PAGE : 1);
  }
  for (const x of ownNotes) programHeader(w, PT.NOTE, PF.R, fileOffset(x), x.linear, x.physical, x.bytes.length, x.size, NOTE_ALIGN);
  if (note) programHeader(w, PT.NOTE, PF.R, headers, 0n, 0, note.length, note.length, NOTE_ALIGN);
  if (note) w.bytes(note);

  const sections: SectionHeader[] = [{ name: '', type: 0, flags: 0, address: 0n, offset: 0, size: 0, link: 0, info: 0, align: 0, entrySize: 0 }];
  for (const x of image.sections) {
    if (x.bytes.length > 0) {
      w.bytes(new Uint8Array(fileOffset(x) - w.length));
      w.bytes(x.bytes);
    }
    const flags = SHF.ALLOC | (x.flags.write ? SHF.WRITE : 0) | (x.flags.execute ? SHF.EXECINSTR : 0);
    const offset = x.size === 0 ? w.length : fileOffset(x);
    sections.push({ name: x.name, type: x.bytes.length === 0 ? SHT.NOBITS : isNote(x) ? SHT.NOTE : SHT.PROGBITS, flags, address: x.linear, offset, size: x.size, link: 0, info: 0, align: isNote(x) ? NOTE_ALIGN : 16, entrySize: 0 });
  }
  const addContent = (name: string, type: number, content: Uint8Array, extra: Partial<SectionHeader> = {}): void => {
    w.align(8);
    sections.push({ name, type, flags: 0, address: 0n, offset: w.length, size: content.length, link: 0, info: 0, align: 1, entrySize: 0, ...extra });
    w.bytes(content);
  };
  if (note) sections.push({ name: '.note.Xen', type: SHT.NOTE, flags: 0, address: 0n, offset: headers, size: note.length, link: 0, info: 0, align: NOTE_ALIGN, entrySize: 0 });
  for (const [name, content] of dwarfSections(image, { name: options.name ?? 'kernel', compilationDirectory: options.compilationDirectory ?? '.' })) addContent(name, SHT.PROGBITS, content);
  for (const [name, content] of Object.entries(options.notLoaded ?? {})) addContent(name, SHT.PROGBITS, content);

  const strings = new StringTable();
  const symbols = symbolTable(image, strings);
  // Symbol 0 is the only local one; every other is global.
  addContent('.symtab', SHT.SYMTAB, symbols, { link: sections.length + 1, info: 1, align: 8, entrySize: SYMBOL_BYTES });
  addContent('.strtab', SHT.STRTAB, strings.finish());
  const names = new StringTable();
  names.offset('.shstrtab');
  for (const x of sections) names.offset(x.name);
  addContent('.shstrtab', SHT.STRTAB, names.finish());
  w.align(8);
  const table = w.length;
  for (const x of sections) sectionHeader(w, x, names.offset(x.name));

  const file = w.finish();
  const view = new DataView(file.buffer);
  view.setBigUint64(0x28, BigInt(table), true);
  view.setUint16(0x3c, sections.length, true);
  view.setUint16(0x3e, sections.length - 1, true);
  return file;
}

function fileHeader(w: ByteWriter, entry: bigint, programHeaders: number): void {
  w.bytes(Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0)); // ELF, 64-bit, little-endian, version 1, System V
  w.u16(2); // ET_EXEC
  w.u16(62); // EM_X86_64
  w.u32(1);
  w.u64(entry);
  w.u64(BigInt(HEADER_BYTES));
  w.u64(0n);
  w.u32(0);
  w.u16(HEADER_BYTES);
  w.u16(PROGRAM_HEADER_BYTES);
  w.u16(programHeaders);
  w.u16(SECTION_HEADER_BYTES);
  w.u16(0);
  w.u16(0);
}
function programHeader(w: ByteWriter, type: number, flags: number, offset: number, linear: bigint, physical: number, fileSize: number, memorySize: number, align: number): void {
  w.u32(type);
  w.u32(flags);
  for (const x of [offset, linear, physical, fileSize, memorySize, align]) w.u64(BigInt(x));
}
function sectionHeader(w: ByteWriter, x: SectionHeader, name: number): void {
  w.u32(name);
  w.u32(x.type);
  for (const value of [x.flags, x.address, x.offset, x.size]) w.u64(BigInt(value));
  w.u32(x.link);
  w.u32(x.info);
  w.u64(BigInt(x.align));
  w.u64(BigInt(x.entrySize));
}

/** The entry is 8 bytes long, as loaders of 64-bit files read it. */
function pvhNote(entry: ImageSymbol): Uint8Array {
  if (entry.physical >= 2 ** 32) throw new AssembleError(`PVH entry ${entry.name} is not below 4 GiB`);
  const w = new ByteWriter();
  w.u32(4);
  w.u32(8);
  w.u32(XEN_ELFNOTE_PHYS32_ENTRY);
  w.string('Xen');
  w.u64(BigInt(entry.physical));
  return w.finish();
}

function symbolTable(image: Image, strings: StringTable): Uint8Array {
  const w = new ByteWriter();
  w.bytes(new Uint8Array(SYMBOL_BYTES));
  const indexes = new Map(image.sections.map((x, n) => [x.name, n + 1]));
  for (const x of image.symbols.values()) {
    if (x.local) continue;
    w.u32(strings.offset(x.name));
    w.u8((STB_GLOBAL << 4) | STT[x.kind]);
    w.u8(0);
    w.u16(indexes.get(x.section) as number);
    w.u64(x.linear);
    w.u64(BigInt(x.size));
  }
  return w.finish();
}
