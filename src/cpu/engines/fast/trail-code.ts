/** The code that writes a word into the trail (trail.ts). */
import { ENGINE, TRAIL_BASE, TRAIL_BYTES } from '../engine-memory.ts';
import type { Code } from '../wasm/code.ts';
import { LOAD, NUMERIC as N, STORE } from '../wasm/opcodes.ts';

/** Notes that the block of the record in a local is run. */
export function emitNoteRecord(code: Code, record: number): void {
  code.i32(0);
  code.memory(LOAD[32], ENGINE.trail);
  code.get(record);
  code.memory(STORE[32], TRAIL_BASE);
  code.i32(0);
  code.i32(0);
  code.memory(LOAD[32], ENGINE.trail);
  emitAdvance(code);
  code.memory(STORE[32], ENGINE.trail);
}

/** The same in a region: a word, with the place of the next one in a local. */
export function emitNoteWord(code: Code, trail: number, word: () => void): void {
  code.get(trail);
  word();
  code.memory(STORE[32], TRAIL_BASE);
  code.get(trail);
  emitAdvance(code);
  code.set(trail);
}

function emitAdvance(code: Code): void {
  code.i32(4);
  code.byte(N.i32_add);
  code.i32(TRAIL_BYTES - 1);
  code.byte(N.i32_and);
}
