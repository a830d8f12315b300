/**
 * Instructions by their bytes, and records that stand for them: compilers use the same few thousand again and again, and to copy a record takes a tenth of
 * the time that decoding takes. What is kept means the same wherever it lies; a new one takes the place of another.
 */
import type { GuestState } from '../../../state/guest-state.ts';
import type { CodeSize, Instruction } from '../../isa/instruction.ts';

/** A slot: bytes 3:0 and 7:4 of the instruction, the others 0; the record, if there is one, with the length and a mark in the bits below; the handler. */
const SLOT_WORDS = 4, LOW = 0, HIGH = 1, RECORD = 2, HANDLER = 3;
const SLOT_SHIFT = 13;
const LENGTH_MASK = 15, MARK = 16, RECORD_MASK = ~31;
/** Longest instruction that is kept, in bytes. */
const MOST_BYTES = 8;

export class KnownInstructions {
  readonly #u8: Uint8Array;
  readonly #slots = new Int32Array(SLOT_WORDS << SLOT_SHIFT);
  readonly #instructions: (Instruction | undefined)[] = Array.from({ length: 1 << SLOT_SHIFT });
  /** Which lengths there are, a bit for each, by the first byte and the code size. */
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
      // No two instructions begin with the same bytes and have different lengths.
      if (slots[slot + LOW] === ownLow && slots[slot + HIGH] === ownHigh && (slots[slot + RECORD]! & LENGTH_MASK) === length) return slot;
    }
    return -1;
  }
  instructionIn(slot: number): Instruction { return this.#instructions[slot / SLOT_WORDS]!; }
  lengthIn(slot: number): number { return this.#slots[slot + RECORD]! & LENGTH_MASK; }
  /** 0: none. */
  recordIn(slot: number): number { return this.#slots[slot + RECORD]! & RECORD_MASK; }
  isMarked(slot: number): boolean { return (this.#slots[slot + RECORD]! & MARK) !== 0; }
  handlerIn(slot: number): number { return this.#slots[slot + HANDLER]!; }

  /** Keeps the instruction at an offset in the memory, unless it is too long or has so much of the place in it that it will hardly be met elsewhere. */
  keep(at: number, i: Instruction): void {
    if (i.length > MOST_BYTES || i.operands.some((x) => (x.kind === 'relative' && x.width > 8) || (x.kind === 'memory' && x.ripRelative))) return;
    this.#lengths[lengthsAt(this.#u8[at]!, i.mode.codeSize)]! |= 1 << i.length;
    const slot = this.#put(at, i, 0, 0);
    this.#instructions[slot / SLOT_WORDS] = i;
  }
  /** Keeps the record of one that is kept, and that is the same wherever it lies. `mark`: for whoever finds it. */
  keepRecord(at: number, i: Instruction, record: number, handler: number, mark: boolean): void {
    if (this.find(at, MOST_BYTES, i.mode.codeSize) >= 0) this.#put(at, i, record | (mark ? MARK : 0), handler);
  }
  #put(at: number, { length, mode }: Instruction, record: number, handler: number): number {
    const low = this.#word(at) & maskOf(length), high = this.#word(at + 4) & maskOf(length - 4), slot = slotOf(low, high, mode.codeSize);
    const slots = this.#slots;
    slots[slot + LOW] = low;
    slots[slot + HIGH] = high;
    slots[slot + RECORD] = record | length;
    slots[slot + HANDLER] = handler;
    return slot;
  }

  #word(at: number): number {
    const u8 = this.#u8;
    return u8[at]! | (u8[at + 1]! << 8) | (u8[at + 2]! << 16) | (u8[at + 3]! << 24);
  }
}

const lengthsAt = (first: number, codeSize: CodeSize): number => first | (codeSize === 64 ? 256 : 0);
/** So many bytes of a word, 4 at most. */
const maskOf = (bytes: number): number => (bytes >= 4 ? -1 : bytes <= 0 ? 0 : (1 << 8 * bytes) - 1);
const slotOf = (low: number, high: number, codeSize: CodeSize): number =>
  SLOT_WORDS * (Math.imul(low ^ Math.imul(high + codeSize, 0x85eb_ca6b), 0x9e37_79b1) >>> (32 - SLOT_SHIFT));
