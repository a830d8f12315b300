/**
 * The vocabulary evaluated at once on the machine's state, with bigint values and boolean bits: the judge of every other
 * engine, so it does nothing clever with meaning. What it overrides below the line, test/engines proves equal to the
 * derived form.
 */
import type { GuestState } from '../../../state/guest-state.ts';
import { OFFSET, SEGMENT, type Segment } from '../../../state/layout.ts';
import type { Cpu } from '../../cpu.ts';
import { GP, GuestException } from '../../exceptions.ts';
import { CARRIES_HIGH, CARRIES_LOW, SIGN_PARITY_HIGH, SIGN_PARITY_LOW, ZERO_HIGH, ZERO_LOW, evenParity, getFlag, setFlag } from '../../flags.ts';
import type { Environment } from '../../floating-point/exact.ts';
import type { Instruction } from '../../isa/instruction.ts';
import { NO_REGISTER, RSP, type ImmediateOperand, type MemoryOperand, type MmxOperand, type RegisterOperand, type RelativeOperand, type Width, type XmmOperand } from '../../isa/operand.ts';
import type { Carry, Flag, Intent } from '../../isa/ops.ts';
import { LANE_BITS, type Float, type FloatOp, type FloatShape, type FusedOp, type ImmediateShuffle, type Lanes, type OneOfLanes, type VectorOp, type VectorShift } from '../../isa/vector-ops.ts';
import { immediatePattern } from '../../isa/vector-shuffles.ts';
import { enterMmx, MMX_SIGN_AND_EXPONENT, requireMmx } from '../../fpu/mmx.ts';
import { checkPort, readPort, writePort } from '../../port-access.ts';
import { checkMxcsr, raiseSimdFlags, requireAvx, requireSse, simdEnvironment } from '../../mxcsr.ts';
import { compareLanes, floatOf, floatOperation, fusedOperation, halvesOf, integerOf, orderOf, roundLanes, type Result } from './vector-float.ts';
import { compareStrings, stringMask } from './vector-strings.ts';
import { ReferenceX87 } from './x87.ts';
import { bitmask, sadBlocks, shuffle, vectorOperation, vectorShift } from './vector.ts';

const WIDTH = { 8: 8n, 16: 16n, 32: 32n, 64: 64n } as const;
const SCALE = { 1: 1n, 2: 2n, 4: 4n, 8: 8n } as const;

const GPR_32 = OFFSET.gpr / 4;
const GPR_16 = OFFSET.gpr / 2;
const GPR_8 = OFFSET.gpr;

/** 2 to the power of the index. */
const POWER = Array.from({ length: 64 }, (_, n) => 1n << BigInt(n));

/**
 * The low w bits of a value of at most 64 bits. Results are first cut to 64: V8 computes `BigInt.asUintN(64, a + b)` in a
 * machine register, four times as fast as making a + b, and only does so where the width is a constant.
 */
function cut(w: Width, v: bigint): bigint {
  switch (w) {
    case 64: return v;
    case 32: return BigInt.asUintN(32, v);
    case 16: return BigInt.asUintN(16, v);
    default: return BigInt.asUintN(8, v);
  }
}

/** A w-bit value as a signed number. */
function signed(w: Width, v: bigint): bigint {
  switch (w) {
    case 64: return BigInt.asIntN(64, v);
    case 32: return BigInt.asIntN(32, v);
    case 16: return BigInt.asIntN(16, v);
    default: return BigInt.asIntN(8, v);
  }
}

/** An immediate as an unsigned byte. */
const byteOf = (x: ImmediateOperand): number => Number(x.value & 0xffn);

/** The lane that an immediate or the semantics names, as the place of its lowest bit. */
function laneAt(shape: OneOfLanes, n: number | ImmediateOperand): bigint {
  const bits = LANE_BITS[shape];
  return BigInt(((typeof n === 'number' ? n : byteOf(n)) * bits) & (shape === 'i16x4' ? 63 : 127));
}

export class ReferenceOps extends ReferenceX87 {
  readonly cpu: Cpu;
  readonly state: GuestState;
  /** The instruction that runs, and the offset behind it. */
  private i!: Instruction;
  private next = 0n;
  /** Three 64-bit numbers seen as signed 32-bit halves. */
  private readonly wide = new BigUint64Array(3);
  private readonly halves = new Int32Array(this.wide.buffer);

