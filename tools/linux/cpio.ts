/** Writes cpio archives in the "newc" format, the initramfs of Linux. Linux, "initramfs buffer format" (Documentation/driver-api/early-userspace). */

/** A file, folder or device node of an archive. */
export type CpioEntry =
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'file'; readonly path: string; readonly content: Uint8Array; readonly executable?: boolean }
  | { readonly kind: 'character-device'; readonly path: string; readonly major: number; readonly minor: number };

const MAGIC = '070701', END = 'TRAILER!!!';
const S_IFDIR = 0o040000, S_IFCHR = 0o020000, S_IFREG = 0o100000;

const modeOf = (entry: CpioEntry): number => {
  switch (entry.kind) {
    case 'directory': return S_IFDIR | 0o755;
    case 'character-device': return S_IFCHR | 0o600;
    case 'file': return S_IFREG | (entry.executable === true ? 0o755 : 0o644);
  }
};

/** The archive's bytes; entries stand in the order given, so folders before what is in them. */
export function cpio(entries: readonly CpioEntry[]): Uint8Array {
  const parts: Uint8Array[] = [];
  let size = 0;
  const put = (bytes: Uint8Array): void => {
    const padding = -(size + bytes.length) & 3;
    parts.push(bytes, new Uint8Array(padding));
    size += bytes.length + padding;
  };
  const record = (inode: number, path: string, mode: number, content: Uint8Array, device: readonly [number, number]): void => {
    const name = new TextEncoder().encode(`${path}\0`);
    // inode, mode, uid, gid, links, mtime, size, device of the file system, device of the node, size of the name, checksum
    const fields = [inode, mode, 0, 0, 1, 0, content.length, 0, 0, ...device, name.length, 0];
    const header = new TextEncoder().encode(MAGIC + fields.map((x) => x.toString(16).padStart(8, '0')).join(''));
    put(Uint8Array.from([...header, ...name]));
    put(content);
  };
  const nothing = new Uint8Array(0);
  entries.forEach((entry, n) => record(n + 1, entry.path, modeOf(entry), entry.kind === 'file' ? entry.content : nothing, entry.kind === 'character-device' ? [entry.major, entry.minor] : [0, 0]));
  record(0, END, 0, nothing, [0, 0]);
  const archive = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    archive.set(part, at);
    at += part.length;
  }
  return archive;
}
