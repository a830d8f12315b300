/**
 * The vocabulary as one handler of the threaded interpreter: operands are read from the instruction's record, registers
 * and flags live in the state, and the handler ends with a tail call of the next record's. A handler is
 * (record, budget) -> status; the budget of a whole block was paid when it was entered. A handler of several instructions reads the records behind
 * the first, too: there is one way from record to record less for each, and flags that the next instruction overwrites are never computed.
 */
import { OFFSET } from '../../../state/layout.ts';
import type { Instruction } from '../../isa/instruction.ts';
import { NO_REGISTER, RCX, type ImmediateOperand, type MemoryOperand, type MmxOperand, type RegisterOperand, type RelativeOperand, type Width, type XmmOperand } from '../../isa/operand.ts';
import { X87Code } from '../emit/x87-code.ts';
import { xmmOffset, ymmHighOffset, type RegisterPlace } from '../emit/vector-ops.ts';
import type { Leave } from '../emit/memory-ops.ts';
import type { FlagDefinition } from '../emit/flag-ops.ts';
import { FLAG_WORD_OFFSETS } from '../emit/flag-ops.ts';
import { LeftToReference } from '../emit/graph-ops.ts';
import type { Node } from '../emit/node.ts';
import { ENGINE, STATUS } from '../engine-memory.ts';
import type { Code } from '../wasm/code.ts';
import { I32, I64, LOAD, NUMERIC as N, OP, SIMD, STORE, V128, VOID, type ValueType } from '../wasm/opcodes.ts';
import { emitNoteRecord } from '../fast/trail-code.ts';
import { isImmediateOfForm } from './form.ts';
import { NEVER_LINKED, RECORD, RECORD_BYTES, UNLINKED } from './record.ts';
import { MANY, stringFormOf } from './string-form.ts';

/** Parameters and fixed locals. `again`: 1 where a repeated instruction runs once more. */
const LOCAL = { record: 0, budget: 1, again: 2, first: 3 } as const;
export const HANDLER_PARAMETERS: readonly ValueType[] = [I32, I32];
export const HANDLER_FIXED_LOCALS: readonly ValueType[] = [I32];

type Ending = { readonly kind: 'goto' } | { readonly kind: 'if'; readonly c: Node } | { readonly kind: 'indirect'; readonly ip: Node }
  /** Behind itself, unless the engine is to be asked. */
  | { readonly kind: 'asking'; readonly asked: Node };

export class HandlerOps extends X87Code {
  protected readonly longMode: boolean;
  protected readonly columnOffset = 0;
  protected readonly writesBesideCode = true;
  protected flags: FlagDefinition;
  /** The instruction that is being written, and the offset of its record from the first. */
  #i: Instruction;
  #offset = 0;
  readonly #following: readonly Instruction[];
  /** The flags as they are in the state, where no instruction of the handler has written them yet. */
  readonly #flagsBefore: FlagDefinition;
  readonly #record = this.inLocal(I32, LOCAL.record);
  /** Function type of a handler, in the module that is being written. */
  readonly #signature: number;
  #ending: Ending | undefined;
  #repeats = false;

  /** `following`: the instructions behind `i` that the handler executes, too. */
  constructor(code: Code, i: Instruction, signature: number, following: readonly Instruction[] = []) {
    super(code, LOCAL.first);
    this.#i = i;
    this.#following = following;
    this.#signature = signature;
    this.longMode = i.mode.codeSize === 64;
    this.flags = this.#flagsBefore = this.flagsInState();
    this.beginMemory();
  }

