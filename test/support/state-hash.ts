/** The guest's state as a short text that two machines share exactly where the guest could see no difference. */
import { createHash } from 'node:crypto';
import { readRflags } from '../../src/cpu/flags.ts';
import type { Machine } from '../../src/machine/machine.ts';
import { FIELDS, RAM_BASE, type FieldName } from '../../src/state/layout.ts';

const PIECE = 0x1_0000;
const ZEROS = new Uint8Array(PIECE);

/** How the status flags are kept, which engines may do differently: RFLAGS computed from these words is compared. */
const FLAG_WORDS: ReadonlySet<FieldName> = new Set<FieldName>(['zeroWord', 'signParityWord', 'carriesWord']);
const COMPARED = (Object.keys(FIELDS) as FieldName[]).filter((name) => !FLAG_WORDS.has(name));

/** Every field of the state's layout, RFLAGS computed from the flag words, and all of RAM. */
export function stateHash({ state }: Pick<Machine, 'state'>): string {
  const hash = createHash('sha256');
  hash.update(`${readRflags(state)} ${COMPARED.map((name) => String(state[name])).join(' ')}`);
  // Pieces that are all zero are told by their absence.
  for (let at = 0; at < state.ramBytes; at += PIECE) {
    const piece = state.u8.subarray(RAM_BASE + at, RAM_BASE + Math.min(at + PIECE, state.ramBytes));
    if (Buffer.compare(piece, ZEROS.subarray(0, piece.length)) !== 0) hash.update(`${at}`).update(piece);
  }
  return hash.digest('hex').slice(0, 16);
}
