/**
 * The vocabulary interpreted as widths: a value is its width in bits, and every verb checks that its operands have the
 * width it was told. Generated code has no masks for 32-bit values; a verb that is told a wrong width would be a wrong
 * answer there that the bigint engine never shows.
 */
import type { Segment } from '../../state/layout.ts';
import type { Instruction } from '../isa/instruction.ts';
import type { ImmediateOperand, MemoryOperand, MmxOperand, RegisterOperand, RelativeOperand, Width } from '../isa/operand.ts';
import { LANE_BITS, type OneOfLanes } from '../isa/vector-ops.ts';
import { Ops, type Flag } from '../isa/ops.ts';
import type { Located } from '../isa/x87-ops.ts';

/** A semantics that mixes widths. `message` names the row, the verb and the widths. */
export class WidthError extends Error {}

const OFFSET_WIDTH = 64;

class WidthOps extends Ops<Width, true, 'vector', 'extended'> {
  readonly row: string;
  constructor(row: string) {
    super();
    this.row = row;
  }

  private same(verb: string, w: Width, ...values: Width[]): Width {
    if (values.some((value) => value !== w)) throw new WidthError(`${this.row}: ${verb} of ${w} bits with ${values.join(' and ')}`);
    return w;
  }
  private narrower(verb: string, small: Width, large: Width): void {
    if (small > large) throw new WidthError(`${this.row}: ${verb} from ${verb === 'trunc' ? large : small} to ${verb === 'trunc' ? small : large} bits`);
  }

  const(w: Width): Width { return w; }
  imm(w: Width, _x: ImmediateOperand): Width { return w; }
  nextIp(): Width { return 64; }
  getReg(x: RegisterOperand): Width { return x.width; }
  setReg(x: RegisterOperand, v: Width): void { this.same('setReg', x.width, v); }
  effectiveAddress(_x: MemoryOperand): Width { return OFFSET_WIDTH; }
  override elementAddress(_x: MemoryOperand, index: Width): Width { return this.same('elementAddress', OFFSET_WIDTH, index); }

  add(w: Width, a: Width, b: Width): Width { return this.same('add', w, a, b); }
  sub(w: Width, a: Width, b: Width): Width { return this.same('sub', w, a, b); }
  mul(w: Width, a: Width, b: Width): Width { return this.same('mul', w, a, b); }
  mulHighU(w: Width, a: Width, b: Width): Width { return this.same('mulHighU', w, a, b); }
  mulHighS(w: Width, a: Width, b: Width): Width { return this.same('mulHighS', w, a, b); }
  divU(w: Width, high: Width, low: Width, d: Width): { quotient: Width; remainder: Width } {
    this.same('divU', w, high, low, d);
    return { quotient: w, remainder: w };
  }
  and(w: Width, a: Width, b: Width): Width { return this.same('and', w, a, b); }
  or(w: Width, a: Width, b: Width): Width { return this.same('or', w, a, b); }
  xor(w: Width, a: Width, b: Width): Width { return this.same('xor', w, a, b); }
  shl(w: Width, a: Width, n: Width): Width { return this.same('shl', w, a, n); }
  shrU(w: Width, a: Width, n: Width): Width { return this.same('shrU', w, a, n); }
  shrS(w: Width, a: Width, n: Width): Width { return this.same('shrS', w, a, n); }
  rotl(w: Width, a: Width, n: Width): Width { return this.same('rotl', w, a, n); }
  clz(w: Width, a: Width): Width { return this.same('clz', w, a); }
  ctz(w: Width, a: Width): Width { return this.same('ctz', w, a); }
  popcnt(w: Width, a: Width): Width { return this.same('popcnt', w, a); }
  zext(from: Width, to: Width, a: Width): Width {
    this.same('zext', from, a);
    this.narrower('zext', from, to);
    return to;
  }
  sext(from: Width, to: Width, a: Width): Width {
    this.same('sext', from, a);
    this.narrower('sext', from, to);
    return to;
  }
  trunc(from: Width, to: Width, a: Width): Width {
    this.same('trunc', from, a);
    this.narrower('trunc', to, from);
    return to;
  }
  select(w: Width, _c: true, a: Width, b: Width): Width { return this.same('select', w, a, b); }
  fromBit(w: Width, _b: true): Width { return w; }

