/** Writes blocks of records: instructions that follow each other in a page, up to the first that leads elsewhere or that the reference engine executes. */
import { isCanonicalHigh, PAGE_SIZE } from '../../../state/addresses.ts';
import type { GuestState } from '../../../state/guest-state.ts';
import { RAM_BASE } from '../../../state/layout.ts';
import { decode } from '../../decode/decode.ts';
import type { InstructionSet } from '../../decode/lookup.ts';
import type { Instruction, Mode } from '../../isa/instruction.ts';
import { RECORDS_BASE, RECORDS_END } from '../engine-memory.ts';
import { HANDLER, type Handlers } from '../interpreter/handlers.ts';
import { clearRecord, copyRecord, NEVER_LINKED, RECORD, RECORD_BYTES, UNLINKED, writeRecord } from '../interpreter/record.ts';
import type { Context } from './context.ts';
import { endsBlock, type BlockSource, type Crossing } from './decoded-block.ts';
import { MAX_BLOCK } from './dispatcher.ts';
import { isKeptBranch } from './known-instructions.ts';
import type { Trail } from './trail.ts';

const NO_BYTES = new Uint8Array();

export class BlockMaker {
  readonly #state: GuestState;
  readonly #source: BlockSource;
  readonly #instructions: InstructionSet;
  readonly #handlers: Handlers;
  readonly #trail: Trail;
  #next = RECORDS_BASE;
  /** The instructions that the reference engine executes, by the number in their records; 0: none. */
  #left: (Instruction | undefined)[] = [undefined];
  /** Backward branches always go through the dispatcher, which counts how often: for finding hot code. */
  linksLoops = true;
  readonly statistics = { decodedInstructions: 0, blocks: 0 };

  constructor(state: GuestState, source: BlockSource, instructions: InstructionSet, handlers: Handlers, trail: Trail) {
    this.#state = state;
    this.#source = source;
    this.#instructions = instructions;
    this.#handlers = handlers;
    this.#trail = trail;
  }

