/**
 * Reads an ELF executable (32- or 64-bit, x86): loadable segments, the PVH entry note and the symbols.
 * The file is hostile: every offset, size and count is checked against the file before it is used.
 * Tool Interface Standard "ELF Specification"; "System V ABI, AMD64 Architecture Processor Supplement"; Xen "PVH boot protocol".
 */
import { FileReader, ImageError } from './image-error.ts';

export interface Segment {
  /** Where it is loaded, in bytes of physical memory. */
  readonly physicalAddress: number;
  readonly bytes: Uint8Array;
  /** Size in memory, at least bytes.length; what the file does not give is zero. */
  readonly memoryBytes: number;
}
export interface ElfSegment extends Segment {
  /** p_vaddr: where the program expects it once paging is on. */
  readonly linearAddress: bigint;
  /** PF_X. */
  readonly executable: boolean;
}
export interface ElfSymbol { readonly name: string; readonly address: bigint; readonly size: number }
export interface ElfFile {
  readonly bits: 32 | 64;
  readonly machine: 'x86-64' | 'i386';
  readonly entry: bigint;
  readonly segments: readonly ElfSegment[];
  /** Entry point of XEN_ELFNOTE_PHYS32_ENTRY, if the file has that note. */
  readonly pvhEntry: number | undefined;
  /** The file has a note of the Linux kernel's build. */
  readonly isLinux: boolean;
  /** Functions, objects and untyped labels, by address. */
  readonly symbols: readonly ElfSymbol[];
}

const PF_X = 1, PT_LOAD = 1, PT_NOTE = 4, SHT_SYMTAB = 2, STT_OBJECT = 1, STT_FUNC = 2, STT_NOTYPE = 0;
const EM_386 = 3, EM_X86_64 = 62, XEN_ELFNOTE_PHYS32_ENTRY = 18;
const MAX_SEGMENTS = 1024, MAX_SYMBOLS = 200_000, MAX_NAME_BYTES = 1024;

export const isElf = (file: Uint8Array): boolean => file.length >= 4 && file[0] === 0x7f && file[1] === 0x45 && file[2] === 0x4c && file[3] === 0x46;

