/**
 * Where the status flags live between the blocks of a region: not as flags but as what defined them last, so that a block pays two or
 * three moves for flags that perhaps nobody reads. The three words of the state (src/cpu/flags.ts) are made of that where the region is
 * left, or where a block reads flags whose definition it does not know.
 *
 * | home | after a subtraction a - b | after an addition a + b | after a result r without carries | words |
 * |---|---|---|---|---|
 * | flags | a | a | r | zero word |
 * | flags + 1 | b | b | | sign and parity word |
 * | flags + 2 | the result, if a carry came in | the result, if a carry came in | | carries word |
 * | flagKind | 64 - width | 64 - width, ADDITION | 64 - width, LOGIC | WORDS |
 *
 * CARRY_IN is in flagKind where a carry may have come in. What stands nowhere in the table keeps what it had: a move that V8 does not have to
 * make. Above their width the values may hold anything.
 */
import type { Carry } from '../../isa/ops.ts';
import type { Width } from '../../isa/operand.ts';
import type { FlagDefinition, FlagWords } from '../emit/flag-ops.ts';
import { FLAG_WORD_OFFSETS } from '../emit/flag-ops.ts';
import { X87Code } from '../emit/x87-code.ts';
import type { Node } from '../emit/node.ts';
import { I32, I64, NUMERIC as N, OP, STORE } from '../wasm/opcodes.ts';

/** What the homes hold, where that is known when code is generated. */
export type FlagShape =
  | { readonly kind: 'words' }
  | { readonly kind: 'add' | 'sub'; readonly how: Carry; readonly w: Width }
  | { readonly kind: 'logic'; readonly w: Width };

/** Values for homes, by local. */
export interface HomeWrite { readonly local: number; readonly value: Node }

export const WORDS = 0x80;
const ADDITION = 0x40;
const LOGIC = 0x100;
const CARRY_IN = 0x200;
const SHIFT_MASK = 0x3f;

export abstract class FlagHomeOps extends X87Code {
  /** Numbers of the first of three i64 homes and of the i32 home. */
  protected abstract readonly flagLocals: { readonly flags: number; readonly flagKind: number };
  /** The flags with which the current block was entered. */
  #entered: { readonly definition: FlagDefinition; readonly shape: FlagShape | undefined } | undefined;

  #home(n: 0 | 1 | 2): Node { return this.inLocal(I64, this.flagLocals.flags + n); }

  /** The flags at the start of a block: of a shape, or of whichever the code will find. */
  protected flagsEntered(shape: FlagShape | undefined): FlagDefinition {
    const definition = this.#definition(shape);
    this.#entered = { definition, shape };
    return definition;
  }
  #definition(shape: FlagShape | undefined): FlagDefinition {
    if (shape === undefined) {
      let words: FlagWords | undefined;
      return { kind: 'unknown', words: () => (words ??= this.#wordsOfHomes()) };
    }
    if (shape.kind === 'words') return { kind: 'words', zero: this.#home(0), signParity: this.#home(1), carries: this.#home(2) };
    const { w } = shape;
    const a = this.trunc(64, w, this.#home(0));
    if (shape.kind === 'logic') return { kind: 'result', w, r: a, cf: this.constBit(0), of: this.constBit(0) };
    const { kind, how } = shape;
    const b = this.trunc(64, w, this.#home(1));
    const r = how === 'carryIn' ? this.trunc(64, w, this.#home(2)) : kind === 'add' ? this.add(w, a, b) : this.sub(w, a, b);
    return { kind, how, w, a, b, r, kept: undefined };
  }

  /** What it takes to have the flags in their homes, and their shape then. */
  protected flagsHome(): { readonly writes: readonly HomeWrite[]; readonly shape: FlagShape | undefined } {
    const d = this.flags;
    if (d === this.#entered?.definition) return { writes: [], shape: this.#entered.shape };
    const { flags, flagKind } = this.flagLocals;
    const writes = (kind: number, ...values: Node[]): HomeWrite[] =>
      [{ local: flagKind, value: this.const(32, BigInt(kind)) }, ...values.map((value, n) => ({ local: flags + n, value }))];
    if (d.kind === 'add' || d.kind === 'sub') {
      const { kind, how, w } = d;
      if (d.kept === undefined) {
        const wide = (x: Node): Node => this.zext(w, 64, this.loose(w, x));
        const carries = how === 'carryIn';
        return { writes: writes(64 - w | (kind === 'add' ? ADDITION : 0) | (carries ? CARRY_IN : 0), wide(d.a), wide(d.b), ...(carries ? [wide(d.r)] : [])), shape: { kind, how, w } };
      }
    } else if (d.kind === 'result' && d.cf.value === 0n && d.of.value === 0n) {
      const r = this.zext(d.w, 64, this.loose(d.w, d.r));
      return { writes: writes(64 - d.w | LOGIC, r), shape: { kind: 'logic', w: d.w } };
    }
    const words = this.flagWords();
    return { writes: writes(WORDS, words.zero, words.signParity, words.carries), shape: { kind: 'words' } };
  }

  /** The words, of whatever the homes hold. Carries of a + b = r are the borrows of r - b = a. */
  #wordsOfHomes(): FlagWords {
    const kind = this.inLocal(I32, this.flagLocals.flagKind);
    const has = (bit: number): Node => this.and(32, kind, this.const(32, BigInt(bit)));
    const isWords = has(WORDS), isAddition = has(ADDITION);
    const shift = this.node(I64, N.i64_extend_i32_u, this.and(32, kind, this.const(32, BigInt(SHIFT_MASK))));
    const choose = (c: Node, x: Node, y: Node): Node => this.node(I64, OP.select, x, y, c);
    // A result without carries is the subtraction of 0.
    const first = this.#home(0), second = this.#home(1), third = this.#home(2);
    const a = first, b = choose(has(LOGIC), this.const(64, 0n), second);
    const r = choose(has(CARRY_IN), third, choose(isAddition, this.add(64, a, b), this.sub(64, a, b)));
    const result = this.shrS(64, this.shl(64, r, shift), shift);
    const minuend = choose(isAddition, r, a), difference = choose(isAddition, a, r);
    const borrows = this.or(64, this.and(64, this.inv(64, minuend), b), this.and(64, this.inv(64, this.xor(64, minuend, b)), difference));
    const carries = this.or(64, this.shl(64, borrows, shift), this.and(64, borrows, this.const(64, 8n)));
    return { kind: 'words', zero: choose(isWords, first, result), signParity: choose(isWords, second, result), carries: choose(isWords, third, carries) };
  }

  /** Writes the code that stores the words of whatever the homes hold in the state. */
  storeFlags(): void {
    const words = this.#wordsOfHomes();
    (['zero', 'signParity', 'carries'] as const).forEach((name, n) => { this.storeState(STORE[64], FLAG_WORD_OFFSETS[n]!, words[name]); });
    this.flush();
  }
}
