/**
 * Short ways of a few system instructions in 64-bit mode: INT n, IRETQ, SYSCALL, SYSRETQ, INVLPG and MOV from and to CR2 and CR3 where they do what kernels have them do all day. Flat
 * 64-bit code at CPL 0 and 3, descriptors of the GDT that have their accessed bits, nobody who looks on, nothing pending afterwards. All that is asked
 * comes before anything changes; where an answer is no, or the TLB's columns do not have a page, the next record has the reference engine do the
 * whole instruction. Its meaning is that of isa/system/: test/engines/short-ways.test.ts, and paging-code.test.ts, hold these ways to it.
 */
import { OFFSET, SEGMENT } from '../../../state/layout.ts';
import { CR0, CR4, EFER } from '../../../mmu/control-bits.ts';
import { MAXPHYADDR } from '../../../mmu/paging-entries.ts';
import { FETCH_COLUMN, TLB_LAYOUT, columnBase, fetchColumnBase, COLUMN } from '../../../mmu/tlb.ts';
import { ATTRIBUTE } from '../../descriptors.ts';
import { VECTOR } from '../../exceptions.ts';
import { RFLAGS, SYSTEM_MASK } from '../../flags.ts';
import type { Instruction } from '../../isa/instruction.ts';
import { RCX, RSP, type MemoryOperand, type RegisterOperand, type SpecialRegisterOperand } from '../../isa/operand.ts';
import { FLAT_CODE_64, FLAT_STACK, SYSRET_FLAGS } from '../../isa/system/system-calls.ts';
import type { Leave } from '../emit/memory-ops.ts';
import type { Node } from '../emit/node.ts';
import { ENGINE_FUNCTION } from '../engine-functions.ts';
import { ENGINE, INTERRUPTS_BASE, PAGE_FAULTS_BASE, STATUS } from '../engine-memory.ts';
import { CONTEXT_KEY_HIGH_SHIFT, type Context } from '../fast/context.ts';
import type { Code } from '../wasm/code.ts';
import { I32, I64, LOAD, NUMERIC as N, OP, STORE } from '../wasm/opcodes.ts';
import { formOf } from './form.ts';
import { HandlerOps, emitNextRecord } from './handler-ops.ts';

const R11 = 11;
const WAYS = { INT: 'interrupt', IRETQ: 'interruptReturn', SYSCALL: 'systemCall', SYSRETQ: 'systemReturn' } as const;
/** Bits 47:40 of a descriptor, or 55:40 with L and D: accessed code of the DPL in bits 46:45, not conforming; accessed data that may be written. */
const CODE = { mask: ATTRIBUTE.L | ATTRIBUTE.DB | 0xfd, value: ATTRIBUTE.L | 0x99 } as const;
const DATA = { mask: 0xfb, value: 0x93 } as const;
/** The same of an interrupt or trap gate, whatever its DPL. */
const GATE = { mask: 0x9e, value: 0x8e } as const;
/** With one of these in systemFlags the next instruction is not simply executed. */
const ATTENTION = RFLAGS.TF | RFLAGS.VM;

/** Of MOV from and to a control register, by the register: CR0, CR4 and CR8 have more consequences. */
const FROM_CR = 'MOV r64, CRn', TO_CR = 'MOV CRn, r64';

/** Which way an instruction has in a context, as part of a handler's key; undefined: none. */
export function shortWayOf(i: Instruction, { mode, column }: Context): string | undefined {
  const onPaging = mode.codeSize === 64 && column !== COLUMN.user ? wayOnPaging(i) : undefined;
  if (onPaging !== undefined) return `${formOf(i)} ${onPaging} ${i.operands.map((x) => (x.kind === 'control' ? x.number : '')).join('')}`;
  if (mode.codeSize !== 64 || (i.width !== 64 && i.mnemonic !== 'INT' && i.mnemonic !== 'SYSCALL')) return undefined;
  const user = column === COLUMN.user;
  if (!(i.mnemonic in WAYS) || (user && i.mnemonic !== 'INT' && i.mnemonic !== 'SYSCALL')) return undefined;
  return i.mnemonic === 'INT' && i.operands[0]?.kind !== 'immediate' ? undefined : `${i.mnemonic} ${user ? 3 : 0}`;
}

