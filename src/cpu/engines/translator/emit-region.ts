/** A region as the body of one WebAssembly function: nested loops and blocks around what RegionOps writes. */
import { INSTRUCTION_ENTRIES, FETCH_ENTRY_BYTES, FETCH_FIELD, COLUMN, FETCH_COLUMN, fetchColumnBase } from '../../../mmu/tlb.ts';
import { OFFSET } from '../../../state/layout.ts';
import { FLAG_WORD_OFFSETS } from '../emit/flag-ops.ts';
import type { PageLocals } from '../emit/memory-ops.ts';
import { accessesPort } from '../emit/port-ops.ts';
import { ENGINE, ENTRIES_BASE, ENTRY, PAGE_SLOT, STATUS } from '../engine-memory.ts';
import type { Context } from '../fast/context.ts';
import { MAX_REGION_INSTRUCTIONS } from '../fast/dispatcher.ts';
import { emitEntryProbe, emitFetchProbe, emitFrameCheck } from '../fast/probes.ts';
import { emitNoteWord } from '../fast/trail-code.ts';
import { Code, type Label } from '../wasm/code.ts';
import { I32, I64, LOAD, NUMERIC as N, OP, SIMD, STORE, VOID, type ValueType } from '../wasm/opcodes.ts';
import { WORDS, type FlagShape } from './flag-homes.ts';
import { regionWord } from '../fast/trail.ts';
import { pageSlotsOf } from './page-slots.ts';
import { FIXED_LOCALS, LOCAL, RegionOps, compareTag, vectorOffset } from './region-ops.ts';
import { blocksByIp, nextBlock, type Block } from './region.ts';
import { dominates, innermostLoop, onlyPredecessor, structure, type Place } from './structure.ts';

/** Most places that an indirect branch compares its target with. */
const MAX_GUESSES = 4;
/** Most pages that a loop keeps in locals: more would push its registers onto V8's stack. */
const MAX_KEPT_PAGES = 4;

export interface EmittedRegion {
  readonly locals: readonly ValueType[];
  readonly code: Uint8Array;
  /** It calls functions of emit/extended.ts or of the engine. */
  readonly callsFunctions: boolean;
  /** Of each block, the number of the one that always runs before it; -1 where several lead to it. */
  readonly predecessors: readonly number[];
}

/** Instructions of a block and of those that always run before it: they are paid for together. */
function owed(place: Place): number {
  let sum = 0;
  for (let one: Place | undefined = place; one !== undefined; one = onlyPredecessor(one)) sum += one.block!.instructions.length;
  return sum;
}

/** Numbers of the YMM registers that are operands. */
const ymmRegistersOf = (blocks: readonly Block[]): ReadonlySet<number> =>
  new Set(blocks.flatMap(({ instructions }) => instructions.flatMap(({ operands }) => operands.flatMap((x) => (x.kind === 'xmm' && x.width === 256 ? [x.number] : [])))));

/** Writes the function of a region whose place in the regions' table is `id`, and whose number in the trail is `source`. `beside`: it writes to pages with code. */
export function emitRegion(blocks: readonly Block[], id: number, source: number, context: Context, beside: boolean): EmittedRegion { return new RegionEmitter(blocks, id, source, context, beside).emit(); }

class RegionEmitter {
  readonly #blocks: readonly Block[];
  readonly #id: number;
  readonly #source: number;
  readonly #context: Context;
  readonly #code = new Code();
  readonly #ops: RegionOps;
  readonly #byIp: ReadonlyMap<bigint, Block>;
  readonly #placeOf: ReadonlyMap<Block, Place>;
  readonly #root: Place;
  /** Where a branch backwards, or forwards, to a place leads. */
  readonly #loops = new Map<Place, Label>();
  readonly #merges = new Map<Place, Label>();
  /** Slots of remembered pages that are in locals at a place. */
  readonly #pagesOf = new Map<Place, ReadonlyMap<number, PageLocals>>();
  /** What the homes of the flags hold at the end of a block. */
  readonly #flagsOut = new Map<Place, FlagShape | undefined>();

