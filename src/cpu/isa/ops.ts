/**
 * The vocabulary in which instructions are written. V is a run-time value, always zero-extended from the width named
 * at the verb; B is a run-time bit; X is a 128-bit value, whose verbs are in vector-ops.ts; F an x87 value (x87-ops.ts). Everything else an instruction
 * knows is known at decode time.
 * Verbs above the line are primitive; below it are derived ones, which an interpretation may override with something
 * faster that a property test proves equal.
 *
 * Order inside every semantics: read, compute, store to memory, check a branch target, then commit registers and flags.
 * Whatever can fault comes before whatever changes. Then exceptions are precise for free.
 */
import type { Segment } from '../../state/layout.ts';
import type { ImmediateOperand, MemoryOperand, RegisterOperand, RelativeOperand, Width } from './operand.ts';
import { unsupported } from './unsupported-verb.ts';
import { VectorOps } from './vector-ops.ts';
import { lanePattern } from './vector-shuffles.ts';

export { UnsupportedVerb } from './unsupported-verb.ts';

/** The status flags and DF: what ordinary instructions read and write. SDM Vol. 1, "EFLAGS Register". */
export type Flag = 'CF' | 'PF' | 'AF' | 'ZF' | 'SF' | 'OF' | 'DF';
export const STATUS_FLAGS = ['CF', 'PF', 'AF', 'ZF', 'SF', 'OF'] as const;

/** How CF takes part in an addition or subtraction: an output only, also an input (ADC, SBB), or untouched (INC, DEC). */
export type Carry = 'plain' | 'carryIn' | 'keepCF';
/** What a load will be followed by: a read-modify-write needs write permission before it reads (silicon reports W). */
export type Intent = 'read' | 'modify';

export abstract class Ops<V, B, X = unknown, F = unknown> extends VectorOps<V, X, F> {
  // Decode-time facts entering run time.
  /** The constant n, as a w-bit value. */
  abstract const(w: Width, n: bigint): V;
  /** The immediate, sign-extended from its encoded width or truncated to w. */
  abstract imm(w: Width, x: ImmediateOperand): V;
  /** Address of the next instruction, 64 bits (an offset in CS). */
  abstract nextIp(): V;
  abstract getReg(x: RegisterOperand): V;
  /** Writes a register: 32-bit results clear bits 63:32, 8- and 16-bit results leave the other bits. */
  abstract setReg(x: RegisterOperand, v: V): void;
  /**
   * Offset in its segment of a memory operand, cut to its address width, as a 64-bit value. `popped`: bytes to add where
   * the base is RSP (POP to memory forms its address with the stack pointer that it leaves behind).
   */
  abstract effectiveAddress(x: MemoryOperand, popped?: 2 | 4 | 8): V;
  /** The same of one element of a gather, whose index is a 64-bit value. */
  elementAddress(_x: MemoryOperand, _index: V): V { return unsupported('elementAddress'); }

  // Arithmetic: operands and result have width w.
  abstract add(w: Width, a: V, b: V): V;
  abstract sub(w: Width, a: V, b: V): V;
  abstract mul(w: Width, a: V, b: V): V;
  abstract mulHighU(w: Width, a: V, b: V): V;
  abstract mulHighS(w: Width, a: V, b: V): V;
  /** Quotient and remainder of the 2w-bit number high:low by d. Requires high < d (so d is not 0 and the quotient fits). */
  abstract divU(w: Width, high: V, low: V, d: V): { quotient: V; remainder: V };
  abstract and(w: Width, a: V, b: V): V;
  abstract or(w: Width, a: V, b: V): V;
  abstract xor(w: Width, a: V, b: V): V;
  /** Shifts by n with 0 <= n < max(w, 32); bits that leave w are lost, so an 8-bit value shifted by 20 is 0 (or its sign). */
  abstract shl(w: Width, a: V, n: V): V;
  abstract shrU(w: Width, a: V, n: V): V;
  abstract shrS(w: Width, a: V, n: V): V;
  /** Rotates left by n with 0 <= n < w. */
  abstract rotl(w: Width, a: V, n: V): V;
  /** Leading, trailing zero count (w for a = 0) and number of ones. */
  abstract clz(w: Width, a: V): V;
  abstract ctz(w: Width, a: V): V;
  abstract popcnt(w: Width, a: V): V;
  abstract zext(from: Width, to: Width, a: V): V;
  abstract sext(from: Width, to: Width, a: V): V;
  abstract trunc(from: Width, to: Width, a: V): V;
  abstract select(w: Width, c: B, a: V, b: V): V;
  abstract fromBit(w: Width, b: B): V;

  // Bits.
  /** Bit n of a, n known at decode time. */
  abstract bit(w: Width, a: V, n: number): B;
  abstract eq(w: Width, a: V, b: V): B;
  abstract ltU(w: Width, a: V, b: V): B;
  abstract ltS(w: Width, a: V, b: V): B;
  /** Even parity of an 8-bit value: the meaning of PF. */
  abstract parity8(a: V): B;
  abstract not(a: B): B;
  abstract andB(a: B, b: B): B;
  abstract orB(a: B, b: B): B;
  abstract xorB(a: B, b: B): B;
  abstract getFlag(f: Flag): B;
  abstract setFlag(f: Flag, b: B): void;

  // Memory: may fault (#PF, #GP, #SS, #AC).
  /** #GP(0) unless the linear address is a multiple of `bytes`. */
  abstract requireAligned(bytes: 16 | 32, segment: Segment, offset: V): void;
  abstract load(w: Width, segment: Segment, offset: V, intent?: Intent): V;
  abstract store(w: Width, segment: Segment, offset: V, v: V): void;

