/**
 * What the short ways of system instructions are written with: the processor's state, descriptors, RFLAGS as a whole, the context that
 * code behind them runs in. `require` comes before anything changes.
 */
import { CR0, CR4 } from '../../../mmu/control-bits.ts';
import { FETCH_COLUMN, columnBase, fetchColumnBase, COLUMN } from '../../../mmu/tlb.ts';
import { OFFSET, SEGMENT } from '../../../state/layout.ts';
import { ATTRIBUTE } from '../../descriptors.ts';
import { RFLAGS, SYSTEM_MASK } from '../../flags.ts';
import { RSP } from '../../isa/operand.ts';
import type { Node } from '../emit/node.ts';
import { ENGINE } from '../engine-memory.ts';
import { CONTEXT_KEY_HIGH_SHIFT } from '../fast/context.ts';
import { I32, I64, LOAD, STORE } from '../wasm/opcodes.ts';
import { HandlerOps } from './handler-ops.ts';

/** With one of these in systemFlags the next instruction is not simply executed. */
const ATTENTION = RFLAGS.TF | RFLAGS.VM;

export interface Descriptor { readonly selector: Node; readonly value: Node; readonly attributes: Node }

export abstract class ShortWayOps extends HandlerOps {
  // --------------------------------------------------------------------------------------------------------- state
  protected c(n: number): Node { return this.const(32, BigInt(n)); }
  protected word(at: number): Node { return this.loadState(I32, LOAD[32], at); }
  protected quad(at: number): Node { return this.loadState(I64, LOAD[64], at); }
  protected setWord(at: number, v: Node): void { this.storeState(STORE[32], at, v); }
  protected is(at: number, n: number): Node { return this.eq(32, this.word(at), this.c(n)); }
  protected isSet(at: number): Node { return this.not(this.is(at, 0)); }
  protected has(at: number, bits: number): Node { return this.not(this.isZero(32, this.and(32, this.word(at), this.c(bits)))); }
  protected count(at: number, index?: Node): void {
    const before = this.loadState(I32, LOAD[32], at, index);
    this.storeState(STORE[32], at, this.add(32, before, this.c(1)), index);
  }
  protected require(...all: readonly Node[]): void { this.leaveUnless(all.reduce((a, b) => this.andB(a, b))); }
  /** The 32 bits of a quadword from a bit on. */
  protected bitsFrom(x: Node, bit: number): Node { return this.trunc(64, 32, this.shrU(64, x, this.const(64, BigInt(bit)))); }
  protected matches(x: Node, { mask, value }: { readonly mask: number; readonly value: number }): Node { return this.eq(32, this.and(32, x, this.c(mask)), this.c(value)); }
  protected dpl(attributes: Node): Node { return this.and(32, this.shrU(32, attributes, this.c(5)), this.c(3)); }
  /** A linear address, from that at a place in the state on: 32 bits of it outside IA-32e mode. */
  protected tableAddress(base: number, offset: Node): Node {
    return this.longMode ? this.add(64, this.quad(base), this.zext(32, 64, offset)) : this.zext(32, 64, this.add(32, this.word(base), offset));
  }
  protected loadQuad(address: Node): Node { return this.loadAs(64, I64, LOAD[64], SEGMENT.DS, address); }

  // --------------------------------------------------------------------------------------------------------- stack
  protected get stackWidth(): 32 | 64 { return this.longMode ? 64 : 32; }
  /** As much of a stack pointer as counts. */
  protected inStack(pointer: Node): Node { return this.longMode ? pointer : this.zext(32, 64, this.trunc(64, 32, pointer)); }
  protected setPointer(pointer: Node): void { this.storeState(STORE[64], OFFSET.gpr + 8 * RSP, this.inStack(pointer)); }

  /** What a selector names in the GDT. */
  protected descriptor(selector: Node): Descriptor {
    const offset = this.and(32, selector, this.c(0xfff8));
    this.require(
      this.isZero(32, this.and(32, selector, this.c(4))), this.not(this.isZero(32, offset)),
      this.not(this.ltU(32, this.word(OFFSET.gdtrLimit), this.add(32, offset, this.c(7)))),
    );
    const value = this.loadQuad(this.tableAddress(OFFSET.gdtrBase, offset));
    return { selector, value, attributes: this.bitsFrom(value, 40) };
  }

