/**
 * Short ways of system instructions in 64-bit mode, where they do what kernels have them do all day. INT n, IRETQ, SYSCALL and SYSRETQ: flat
 * 64-bit code at CPL 0 and 3, descriptors of the GDT that have their accessed bits. PUSHFQ, POPFQ, CLI and STI, SWAPGS, MOV from a segment register, INVLPG, MOV from and to
 * CR2 and CR3. Nobody looks on, nothing is pending afterwards. All that is asked
 * comes before anything changes; where an answer is no, or the TLB's columns do not have a page, the next record has the reference engine do the
 * whole instruction. Its meaning is that of isa/system/: test/engines/short-ways.test.ts, and paging-code.test.ts, hold these ways to it.
 */
import { OFFSET, SEGMENT } from '../../../state/layout.ts';
import { CR4, EFER } from '../../../mmu/control-bits.ts';
import { MAXPHYADDR } from '../../../mmu/paging-entries.ts';
import { TLB_LAYOUT, COLUMN } from '../../../mmu/tlb.ts';
import { ATTRIBUTE } from '../../descriptors.ts';
import { VECTOR } from '../../exceptions.ts';
import { RFLAGS } from '../../flags.ts';
import type { Instruction } from '../../isa/instruction.ts';
import { RCX, RSP, type MemoryOperand, type RegisterOperand, type SpecialRegisterOperand } from '../../isa/operand.ts';
import { FLAT_CODE_64, FLAT_STACK, SYSRET_FLAGS } from '../../isa/system/system-calls.ts';
import type { Leave } from '../emit/memory-ops.ts';
import type { Node } from '../emit/node.ts';
import { ENGINE_FUNCTION } from '../engine-functions.ts';
import { ENGINE, INTERRUPTS_BASE, PAGE_FAULTS_BASE, STATUS } from '../engine-memory.ts';
import type { Context } from '../fast/context.ts';
import type { Code } from '../wasm/code.ts';
import { I32, LOAD, NUMERIC as N, OP, STORE } from '../wasm/opcodes.ts';
import { formOf } from './form.ts';
import { emitNextRecord } from './handler-ops.ts';
import { ShortWayOps } from './short-way-ops.ts';

const R11 = 11;
/** Ways that lead elsewhere, by the mnemonic; the first two begin at CPL 3, too. */
const TRANSFERS = { INT: 'interrupt', SYSCALL: 'systemCall', IRETQ: 'interruptReturn', SYSRETQ: 'systemReturn' } as const;
type Transfer = (typeof TRANSFERS)[keyof typeof TRANSFERS];
/** Ways that go on behind the instruction; the first two at any CPL. */
const PLAIN = { PUSHFQ: 'pushFlags', POPFQ: 'popFlags', CLI: 'clearInterruptFlag', STI: 'setInterruptFlag', SWAPGS: 'swapGs', INVLPG: 'invalidatePage' } as const;
type Plain = (typeof PLAIN)[keyof typeof PLAIN] | 'readSegment' | 'readControlRegister' | 'writeCr3';
const AT_ANY_CPL: ReadonlySet<Plain | Transfer> = new Set(['interrupt', 'systemCall', 'pushFlags', 'readSegment']);
/** Bits 47:40 of a descriptor, or 55:40 with L and D: accessed code of the DPL in bits 46:45, not conforming; accessed data that may be written. */
const CODE = { mask: ATTRIBUTE.L | ATTRIBUTE.DB | 0xfd, value: ATTRIBUTE.L | 0x99 } as const;
const DATA = { mask: 0xfb, value: 0x93 } as const;
/** The same of an interrupt or trap gate, whatever its DPL. */
const GATE = { mask: 0x9e, value: 0x8e } as const;

/** Of MOV from and to a control register, by the register: CR0, CR4 and CR8 have more consequences. */
const FROM_CR = 'MOV r64, CRn', TO_CR = 'MOV CRn, r64';

