/**
 * The vocabulary as part of a region's function: everything but values is known. Within a block registers and flags are names of
 * graph nodes; between blocks they live in Wasm locals; outside the region in the state. Leaving in the middle of a
 * block writes the names to the locals and goes to the one exit.
 */
import { columnBase, type Column } from '../../../mmu/tlb.ts';
import type { Segment } from '../../../state/layout.ts';
import type { Instruction } from '../../isa/instruction.ts';
import { NO_REGISTER, RCX, RSP, type ImmediateOperand, type MemoryOperand, type MmxOperand, type RegisterOperand, type RelativeOperand, type Width, type XmmOperand } from '../../isa/operand.ts';
import type { FlagDefinition } from '../emit/flag-ops.ts';
import type { Leave, PageLocals, RememberedPage } from '../emit/memory-ops.ts';
import type { Node } from '../emit/node.ts';
import { mmxOffset, xmmOffset, ymmHighOffset, type RegisterPlace } from '../emit/vector-ops.ts';
import type { Context } from '../fast/context.ts';
import { regionWord } from '../fast/trail.ts';
import { ENGINE, STATUS } from '../engine-memory.ts';
import { branchTarget } from '../interpreter/record.ts';
import { MANY, stringFormOf } from '../interpreter/string-form.ts';
import type { Code, Label } from '../wasm/code.ts';
import { I32, I64, NUMERIC as N, SIMD, STORE, V128, type ValueType } from '../wasm/opcodes.ts';
import { FlagHomeOps, type FlagShape, type HomeWrite } from './flag-homes.ts';
import { pageSlot } from './page-slots.ts';
import type { Block } from './region.ts';

/**
 * The parameter, fixed locals, and the homes of registers and flags. `partial`: what goes into the trail for a block that is left in the middle, or 0.
 * `again`: 1 where a repeated instruction runs once more.
 */
export const LOCAL = { block: 0, budget: 1, status: 2, rip: 3, pcid: 4, gpr: 5, flags: 21, flagKind: 24, trail: 25, partial: 26, again: 27, first: 28 } as const;
/** Types of the locals behind the parameter. */
export const FIXED_LOCALS: readonly ValueType[] = [I32, I32, ...Array<ValueType>(LOCAL.flagKind - LOCAL.rip).fill(I64), I32, I32, I32, I32];

/** What is added to the number of a YMM register to name its upper half. */
const UPPER = 16;
/** Where the state holds what a home of vectors is for. */
export const vectorOffset = (number: number): number => (number < UPPER ? xmmOffset({ number }) : ymmHighOffset({ number: number - UPPER }));

/** With a tag of the TLB and a page on the stack: leaves 1 where they belong together. */
export function compareTag(code: Code, pcidIsZero: boolean): void {
  if (!pcidIsZero) {
    code.byte(N.i64_xor);
    code.get(LOCAL.pcid);
  }
  code.byte(N.i64_eq);
}

/** What a string instruction's address is made of, where that is the whole of a register. */
const indexOperand = ({ local }: Node): Pick<MemoryOperand, 'base' | 'displacement'> | undefined =>
  (local !== undefined && local >= LOCAL.gpr && local < LOCAL.flags ? { base: local - LOCAL.gpr, displacement: 0n } : undefined);

/** How a block ends. */
export type Ending =
  | { readonly kind: 'goto'; readonly to: bigint }
  | { readonly kind: 'if'; readonly c: Node; readonly to: bigint; readonly otherwise: bigint }
  | { readonly kind: 'indirect'; readonly ip: Node }
  /** Behind the block, unless the engine is to be asked. */
  | { readonly kind: 'asking'; readonly asked: Node; readonly to: bigint };

/** The newest value of a register: all 64 bits, or 32 with zeros above. */
interface Name { readonly width: 32 | 64; readonly value: Node }

export class RegionOps extends FlagHomeOps {
  protected readonly flagLocals = LOCAL;
  protected readonly longMode: boolean;
  protected readonly columnOffset: number;
  protected readonly writesBesideCode: boolean;
  protected flags: FlagDefinition;
  /** Registers whose homes must be loaded when the region is entered, and stored when it is left. */
  readonly used = new Set<number>();
  readonly written = new Set<number>();
  /** Homes of XMM registers and upper halves, given out as a region comes to use them; and which of them it writes. */
  readonly vectorHomes = new Map<number, number>();
  readonly writtenVectors = new Set<number>();
  #vectors = new Map<number, Node>();
  /** YMM registers whose upper halves have homes, too: those that the region uses as such. Others are only cleared, which is done in the state. */
  readonly #ymm: ReadonlySet<number>;
  /** Of others: those that this block has cleared. */
  #cleared: ReadonlySet<number> = new Set();
  /** The registers as the block finds them. */
  readonly #vectorsIn = new Map<number, Node>();
  /** Slots of remembered pages that are in locals here. */
  #pages: ReadonlyMap<number, PageLocals> | undefined;
  /** The label behind which the exit's code stands. */
  exit!: Label;
  #names = new Map<number, Name>();
  /** What the addresses of this instruction's memory operands are made of. */
  readonly #operandOf = new Map<Node, Pick<MemoryOperand, 'base' | 'displacement'>>();
  #i!: Instruction;
  #ip = 0n;
  #next = 0n;
  /** Instructions of this block that have retired before the current one. */
  #done = 0;
  #owed = 0;
  #ending: Ending | undefined;
  /** Where the condition or target of the block's end is, once the block is written. */
  #endValue: Node | undefined;
  readonly #column: Column;
  readonly #pcidIsZero: boolean;
  readonly #source: number;
  #block = 0;