  /** Writes the handler of the instructions' forms. Throws LeftToReference. */
  write(): void {
    this.written(() => {
      this.#execute(this.#i);
      for (const i of this.#following) {
        this.#i = i;
        this.#offset += RECORD_BYTES;
        this.beginMemory();
        this.#execute(i);
      }
    });
  }
  #execute(i: Instruction): void {
    const { meaning } = i.row;
    if (meaning.kind === 'system') throw new LeftToReference('system instruction');
    meaning.semantics(this, i);
  }
  /** Writes a handler that does what `body` says. */
  protected written(body: () => void): void {
    body();
    for (const { at, word } of this.#changedFlags()) this.storeState(STORE[64], at, word);
    this.effect(this.#endingRoots(), () => { this.#end(); });
    this.flush();
  }

  /** The words of the flags that differ from those in the state, and where they go. */
  #changedFlags(): { readonly at: number; readonly word: Node }[] {
    const before = this.#flagsBefore;
    if (this.flags === before) return [];
    const words = this.flagWords();
    return (['zero', 'signParity', 'carries'] as const).flatMap((name, n) => (before.kind === 'words' && words[name] === before[name] ? [] : [{ at: FLAG_WORD_OFFSETS[n]!, word: words[name] }]));
  }

  // ------------------------------------------------------------------------------------------------------ operands
  #field(type: ValueType, op: number, at: number): Node { return this.loadState(type, op, this.#offset + at, this.#record); }
  /** Offset in the state of an operand's register. */
  #register(x: RegisterOperand | XmmOperand | MmxOperand): Node {
    const n = this.#i.operands.indexOf(x);
    if (n < 0 || n >= RECORD.registers.length) throw new Error(`${this.#i.row.text}: a register that is no operand`);
    return this.#field(I32, LOAD[16], RECORD.registers[n]!);
  }
  imm(w: Width, x: ImmediateOperand): Node {
    if (isImmediateOfForm(this.#i)) return this.const(w, x.value);
    return this.#field(this.typeOf(w), LOAD[w], RECORD.immediate);
  }
  nextIp(): Node { return this.#field(I64, LOAD[64], RECORD.nextIp); }
  protected ownIp(): Node { return this.sub(64, this.nextIp(), this.zext(8, 64, this.#field(I32, LOAD[8], RECORD.length))); }
  getReg(x: RegisterOperand): Node {
    const type = this.typeOf(x.width), op = LOAD[x.width];
    return x.implicit ? this.loadState(type, op, implicitOffset(x)) : this.loadState(type, op, 0, this.#register(x));
  }
  setReg(x: RegisterOperand, v: Node): void {
    const value = x.width === 32 ? this.zext(32, 64, v) : x.width === 64 ? v : this.loose(x.width, v);
    const op = STORE[x.width === 32 ? 64 : x.width];
    if (x.implicit) this.storeState(op, implicitOffset(x), value);
    else this.storeState(op, 0, value, this.#register(x));
  }
  effectiveAddress(x: MemoryOperand, popped: 0 | 2 | 4 | 8 = 0): Node {
    const register = (at: number): Node => this.loadState(I64, LOAD[64], 0, this.#field(I32, LOAD[16], at));
    let sum = this.add(64, register(RECORD.base), this.#field(I64, LOAD[64], RECORD.displacement));
    if (x.index !== NO_REGISTER) sum = this.add(64, sum, this.shl(64, register(RECORD.index), this.zext(8, 64, this.#field(I32, LOAD[8], RECORD.scale))));
    // The form says whether the base is RSP.
    if (popped !== 0 && x.base === 4) sum = this.add(64, sum, this.const(64, BigInt(popped)));
    return x.addressWidth === 64 ? sum : this.zext(x.addressWidth, 64, this.trunc(64, x.addressWidth, sum));
  }
  protected registersBefore(): () => readonly [] { return () => []; }
  override getXmm(x: XmmOperand): Node { return this.#loadVector(this.#place(x, 'low')); }
  override setXmm(x: XmmOperand, v: Node): void { this.#storeVector(this.#place(x, 'low'), v); }
  override getYmmHigh(x: XmmOperand): Node { return this.#loadVector(this.#place(x, 'high')); }
  override setYmmHigh(x: XmmOperand, v: Node): void { this.#storeVector(this.#place(x, 'high'), v); }
  /** Registers that the instruction means without naming them have their own places. */
  #place(x: XmmOperand, half: 'low' | 'high'): RegisterPlace {
    if (this.#i.operands.includes(x)) return { base: this.#register(x), offset: half === 'low' ? 0 : OFFSET.ymmHigh - OFFSET.xmm };
    return { base: undefined, offset: half === 'low' ? xmmOffset(x) : ymmHighOffset(x) };
  }
  #loadVector({ base, offset }: RegisterPlace): Node { return this.loadState(V128, SIMD['v128.load'], offset, base); }
  #storeVector({ base, offset }: RegisterPlace, v: Node): void { this.storeState(SIMD['v128.store'], offset, v, base); }
  protected mmxPlace(x: MmxOperand): RegisterPlace { return { base: this.#register(x), offset: 0 }; }

  // -------------------------------------------------------------------------------------------------------- memory
  protected rememberedPage(): undefined { return undefined; }
  protected addColumn(): void {
    this.code.i32(0);
    this.code.memory(LOAD[32], ENGINE.dataColumn);
    this.code.byte(N.i32_add);
  }
  protected compareTag(): void {
    this.code.byte(N.i64_xor);
    this.code.i32(0);
    this.code.memory(LOAD[64], ENGINE.pcid);
    this.code.byte(N.i64_eq);
  }
  protected leave(): Leave {
    const flags = this.#changedFlags(), offset = this.#offset;
    return {
      roots: flags.map(({ word }) => word),
      write: (status) => {
        const { code } = this;
        for (const { at, word } of flags) {
          code.i32(0);
          this.emit(word);
          code.memory(STORE[64], at);
        }
        code.i32(0);
        this.#emitRecord(offset);
        code.memory(STORE[32], ENGINE.leftAt);
        this.#return(status);
      },
    };
  }
  /** Leaves the address of a record of the handler on the stack. */
  #emitRecord(offset: number): void {
    this.code.get(LOCAL.record);
    if (offset === 0) return;
    this.code.i32(offset);
    this.code.byte(N.i32_add);
  }
  #return(status: number): void {
    const { code } = this;
    code.i32(0);
    code.get(LOCAL.budget);
    code.memory(STORE[32], ENGINE.budget);
    code.i32(status);
    code.byte(OP.return);
  }

  // ------------------------------------------------------------------------------------------------------- control
  goto(_x: RelativeOperand): void { this.#ending = { kind: 'goto' }; }
  gotoIf(c: Node, _x: RelativeOperand): void { this.#ending = { kind: 'if', c }; }
  gotoIndirect(ip: Node): void {
    const target = this.#i.width === 64 ? ip : this.zext(this.#i.width, 64, this.trunc(64, this.#i.width, ip));
    this.requireCanonical(target);
    this.#ending = { kind: 'indirect', ip: target };
  }
  /** Ends the block, at an address. */
  protected goTo(ip: Node): void {
    this.requireCanonical(ip);
    this.#ending = { kind: 'indirect', ip };
  }
  protected goOnUnless(asked: Node): void { this.#ending = { kind: 'asking', asked }; }
  protected writeBudgetBefore(): void {
    const { code } = this;
    code.i32(0);
    code.get(LOCAL.budget);
    code.get(LOCAL.record);
    code.memory(LOAD[16], this.#offset + RECORD.remaining);
    code.byte(N.i32_add);
    code.memory(STORE[32], ENGINE.budget);
  }
  repeatIf(c: Node): void {
    this.#repeats = true;
    this.effect([c], () => {
      this.emit(c);
      this.code.set(LOCAL.again);
    });
  }

  #endingRoots(): readonly Node[] {
    const ending = this.#ending;
    return ending?.kind === 'if' ? [ending.c] : ending?.kind === 'indirect' ? [ending.ip] : ending?.kind === 'asking' ? [ending.asked] : [];
  }

  #end(): void {
    const { code } = this;
    const ending = this.#ending;
    if (this.#repeats) {
      code.get(LOCAL.again);
      code.open(OP.if, VOID);
      this.#again();
      code.end();
      this.#follow(RECORD.next, RECORD.nextIp);
    } else if (ending === undefined) this.#nextRecord();
    else if (ending.kind === 'asking') {
      this.emit(ending.asked);
      code.open(OP.if, VOID);
      this.#setRip(() => { code.get(LOCAL.record); code.memory(LOAD[64], this.#offset + RECORD.nextIp); });
      this.#return(STATUS.served);
      code.end();
      this.#follow(RECORD.next, RECORD.nextIp);
    } else if (ending.kind === 'goto') this.#follow(RECORD.taken, RECORD.target);
    else if (ending.kind === 'if') {
      this.emit(ending.c);
      code.open(OP.if, VOID);
      this.inArm(() => { this.#follow(RECORD.taken, RECORD.target); });
      code.end();
      this.#follow(RECORD.next, RECORD.nextIp);
    } else this.#lookUp(() => { this.emit(ending.ip); });
  }

  /** Goes on with the record behind this one, in the same block. */
  #nextRecord(): void { emitNextRecord(this.code, this.#signature, this.#offset + RECORD_BYTES); }
  #tailCall(): void {
    this.code.byte(OP.return_call_indirect);
    this.code.unsigned(this.#signature);
    this.code.unsigned(0);
  }

  /** Runs the instruction at this record once more, if the budget allows. */
  #again(): void {
    const { code } = this;
    this.#pay(() => { code.i32(1); }, () => { this.#emitOwnIp(); });
    emitNoteRecord(code, LOCAL.record);
    this.#leaveForMany();
    code.get(LOCAL.record);
    code.get(LOCAL.budget);
    code.get(LOCAL.record);
    code.memory(LOAD[32], RECORD.handler);
    this.#tailCall();
  }

  /** Leaves before the next iteration where many are left. Comparisons, whose end no count tells, do so once in a while. */
  #leaveForMany(): void {
    const form = stringFormOf(this.#i);
    if (form === undefined) return;
    const { code } = this;
    const wide = form.addressWidth === 64;
    const count = (): void => {
      code.i32(0);
      code.memory(LOAD[form.addressWidth], OFFSET.gpr + 8 * RCX);
    };
    count();
    if (wide) code.i64(BigInt(MANY)); else code.i32(MANY);
    code.byte(wide ? N.i64_ge_u : N.i32_ge_u);
    if (form.operation === 'CMPS' || form.operation === 'SCAS') {
      count();
      if (wide) code.byte(N.i32_wrap_i64);
      code.i32(MANY - 1);
      code.byte(N.i32_and);
      code.byte(N.i32_eqz);
      code.byte(N.i32_and);
    }
    code.open(OP.if, VOID);
    this.leave().write(STATUS.string);
    code.end();
  }
  #emitOwnIp(): void {
    const { code } = this;
    code.get(LOCAL.record);
    code.memory(LOAD[64], RECORD.nextIp);
    code.get(LOCAL.record);
    code.memory(LOAD[8], RECORD.length);
    code.byte(N.i64_extend_i32_u);
    code.byte(N.i64_sub);
  }

  /** Takes `price` from the budget, or leaves with RIP = `ip` where it is not enough. */
  #pay(price: () => void, ip: () => void): void {
    const { code } = this;
    const left = this.temporary(I32);
    code.get(LOCAL.budget);
    price();
    code.byte(N.i32_sub);
    code.tee(left);
    code.i32(0);
    code.byte(N.i32_lt_s);
    code.open(OP.if, VOID);
    this.#setRip(ip);
    this.#return(STATUS.budget);
    code.end();
    code.get(left);
    code.set(LOCAL.budget);
  }
  #setRip(ip: () => void): void {
    this.code.i32(0);
    ip();
    this.code.memory(STORE[64], OFFSET.rip);
  }
  #lookUp(ip: () => void): void {
    this.#setRip(ip);
    this.#return(STATUS.next);
  }

  /** Leaves the block by a link: to its record, or through the dispatcher. */
  #follow(linkAt: number, ipAt: number): void {
    const { code } = this;
    const to = this.temporary(I32);
    const ip = (): void => { code.get(LOCAL.record); code.memory(LOAD[64], this.#offset + ipAt); };
    code.get(LOCAL.record);
    code.memory(LOAD[32], this.#offset + linkAt);
    code.tee(to);
    code.i32(NEVER_LINKED);
    code.byte(N.i32_le_u);
    code.open(OP.if, VOID);
    // The dispatcher fills a link in that wants it.
    code.i32(0);
    this.#emitRecord(this.#offset + linkAt);
    code.i32(UNLINKED);
    code.get(to);
    code.byte(N.i32_eqz);
    code.byte(OP.select);
    code.memory(STORE[32], ENGINE.link);
    this.#lookUp(ip);
    code.end();
    this.#pay(() => { code.get(to); code.memory(LOAD[16], RECORD.remaining); }, ip);
    emitNoteRecord(code, to);
    code.get(to);
    code.get(LOCAL.budget);
    code.get(to);
    code.memory(LOAD[32], RECORD.handler);
    this.#tailCall();
  }
}

const implicitOffset = (x: RegisterOperand): number => OFFSET.gpr + 8 * x.number + (x.high ? 1 : 0);

/** A tail call of the handler of the record `bytes` behind this one. */
export function emitNextRecord(code: Code, signature: number, bytes = RECORD_BYTES): void {
  code.get(LOCAL.record);
  code.i32(bytes);
  code.byte(N.i32_add);
  code.get(LOCAL.budget);
  code.get(LOCAL.record);
  code.memory(LOAD[32], bytes + RECORD.handler);
  code.byte(OP.return_call_indirect);
  code.unsigned(signature);
  code.unsigned(0);
}
