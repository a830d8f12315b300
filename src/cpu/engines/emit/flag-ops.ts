/**
 * The vocabulary as generated WebAssembly: flags. The last definition stays what it was, operands and result, until a
 * reader asks: conditions become one comparison, and flags that nobody reads are never computed. Where flags must lie in
 * the state they are its three words (src/cpu/flags.ts).
 */
import { OFFSET } from '../../../state/layout.ts';
import { RFLAGS } from '../../flags.ts';
import type { Width } from '../../isa/operand.ts';
import type { Carry, Flag } from '../../isa/ops.ts';
import { I32, I64, LOAD, STORE } from '../wasm/opcodes.ts';
import type { Node } from './node.ts';
import { ValueOps } from './value-ops.ts';

/** The six status flags as three 64-bit values. */
export interface FlagWords { readonly kind: 'words'; readonly zero: Node; readonly signParity: Node; readonly carries: Node }
/** The status flags as what defined them last. */
export type FlagDefinition = FlagWords
  /** What they are is in locals, known when the code runs. */
  | { readonly kind: 'unknown'; readonly words: () => FlagWords }
  | { readonly kind: 'add' | 'sub'; readonly how: Carry; readonly w: Width; readonly a: Node; readonly b: Node; readonly r: Node; /** CF, where `how` is keepCF. */ readonly kept: Node | undefined }
  | { readonly kind: 'result'; readonly w: Width; readonly r: Node; readonly cf: Node; readonly of: Node };
type Sum = Extract<FlagDefinition, { kind: 'add' | 'sub' }>;

/** Offsets of the flag words in the state. */
export const FLAG_WORD_OFFSETS = [OFFSET.zeroWord, OFFSET.signParityWord, OFFSET.carriesWord] as const;
const CARRY_AND_OVERFLOW = 3n << 62n;
const DIRECTION_SHIFT = BigInt(31 - Math.clz32(RFLAGS.DF));

export abstract class FlagOps extends ValueOps {
  /** The flags as they are at this point. */
  protected abstract flags: FlagDefinition;

