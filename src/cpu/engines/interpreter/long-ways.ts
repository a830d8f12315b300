/** The short ways of transfers in 64-bit mode, to code and stacks of 64-bit mode: see short-ways.ts. */
import { EFER } from '../../../mmu/control-bits.ts';
import { OFFSET, SEGMENT } from '../../../state/layout.ts';
import { ATTRIBUTE } from '../../descriptors.ts';
import { RFLAGS } from '../../flags.ts';
import { RCX, RSP } from '../../isa/operand.ts';
import { FLAT_CODE_64, FLAT_STACK, SYSRET_FLAGS } from '../../isa/system/system-calls.ts';
import type { Node } from '../emit/node.ts';
import { ENGINE } from '../engine-memory.ts';
import { I64, STORE } from '../wasm/opcodes.ts';
import type { Descriptor } from './short-way-ops.ts';
import { ShortWay } from './short-ways.ts';

const R11 = 11;
/** Bits 47:40 of a descriptor, or 55:40 with L and D: accessed code of the DPL in bits 46:45, not conforming; accessed data that may be written. */
const CODE = { mask: ATTRIBUTE.L | ATTRIBUTE.DB | 0xfd, value: ATTRIBUTE.L | 0x99 } as const;
const DATA = { mask: 0xfb, value: 0x93 } as const;

export class LongWay extends ShortWay {
  protected inMode(): Node { return this.constBit(1); }

  protected readGate(vector: Node): { readonly type: Node; readonly selector: Node; readonly ip: Node } {
    const at = this.shl(32, vector, this.c(4));
    this.require(this.not(this.ltU(32, this.word(OFFSET.idtrLimit), this.add(32, at, this.c(15)))));
    const address = this.add(64, this.quad(OFFSET.idtrBase), this.zext(32, 64, at));
    const gate = this.loadQuad(address), upper = this.loadQuad(this.add(64, address, this.const(64, 8n)));
    // No stack of the interrupt stack table.
    this.require(this.isZero(32, this.and(32, this.bitsFrom(gate, 32), this.c(7))));
    const low = this.or(64, this.and(64, gate, this.const(64, 0xffffn)), this.shl(64, this.shrU(64, gate, this.const(64, 48n)), this.const(64, 16n)));
    return { type: this.bitsFrom(gate, 40), selector: this.and(32, this.bitsFrom(gate, 16), this.c(0xffff)), ip: this.or(64, low, this.shl(64, upper, this.const(64, 32n))) };
  }
  protected requireInnerCode({ attributes }: Descriptor): void { this.require(this.matches(attributes, CODE)); }

  protected prepareFrame(flags: Node): { readonly store: () => void; readonly enter: () => void } {
    const old = this.quad(OFFSET.gpr + 8 * RSP);
    const frame = this.sub(64, this.and(64, this.fromUser ? this.#innerStack() : old, this.const(64, ~15n)), this.const(64, this.pageFault ? 48n : 40n));
    const selector = (segment: number): Node => this.zext(32, 64, this.word(OFFSET.selector + 4 * segment));
    return {
      store: () => {
        const outer = [selector(SEGMENT.CS), this.zext(32, 64, this.pageFault ? this.or(32, flags, this.c(RFLAGS.RF)) : flags), old, selector(SEGMENT.SS)];
        if (this.pageFault) this.storeAs(384, STORE[64], SEGMENT.DS, frame, [this.zext(32, 64, this.word(ENGINE.faultCode)), this.quad(OFFSET.rip), ...outer]);
        else this.storeAs(320, STORE[64], SEGMENT.DS, frame, [this.nextIp(), ...outer]);
      },
      enter: () => {
        if (this.fromUser) this.setNull(SEGMENT.SS);
        this.setPointer(frame);
      },
    };
  }
  /** RSP0 of the TSS. */
  #innerStack(): Node {
    this.require(this.not(this.ltU(32, this.word(OFFSET.limit + 4 * SEGMENT.TR), this.c(11))));
    const pointer = this.loadQuad(this.add(64, this.quad(OFFSET.base + 8 * SEGMENT.TR), this.const(64, 4n)));
    this.requireCanonical(pointer);
    return pointer;
  }

  protected interruptReturn(): void {
    this.requireReturnAllowed();
    const [ip, cs, popped, pointer, ss] = this.loadFrame(I64, this.quad(OFFSET.gpr + 8 * RSP)) as [Node, Node, Node, Node, Node];
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
    this.requireReturnable(outer, flags);
    const enter = this.enter(outer, flags);
    this.goTo(ip);

    this.setSegment(SEGMENT.SS, stack.selector, stack, nullStack);
    this.setPointer(pointer);
    this.setSegment(SEGMENT.CS, code.selector, code);
    this.finishReturn(outer, flags);
    enter();
  }

  protected override systemCall(): void {
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

  protected override systemReturn(): void {
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
}