/** Which way an instruction has in a context, as part of a handler's key; undefined: none. */
export function shortWayOf(i: Instruction, { mode, column }: Context): string | undefined {
  const way = mode.codeSize === 64 ? wayOf(i) : undefined, user = column === COLUMN.user;
  if (way === undefined || (user && !AT_ANY_CPL.has(way))) return undefined;
  const special = i.operands.map((x) => (x.kind === 'control' || x.kind === 'segment' ? x.number : '')).join('');
  return isTransfer(way) ? `${i.mnemonic} ${user ? 3 : 0}` : `${formOf(i)} ${way} ${special} ${user ? 3 : 0}`;
}

const isTransfer = (way: Plain | Transfer): way is Transfer => Object.values<string>(TRANSFERS).includes(way);

function wayOf(i: Instruction): Plain | Transfer | undefined {
  const [x, y] = i.operands;
  if (i.mnemonic in TRANSFERS) return i.mnemonic === 'INT' && x?.kind !== 'immediate' ? undefined : TRANSFERS[i.mnemonic as keyof typeof TRANSFERS];
  if (i.mnemonic === 'INVLPG' && (x?.kind !== 'memory' || x.segment >= SEGMENT.FS)) return undefined;
  if (i.mnemonic in PLAIN) return PLAIN[i.mnemonic as keyof typeof PLAIN];
  if (i.mnemonic === 'MOV' && x?.kind === 'register' && y?.kind === 'segment') return 'readSegment';
  if (i.row.text === FROM_CR) return y?.kind === 'control' && (y.number === 2 || y.number === 3) ? 'readControlRegister' : undefined;
  return i.row.text === TO_CR && x?.kind === 'control' && x.number === 3 ? 'writeCr3' : undefined;
}

export class ShortWay extends ShortWayOps {
  readonly #instruction: Instruction;
  readonly #fromUser: boolean;
  readonly #way: Plain | Transfer;
  readonly #pageFault: boolean;
  readonly #handlerSignature: number;

  /** `pageFault`: the way is not that of an instruction, but of the page fault at RIP, whose address and error code ENGINE says; `i` is any. */
  constructor(code: Code, i: Instruction, signature: number, { column }: Context, pageFault = false) {
    super(code, i, signature);
    this.#pageFault = pageFault;
    this.#instruction = i;
    this.#way = pageFault ? 'interrupt' : wayOf(i)!;
    this.#handlerSignature = signature;
    this.#fromUser = column === COLUMN.user;
  }