  /** `isNull`: the selector was null, and the segment is that of CPL 0. */
  protected setSegment(segment: number, selector: Node, { value, attributes }: Descriptor, isNull = this.constBit(0)): void {
    const low = this.trunc(64, 32, value), high = this.bitsFrom(value, 32);
    const limit = this.or(32, this.and(32, low, this.c(0xffff)), this.and(32, high, this.c(0xf_0000)));
    const scaled = this.select(32, this.bit(64, value, 55), this.or(32, this.shl(32, limit, this.c(12)), this.c(0xfff)), limit);
    const base = this.or(32, this.and(32, this.bitsFrom(value, 16), this.c(0xff_ffff)), this.and(32, high, this.c(0xff00_0000)));
    const unless = (v: Node, instead: number): Node => this.select(32, isNull, this.c(instead), v);
    this.#set(segment, unless(selector, 0), unless(this.and(32, attributes, this.c(0xf0ff)), ATTRIBUTE.UNUSABLE), unless(scaled, 0), unless(base, 0));
  }
  protected setFlat(segment: number, selector: Node, attributes: number): void { this.#set(segment, selector, this.c(attributes), this.c(0xffff_ffff), this.c(0)); }
  protected setNull(segment: number): void { this.#set(segment, this.c(0), this.c(ATTRIBUTE.UNUSABLE), this.c(0), this.c(0)); }
  #set(segment: number, selector: Node, attributes: Node, limit: Node, base: Node): void {
    this.setWord(OFFSET.selector + 4 * segment, selector);
    this.setWord(OFFSET.attributes + 4 * segment, attributes);
    this.setWord(OFFSET.limit + 4 * segment, limit);
    this.storeState(STORE[64], OFFSET.base + 8 * segment, this.zext(32, 64, base));
  }

  // --------------------------------------------------------------------------------------------------------- flags
  /** Bits 31:0 of RFLAGS. */
  protected rflags(): Node {
    const flag = (f: 'CF' | 'PF' | 'AF' | 'ZF' | 'SF' | 'OF'): Node => this.shl(32, this.fromBit(32, this.getFlag(f)), this.c(31 - Math.clz32(RFLAGS[f])));
    return FLAG_NAMES.map(flag).reduce((a, b) => this.or(32, a, b), this.or(32, this.word(OFFSET.systemFlags), this.c(2)));
  }
  protected setRflags(v: Node): void {
    const bit = (f: keyof typeof RFLAGS): Node => this.and(32, this.shrU(32, v, this.c(31 - Math.clz32(RFLAGS[f]))), this.c(1));
    const wide = (x: Node, by: number): Node => this.shl(64, this.zext(32, 64, x), this.const(64, BigInt(by)));
    const clear = (f: keyof typeof RFLAGS): Node => this.zext(32, 64, this.xor(32, bit(f), this.c(1)));
    const cf = bit('CF');
    this.flags = {
      kind: 'words',
      zero: clear('ZF'),
      signParity: this.or(64, wide(bit('SF'), 63), clear('PF')),
      carries: this.or(64, this.or(64, wide(cf, 63), wide(this.xor(32, cf, bit('OF')), 62)), wide(bit('AF'), 3)),
    };
    this.setWord(OFFSET.systemFlags, this.and(32, v, this.c(SYSTEM_MASK)));
  }

  /** With these flags the next instruction is simply executed; no alignment checks, no way around SMAP. */
  protected requireNothingPending(flags: Node): void {
    const none = (bits: number): Node => this.isZero(32, this.and(32, flags, this.c(bits)));
    this.require(
      none(ATTENTION), this.orB(none(RFLAGS.IF), this.is(ENGINE.interruptWaits, 0)),
      this.orB(none(RFLAGS.AC), this.not(this.orB(this.has(OFFSET.cr0, CR0.AM), this.has(OFFSET.cr4, CR4.SMAP)))),
    );
  }

  /** CPL 3 where `user` is 1, otherwise CPL 0, with AC as in `flags`: asks whether code may go on there, and returns what enters it. */
  protected enter(user: Node, flags: Node): () => void {
    const smap = this.has(OFFSET.cr4, CR4.SMAP), ac = this.not(this.isZero(32, this.and(32, flags, this.c(RFLAGS.AC))));
    const column = this.select(32, user, this.c(COLUMN.user), this.fromBit(32, this.andB(smap, this.not(ac))));
    this.require(this.isZero(32, this.and(32, this.shrU(32, this.word(ENGINE.stalePages), column), this.c(1))));
    return () => {
      const key = ENGINE.contextKey + 4;
      this.setWord(OFFSET.cpl, this.select(32, user, this.c(3), this.c(0)));
      this.setWord(ENGINE.dataColumn, this.add(32, this.c(columnBase(0)), this.mul(32, column, this.c(columnBase(1) - columnBase(0)))));
      this.setWord(ENGINE.fetchColumn, this.select(32, user, this.c(fetchColumnBase(FETCH_COLUMN.user)), this.c(fetchColumnBase(FETCH_COLUMN.supervisor))));
      this.setWord(key, this.or(32, this.and(32, this.word(key), this.c(~(3 << CONTEXT_KEY_HIGH_SHIFT))), this.shl(32, column, this.c(CONTEXT_KEY_HIGH_SHIFT))));
    };
  }
}
const FLAG_NAMES = ['CF', 'PF', 'AF', 'ZF', 'SF', 'OF'] as const;
