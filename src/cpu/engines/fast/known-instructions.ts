/**
 * Instructions by their bytes, and records that stand for them: compilers use the same few thousand again and again, and to copy a record takes a tenth of
 * the time that decoding takes. What is kept means the same wherever it lies, but for where a relative branch leads: 64-bit code's branches are kept
 * without their displacements. A new one takes the place of another.
 */
import type { GuestState } from '../../../state/guest-state.ts';
import type { CodeSize, Instruction } from '../../isa/instruction.ts';

/**
 * A slot: its key, which is bytes 3:0 and 7:4 of the instruction, without a displacement that is not kept, the others 0; the record, if there is one, with the
 * key's length, a mark and whether it is a branch in the bits below; the handler, with the instruction's length above.
 */
const SLOT_WORDS = 4, LOW = 0, HIGH = 1, RECORD = 2, HANDLER = 3;
const SLOT_SHIFT = 13;
const KEY_LENGTH_MASK = 15, MARK = 16, BRANCH = 32, RECORD_MASK = ~63;
/** There are fewer handlers than this (interpreter/handlers.ts). */
const HANDLER_MASK = 0xffff, LENGTH_SHIFT = 16;
/** Longest instruction that is kept, in bytes. */
const MOST_BYTES = 8;

export class KnownInstructions {
  readonly #u8: Uint8Array;
  readonly #slots = new Int32Array(SLOT_WORDS << SLOT_SHIFT);
  readonly #instructions: (Instruction | undefined)[] = Array.from({ length: 1 << SLOT_SHIFT });
  /** Which lengths of keys there are, a bit for each, by the first byte and the code size. */
  readonly #lengths = new Uint16Array(2 * 256);

  constructor({ u8 }: GuestState) { this.#u8 = u8; }

  clear(): void {
    this.#slots.fill(0);
    this.#instructions.fill(undefined);
    this.#lengths.fill(0);
  }

  /** The slot of the instruction whose bytes begin at an offset in the memory, `available` of them at most; -1 where it has none. */
  find(at: number, available: number, codeSize: CodeSize): number {
    const slots = this.#slots;
    let lengths = this.#lengths[lengthsAt(this.#u8[at]!, codeSize)]!;
    if (lengths === 0 || available < MOST_BYTES) return -1;
    const low = this.#word(at), high = this.#word(at + 4);
    for (; lengths !== 0; lengths &= lengths - 1) {
      const length = 31 - Math.clz32(lengths & -lengths);
      const ownLow = low & maskOf(length), ownHigh = high & maskOf(length - 4);
      const slot = slotOf(ownLow, ownHigh, codeSize);
      // No two instructions begin with the same bytes and have keys of different lengths.
      if (slots[slot + LOW] === ownLow && slots[slot + HIGH] === ownHigh && (slots[slot + RECORD]! & KEY_LENGTH_MASK) === length) return slot;
    }
    return -1;
  }
  /** The instruction itself; of a branch, one that leads elsewhere. */
  instructionIn(slot: number): Instruction { return this.#instructions[slot / SLOT_WORDS]!; }
  lengthIn(slot: number): number { return this.#slots[slot + HANDLER]! >>> LENGTH_SHIFT; }
  /** 0: none. */
  recordIn(slot: number): number { return this.#slots[slot + RECORD]! & RECORD_MASK; }
  isMarked(slot: number): boolean { return (this.#slots[slot + RECORD]! & MARK) !== 0; }
  isBranch(slot: number): boolean { return (this.#slots[slot + RECORD]! & BRANCH) !== 0; }
  handlerIn(slot: number): number { return this.#slots[slot + HANDLER]! & HANDLER_MASK; }
  /** The displacement of the branch at an offset in the memory, whose slot this is. */
  displacementAt(at: number, slot: number): number {
    const keyLength = this.#slots[slot + RECORD]! & KEY_LENGTH_MASK, from = at + keyLength;
    return this.lengthIn(slot) - keyLength === 1 ? (this.#u8[from]! << 24) >> 24 : this.#word(from);
  }

  /** Keeps the instruction at an offset in the memory, unless it is too long or has so much of the place in it that it will hardly be met elsewhere. */
  keep(at: number, i: Instruction): void {
    if (i.length > MOST_BYTES || i.operands.some((x) => (x.kind === 'relative' && x.width > 8 && !isKeptBranch(i)) || (x.kind === 'memory' && x.ripRelative))) return;
    this.#lengths[lengthsAt(this.#u8[at]!, i.mode.codeSize)]! |= 1 << keyLengthOf(i);
    const slot = this.#put(at, i, 0, 0);
    this.#instructions[slot / SLOT_WORDS] = i;
  }
  /** Keeps the record of one that is kept, and that is the same wherever it lies. `mark`: for whoever finds it. */
  keepRecord(at: number, i: Instruction, record: number, handler: number, mark: boolean): void {
    if (this.find(at, MOST_BYTES, i.mode.codeSize) >= 0) this.#put(at, i, record | (mark ? MARK : 0), handler);
  }
  #put(at: number, i: Instruction, record: number, handler: number): number {
    const length = keyLengthOf(i);
    const low = this.#word(at) & maskOf(length), high = this.#word(at + 4) & maskOf(length - 4), slot = slotOf(low, high, i.mode.codeSize);
    const slots = this.#slots;
    slots[slot + LOW] = low;
    slots[slot + HIGH] = high;
    slots[slot + RECORD] = record | (isKeptBranch(i) ? BRANCH : 0) | length;
    slots[slot + HANDLER] = handler | (i.length << LENGTH_SHIFT);
    return slot;
  }

  #word(at: number): number {
    const u8 = this.#u8;
    return u8[at]! | (u8[at + 1]! << 8) | (u8[at + 2]! << 16) | (u8[at + 3]! << 24);
  }
}

/** Whether an instruction is kept without its displacement, which is its last 1 or 4 bytes: a relative branch of 64-bit code. */
export const isKeptBranch = (i: Instruction): boolean => i.mode.codeSize === 64 && i.width === 64 && i.operands[0]?.kind === 'relative';
function keyLengthOf(i: Instruction): number {
  const x = i.operands[0];
  return x?.kind === 'relative' && isKeptBranch(i) ? i.length - x.width / 8 : i.length;
}
const lengthsAt = (first: number, codeSize: CodeSize): number => first | (codeSize === 64 ? 256 : 0);
/** So many bytes of a word, 4 at most. */
const maskOf = (bytes: number): number => (bytes >= 4 ? -1 : bytes <= 0 ? 0 : (1 << 8 * bytes) - 1);
const slotOf = (low: number, high: number, codeSize: CodeSize): number =>
  SLOT_WORDS * (Math.imul(low ^ Math.imul(high + codeSize, 0x85eb_ca6b), 0x9e37_79b1) >>> (32 - SLOT_SHIFT));
