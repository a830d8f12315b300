/**
 * The vocabulary as generated WebAssembly: memory. An access that the columns of the TLB answer (src/mmu/tlb.ts) is done inline;
 * everything else (a miss, a fault, a device, a page that holds code, an access across pages) leaves before the instruction.
 * Segmentation: in 64-bit mode only FS and GS have a base; elsewhere generated code runs with flat segments only.
 */
import type { Segment } from '../../../state/layout.ts';
import { OFFSET, SEGMENT } from '../../../state/layout.ts';
import { DATA_ENTRIES, COLUMN_ENTRY_BYTES, COLUMN_FIELD } from '../../../mmu/tlb.ts';
import type { Width } from '../../isa/operand.ts';
import type { Intent } from '../../isa/ops.ts';
import { ENGINE, MISS_WRITE, PAGE_SLOT, STATUS } from '../engine-memory.ts';
import { I32, I64, LOAD, NUMERIC as N, OP, STORE, VOID, type ValueType } from '../wasm/opcodes.ts';
import { FlagOps, type FlagDefinition, type FlagWords } from './flag-ops.ts';
import { LeftToReference } from './graph-ops.ts';
import type { Node } from './node.ts';

/** How to leave before the instruction: the nodes that it takes, and the code, which does not return. */
export interface Leave { readonly roots: readonly Node[]; readonly write: (status: number) => void }

/**
 * Where an access remembers the page that it led to: byte offset of the slot. `readAndWrite`: what is remembered there holds for both, so that
 * a load remembers only pages that may be written. `locals`: they hold the same within a loop.
 */
export interface RememberedPage { readonly slot: number; readonly readAndWrite: boolean; readonly locals?: PageLocals | undefined }
/** Numbers of an i64 and of an i32: what PAGE_SLOT describes. */
export interface PageLocals { readonly page: number; readonly addend: number }

/** Bits of an access: of a value, a vector, or the frame of an interrupt. */
export type AccessWidth = Width | 80 | 96 | 128 | 160 | 192 | 256 | 320 | 384;

const PAGE_MASK = -4096n;
/** From bits 31:0 of an address to the offset of its entry in a column. */
const INDEX_SHIFT = 12 - Math.log2(COLUMN_ENTRY_BYTES);
const INDEX_MASK = (DATA_ENTRIES - 1) * COLUMN_ENTRY_BYTES;

export abstract class MemoryOps extends FlagOps {
  /** 64-bit mode. */
  protected abstract readonly longMode: boolean;
  /** Writes to pages with decoded code are done where their lines hold none. */
  protected abstract readonly writesBesideCode: boolean;
  /** Captures what leaving before this instruction takes, at this point. */
  protected abstract leave(): Leave;
  /** Turns the offset of an entry in a column into what the loads of its fields add `columnOffset` to. */
  protected abstract addColumn(): void;
  protected abstract readonly columnOffset: number;
  /** With a tag and a page on the stack: leaves 1 where the tag is that of the page, under the PCID in effect. */
  protected abstract compareTag(): void;
  /** Where an access remembers its page, if it does. */
  protected abstract rememberedPage(segment: Segment, offset: Node, write: boolean): RememberedPage | undefined;
  /** The accesses for modification of this instruction: a store to the same place needs no second look. */
  #modified: { readonly offset: Node; readonly segment: Segment; host: number }[] = [];
  #stores = 0;
  /** Where this instruction's operand of 256 bits is in memory, once one of its halves was loaded. */
  #wide: { host: number } | undefined;

  /** To be called where an instruction begins. */
  protected beginMemory(): void {
    this.#modified = [];
    this.#wide = undefined;
    this.#stores = 0;
  }