  override addFlags(w: Width, a: Node, b: Node, r: Node, how: Carry = 'plain'): void {
    this.flags = { kind: 'add', how, w, a, b, r, kept: how === 'keepCF' ? this.getFlag('CF') : undefined };
  }
  override subFlags(w: Width, a: Node, b: Node, r: Node, how: Carry = 'plain'): void {
    this.flags = { kind: 'sub', how, w, a, b, r, kept: how === 'keepCF' ? this.getFlag('CF') : undefined };
  }
  override otherFlags(w: Width, r: Node, cf: Node, of: Node): void { this.flags = { kind: 'result', w, r, cf, of }; }
  override rotateFlags(cf: Node, of: Node): void {
    const words = this.flagWords();
    this.flags = { ...words, carries: this.#withCarryAndOverflow(words.carries, cf, of) };
  }

  getFlag(f: Flag): Node {
    const d = this.flags;
    if (f === 'DF') {
      const word = this.loadState(I32, LOAD[32], OFFSET.systemFlags);
      return this.and(32, this.shrU(32, word, this.const(32, DIRECTION_SHIFT)), this.const(32, 1n));
    }
    if (d.kind === 'words') return this.#fromWords(d, f);
    if (d.kind === 'unknown') return this.#fromWords(d.words(), f);
    const { w, r } = d;
    switch (f) {
      case 'ZF': return this.isZero(w, r);
      case 'SF': return this.bit(w, r, w - 1);
      case 'PF': return this.parity8(w === 8 ? r : this.trunc(w, 8, r));
      case 'CF': return d.kind === 'result' ? d.cf : this.#carryOf(d);
      case 'OF': return d.kind === 'result' ? d.of : this.#overflowOf(d);
      default: return d.kind === 'result' ? this.constBit(0) : this.bit(w, this.xor(w, this.xor(w, d.a, d.b), r), 4);
    }
  }
  #fromWords(d: FlagWords, f: Flag): Node {
    switch (f) {
      case 'ZF': return this.isZero(64, d.zero);
      case 'SF': return this.bit(64, d.signParity, 63);
      case 'PF': return this.parity8(this.trunc(64, 8, d.signParity));
      case 'CF': return this.bit(64, d.carries, 63);
      case 'AF': return this.bit(64, d.carries, 3);
      default: return this.xorB(this.bit(64, d.carries, 63), this.bit(64, d.carries, 62));
    }
  }
  #carryOf(d: Sum): Node {
    if (d.kept) return d.kept;
    if (d.how === 'plain') return d.kind === 'add' ? this.ltU(d.w, d.r, d.a) : this.ltU(d.w, d.a, d.b);
    return this.bit(d.w, this.#carries(d), d.w - 1);
  }
  #overflowOf(d: Sum): Node {
    const { w, a, b, r } = d;
    const signs = d.kind === 'add' ? this.and(w, this.xor(w, a, r), this.xor(w, b, r)) : this.and(w, this.xor(w, a, b), this.xor(w, a, r));
    return this.bit(w, signs, w - 1);
  }
  /** The carries (borrows) out of each bit. */
  #carries({ kind, w, a, b, r }: Sum): Node {
    return kind === 'add'
      ? this.or(w, this.and(w, a, b), this.and(w, this.or(w, a, b), this.inv(w, r)))
      : this.or(w, this.and(w, this.inv(w, a), b), this.and(w, this.inv(w, this.xor(w, a, b)), r));
  }

  /** The usual pairs are shorter than their definitions: CMP and JL are one signed comparison. */
  override condition(tttn: number): Node {
    const direct = this.#direct(tttn >> 1);
    if (direct === undefined) return super.condition(tttn);
    return (tttn & 1) === 1 ? this.not(direct) : direct;
  }
  #direct(pair: number): Node | undefined {
    const d = this.flags;
    if (d.kind === 'sub' && d.how === 'plain') {
      switch (pair) {
        case 2: return this.eq(d.w, d.a, d.b);
        case 3: return this.not(this.ltU(d.w, d.b, d.a));
        case 6: return this.ltS(d.w, d.a, d.b);
        case 7: return this.not(this.ltS(d.w, d.b, d.a));
      }
    } else if (d.kind === 'result' && d.of.value === 0n) {
      switch (pair) {
        case 6: return this.getFlag('SF');
        case 7: return this.ltS(d.w, d.r, this.const(d.w, 1n));
      }
    }
    return undefined;
  }

  /** The flags as three words. */
  protected flagWords(): FlagWords {
    const d = this.flags;
    if (d.kind === 'words') return d;
    if (d.kind === 'unknown') return d.words();
    const result = this.sext(d.w, 64, d.r);
    return { kind: 'words', zero: result, signParity: result, carries: this.#carriesWord(d) };
  }
  #carriesWord(d: Exclude<FlagDefinition, FlagWords | { kind: 'unknown' }>): Node {
    const zero = this.const(64, 0n);
    if (d.kind === 'result') return this.#withCarryAndOverflow(zero, d.cf, d.of);
    if (d.kept) return this.or(64, this.#withCarryAndOverflow(zero, d.kept, this.#overflowOf(d)), this.bitAt(this.getFlag('AF'), 3));
    const carries = this.#carries(d);
    if (d.w === 64) return carries;
    const wide = this.zext(d.w, 64, carries);
    return this.or(64, this.shl(64, wide, this.const(64, BigInt(64 - d.w))), this.and(64, wide, this.const(64, 8n)));
  }
  /** A carries word in which CF and OF (bit 63 xor bit 62) are new. */
  #withCarryAndOverflow(word: Node, cf: Node, of: Node): Node {
    return this.or(64, this.and(64, word, this.const(64, ~CARRY_AND_OVERFLOW)), this.or(64, this.bitAt(cf, 63), this.bitAt(this.xorB(cf, of), 62)));
  }

  setFlag(f: Flag, b: Node): void {
    if (f === 'DF') {
      const others = this.and(32, this.loadState(I32, LOAD[32], OFFSET.systemFlags), this.const(32, BigInt(~RFLAGS.DF)));
      this.storeState(STORE[32], OFFSET.systemFlags, this.or(32, others, this.shl(32, b, this.const(32, DIRECTION_SHIFT))));
      return;
    }
    const words = this.flagWords();
    const cleared = (word: Node, mask: bigint): Node => this.and(64, word, this.const(64, ~mask));
    switch (f) {
      case 'ZF': this.flags = { ...words, zero: this.fromBit(64, this.not(b)) }; return;
      case 'SF': this.flags = { ...words, signParity: this.or(64, cleared(words.signParity, 1n << 63n), this.bitAt(b, 63)) }; return;
      case 'PF': this.flags = { ...words, signParity: this.or(64, cleared(words.signParity, 0xffn), this.fromBit(64, this.not(b))) }; return;
      case 'AF': this.flags = { ...words, carries: this.or(64, cleared(words.carries, 8n), this.bitAt(b, 3)) }; return;
      case 'CF': this.flags = { ...words, carries: this.#withCarryAndOverflow(words.carries, b, this.getFlag('OF')) }; return;
      default: this.flags = { ...words, carries: this.#withCarryAndOverflow(words.carries, this.getFlag('CF'), b) };
    }
  }

  /** The flag words as they lie in the state. */
  protected flagsInState(): FlagWords {
    const word = (n: 0 | 1 | 2): Node => this.loadState(I64, LOAD[64], FLAG_WORD_OFFSETS[n]);
    return { kind: 'words', zero: word(0), signParity: word(1), carries: word(2) };
  }
}

