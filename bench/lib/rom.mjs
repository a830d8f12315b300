/**
 * A 128-KiB ROM with the benchmark guest and its command line inside: Bochs and v86 start it at reset, so that neither a
 * BIOS nor a boot loader nor a disk is needed. Its last 4 KiB are images/rom.bin (tools/bench/rom.S).
 */
import { readFileSync } from 'node:fs';

const ROM_BASE = 0xe0000, ROM_BYTES = 0x20000, STUB_BYTES = 0x1000;
const MULTIBOOT_CMDLINE = 4;
const images = new URL('../images/', import.meta.url);

/** The loadable segments of an ELF file: where their bytes are, where they go. */
function segments(elf) {
  const view = new DataView(elf.buffer, elf.byteOffset, elf.byteLength);
  const wide = elf[4] === 2;
  const word = (at) => wide ? Number(view.getBigUint64(at, true)) : view.getUint32(at, true);
  const table = wide ? word(32) : word(28), size = view.getUint16(wide ? 54 : 42, true), count = view.getUint16(wide ? 56 : 44, true);
  const found = [];
  for (let n = 0; n < count; n++) {
    const at = table + n * size;
    if (view.getUint32(at, true) !== 1) continue;
    const [offset, physical, bytes, memory] = wide ? [8, 24, 32, 40].map((field) => word(at + field)) : [4, 12, 16, 20].map((field) => word(at + field));
    found.push({ physical, bytes: elf.subarray(offset, offset + bytes), zeros: memory - bytes });
  }
  return found;
}

/** The ELF entry of both images is code for the state in which a Multiboot loader, and a PVH one, leaves the processor. */
function entryOf(elf) {
  const view = new DataView(elf.buffer, elf.byteOffset, elf.byteLength);
  return elf[4] === 1 ? view.getUint32(24, true) : Number(view.getBigUint64(24, true));
}

/** The ROM for an image of images/. */
export function romOf(image, cmdline) {
  const elf = readFileSync(new URL(image, images)), stub = readFileSync(new URL('rom.bin', images));
  const rom = Buffer.alloc(ROM_BYTES, 0);
  const pieces = segments(elf).filter((piece) => piece.bytes.length + piece.zeros > 0);
  const information = 12 + 16 * pieces.length, line = information + 24;
  rom.writeUInt32LE(entryOf(elf), 0);
  rom.writeUInt32LE(pieces.length, 4);
  rom.writeUInt32LE(information, 8);
  rom.writeUInt32LE(MULTIBOOT_CMDLINE, information);
  rom.writeUInt32LE(ROM_BASE + line, information + 16);
  rom.write(`${cmdline}\0`, line, 'latin1');
  let at = line + cmdline.length + 1;
  for (const [n, { physical, bytes, zeros }] of pieces.entries()) {
    if (at + bytes.length > ROM_BYTES - STUB_BYTES) throw new Error(`${image} does not fit into a ROM of ${ROM_BYTES} bytes`);
    for (const [field, value] of [ROM_BASE + at, physical, bytes.length, zeros].entries()) rom.writeUInt32LE(value, 12 + 16 * n + 4 * field);
    bytes.copy(rom, at);
    at += bytes.length;
  }
  stub.copy(rom, ROM_BYTES - STUB_BYTES);
  return rom;
}
