/**
 * What the fast engines know of guest code: blocks of records, by frame, address and context. A store into decoded code drops
 * the frame with all that was made of it; the record area is emptied as a whole when it is full.
 */
import { PAGE_SIZE } from '../../../state/addresses.ts';
import type { GuestState } from '../../../state/guest-state.ts';
import { RAM_BASE } from '../../../state/layout.ts';
import type { PhysicalMemory } from '../../../mmu/physical-memory.ts';
import { FETCH_ENTRY_BYTES, FETCH_FIELD, INSTRUCTION_ENTRIES } from '../../../mmu/tlb.ts';
import { DecodeFailure, decode } from '../../decode/decode.ts';
import type { InstructionSet } from '../../decode/lookup.ts';
import { MAX_LENGTH } from '../../decode/reader.ts';
import type { Instruction, Mode } from '../../isa/instruction.ts';
import { accessesPort } from '../emit/port-ops.ts';
import { isStopTest, type Stops } from '../engine.ts';
import { ENGINE, RECORDS_BASE, RECORDS_END } from '../engine-memory.ts';
import { HANDLER, type Handlers } from '../interpreter/handlers.ts';
import { NEVER_LINKED, RECORD, RECORD_BYTES, UNLINKED, branchTarget, writeRecord } from '../interpreter/record.ts';
import { MAX_BLOCK } from './dispatcher.ts';
import type { Context } from './context.ts';
import type { EntryTable } from './entry-table.ts';
import type { Trail } from './trail.ts';

/** What was made of one frame. */
interface FrameCode {
  /** First record of the block at an address, by its key. */
  readonly blocks: Map<number, number>;
  /** Entries that name the frame. */
  readonly entries: Set<number>;
  /** Frames with an instruction that reaches into this one: dropped with it. */
  readonly reaching: Set<number>;
  /** To be told when the frame is dropped. */
  readonly dropped: Set<() => void>;
  /** Numbers of the linear pages as which it was decoded. */
  readonly pages: Set<number>;
}

/** Bits 47:0 of an address and the context: a number that a double holds exactly. */
export const codeKey = (low: number, high: number, context: number): number => ((high & 0xffff) | (context << 16)) * 2 ** 32 + low;

/** The instructions of a block, in order, and why it ends. */
export interface DecodedBlock {
  readonly instructions: readonly Instruction[];
  /** Their bytes, as they are at the moment. */
  readonly bytes: Uint8Array;
  /** It ends with an instruction that ends blocks; otherwise it goes on at the next address (which may not be decodable, or lie in the next page). */
  readonly branches: boolean;
  /** The block is one instruction that reaches into the next page: that page, and the frame where its other bytes were found. */
  readonly crossing: Crossing | undefined;
  /** The instruction behind them, where that is a system instruction: it lies in the page, too. */
  readonly system: Instruction | undefined;
  /** The first instruction reaches into a page whose frame is not known without a walk. */
  readonly unknownPage: boolean;
}
export interface Crossing { readonly page: bigint; readonly frame: number }

const NO_BYTES = new Uint8Array();

export class CodeStore {
  readonly #state: GuestState;
  readonly #memory: PhysicalMemory;
  readonly #instructions: InstructionSet;
  readonly #handlers: Handlers;
  readonly #entries: EntryTable;
  readonly trail: Trail;
  readonly #frames = new Map<number, FrameCode>();
  readonly #drops = new Map<number, number>();
  #next = RECORDS_BASE;
  /** The instructions that the reference engine executes, by the number in their records; 0: none. */
  #left: (Instruction | undefined)[] = [undefined];
  /** Backward branches always go through the dispatcher, which counts how often: for finding hot code. */
  linksLoops = true;
  #stops: Stops = new Set();
  /** Whether there are any. */
  hasStops = false;
  readonly statistics = { decodedInstructions: 0, blocks: 0, droppedFrames: 0, emptied: 0 };