  constructor(cpu: Cpu) {
    super();
    this.cpu = cpu;
    this.state = cpu.state;
  }

  /** Evaluates one translated instruction. `next`: the offset behind it. */
  execute(i: Instruction, next: bigint): void {
    this.i = i;
    this.next = next;
    if (i.row.meaning.kind !== 'system') i.row.meaning.semantics(this, i);
  }

  const(w: Width, n: bigint): bigint { return cut(w, BigInt.asUintN(64, n)); }
  imm(w: Width, x: ImmediateOperand): bigint { return cut(w, x.value); }
  nextIp(): bigint { return this.next; }

  getReg(x: RegisterOperand): bigint {
    const { state } = this;
    switch (x.width) {
      case 64: return state.gpr[x.number] as bigint;
      case 32: return BigInt(state.u32[GPR_32 + 2 * x.number] as number);
      case 16: return BigInt(state.u16[GPR_16 + 4 * x.number] as number);
      default: return BigInt(state.u8[GPR_8 + 8 * x.number + (x.high ? 1 : 0)] as number);
    }
  }

  setReg(x: RegisterOperand, v: bigint): void {
    const { state } = this;
    switch (x.width) {
      case 64: case 32: state.gpr[x.number] = v; return;
      case 16: state.u16[GPR_16 + 4 * x.number] = this.lowHalf(v); return;
      default: state.u8[GPR_8 + 8 * x.number + (x.high ? 1 : 0)] = this.lowHalf(v); return;
    }
  }

  /** Bits 31:0, without the cost of Number(v). */
  private lowHalf(v: bigint): number {
    this.wide[0] = v;
    return this.halves[0] as number;
  }

  effectiveAddress(x: MemoryOperand, popped: 0 | 2 | 4 | 8 = 0): bigint {
    const { gpr } = this.state;
    let sum = BigInt.asUintN(64, (x.ripRelative ? this.next : (gpr[x.base] as bigint)) + x.displacement);
    if (x.index !== NO_REGISTER) sum = BigInt.asUintN(64, sum + (gpr[x.index] as bigint) * SCALE[x.scale]);
    if (popped !== 0 && x.base === RSP) sum = BigInt.asUintN(64, sum + BigInt(popped));
    return cut(x.addressWidth, sum);
  }
  override elementAddress(x: MemoryOperand, index: bigint): bigint { return cut(x.addressWidth, BigInt.asUintN(64, this.effectiveAddress(x) + index * SCALE[x.scale])); }

  add(w: Width, a: bigint, b: bigint): bigint { return cut(w, BigInt.asUintN(64, a + b)); }
  sub(w: Width, a: bigint, b: bigint): bigint { return cut(w, BigInt.asUintN(64, a - b)); }
  mul(w: Width, a: bigint, b: bigint): bigint { return cut(w, BigInt.asUintN(64, a * b)); }
  mulHighU(w: Width, a: bigint, b: bigint): bigint { return (a * b) >> WIDTH[w]; }
  mulHighS(w: Width, a: bigint, b: bigint): bigint { return cut(w, BigInt.asUintN(64, (signed(w, a) * signed(w, b)) >> WIDTH[w])); }
  divU(w: Width, high: bigint, low: bigint, d: bigint): { quotient: bigint; remainder: bigint } {
    const dividend = (high << WIDTH[w]) | low;
    return { quotient: dividend / d, remainder: dividend % d };
  }
  and(_w: Width, a: bigint, b: bigint): bigint { return BigInt.asUintN(64, a & b); }
  or(_w: Width, a: bigint, b: bigint): bigint { return BigInt.asUintN(64, a | b); }
  xor(_w: Width, a: bigint, b: bigint): bigint { return BigInt.asUintN(64, a ^ b); }
  shl(w: Width, a: bigint, n: bigint): bigint { return cut(w, BigInt.asUintN(64, a * (POWER[this.lowHalf(n)] as bigint))); }
  shrU(_w: Width, a: bigint, n: bigint): bigint { return a >> n; }
  shrS(w: Width, a: bigint, n: bigint): bigint { return cut(w, BigInt.asUintN(64, signed(w, a) >> n)); }
  rotl(w: Width, a: bigint, n: bigint): bigint { return cut(w, BigInt.asUintN(64, (a << n) | (a >> (WIDTH[w] - n)))); }
  clz(w: Width, a: bigint): bigint {
    const high = Number(a >> 32n);
    return BigInt((high === 0 ? 32 + Math.clz32(Number(BigInt.asUintN(32, a))) : Math.clz32(high)) - (64 - w));
  }
  ctz(w: Width, a: bigint): bigint {
    if (a === 0n) return WIDTH[w];
    return 63n - this.clz(64, a & -a);
  }
  popcnt(_w: Width, a: bigint): bigint {
    let ones = 0n;
    for (let rest = a; rest !== 0n; rest &= rest - 1n) ones++;
    return ones;
  }
  zext(_from: Width, _to: Width, a: bigint): bigint { return a; }
  sext(from: Width, to: Width, a: bigint): bigint { return cut(to, BigInt.asUintN(64, signed(from, a))); }
  trunc(_from: Width, to: Width, a: bigint): bigint { return cut(to, a); }
  select(_w: Width, c: boolean, a: bigint, b: bigint): bigint { return c ? a : b; }
  fromBit(_w: Width, b: boolean): bigint { return b ? 1n : 0n; }

