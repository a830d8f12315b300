/**
 * The vocabulary interpreted as effects: which registers, flags and memory an instruction can touch. For highlights in a
 * debugger, liveness in a translator, and a law over every row: what the table declares is what the semantics does.
 */
import type { Segment } from '../../state/layout.ts';
import type { Instruction } from '../isa/instruction.ts';
import { NO_REGISTER, RSP, type ImmediateOperand, type MemoryOperand, type MmxOperand, type RegisterOperand, type RelativeOperand, type Width, type XmmOperand } from '../isa/operand.ts';
import { Ops, type Flag, type Intent } from '../isa/ops.ts';
import { MXCSR_FREE, type Float, type FloatOp } from '../isa/vector-ops.ts';
import type { Located } from '../isa/x87-ops.ts';

/** What an instruction can do. Sets hold register numbers 0-15. */
export interface Effects {
  readonly registersRead: ReadonlySet<number>;
  readonly registersWritten: ReadonlySet<number>;
  readonly xmmRead: ReadonlySet<number>;
  readonly xmmWritten: ReadonlySet<number>;
  readonly mmxRead: ReadonlySet<number>;
  readonly mmxWritten: ReadonlySet<number>;
  /** TOP and the tags of the x87 FPU are set to those of an MMX state. */
  readonly entersMmx: boolean;
  /** Rounding and masks of MXCSR are read; its flags are written. */
  readonly mxcsrRead: boolean;
  readonly mxcsrWritten: boolean;
  readonly flagsRead: ReadonlySet<Flag>;
  /** Every flag that the instruction writes on some path. */
  readonly flagsWritten: ReadonlySet<Flag>;
  /** The flags among them that it writes on every path: those that are dead before it. */
  readonly flagsAlwaysWritten: ReadonlySet<Flag>;
  readonly memoryRead: boolean;
  readonly memoryWritten: boolean;
  readonly portRead: boolean;
  readonly portWritten: boolean;
  /** Segments whose memory is accessed. */
  readonly segments: ReadonlySet<Segment>;
  /** It can raise an exception. */
  readonly mayFault: boolean;
  /** It can go on elsewhere than behind itself. */
  readonly branches: boolean;
  /** It can run again (REP). */
  readonly repeats: boolean;
}

/** Values and bits carry nothing: only the verbs matter. A body under `when` is taken, and noted as conditional. */
class EffectsOps extends Ops<null, null, null, null> {
  readonly registersRead = new Set<number>();
  readonly registersWritten = new Set<number>();
  readonly xmmRead = new Set<number>();
  readonly xmmWritten = new Set<number>();
  readonly mmxRead = new Set<number>();
  readonly mmxWritten = new Set<number>();
  entersMmx = false;
  readonly flagsRead = new Set<Flag>();
  readonly flagsWritten = new Set<Flag>();
  readonly flagsAlwaysWritten = new Set<Flag>();
  readonly segments = new Set<Segment>();
  mxcsrRead = false;
  mxcsrWritten = false;
  memoryRead = false;
  portRead = false;
  portWritten = false;
  memoryWritten = false;
  mayFault = false;
  branches = false;
  repeats = false;
  private conditions = 0;

  const(): null { return null; }
  imm(_w: Width, _x: ImmediateOperand): null { return null; }
  nextIp(): null { return null; }
  getReg(x: RegisterOperand): null { this.registersRead.add(x.number); return null; }
  setReg(x: RegisterOperand): void { this.registersWritten.add(x.number); }
  effectiveAddress(x: MemoryOperand, popped?: 2 | 4 | 8): null {
    for (const register of [x.base, x.index]) if (register !== NO_REGISTER) this.registersRead.add(register);
    if (popped !== undefined && x.base === RSP) this.registersRead.add(RSP);
    return null;
  }

  override elementAddress(x: MemoryOperand): null { return this.effectiveAddress(x); }

  add(): null { return null; }
  sub(): null { return null; }
  mul(): null { return null; }
  mulHighU(): null { return null; }
  mulHighS(): null { return null; }
  divU(): { quotient: null; remainder: null } { return { quotient: null, remainder: null }; }
  and(): null { return null; }
  or(): null { return null; }
  xor(): null { return null; }
  shl(): null { return null; }
  shrU(): null { return null; }
  shrS(): null { return null; }
  rotl(): null { return null; }
  clz(): null { return null; }
  ctz(): null { return null; }
  popcnt(): null { return null; }
  zext(): null { return null; }
  sext(): null { return null; }
  trunc(): null { return null; }
  select(): null { return null; }
  fromBit(): null { return null; }
  bit(): null { return null; }
  eq(): null { return null; }
  ltU(): null { return null; }
  ltS(): null { return null; }
  parity8(): null { return null; }
  not(): null { return null; }
  andB(): null { return null; }
  orB(): null { return null; }
  xorB(): null { return null; }
  getFlag(f: Flag): null { this.flagsRead.add(f); return null; }
  setFlag(f: Flag): void {
    this.flagsWritten.add(f);
    if (this.conditions === 0) this.flagsAlwaysWritten.add(f);
  }

