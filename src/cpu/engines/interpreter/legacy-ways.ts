/**
 * The short ways of transfers in 32-bit code outside IA-32e mode, between flat segments of CPL 0 and 3: see short-ways.ts. Generated code of this kind runs with
 * flat segments only, and the way leads to such again. SDM Vol. 3A, "Exception- or Interrupt-Handler Procedures"; Vol. 2A, "IRET/IRETD/IRETQ—Interrupt Return".
 */
import { EFER } from '../../../mmu/control-bits.ts';
import { OFFSET, SEGMENT } from '../../../state/layout.ts';
import { RFLAGS } from '../../flags.ts';
import { RSP } from '../../isa/operand.ts';
import type { Node } from '../emit/node.ts';
import { ENGINE } from '../engine-memory.ts';
import { I32, STORE } from '../wasm/opcodes.ts';
import type { Descriptor } from './short-way-ops.ts';
import { ShortWay } from './short-ways.ts';

/** A descriptor of 4 GiB from 0, but for its DPL (bits 46:45) and what is free for software (bit 52): accessed code that may be read, with D; accessed data that may be written. */
const FLAT_MASK = ~(0x3n << 45n | 1n << 52n);
const FLAT_CODE = 0x00cf_9b00_0000_ffffn, FLAT_DATA = 0x00cf_9300_0000_ffffn;
/** In the attributes of TR: a TSS of 32 bits. */
const TSS_32 = 8;
/** Of its fields: ESP0, which SS0 follows. */
const INNER_STACK = 4;
const USED_DATA_SEGMENTS = [SEGMENT.ES, SEGMENT.DS];

export class LegacyWay extends ShortWay {
  protected inMode(): Node { return this.not(this.has(OFFSET.efer, EFER.LMA)); }

  protected readGate(vector: Node): { readonly type: Node; readonly selector: Node; readonly ip: Node } {
    const at = this.shl(32, vector, this.c(3));
    this.require(this.not(this.ltU(32, this.word(OFFSET.idtrLimit), this.add(32, at, this.c(7)))));
    const gate = this.loadQuad(this.tableAddress(OFFSET.idtrBase, at));
    const ip = this.or(32, this.and(32, this.trunc(64, 32, gate), this.c(0xffff)), this.and(32, this.bitsFrom(gate, 32), this.c(0xffff_0000 | 0)));
    return { type: this.bitsFrom(gate, 40), selector: this.and(32, this.bitsFrom(gate, 16), this.c(0xffff)), ip: this.zext(32, 64, ip) };
  }
  protected requireInnerCode(target: Descriptor): void { this.require(this.#isFlat(target, FLAT_CODE), this.isZero(32, this.dpl(target.attributes))); }
  #isFlat({ value }: Descriptor, flat: bigint): Node { return this.eq(64, this.and(64, value, this.const(64, FLAT_MASK)), this.const(64, flat)); }
  /** ESP at a place below. */
  #pointer(): Node { return this.trunc(64, 32, this.quad(OFFSET.gpr + 8 * RSP)); }

  protected prepareFrame(flags: Node): { readonly store: () => void; readonly enter: () => void } {
    const old = this.#pointer(), inner = this.fromUser ? this.#innerStack() : undefined;
    const dwords = (inner === undefined ? 3 : 5) + (this.pageFault ? 1 : 0);
    const frame = this.zext(32, 64, this.sub(32, inner?.pointer ?? old, this.c(4 * dwords)));
    const selector = (segment: number): Node => this.word(OFFSET.selector + 4 * segment);
    return {
      store: () => {
        const parts = [selector(SEGMENT.CS), this.pageFault ? this.or(32, flags, this.c(RFLAGS.RF)) : flags];
        if (inner !== undefined) parts.push(old, selector(SEGMENT.SS));
        if (this.pageFault) parts.unshift(this.word(ENGINE.faultCode), this.word(OFFSET.rip)); else parts.unshift(this.trunc(64, 32, this.nextIp()));
        this.storeAs(32 * dwords as 96 | 128 | 160 | 192, STORE[32], SEGMENT.DS, frame, parts);
      },
      enter: () => {
        if (inner !== undefined) this.setSegment(SEGMENT.SS, inner.segment.selector, inner.segment);
        this.setPointer(frame);
      },
    };
  }
  /** ESP0 and SS0 of the TSS. */
  #innerStack(): { readonly pointer: Node; readonly segment: Descriptor } {
    this.require(this.has(OFFSET.attributes + 4 * SEGMENT.TR, TSS_32), this.not(this.ltU(32, this.word(OFFSET.limit + 4 * SEGMENT.TR), this.c(INNER_STACK + 7))));
    const both = this.loadQuad(this.tableAddress(OFFSET.base + 8 * SEGMENT.TR, this.c(INNER_STACK)));
    const segment = this.descriptor(this.and(32, this.bitsFrom(both, 32), this.c(0xffff)));
    this.require(this.isZero(32, this.and(32, segment.selector, this.c(3))), this.#isFlat(segment, FLAT_DATA), this.isZero(32, this.dpl(segment.attributes)));
    return { pointer: this.trunc(64, 32, both), segment };
  }

  protected interruptReturn(): void {
    this.requireReturnAllowed();
    const top = this.#pointer();
    const [ip, cs, flags, pointer, ss] = this.loadFrame(I32, this.zext(32, 64, top)) as [Node, Node, Node, Node, Node];
    const low16 = (x: Node): Node => this.and(32, x, this.c(0xffff));
    const code = this.descriptor(low16(cs));
    const cpl = this.and(32, code.selector, this.c(3)), outer = this.eq(32, cpl, this.c(3));
    // Without a change of CPL there is no SS: the code segment stands for what is not looked at.
    const stack = this.descriptor(this.select(32, outer, low16(ss), low16(cs)));
    const levels = this.andB(this.eq(32, cpl, this.and(32, stack.selector, this.c(3))), this.eq(32, cpl, this.dpl(stack.attributes)));
    this.require(
      this.orB(outer, this.isZero(32, cpl)), this.eq(32, cpl, this.dpl(code.attributes)), this.#isFlat(code, FLAT_CODE), this.orB(this.not(outer), this.andB(levels, this.#isFlat(stack, FLAT_DATA))),
    );
    this.requireReturnable(outer, flags, USED_DATA_SEGMENTS);
    const enter = this.enter(outer, flags);
    this.goTo(this.zext(32, 64, ip));

    this.when(outer, () => { this.setSegment(SEGMENT.SS, stack.selector, stack); });
    this.setPointer(this.zext(32, 64, this.select(32, outer, pointer, this.add(32, top, this.c(12)))));
    this.setSegment(SEGMENT.CS, code.selector, code);
    this.finishReturn(outer, flags);
    enter();
  }
}