  bit(_w: Width, a: bigint, n: number): boolean {
    this.wide[0] = a;
    return (((this.halves[n >> 5] as number) >>> (n & 31)) & 1) === 1;
  }
  eq(_w: Width, a: bigint, b: bigint): boolean { return a === b; }
  ltU(_w: Width, a: bigint, b: bigint): boolean { return a < b; }
  ltS(w: Width, a: bigint, b: bigint): boolean { return signed(w, a) < signed(w, b); }
  parity8(a: bigint): boolean { return evenParity(this.lowHalf(a)); }
  not(a: boolean): boolean { return !a; }
  andB(a: boolean, b: boolean): boolean { return a && b; }
  orB(a: boolean, b: boolean): boolean { return a || b; }
  xorB(a: boolean, b: boolean): boolean { return a !== b; }
  getFlag(f: Flag): boolean { return getFlag(this.state, f); }
  setFlag(f: Flag, b: boolean): void { setFlag(this.state, f, b); }

  load(w: Width, segment: Segment, offset: bigint, intent: Intent = 'read'): bigint { return this.cpu.load(w, segment, offset, intent); }
  store(w: Width, segment: Segment, offset: bigint, v: bigint): void { this.cpu.store(w, segment, offset, v); }
  requireAligned(bytes: 16 | 32, segment: Segment, offset: bigint): void {
    // Before all other checks: a misaligned operand in SS that is not canonical raises #GP(0), not #SS(0), on silicon.
    const base = this.cpu.in64BitMode && segment < SEGMENT.FS ? 0n : this.state.base[segment] as bigint;
    if (((base + offset) & BigInt(bytes - 1)) !== 0n) throw GP(0, `memory operand not aligned to ${bytes} bytes`);
  }

