/**
 * The loop between pieces of generated code, itself WebAssembly: RIP to frame through the fetch column of the TLB, RIP and frame to
 * an entry, entry to region or record. It comes back to TypeScript with a STATUS.
 */
import { OFFSET } from '../../../state/layout.ts';
import { ENGINE, ENTRIES_BASE, ENTRY, STATUS, TRAIL_BASE, TRAIL_BYTES } from '../engine-memory.ts';
import { COLUMN, columnBase } from '../../../mmu/tlb.ts';
import { HANDLER_PARAMETERS } from '../interpreter/handler-ops.ts';
import { RECORD, RECORD_BYTES } from '../interpreter/record.ts';
import { Code, type Label } from '../wasm/code.ts';
import { Expressions } from '../wasm/expressions.ts';
import { ModuleWriter } from '../wasm/module.ts';
import { I32, I64, LOAD, NUMERIC as N, OP, STORE, VOID, type ValueType } from '../wasm/opcodes.ts';
import { CONTEXT_KEY_HIGH_SHIFT, LEGACY } from './context.ts';
import { emitEntryProbe, emitFetchProbe, emitFrameCheck } from './probes.ts';
import { PREPARED, type PagingCode } from './paging-code.ts';
import { LEFT_BEFORE, ONE_MORE } from './trail.ts';
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
/** Numbers of the functions that it imports. */
const PREPARE = 0, PREPARE_FETCH = 1, STRING = 2;
const LOCAL_TYPES: readonly ValueType[] = [I64, I32, I32, I32, I32, I32];

/** `string`: goes on with a repeated string instruction that generated code was left for, with STATUS.string, and returns the STATUS behind it. */
export function createDispatcher(memory: WebAssembly.Memory, handlers: WebAssembly.Table, regions: WebAssembly.Table, paging: PagingCode, string: () => number): Dispatcher {
  const module = new ModuleWriter();
  const handler = module.signature(HANDLER_PARAMETERS, [I32]);
  const region = module.signature(REGION_PARAMETERS, [I32]);
  const runType = module.signature([], [I32]);
  const resumeType = module.signature([I32], [I32]);
  module.importFunction('p', 'prepare', module.signature([I64, I32], [I32]));
  module.importFunction('p', 'prepareFetch', module.signature([I64], [I32]));
  module.importFunction('p', 'string', module.signature([], [I32]));
  module.importMemory('e', 'memory');
  module.importTable('e', 'handlers');
  module.importTable('e', 'regions');
  module.add({ signature: runType, locals: LOCAL_TYPES, code: runCode(handler, region), name: 'run' });
  module.add({ signature: resumeType, locals: [I32], code: resumeCode(handler), name: 'resume' });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.bytes()), { e: { memory, handlers, regions }, p: { ...paging, string } });
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
  const left = code.open(OP.block, VOID);
  code.i32(0);
  code.memory(LOAD[64], OFFSET.rip);
  code.set(LOCAL.rip);
  emitFetchProbe(code, PROBE);
  code.byte(N.i32_eqz);
  code.open(OP.if, VOID);
  // A walk may fault, and waits for the instruction that it is for.
  code.i32(0);
  code.memory(LOAD[32], ENGINE.budget);
  code.byte(N.i32_eqz);
  returnIf(code, STATUS.fetch);
  code.get(LOCAL.rip);
  code.call(PREPARE_FETCH);
  code.brIf(again);
  code.i32(STATUS.fetch);
  code.byte(OP.return);
  code.end();
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
  code.br(left);
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
  code.get(LOCAL.left);
  code.i32(0);
  code.memory(LOAD[32], ENGINE.linkFrom);
  code.byte(N.i32_lt_s);
  code.open(OP.if, VOID);
  code.i32(0);
  code.i32(0);
  code.memory(STORE[32], ENGINE.link);
  code.end();
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
  code.end();
  serveMiss(code, handler, again);
  code.get(LOCAL.status);
  code.i32(STATUS.string);
  code.byte(N.i32_eq);
  code.open(OP.if, VOID);
  code.call(STRING);
  code.tee(LOCAL.status);
  code.byte(N.i32_eqz);
  code.brIf(again);
  code.end();
  code.get(LOCAL.status);
  code.byte(OP.return);
  code.end();
  code.byte(OP.unreachable);
  return code.bytes.slice();
}

