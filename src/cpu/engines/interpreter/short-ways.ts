/**
 * Short ways of system instructions, where they do what kernels have them do all day. INT n, IRET, SYSCALL and SYSRETQ: flat
 * code at CPL 0 and 3, descriptors of the GDT that have their accessed bits (long-ways.ts: 64-bit mode; legacy-ways.ts: 32-bit code outside IA-32e mode).
 * PUSHF, POPF, CLI and STI, CLAC and STAC, SWAPGS, the bases of FS and GS, RDTSC and RDTSCP, MOV from a segment register, INVLPG, MOV from and to CR2 and CR3. Nobody looks on, nothing is pending afterwards. All that is asked
 * comes before anything changes; where an answer is no, or the TLB's columns do not have a page, the next record has the reference engine do the
 * whole instruction. Its meaning is that of isa/system/: test/engines/short-ways.test.ts, and paging-code.test.ts, hold these ways to it.
 */
import { OFFSET, SEGMENT } from '../../../state/layout.ts';
import { CR4 } from '../../../mmu/control-bits.ts';
import { MAXPHYADDR } from '../../../mmu/paging-entries.ts';
import { TLB_LAYOUT, COLUMN } from '../../../mmu/tlb.ts';
import { VECTOR } from '../../exceptions.ts';
import { RFLAGS } from '../../flags.ts';
import type { Instruction } from '../../isa/instruction.ts';
import { RAX, RCX, RDX, RSP, type MemoryOperand, type RegisterOperand, type SpecialRegisterOperand } from '../../isa/operand.ts';
import { LeftToReference } from '../emit/graph-ops.ts';
import type { Leave } from '../emit/memory-ops.ts';
import type { Node } from '../emit/node.ts';
import { ENGINE_FUNCTION } from '../engine-functions.ts';
import { ENGINE, INTERRUPTS_BASE, PAGE_FAULTS_BASE, STATUS } from '../engine-memory.ts';
import type { Context } from '../fast/context.ts';
import type { Code } from '../wasm/code.ts';
import { F64, I32, I64, LOAD, NUMERIC as N, OP, SATURATING, STORE } from '../wasm/opcodes.ts';
import { formOf } from './form.ts';
import { emitNextRecord } from './handler-ops.ts';
import { ShortWayOps, type Descriptor } from './short-way-ops.ts';

/** Ways that lead elsewhere, by the mnemonic; the first two begin at CPL 3, too. */
const LONG_TRANSFERS: ReadonlyMap<string, Transfer> = new Map([['INT', 'interrupt'], ['SYSCALL', 'systemCall'], ['IRETQ', 'interruptReturn'], ['SYSRETQ', 'systemReturn']]);
const LEGACY_TRANSFERS: ReadonlyMap<string, Transfer> = new Map([['INT', 'interrupt'], ['IRETD', 'interruptReturn']]);
type Transfer = 'interrupt' | 'systemCall' | 'interruptReturn' | 'systemReturn';
/** Ways that go on behind the instruction. */
const PLAIN: ReadonlyMap<string, Plain> = new Map([
  ['PUSHFQ', 'pushFlags'], ['PUSHFD', 'pushFlags'], ['POPFQ', 'popFlags'], ['POPFD', 'popFlags'], ['CLI', 'clearInterruptFlag'], ['STI', 'setInterruptFlag'], ['SWAPGS', 'swapGs'], ['INVLPG', 'invalidatePage'], ['RDTSC', 'readTimeStampCounter'], ['RDTSCP', 'readTimeStampCounter'],
  ['CLAC', 'setAccessControl'], ['STAC', 'setAccessControl'], ['RDFSBASE', 'readBase'], ['RDGSBASE', 'readBase'], ['WRFSBASE', 'writeBase'], ['WRGSBASE', 'writeBase'],
]);
type Plain = 'pushFlags' | 'popFlags' | 'clearInterruptFlag' | 'setInterruptFlag' | 'swapGs' | 'invalidatePage' | 'readTimeStampCounter' | 'setAccessControl' | 'readBase' | 'writeBase' | 'readSegment' | 'readControlRegister' | 'writeCr3';
const AT_ANY_CPL: ReadonlySet<Plain | Transfer> = new Set(['interrupt', 'systemCall', 'pushFlags', 'readSegment', 'readTimeStampCounter', 'readBase', 'writeBase']);
/** Bits 47:40 of an interrupt or trap gate of 32 or 64 bits, whatever its DPL. */
const GATE = { mask: 0x9e, value: 0x8e } as const;