  override requireSse(): void { requireSse(this.state); }
  override requireAvx(): void { requireAvx(this.state); }
  override getXmm(x: XmmOperand): bigint { return (this.state.xmm[2 * x.number + 1]! << 64n) | this.state.xmm[2 * x.number]!; }
  override setXmm(x: XmmOperand, v: bigint): void {
    this.state.xmm[2 * x.number] = BigInt.asUintN(64, v);
    this.state.xmm[2 * x.number + 1] = v >> 64n;
  }
  override getYmmHigh(x: XmmOperand): bigint { return (this.state.ymmHigh[2 * x.number + 1]! << 64n) | this.state.ymmHigh[2 * x.number]!; }
  override setYmmHigh(x: XmmOperand, v: bigint): void {
    this.state.ymmHigh[2 * x.number] = BigInt.asUintN(64, v);
    this.state.ymmHigh[2 * x.number + 1] = v >> 64n;
  }
  override requireMmx(): void { requireMmx(this.cpu); }
  override getMmx(x: MmxOperand): bigint { return this.state.fpuRegisters[2 * x.number]!; }
  override setMmx(x: MmxOperand, v: bigint): void {
    this.state.fpuRegisters[2 * x.number] = v;
    this.state.fpuRegisters[2 * x.number + 1] = MMX_SIGN_AND_EXPONENT;
    this.enterMmx();
  }
  override enterMmx(): void { enterMmx(this.state); }
  override constX(v: bigint): bigint { return v; }
  override laneX(shape: OneOfLanes, a: bigint, n: number | ImmediateOperand): bigint { return BigInt.asUintN(LANE_BITS[shape], a >> laneAt(shape, n)); }
  override replaceLaneX(shape: OneOfLanes, a: bigint, n: number | ImmediateOperand, v: bigint): bigint {
    const at = laneAt(shape, n);
    return (a & ~(((1n << BigInt(LANE_BITS[shape])) - 1n) << at)) | (v << at);
  }
  override loadX(segment: Segment, offset: bigint): bigint { return this.cpu.load128(segment, offset); }
  override storeX(segment: Segment, offset: bigint, v: bigint): void { this.cpu.store128(segment, offset, v); }
  override storeY(segment: Segment, offset: bigint, low: bigint, high: bigint): void { this.cpu.store256(segment, offset, low, high); }
  override loadWhere(c: boolean, w: 32 | 64, segment: Segment, offset: bigint): bigint { return c ? this.load(w, segment, offset) : 0n; }
  override storeWhere(w: 32 | 64, segment: Segment, parts: readonly { readonly where: boolean; readonly offset: bigint; readonly value: bigint }[]): void {
    const stored = parts.filter(({ where }) => where);
    for (const { offset } of stored) this.cpu.probeStore(segment, offset, w === 32 ? 4 : 8);
    for (const { offset, value } of stored) this.store(w, segment, offset, value);
  }
  override storeMaskedX(segment: Segment, offset: bigint, v: bigint, mask: bigint): void {
    this.cpu.probeStore128(segment, offset);
    this.storeBytesWhere(16n, segment, offset, v, mask);
  }
  override storeMaskedMmx(segment: Segment, offset: bigint, v: bigint, mask: bigint): void {
    this.cpu.probeStore(segment, offset, 8);
    this.storeBytesWhere(8n, segment, offset, v, mask);
  }
  private storeBytesWhere(bytes: bigint, segment: Segment, offset: bigint, v: bigint, mask: bigint): void {
    for (let n = 0n; n < bytes; n++) {
      if (((mask >> (8n * n + 7n)) & 1n) === 1n) this.cpu.store(8, segment, BigInt.asUintN(64, offset + n), BigInt.asUintN(8, v >> (8n * n)));
    }
  }
  override vectorX(op: VectorOp, a: bigint, b: bigint): bigint { return vectorOperation(op, a, b); }
  override shiftX(op: VectorShift, a: bigint, count: bigint): bigint { return vectorShift(op, a, count); }
  override shuffleX(bytes: readonly number[], a: bigint, b: bigint): bigint { return shuffle(bytes, a, b); }
  override shuffleByX(how: ImmediateShuffle, a: bigint, b: bigint, pattern: ImmediateOperand, half: 0 | 1 = 0): bigint {
    return shuffle(immediatePattern(how, byteOf(pattern), half), a, b);
  }
  override sadBlocksX(a: bigint, b: bigint, control: ImmediateOperand, half: 0 | 1 = 0): bigint { return sadBlocks(a, b, byteOf(control) >> (3 * half)); }
  override compareStringsX(a: bigint, b: bigint, lengths: readonly [bigint, bigint] | undefined, control: ImmediateOperand): bigint {
    return BigInt(compareStrings(a, b, lengths && [Number(lengths[0]), Number(lengths[1])], byteOf(control)));
  }
  override stringMaskX(comparison: bigint, control: ImmediateOperand): bigint { return stringMask(Number(comparison), byteOf(control)); }
  override bitmaskX(shape: Lanes, a: bigint): bigint { return bitmask(LANE_BITS[shape], a); }
  /** Computes under MXCSR, whose flags the result sets, or faults. */
  private underMxcsr(compute: (e: Environment) => Result): bigint {
    const { value, flags } = compute(simdEnvironment(this.state.mxcsr));
    if (this.raisedSoFar === undefined) raiseSimdFlags(this.state, flags);
    else this.raisedSoFar |= flags;
    return value;
  }
  /** What the parts of one operation have raised; undefined where each is one of its own. */
  private raisedSoFar: number | undefined;
  override raisedTogether<T>(body: () => T): T {
    this.raisedSoFar = 0;
    try {
      const result = body();
      raiseSimdFlags(this.state, this.raisedSoFar);
      return result;
    } finally {
      this.raisedSoFar = undefined;
    }
  }
  override floatX(op: FloatOp, a: bigint, b: bigint): bigint { return this.underMxcsr((e) => floatOperation(op, a, b, e)); }
  override halvesFromFloatX(a: bigint, control: ImmediateOperand): bigint { return this.underMxcsr((e) => halvesOf(a, byteOf(control), e)); }
  override fusedX(op: FusedOp, a: bigint, b: bigint, c: bigint, above: bigint): bigint { return this.underMxcsr((e) => fusedOperation(op, a, b, c, above, e)); }
  override compareFloatX(shape: FloatShape, a: bigint, b: bigint, predicate: ImmediateOperand, predicates: 8 | 32): bigint {
    return this.underMxcsr((e) => compareLanes(shape, a, b, Number(predicate.value & BigInt(predicates - 1)), e));
  }
  override roundFloatX(shape: FloatShape, a: bigint, b: bigint, control: ImmediateOperand): bigint { return this.underMxcsr((e) => roundLanes(shape, a, b, byteOf(control), e)); }
  override orderFloatX(lane: Float, a: bigint, b: bigint, quietNaN: 'quiet' | 'signals'): bigint { return this.underMxcsr((e) => orderOf(lane, a, b, e, quietNaN)); }
  override integerFromFloatX(w: 32 | 64, lane: Float, a: bigint, how: 'round' | 'trunc'): bigint { return this.underMxcsr((e) => integerOf(w, lane, a, e, how)); }
  override floatFromIntegerX(lane: Float, a: bigint, w: 32 | 64, v: bigint): bigint { return this.underMxcsr((e) => floatOf(lane, a, w, v, e)); }
  override getMxcsr(): bigint { return BigInt(this.state.mxcsr); }
  override setMxcsr(v: bigint): void {
    checkMxcsr(Number(v));
    this.state.mxcsr = Number(v);
  }