  /** Whether there may be no room for another block. */
  get isFull(): boolean { return this.#next + (MAX_BLOCK + 2) * RECORD_BYTES > RECORDS_END; }
  clear(): void {
    this.#next = RECORDS_BASE;
    this.#left = [undefined];
  }

  /** Writes the block at an address in a frame; returns its first record, or 0 where the page that its first instruction reaches into is not known without a walk. */
  make(frame: number, ip: bigint, context: Context): number {
    const { mode } = context, { known } = this.#source;
    const start = this.#next, place = RAM_BASE + frame * PAGE_SIZE, first = Number(ip & 0xfffn);
    let at = start;
    // What the reference engine is to execute, where that is known.
    let left: Instruction | undefined;
    /** Where a comparison is in the page that stands directly before; -1: none does. */
    let comparison = -1;
    /** The conditional jump at an offset, whose record is written, with a comparison before it. */
    const fuseWithComparison = (jump: number): void => {
      if (comparison < 0) return;
      const before = at - RECORD_BYTES, from = place + comparison;
      const instructionAt = (offset: number): Instruction => decode(this.#state.u8, offset, mode, this.#instructions) as Instruction;
      this.#fuse(() => [instructionAt(from), instructionAt(place + jump)], [this.#handlerOf(before), this.#handlerOf(at)], before);
    };
    const take = (i: Instruction, offset: number): boolean => {
      const handler = this.#handlers.of(i);
      if (handler === HANDLER.reference) {
        left = i;
        return false;
      }
      this.#write(at, handler, i, ip + BigInt(offset - first), this.#state.u8, place + offset);
      const compares = COMPARISONS.has(i.mnemonic), isJcc = i.mnemonic === 'Jcc';
      if (isSameAnywhere(i) || isKeptBranch(i)) known.keepRecord(place + offset, i, at, handler, compares || isJcc);
      if (isJcc) fuseWithComparison(offset);
      comparison = compares ? offset : -1;
      at += RECORD_BYTES;
      return true;
    };
    const pageLow = Number(ip & 0xffff_f000n), high = Number(ip >> 32n);
    const copy = (slot: number, offset: number): boolean => {
      this.#copy(slot, at, pageLow + offset + known.lengthIn(slot), high, place + offset, mode);
      if (known.isBranch(slot)) {
        if (!this.#leadTo(at, known.displacementAt(place + offset, slot))) return false;
        this.#writeLinks(at, pageLow + offset, high);
        if (known.isMarked(slot)) fuseWithComparison(offset);
      } else comparison = known.isMarked(slot) ? offset : -1;
      at += RECORD_BYTES;
      return true;
    };
    const ending = this.#source.walk(frame, ip, mode, MAX_BLOCK, take, copy);
    let { branches } = ending, crossing: Crossing | undefined, firstRecord = start, read = ending.at - first;
    if (at === start && ending.system === undefined && left === undefined) {
      const across = this.#source.decodeAcross(frame, ip, mode);
      if (across?.unknownPage === true) return 0;
      const i = across?.instructions[0];
      if (across !== undefined && i !== undefined) {
        crossing = across.crossing!;
        firstRecord = at = this.#checkPage(start, ip, crossing, mode);
        const handler = this.#handlers.of(i);
        if (handler === HANDLER.reference) left = i;
        else {
          this.#write(at, handler, i, ip, across.bytes, 0);
          at += RECORD_BYTES;
          branches = across.branches;
          read = i.length;
        }
      }
    }
    // The short way of a system instruction stands in front of the other one.
    const { system } = ending, here = ip + BigInt(read);
    left ??= system;
    const short = left === undefined || left !== system ? HANDLER.reference : this.#handlers.shortWay(left, context);
    if (left !== undefined && short !== HANDLER.reference) {
      this.#write(at, short, left, here, this.#state.u8, place + first + read);
      at += RECORD_BYTES;
    }
    const { u16, u32 } = this.#state;
    for (let record = firstRecord; record < at; record += RECORD_BYTES) u16[(record + RECORD.remaining) / 2] = (at - record) / RECORD_BYTES;
    this.statistics.blocks++;
    this.statistics.decodedInstructions += (at - firstRecord) / RECORD_BYTES;
    const toReference = left !== undefined || at === firstRecord;
    if (toReference || !branches) {
      this.#writeLast(at, toReference ? HANDLER.reference : HANDLER.jump, here, mode);
      if (left !== undefined && crossing === undefined) {
        u32[(at + RECORD.immediate) / 4] = this.#left.length;
        if (short !== HANDLER.reference) u32[(at + RECORD.taken) / 4] = at - RECORD_BYTES;
        this.#left.push(left);
      }
      at += RECORD_BYTES;
    }
    this.#next = at;
    this.#handlers.compileSome();
    return start;
  }

  /** Writes a record, but for what the block says, and notes its bytes. */
  #write(at: number, handler: number, i: Instruction, ip: bigint, bytes: Uint8Array, from: number): void {
    writeRecord(this.#state, at, handler, i, ip);
    if (endsBlock(i)) this.#writeLinks(at, Number(ip & 0xffff_ffffn), Number(ip >> 32n));
    this.#trail.decoded(at, bytes, from, i.length, i.mode);
  }
  /** The same of an instruction that another record stands for; `nextLow` and `high`: the address behind it, whose low half may be 2^32. */
  #copy(slot: number, at: number, nextLow: number, high: number, from: number, mode: Mode): void {
    const { u32, u8 } = this.#state, { known } = this.#source, model = known.recordIn(slot);
    copyRecord(u32, model, at);
    // By now the record may have a handler of several instructions.
    u32[(at + RECORD.handler) / 4] = known.handlerIn(slot);
    u32[(at + RECORD.nextIp) / 4] = nextLow;
    u32[(at + RECORD.nextIp) / 4 + 1] = mode.codeSize === 64 && nextLow >= 2 ** 32 ? high + 1 : high;
    this.#trail.decoded(at, u8, from, known.lengthIn(slot), mode);
  }
  /** Gives the record of a branch of 64-bit code its target; false where that is an address of more than 48 bits. */
  #leadTo(at: number, displacement: number): boolean {
    const { u32 } = this.#state;
    const nextLow = u32[(at + RECORD.nextIp) / 4]!, nextHigh = u32[(at + RECORD.nextIp) / 4 + 1]!;
    const low = nextLow + displacement, high = (nextHigh + (low < 0 ? -1 : low >= 2 ** 32 ? 1 : 0)) >>> 0;
    if (!isCanonicalHigh(high, 48)) return false;
    u32[(at + RECORD.target) / 4] = low;
    u32[(at + RECORD.target) / 4 + 1] = high;
    return true;
  }
  #handlerOf(record: number): number { return this.#state.u32[(record + RECORD.handler) / 4]!; }
  /** The last record of a block that no branch ends. */
  #writeLast(at: number, handler: number, ip: bigint, mode: Mode): void {
    const { u32, u64 } = this.#state;
    this.#trail.decoded(at, NO_BYTES, 0, 0, mode);
    clearRecord(u32, at);
    u32[(at + RECORD.handler) / 4] = handler;
    u64[(at + RECORD.nextIp) / 8] = ip;
    u64[(at + RECORD.target) / 8] = ip;
  }