  constructor(state: GuestState, memory: PhysicalMemory, instructions: InstructionSet, handlers: Handlers, entries: EntryTable, trail: Trail) {
    this.#state = state;
    this.#instructions = instructions;
    this.#memory = memory;
    this.#handlers = handlers;
    this.#entries = entries;
    this.trail = trail;
    memory.onCodeWritten((frame) => { this.drop(frame); });
  }

  /** Drops all that was made of a frame, which was written. */
  drop(frame: number): void {
    if (this.#frames.has(frame)) this.#drops.set(frame, this.timesDropped(frame) + 1);
    this.#forget(frame);
  }

  #forget(frame: number): void {
    const known = this.#frames.get(frame);
    if (known === undefined) return;
    this.statistics.droppedFrames++;
    this.#frames.delete(frame);
    for (const index of known.entries) this.#entries.drop(index, frame);
    for (const listener of known.dropped) listener();
    for (const reaching of known.reaching) this.#forget(reaching);
  }

  /** How often code of a frame was dropped since everything was. */
  timesDropped(frame: number): number { return this.#drops.get(frame) ?? 0; }

  /** Drops everything. */
  clear(): void {
    this.statistics.emptied++;
    this.trail.settle();
    // Each entry names a frame, and goes with it.
    for (const frame of this.#frames.keys()) this.#forget(frame);
    this.#drops.clear();
    this.#next = RECORDS_BASE;
    this.#left = [undefined];
    // It names a link of a record that is gone.
    this.#state.u32[ENGINE.link / 4] = 0;
  }

  /** Calls `listener` when the frame is dropped. */
  whenDropped(frame: number, listener: () => void): void { this.#frame(frame).dropped.add(listener); }
  /** Takes a listener back. */
  forgetListener(frame: number, listener: () => void): void { this.#frames.get(frame)?.dropped.delete(listener); }
  /** Notes an entry that names the frame. */
  noteEntry(frame: number, index: number): void { this.#frame(frame).entries.add(index); }

  #frame(frame: number): FrameCode {
    let known = this.#frames.get(frame);
    if (known === undefined) this.#frames.set(frame, known = { blocks: new Map(), entries: new Set(), reaching: new Set(), dropped: new Set(), pages: new Set() });
    return known;
  }

  /** Execution must come back before the instructions at these addresses: nothing is made across them. Forgets the code of pages that have a new one, or all of it around a test. */
  stopAt(stops: Stops): void {
    const before = this.#stops;
    if (stops === before) return;
    this.#stops = stops;
    this.hasStops = isStopTest(stops) || stops.size > 0;
    if (isStopTest(stops) || isStopTest(before)) {
      this.clear();
      return;
    }
    const pages = new Set<number>();
    for (const address of stops) if (!before.has(address)) pages.add(pageOf(address));
    if (pages.size === 0) return;
    for (const [frame, known] of this.#frames) if (intersect(known.pages, pages)) this.#forget(frame);
  }
  isStop(ip: bigint): boolean { return this.#stops.has(ip); }

  /** Decodes at most `most` instructions from an address in a frame, up to the first that ends a block or is not wholly in the page. */
  decode(frame: number, ip: bigint, mode: Mode, most: number): DecodedBlock {
    const instructions: Instruction[] = [];
    const first = Number(ip & 0xfffn);
    this.#frame(frame).pages.add(pageOf(ip));
    let at = first;
    let branches = false;
    let system: Instruction | undefined;
    const page = this.#state.u8.subarray(RAM_BASE + frame * PAGE_SIZE, RAM_BASE + (frame + 1) * PAGE_SIZE);
    while (instructions.length < most && at < PAGE_SIZE) {
      if (at > first && this.hasStops && this.isStop(ip + BigInt(at - first))) break;
      const i = decode(page, at, mode, this.#instructions);
      if (i instanceof DecodeFailure) break;
      if (i.row.meaning.kind === 'system') {
        system = i;
        break;
      }
      if (!staysInRange(i, ip + BigInt(at - first))) break;
      instructions.push(i);
      at += i.length;
      if (endsBlock(i)) {
        branches = true;
        break;
      }
    }
    this.#memory.markCode(frame, first, Math.min(Math.max(at + (system?.length ?? 0), first + 1), PAGE_SIZE) - 1);
    if (instructions.length === 0 && system === undefined && first + MAX_LENGTH > PAGE_SIZE) return this.#decodeAcross(frame, ip, mode);
    return { instructions, bytes: page.subarray(first, at), branches, crossing: undefined, system, unknownPage: false };
  }

  /** The instruction at an address near the end of a page, with its bytes from the next. */
  #decodeAcross(frame: number, ip: bigint, mode: Mode): DecodedBlock {
    const nothing = { instructions: [], bytes: new Uint8Array(), branches: false, crossing: undefined, system: undefined, unknownPage: false };
    const first = Number(ip & 0xfffn), inFirst = PAGE_SIZE - first;
    const page = BigInt.asUintN(mode.codeSize, ip + BigInt(inFirst));
    const next = this.frameOf(page);
    if (next === undefined) return { ...nothing, unknownPage: true };
    const { u8 } = this.#state;
    const bytes = new Uint8Array(MAX_LENGTH);
    bytes.set(u8.subarray(RAM_BASE + frame * PAGE_SIZE + first, RAM_BASE + (frame + 1) * PAGE_SIZE));
    bytes.set(u8.subarray(RAM_BASE + next * PAGE_SIZE, RAM_BASE + next * PAGE_SIZE + MAX_LENGTH - inFirst), inFirst);
    const i = decode(bytes, 0, mode, this.#instructions);
    if (i instanceof DecodeFailure || i.length <= inFirst || i.row.meaning.kind === 'system' || !staysInRange(i, ip)) return nothing;
    this.#memory.markCode(frame, first, PAGE_SIZE - 1);
    this.#memory.markCode(next, 0, i.length - inFirst - 1);
    this.#frame(next).reaching.add(frame);
    return { instructions: [i], bytes: bytes.subarray(0, i.length), branches: endsBlock(i), crossing: { page, frame: next }, system: undefined, unknownPage: false };
  }

  /** Whether a block of records has been made at an address. */
  knows(frame: number, ip: bigint, context: Context): boolean {
    return this.#frames.get(frame)?.blocks.has(codeKey(Number(ip & 0xffff_ffffn), Number(ip >> 32n), context.number)) ?? false;
  }

  /** The frame of an address by the fetch column of the TLB; undefined where that has no answer. */
  frameOf(ip: bigint): number | undefined {
    const { u32, u64 } = this.#state;
    const at = u32[ENGINE.fetchColumn / 4]! + Number((ip >> 12n) & BigInt(INSTRUCTION_ENTRIES - 1)) * FETCH_ENTRY_BYTES;
    const tag = BigInt.asUintN(64, ip & ~0xfffn) | u64[ENGINE.pcid / 8]!;
    return u64[(at + FETCH_FIELD.tag) / 8] === tag ? u32[(at + FETCH_FIELD.frame) / 4] : undefined;
  }

  /**
   * The record of the instruction at an address that translates to `frame`, made if need be; 0 where that would take a fetch from
   * a second page which the fetch column does not know yet.
   */
  block(frame: number, low: number, high: number, context: Context): number {
    const known = this.#frame(frame);
    const key = codeKey(low, high, context.number);
    const found = known.blocks.get(key);
    if (found !== undefined) return found;
    if (this.#next + (MAX_BLOCK + 2) * RECORD_BYTES > RECORDS_END) {
      this.clear();
      return this.block(frame, low, high, context);
    }
    const made = this.#make(frame, (BigInt(high) << 32n) | BigInt(low), context);
    if (made !== 0) known.blocks.set(key, made);
    this.#handlers.compileSome();
    return made;
  }

  #make(frame: number, ip: bigint, context: Context): number {
    const { mode } = context;
    const { u16, u32, u64 } = this.#state;
    const { instructions, bytes, branches, crossing, system, unknownPage } = this.decode(frame, ip, mode, MAX_BLOCK);
    if (unknownPage) return 0;
    const start = this.#next;
    const records: number[] = [];
    let at = start, here = ip, read = 0;
    if (crossing !== undefined) at = this.#checkPage(at, ip, crossing, mode);
    let referenceNext = instructions.length === 0 || system !== undefined;
    // What the reference engine is to execute, where that is known.
    let left = system;
    for (const [n, i] of instructions.entries()) {
      const handler = this.#handlers.of(i);
      if (handler === HANDLER.reference) {
        referenceNext = true;
        left = i;
        break;
      }
      writeRecord(this.#state, at, handler, i, here);
      // A comparison and the jump behind it have one handler.
      if (i.mnemonic === 'Jcc' && n > 0 && COMPARISONS.has(instructions[n - 1]!.mnemonic)) this.#fuse(instructions.slice(n - 1, n + 1), at - RECORD_BYTES);
      u32[(at + RECORD.taken) / 4] = this.#link(here, u64[(at + RECORD.target) / 8]!);
      u32[(at + RECORD.next) / 4] = this.#link(here, u64[(at + RECORD.nextIp) / 8]!);
      this.trail.decoded(at, bytes, read, i.length, mode);
      read += i.length;
      records.push(at);
      at += RECORD_BYTES;
      here = BigInt.asUintN(64, here + BigInt(i.length));
    }
    // The short way of a system instruction stands in front of the other one.
    const short = left === undefined || left !== system ? HANDLER.reference : this.#handlers.shortWay(left, context);
    if (left !== undefined && short !== HANDLER.reference) {
      writeRecord(this.#state, at, short, left, here);
      const from = RAM_BASE + frame * PAGE_SIZE + Number(here & 0xfffn);
      this.trail.decoded(at, this.#state.u8, from, left.length, mode);
      records.push(at);
      at += RECORD_BYTES;
    }
    records.forEach((record, n) => { u16[(record + RECORD.remaining) / 2] = records.length - n; });
    if (referenceNext || !branches) {
      this.trail.decoded(at, NO_BYTES, 0, 0, mode);
      u32.fill(0, at / 4, (at + RECORD_BYTES) / 4);
      u32[(at + RECORD.handler) / 4] = referenceNext ? HANDLER.reference : HANDLER.jump;
      u64[(at + RECORD.nextIp) / 8] = here;
      u64[(at + RECORD.target) / 8] = here;
      if (referenceNext && left !== undefined && crossing === undefined) {
        u32[(at + RECORD.immediate) / 4] = this.#left.length;
        if (short !== HANDLER.reference) u32[(at + RECORD.taken) / 4] = at - RECORD_BYTES;
        this.#left.push(left);
      }
      at += RECORD_BYTES;
    }
    this.#next = at;
    this.statistics.blocks++;
    this.statistics.decodedInstructions += records.length;
    return start;
  }

  /** Gives the first record of instructions, which all have one, a handler of all of them. */
  #fuse(instructions: readonly Instruction[], first: number): void {
    const handler = this.#handlers.sequence(instructions, instructions.map((i) => this.#handlers.of(i)));
    if (handler !== HANDLER.reference) this.#state.u32[(first + RECORD.handler) / 4] = handler;
  }

  /** Gives the instructions of a block whose first record this is handlers of several: it is executed often. */
  fuseBlock(record: number, frame: number, low: number, high: number, { mode }: Context): void {
    const { instructions, crossing } = this.decode(frame, (BigInt(high) << 32n) | BigInt(low), mode, MAX_BLOCK);
    if (crossing !== undefined) return;
    const own = instructions.findIndex((i) => this.#handlers.of(i) === HANDLER.reference);
    // A stop that has been taken away may have ended the block where no instruction does.
    const records = this.#state.u16[(record + RECORD.remaining) / 2]!;
    const all = instructions.slice(0, own < 0 ? records : Math.min(own, records));
    for (let n = 0; n + 1 < all.length; n += MAX_SEQUENCE) {
      const some = all.slice(n, n + MAX_SEQUENCE).filter((i) => i.repeat === 'none');
      if (some.length > 1) this.#fuse(some, record + n * RECORD_BYTES);
    }
    this.#handlers.compileSome();
  }

  /** A record that asks for a page before the one instruction that reaches into it. */
  #checkPage(at: number, ip: bigint, { page, frame }: Crossing, mode: Mode): number {
    const { u16, u32, u64 } = this.#state;
    this.trail.decoded(at, NO_BYTES, 0, 0, mode);
    u32.fill(0, at / 4, (at + RECORD_BYTES) / 4);
    u32[(at + RECORD.handler) / 4] = HANDLER.checkPage;
    u64[(at + RECORD.nextIp) / 8] = ip;
    u64[(at + RECORD.target) / 8] = page;
    u64[(at + RECORD.immediate) / 8] = BigInt(frame);
    u16[(at + RECORD.remaining) / 2] = 1;
    return at + RECORD_BYTES;
  }

  /** Links stay in a page: what they lead to is dropped with it. */
  #link(from: bigint, to: bigint): number {
    const samePage = from >> 12n === to >> 12n;
    return samePage && (this.linksLoops || to > from) ? UNLINKED : NEVER_LINKED;
  }

  /** The instruction at a record where the reference engine is to go on, if that lies in one page and is known. */
  leftToReference(record: number): Instruction | undefined {
    const { u32 } = this.#state;
    return u32[(record + RECORD.handler) / 4] === HANDLER.reference ? this.#left[u32[(record + RECORD.immediate) / 4]!] : undefined;
  }

  /** The record behind one in its block; 0 where there is none. */
  behind(record: number): number {
    const { u16 } = this.#state;
    return u16[(record + RECORD.remaining) / 2]! > 1 ? record + RECORD_BYTES : 0;
  }

  /** The first record of the instruction at one. */
  firstRecord(record: number): number {
    const { u32 } = this.#state;
    const short = u32[(record + RECORD.handler) / 4] === HANDLER.reference ? u32[(record + RECORD.taken) / 4]! : 0;
    return short === 0 ? record : short;
  }

  /** Grows with whatever ends code that is there. */
  get changes(): number { return this.statistics.droppedFrames + this.statistics.emptied; }
  get recordBytes(): number { return this.#next - RECORDS_BASE; }
}

/** What compilers put before a conditional jump. */
const COMPARISONS = new Set(['CMP', 'TEST', 'SUB', 'ADD', 'AND', 'OR', 'XOR', 'INC', 'DEC', 'BT']);
/** Most instructions of one handler. */
const MAX_SEQUENCE = 8;

/** Bits 63:12. */
const pageOf = (ip: bigint): number => Number(ip >> 12n);
function intersect(a: ReadonlySet<number>, b: ReadonlySet<number>): boolean {
  for (const x of a) if (b.has(x)) return true;
  return false;
}

const BRANCHES = new Set(['JMP', 'CALL', 'RET', 'Jcc', 'JCXZ', 'JECXZ', 'JRCXZ', 'LOOP', 'LOOPE', 'LOOPNE']);
/** Branches, repeated instructions, and those that a device may answer. */
export const endsBlock = (i: Instruction): boolean => i.repeat !== 'none' || BRANCHES.has(i.mnemonic) || accessesPort(i);

/** Whether the branch target of an instruction is an address of 48 bits: to others the reference engine goes, or faults. */
function staysInRange(i: Instruction, ip: bigint): boolean {
  const x = i.operands[0];
  if (x?.kind !== 'relative' || i.mode.codeSize !== 64) return true;
  const target = branchTarget(i, ip, x.displacement);
  return BigInt.asUintN(64, BigInt.asIntN(48, target)) === target;
}
