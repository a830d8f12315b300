/**
 * The loop between pieces of generated code, itself WebAssembly: RIP to frame through the fetch column of the TLB, RIP and frame to
 * an entry, entry to region or record. It comes back to TypeScript with a STATUS.
 */
import { OFFSET } from '../../../state/layout.ts';
import { ENGINE, ENTRIES_BASE, ENTRY, STATUS } from '../engine-memory.ts';
import { HANDLER_PARAMETERS } from '../interpreter/handler-ops.ts';
import { RECORD } from '../interpreter/record.ts';
import { Code } from '../wasm/code.ts';
import { ModuleWriter } from '../wasm/module.ts';
import { I32, I64, LOAD, NUMERIC as N, OP, STORE, VOID, type ValueType } from '../wasm/opcodes.ts';
import { emitEntryProbe, emitFetchProbe, emitFrameCheck } from './probes.ts';
import { emitNoteRecord } from './trail-code.ts';

/** Longest block of records, in instructions. */
export const MAX_BLOCK = 32;
/** Most instructions of a region: it is entered, and goes backwards, while the budget is at least this, since it goes forwards through a block once at most. */
export const MAX_REGION_INSTRUCTIONS = 1024;
/** Parameters of a region: the number of the block to begin with. */
export const REGION_PARAMETERS: readonly ValueType[] = [I32];

export interface Dispatcher {
  /** Runs from RIP on, as long as ENGINE.budget lasts. Returns a STATUS. */
  run(): number;
  /** The same, beginning with the record of the instruction at RIP. */
  resume(record: number): number;
}

const LOCAL = { rip: 0, fetch: 1, entry: 2, record: 3, status: 4, left: 5 } as const;
const PROBE = { ip: LOCAL.rip, fetch: LOCAL.fetch, entry: LOCAL.entry };
const LOCAL_TYPES: readonly ValueType[] = [I64, I32, I32, I32, I32, I32];

export function createDispatcher(memory: WebAssembly.Memory, handlers: WebAssembly.Table, regions: WebAssembly.Table): Dispatcher {
  const module = new ModuleWriter();
  const handler = module.signature(HANDLER_PARAMETERS, [I32]);
  const region = module.signature(REGION_PARAMETERS, [I32]);
  const runType = module.signature([], [I32]);
  const resumeType = module.signature([I32], [I32]);
  module.importMemory('e', 'memory');
  module.importTable('e', 'handlers');
  module.importTable('e', 'regions');
  module.add({ signature: runType, locals: LOCAL_TYPES, code: runCode(handler, region), name: 'run' });
  module.add({ signature: resumeType, locals: [I32], code: resumeCode(handler), name: 'resume' });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.bytes()), { e: { memory, handlers, regions } });
  return exports as unknown as Dispatcher;
}

function returnIf(code: Code, status: number): void {
  code.open(OP.if, VOID);
  code.i32(status);
  code.byte(OP.return);
  code.end();
}

function runCode(handler: number, region: number): Uint8Array {
  const code = new Code();
  const again = code.open(OP.loop, VOID);
  code.i32(0);
  code.memory(LOAD[64], OFFSET.rip);
  code.set(LOCAL.rip);
  emitFetchProbe(code, PROBE);
  code.byte(N.i32_eqz);
  returnIf(code, STATUS.fetch);
  emitEntryProbe(code, PROBE);
  emitFrameCheck(code, PROBE);
  code.byte(N.i32_eqz);
  returnIf(code, STATUS.lookup);

  // A region, where the budget lasts for all of its instructions; or where it lasts for more than this stay: see there.
  code.get(LOCAL.entry);
  code.memory(LOAD[32], ENTRIES_BASE + ENTRY.region);
  code.tee(LOCAL.record);
  code.open(OP.if, VOID);
  code.i32(0);
  code.memory(LOAD[32], ENGINE.budget);
  code.i32(MAX_REGION_INSTRUCTIONS);
  code.byte(N.i32_ge_s);
  code.open(OP.if, VOID);
  // One way of many between two regions is reported.
  code.i32(0);
  code.memory(LOAD[32], ENGINE.leftRegion);
  code.open(OP.if, VOID);
  code.i32(0);
  code.i32(0);
  code.memory(LOAD[32], ENGINE.untilReport);
  code.i32(1);
  code.byte(N.i32_sub);
  code.tee(LOCAL.left);
  code.memory(STORE[32], ENGINE.untilReport);
  code.get(LOCAL.left);
  code.byte(N.i32_eqz);
  returnIf(code, STATUS.crossing);
  code.end();
  code.i32(0);
  code.i32(0);
  code.memory(STORE[32], ENGINE.link);
  code.get(LOCAL.entry);
  code.memory(LOAD[32], ENTRIES_BASE + ENTRY.block);
  code.get(LOCAL.record);
  code.byte(OP.call_indirect);
  code.unsigned(region);
  code.unsigned(1);
  code.tee(LOCAL.status);
  code.byte(N.i32_eqz);
  code.brIf(again);
  code.get(LOCAL.status);
  code.byte(OP.return);
  code.end();
  code.i32(0);
  code.memory(LOAD[32], ENGINE.more);
  returnIf(code, STATUS.budget);
  code.end();

  // A record. Its heat is counted here.
  code.i32(0);
  code.i32(0);
  code.memory(STORE[32], ENGINE.leftRegion);
  code.get(LOCAL.entry);
  code.get(LOCAL.entry);
  code.memory(LOAD[32], ENTRIES_BASE + ENTRY.heat);
  code.i32(1);
  code.byte(N.i32_sub);
  code.tee(LOCAL.left);
  code.memory(STORE[32], ENTRIES_BASE + ENTRY.heat);
  code.get(LOCAL.left);
  code.byte(N.i32_eqz);
  returnIf(code, STATUS.hot);
  code.get(LOCAL.entry);
  code.memory(LOAD[32], ENTRIES_BASE + ENTRY.record);
  code.set(LOCAL.record);
  // The link that led here.
  code.i32(0);
  code.memory(LOAD[32], ENGINE.link);
  code.tee(LOCAL.left);
  code.open(OP.if, VOID);
  code.get(LOCAL.left);
  code.get(LOCAL.record);
  code.memory(STORE[32], 0);
  code.i32(0);
  code.i32(0);
  code.memory(STORE[32], ENGINE.link);
  code.end();
  callRecord(code, handler, LOCAL.record, LOCAL.left);
  code.tee(LOCAL.status);
  code.byte(N.i32_eqz);
  code.brIf(again);
  code.get(LOCAL.status);
  code.byte(OP.return);
  code.end();
  code.byte(OP.unreachable);
  return code.bytes.slice();
}

/** Pays for the block from a record on, or returns; then leaves the status of its handler on the stack. */
function callRecord(code: Code, handler: number, record: number, left: number): void {
  code.i32(0);
  code.memory(LOAD[32], ENGINE.budget);
  code.get(record);
  code.memory(LOAD[16], RECORD.remaining);
  code.byte(N.i32_sub);
  code.tee(left);
  code.i32(0);
  code.byte(N.i32_lt_s);
  returnIf(code, STATUS.budget);
  emitNoteRecord(code, record);
  code.get(record);
  code.get(left);
  code.get(record);
  code.memory(LOAD[32], RECORD.handler);
  code.byte(OP.call_indirect);
  code.unsigned(handler);
  code.unsigned(0);
}

/** STATUS.next is the caller's: it calls `run`. */
function resumeCode(handler: number): Uint8Array {
  const code = new Code();
  callRecord(code, handler, 0, 1);
  return code.bytes.slice();
}
