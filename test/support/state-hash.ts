/** The guest's state as a short text that two machines share exactly where the guest could see no difference. */
import { createHash } from 'node:crypto';
import { readRflags } from '../../src/cpu/flags.ts';
import type { Machine } from '../../src/machine/machine.ts';
import { RAM_BASE } from '../../src/state/layout.ts';

const PIECE = 0x1_0000;
const ZEROS = new Uint8Array(PIECE);

/** Registers, RFLAGS computed from the flag words, segments, control registers, time, and all of RAM. */
export function stateHash({ state }: Pick<Machine, 'state'>): string {
  const hash = createHash('sha256');
  const registers = [
    ...state.gpr, state.rip, readRflags(state), ...state.selector, ...state.base, ...state.limit, ...state.attributes, state.cpl,
    state.cr0, state.cr2, state.cr3, state.cr4, state.cr8, state.efer, ...state.xmm, state.mxcsr, state.retired, state.idleTime,
  ];
  hash.update(registers.join());
  // Pieces that are all zero are told by their absence.
  for (let at = 0; at < state.ramBytes; at += PIECE) {
    const piece = state.u8.subarray(RAM_BASE + at, RAM_BASE + Math.min(at + PIECE, state.ramBytes));
    if (Buffer.compare(piece, ZEROS.subarray(0, piece.length)) !== 0) hash.update(`${at}`).update(piece);
  }
  return hash.digest('hex').slice(0, 16);
}