  override readPort(w: 8 | 16 | 32, port: bigint): bigint {
    const number = Number(port), bytes = (w >> 3) as 1 | 2 | 4;
    checkPort(this.cpu, number, bytes);
    return cut(w, BigInt(readPort(this.cpu, number, bytes)));
  }
  override writePort(w: 8 | 16 | 32, port: bigint, v: bigint): void {
    const number = Number(port), bytes = (w >> 3) as 1 | 2 | 4;
    checkPort(this.cpu, number, bytes);
    writePort(this.cpu, number, bytes, Number(v));
  }

  when(c: boolean, body: () => void): void { if (c) body(); }
  fault(vector: number): never { throw new GuestException(vector, undefined, `raised by ${this.i.mnemonic}`); }
  goto(x: RelativeOperand): void { this.gotoIndirect(BigInt.asUintN(64, this.next + x.displacement)); }
  gotoIf(c: boolean, x: RelativeOperand): void { if (c) this.gotoIndirect(BigInt.asUintN(64, this.next + x.displacement)); }
  gotoIndirect(ip: bigint): void {
    const target = cut(this.i.width, ip);
    this.cpu.checkBranchTarget(target);
    this.cpu.nextIp = target;
  }
  repeatIf(c: boolean): void { if (c) this.cpu.nextIp = this.state.rip; }

  // ------------------------------------------------------------------------------------------------------ derived
  // Flag words on 32-bit halves: no bigint is made on the way to a flag.

  override constBit(b: 0 | 1): boolean { return b === 1; }
  override isZero(_w: Width, a: bigint): boolean { return a === 0n; }