  /** `source`: the region's number in the trail. `ymm`: numbers of the YMM registers that the region uses. `beside`: it writes to pages with code. */
  constructor(code: Code, context: Context, source: number, ymm: ReadonlySet<number>, beside: boolean) {
    super(code, LOCAL.first);
    this.writesBesideCode = beside;
    this.#ymm = ymm;
    this.longMode = context.mode.codeSize === 64;
    this.columnOffset = columnBase(context.column);
    this.#column = context.column;
    this.#pcidIsZero = context.pcidIsZero;
    this.#source = source;
    this.flags = this.flagsEntered(undefined);
  }

  /**
   * Writes a block up to its end, but not where it goes then. `flagsLiveOut`: someone may look at the flags behind it. `flagsIn`: what the
   * homes of the flags hold, if that is known. Returns that for the block's end, too. `owed`: instructions before the block that have not been paid for.
   * `pages`: slots of remembered pages that are in locals.
   */
  block({ number, instructions, ip, end }: Block, flagsIn: FlagShape | undefined, flagsLiveOut: boolean, owed: number, pages: ReadonlyMap<number, PageLocals> | undefined): { readonly ending: Ending; readonly flagsOut: FlagShape | undefined } {
    this.#block = number;
    this.#owed = owed;
    this.#pages = pages;
    this.#names = new Map();
    this.#vectors = new Map();
    this.#vectorsIn.clear();
    this.#cleared = new Set();
    this.beginVectors();
    this.#ending = undefined;
    this.flags = this.flagsEntered(flagsIn);
    let here = ip;
    instructions.forEach((i, done) => {
      this.#i = i;
      this.#ip = here;
      this.#next = BigInt.asUintN(i.mode.codeSize, here + BigInt(i.length));
      this.#done = done;
      this.beginMemory();
      this.#operandOf.clear();
      if (i.repeat !== 'none') this.#beginRepeated(i);
      if (i.row.meaning.kind !== 'system') i.row.meaning.semantics(this, i);
      here = this.#next;
    });
    const ending: Ending = this.#ending ?? { kind: 'goto', to: end };
    const flagsOut = this.#finish(ending, flagsLiveOut);
    return { ending, flagsOut };
  }