  load(_w: Width, segment: Segment, _offset: null, intent: Intent = 'read'): null {
    this.segments.add(segment);
    this.memoryRead = true;
    if (intent === 'modify') this.memoryWritten = true;
    this.mayFault = true;
    return null;
  }
  store(_w: Width, segment: Segment): void {
    this.segments.add(segment);
    this.memoryWritten = true;
    this.mayFault = true;
  }
  requireAligned(): void { this.mayFault = true; }

  override requireSse(): void { this.mayFault = true; }
  override requireAvx(): void { this.mayFault = true; }
  override getXmm(x: XmmOperand): null { this.xmmRead.add(x.number); return null; }
  override setXmm(x: XmmOperand): void { this.xmmWritten.add(x.number); }
  override getYmmHigh(x: XmmOperand): null { return this.getXmm(x); }
  override setYmmHigh(x: XmmOperand): void { this.setXmm(x); }
  override requireX87(): void { this.mayFault = true; }
  override noteX87(): void { /* what it writes are no operands */ }
  override getSt(): null { return null; }
  override loadExtended({ operand }: Located<null>): null { return this.load(64, operand.segment, null); }
  override fromReal(): null { return null; }
  override constantX87(): null { return null; }
  override operate(): null { return null; }
  override squareRoot(): null { return null; }
  override withSign(): null { return null; }
  override conclude(_raised: readonly null[], body: () => void): void { body(); }
  override storeExtended({ operand }: Located<null>, _v: null, body: () => void): void {
    this.store(64, operand.segment);
    body();
  }
  override pushSt(): void { /* no flag, no general register */ }
  override setSt(): void { /* the same */ }
  override popSt(): void { /* the same */ }
  override requireMmx(): void { this.mayFault = true; }
  override getMmx(x: MmxOperand): null { this.mmxRead.add(x.number); return null; }
  override setMmx(x: MmxOperand): void {
    this.mmxWritten.add(x.number);
    this.entersMmx = true;
  }
  override enterMmx(): void { this.entersMmx = true; }
  override constX(): null { return null; }
  override laneX(): null { return null; }
  override replaceLaneX(): null { return null; }
  override loadX(segment: Segment): null {
    this.segments.add(segment);
    this.memoryRead = true;
    this.mayFault = true;
    return null;
  }
  override storeX(segment: Segment): void { this.store(64, segment); }
  override storeY(segment: Segment): void { this.store(64, segment); }
  override loadWhere(_c: null, _w: 32 | 64, segment: Segment): null { return this.loadX(segment); }
  override storeWhere(_w: 32 | 64, segment: Segment): void { this.store(64, segment); }
  override storeMaskedX(segment: Segment): void { this.store(64, segment); }
  override storeMaskedMmx(segment: Segment): void { this.store(64, segment); }
  override vectorX(): null { return null; }
  override shiftX(): null { return null; }
  override shuffleX(): null { return null; }
  override shuffleByX(): null { return null; }
  override sadBlocksX(): null { return null; }
  override compareStringsX(): null { return null; }
  override stringMaskX(): null { return null; }
  override bitmaskX(): null { return null; }
  override floatX(op: FloatOp): null { return MXCSR_FREE.has(op) ? null : this.underMxcsr(); }
  override halvesFromFloatX(): null { return this.underMxcsr(); }
  override fusedX(): null { return this.underMxcsr(); }
  override compareFloatX(): null { return this.underMxcsr(); }
  override roundFloatX(): null { return this.underMxcsr(); }
  override orderFloatX(): null { return this.underMxcsr(); }
  override integerFromFloatX(): null { return this.underMxcsr(); }
  override floatFromIntegerX(lane: Float, _a: null, w: 32 | 64): null { return lane === 'f64' && w === 32 ? null : this.underMxcsr(); }
  private underMxcsr(): null {
    this.mxcsrRead = true;
    this.mxcsrWritten = true;
    this.mayFault = true;
    return null;
  }
  override getMxcsr(): null { this.mxcsrRead = true; return null; }
  override setMxcsr(): void {
    this.mxcsrWritten = true;
    this.mayFault = true;
  }

  when(_c: null, body: () => void): void {
    this.conditions++;
    body();
    this.conditions--;
  }
  override readPort(): null { this.portRead = this.mayFault = true; return null; }
  override writePort(): void { this.portWritten = this.mayFault = true; }
  fault(): void { this.mayFault = true; }
  goto(_x: RelativeOperand): void { this.gotoIndirect(); }
  gotoIf(_c: null, _x: RelativeOperand): void { this.gotoIndirect(); }
  gotoIndirect(): void {
    this.branches = true;
    this.mayFault = true;
  }
  repeatIf(): void { this.repeats = true; }
}

/** The effects of a translated instruction; undefined for a system instruction, whose meaning is not written over the vocabulary. */
export function effectsOf(i: Instruction): Effects | undefined {
  if (i.row.meaning.kind === 'system') return undefined;
  const ops = new EffectsOps();
  i.row.meaning.semantics(ops, i);
  return ops;
}