  override resultFlags(w: Width, r: bigint): void {
    this.wide[0] = r;
    this.writeResult(w, this.halves[0] as number, this.halves[1] as number);
  }
  override carryFlags(w: Width, carries: bigint, keepCF: boolean): void {
    this.wide[0] = carries;
    this.writeCarries(w, this.halves[0] as number, this.halves[1] as number, keepCF);
  }
  override addFlags(w: Width, a: bigint, b: bigint, r: bigint, how: Carry = 'plain'): void {
    const { wide, halves: h } = this;
    wide[0] = a;
    wide[1] = b;
    wide[2] = r;
    const a0 = h[0] as number, a1 = h[1] as number, b0 = h[2] as number, b1 = h[3] as number, r0 = h[4] as number, r1 = h[5] as number;
    this.writeCarries(w, (a0 & b0) | ((a0 | b0) & ~r0), (a1 & b1) | ((a1 | b1) & ~r1), how === 'keepCF');
    this.writeResult(w, r0, r1);
  }
  override subFlags(w: Width, a: bigint, b: bigint, r: bigint, how: Carry = 'plain'): void {
    const { wide, halves: h } = this;
    wide[0] = a;
    wide[1] = b;
    wide[2] = r;
    const a0 = h[0] as number, a1 = h[1] as number, b0 = h[2] as number, b1 = h[3] as number, r0 = h[4] as number, r1 = h[5] as number;
    this.writeCarries(w, (~a0 & b0) | (~(a0 ^ b0) & r0), (~a1 & b1) | (~(a1 ^ b1) & r1), how === 'keepCF');
    this.writeResult(w, r0, r1);
  }
  override otherFlags(w: Width, r: bigint, cf: boolean, of: boolean): void {
    const { u32 } = this.state;
    u32[CARRIES_LOW] = 0;
    u32[CARRIES_HIGH] = cf ? (of ? 0x8000_0000 : 0xc000_0000) : of ? 0x4000_0000 : 0;
    this.resultFlags(w, r);
  }
  override logicFlags(w: Width, r: bigint): void { this.otherFlags(w, r, false, false); }

  /** ZF SF PF of a w-bit result given as halves; the bits above w are 0. */
  private writeResult(w: Width, low: number, high: number): void {
    const { u32 } = this.state;
    u32[ZERO_LOW] = low;
    u32[ZERO_HIGH] = high;
    u32[SIGN_PARITY_LOW] = low;
    u32[SIGN_PARITY_HIGH] = w === 64 ? high : low << (32 - w);
  }
  /** CF OF AF of a carry-out vector given as halves. */
  private writeCarries(w: Width, low: number, high: number, keepCF: boolean): void {
    const { u32 } = this.state;
    const top = w === 64 ? high : low << (32 - w);
    u32[CARRIES_LOW] = low & 8;
    // With CF kept, bit 62 says what makes OF right: OF = bit 63 xor bit 62.
    const kept = (u32[CARRIES_HIGH] as number) & 0x8000_0000;
    u32[CARRIES_HIGH] = keepCF ? kept | (((kept >>> 1) ^ top ^ (top >>> 1)) & 0x4000_0000) : top;
  }

  override condition(tttn: number): boolean {
    const { u32 } = this.state;
    const carries = u32[CARRIES_HIGH] as number;
    let holds: boolean;
    switch (tttn >> 1) {
      case 0: holds = ((carries ^ (carries << 1)) & 0x8000_0000) !== 0; break;
      case 1: holds = (carries & 0x8000_0000) !== 0; break;
      case 2: holds = ((u32[ZERO_LOW] as number) | (u32[ZERO_HIGH] as number)) === 0; break;
      case 3: holds = (carries & 0x8000_0000) !== 0 || ((u32[ZERO_LOW] as number) | (u32[ZERO_HIGH] as number)) === 0; break;
      case 4: holds = ((u32[SIGN_PARITY_HIGH] as number) & 0x8000_0000) !== 0; break;
      case 5: holds = evenParity(u32[SIGN_PARITY_LOW] as number); break;
      case 6: holds = ((u32[SIGN_PARITY_HIGH] as number ^ carries ^ (carries << 1)) & 0x8000_0000) !== 0; break;
      default: holds = ((u32[ZERO_LOW] as number) | (u32[ZERO_HIGH] as number)) === 0
        || ((u32[SIGN_PARITY_HIGH] as number ^ carries ^ (carries << 1)) & 0x8000_0000) !== 0;
    }
    return (tttn & 1) === 1 ? !holds : holds;
  }
}
