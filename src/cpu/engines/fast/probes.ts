/** The two questions that generated code asks of an address before it jumps there. */
import { INSTRUCTION_ENTRIES, FETCH_ENTRY_BYTES, FETCH_FIELD } from '../../../mmu/tlb.ts';
import { ENGINE, ENTRIES_BASE, ENTRY, ENTRY_BYTES } from '../engine-memory.ts';
import type { Code } from '../wasm/code.ts';
import { LOAD, NUMERIC as N } from '../wasm/opcodes.ts';
import { HASH_FACTOR, HASH_SHIFT } from './entry-table.ts';

/** Locals: `ip` (i64) holds the address, `fetch` and `entry` (i32) take the offsets of what was found. */
export interface ProbeLocals { readonly ip: number; readonly fetch: number; readonly entry: number }

/** Leaves 1 on the stack where the fetch column of the TLB answers for the address: a fetch from it may go on without a walk. */
export function emitFetchProbe(code: Code, { ip, fetch }: Pick<ProbeLocals, 'ip' | 'fetch'>): void {
  code.get(ip);
  code.byte(N.i32_wrap_i64);
  code.i32(12 - Math.log2(FETCH_ENTRY_BYTES));
  code.byte(N.i32_shr_u);
  code.i32((INSTRUCTION_ENTRIES - 1) * FETCH_ENTRY_BYTES);
  code.byte(N.i32_and);
  code.i32(0);
  code.memory(LOAD[32], ENGINE.fetchColumn);
  code.byte(N.i32_add);
  code.tee(fetch);
  code.memory(LOAD[64], FETCH_FIELD.tag);
  code.get(ip);
  code.i64(-4096n);
  code.byte(N.i64_and);
  code.byte(N.i64_xor);
  code.i32(0);
  code.memory(LOAD[64], ENGINE.pcid);
  code.byte(N.i64_eq);
}

/** Leaves 1 where the entry table knows the address in this context: `entry` is the offset from ENTRIES_BASE. */
export function emitEntryProbe(code: Code, { ip, entry }: Pick<ProbeLocals, 'ip' | 'entry'>): void {
  code.get(ip);
  code.byte(N.i32_wrap_i64);
  code.i32(HASH_FACTOR);
  code.byte(N.i32_mul);
  code.i32(HASH_SHIFT);
  code.byte(N.i32_shr_u);
  code.i32(Math.log2(ENTRY_BYTES));
  code.byte(N.i32_shl);
  code.tee(entry);
  code.memory(LOAD[64], ENTRIES_BASE + ENTRY.key);
  code.get(ip);
  code.i32(0);
  code.memory(LOAD[64], ENGINE.contextKey);
  code.byte(N.i64_xor);
  code.byte(N.i64_eq);
}

/** Behind both probes, with the answer of one on the stack: leaves 1 where it was 1 and both name one frame. */
export function emitFrameCheck(code: Code, { fetch, entry }: Pick<ProbeLocals, 'fetch' | 'entry'>): void {
  code.get(entry);
  code.memory(LOAD[32], ENTRIES_BASE + ENTRY.frame);
  code.get(fetch);
  code.memory(LOAD[32], FETCH_FIELD.frame);
  code.byte(N.i32_eq);
  code.byte(N.i32_and);
}
