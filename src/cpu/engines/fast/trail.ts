/**
 * What generated code executed last, for the post-mortem: a ring in the engines' memory into which each block writes one word.
 * What the words stand for is looked up only when somebody asks, or before it would be forgotten.
 */
import type { GuestState } from '../../../state/guest-state.ts';
import { RECENT_INSTRUCTIONS, type RecentInstruction } from '../../recent-instructions.ts';
import { DecodeFailure, decode } from '../../decode/decode.ts';
import type { InstructionSet } from '../../decode/lookup.ts';
import { MODE_32, MODE_64, type Instruction, type Mode } from '../../isa/instruction.ts';
import { ENGINE, RECORDS_BASE, RECORDS_END, TRAIL_BASE, TRAIL_BYTES } from '../engine-memory.ts';
import { RECORD, RECORD_BYTES } from '../interpreter/record.ts';

/**
 * Words of the ring. A record's offset: its block ran from there. The same with LEFT_BEFORE: the block noted before was left there.
 * REFERENCE: the reference engine noted an instruction. Odd: `regionWord`.
 */
const REFERENCE = 2;
export const LEFT_BEFORE = 4;
const RECORD_MASK = ~(RECORD_BYTES - 1);
const MAX_SOURCE = 0x7fff;
const BYTES = 16;

/** The word of the first `done` instructions of a region's block, and of the blocks that always run before it. `source`: what `Trail.nextRegion` returned. */
export const regionWord = (source: number, block: number, done: number): number => (source << 17) | (block << 9) | (done << 1) | 1;

/** What makes it the word of one more instruction of that block. */
export const ONE_MORE = 2;

/** The code that a region was made from: all blocks' bytes in a row. */
export interface RegionSource {
  readonly mode: Mode;
  /** Of each block, offset in CS of its first instruction, and where its bytes begin. */
  readonly ips: BigUint64Array;
  readonly starts: Uint32Array;
  readonly bytes: Uint8Array;
  /** Of each block, how many instructions it has, and the number of the block that always runs before it, or -1. */
  readonly counts: Uint8Array;
  readonly predecessors: Int16Array;
}

/** Regions that have ended and are still remembered. */
const MAX_ENDED = 256;

export class Trail {
  readonly #state: GuestState;
  readonly #instructions: InstructionSet;
  readonly #noted: () => readonly RecentInstruction[];
  /** Bytes of the instruction of a record; in the last one the code size, 0 where there is none. */
  readonly #recordBytes = new Uint8Array((RECORDS_END - RECORDS_BASE) / RECORD_BYTES * BYTES);
  readonly #sources = new Map<number, RegionSource>();
  #ended: number[] = [];
  #nextSource = 0;
  /** What the ring held when it was emptied last. */
  #earlier: readonly RecentInstruction[] = [];

  /** `noted`: what the reference engine noted last, oldest first. */
  constructor(state: GuestState, instructions: InstructionSet, noted: () => readonly RecentInstruction[]) {
    this.#state = state;
    this.#instructions = instructions;
    this.#noted = noted;
  }