function wayOnPaging(i: Instruction): 'invalidatePage' | 'readControlRegister' | 'writeCr3' | undefined {
  const [x, y] = i.operands;
  if (i.mnemonic === 'INVLPG') return x?.kind === 'memory' && x.segment < SEGMENT.FS ? 'invalidatePage' : undefined;
  if (i.row.text === FROM_CR) return y?.kind === 'control' && (y.number === 2 || y.number === 3) ? 'readControlRegister' : undefined;
  return i.row.text === TO_CR && x?.kind === 'control' && x.number === 3 ? 'writeCr3' : undefined;
}

interface Descriptor { readonly selector: Node; readonly value: Node; readonly attributes: Node }

export class ShortWay extends HandlerOps {
  readonly #instruction: Instruction;
  readonly #fromUser: boolean;
  readonly #pageFault: boolean;
  readonly #handlerSignature: number;

  /** `pageFault`: the way is not that of an instruction, but of the page fault at RIP, whose address and error code ENGINE says; `i` is any. */
  constructor(code: Code, i: Instruction, signature: number, { column }: Context, pageFault = false) {
    super(code, i, signature);
    this.#pageFault = pageFault;
    this.#instruction = i;
    this.#handlerSignature = signature;
    this.#fromUser = column === COLUMN.user;
  }

