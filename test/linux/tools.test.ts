/** The parts of tools/linux: the LZ4 decoder, the extraction of vmlinux, the cpio writer, our init. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseElf } from '../../src/machine/boot/elf.ts';
import { cpio } from '../../tools/linux/cpio.ts';
import { INIT_LINES, initElf } from '../../tools/linux/init.ts';
import { busyboxInitramfs, initramfs } from '../../tools/linux/initramfs.ts';
import { decodeLegacyLz4 } from '../../tools/linux/lz4.ts';
import { extractVmlinux } from '../../tools/linux/vmlinux.ts';

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const ascii = (s: string): number[] => [...Buffer.from(s, 'latin1')];

/** A legacy frame of these blocks. */
function frame(...blocks: (readonly number[])[]): Uint8Array {
  return Uint8Array.from([0x02, 0x21, 0x4c, 0x18, ...blocks.flatMap((b) => [b.length & 255, b.length >> 8, 0, 0, ...b])]);
}
/** Literals "ab", then a match of 4 + 15 + 2 bytes at distance 2, then literals "!". */
const REPEATED = [0x2f, ...ascii('ab'), 2, 0, 2, 0x10, ...ascii('!')];

describe('LZ4', () => {
  it('copies matches that overlap what they make', () => {
    expect(text(decodeLegacyLz4(frame(REPEATED), 24))).toBe(`${'ab'.repeat(11)}a!`);
  });
  it('reads lengths beyond 15 + 255', () => {
    const literals = ascii('x'.repeat(300));
    expect(text(decodeLegacyLz4(frame([0xf0, 255, 30, ...literals]), 300))).toBe('x'.repeat(300));
  });
  it('goes on in the next block', () => {
    expect(text(decodeLegacyLz4(frame([0x20, ...ascii('ab')], [0x10, ...ascii('c')]), 3))).toBe('abc');
  });
  it('refuses what is damaged', () => {
    expect(() => decodeLegacyLz4(Uint8Array.of(1, 2, 3, 4), 1)).toThrow('magic number');
    expect(() => decodeLegacyLz4(frame([0x20, ...ascii('ab')]), 3)).toThrow('ends after 2 of 3 bytes');
    expect(() => decodeLegacyLz4(frame([0x21, ...ascii('ab'), 3, 0, 0x10, 1]), 9)).toThrow('match lies outside');
    expect(() => decodeLegacyLz4(frame([0xf0]), 9)).toThrow('ends within a sequence');
    expect(() => decodeLegacyLz4(frame(REPEATED), 20)).toThrow('match lies outside');
    expect(() => decodeLegacyLz4(frame([0x40, ...ascii('ab')]), 9)).toThrow('literals exceed');
  });
});

describe('the extraction of vmlinux', () => {
  const image = (payload: Uint8Array): Uint8Array => {
    const file = new Uint8Array(1024 + 16 + payload.length), view = new DataView(file.buffer);
    view.setUint8(0x1f1, 1);
    view.setUint32(0x202, 0x5372_6448, true);
    view.setUint32(0x248, 16, true);
    view.setUint32(0x24c, payload.length, true);
    file.set(payload, 1024 + 16);
    return file;
  };
  it('decodes the payload that the setup header points to', () => {
    expect(text(extractVmlinux(image(Uint8Array.from([...frame(REPEATED), 24, 0, 0, 0]))))).toBe(`${'ab'.repeat(11)}a!`);
  });
  it('says what it cannot do', () => {
    expect(() => extractVmlinux(new Uint8Array(100))).toThrow('not a bzImage');
    expect(() => extractVmlinux(image(new Uint8Array(32)))).toThrow('not compressed with lz4');
  });
});

describe('the initramfs', () => {
  it('is an archive of records whose names, contents and headers are padded to four bytes', () => {
    const archive = cpio([{ kind: 'directory', path: 'dev' }, { kind: 'character-device', path: 'dev/console', major: 5, minor: 1 }, { kind: 'file', path: 'a', content: Uint8Array.of(1, 2, 3, 4, 5) }]);
    const records: { name: string; mode: number; device: string; content: number[] }[] = [];
    for (let at = 0; ;) {
      const field = (n: number): number => parseInt(text(archive.subarray(at + 6 + 8 * n, at + 14 + 8 * n)), 16);
      expect([at % 4, text(archive.subarray(at, at + 6))]).toEqual([0, '070701']);
      const nameAt = at + 110, contentAt = (nameAt + field(11) + 3) & ~3;
      const name = text(archive.subarray(nameAt, nameAt + field(11) - 1));
      if (name === 'TRAILER!!!') break;
      records.push({ name, mode: field(1), device: `${field(9)}:${field(10)}`, content: [...archive.subarray(contentAt, contentAt + field(6))] });
      at = (contentAt + field(6) + 3) & ~3;
    }
    expect(records).toEqual([
      { name: 'dev', mode: 0o040755, device: '0:0', content: [] },
      { name: 'dev/console', mode: 0o020600, device: '5:1', content: [] },
      { name: 'a', mode: 0o100644, device: '0:0', content: [1, 2, 3, 4, 5] },
    ]);
  });
  it('has an init that Linux can map: page offsets agree, nothing is both writable and executable', () => {
    const elf = parseElf(initElf());
    expect(elf).toMatchObject({ bits: 64, machine: 'x86-64' });
    const file = new DataView(initElf().buffer);
    for (let n = 0; n < file.getUint16(56, true); n++) {
      const header = 64 + 56 * n;
      expect((file.getBigUint64(header + 8, true) - file.getBigUint64(header + 16, true)) % 4096n).toBe(0n);
      expect(file.getUint32(header + 4, true) & 3).not.toBe(3);
    }
    for (const line of INIT_LINES) expect(text(initramfs())).toContain(`${line}\n`);
  });
  it('of BusyBox can be executed where it must be, and has the scripts as they are in the repository', () => {
    const script = (name: string): Uint8Array => readFileSync(new URL(`../../tools/linux/busybox/${name}`, import.meta.url));
    const archive = text(busyboxInitramfs(Uint8Array.of(0x7f), { init: script('init'), session: script('session.sh') }));
    const modeOf = (path: string): string => archive.slice(archive.indexOf(`${path}\0`) - 110 + 14, archive.indexOf(`${path}\0`) - 110 + 22);
    expect(['bin/busybox', 'init', 'session.sh'].map(modeOf)).toEqual(['000081ed', '000081ed', '000081a4']);
    expect(archive).toContain(text(script('session.sh')));
    expect(text(script('init'))).toMatch(/^#!\/bin\/busybox sh\n/);
  });
});