  constructor(blocks: readonly Block[], id: number, source: number, context: Context, beside: boolean) {
    this.#blocks = blocks;
    this.#id = id;
    this.#source = source;
    this.#context = context;
    this.#ops = new RegionOps(this.#code, context, source, ymmRegistersOf(blocks), beside);
    this.#byIp = blocksByIp(blocks);
    const { root, placeOf } = structure(blocks);
    root.loops = true;
    this.#root = root;
    this.#placeOf = placeOf;
  }

  emit(): EmittedRegion {
    this.#ops.exit = this.#code.open(OP.block, VOID);
    this.#tree(this.#root);
    this.#code.end();
    this.#leave();
    const whole = new Code();
    this.#enter(whole);
    whole.append(this.#code.bytes.slice());
    return { locals: [...FIXED_LOCALS, ...this.#ops.locals], code: whole.bytes.slice(), callsFunctions: this.#ops.callsExtended || this.#ops.callsEngine, predecessors: this.#blocks.map((block) => onlyPredecessor(this.#placeOf.get(block)!)?.block?.number ?? -1) };
  }

  /** Registers and flags from the state into their homes. */
  #enter(code: Code): void {
    const load = (op: number, at: number, local: number): void => {
      code.i32(0);
      code.memory(op, at);
      code.set(local);
    };
    load(LOAD[32], ENGINE.budget, LOCAL.budget);
    load(LOAD[64], ENGINE.pcid, LOCAL.pcid);
    load(LOAD[32], ENGINE.trail, LOCAL.trail);
    for (const r of this.#ops.used) load(LOAD[64], OFFSET.gpr + 8 * r, LOCAL.gpr + r);
    for (const [number, local] of this.#ops.vectorHomes) load(SIMD['v128.load'], vectorOffset(number), local);
    FLAG_WORD_OFFSETS.forEach((at, n) => { load(LOAD[64], at, LOCAL.flags + n); });
    code.i32(WORDS);
    code.set(LOCAL.flagKind);
  }
  #leave(): void {
    const code = this.#code;
    const store = (op: number, at: number, local: number): void => {
      code.i32(0);
      code.get(local);
      code.memory(op, at);
    };
    for (const r of this.#ops.written) store(STORE[64], OFFSET.gpr + 8 * r, LOCAL.gpr + r);
    for (const number of this.#ops.writtenVectors) store(SIMD['v128.store'], vectorOffset(number), this.#ops.vectorHomes.get(number)!);
    this.#ops.storeFlags();
    code.get(LOCAL.partial);
    code.open(OP.if, VOID);
    emitNoteWord(code, LOCAL.trail, () => { code.get(LOCAL.partial); });
    code.end();
    store(STORE[32], ENGINE.trail, LOCAL.trail);
    store(STORE[64], OFFSET.rip, LOCAL.rip);
    store(STORE[32], ENGINE.budget, LOCAL.budget);
    code.i32(0);
    code.i32(this.#id);
    code.memory(STORE[32], ENGINE.leftRegion);
    code.get(LOCAL.status);
  }

  /** A place with everything that it dominates. */
  #tree(place: Place): void {
    if (!place.loops) return this.#within(place, 0);
    this.#keepPages(place);
    this.#loops.set(place, this.#code.open(OP.loop, VOID));
    this.#within(place, 0);
    this.#code.end();
  }
  /** In front of an innermost loop: brings what it remembers of pages into locals, if that is not much. */
  #keepPages(head: Place): void {
    const loop = head.block === undefined ? undefined : innermostLoop(head);
    if (loop === undefined) return;
    const slots = pageSlotsOf(this.#context.column, [...loop].flatMap(({ block }) => block!.instructions));
    if (slots.size > MAX_KEPT_PAGES) return;
    const kept = new Map([...slots].map((slot) => [slot, this.#ops.pageLocals()]));
    const code = this.#code;
    for (const [slot, { page, addend }] of kept) {
      code.i32(0);
      code.memory(LOAD[64], slot + PAGE_SLOT.page);
      code.set(page);
      code.i32(0);
      code.memory(LOAD[32], slot + PAGE_SLOT.addend);
      code.set(addend);
    }
    for (const place of loop) this.#pagesOf.set(place, kept);
  }
  /** The place inside of blocks, behind whose ends its merges stand. */
  #within(place: Place, n: number): void {
    const merge = place.merges[n];
    if (merge === undefined) return this.#body(place);
    this.#merges.set(merge, this.#code.open(OP.block, VOID));
    this.#within(place, n + 1);
    this.#code.end();
    this.#tree(merge);
  }

  #body(place: Place): void {
    const { block } = place;
    if (block === undefined) {
      this.#dispatch();
      return;
    }
    const before = onlyPredecessor(place);
    if (block.crossing !== undefined) this.#checkPage(block.crossing.page, block.crossing.frame, block.ip, STATUS.reference, before);
    const flagsLiveOut = block.successors.length === 0 || accessesPort(block.instructions.at(-1)!) || block.successors.some((ip) => this.#needsFlags(place, ip));
    const flagsIn = place.merge || place.loops ? undefined : this.#flagsOut.get(place.dominator!);
    const { ending, flagsOut } = this.#ops.block(block, flagsIn, flagsLiveOut, before === undefined ? 0 : owed(before), this.#pagesOf.get(place));
    this.#flagsOut.set(place, flagsOut);
    if (ending.kind === 'goto') this.#edge(place, block, ending.to);
    else if (ending.kind === 'if') {
      this.#ops.emitEndValue();
      this.#code.open(OP.if, VOID);
      this.#edge(place, block, ending.to);
      this.#code.else();
      this.#edge(place, block, ending.otherwise);
      this.#code.end();
    } else if (ending.kind === 'asking') {
      this.#ops.emitEndValue();
      this.#code.open(OP.if, VOID);
      this.#settle(place);
      this.#ops.exitWith(STATUS.served, () => { this.#code.i64(ending.to); });
      this.#code.end();
      this.#edge(place, block, ending.to);
    } else this.#indirect(place, block);
  }

  /** Whether flags must be in their homes on the way from a place to an address: someone reads them, or the way may leave the region. */
  #needsFlags(from: Place, ip: bigint): boolean {
    const to = nextBlock(from.block!, ip, this.#byIp);
    return to === undefined || to.flagsLiveIn || to.crossing !== undefined || ip >> 12n !== from.block!.ip >> 12n || this.#placeOf.get(to)!.order <= from.order;
  }

  /** To the block whose number is in LOCAL.block. */
  #dispatch(): void {
    const exit = this.#ops.exit;
    this.#code.get(LOCAL.block);
    this.#code.brTable(this.#blocks.map((block) => (block.entry ? this.#merges.get(this.#placeOf.get(block)!)! : exit)), exit);
  }

  /** `settled`: the way up to here has been paid for. */
  #edge(from: Place, block: Block, ip: bigint, settled = false): void {
    const to = nextBlock(block, ip, this.#byIp);
    const place = to === undefined ? undefined : this.#placeOf.get(to)!;
    const unsettled = !settled && place !== undefined && onlyPredecessor(place) === from;
    if (!settled && !unsettled) this.#settle(from);
    if (to === undefined || place === undefined) {
      this.#exitTo(ip);
      return;
    }
    if (ip >> 12n !== block.ip >> 12n) this.#checkPage(to.ip, to.frame, ip, STATUS.next, unsettled ? from : undefined);
    const code = this.#code;
    if (place.order > from.order) {
      if (place.merge) code.br(this.#merges.get(place)!);
      else this.#tree(place);
      return;
    }
    this.#checkBudget(() => { code.i64(ip); });
    if (place.loops && dominates(place, from)) code.br(this.#loops.get(place)!);
    else this.#viaDispatch(to.number);
  }

  /** Pays for a block and for those that always run before it, and notes them. */
  #settle(place: Place): void {
    const code = this.#code;
    code.get(LOCAL.budget);
    code.i32(owed(place));
    code.byte(N.i32_sub);
    code.set(LOCAL.budget);
    const { number, instructions } = place.block!;
    emitNoteWord(code, LOCAL.trail, () => { code.i32(regionWord(this.#source, number, instructions.length)); });
  }

  /** On each way backwards: leaves unless the budget lasts for the longest way forwards. */
  #checkBudget(ip: () => void): void {
    const code = this.#code;
    code.get(LOCAL.budget);
    code.i32(MAX_REGION_INSTRUCTIONS);
    code.byte(N.i32_lt_s);
    code.open(OP.if, VOID);
    this.#ops.exitWith(STATUS.next, ip);
    code.end();
  }

  #viaDispatch(number: number): void {
    this.#code.i32(number);
    this.#code.set(LOCAL.block);
    this.#code.br(this.#loops.get(this.#root)!);
  }
  #exitTo(ip: bigint): void { this.#ops.exitWith(STATUS.next, () => { this.#code.i64(ip); }); }

  /**
   * Leaves, with RIP = `ip`, unless the fetch column says of a page what was true when the region was made: a fetch from another page asks the TLB.
   * `from`: what is still to be paid for then.
   */
  #checkPage(page: bigint, frame: number, ip: bigint, status: number, from: Place | undefined): void {
    const code = this.#code;
    const at = fetchColumnBase(this.#context.column === COLUMN.user ? FETCH_COLUMN.user : FETCH_COLUMN.supervisor)
      + Number((page >> 12n) & BigInt(INSTRUCTION_ENTRIES - 1)) * FETCH_ENTRY_BYTES;
    code.i32(0);
    code.memory(LOAD[64], at + FETCH_FIELD.tag);
    code.i64(page & ~0xfffn);
    compareTag(code, this.#context.pcidIsZero);
    code.i32(0);
    code.memory(LOAD[32], at + FETCH_FIELD.frame);
    code.i32(frame);
    code.byte(N.i32_eq);
    code.byte(N.i32_and);
    code.byte(N.i32_eqz);
    code.open(OP.if, VOID);
    if (from !== undefined) this.#settle(from);
    this.#ops.exitWith(status, () => { code.i64(ip); });
    code.end();
  }

  /** Compares the address with the few places where it is likely to lead: a return, behind the region's calls; a jump, where such have led before. */
  #guess(place: Place, block: Block, ip: number): void {
    const role = block.instructions.at(-1)!.mnemonic === 'RET' ? 'return' : 'target';
    const likely = this.#blocks.filter((one) => one.role === role);
    if (likely.length > MAX_GUESSES) return;
    const code = this.#code;
    for (const one of likely) {
      code.get(ip);
      code.i64(one.ip);
      code.byte(N.i64_eq);
      code.open(OP.if, VOID);
      this.#edge(place, block, one.ip, true);
      code.end();
    }
  }

  /** To the address that the block ended with: within the region if the entry table says so. */
  #indirect(place: Place, block: Block): void {
    const code = this.#code;
    this.#settle(place);
    const ip = this.#ops.endTemporary(I64), fetch = this.#ops.endTemporary(I32), entry = this.#ops.endTemporary(I32);
    this.#ops.emitEndValue();
    code.set(ip);
    this.#guess(place, block, ip);
    emitEntryProbe(code, { ip, entry });
    code.get(entry);
    code.memory(LOAD[32], ENTRIES_BASE + ENTRY.region);
    code.i32(this.#id);
    code.byte(N.i32_eq);
    code.byte(N.i32_and);
    code.get(LOCAL.budget);
    code.i32(MAX_REGION_INSTRUCTIONS);
    code.byte(N.i32_ge_s);
    code.byte(N.i32_and);
    code.open(OP.if, VOID);
    // In this page: its fetches go on. Elsewhere: as the dispatcher asks.
    code.get(ip);
    code.i64(block.ip & ~0xfffn);
    code.byte(N.i64_xor);
    code.i64(0x1000n);
    code.byte(N.i64_lt_u);
    code.open(OP.if, I32);
    code.i32(1);
    code.else();
    emitFetchProbe(code, { ip, fetch });
    emitFrameCheck(code, { fetch, entry });
    code.end();
    code.open(OP.if, VOID);
    code.get(entry);
    code.memory(LOAD[32], ENTRIES_BASE + ENTRY.block);
    code.set(LOCAL.block);
    code.br(this.#loops.get(this.#root)!);
    code.end();
    code.end();
    this.#ops.exitWith(STATUS.next, () => { code.get(ip); });
  }
}