  // ---------------------------------------------------------------------------------------------- what words stand for
  /** Notes the code of a record, `length` bytes from `from` on; none where it stands for no instruction. */
  decoded(record: number, bytes: Uint8Array, from: number, length: number, mode: Mode): void {
    const at = (record - RECORDS_BASE) / RECORD_BYTES * BYTES, kept = this.#recordBytes;
    // What stands behind them does not matter: they are an instruction.
    for (let n = 0; n < length; n++) kept[at + n] = bytes[from + n]!;
    kept[at + BYTES - 1] = length === 0 ? 0 : mode.codeSize;
  }
  /** The number by which the words of a new region name it. */
  nextRegion(): number { return (this.#nextSource = (this.#nextSource + 1) & MAX_SOURCE); }
  /** Takes that region's code. */
  addRegion(number: number, source: RegionSource): void { this.#sources.set(number, source); }
  /** A region will not run again. It is forgotten some time later. */
  endRegion(source: number): void {
    this.#ended.push(source);
    if (this.#ended.length <= MAX_ENDED) return;
    this.settle();
    for (const number of this.#ended) this.#sources.delete(number);
    this.#ended = [];
  }

  // ------------------------------------------------------------------------------------------------------------- words
  #push(word: number): void {
    const { u32 } = this.#state;
    const at = u32[ENGINE.trail / 4]!;
    u32[(TRAIL_BASE + at) / 4] = word;
    u32[ENGINE.trail / 4] = (at + 4) & (TRAIL_BYTES - 1);
  }
  /** The reference engine noted an instruction. */
  noteReference(): void { this.#push(REFERENCE); }
  /** The instruction of a record ran so many times, all but which it stands for at the moment. */
  noteRepeated(record: number, times: number): void { for (let n = Math.min(times, RECENT_INSTRUCTIONS); n > 0; n--) this.#push(record); }
  /** Execution left a block of records before this one. */
  noteLeft(record: number): void { this.#push(record | LEFT_BEFORE); }

  /** Replaces all words by what they stand for: to be called before records are written anew. */
  settle(): void {
    this.#earlier = this.list();
    this.#state.u32.fill(0, TRAIL_BASE / 4, (TRAIL_BASE + TRAIL_BYTES) / 4);
  }
  clear(): void {
    this.settle();
    this.#earlier = [];
  }

  /** The last instructions, oldest first. The iterations of a REP instruction count one by one. */
  list(): readonly RecentInstruction[] {
    const { u32 } = this.#state;
    const newestFirst: RecentInstruction[] = [];
    const noted = this.#noted();
    let fromReference = noted.length;
    let left = 0;
    let at = u32[ENGINE.trail / 4]!;
    for (let n = 0; n < TRAIL_BYTES / 4 && newestFirst.length < RECENT_INSTRUCTIONS; n++) {
      at = (at - 4) & (TRAIL_BYTES - 1);
      const word = u32[(TRAIL_BASE + at) / 4]!;
      if (word === 0) break;
      if (word === REFERENCE) {
        const instruction = noted[--fromReference];
        if (instruction === undefined) break;
        newestFirst.push(instruction);
      } else if ((word & 1) !== 0) newestFirst.push(...this.#ofRegion(word).reverse());
      else if ((word & LEFT_BEFORE) !== 0) {
        left = word & RECORD_MASK;
        continue;
      } else newestFirst.push(...this.#ofRecords(word, left).reverse());
      left = 0;
    }
    return [...this.#earlier, ...newestFirst.reverse()].slice(-RECENT_INSTRUCTIONS);
  }

  #ofRegion(word: number): RecentInstruction[] {
    const source = this.#sources.get(word >>> 17);
    if (source === undefined) throw new Error('the trail names a region that was forgotten');
    let block = (word >>> 9) & 0xff;
    let found = ofBlock(source, block, (word >>> 1) & 0xff, this.#instructions);
    while (found.length < RECENT_INSTRUCTIONS && (block = source.predecessors[block]!) >= 0) {
      found = [...ofBlock(source, block, source.counts[block]!, this.#instructions), ...found];
    }
    return found;
  }

  #ofRecords(first: number, left: number): RecentInstruction[] {
    const { u8, u16, u64 } = this.#state;
    const found: RecentInstruction[] = [];
    const most = u16[(first + RECORD.remaining) / 2]!;
    for (let record = first; found.length < most && record !== left; record += RECORD_BYTES) {
      const at = (record - RECORDS_BASE) / RECORD_BYTES * BYTES;
      const codeSize = this.#recordBytes[at + BYTES - 1]!;
      if (codeSize === 0) continue;
      const mode = codeSize === 64 ? MODE_64 : MODE_32;
      const rip = BigInt.asUintN(codeSize, u64[(record + RECORD.nextIp) / 8]! - BigInt(u8[record + RECORD.length]!));
      found.push({ rip, instruction: decodeKept(this.#recordBytes, at, mode, this.#instructions) });
    }
    return found;
  }
}

/** The first `done` instructions of a region's block. */
function ofBlock({ mode, ips, starts, bytes }: RegionSource, block: number, done: number, instructions: InstructionSet): RecentInstruction[] {
  const found: RecentInstruction[] = [];
  let rip = ips[block]!, at = starts[block]!;
  for (let n = 0; n < done; n++) {
    const instruction = decodeKept(bytes, at, mode, instructions);
    found.push({ rip, instruction });
    at += instruction.length;
    rip = BigInt.asUintN(mode.codeSize, rip + BigInt(instruction.length));
  }
  return found;
}

/** An instruction that has been decoded before, from a copy of its bytes. */
function decodeKept(bytes: Uint8Array, at: number, mode: Mode, set: InstructionSet): Instruction {
  const instruction = decode(bytes, at, mode, set);
  if (instruction instanceof DecodeFailure) throw new Error('bytes that were decoded once cannot be decoded again');
  return instruction;
}
