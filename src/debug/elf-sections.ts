/** Sections of an ELF file that no loader needs, for debuggers. The file is hostile. System V ABI, "Sections". */
import { isElf } from '../machine/boot/elf.ts';
import { FileReader, ImageError } from '../machine/boot/image-error.ts';

const MOST_SECTIONS = 10_000, MOST_NAME_BYTES = 1024;
const SHT_NOBITS = 8, SHF_COMPRESSED = 0x800n;

/** The contents of the sections whose names are wanted, by name; of a file that is no ELF, none. Throws ImageError. */
export function sectionsOf(file: Uint8Array, wanted: (name: string) => boolean): Map<string, Uint8Array> {
  if (!isElf(file)) return new Map();
  const r = new FileReader(file), wide = file[4] === 2;
  const word = (at: number, field: string): number => (wide ? r.u64(at, field) : r.u32(at, field));
  const headers = word(wide ? 40 : 32, 'ELF header e_shoff'), size = r.u16(wide ? 58 : 46, 'ELF header e_shentsize');
  const count = r.u16(wide ? 60 : 48, 'ELF header e_shnum'), nameSection = r.u16(wide ? 62 : 50, 'ELF header e_shstrndx');
  if (headers === 0 || count === 0) return new Map();
  if (count > MOST_SECTIONS) throw new ImageError(`ELF header e_shnum: ${count} sections`);
  const section = (n: number): { name: number; compressed: boolean; bytes: Uint8Array } => {
    const at = headers + n * size, field = `section header ${n}`;
    const nobits = r.u32(at + 4, `${field} sh_type`) === SHT_NOBITS;
    // What has no bytes in the file may lie behind its end.
    const offset = nobits ? 0 : word(at + (wide ? 24 : 16), `${field} sh_offset`), length = nobits ? 0 : word(at + (wide ? 32 : 20), `${field} sh_size`);
    return { name: r.u32(at, `${field} sh_name`), compressed: (BigInt(word(at + 8, `${field} sh_flags`)) & SHF_COMPRESSED) !== 0n, bytes: r.slice(offset, length, field) };
  };
  if (nameSection >= count) throw new ImageError(`ELF header e_shstrndx: there is no section ${nameSection}`);
  const names = section(nameSection).bytes;
  const found = new Map<string, Uint8Array>();
  for (let n = 0; n < count; n++) {
    const { name, compressed, bytes } = section(n);
    const text = cString(names, name);
    if (!wanted(text)) continue;
    if (compressed) throw new ImageError(`${text} is compressed; link with --compress-debug-sections=none`);
    found.set(text, bytes);
  }
  return found;
}

const LATIN1 = new TextDecoder('latin1');
/** A NUL-terminated text; of a longer one, its first kibibyte. */
export function cString(table: Uint8Array, at: number): string {
  const end = table.indexOf(0, at);
  return at >= table.length || end < 0 ? '' : LATIN1.decode(table.subarray(at, Math.min(end, at + MOST_NAME_BYTES)));
}