  bit(w: Width, a: Width, n: number): true {
    this.same('bit', w, a);
    if (n < 0 || n >= w) throw new WidthError(`${this.row}: bit ${n} of ${w} bits`);
    return true;
  }
  eq(w: Width, a: Width, b: Width): true { this.same('eq', w, a, b); return true; }
  ltU(w: Width, a: Width, b: Width): true { this.same('ltU', w, a, b); return true; }
  ltS(w: Width, a: Width, b: Width): true { this.same('ltS', w, a, b); return true; }
  parity8(a: Width): true { this.same('parity8', 8, a); return true; }
  not(): true { return true; }
  andB(): true { return true; }
  orB(): true { return true; }
  xorB(): true { return true; }
  getFlag(_f: Flag): true { return true; }
  setFlag(_f: Flag, _b: true): void { /* a bit has no width */ }

  load(w: Width, _segment: Segment, offset: Width): Width {
    this.same('offset', OFFSET_WIDTH, offset);
    return w;
  }
  store(w: Width, _segment: Segment, offset: Width, v: Width): void {
    this.same('offset', OFFSET_WIDTH, offset);
    this.same('store', w, v);
  }
  requireAligned(_bytes: 16, _segment: Segment, offset: Width): void { this.same('offset', OFFSET_WIDTH, offset); }

