/** v86 as a process: boots a ROM, prints COM1. v86.mjs ROM MEGABYTES */
import { readFileSync, writeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { V86 } from '../node_modules/v86/build/libv86.mjs';

const [rom, megabytes] = process.argv.slice(2);
const bytes = readFileSync(rom);
const emulator = new V86({
  wasm_path: fileURLToPath(new URL('../node_modules/v86/build/v86.wasm', import.meta.url)),
  bios: { buffer: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) },
  memory_size: Number(megabytes) * 2 ** 20,
  vga_memory_size: 2 ** 20,
  autostart: true,
  disable_keyboard: true,
  disable_mouse: true,
  disable_speaker: true,
});
let line = '';
emulator.add_listener('serial0-output-byte', (byte) => {
  line += String.fromCharCode(byte);
  if (byte !== 10) return;
  writeSync(1, line);
  line = '';
});