/** Parses an ELF file. Throws ImageError naming the field that is wrong. */
export function parseElf(file: Uint8Array): ElfFile {
  const r = new FileReader(file);
  if (!isElf(file)) throw new ImageError('ELF header: the magic number 7f 45 4c 46 is missing');
  r.slice(0, 20, 'ELF header');
  const elfClass = file[4], data = file[5];
  if (elfClass !== 1 && elfClass !== 2) throw new ImageError(`ELF header EI_CLASS: ${elfClass} is neither 32-bit (1) nor 64-bit (2)`);
  if (data !== 1) throw new ImageError('ELF header EI_DATA: not little-endian');
  const is64 = elfClass === 2;
  const type = r.u16(16, 'ELF header e_type');
  if (type !== 2 && type !== 3) throw new ImageError(`ELF header e_type: ${type} is not an executable`);
  const machine = r.u16(18, 'ELF header e_machine');
  if (machine !== EM_386 && machine !== EM_X86_64) throw new ImageError(`ELF header e_machine: ${machine} is not x86`);
  const word = (at64: number, at32: number, field: string): number => (is64 ? r.u64(at64, field) : r.u32(at32, field));
  const entry = is64 ? r.u64big(24, 'ELF header e_entry') : BigInt(r.u32(24, 'ELF header e_entry'));
  const phoff = word(32, 28, 'ELF header e_phoff');
  const phentsize = r.u16(is64 ? 54 : 42, 'ELF header e_phentsize');
  const phnum = r.u16(is64 ? 56 : 44, 'ELF header e_phnum');
  if (phnum === 0) throw new ImageError('ELF header e_phnum: no program headers, nothing to load');
  if (phnum > MAX_SEGMENTS) throw new ImageError(`ELF header e_phnum: ${phnum} program headers, more than ${MAX_SEGMENTS}`);
  if (phentsize < (is64 ? 56 : 32)) throw new ImageError(`ELF header e_phentsize: ${phentsize} bytes is too small`);

  const segments: ElfSegment[] = [];
  let pvhEntry: number | undefined;
  let isLinux = false;
  for (let n = 0; n < phnum; n++) {
    const at = phoff + n * phentsize;
    const name = `program header ${n}`;
    const kind = r.u32(at, `${name} p_type`);
    const offset = is64 ? r.u64(at + 8, `${name} p_offset`) : r.u32(at + 4, `${name} p_offset`);
    const paddr = is64 ? r.u64(at + 24, `${name} p_paddr`) : r.u32(at + 12, `${name} p_paddr`);
    const filesz = is64 ? r.u64(at + 32, `${name} p_filesz`) : r.u32(at + 16, `${name} p_filesz`);
    const memsz = is64 ? r.u64(at + 40, `${name} p_memsz`) : r.u32(at + 20, `${name} p_memsz`);
    if (kind === PT_LOAD) {
      if (filesz > memsz) throw new ImageError(`${name} p_filesz: ${filesz} bytes in the file, but p_memsz is ${memsz}`);
      if (memsz === 0) continue;
      const linearAddress = is64 ? r.u64big(at + 16, `${name} p_vaddr`) : BigInt(r.u32(at + 8, `${name} p_vaddr`));
      const executable = (r.u32(at + (is64 ? 4 : 24), `${name} p_flags`) & PF_X) !== 0;
      segments.push({ physicalAddress: paddr, linearAddress, executable, bytes: filesz === 0 ? new Uint8Array(0) : r.slice(offset, filesz, `${name} p_offset + p_filesz`), memoryBytes: memsz });
    } else if (kind === PT_NOTE) {
      const align = is64 && r.u64big(at + 48, `${name} p_align`) === 8n ? 8 : 4;
      const notes = readNotes(r.slice(offset, filesz, `${name} p_offset + p_filesz`), align, `${name} (PT_NOTE)`);
      pvhEntry ??= findPvhEntry(notes, `${name} (PT_NOTE)`);
      isLinux ||= notes.some((note) => note.name === 'Linux');
    }
  }
  if (segments.length === 0) throw new ImageError('ELF program headers: no PT_LOAD segment, nothing to load');
  checkOverlap(segments);
  return { bits: is64 ? 64 : 32, machine: machine === EM_X86_64 ? 'x86-64' : 'i386', entry, segments, pvhEntry, isLinux, symbols: readSymbols(r, is64) };
}

function checkOverlap(segments: readonly Segment[]): void {
  const sorted = [...segments].sort((a, b) => a.physicalAddress - b.physicalAddress);
  for (let n = 1; n < sorted.length; n++) {
    const below = sorted[n - 1] as Segment, above = sorted[n] as Segment;
    if (below.physicalAddress + below.memoryBytes > above.physicalAddress) {
      throw new ImageError(`PT_LOAD segments at physical 0x${below.physicalAddress.toString(16)} (0x${below.memoryBytes.toString(16)} bytes) and 0x${above.physicalAddress.toString(16)} overlap`);
    }
  }
}

interface Note { readonly name: string; readonly type: number; readonly desc: Uint8Array }

/** Notes are {namesz, descsz, type, name, desc}; name and desc are padded to the segment's alignment, 4 or 8 bytes. */
function readNotes(bytes: Uint8Array, align: 4 | 8, where: string): Note[] {
  const r = new FileReader(bytes);
  const notes: Note[] = [];
  for (let at = 0; at + 12 <= bytes.length;) {
    const nameSize = r.u32(at, where), descSize = r.u32(at + 4, where), type = r.u32(at + 8, where);
    const name = at + 12, desc = Math.ceil((name + nameSize) / align) * align, end = Math.ceil((desc + descSize) / align) * align;
    notes.push({ name: cString(r.slice(name, nameSize, where), 0), type, desc: r.slice(desc, descSize, where) });
    at = end;
  }
  return notes;
}