  /** Gives the first record of instructions, whose own handlers are given, a handler of all of them: a comparison and the jump behind it, at least. */
  #fuse(instructions: () => readonly Instruction[], handlers: readonly number[], first: number): void {
    const handler = this.#handlers.sequence(instructions, handlers);
    if (handler !== HANDLER.reference) this.#state.u32[(first + RECORD.handler) / 4] = handler;
  }

  /** Gives the instructions of a block whose first record this is handlers of several: it is executed often. */
  fuse(record: number, frame: number, low: number, high: number, { mode }: Context): void {
    const { instructions, crossing } = this.#source.decode(frame, (BigInt(high) << 32n) | BigInt(low), mode, MAX_BLOCK);
    if (crossing !== undefined) return;
    const own = instructions.findIndex((i) => this.#handlers.of(i) === HANDLER.reference);
    // A stop that has been taken away may have ended the block where no instruction does.
    const records = this.#state.u16[(record + RECORD.remaining) / 2]!;
    const all = instructions.slice(0, own < 0 ? records : Math.min(own, records));
    for (let n = 0; n + 1 < all.length; n += MAX_SEQUENCE) {
      const some = all.slice(n, n + MAX_SEQUENCE).filter((i) => i.repeat === 'none');
      if (some.length > 1) this.#fuse(() => some, some.map((i) => this.#handlers.of(i)), record + n * RECORD_BYTES);
    }
    this.#handlers.compileSome();
  }

  /** A record that asks for a page before the one instruction that reaches into it. */
  #checkPage(at: number, ip: bigint, { page, frame }: Crossing, mode: Mode): number {
    const { u16, u64 } = this.#state;
    this.#writeLast(at, HANDLER.checkPage, ip, mode);
    u64[(at + RECORD.target) / 8] = page;
    u64[(at + RECORD.immediate) / 8] = BigInt(frame);
    u16[(at + RECORD.remaining) / 2] = 1;
    return at + RECORD_BYTES;
  }

  /** The links of the record of an instruction at an address, in halves. They stay in a page: what they lead to is dropped with it. */
  #writeLinks(at: number, low: number, high: number): void {
    const { u32 } = this.#state;
    const link = (to: number): number => {
      const toLow = u32[to / 4]!, samePage = u32[to / 4 + 1] === high && (toLow & ~0xfff) === (low & ~0xfff);
      return samePage && (this.linksLoops || toLow > low) ? UNLINKED : NEVER_LINKED;
    };
    u32[(at + RECORD.taken) / 4] = link(at + RECORD.target);
    u32[(at + RECORD.next) / 4] = link(at + RECORD.nextIp);
  }

  /** The instruction at a record where the reference engine is to go on, if that lies in one page and is known. */
  leftToReference(record: number): Instruction | undefined {
    const { u32 } = this.#state;
    return u32[(record + RECORD.handler) / 4] === HANDLER.reference ? this.#left[u32[(record + RECORD.immediate) / 4]!] : undefined;
  }
  /** The record behind one in its block; 0 where there is none. */
  behind(record: number): number { return this.#state.u16[(record + RECORD.remaining) / 2]! > 1 ? record + RECORD_BYTES : 0; }
  /** The first record of the instruction at one. */
  firstRecord(record: number): number {
    const { u32 } = this.#state;
    const short = u32[(record + RECORD.handler) / 4] === HANDLER.reference ? u32[(record + RECORD.taken) / 4]! : 0;
    return short === 0 ? record : short;
  }
}

/** Whether an instruction's record is the same wherever the instruction lies, but for the address behind it. */
const isSameAnywhere = (i: Instruction): boolean => !endsBlock(i) && !i.operands.some((x) => x.kind === 'relative' || (x.kind === 'memory' && x.ripRelative));

/** What compilers put before a conditional jump. */
const COMPARISONS = new Set(['CMP', 'TEST', 'SUB', 'ADD', 'AND', 'OR', 'XOR', 'INC', 'DEC', 'BT']);
/** Most instructions of one handler. */
const MAX_SEQUENCE = 8;