  /** A load where c is 1; else 0, and nothing at the address is looked at. */
  loadWhere(_c: B, _w: 32 | 64, _segment: Segment, _offset: V): V { return unsupported('loadWhere'); }
  /** Stores the values whose bit is 1, or nothing where one of them faults. Nothing at the other addresses is looked at. */
  storeWhere(_w: 32 | 64, _segment: Segment, _parts: readonly { readonly where: B; readonly offset: V; readonly value: V }[]): void { unsupported('storeWhere'); }

  // The I/O address space: #GP(0) where the program may not. It comes last before the commits: a device has seen it.
  readPort(_w: 8 | 16 | 32, _port: V): V { return unsupported('readPort'); }
  writePort(_w: 8 | 16 | 32, _port: V, _v: V): void { unsupported('writePort'); }

  // Control.
  /** Does body only where c is 1. Values made inside do not leave it. */
  abstract when(c: B, body: () => void): void;
  /** Raises an exception without an error code: 0 (#DE), 5 (#BR), 6 (#UD). Nothing after it happens. */
  abstract fault(vector: number): void;
  /**
   * Near branches. The target is cut to i.width (the operand size) and must be canonical / within CS.limit, else #GP(0).
   * The check happens here, the jump when the instruction ends: so a branch comes before the commits of its instruction
   * (CALL RET LOOP).
   */
  abstract goto(x: RelativeOperand): void;
  abstract gotoIf(c: B, x: RelativeOperand): void;
  abstract gotoIndirect(ip: V): void;
  /** Where c is 1 the instruction runs again instead of ending: one more iteration of a REP string instruction. */
  abstract repeatIf(c: B): void;

  // ------------------------------------------------------------------------------------------------------ derived
  /** The constant bit. */
  constBit(b: 0 | 1): B { return this.bit(8, this.const(8, BigInt(b)), 0); }
  /** a where c is 1, else b: 128 bits. */
  selectX(c: B, a: X, b: X): X {
    const ones = this.lowX(64, this.sub(64, this.const(64, 0n), this.fromBit(64, c)));
    const mask = this.shuffleX(lanePattern(8, [0, 0]), ones, ones);
    return this.vectorX('v128.or', this.vectorX('v128.and', a, mask), this.vectorX('v128.andnot', b, mask));
  }
  inv(w: Width, a: V): V { return this.xor(w, a, this.const(w, -1n)); }
  isZero(w: Width, a: V): B { return this.eq(w, a, this.const(w, 0n)); }
  resultFlags(w: Width, r: V): void {
    this.setFlag('ZF', this.isZero(w, r));
    this.setFlag('SF', this.bit(w, r, w - 1));
    this.setFlag('PF', this.parity8(w === 8 ? r : this.trunc(w, 8, r)));
  }
  /** `carries` has bit n set where bit n produced a carry (or borrow): CF, OF and AF are all in it. */
  carryFlags(w: Width, carries: V, keepCF: boolean): void {
    const carry = this.bit(w, carries, w - 1);
    if (!keepCF) this.setFlag('CF', carry);
    this.setFlag('OF', this.xorB(carry, this.bit(w, carries, w - 2)));
    this.setFlag('AF', this.bit(w, carries, 3));
  }
  /** All six flags of r = a + b (+ CF when `how` is 'carryIn'). */
  addFlags(w: Width, a: V, b: V, r: V, how: Carry = 'plain'): void {
    this.carryFlags(w, this.or(w, this.and(w, a, b), this.and(w, this.or(w, a, b), this.inv(w, r))), how === 'keepCF');
    this.resultFlags(w, r);
  }
  /** All six flags of r = a - b (- CF when `how` is 'carryIn'). */
  subFlags(w: Width, a: V, b: V, r: V, how: Carry = 'plain'): void {
    this.carryFlags(w, this.or(w, this.and(w, this.inv(w, a), b), this.and(w, this.inv(w, this.xor(w, a, b)), r)), how === 'keepCF');
    this.resultFlags(w, r);
  }
  /** CF and OF as given, AF cleared, ZF SF PF from the result (shifts, multiply). */
  otherFlags(w: Width, r: V, cf: B, of: B): void {
    this.setFlag('CF', cf);
    this.setFlag('OF', of);
    this.setFlag('AF', this.constBit(0));
    this.resultFlags(w, r);
  }
  logicFlags(w: Width, r: V): void { this.otherFlags(w, r, this.constBit(0), this.constBit(0)); }
  /** CF and OF as given, the others untouched (rotates). */
  rotateFlags(cf: B, of: B): void {
    this.setFlag('CF', cf);
    this.setFlag('OF', of);
  }
  /** Condition codes in the order of the tttn field. SDM Vol. 2D, "Encoding of the tttn Field". */
  condition(tttn: number): B {
    const flag = (f: Flag): B => this.getFlag(f);
    const base = ((): B => {
      switch (tttn >> 1) {
        case 0: return flag('OF');
        case 1: return flag('CF');
        case 2: return flag('ZF');
        case 3: return this.orB(flag('CF'), flag('ZF'));
        case 4: return flag('SF');
        case 5: return flag('PF');
        case 6: return this.xorB(flag('SF'), flag('OF'));
        default: return this.orB(flag('ZF'), this.xorB(flag('SF'), flag('OF')));
      }
    })();
    return (tttn & 1) === 1 ? this.not(base) : base;
  }
}