function findPvhEntry(notes: readonly Note[], where: string): number | undefined {
  const note = notes.find((x) => x.type === XEN_ELFNOTE_PHYS32_ENTRY && x.name === 'Xen');
  if (!note) return undefined;
  const r = new FileReader(note.desc);
  if (note.desc.length < 4) throw new ImageError(`${where} PVH entry: a note of ${note.desc.length} bytes holds no address`);
  if (note.desc.length < 8) return r.u32(0, `${where} PVH entry`);
  const entry = r.u64big(0, `${where} PVH entry`);
  if (entry > 0xffff_ffffn) throw new ImageError(`${where} PVH entry: 0x${entry.toString(16)} is above 4 GiB`);
  return Number(entry);
}

/** The symbols of the one SHT_SYMTAB section that a file may have. A file with a damaged symbol table is refused, one without it is not. */
function readSymbols(r: FileReader, is64: boolean): ElfSymbol[] {
  const shoff = is64 ? r.u64(40, 'ELF header e_shoff') : r.u32(32, 'ELF header e_shoff');
  const shentsize = r.u16(is64 ? 58 : 46, 'ELF header e_shentsize');
  const shnum = r.u16(is64 ? 60 : 48, 'ELF header e_shnum');
  if (shoff === 0 || shnum === 0) return [];
  if (shentsize < (is64 ? 64 : 40)) throw new ImageError(`ELF header e_shentsize: ${shentsize} bytes is too small`);
  const section = (n: number): { type: number; offset: number; size: number; link: number } => {
    const at = shoff + n * shentsize, name = `section header ${n}`;
    return {
      type: r.u32(at + 4, `${name} sh_type`),
      offset: is64 ? r.u64(at + 24, `${name} sh_offset`) : r.u32(at + 16, `${name} sh_offset`),
      size: is64 ? r.u64(at + 32, `${name} sh_size`) : r.u32(at + 20, `${name} sh_size`),
      link: r.u32(at + (is64 ? 40 : 24), `${name} sh_link`),
    };
  };
  const n = Array.from({ length: shnum }, (_, k) => k).find((k) => section(k).type === SHT_SYMTAB);
  if (n === undefined) return [];
  const s = section(n);
  if (s.link >= shnum) throw new ImageError(`section header ${n} sh_link: section ${s.link} does not exist`);
  const strings = section(s.link);
  const table = r.slice(s.offset, s.size, `symbol table (section ${n})`);
  const names = r.slice(strings.offset, strings.size, `symbol names (section ${s.link})`);
  const entry = is64 ? 24 : 16;
  const count = Math.floor(table.length / entry);
  if (count > MAX_SYMBOLS) throw new ImageError(`symbol table (section ${n}): ${count} symbols, more than ${MAX_SYMBOLS}; strip the image`);
  const t = new FileReader(table);
  const symbols: ElfSymbol[] = [];
  for (let k = 1; k < count; k++) {
    const at = k * entry;
    const info = table[at + (is64 ? 4 : 12)] as number, shndx = t.u16(at + (is64 ? 6 : 14), 'st_shndx');
    const type = info & 15;
    if (shndx === 0 || shndx >= 0xff00 || (type !== STT_FUNC && type !== STT_OBJECT && type !== STT_NOTYPE)) continue;
    const name = cString(names, t.u32(at, 'st_name'));
    if (name === '') continue;
    symbols.push(is64
      ? { name, address: t.u64big(at + 8, 'st_value'), size: Number(BigInt.asUintN(32, t.u64big(at + 16, 'st_size'))) }
      : { name, address: BigInt(t.u32(at + 4, 'st_value')), size: t.u32(at + 8, 'st_size') });
  }
  return symbols.sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
}

const LATIN1 = new TextDecoder('latin1');

/** A NUL-terminated name; of a longer one, its first kibibyte. */
function cString(table: Uint8Array, at: number): string {
  if (at >= table.length) return '';
  const name = table.subarray(at, at + MAX_NAME_BYTES);
  const end = name.indexOf(0);
  return LATIN1.decode(end < 0 ? name : name.subarray(0, end));
}