/** Of MOV from and to a control register, by the register: CR0, CR4 and CR8 have more consequences. */
const FROM_CR: ReadonlySet<string> = new Set(['MOV r32, CRn', 'MOV r64, CRn']), TO_CR: ReadonlySet<string> = new Set(['MOV CRn, r32', 'MOV CRn, r64']);

/** Which way an instruction has in a context, as part of a handler's key; undefined: none. */
export function shortWayOf(i: Instruction, { mode, column }: Context): string | undefined {
  const way = wayOf(i), user = column === COLUMN.user;
  if (way === undefined || (user && !AT_ANY_CPL.has(way))) return undefined;
  const special = i.operands.map((x) => (x.kind === 'control' || x.kind === 'segment' ? x.number : '')).join('');
  const level = `${mode.codeSize} ${user ? 3 : 0}`;
  return isTransfer(way) ? `${i.mnemonic} ${level}` : `${formOf(i)} ${way} ${special} ${level}`;
}

const isTransfer = (way: Plain | Transfer): way is Transfer => way === 'interrupt' || way === 'systemCall' || way === 'interruptReturn' || way === 'systemReturn';

function wayOf(i: Instruction): Plain | Transfer | undefined {
  const [x, y] = i.operands;
  const transfer = (i.mode.codeSize === 64 ? LONG_TRANSFERS : LEGACY_TRANSFERS).get(i.mnemonic);
  if (transfer !== undefined) return i.mnemonic === 'INT' && x?.kind !== 'immediate' ? undefined : transfer;
  if (i.mnemonic === 'INVLPG' && (x?.kind !== 'memory' || x.segment >= SEGMENT.FS)) return undefined;
  if (i.mnemonic === 'MOV' && x?.kind === 'register' && y?.kind === 'segment') return 'readSegment';
  if (FROM_CR.has(i.row.text)) return y?.kind === 'control' && (y.number === 2 || y.number === 3) ? 'readControlRegister' : undefined;
  if (TO_CR.has(i.row.text)) return x?.kind === 'control' && x.number === 3 ? 'writeCr3' : undefined;
  return PLAIN.get(i.mnemonic);
}

export abstract class ShortWay extends ShortWayOps {
  readonly #instruction: Instruction;
  protected readonly fromUser: boolean;
  readonly #way: Plain | Transfer;
  protected readonly pageFault: boolean;
  readonly #handlerSignature: number;

  /** `pageFault`: the way is not that of an instruction, but of the page fault at RIP, whose address and error code ENGINE says; `i` is any. */
  constructor(code: Code, i: Instruction, signature: number, { column }: Context, pageFault = false) {
    super(code, i, signature);
    this.pageFault = pageFault;
    this.#instruction = i;
    this.#way = pageFault ? 'interrupt' : wayOf(i)!;
    this.#handlerSignature = signature;
    this.fromUser = column === COLUMN.user;
  }