  override write(): void {
    this.written(() => {
      this.#require(this.#isSet(ENGINE.unwatched), this.#is(OFFSET.cpl, this.#fromUser ? 3 : 0));
      const onPaging = wayOnPaging(this.#instruction);
      if (onPaging !== undefined) {
        this[onPaging]();
        this.goTo(this.nextIp());
        return;
      }
      // A delivery is one of the budget, but retires nothing.
      if (this.#pageFault) {
        this.#require(this.ltS(32, this.#c(0), this.inLocal(I32, BUDGET)));
        this.interrupt();
        this.#count(ENGINE.faults);
        this.effect([], () => {
          this.code.get(BUDGET);
          this.code.i32(1);
          this.code.byte(N.i32_sub);
          this.code.set(BUDGET);
        });
      } else this[WAYS[this.#instruction.mnemonic as keyof typeof WAYS]]();
      this.#count(ENGINE.changes);
    });
  }

  /** To the next record, which does it all. The block has paid for this one. Of a page fault: back to the dispatcher. */
  protected override leave(): Leave {
    if (this.#pageFault) {
      return {
        roots: [],
        write: () => {
          this.code.i32(STATUS.miss);
          this.code.byte(OP.return);
        },
      };
    }
    return {
      roots: [],
      write: () => {
        this.code.get(BUDGET);
        this.code.i32(1);
        this.code.byte(N.i32_add);
        this.code.set(BUDGET);
        emitNextRecord(this.code, this.#handlerSignature);
      },
    };
  }
  /** All accesses are implicit ones of the supervisor, or explicit ones that are judged alike. */
  protected override addColumn(): void {
    this.code.i32(0);
    this.code.memory(LOAD[32], ENGINE.implicitColumn);
    this.code.byte(N.i32_add);
  }

  // ---------------------------------------------------------------------------------------------------------- ways
  private interrupt(): void {
    const vector = this.#pageFault ? this.#c(VECTOR.PF) : this.zext(8, 32, this.imm(8, this.#instruction.operands[0] as never));
    const at = this.shl(32, vector, this.#c(4));
    this.#require(this.isZero(64, this.#quad(OFFSET.monitoredLine)), this.not(this.ltU(32, this.#word(OFFSET.idtrLimit), this.add(32, at, this.#c(15)))));
    if (!this.#fromUser) this.#require(this.eq(32, this.#word(ENGINE.dataColumn), this.#word(ENGINE.implicitColumn)));
    const address = this.add(64, this.#quad(OFFSET.idtrBase), this.zext(32, 64, at));
    const gate = this.#load(address), upper = this.#load(this.add(64, address, this.const(64, 8n)));
    const type = this.#from(gate, 40);
    const target = this.#descriptor(this.and(32, this.#from(gate, 16), this.#c(0xffff)));
    this.#require(
      this.#matches(type, GATE), this.isZero(32, this.and(32, this.#from(gate, 32), this.#c(7))),
      this.not(this.ltU(32, this.#dpl(type), this.#c(this.#fromUser && !this.#pageFault ? 3 : 0))), this.#matches(target.attributes, CODE),
    );
    const old = this.#quad(OFFSET.gpr + 8 * RSP);
    const frame = this.sub(64, this.and(64, this.#fromUser ? this.#innerStack() : old, this.const(64, ~15n)), this.const(64, this.#pageFault ? 48n : 40n));
    const flags = this.#rflags();
    const enter = this.#enter(this.constBit(0), flags);
    this.goTo(this.or(64, this.or(64, this.and(64, gate, this.const(64, 0xffffn)), this.shl(64, this.shrU(64, gate, this.const(64, 48n)), this.const(64, 16n))), this.shl(64, upper, this.const(64, 32n))));
    const selector = (segment: number): Node => this.zext(32, 64, this.#word(OFFSET.selector + 4 * segment));
    const outer = [selector(SEGMENT.CS), this.zext(32, 64, this.#pageFault ? this.or(32, flags, this.#c(RFLAGS.RF)) : flags), old, selector(SEGMENT.SS)];
    if (this.#pageFault) this.storeAs(384, STORE[64], SEGMENT.DS, frame, [this.zext(32, 64, this.#word(ENGINE.faultCode)), this.#quad(OFFSET.rip), ...outer]);
    else this.storeAs(320, STORE[64], SEGMENT.DS, frame, [this.nextIp(), ...outer]);

    this.#setSegment(SEGMENT.CS, this.and(32, target.selector, this.#c(0xfffc)), target);
    if (this.#fromUser) this.#setNull(SEGMENT.SS);
    this.storeState(STORE[64], OFFSET.gpr + 8 * RSP, frame);
    const cleared = RFLAGS.TF | RFLAGS.NT | RFLAGS.RF | RFLAGS.VM;
    const kept = this.select(32, this.bit(32, type, 0), this.#c(~cleared), this.#c(~(cleared | RFLAGS.IF)));
    this.#setWord(OFFSET.systemFlags, this.and(32, this.#word(OFFSET.systemFlags), kept));
    enter();
    this.#count(ENGINE.deliveries);
    if (!this.#pageFault) {
      this.#count(INTERRUPTS_BASE, this.shl(32, vector, this.#c(2)));
      return;
    }
    this.storeState(STORE[64], OFFSET.cr2, this.#quad(ENGINE.missAddress));
    this.#count(PAGE_FAULTS_BASE, this.shl(32, this.#word(ENGINE.faultCode), this.#c(2)));
    for (const at of [TLB_LAYOUT.count.accesses, TLB_LAYOUT.count.walks]) this.storeState(STORE[64], at, this.add(64, this.#quad(at), this.const(64, 1n)));
  }

  private interruptReturn(): void {
    this.#require(
      this.eq(32, this.#word(ENGINE.dataColumn), this.#word(ENGINE.implicitColumn)), this.#is(OFFSET.nmiBlocked, 0),
      this.isZero(32, this.and(32, this.#word(OFFSET.systemFlags), this.#c(RFLAGS.NT))),
    );
    const [ip, cs, popped, pointer, ss] = this.loadFrame(this.#quad(OFFSET.gpr + 8 * RSP)) as [Node, Node, Node, Node, Node];
    const flags = this.trunc(64, 32, popped);
    const low16 = (x: Node): Node => this.and(32, this.trunc(64, 32, x), this.#c(0xffff));
    const code = this.#descriptor(low16(cs)), stack = this.#descriptor(low16(ss));
    const cpl = this.and(32, code.selector, this.#c(3)), dpl = this.shl(32, cpl, this.#c(5));
    const outer = this.eq(32, cpl, this.#c(3));
    this.#require(
      this.orB(outer, this.isZero(32, cpl)), this.eq(32, cpl, this.and(32, stack.selector, this.#c(3))),
      this.eq(32, this.and(32, code.attributes, this.#c(CODE.mask)), this.or(32, dpl, this.#c(CODE.value))),
      this.eq(32, this.and(32, stack.attributes, this.#c(DATA.mask)), this.or(32, dpl, this.#c(DATA.value))),
    );
    this.#requireNothingPending(flags);
    // That instruction must come in this stay, and no breakpoint be there that it would not see.
    const follows = this.andB(this.ltS(32, this.#c(0), this.inLocal(I32, BUDGET)), this.isZero(32, this.and(32, this.#word(OFFSET.dr7), this.#c(0xff))));
    this.#require(this.orB(this.isZero(32, this.and(32, flags, this.#c(RFLAGS.RF))), follows));
    // Data segments that stay as they are.
    for (const segment of DATA_SEGMENTS) {
      const attributes = this.#word(OFFSET.attributes + 4 * segment);
      this.#require(this.orB(this.not(outer), this.orB(this.bit(32, attributes, 16), this.eq(32, this.#dpl(attributes), this.#c(3)))));
    }
    const enter = this.#enter(outer, flags);
    this.goTo(ip);

    this.#setSegment(SEGMENT.SS, stack.selector, stack);
    this.storeState(STORE[64], OFFSET.gpr + 8 * RSP, pointer);
    this.#setSegment(SEGMENT.CS, code.selector, code);
    for (const segment of DATA_SEGMENTS) {
      const at = OFFSET.selector + 4 * segment, selector = this.#word(at);
      this.#setWord(at, this.select(32, this.andB(outer, this.isZero(32, this.and(32, selector, this.#c(0xfffc)))), this.#c(0), selector));
    }
    // RF holds for one instruction, which clears it as it starts.
    this.#setRflags(this.and(32, flags, this.#c(~RFLAGS.RF)));
    enter();
  }

  private systemCall(): void {
    this.#require(this.#has(OFFSET.efer, EFER.SCE));
    const flags = this.#rflags();
    const after = this.and(32, flags, this.and(32, this.inv(32, this.trunc(64, 32, this.#quad(OFFSET.sfmask))), this.#c(~RFLAGS.RF)));
    const enter = this.#enter(this.constBit(0), after);
    this.goTo(this.#quad(OFFSET.lstar));

    this.storeState(STORE[64], OFFSET.gpr + 8 * RCX, this.nextIp());
    this.storeState(STORE[64], OFFSET.gpr + 8 * R11, this.zext(32, 64, flags));
    const selector = this.and(32, this.#from(this.#quad(OFFSET.star), 32), this.#c(0xffff));
    this.#setFlat(SEGMENT.CS, this.and(32, selector, this.#c(0xfffc)), FLAT_CODE_64);
    this.#setFlat(SEGMENT.SS, this.and(32, this.add(32, selector, this.#c(8)), this.#c(0xfffc)), FLAT_STACK);
    this.#setRflags(after);
    enter();
  }

  private systemReturn(): void {
    this.#require(this.#has(OFFSET.efer, EFER.SCE));
    const flags = this.and(32, this.trunc(64, 32, this.#quad(OFFSET.gpr + 8 * R11)), this.#c(SYSRET_FLAGS));
    this.#requireNothingPending(flags);
    const enter = this.#enter(this.constBit(1), flags);
    this.goTo(this.#quad(OFFSET.gpr + 8 * RCX));

    const selector = this.#from(this.#quad(OFFSET.star), 48);
    const user = (offset: number): Node => this.or(32, this.and(32, this.add(32, selector, this.#c(offset)), this.#c(0xfffc)), this.#c(3));
    this.#setFlat(SEGMENT.CS, user(16), FLAT_CODE_64 | ATTRIBUTE.DPL);
    this.#setFlat(SEGMENT.SS, user(8), FLAT_STACK | ATTRIBUTE.DPL);
    this.#setRflags(flags);
    enter();
  }

  private invalidatePage(): void {
    const address = this.effectiveAddress(this.#instruction.operands[0] as MemoryOperand);
    this.requireCanonical(address);
    this.leaveUnless(this.value(I32, [address], () => {
      this.emit(address);
      this.code.call(ENGINE_FUNCTION.invalidatePage);
    }));
  }

  private readControlRegister(): void {
    const [to, from] = this.#instruction.operands as readonly [RegisterOperand, SpecialRegisterOperand];
    this.setReg(to, this.#quad(from.number === 2 ? OFFSET.cr2 : OFFSET.cr3));
  }

  /** Without PCIDs, and where paging has no PDPTE registers: not in 64-bit mode. */
  private writeCr3(): void {
    const value = this.getReg(this.#instruction.operands[1] as RegisterOperand);
    this.#require(this.not(this.#has(OFFSET.cr4, CR4.PCIDE)), this.isZero(64, this.shrU(64, value, this.const(64, BigInt(MAXPHYADDR)))));
    this.storeState(STORE[64], OFFSET.cr3, value);
    this.effect([], () => { this.code.call(ENGINE_FUNCTION.flush); });
  }

  // --------------------------------------------------------------------------------------------------------- state
  #c(n: number): Node { return this.const(32, BigInt(n)); }
  #word(at: number): Node { return this.loadState(I32, LOAD[32], at); }
  #quad(at: number): Node { return this.loadState(I64, LOAD[64], at); }
  #setWord(at: number, v: Node): void { this.storeState(STORE[32], at, v); }
  #is(at: number, n: number): Node { return this.eq(32, this.#word(at), this.#c(n)); }
  #isSet(at: number): Node { return this.not(this.#is(at, 0)); }
  #has(at: number, bits: number): Node { return this.not(this.isZero(32, this.and(32, this.#word(at), this.#c(bits)))); }
  #count(at: number, index?: Node): void {
    const before = this.loadState(I32, LOAD[32], at, index);
    this.storeState(STORE[32], at, this.add(32, before, this.#c(1)), index);
  }
  #require(...all: readonly Node[]): void { this.leaveUnless(all.reduce((a, b) => this.andB(a, b))); }
  /** The 32 bits of a quadword from a bit on. */
  #from(x: Node, bit: number): Node { return this.trunc(64, 32, this.shrU(64, x, this.const(64, BigInt(bit)))); }
  #matches(x: Node, { mask, value }: { readonly mask: number; readonly value: number }): Node { return this.eq(32, this.and(32, x, this.#c(mask)), this.#c(value)); }
  #dpl(attributes: Node): Node { return this.and(32, this.shrU(32, attributes, this.#c(5)), this.#c(3)); }
  #load(address: Node): Node { return this.loadAs(64, I64, LOAD[64], SEGMENT.DS, address); }

  /** RSP0 of the TSS. */
  #innerStack(): Node {
    this.#require(this.not(this.ltU(32, this.#word(OFFSET.limit + 4 * SEGMENT.TR), this.#c(11))));
    const pointer = this.#load(this.add(64, this.#quad(OFFSET.base + 8 * SEGMENT.TR), this.const(64, 4n)));
    this.requireCanonical(pointer);
    return pointer;
  }

  /** What a selector names in the GDT. */
  #descriptor(selector: Node): Descriptor {
    const offset = this.and(32, selector, this.#c(0xfff8));
    this.#require(
      this.isZero(32, this.and(32, selector, this.#c(4))), this.not(this.isZero(32, offset)),
      this.not(this.ltU(32, this.#word(OFFSET.gdtrLimit), this.add(32, offset, this.#c(7)))),
    );
    const value = this.#load(this.add(64, this.#quad(OFFSET.gdtrBase), this.zext(32, 64, offset)));
    return { selector, value, attributes: this.#from(value, 40) };
  }

  #setSegment(segment: number, selector: Node, { value, attributes }: Descriptor): void {
    const low = this.trunc(64, 32, value), high = this.#from(value, 32);
    const limit = this.or(32, this.and(32, low, this.#c(0xffff)), this.and(32, high, this.#c(0xf_0000)));
    const scaled = this.select(32, this.bit(64, value, 55), this.or(32, this.shl(32, limit, this.#c(12)), this.#c(0xfff)), limit);
    const base = this.or(32, this.and(32, this.#from(value, 16), this.#c(0xff_ffff)), this.and(32, high, this.#c(0xff00_0000)));
    this.#set(segment, selector, this.and(32, attributes, this.#c(0xf0ff)), scaled, base);
  }
  #setFlat(segment: number, selector: Node, attributes: number): void { this.#set(segment, selector, this.#c(attributes), this.#c(0xffff_ffff), this.#c(0)); }
  #setNull(segment: number): void { this.#set(segment, this.#c(0), this.#c(ATTRIBUTE.UNUSABLE), this.#c(0), this.#c(0)); }
  #set(segment: number, selector: Node, attributes: Node, limit: Node, base: Node): void {
    this.#setWord(OFFSET.selector + 4 * segment, selector);
    this.#setWord(OFFSET.attributes + 4 * segment, attributes);
    this.#setWord(OFFSET.limit + 4 * segment, limit);
    this.storeState(STORE[64], OFFSET.base + 8 * segment, this.zext(32, 64, base));
  }

  // --------------------------------------------------------------------------------------------------------- flags
  /** Bits 31:0 of RFLAGS. */
  #rflags(): Node {
    const flag = (f: 'CF' | 'PF' | 'AF' | 'ZF' | 'SF' | 'OF'): Node => this.shl(32, this.fromBit(32, this.getFlag(f)), this.#c(31 - Math.clz32(RFLAGS[f])));
    return FLAG_NAMES.map(flag).reduce((a, b) => this.or(32, a, b), this.or(32, this.#word(OFFSET.systemFlags), this.#c(2)));
  }
  #setRflags(v: Node): void {
    const bit = (f: keyof typeof RFLAGS): Node => this.and(32, this.shrU(32, v, this.#c(31 - Math.clz32(RFLAGS[f]))), this.#c(1));
    const wide = (x: Node, by: number): Node => this.shl(64, this.zext(32, 64, x), this.const(64, BigInt(by)));
    const clear = (f: keyof typeof RFLAGS): Node => this.zext(32, 64, this.xor(32, bit(f), this.#c(1)));
    const cf = bit('CF');
    this.flags = {
      kind: 'words',
      zero: clear('ZF'),
      signParity: this.or(64, wide(bit('SF'), 63), clear('PF')),
      carries: this.or(64, this.or(64, wide(cf, 63), wide(this.xor(32, cf, bit('OF')), 62)), wide(bit('AF'), 3)),
    };
    this.#setWord(OFFSET.systemFlags, this.and(32, v, this.#c(SYSTEM_MASK)));
  }

  /** With these flags the next instruction is simply executed; no alignment checks, no way around SMAP. */
  #requireNothingPending(flags: Node): void {
    const none = (bits: number): Node => this.isZero(32, this.and(32, flags, this.#c(bits)));
    this.#require(
      none(ATTENTION), this.orB(none(RFLAGS.IF), this.#is(ENGINE.interruptWaits, 0)),
      this.orB(none(RFLAGS.AC), this.not(this.orB(this.#has(OFFSET.cr0, CR0.AM), this.#has(OFFSET.cr4, CR4.SMAP)))),
    );
  }

  /** CPL 3 where `user` is 1, otherwise CPL 0, with AC as in `flags`: asks whether code may go on there, and returns what enters it. */
  #enter(user: Node, flags: Node): () => void {
    const smap = this.#has(OFFSET.cr4, CR4.SMAP), ac = this.not(this.isZero(32, this.and(32, flags, this.#c(RFLAGS.AC))));
    const column = this.select(32, user, this.#c(COLUMN.user), this.fromBit(32, this.andB(smap, this.not(ac))));
    this.#require(this.isZero(32, this.and(32, this.shrU(32, this.#word(ENGINE.stalePages), column), this.#c(1))));
    return () => {
      const key = ENGINE.contextKey + 4;
      this.#setWord(OFFSET.cpl, this.select(32, user, this.#c(3), this.#c(0)));
      this.#setWord(ENGINE.dataColumn, this.add(32, this.#c(columnBase(0)), this.mul(32, column, this.#c(columnBase(1) - columnBase(0)))));
      this.#setWord(ENGINE.fetchColumn, this.select(32, user, this.#c(fetchColumnBase(FETCH_COLUMN.user)), this.#c(fetchColumnBase(FETCH_COLUMN.supervisor))));
      this.#setWord(key, this.or(32, this.and(32, this.#word(key), this.#c(~(3 << CONTEXT_KEY_HIGH_SHIFT))), this.shl(32, column, this.#c(CONTEXT_KEY_HIGH_SHIFT))));
    };
  }
}
/** The local that holds it. */
const BUDGET = 1;
const DATA_SEGMENTS = [SEGMENT.ES, SEGMENT.DS, SEGMENT.FS, SEGMENT.GS] as const;
const FLAG_NAMES = ['CF', 'PF', 'AF', 'ZF', 'SF', 'OF'] as const;