  /** Linear address of an offset in a segment. */
  #linear(segment: Segment, offset: Node, write: boolean): Node {
    if (segment === SEGMENT.CS && write && !this.longMode) throw new LeftToReference('a write to a code segment, which is #GP');
    if (segment < SEGMENT.FS) return offset;
    if (!this.longMode) throw new LeftToReference('FS or GS outside 64-bit mode');
    return this.add(64, offset, this.loadState(I64, LOAD[64], OFFSET.base + 8 * segment));
  }

  /**
   * Looks the address in `linear` up: leaves 1 on the stack where the tag matches. The tag of the page of the *last* byte is compared at the index
   * of the first, so an access across pages never matches.
   */
  #probe(w: AccessWidth, tag: number, linear: number, entry: number): void {
    const { code } = this;
    code.get(linear);
    code.byte(N.i32_wrap_i64);
    code.i32(INDEX_SHIFT);
    code.byte(N.i32_shr_u);
    code.i32(INDEX_MASK);
    code.byte(N.i32_and);
    this.addColumn();
    code.tee(entry);
    this.#compareLast(w, tag, linear);
  }
  /** Leaves the memory offset of an address in the page of an entry. */
  #placeBy(linear: number, entry: number): void {
    const { code } = this;
    code.get(linear);
    code.byte(N.i32_wrap_i64);
    code.get(entry);
    code.memory(LOAD[32], this.columnOffset + COLUMN_FIELD.addend);
    code.byte(N.i32_add);
  }
  /** Leaves the address of an access's last byte on the stack. */
  #lastByte(w: AccessWidth, linear: number): void {
    const { code } = this;
    code.get(linear);
    if (w === 8) return;
    code.i64(BigInt(w / 8 - 1));
    code.byte(N.i64_add);
  }
  /** With the entry on the stack: leaves 1 there where its tag is that of the page of the last byte. */
  #compareLast(w: AccessWidth, tag: number, linear: number): void {
    const { code } = this;
    code.memory(LOAD[64], this.columnOffset + tag);
    this.#lastByte(w, linear);
    code.i64(PAGE_MASK);
    code.byte(N.i64_and);
    this.compareTag();
  }

  /** Leaves the memory offset of the byte at `address` on the stack, or leaves the function. */
  #locate(address: Node, w: AccessWidth, write: boolean, exit: Leave, remembered: RememberedPage | undefined): void {
    const { code } = this;
    const linear = this.temporary(I64), entry = this.temporary(I32);
    const probe = (): void => {
      this.#probe(w, write ? COLUMN_FIELD.writeTag : COLUMN_FIELD.readTag, linear, entry);
      code.open(OP.if, I32);
      if (remembered !== undefined) this.#remember(remembered, write, linear, entry);
      this.#placeBy(linear, entry);
      code.else();
      this.inArm(() => {
        if (write && this.writesBesideCode) this.#besideCode(w, linear, entry, exit);
        else this.#leaveForMiss(w, write, linear, exit);
      });
      code.end();
    };
    this.emit(address);
    code.set(linear);
    if (remembered === undefined) {
      probe();
      return;
    }
    // With the bits below the operand's size kept, an access that is not aligned matches no page: it may cross into the next.
    code.get(linear);
    code.i64(PAGE_MASK | BigInt(w / 8 - 1));
    code.byte(N.i64_and);
    const { slot, locals } = remembered;
    const recall = (field: keyof PageLocals): void => {
      if (locals !== undefined) code.get(locals[field]);
      else {
        code.i32(0);
        code.memory(LOAD[field === 'page' ? 64 : 32], slot + PAGE_SLOT[field]);
      }
    };
    recall('page');
    code.byte(N.i64_eq);
    code.open(OP.if, I32);
    code.get(linear);
    code.byte(N.i32_wrap_i64);
    recall('addend');
    code.byte(N.i32_add);
    code.else();
    this.inArm(probe);
    code.end();
  }

  /** Notes the page of an access that the TLB has just answered. */
  #remember({ slot, readAndWrite, locals }: RememberedPage, write: boolean, linear: number, entry: number): void {
    const { code } = this;
    const both = readAndWrite && !write;
    if (both) {
      code.get(entry);
      code.memory(LOAD[64], this.columnOffset + COLUMN_FIELD.readTag);
      code.get(entry);
      code.memory(LOAD[64], this.columnOffset + COLUMN_FIELD.writeTag);
      code.byte(N.i64_eq);
      code.open(OP.if, VOID);
    }
    code.i32(0);
    code.get(linear);
    code.i64(PAGE_MASK);
    code.byte(N.i64_and);
    if (locals !== undefined) code.tee(locals.page);
    code.memory(STORE[64], slot + PAGE_SLOT.page);
    code.i32(0);
    code.get(entry);
    code.memory(LOAD[32], this.columnOffset + COLUMN_FIELD.addend);
    if (locals !== undefined) code.tee(locals.addend);
    code.memory(STORE[32], slot + PAGE_SLOT.addend);
    if (both) code.end();
  }

  /** A write that has no tag: where the page has decoded code, but none in the lines that are written, leaves the memory offset on the stack. */
  #besideCode(w: AccessWidth, linear: number, entry: number, exit: Leave): void {
    const { code } = this;
    code.get(entry);
    this.#compareLast(w, COLUMN_FIELD.readTag, linear);
    const lineOf = (byte: () => void): void => {
      code.get(entry);
      code.memory(LOAD[64], this.columnOffset + COLUMN_FIELD.codeLines);
      byte();
      // A shift by bits 11:6: of the count the lowest six bits matter.
      code.i64(6n);
      code.byte(N.i64_shr_u);
      code.byte(N.i64_shr_u);
    };
    lineOf(() => { code.get(linear); });
    if (w > 8) {
      lineOf(() => { this.#lastByte(w, linear); });
      code.byte(N.i64_or);
    }
    code.byte(N.i32_wrap_i64);
    code.i32(1);
    code.byte(N.i32_and);
    code.byte(N.i32_eqz);
    code.byte(N.i32_and);
    code.open(OP.if, I32);
    this.#placeBy(linear, entry);
    code.else();
    this.#leaveForMiss(w, true, linear, exit);
    code.end();
  }

  #leaveForMiss(w: AccessWidth, write: boolean, linear: number, exit: Leave): void {
    const { code } = this;
    code.i32(0);
    code.get(linear);
    code.memory(STORE[64], ENGINE.missAddress);
    code.i32(0);
    code.i32((w / 8) | (write ? MISS_WRITE : 0));
    code.memory(STORE[32], ENGINE.missAccess);
    exit.write(STATUS.miss);
  }

  load(w: Width, segment: Segment, offset: Node, intent: Intent = 'read'): Node {
    const modify = intent === 'modify';
    return this.loadAs(w, this.typeOf(w), LOAD[w], segment, offset, modify);
  }
  /** A load by an instruction of WebAssembly. */
  protected loadAs(w: AccessWidth, type: ValueType, op: number, segment: Segment, offset: Node, modify = false): Node {
    const address = this.#linear(segment, offset, modify);
    const exit = this.leave();
    const remembered = this.rememberedPage(segment, offset, modify);
    const place = { offset, segment, host: -1 };
    if (modify) this.#modified.push(place);
    return this.value(type, [address, ...exit.roots], () => {
      this.#locate(address, w, modify, exit, remembered);
      if (modify) {
        place.host = this.temporary(I32);
        this.code.tee(place.host);
      }
      this.code.memory(op, 0);
    });
  }

  /** Half of the instruction's operand of 256 bits, at `offset`: one access finds the place for both. */
  protected loadHalfAs(type: ValueType, op: number, segment: Segment, offset: Node, half: 0 | 1): Node {
    const known = this.#wide;
    if (known !== undefined) {
      return this.value(type, [], () => {
        this.code.get(known.host);
        this.code.memory(op, 16 * half);
      });
    }
    const address = this.#linear(segment, offset, false);
    const exit = this.leave();
    const remembered = this.rememberedPage(segment, offset, false);
    const place = this.#wide = { host: -1 };
    return this.value(type, [address, ...exit.roots], () => {
      this.#locate(address, 256, false, exit, remembered);
      place.host = this.temporary(I32);
      this.code.tee(place.host);
      this.code.memory(op, 16 * half);
    });
  }

  store(w: Width, segment: Segment, offset: Node, v: Node): void {
    const value = w < 64 ? this.loose(w, v) : v;
    const modified = this.#modified.find((place) => place.offset === offset && place.segment === segment);
    if (modified !== undefined) {
      this.#stores++;
      this.effect([value], () => {
        this.code.get(modified.host);
        this.emit(value);
        this.code.memory(STORE[w], 0);
      });
      return;
    }
    this.storeAs(w, STORE[w], segment, offset, [value]);
  }
  /** A store of w bits, in equal parts that `op` stores. */
  protected storeAs(w: AccessWidth, op: number, segment: Segment, offset: Node, parts: readonly Node[]): void {
    this.#countStore();
    const address = this.#linear(segment, offset, true);
    const exit = this.leave();
    const remembered = this.rememberedPage(segment, offset, true);
    this.effect([address, ...parts, ...exit.roots], () => {
      const { code } = this;
      this.#locate(address, w, true, exit, remembered);
      const host = parts.length > 1 ? this.temporary(I32) : -1;
      parts.forEach((part, n) => {
        if (n > 0) code.get(host);
        else if (parts.length > 1) code.tee(host);
        this.emit(part);
        code.memory(op, n * w / (8 * parts.length));
      });
    });
  }
  /** Five quadwords or doublewords in a row, in one access: the frame of an interrupt. */
  protected loadFrame(type: typeof I32 | typeof I64, offset: Node): Node[] {
    const exit = this.leave(), w = type === I64 ? 64 : 32;
    const host = this.value(I32, [offset, ...exit.roots], () => { this.#locate(offset, w === 64 ? 320 : 160, false, exit, undefined); });
    return [0, 1, 2, 3, 4].map((n) => this.loadState(type, LOAD[w], n * w / 8, host));
  }
  /** Ten bytes in one access: the lower eight, and the two above them as an i32. */
  protected loadTen(segment: Segment, offset: Node): [Node, Node] {
    const address = this.#linear(segment, offset, false);
    const exit = this.leave();
    const host = this.value(I32, [address, ...exit.roots], () => { this.#locate(address, 80, false, exit, undefined); });
    return [this.loadState(I64, LOAD[64], 0, host), this.loadState(I32, LOAD[16], 8, host)];
  }
  /** The same, stored. */
  protected storeTen(segment: Segment, offset: Node, low: Node, high: Node): void {
    this.#countStore();
    const address = this.#linear(segment, offset, true);
    const exit = this.leave();
    const host = this.value(I32, [address, ...exit.roots], () => { this.#locate(address, 80, true, exit, undefined); });
    this.storeState(STORE[64], 0, low, host);
    this.storeState(STORE[16], 8, high, host);
  }
  /** A store may leave, which runs the whole instruction again, so nothing of it may be in memory by then. */
  #countStore(): void { if (this.#stores++ > 0) throw new LeftToReference('two stores'); }

  requireAligned(bytes: 16 | 32, segment: Segment, offset: Node): void {
    const low = this.and(64, this.#linear(segment, offset, false), this.const(64, BigInt(bytes - 1)));
    this.leaveUnless(this.isZero(64, low));
  }

  protected leaveUnless(c: Node, status: number = STATUS.reference): void {
    const exit = this.leave();
    const otherwise = this.not(c);
    this.effect([otherwise, ...exit.roots], () => {
      this.emit(otherwise);
      this.code.open(OP.if, VOID);
      this.inArm(() => { exit.write(status); });
      this.code.end();
    });
  }

  /** The reference engine raises it. */
  fault(_vector: number): void {
    const exit = this.leave();
    this.effect(exit.roots, () => { exit.write(STATUS.reference); });
  }

  /** Generated code goes to addresses of 48 bits only; whether there is code at others is for the reference engine to say. */
  protected requireCanonical(ip: Node): void {
    if (!this.longMode) return;
    const shift = this.const(64, 16n);
    this.leaveUnless(this.eq(64, this.shrS(64, this.shl(64, ip, shift), shift), ip));
  }

  when(c: Node, body: () => void): void {
    if (c.value !== undefined) {
      if (c.value === 1n) body();
      return;
    }
    const before = this.flags;
    const registers = this.registersBefore();
    this.conditional(c, body, () => [...this.flagChanges(before), ...registers()]);
  }
  /** Notes what registers hold; what it returns says which have changed since. */
  protected abstract registersBefore(): () => readonly { before: Node; after: Node; take: (merged: Node) => void }[];

  private flagChanges(before: FlagDefinition): { before: Node; after: Node; take: (merged: Node) => void }[] {
    if (this.flags === before) return [];
    const after = this.flagWords();
    this.flags = before;
    const wordsBefore = this.flagWords();
    let merged: FlagWords = wordsBefore;
    const changes = (['zero', 'signParity', 'carries'] as const).filter((name) => after[name] !== wordsBefore[name]).map((name) => ({
      before: wordsBefore[name],
      after: after[name],
      take: (x: Node): void => { merged = { ...merged, [name]: x }; this.flags = merged; },
    }));
    this.flags = merged;
    return changes;
  }
}