  override requireSse(): void { /* nothing to check */ }
  override requireAvx(): void { /* nothing to check */ }
  override getYmmHigh(): 'vector' { return 'vector'; }
  override setYmmHigh(): void { /* all vectors have 128 bits */ }
  override getXmm(): 'vector' { return 'vector'; }
  override setXmm(): void { /* all vectors have 128 bits */ }
  override requireX87(): void { /* nothing to check */ }
  override noteX87(memory: Located<Width> | undefined): void { if (memory !== undefined) this.same('offset', OFFSET_WIDTH, memory.offset); }
  override getSt(): 'extended' { return 'extended'; }
  override loadExtended({ offset }: Located<Width>): 'extended' { this.same('offset', OFFSET_WIDTH, offset); return 'extended'; }
  override fromReal(w: 32 | 64, raw: Width): 'extended' { this.same('fromReal', w, raw); return 'extended'; }
  override constantX87(): 'extended' { return 'extended'; }
  override operate(): 'extended' { return 'extended'; }
  override squareRoot(): 'extended' { return 'extended'; }
  override withSign(): 'extended' { return 'extended'; }
  override conclude(_raised: readonly 'extended'[], body: () => void): void { body(); }
  override storeExtended({ offset }: Located<Width>, _v: 'extended', body: () => void): void {
    this.same('offset', OFFSET_WIDTH, offset);
    body();
  }
  override pushSt(): void { /* nothing to check */ }
  override setSt(): void { /* nothing to check */ }
  override popSt(): void { /* nothing to check */ }
  override requireMmx(): void { /* nothing to check */ }
  override getMmx(): Width { return 64; }
  override setMmx(_x: MmxOperand, v: Width): void { this.same('setMmx', 64, v); }
  override enterMmx(): void { /* nothing to check */ }
  override constX(): 'vector' { return 'vector'; }
  override laneX(shape: OneOfLanes, _a: 'vector', n: number | ImmediateOperand): Width { this.lane(shape, n); return LANE_BITS[shape]; }
  override replaceLaneX(shape: OneOfLanes, _a: 'vector', n: number | ImmediateOperand, v: Width): 'vector' {
    this.lane(shape, n);
    this.same('replaceLaneX', LANE_BITS[shape], v);
    return 'vector';
  }
  private lane(shape: OneOfLanes, n: number | ImmediateOperand): void {
    if (typeof n === 'number' && (n < 0 || n * LANE_BITS[shape] >= 128)) throw new WidthError(`${this.row}: lane ${n} of ${shape}`);
  }
  override loadX(_segment: Segment, offset: Width): 'vector' { this.same('offset', OFFSET_WIDTH, offset); return 'vector'; }
  override storeX(_segment: Segment, offset: Width): void { this.same('offset', OFFSET_WIDTH, offset); }
  override storeY(_segment: Segment, offset: Width): void { this.same('offset', OFFSET_WIDTH, offset); }
  override loadWhere(_c: true, w: 32 | 64, _segment: Segment, offset: Width): Width { this.same('offset', OFFSET_WIDTH, offset); return w; }
  override storeWhere(w: 32 | 64, _segment: Segment, parts: readonly { readonly offset: Width; readonly value: Width }[]): void {
    this.same('offset', OFFSET_WIDTH, ...parts.map(({ offset }) => offset));
    this.same('storeWhere', w, ...parts.map(({ value }) => value));
  }
  override storeMaskedX(_segment: Segment, offset: Width): void { this.same('offset', OFFSET_WIDTH, offset); }
  override storeMaskedMmx(_segment: Segment, offset: Width, v: Width, mask: Width): void {
    this.same('offset', OFFSET_WIDTH, offset);
    this.same('storeMaskedMmx', 64, v, mask);
  }
  override vectorX(): 'vector' { return 'vector'; }
  override shiftX(_op: string, _a: 'vector', count: Width): 'vector' { this.same('shiftX', 64, count); return 'vector'; }
  override shuffleX(bytes: readonly number[]): 'vector' {
    if (bytes.length !== 16 || bytes.some((n) => n < 0 || n > 31)) throw new WidthError(`${this.row}: shuffle by ${bytes.join(' ')}`);
    return 'vector';
  }
  override shuffleByX(): 'vector' { return 'vector'; }
  override sadBlocksX(): 'vector' { return 'vector'; }
  override compareStringsX(_a: 'vector', _b: 'vector', lengths: readonly [Width, Width] | undefined): Width {
    return lengths ? this.same('compareStringsX', 32, ...lengths) : 32;
  }
  override stringMaskX(comparison: Width): 'vector' { this.same('stringMaskX', 32, comparison); return 'vector'; }
  override bitmaskX(): Width { return 32; }
  override floatX(): 'vector' { return 'vector'; }
  override halvesFromFloatX(): 'vector' { return 'vector'; }
  override fusedX(): 'vector' { return 'vector'; }
  override compareFloatX(): 'vector' { return 'vector'; }
  override roundFloatX(): 'vector' { return 'vector'; }
  override orderFloatX(): Width { return 8; }
  override integerFromFloatX(w: 32 | 64): Width { return w; }
  override floatFromIntegerX(_lane: string, _a: 'vector', w: 32 | 64, v: Width): 'vector' { this.same('floatFromIntegerX', w, v); return 'vector'; }
  override getMxcsr(): Width { return 32; }
  override setMxcsr(v: Width): void { this.same('setMxcsr', 32, v); }

  when(_c: true, body: () => void): void { body(); }
  override readPort(w: 8 | 16 | 32, port: Width): Width {
    this.same('port', 16, port);
    return w;
  }
  override writePort(w: 8 | 16 | 32, port: Width, v: Width): void {
    this.same('port', 16, port);
    this.same('writePort', w, v);
  }
  fault(_vector: number): void { /* nothing to check */ }
  goto(_x: RelativeOperand): void { /* nothing to check */ }
  gotoIf(_c: true, _x: RelativeOperand): void { /* nothing to check */ }
  gotoIndirect(ip: Width): void { this.same('gotoIndirect', 64, ip); }
  repeatIf(_c: true): void { /* nothing to check */ }
}

/** Throws WidthError if the semantics of a translated instruction mixes widths; does nothing for a system instruction. */
export function checkWidths(i: Instruction): void {
  if (i.row.meaning.kind !== 'system') i.row.meaning.semantics(new WidthOps(i.row.text), i);
}