  override write(): void {
    this.written(() => {
      this.require(this.isSet(ENGINE.unwatched), this.is(OFFSET.cpl, this.#fromUser ? 3 : 0));
      const way = this.#way;
      if (!isTransfer(way)) {
        this[way]();
        this.goTo(this.nextIp());
        return;
      }
      // A delivery is one of the budget, but retires nothing.
      if (this.#pageFault) {
        this.require(this.ltS(32, this.c(0), this.inLocal(I32, BUDGET)));
        this.interrupt();
        this.count(ENGINE.faults);
        this.effect([], () => {
          this.code.get(BUDGET);
          this.code.i32(1);
          this.code.byte(N.i32_sub);
          this.code.set(BUDGET);
        });
      } else this[way]();
      this.count(ENGINE.changes);
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
  /** The accesses of transfers are implicit ones of the supervisor, or explicit ones that are judged alike. */
  protected override addColumn(): void {
    if (!isTransfer(this.#way)) {
      super.addColumn();
      return;
    }
    this.code.i32(0);
    this.code.memory(LOAD[32], ENGINE.implicitColumn);
    this.code.byte(N.i32_add);
  }

  // ---------------------------------------------------------------------------------------------------------- ways
  private interrupt(): void {
    const vector = this.#pageFault ? this.c(VECTOR.PF) : this.zext(8, 32, this.imm(8, this.#instruction.operands[0] as never));
    const at = this.shl(32, vector, this.c(4));
    this.require(this.isZero(64, this.quad(OFFSET.monitoredLine)), this.not(this.ltU(32, this.word(OFFSET.idtrLimit), this.add(32, at, this.c(15)))));
    if (!this.#fromUser) this.require(this.eq(32, this.word(ENGINE.dataColumn), this.word(ENGINE.implicitColumn)));
    const address = this.add(64, this.quad(OFFSET.idtrBase), this.zext(32, 64, at));
    const gate = this.loadQuad(address), upper = this.loadQuad(this.add(64, address, this.const(64, 8n)));
    const type = this.bitsFrom(gate, 40);
    const target = this.descriptor(this.and(32, this.bitsFrom(gate, 16), this.c(0xffff)));
    this.require(
      this.matches(type, GATE), this.isZero(32, this.and(32, this.bitsFrom(gate, 32), this.c(7))),
      this.not(this.ltU(32, this.dpl(type), this.c(this.#fromUser && !this.#pageFault ? 3 : 0))), this.matches(target.attributes, CODE),
    );
    const old = this.quad(OFFSET.gpr + 8 * RSP);
    const frame = this.sub(64, this.and(64, this.#fromUser ? this.innerStack() : old, this.const(64, ~15n)), this.const(64, this.#pageFault ? 48n : 40n));
    const flags = this.rflags();
    const enter = this.enter(this.constBit(0), flags);
    this.goTo(this.or(64, this.or(64, this.and(64, gate, this.const(64, 0xffffn)), this.shl(64, this.shrU(64, gate, this.const(64, 48n)), this.const(64, 16n))), this.shl(64, upper, this.const(64, 32n))));
    const selector = (segment: number): Node => this.zext(32, 64, this.word(OFFSET.selector + 4 * segment));
    const outer = [selector(SEGMENT.CS), this.zext(32, 64, this.#pageFault ? this.or(32, flags, this.c(RFLAGS.RF)) : flags), old, selector(SEGMENT.SS)];
    if (this.#pageFault) this.storeAs(384, STORE[64], SEGMENT.DS, frame, [this.zext(32, 64, this.word(ENGINE.faultCode)), this.quad(OFFSET.rip), ...outer]);
    else this.storeAs(320, STORE[64], SEGMENT.DS, frame, [this.nextIp(), ...outer]);

    this.setSegment(SEGMENT.CS, this.and(32, target.selector, this.c(0xfffc)), target);
    if (this.#fromUser) this.setNull(SEGMENT.SS);
    this.storeState(STORE[64], OFFSET.gpr + 8 * RSP, frame);
    const cleared = RFLAGS.TF | RFLAGS.NT | RFLAGS.RF | RFLAGS.VM;
    const kept = this.select(32, this.bit(32, type, 0), this.c(~cleared), this.c(~(cleared | RFLAGS.IF)));
    this.setWord(OFFSET.systemFlags, this.and(32, this.word(OFFSET.systemFlags), kept));
    enter();
    this.count(ENGINE.deliveries);
    if (!this.#pageFault) {
      this.count(INTERRUPTS_BASE, this.shl(32, vector, this.c(2)));
      return;
    }
    this.storeState(STORE[64], OFFSET.cr2, this.quad(ENGINE.missAddress));
    this.count(PAGE_FAULTS_BASE, this.shl(32, this.word(ENGINE.faultCode), this.c(2)));
    for (const at of [TLB_LAYOUT.count.accesses, TLB_LAYOUT.count.walks]) this.storeState(STORE[64], at, this.add(64, this.quad(at), this.const(64, 1n)));
  }

  private interruptReturn(): void {
    this.require(
      this.eq(32, this.word(ENGINE.dataColumn), this.word(ENGINE.implicitColumn)), this.is(OFFSET.nmiBlocked, 0),
      this.isZero(32, this.and(32, this.word(OFFSET.systemFlags), this.c(RFLAGS.NT))),
    );
    const [ip, cs, popped, pointer, ss] = this.loadFrame(this.quad(OFFSET.gpr + 8 * RSP)) as [Node, Node, Node, Node, Node];
    const flags = this.trunc(64, 32, popped);
    const low16 = (x: Node): Node => this.and(32, this.trunc(64, 32, x), this.c(0xffff));
    const code = this.descriptor(low16(cs)), nullStack = this.isZero(32, low16(ss));
    // A null selector names nothing in the table: the code segment stands for what is not looked at.
    const stack = this.descriptor(this.select(32, nullStack, low16(cs), low16(ss)));
    const cpl = this.and(32, code.selector, this.c(3)), dpl = this.shl(32, cpl, this.c(5));
    const outer = this.eq(32, cpl, this.c(3));
    this.require(
      this.orB(outer, this.isZero(32, cpl)), this.eq(32, cpl, this.and(32, stack.selector, this.c(3))), this.not(this.andB(outer, nullStack)),
      this.eq(32, this.and(32, code.attributes, this.c(CODE.mask)), this.or(32, dpl, this.c(CODE.value))),
      this.orB(nullStack, this.eq(32, this.and(32, stack.attributes, this.c(DATA.mask)), this.or(32, dpl, this.c(DATA.value)))),
    );
    this.requireNothingPending(flags);
    // That instruction must come in this stay, and no breakpoint be there that it would not see.
    const follows = this.andB(this.ltS(32, this.c(0), this.inLocal(I32, BUDGET)), this.isZero(32, this.and(32, this.word(OFFSET.dr7), this.c(0xff))));
    this.require(this.orB(this.isZero(32, this.and(32, flags, this.c(RFLAGS.RF))), follows));
    // Data segments that stay as they are.
    for (const segment of DATA_SEGMENTS) {
      const attributes = this.word(OFFSET.attributes + 4 * segment);
      this.require(this.orB(this.not(outer), this.orB(this.bit(32, attributes, 16), this.eq(32, this.dpl(attributes), this.c(3)))));
    }
    const enter = this.enter(outer, flags);
    this.goTo(ip);

    this.setSegment(SEGMENT.SS, stack.selector, stack, nullStack);
    this.storeState(STORE[64], OFFSET.gpr + 8 * RSP, pointer);
    this.setSegment(SEGMENT.CS, code.selector, code);
    for (const segment of DATA_SEGMENTS) {
      const at = OFFSET.selector + 4 * segment, selector = this.word(at);
      this.setWord(at, this.select(32, this.andB(outer, this.isZero(32, this.and(32, selector, this.c(0xfffc)))), this.c(0), selector));
    }
    // RF holds for one instruction, which clears it as it starts.
    this.setRflags(this.and(32, flags, this.c(~RFLAGS.RF)));
    enter();
  }

  private systemCall(): void {
    this.require(this.has(OFFSET.efer, EFER.SCE));
    const flags = this.rflags();
    const after = this.and(32, flags, this.and(32, this.inv(32, this.trunc(64, 32, this.quad(OFFSET.sfmask))), this.c(~RFLAGS.RF)));
    const enter = this.enter(this.constBit(0), after);
    this.goTo(this.quad(OFFSET.lstar));

    this.storeState(STORE[64], OFFSET.gpr + 8 * RCX, this.nextIp());
    this.storeState(STORE[64], OFFSET.gpr + 8 * R11, this.zext(32, 64, flags));
    const selector = this.and(32, this.bitsFrom(this.quad(OFFSET.star), 32), this.c(0xffff));
    this.setFlat(SEGMENT.CS, this.and(32, selector, this.c(0xfffc)), FLAT_CODE_64);
    this.setFlat(SEGMENT.SS, this.and(32, this.add(32, selector, this.c(8)), this.c(0xfffc)), FLAT_STACK);
    this.setRflags(after);
    enter();
  }

  private systemReturn(): void {
    this.require(this.has(OFFSET.efer, EFER.SCE));
    const flags = this.and(32, this.trunc(64, 32, this.quad(OFFSET.gpr + 8 * R11)), this.c(SYSRET_FLAGS));
    this.requireNothingPending(flags);
    const enter = this.enter(this.constBit(1), flags);
    this.goTo(this.quad(OFFSET.gpr + 8 * RCX));

    const selector = this.bitsFrom(this.quad(OFFSET.star), 48);
    const user = (offset: number): Node => this.or(32, this.and(32, this.add(32, selector, this.c(offset)), this.c(0xfffc)), this.c(3));
    this.setFlat(SEGMENT.CS, user(16), FLAT_CODE_64 | ATTRIBUTE.DPL);
    this.setFlat(SEGMENT.SS, user(8), FLAT_STACK | ATTRIBUTE.DPL);
    this.setRflags(flags);
    enter();
  }

  private invalidatePage(): void {
    const address = this.effectiveAddress(this.#instruction.operands[0] as MemoryOperand);
    this.requireCanonical(address);
    this.leaveUnless(this.value(I32, [address], () => {
      this.emit(address);
      this.callsEngine = true;
      this.code.call(ENGINE_FUNCTION.invalidatePage);
    }));
  }

  private readControlRegister(): void {
    const [to, from] = this.#instruction.operands as readonly [RegisterOperand, SpecialRegisterOperand];
    this.setReg(to, this.quad(from.number === 2 ? OFFSET.cr2 : OFFSET.cr3));
  }

  /** Where paging has no PDPTE registers: not in 64-bit mode. Bit 63 keeps entries, with PCIDs. */
  private writeCr3(): void {
    const value = this.getReg(this.#instruction.operands[1] as RegisterOperand), beyond = this.shrU(64, value, this.const(64, BigInt(MAXPHYADDR)));
    const keeps = this.select(64, this.has(OFFSET.cr4, CR4.PCIDE), this.const(64, 1n << BigInt(63 - MAXPHYADDR)), this.const(64, 0n));
    this.require(this.isZero(64, this.and(64, beyond, this.inv(64, keeps))));
    this.effect([value], () => {
      this.emit(value);
      this.callsEngine = true;
      this.code.call(ENGINE_FUNCTION.writeCr3);
    });
    this.count(ENGINE.changes);
  }

  private pushFlags(): void {
    const pointer = this.sub(64, this.quad(OFFSET.gpr + 8 * RSP), this.const(64, 8n));
    this.store(64, SEGMENT.SS, pointer, this.zext(32, 64, this.and(32, this.rflags(), this.c(~(RFLAGS.VM | RFLAGS.RF)))));
    this.storeState(STORE[64], OFFSET.gpr + 8 * RSP, pointer);
  }

  /** At CPL 0, where RF, VIF and VIP are cleared. */
  private popFlags(): void {
    const pointer = this.quad(OFFSET.gpr + 8 * RSP);
    const flags = this.and(32, this.trunc(64, 32, this.load(64, SEGMENT.SS, pointer)), this.c(POPPED));
    this.requireNothingPending(flags);
    const enter = this.enter(this.constBit(0), flags);
    this.storeState(STORE[64], OFFSET.gpr + 8 * RSP, this.add(64, pointer, this.const(64, 8n)));
    this.setRflags(flags);
    enter();
    this.count(ENGINE.changes);
  }

  private clearInterruptFlag(): void {
    this.setWord(OFFSET.systemFlags, this.and(32, this.word(OFFSET.systemFlags), this.c(~RFLAGS.IF)));
  }
  /** Where nothing waits, what it holds back until the instruction behind it has run shows only if execution stops before that. */
  private setInterruptFlag(): void {
    const before = this.word(OFFSET.systemFlags);
    this.require(this.is(ENGINE.interruptWaits, 0));
    this.setWord(ENGINE.shadowAt, this.select(32, this.isZero(32, this.and(32, before, this.c(RFLAGS.IF))), this.inLocal(I32, BUDGET), this.word(ENGINE.shadowAt)));
    this.setWord(OFFSET.systemFlags, this.or(32, before, this.c(RFLAGS.IF)));
  }

  private swapGs(): void {
    const at = OFFSET.base + 8 * SEGMENT.GS, gs = this.quad(at), other = this.quad(OFFSET.kernelGsBase);
    this.storeState(STORE[64], at, other);
    this.storeState(STORE[64], OFFSET.kernelGsBase, gs);
  }

  private readSegment(): void {
    const [to, from] = this.#instruction.operands as readonly [RegisterOperand, SpecialRegisterOperand];
    const selector = this.word(OFFSET.selector + 4 * from.number);
    this.setReg(to, to.width === 64 ? this.zext(32, 64, selector) : to.width === 32 ? selector : this.trunc(32, 16, selector));
  }
}
/** The local that holds it. */
const BUDGET = 1;
/** What POPFQ may set at CPL 0. */
const POPPED = RFLAGS.CF | RFLAGS.PF | RFLAGS.AF | RFLAGS.ZF | RFLAGS.SF | RFLAGS.TF | RFLAGS.IF | RFLAGS.DF | RFLAGS.OF | RFLAGS.IOPL | RFLAGS.NT | RFLAGS.AC | RFLAGS.ID;
const DATA_SEGMENTS = [SEGMENT.ES, SEGMENT.DS, SEGMENT.FS, SEGMENT.GS] as const;