  override write(): void {
    this.written(() => {
      this.require(this.isSet(ENGINE.unwatched), this.is(OFFSET.cpl, this.fromUser ? 3 : 0), this.inMode());
      const way = this.#way;
      if (!isTransfer(way)) {
        this[way]();
        this.goTo(this.nextIp());
        return;
      }
      // A delivery is one of the budget, but retires nothing.
      if (this.pageFault) {
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
    if (this.pageFault) {
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

  // ------------------------------------------------------------------------------------------------ transfers
  /** Whether nothing about the processor as a whole stands against the way. */
  protected abstract inMode(): Node;
  /** The gate of a vector: bits 47:40, the selector, and the handler's address. */
  protected abstract readGate(vector: Node): { readonly type: Node; readonly selector: Node; readonly ip: Node };
  /** Code of CPL 0 that the way may lead to. */
  protected abstract requireInnerCode(target: Descriptor): void;
  /** Finds the frame of a handler: what stores it, before anything else changes, and what then makes it the stack. */
  protected abstract prepareFrame(flags: Node): { readonly store: () => void; readonly enter: () => void };
  protected abstract interruptReturn(): void;
  protected systemCall(): void { throw new LeftToReference('SYSCALL outside 64-bit mode'); }
  protected systemReturn(): void { throw new LeftToReference('SYSRET outside 64-bit mode'); }

  protected interrupt(): void {
    const vector = this.pageFault ? this.c(VECTOR.PF) : this.zext(8, 32, this.imm(8, this.#instruction.operands[0] as never));
    this.require(this.isZero(64, this.quad(OFFSET.monitoredLine)));
    if (!this.fromUser) this.require(this.eq(32, this.word(ENGINE.dataColumn), this.word(ENGINE.implicitColumn)));
    const { type, selector, ip } = this.readGate(vector);
    const target = this.descriptor(selector);
    this.require(this.matches(type, GATE), this.not(this.ltU(32, this.dpl(type), this.c(this.fromUser && !this.pageFault ? 3 : 0))));
    this.requireInnerCode(target);
    const flags = this.rflags();
    const frame = this.prepareFrame(flags);
    const enter = this.enter(this.constBit(0), flags);
    this.goTo(ip);
    frame.store();

    this.setSegment(SEGMENT.CS, this.and(32, selector, this.c(0xfffc)), target);
    frame.enter();
    const cleared = RFLAGS.TF | RFLAGS.NT | RFLAGS.RF | RFLAGS.VM;
    const kept = this.select(32, this.bit(32, type, 0), this.c(~cleared), this.c(~(cleared | RFLAGS.IF)));
    this.setWord(OFFSET.systemFlags, this.and(32, this.word(OFFSET.systemFlags), kept));
    enter();
    this.count(ENGINE.deliveries);
    if (!this.pageFault) {
      this.count(INTERRUPTS_BASE, this.shl(32, vector, this.c(2)));
      return;
    }
    this.storeState(STORE[64], OFFSET.cr2, this.quad(ENGINE.missAddress));
    this.count(PAGE_FAULTS_BASE, this.shl(32, this.word(ENGINE.faultCode), this.c(2)));
    for (const at of [TLB_LAYOUT.count.accesses, TLB_LAYOUT.count.walks]) this.storeState(STORE[64], at, this.add(64, this.quad(at), this.const(64, 1n)));
  }

  /** Where a return to `outer` (CPL 3), or to CPL 0, has flags that may be popped, and data segments that stay as they are. `kept`: those of them that the return must not find unusable. */
  protected requireReturnable(outer: Node, flags: Node, kept: readonly number[] = []): void {
    this.requireNothingPending(flags);
    // With RF, that instruction must come in this stay, and no breakpoint be there that it would not see.
    const follows = this.andB(this.ltS(32, this.c(0), this.inLocal(I32, BUDGET)), this.isZero(32, this.and(32, this.word(OFFSET.dr7), this.c(0xff))));
    this.require(this.orB(this.isZero(32, this.and(32, flags, this.c(RFLAGS.RF))), follows));
    for (const segment of DATA_SEGMENTS) {
      const attributes = this.word(OFFSET.attributes + 4 * segment), stays = this.eq(32, this.dpl(attributes), this.c(3));
      this.require(this.orB(this.not(outer), kept.includes(segment) ? stays : this.orB(this.bit(32, attributes, 16), stays)));
    }
  }
  /** The end of such a return, behind its segments and stack. RF holds for one instruction, which clears it as it starts. */
  protected finishReturn(outer: Node, flags: Node): void {
    for (const segment of DATA_SEGMENTS) {
      const at = OFFSET.selector + 4 * segment, selector = this.word(at);
      this.setWord(at, this.select(32, this.andB(outer, this.isZero(32, this.and(32, selector, this.c(0xfffc)))), this.c(0), selector));
    }
    this.setRflags(this.and(32, flags, this.c(~RFLAGS.RF)));
  }
  protected requireReturnAllowed(): void {
    this.require(
      this.eq(32, this.word(ENGINE.dataColumn), this.word(ENGINE.implicitColumn)), this.is(OFFSET.nmiBlocked, 0),
      this.isZero(32, this.and(32, this.word(OFFSET.systemFlags), this.c(RFLAGS.NT))),
    );
  }

  // ------------------------------------------------------------------------------------------------ plain ways
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
    const value = this.quad(from.number === 2 ? OFFSET.cr2 : OFFSET.cr3);
    this.setReg(to, to.width === 64 ? value : this.trunc(64, 32, value));
  }

  /** Where paging has no PDPTE registers. Bit 63 keeps entries, with PCIDs. */
  private writeCr3(): void {
    if (!this.longMode) this.require(this.isSet(ENGINE.walkable));
    const from = this.#instruction.operands[1] as RegisterOperand, whole = this.getReg(from);
    const value = from.width === 64 ? whole : this.zext(32, 64, whole), beyond = this.shrU(64, value, this.const(64, BigInt(MAXPHYADDR)));
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
    const pointer = this.sub(64, this.quad(OFFSET.gpr + 8 * RSP), this.const(64, BigInt(this.stackWidth / 8)));
    const flags = this.and(32, this.rflags(), this.c(~(RFLAGS.VM | RFLAGS.RF)));
    this.store(this.stackWidth, SEGMENT.SS, this.inStack(pointer), this.stackWidth === 64 ? this.zext(32, 64, flags) : flags);
    this.setPointer(pointer);
  }

  /** At CPL 0, where RF, VIF and VIP are cleared. */
  private popFlags(): void {
    const pointer = this.quad(OFFSET.gpr + 8 * RSP);
    const popped = this.load(this.stackWidth, SEGMENT.SS, this.inStack(pointer));
    const flags = this.and(32, this.stackWidth === 64 ? this.trunc(64, 32, popped) : popped, this.c(POPPED));
    this.requireNothingPending(flags);
    const enter = this.enter(this.constBit(0), flags);
    this.setPointer(this.add(64, pointer, this.const(64, BigInt(this.stackWidth / 8))));
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

  /** `readTsc`: of virtual time, which is that of the instructions retired before this one. */
  private readTimeStampCounter(): void {
    if (this.fromUser) this.require(this.not(this.has(OFFSET.cr4, CR4.TSD)));
    const before = this.sub(32, this.sub(32, this.word(ENGINE.slice), this.add(32, this.inLocal(I32, BUDGET), this.c(1))), this.word(ENGINE.faults));
    const double = (at: number): Node => this.node(F64, N.f64_reinterpret_i64, this.quad(at));
    const now = this.node(F64, N.f64_add, this.node(F64, N.f64_add, double(OFFSET.retired), double(OFFSET.idleTime)), this.node(F64, N.f64_convert_i32_s, before));
    const counter = this.add(64, this.node(I64, SATURATING.i64_trunc_sat_f64_s, now), this.quad(OFFSET.tscOffset));
    this.storeState(STORE[64], OFFSET.gpr + 8 * RAX, this.and(64, counter, this.const(64, 0xffff_ffffn)));
    this.storeState(STORE[64], OFFSET.gpr + 8 * RDX, this.shrU(64, counter, this.const(64, 32n)));
    if (this.#instruction.mnemonic === 'RDTSCP') this.storeState(STORE[64], OFFSET.gpr + 8 * RCX, this.and(64, this.quad(OFFSET.tscAux), this.const(64, 0xffff_ffffn)));
  }

  /** AC decides whether the supervisor may access pages of the user's. */
  private setAccessControl(): void {
    const flags = this.rflags(), changed = this.#instruction.mnemonic === 'STAC' ? this.or(32, flags, this.c(RFLAGS.AC)) : this.and(32, flags, this.c(~RFLAGS.AC));
    const enter = this.enter(this.constBit(0), changed);
    this.setRflags(changed);
    enter();
    this.count(ENGINE.changes);
  }

  private readBase(): void {
    const to = this.#instruction.operands[0] as RegisterOperand, base = this.quad(this.#requireBase());
    this.setReg(to, to.width === 64 ? base : this.trunc(64, 32, base));
  }
  private writeBase(): void {
    const from = this.#instruction.operands[0] as RegisterOperand, at = this.#requireBase(), value = this.getReg(from);
    const base = from.width === 64 ? value : this.zext(32, 64, value);
    this.requireCanonical(base);
    this.storeState(STORE[64], at, base);
  }
  /** Where the base is that the instruction is about. */
  #requireBase(): number {
    this.require(this.has(OFFSET.cr4, CR4.FSGSBASE));
    return OFFSET.base + 8 * (this.#instruction.mnemonic.endsWith('FSBASE') ? SEGMENT.FS : SEGMENT.GS);
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
/** What POPFD and POPFQ may set at CPL 0. */
const POPPED = RFLAGS.CF | RFLAGS.PF | RFLAGS.AF | RFLAGS.ZF | RFLAGS.SF | RFLAGS.TF | RFLAGS.IF | RFLAGS.DF | RFLAGS.OF | RFLAGS.IOPL | RFLAGS.NT | RFLAGS.AC | RFLAGS.ID;
const DATA_SEGMENTS = [SEGMENT.ES, SEGMENT.DS, SEGMENT.FS, SEGMENT.GS] as const;
