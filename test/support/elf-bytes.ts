/** Builds ELF files by hand, well-formed unless told otherwise: the raw material of the loader's tests. */

export interface ElfParts {
  readonly bits?: 32 | 64;
  readonly machine?: number;
  readonly entry?: number;
  readonly segments?: readonly { readonly address: number; readonly bytes: Uint8Array; readonly memoryBytes?: number; readonly offset?: number; readonly fileBytes?: number }[];
  readonly pvhEntry?: number;
  /** A note of the Linux kernel's build. */
  readonly linuxNote?: boolean;
  readonly patch?: (view: DataView) => void;
}

/** One file with the given segments, and a PVH note if `pvhEntry` is there. */
export function elfBytes(parts: ElfParts): Uint8Array<ArrayBuffer> {
  const is64 = (parts.bits ?? 64) === 64;
  const headerBytes = is64 ? 64 : 52, entryBytes = is64 ? 56 : 32;
  const segments = parts.segments ?? [{ address: 0x10_0000, bytes: Uint8Array.of(0xf4) }];
  const note = parts.pvhEntry !== undefined ? elfNote('Xen', 18, parts.pvhEntry) : parts.linuxNote === true ? elfNote('Linux', 0x100, 0) : undefined;
  const count = segments.length + (note ? 1 : 0);
  let at = headerBytes + count * entryBytes;
  const placed = segments.map((s) => { const offset = at; at += s.bytes.length; return { ...s, offset: s.offset ?? offset, place: offset }; });
  const noteAt = at;
  const file = new Uint8Array(at + (note?.length ?? 0));
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, is64 ? 2 : 1, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, parts.machine ?? (is64 ? 62 : 3), true);
  view.setUint32(20, 1, true);
  const word = (offset: number, value: number): void => { if (is64) view.setBigUint64(offset, BigInt(value), true); else view.setUint32(offset, value, true); };
  word(24, parts.entry ?? segments[0]?.address ?? 0);
  word(is64 ? 32 : 28, headerBytes);
  view.setUint16(is64 ? 52 : 40, headerBytes, true);
  view.setUint16(is64 ? 54 : 42, entryBytes, true);
  view.setUint16(is64 ? 56 : 44, count, true);
  const programHeader = (n: number, type: number, offset: number, address: number, fileBytes: number, memoryBytes: number): void => {
    const p = headerBytes + n * entryBytes;
    view.setUint32(p, type, true);
    if (is64) {
      [offset, address, address, fileBytes, memoryBytes].forEach((v, k) => view.setBigUint64(p + 8 + k * 8, BigInt(v), true));
    } else {
      [offset, address, address, fileBytes, memoryBytes].forEach((v, k) => view.setUint32(p + 4 + k * 4, v, true));
    }
  };
  placed.forEach((s, n) => {
    file.set(s.bytes, s.place);
    programHeader(n, 1, s.offset, s.address, s.fileBytes ?? s.bytes.length, s.memoryBytes ?? s.bytes.length);
  });
  if (note) {
    file.set(note, noteAt);
    programHeader(segments.length, 4, noteAt, 0, note.length, note.length);
  }
  parts.patch?.(view);
  return file;
}

/** A note whose description is one doubleword. */
function elfNote(owner: string, type: number, value: number): Uint8Array {
  const name = new TextEncoder().encode(`${owner}\0`);
  const desc = 12 + Math.ceil(name.length / 4) * 4;
  const note = new Uint8Array(desc + 4), view = new DataView(note.buffer);
  view.setUint32(0, name.length, true);
  view.setUint32(4, 4, true);
  view.setUint32(8, type, true);
  note.set(name, 12);
  view.setUint32(desc, value, true);
  return note;
}