  // ------------------------------------------------------------------------------------------------------ operands
  imm(w: Width, x: ImmediateOperand): Node { return this.const(w, x.value); }
  nextIp(): Node { return this.const(64, this.#next); }
  protected ownIp(): Node { return this.const(64, this.#ip); }

  /** All 64 bits of a register. */
  #whole(number: number): Node {
    if (number === NO_REGISTER) return this.const(64, 0n);
    const name = this.#names.get(number);
    if (name !== undefined) return name.width === 64 ? name.value : this.zext(32, 64, name.value);
    this.used.add(number);
    return this.inLocal(I64, LOCAL.gpr + number);
  }
  #part(number: number, w: Width): Node {
    const name = this.#names.get(number);
    if (name?.width === 32 && w < 64) return w === 32 ? name.value : this.trunc(32, w, name.value);
    const whole = this.#whole(number);
    return w === 64 ? whole : this.trunc(64, w, whole);
  }
  getReg(x: RegisterOperand): Node {
    if (!x.high) return this.#part(x.number, x.width);
    return this.trunc(32, 8, this.shrU(32, this.#part(x.number, 32), this.const(32, 8n)));
  }
  setReg(x: RegisterOperand, v: Node): void {
    if (x.width >= 32) {
      this.#names.set(x.number, { width: x.width as 32 | 64, value: v });
      return;
    }
    const shift = x.high ? 8n : 0n;
    const kept = this.and(64, this.#whole(x.number), this.const(64, ~(((1n << BigInt(x.width)) - 1n) << shift)));
    this.#names.set(x.number, { width: 64, value: this.or(64, kept, this.shl(64, this.zext(x.width, 64, v), this.const(64, shift))) });
  }
  effectiveAddress(x: MemoryOperand, popped: 0 | 2 | 4 | 8 = 0): Node {
    const w: Width = x.addressWidth === 64 ? 64 : 32;
    let sum = x.ripRelative ? this.const(w, this.#next) : x.base === NO_REGISTER ? this.const(w, 0n) : this.#part(x.base, w);
    if (x.index !== NO_REGISTER) sum = this.add(w, sum, this.shl(w, this.#part(x.index, w), this.const(w, BigInt(Math.log2(x.scale)))));
    sum = this.add(w, sum, this.const(w, x.displacement + BigInt(x.base === RSP ? popped : 0)));
    const address = x.addressWidth === 64 ? sum : this.zext(32, 64, x.addressWidth === 16 ? this.and(32, sum, this.const(32, 0xffffn)) : sum);
    this.#operandOf.set(address, { base: x.base, displacement: x.displacement + (x.ripRelative ? this.#next : 0n) });
    return address;
  }

  #vectorHome(number: number): number {
    let home = this.vectorHomes.get(number);
    if (home === undefined) this.vectorHomes.set(number, home = this.addLocal(V128));
    return home;
  }
  #vector(number: number): Node {
    const known = this.#vectors.get(number) ?? this.#vectorsIn.get(number);
    if (known !== undefined) return known;
    const found = this.inLocal(V128, this.#vectorHome(number));
    this.#vectorsIn.set(number, found);
    return found;
  }
  override getXmm(x: XmmOperand): Node { return this.#vector(x.number); }
  override setXmm(x: XmmOperand, v: Node): void { this.#vectors.set(x.number, v); }
  override getYmmHigh(x: XmmOperand): Node {
    return this.#ymm.has(x.number) ? this.#vector(UPPER + x.number) : this.loadState(V128, SIMD['v128.load'], ymmHighOffset(x));
  }
  override setYmmHigh(x: XmmOperand, v: Node): void {
    if (this.#ymm.has(x.number)) {
      this.#vectors.set(UPPER + x.number, v);
      return;
    }
    if (this.#cleared.has(x.number)) return;
    // Nothing but zeros is written to the upper half of a register that is used as an XMM register only.
    this.storeState(SIMD['v128.store'], ymmHighOffset(x), v);
    this.#cleared = new Set([...this.#cleared, x.number]);
  }
  protected mmxPlace(x: MmxOperand): RegisterPlace { return { base: undefined, offset: mmxOffset(x) }; }

  protected registersBefore(): () => readonly { before: Node; after: Node; take: (merged: Node) => void }[] {
    const before = new Map(this.#names), vectorsBefore = new Map(this.#vectors), clearedBefore = this.#cleared;
    return () => [...this.#forgetCleared(clearedBefore), ...this.#vectorsSince(vectorsBefore), ...[...this.#names].filter(([number, name]) => before.get(number) !== name).map(([number, { width, value }]) => {
      const known = before.get(number);
      if (known === undefined) this.used.add(number);
      const wholeBefore = known === undefined ? this.inLocal(I64, LOCAL.gpr + number) : known.width === 64 ? known.value : this.zext(32, 64, known.value);
      return {
        before: wholeBefore,
        after: width === 64 ? value : this.zext(32, 64, value),
        take: (merged: Node): void => { this.#names.set(number, { width: 64, value: merged }); },
      };
    })];
  }
  #forgetCleared(before: ReadonlySet<number>): readonly [] {
    this.#cleared = before;
    return [];
  }
  #vectorsSince(before: ReadonlyMap<number, Node>): { before: Node; after: Node; take: (merged: Node) => void }[] {
    return [...this.#vectors].filter(([number, after]) => before.get(number) !== after).map(([number, after]) => ({
      before: before.get(number) ?? this.inLocal(V128, this.#vectorHome(number)),
      after,
      take: (merged: Node): void => { this.#vectors.set(number, merged); },
    }));
  }

  // -------------------------------------------------------------------------------------------------------- memory
  protected rememberedPage(segment: Segment, offset: Node, write: boolean): RememberedPage | undefined {
    const found = pageSlot(this.#column, segment, this.#operandOf.get(offset) ?? (this.#i.repeat === 'none' ? undefined : indexOperand(offset)), write);
    return found && { ...found, locals: this.#pages?.get(found.slot) };
  }
  protected addColumn(): void { /* It is in columnOffset. */ }
  protected compareTag(): void { compareTag(this.code, this.#pcidIsZero); }

  /** What it takes to write the names to their homes, as they are at this point. */
  #sync(withFlags: boolean): { readonly roots: readonly Node[]; readonly flags: FlagShape | undefined; readonly write: () => void } {
    const names = [...this.#names].map(([number, { width, value }]) => ({ local: LOCAL.gpr + number, number, value: width === 64 ? value : this.zext(32, 64, value) }));
    const writes: HomeWrite[] = names.filter(({ local, value }) => value.local !== local);
    for (const [number, value] of this.#vectors) {
      const local = this.#vectorHome(number);
      this.writtenVectors.add(number);
      if (value.local !== local) writes.push({ local, value });
    }
    const flags = withFlags ? this.flagsHome() : undefined;
    if (flags !== undefined) writes.push(...flags.writes.filter(({ local, value }) => value.local !== local));
    for (const { number } of names) {
      this.used.add(number);
      this.written.add(number);
    }
    return {
      roots: writes.map(({ value }) => value),
      flags: flags?.shape,
      // In parallel: every value is computed before any home changes.
      write: () => {
        for (const { value } of writes) this.emit(value);
        for (let n = writes.length - 1; n >= 0; n--) this.code.set(writes[n]!.local);
      },
    };
  }

  protected leave(): Leave {
    const sync = this.#sync(true);
    const ip = this.#ip, done = this.#done, block = this.#block, paid = this.#owed + done;
    return {
      roots: sync.roots,
      write: (status) => {
        sync.write();
        if (paid > 0) {
          this.code.get(LOCAL.budget);
          this.code.i32(paid);
          this.code.byte(N.i32_sub);
          this.code.set(LOCAL.budget);
        }
        // The word of a block that a fault may end, too, which adds the instruction.
        if (paid > 0 || status === STATUS.miss) {
          this.code.i32(regionWord(this.#source, block, done));
          this.code.set(LOCAL.partial);
        }
        this.exitWith(status, () => { this.code.i64(ip); });
      },
    };
  }

  /** Goes to the exit, with RIP = what `ip` leaves on the stack. */
  exitWith(status: number, ip: () => void): void {
    ip();
    this.code.set(LOCAL.rip);
    this.code.i32(status);
    this.code.set(LOCAL.status);
    this.code.br(this.exit);
  }

  // ------------------------------------------------------------------------------------------------------- control
  #target(x: RelativeOperand): bigint { return branchTarget(this.#i, this.#ip, x.displacement); }
  goto(x: RelativeOperand): void { this.#ending = { kind: 'goto', to: this.#target(x) }; }
  gotoIf(c: Node, x: RelativeOperand): void { this.#ending = { kind: 'if', c, to: this.#target(x), otherwise: this.#next }; }
  gotoIndirect(ip: Node): void {
    const target = this.#i.width === 64 ? ip : this.zext(this.#i.width, 64, this.trunc(64, this.#i.width, ip));
    this.requireCanonical(target);
    this.#ending = { kind: 'indirect', ip: target };
  }
  /** A repeated instruction is a block of its own that goes on to itself. Many iterations are left to TypeScript, a page at a time. */
  #beginRepeated(i: Instruction): void {
    this.effect([], () => {
      this.code.i32(0);
      this.code.set(LOCAL.again);
    });
    if (stringFormOf(i) === undefined) return;
    const w: Width = i.addressWidth === 64 ? 64 : 32;
    this.leaveUnless(this.ltU(w, this.#part(RCX, w), this.const(w, BigInt(MANY))), STATUS.string);
  }
  protected goOnUnless(asked: Node): void { this.#ending = { kind: 'asking', asked, to: this.#next }; }
  protected writeBudgetBefore(): void {
    this.code.i32(0);
    this.code.get(LOCAL.budget);
    this.code.i32(this.#owed + this.#done);
    this.code.byte(N.i32_sub);
    this.code.memory(STORE[32], ENGINE.budget);
  }
  repeatIf(c: Node): void {
    this.effect([c], () => {
      this.emit(c);
      this.code.set(LOCAL.again);
    });
    this.#ending = { kind: 'if', c: this.inLocal(I32, LOCAL.again), to: this.#ip, otherwise: this.#next };
  }

  /** Writes names home. */
  #finish(ending: Ending, flagsLiveOut: boolean): FlagShape | undefined {
    const value = ending.kind === 'if' ? ending.c : ending.kind === 'indirect' ? ending.ip : ending.kind === 'asking' ? ending.asked : undefined;
    const sync = this.#sync(flagsLiveOut);
    // The value is kept in a local: its homes may be overwritten before it is looked at.
    const kept = value === undefined ? undefined : this.value(value.type, [value], () => { this.emit(value); });
    this.effect([...(kept ? [kept] : []), ...sync.roots], () => {
      sync.write();
    });
    this.flush();
    this.#endValue = kept;
    return sync.flags;
  }

  /** Locals for a remembered page. */
  pageLocals(): PageLocals { return { page: this.addLocal(I64), addend: this.addLocal(I32) }; }

  /** Leaves the condition or the target of the block's end on the stack. */
  emitEndValue(): void { this.emit(this.#endValue!); }
  /** A temporary for what follows a block; of another type than the block's end value, whose local it may get otherwise. */
  endTemporary(type: ValueType): number { return this.temporary(type); }
}
