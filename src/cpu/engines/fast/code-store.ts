/**
 * What the fast engines know of guest code: blocks of records, by frame, address and context. A store into decoded code drops
 * the frame with all that was made of it; the record area is emptied as a whole when it is full.
 */
import { PAGE_SIZE, isCanonical } from '../../../state/addresses.ts';
import type { GuestState } from '../../../state/guest-state.ts';
import { RAM_BASE } from '../../../state/layout.ts';
import type { PhysicalMemory } from '../../../mmu/physical-memory.ts';
import { FETCH_ENTRY_BYTES, FETCH_FIELD, INSTRUCTION_ENTRIES } from '../../../mmu/tlb.ts';
import { DecodeFailure, decode } from '../../decode/decode.ts';
import type { InstructionSet } from '../../decode/lookup.ts';
import { MAX_LENGTH } from '../../decode/reader.ts';
import type { Instruction, Mode } from '../../isa/instruction.ts';
import { isStopTest, type Stops } from '../engine.ts';
import { ENGINE } from '../engine-memory.ts';
import type { Handlers } from '../interpreter/handlers.ts';
import { branchTarget } from '../interpreter/record.ts';
import { BlockMaker } from './block-maker.ts';
import { endsBlock, type BlockEnding, type BlockSource, type DecodedBlock } from './decoded-block.ts';
import type { Context } from './context.ts';
import type { EntryTable } from './entry-table.ts';
import { KnownInstructions } from './known-instructions.ts';
import type { Trail } from './trail.ts';

/** What was made of one frame. */
interface FrameCode {
  /** The linear pages as which it was interpreted, by the key of their addresses, and the one used last: mostly there is one. */
  readonly views: Map<number, View>;
  view: View | undefined;
  /** Entries that name the frame. */
  readonly entries: Set<number>;
  /** Frames with an instruction that reaches into this one: dropped with it. */
  readonly reaching: Set<number>;
  /** To be told when the frame is dropped. */
  readonly dropped: Set<() => void>;
  /** Numbers of the linear pages as which it was decoded. */
  readonly pages: Set<number>;
}

/** A frame as a linear page in a context. */
interface View {
  readonly pageLow: number;
  readonly high: number;
  readonly context: number;
  /** First record of the block at an offset in the page. */
  readonly blocks: Map<number, number>;
}

/** Bits 47:0 of an address and the context: a number that a double holds exactly. */
export const codeKey = (low: number, high: number, context: number): number => ((high & 0xffff) | (context << 16)) * 2 ** 32 + low;

const NO_BYTES = new Uint8Array();

export class CodeStore implements BlockSource {
  readonly #state: GuestState;
  readonly #memory: PhysicalMemory;
  readonly #instructions: InstructionSet;
  readonly #entries: EntryTable;
  readonly trail: Trail;
  readonly #frames = new Map<number, FrameCode>();
  readonly #drops = new Map<number, number>();
  readonly known: KnownInstructions;
  /** The blocks of records. */
  readonly blocks: BlockMaker;
  #stops: Stops = new Set();
  /** Whether there are any. */
  hasStops = false;
  readonly statistics = { droppedFrames: 0, emptied: 0 };