/** Where a page missed that fast/paging-code.ts can bring: goes on with the same instruction. Otherwise goes on behind, with the status. */
function serveMiss(code: Code, handler: number, again: Label): void {
  const x = new Expressions(code);
  const status = x.local(LOCAL.status), record = x.local(LOCAL.record), budget = x.load(32, ENGINE.budget);
  x.loop((further) => {
    x.if(x.and(x.op('i32_eq', status, x.c(STATUS.miss)), x.op('i32_ne', budget, x.load(32, ENGINE.servedAt))), () => {
      x.store(32, ENGINE.servedAt, x.c(0), budget);
      x.load(64, ENGINE.missAddress)();
      x.load(32, ENGINE.missAccess)();
      code.call(PREPARE);
      code.tee(LOCAL.fetch);
      code.open(OP.if, VOID);
      x.if(x.op('i32_eq', x.local(LOCAL.fetch), x.c(PREPARED.fault)), () => {
        deliverFault(code, x, handler);
        code.br(again);
      });
      x.set(LOCAL.record, x.load(32, ENGINE.leftAt));
      // A region has set RIP, and knows no records.
      x.if(x.not(record), () => { code.br(again); });
      x.store(32, ENGINE.leftAt, x.c(0), x.c(0));
      x.store(32, ENGINE.budget, x.c(0), x.op('i32_add', budget, x.load(16, RECORD.remaining, record)));
      x.set(LOCAL.left, x.or(record, x.c(LEFT_BEFORE)));
      emitNoteRecord(code, LOCAL.left);
      callRecord(code, handler, LOCAL.record, LOCAL.left);
      code.tee(LOCAL.status);
      code.byte(N.i32_eqz);
      code.brIf(again);
      code.br(further);
      code.end();
    });
  });
}

/** Has the page fault at the record in ENGINE.leftAt, or at RIP, delivered; returns where TypeScript must do that. */
function deliverFault(code: Code, x: Expressions, handler: number): void {
  const record = x.local(LOCAL.record), way = x.local(LOCAL.left), trail = x.load(32, ENGINE.trail);
  const isUser = x.op('i32_eq', x.load(32, ENGINE.dataColumn), x.c(columnBase(COLUMN.user)));
  const isLegacy = x.has(x.load(32, ENGINE.contextKey + 4), LEGACY << CONTEXT_KEY_HIGH_SHIFT);
  x.set(LOCAL.left, x.load(32, ENGINE.pageFaultWays, x.or(x.op('i32_shl', isUser, x.c(2)), x.op('i32_shl', isLegacy, x.c(3)))));
  x.if(x.not(way), () => { x.return(x.local(LOCAL.status)); });
  x.set(LOCAL.record, x.load(32, ENGINE.leftAt));
  const budget = x.op('i32_add', x.load(32, ENGINE.budget), x.select(record, x.load(16, RECORD.remaining, record), x.c(0)));
  // The shadow of STI goes into the delivery.
  x.if(x.op('i32_eq', budget, x.load(32, ENGINE.shadowAt)), () => { x.return(x.local(LOCAL.status)); });
  x.if(record, () => {
    x.store(64, OFFSET.rip, x.c(0), x.op('i64_sub', x.load(64, RECORD.nextIp, record), x.op('i64_extend_i32_u', x.load(8, RECORD.length, record))));
  });
  // The delivery's own accesses may miss.
  x.set(LOCAL.rip, x.load(64, ENGINE.missAddress));
  x.set(LOCAL.entry, x.load(32, ENGINE.missAccess));
  record();
  budget();
  way();
  code.byte(OP.call_indirect);
  code.unsigned(handler);
  code.unsigned(0);
  code.open(OP.if, VOID);
  x.store(64, ENGINE.missAddress, x.c(0), x.local(LOCAL.rip));
  x.store(32, ENGINE.missAccess, x.c(0), x.local(LOCAL.entry));
  x.return(x.local(LOCAL.status));
  code.end();
  x.store(32, ENGINE.leftAt, x.c(0), x.c(0));
  x.store(32, ENGINE.leftRegion, x.c(0), x.c(0));
  // The instruction that met the fault is one of the last: a block of records was left behind it; a region's word counts one more.
  x.if(record, () => {
    x.set(LOCAL.left, x.or(x.op('i32_add', record, x.c(RECORD_BYTES)), x.c(LEFT_BEFORE)));
    emitNoteRecord(code, LOCAL.left);
  }, () => {
    const last = x.and(x.op('i32_sub', trail, x.c(4)), x.c(TRAIL_BYTES - 1));
    x.store(32, TRAIL_BASE, last, x.op('i32_add', x.load(32, TRAIL_BASE, last), x.c(ONE_MORE)));
  });
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