  constructor(state: GuestState, memory: PhysicalMemory, instructions: InstructionSet, handlers: Handlers, entries: EntryTable, trail: Trail) {
    this.#state = state;
    this.#instructions = instructions;
    this.#memory = memory;
    this.#entries = entries;
    this.trail = trail;
    this.known = new KnownInstructions(state);
    this.blocks = new BlockMaker(state, this, instructions, handlers, trail);
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
    this.known.clear();
    this.blocks.clear();
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
    if (known === undefined) this.#frames.set(frame, known = { views: new Map(), view: undefined, entries: new Set(), reaching: new Set(), dropped: new Set(), pages: new Set() });
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

  decode(frame: number, ip: bigint, mode: Mode, most: number): DecodedBlock {
    const instructions: Instruction[] = [];
    const { at, branches, system } = this.walk(frame, ip, mode, most, (i) => { instructions.push(i); return true; });
    const across = instructions.length === 0 && system === undefined ? this.decodeAcross(frame, ip, mode) : undefined;
    return across ?? { instructions, bytes: this.#page(frame).subarray(Number(ip & 0xfffn), at), branches, crossing: undefined, system, unknownPage: false };
  }
  #page(frame: number): Uint8Array { return this.#state.u8.subarray(RAM_BASE + frame * PAGE_SIZE, RAM_BASE + (frame + 1) * PAGE_SIZE); }

  walk(frame: number, ip: bigint, mode: Mode, most: number, take: (i: Instruction, at: number) => boolean, copy?: (slot: number, at: number) => boolean): BlockEnding {
    const first = Number(ip & 0xfffn);
    this.#frame(frame).pages.add(pageOf(ip));
    let at = first;
    let branches = false;
    let system: Instruction | undefined, refused: Instruction | undefined;
    const page = this.#page(frame), place = RAM_BASE + frame * PAGE_SIZE, { known } = this;
    for (let count = 0; count < most && at < PAGE_SIZE; count++) {
      if (at > first && this.hasStops && this.isStop(ip + BigInt(at - first))) break;
      const slot = known.find(place + at, PAGE_SIZE - at, mode.codeSize);
      if (slot >= 0 && copy !== undefined && known.recordIn(slot) !== 0) {
        // A branch to an address that no generated code leads to.
        if (!copy(slot, at)) break;
        at += known.lengthIn(slot);
        if (!known.isBranch(slot)) continue;
        branches = true;
        break;
      }
      const i = slot >= 0 && !known.isBranch(slot) ? known.instructionIn(slot) : decode(page, at, mode, this.#instructions);
      if (i instanceof DecodeFailure) break;
      if (slot < 0) known.keep(place + at, i);
      if (i.row.meaning.kind === 'system') {
        system = i;
        break;
      }
      if (!staysInRange(i, ip, at - first)) break;
      if (!take(i, at)) {
        refused = i;
        break;
      }
      at += i.length;
      if (endsBlock(i)) {
        branches = true;
        break;
      }
    }
    this.#memory.markCode(frame, first, Math.min(Math.max(at + ((system ?? refused)?.length ?? 0), first + 1), PAGE_SIZE) - 1);
    return { at, branches, system };
  }

  decodeAcross(frame: number, ip: bigint, mode: Mode): DecodedBlock | undefined {
    const first = Number(ip & 0xfffn), inFirst = PAGE_SIZE - first;
    if (inFirst >= MAX_LENGTH) return undefined;
    const page = BigInt.asUintN(mode.codeSize, ip + BigInt(inFirst));
    const next = this.frameOf(page);
    if (next === undefined) return { instructions: [], bytes: NO_BYTES, branches: false, crossing: undefined, system: undefined, unknownPage: true };
    const { u8 } = this.#state;
    const bytes = new Uint8Array(MAX_LENGTH);
    bytes.set(u8.subarray(RAM_BASE + frame * PAGE_SIZE + first, RAM_BASE + (frame + 1) * PAGE_SIZE));
    bytes.set(u8.subarray(RAM_BASE + next * PAGE_SIZE, RAM_BASE + next * PAGE_SIZE + MAX_LENGTH - inFirst), inFirst);
    const i = decode(bytes, 0, mode, this.#instructions);
    if (i instanceof DecodeFailure || i.length <= inFirst || i.row.meaning.kind === 'system' || !staysInRange(i, ip, 0)) return undefined;
    this.#memory.markCode(frame, first, PAGE_SIZE - 1);
    this.#memory.markCode(next, 0, i.length - inFirst - 1);
    this.#frame(next).reaching.add(frame);
    return { instructions: [i], bytes: bytes.subarray(0, i.length), branches: endsBlock(i), crossing: { page, frame: next }, system: undefined, unknownPage: false };
  }

  /** Whether a block of records has been made at an address. */
  knows(frame: number, ip: bigint, context: Context): boolean {
    const view = this.#frames.get(frame)?.views.get(codeKey(Number(ip & 0xffff_f000n), Number(ip >> 32n), context.number));
    return view?.blocks.has(Number(ip & 0xfffn)) ?? false;
  }

  /** The frame of an address by the fetch column of the TLB; undefined where that has no answer. */
  frameOf(ip: bigint): number | undefined {
    const frame = this.frameAt(Number(ip & 0xffff_ffffn), Number((ip >> 32n) & 0xffff_ffffn));
    return frame < 0 ? undefined : frame;
  }
  /** The same of an address in halves; -1 where the column has no answer. */
  frameAt(low: number, high: number): number {
    const { u32 } = this.#state;
    const at = (u32[ENGINE.fetchColumn / 4]! + ((low >>> 12) & (INSTRUCTION_ENTRIES - 1)) * FETCH_ENTRY_BYTES) / 4, tag = at + FETCH_FIELD.tag / 4;
    const matches = u32[tag] === (((low & ~0xfff) | u32[ENGINE.pcid / 4]!) >>> 0) && u32[tag + 1] === high;
    return matches ? u32[at + FETCH_FIELD.frame / 4]! : -1;
  }

  /**
   * The record of the instruction at an address that translates to `frame`, made if need be; 0 where that would take a fetch from
   * a second page which the fetch column does not know yet.
   */
  block(frame: number, low: number, high: number, context: Context): number {
    const { blocks } = viewIn(this.#frame(frame), low, high, context.number);
    const found = blocks.get(low & 0xfff);
    if (found !== undefined) return found;
    if (this.blocks.isFull) {
      this.clear();
      return this.block(frame, low, high, context);
    }
    const made = this.blocks.make(frame, (BigInt(high) << 32n) | BigInt(low), context);
    if (made !== 0) blocks.set(low & 0xfff, made);
    return made;
  }

  /** Grows with whatever ends code that is there. */
  get changes(): number { return this.statistics.droppedFrames + this.statistics.emptied; }
}

/** The view of a frame with the code of an address in a context, a new one if need be. */
function viewIn(code: FrameCode, low: number, high: number, context: number): View {
  const pageLow = (low & ~0xfff) >>> 0, last = code.view;
  if (last !== undefined && last.pageLow === pageLow && last.high === high && last.context === context) return last;
  const key = codeKey(pageLow, high, context);
  let view = code.views.get(key);
  if (view === undefined) code.views.set(key, view = { pageLow, high, context, blocks: new Map() });
  return (code.view = view);
}

/** Bits 63:12. */
const pageOf = (ip: bigint): number => Number(ip >> 12n);
function intersect(a: ReadonlySet<number>, b: ReadonlySet<number>): boolean {
  for (const x of a) if (b.has(x)) return true;
  return false;
}

/** Whether the branch target of an instruction, `offset` bytes behind an address, is an address of 48 bits: to others the reference engine goes, or faults. */
function staysInRange(i: Instruction, ip: bigint, offset: number): boolean {
  const x = i.operands[0];
  if (x?.kind !== 'relative' || i.mode.codeSize !== 64) return true;
  const target = branchTarget(i, ip + BigInt(offset), x.displacement);
  return isCanonical(target, 48);
}
