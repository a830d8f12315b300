/**
 * Double extended-precision arithmetic as functions in WebAssembly: exact on 64-bit integers, rounded once. A function takes significand and
 * sign-with-exponent of each operand, as they stand in a register, and the control word; it gives the result's significand, and its sign and
 * exponent in bits 15:0 with the bits of the status word that it sets, PE and C1, from bit 16. It answers for ordinary cases only: numbers that are
 * normal or zero, with a result that is. Everything else it declines with NOT_ORDINARY. No function branches, so all of it is a graph of values.
 */
import { FLAG, ROUND } from '../../floating-point/exact.ts';
import { STATUS } from '../../fpu/control.ts';
import { BIAS, INTEGER_BIT, MAX_EXPONENT } from '../../fpu/float80.ts';
import { unsupported } from '../../isa/unsupported-verb.ts';
import { Code } from '../wasm/code.ts';
import { ModuleWriter } from '../wasm/module.ts';
import { F64, I32, I64, NUMERIC as N, OP, SATURATING, type ValueType } from '../wasm/opcodes.ts';
import type { Node } from './node.ts';
import { ValueOps } from './value-ops.ts';

/** Where bits of the status word begin in a result. */
export const RAISED_SHIFT = 16;
/** In place of sign and exponent: negative, which no result is. */
export const NOT_ORDINARY = -1n;
export const EXTENDED_PARAMETERS: readonly ValueType[] = [I64, I32, I64, I32, I32];
export const EXTENDED_RESULTS: readonly ValueType[] = [I64, I32];
/** In the order in which modules import them. */
export const EXTENDED_FUNCTIONS = ['sum', 'product', 'quotient', 'root'] as const;
export type ExtendedFunction = (typeof EXTENDED_FUNCTIONS)[number];

/** An estimate of a root is this far below itself at most, and then below the root. */
const ESTIMATE_ERROR = 1n << 14n;
const LOW_HALF = 0xffff_ffffn;
/** Low bits of the significand that PC drops, a byte each. SDM Vol. 1, "Precision Control Field". */
const DROPPED_BY_PRECISION = 0x00_0b_00_28n;

interface Operand { readonly sign: Node; readonly exponent: Node; readonly significand: Node; readonly zero: Node; readonly ordinary: Node }
interface Rounded { readonly significand: Node; readonly exponent: Node; readonly raised: Node }

/** Values alone: a function that knows nothing of the guest. */
class ExtendedOps extends ValueOps {
  constructor(code: Code) { super(code, EXTENDED_PARAMETERS.length); }

  // ---------------------------------------------------------------------------------------------------- short names
  #i32(n: number): Node { return this.const(32, BigInt(n)); }
  #i64(n: bigint): Node { return this.const(64, n); }
  #all(...bits: readonly Node[]): Node { return bits.reduce((a, b) => this.andB(a, b)); }
  #wide(x: Node): Node { return this.zext(32, 64, x); }
  #isNot0(x: Node): Node { return this.not(this.isZero(64, x)); }
  /** Bits 127:64 and 63:0 shifted left by n, an i64 below 64. */
  #shiftedLeft(high: Node, low: Node, n: Node): { readonly high: Node; readonly low: Node } {
    const carried = this.shrU(64, this.shrU(64, low, this.#i64(1n)), this.sub(64, this.#i64(63n), n));
    return { high: this.or(64, this.shl(64, high, n), carried), low: this.shl(64, low, n) };
  }

  // ------------------------------------------------------------------------------------------------------- operands
  #operand(n: 0 | 1): Operand {
    const significand = this.inLocal(I64, 2 * n), high = this.inLocal(I32, 2 * n + 1);
    const exponent = this.and(32, high, this.#i32(MAX_EXPONENT));
    const zero = this.andB(this.isZero(64, significand), this.isZero(32, exponent));
    const normal = this.andB(this.ltS(64, significand, this.#i64(0n)), this.#isNormal(exponent));
    return { sign: this.bit(16, high, 15), exponent, significand, zero, ordinary: this.orB(zero, normal) };
  }
  #isNormal(exponent: Node): Node { return this.ltU(32, this.sub(32, exponent, this.#i32(1)), this.#i32(MAX_EXPONENT - 1)); }
  #mode(): Node { return this.and(32, this.shrU(32, this.inLocal(I32, 4), this.#i32(10)), this.#i32(3)); }
  /** How many low bits of a significand are dropped. */
  #dropped(): Node {
    const byte = this.and(32, this.shrU(32, this.inLocal(I32, 4), this.#i32(5)), this.#i32(0x18));
    return this.#wide(this.and(32, this.shrU(32, this.const(32, DROPPED_BY_PRECISION), byte), this.#i32(0xff)));
  }

  /** Rounds a significand, whose bit 63 is 1, with 64 bits behind it; the lowest stands for all that are below. `exponent` is biased. */
  #round(sign: Node, exponent: Node, high: Node, low: Node): Rounded {
    const dropped = this.#dropped(), mode = this.#mode();
    const unit = this.shl(64, this.#i64(1n), dropped), below = this.and(64, high, this.sub(64, unit, this.#i64(1n)));
    const kept = this.xor(64, high, below);
    // Half a unit is bit 63 of the rest. A shift by 64 would be one by 0.
    const rest = this.select(64, this.isZero(64, dropped), low,
      this.or(64, this.shl(64, below, this.sub(64, this.#i64(64n), dropped)), this.fromBit(64, this.#isNot0(low))));
    const tie = this.eq(64, rest, this.#i64(INTEGER_BIT));
    const odd = this.#isNot0(this.and(64, kept, unit));
    const nearest = this.orB(this.ltU(64, this.#i64(INTEGER_BIT), rest), this.andB(tie, odd));
    const inexact = this.#isNot0(rest);
    const away = this.andB(inexact, this.eq(32, mode, this.sub(32, this.#i32(ROUND.up), sign)));
    const up = this.select(32, this.isZero(32, mode), nearest, away);
    const sum = this.add(64, kept, this.select(64, up, unit, this.#i64(0n)));
    const carried = this.isZero(64, sum);
    return {
      significand: this.select(64, carried, this.#i64(INTEGER_BIT), sum),
      exponent: this.add(32, exponent, carried),
      raised: this.or(32, this.#raisedIf(inexact, FLAG.PE), this.#raisedIf(up, STATUS.C1)),
    };
  }
  #raisedIf(c: Node, flag: number): Node { return this.shl(32, c, this.#i32(RAISED_SHIFT + 31 - Math.clz32(flag))); }

  /** Gives the rounded result, or a zero where `zero`, if the operands were `ordinary`. */
  #give(ordinary: Node, sign: Node, { significand, exponent, raised }: Rounded, zero: Node, zeroSign: Node = sign): void {
    const withSign = (s: Node, rest: Node): Node => this.or(32, this.shl(32, s, this.#i32(15)), rest);
    const high = this.select(32, zero, withSign(zeroSign, this.#i32(0)), withSign(sign, this.or(32, exponent, raised)));
    const holds = this.andB(ordinary, this.orB(zero, this.#isNormal(exponent)));
    const results = [this.select(64, zero, this.#i64(0n), significand), this.select(32, holds, high, this.const(32, NOT_ORDINARY))];
    this.effect(results, () => { for (const x of results) this.emit(x); });
    this.flush();
  }

  // ----------------------------------------------------------------------------------------------------- operations
  sum(): void {
    const x = this.#operand(0), y = this.#operand(1);
    const exchange = this.orB(this.ltU(32, x.exponent, y.exponent), this.andB(this.eq(32, x.exponent, y.exponent), this.ltU(64, x.significand, y.significand)));
    const either = <K extends 'sign' | 'exponent' | 'significand'>(w: 32 | 64, k: K): [Node, Node] => [this.select(w, exchange, y[k], x[k]), this.select(w, exchange, x[k], y[k])];
    const [sign, otherSign] = either(32, 'sign'), [exponent, otherExponent] = either(32, 'exponent'), [larger, smaller] = either(64, 'significand');
    const subtract = this.xorB(sign, otherSign);

    // The smaller one, moved to the right into 128 bits; what falls out at the end stays as bit 0.
    const distance = this.#wide(this.sub(32, exponent, otherExponent)), places = this.and(64, distance, this.#i64(63n));
    const moved = this.shrU(64, smaller, places);
    const out = this.shl(64, this.shl(64, smaller, this.sub(64, this.#i64(63n), places)), this.#i64(1n));
    const near = this.ltU(64, distance, this.#i64(64n)), far = this.not(this.ltU(64, distance, this.#i64(128n)));
    const zero64 = this.#i64(0n);
    const high = this.select(64, near, moved, zero64);
    const low = this.select(64, near, out, this.select(64, far, this.fromBit(64, this.#isNot0(smaller)), this.or(64, moved, this.fromBit(64, this.#isNot0(out)))));

    // A sum may carry: then everything moves to the right by one.
    const total = this.add(64, larger, high), carries = this.ltU(64, total, larger);
    const one = this.#i64(1n), top = this.#i64(INTEGER_BIT);
    const sumHigh = this.select(64, carries, this.or(64, this.shrU(64, total, one), top), total);
    const sumLow = this.select(64, carries, this.or(64, this.or(64, this.shrU(64, low, one), this.shl(64, total, this.#i64(63n))), this.and(64, low, one)), low);
    // A difference may begin with zeros: it moves to the left.
    const differenceLow = this.sub(64, zero64, low);
    const differenceHigh = this.sub(64, this.sub(64, larger, high), this.fromBit(64, this.#isNot0(low)));
    const skip = this.isZero(64, differenceHigh);
    const first = this.select(64, skip, differenceLow, differenceHigh), second = this.select(64, skip, zero64, differenceLow);
    const zeros = this.clz(64, first);
    const normal = this.#shiftedLeft(first, second, zeros);
    const lost = this.add(32, this.trunc(64, 32, zeros), this.shl(32, skip, this.#i32(6)));

    const resultHigh = this.select(64, subtract, normal.high, sumHigh);
    const rounded = this.#round(sign, this.select(32, subtract, this.sub(32, exponent, lost), this.add(32, exponent, carries)), resultHigh, this.select(64, subtract, normal.low, sumLow));
    const zero = this.select(32, subtract, this.isZero(64, first), this.andB(x.zero, y.zero));
    // An exact difference of nothing is negative only where rounding goes down.
    const zeroSign = this.select(32, subtract, this.eq(32, this.#mode(), this.#i32(ROUND.down)), sign);
    this.#give(this.andB(x.ordinary, y.ordinary), sign, rounded, zero, zeroSign);
  }

  product(): void {
    const x = this.#operand(0), y = this.#operand(1), one = this.#i64(1n);
    const high = this.mulHighU(64, x.significand, y.significand), low = this.mul(64, x.significand, y.significand);
    // Between 1 and 4: bit 127 or 126 is the first.
    const small = this.not(this.bit(64, high, 63));
    const moved = this.#shiftedLeft(high, low, one);
    const sign = this.xorB(x.sign, y.sign);
    const exponent = this.sub(32, this.add(32, this.add(32, x.exponent, y.exponent), this.#i32(1 - BIAS)), small);
    const rounded = this.#round(sign, exponent, this.select(64, small, moved.high, high), this.select(64, small, moved.low, low));
    this.#give(this.andB(x.ordinary, y.ordinary), sign, rounded, this.orB(x.zero, y.zero));
  }

  quotient(): void {
    const x = this.#operand(0), y = this.#operand(1), one = this.#i64(1n), zero64 = this.#i64(0n);
    // Without its top bit the divisor is none of the ordinary; it must not be zero all the same.
    const divisor = this.or(64, y.significand, this.#i64(INTEGER_BIT));
    // The dividend is moved so that the quotient has 64 bits.
    const large = this.not(this.ltU(64, x.significand, divisor));
    const high = this.select(64, large, this.shrU(64, x.significand, one), x.significand);
    const low = this.select(64, large, this.shl(64, x.significand, this.#i64(63n)), zero64);
    const { quotient, remainder } = this.#divide(high, low, divisor);
    // The rest against half of the divisor: rest = 1/2 and more, and whether there is any.
    const twice = this.shl(64, remainder, one);
    const half = this.orB(this.bit(64, remainder, 63), this.not(this.ltU(64, twice, divisor)));
    const more = this.#isNot0(this.sub(64, twice, this.select(64, half, divisor, zero64)));
    const rest = this.or(64, this.bitAt(half, 63), this.fromBit(64, more));
    const sign = this.xorB(x.sign, y.sign);
    const exponent = this.add(32, this.sub(32, x.exponent, y.exponent), this.add(32, this.#i32(BIAS - 1), large));
    this.#give(this.#all(x.ordinary, y.ordinary, this.not(y.zero)), sign, this.#round(sign, exponent, quotient, rest), x.zero);
  }
  /** The 128-bit number high:low by d, whose bit 63 is 1; high < d. Two digits of 32 bits. Knuth, "The Art of Computer Programming", 4.3.1, Algorithm D. */
  #divide(high: Node, low: Node, d: Node): { readonly quotient: Node; readonly remainder: Node } {
    const half = this.#i64(32n), base = this.#i64(1n << 32n), mask = this.#i64(LOW_HALF);
    const top = this.shrU(64, d, half), bottom = this.and(64, d, mask);
    const digit = (rest: Node, next: Node): { readonly digit: Node; readonly rest: Node } => {
      const { quotient, remainder } = this.divU(64, this.#i64(0n), rest, top);
      const tooLarge = (q: Node, r: Node): Node => this.orB(this.not(this.ltU(64, q, base)), this.ltU(64, this.or(64, this.shl(64, r, half), next), this.mul(64, q, bottom)));
      const once = tooLarge(quotient, remainder);
      const q1 = this.sub(64, quotient, this.fromBit(64, once)), r1 = this.add(64, remainder, this.select(64, once, top, this.#i64(0n)));
      const twice = this.#all(once, this.ltU(64, r1, base), tooLarge(q1, r1));
      const q2 = this.sub(64, q1, this.fromBit(64, twice));
      return { digit: q2, rest: this.sub(64, this.or(64, this.shl(64, rest, half), next), this.mul(64, q2, d)) };
    };
    const first = digit(high, this.shrU(64, low, half)), second = digit(first.rest, this.and(64, low, mask));
    return { quotient: this.or(64, this.shl(64, first.digit, half), second.digit), remainder: second.rest };
  }

  /** Of the first operand. The root of a 128-bit radicand: estimated in double precision, one step of Newton's, and at most two of one unit. */
  root(): void {
    const x = this.#operand(0), one = this.#i64(1n), zero64 = this.#i64(0n);
    const significand = this.or(64, x.significand, this.#i64(INTEGER_BIT));
    // The bias is odd: a power of four has an odd exponent.
    const odd = this.and(32, x.exponent, this.#i32(1));
    const high = this.select(64, odd, this.shrU(64, significand, one), significand);
    const low = this.select(64, odd, this.shl(64, significand, this.#i64(63n)), zero64);
    const scaled = this.node(F64, N.f64_sqrt, this.node(F64, N.f64_convert_i64_s, this.shrU(64, high, one)));
    const estimate = this.shl(64, this.node(I64, SATURATING.i64_trunc_sat_f64_s, this.node(F64, N.f64_mul, scaled, this.#f64(2 ** 31.5))), one);
    const below = this.sub(64, estimate, this.#i64(ESTIMATE_ERROR));
    const rest = this.#minusSquare(high, low, below);
    const step = this.divU(64, zero64, this.or(64, this.shl(64, rest.high, this.#i64(32n)), this.shrU(64, rest.low, this.#i64(32n))), this.shrU(64, below, this.#i64(31n))).quotient;
    let root = this.add(64, below, this.sub(64, step, one));
    let left = this.#minusSquare(high, low, root);
    for (let n = 0; n < 2; n++) {
      // (r + 1)^2 = r^2 + 2 r + 1
      const more = { high: this.shrU(64, root, this.#i64(63n)), low: this.or(64, this.shl(64, root, one), one) };
      const less = this.#difference(left, more);
      const fits = this.not(this.orB(this.ltU(64, left.high, more.high), this.andB(this.eq(64, left.high, more.high), this.ltU(64, left.low, more.low))));
      root = this.add(64, root, this.fromBit(64, fits));
      left = { high: this.select(64, fits, less.high, left.high), low: this.select(64, fits, less.low, left.low) };
    }
    // More than half a unit is left where it is more than the root.
    const half = this.orB(this.#isNot0(left.high), this.ltU(64, root, left.low));
    const behind = this.or(64, this.bitAt(half, 63), this.fromBit(64, this.#isNot0(this.or(64, left.high, left.low))));
    const exponent = this.shrU(32, this.add(32, this.add(32, x.exponent, odd), this.#i32(BIAS - 1)), this.#i32(1));
    this.#give(this.andB(x.ordinary, this.orB(x.zero, this.not(x.sign))), x.sign, this.#round(x.sign, exponent, root, behind), x.zero);
  }
  #f64(value: number): Node {
    const x = this.node(F64, OP.f64_const);
    x.immediates = [...new Uint8Array(Float64Array.of(value).buffer)];
    return x;
  }
  #difference(a: { readonly high: Node; readonly low: Node }, b: { readonly high: Node; readonly low: Node }): { readonly high: Node; readonly low: Node } {
    return { high: this.sub(64, this.sub(64, a.high, b.high), this.fromBit(64, this.ltU(64, a.low, b.low))), low: this.sub(64, a.low, b.low) };
  }
  #minusSquare(high: Node, low: Node, root: Node): { readonly high: Node; readonly low: Node } {
    return this.#difference({ high, low }, { high: this.mulHighU(64, root, root), low: this.mul(64, root, root) });
  }

  // ------------------------------------------------------------------------------------- what such a function has not
  protected leaveUnless(c: Node): void { if (c.value !== 1n) unsupported('leaveUnless'); }
  imm(): never { return unsupported('imm'); }
  nextIp(): never { return unsupported('nextIp'); }
  getReg(): never { return unsupported('getReg'); }
  setReg(): never { return unsupported('setReg'); }
  effectiveAddress(): never { return unsupported('effectiveAddress'); }
  getFlag(): never { return unsupported('getFlag'); }
  setFlag(): never { return unsupported('setFlag'); }
  requireAligned(): never { return unsupported('requireAligned'); }
  load(): never { return unsupported('load'); }
  store(): never { return unsupported('store'); }
  when(): never { return unsupported('when'); }
  fault(): never { return unsupported('fault'); }
  goto(): never { return unsupported('goto'); }
  gotoIf(): never { return unsupported('gotoIf'); }
  gotoIndirect(): never { return unsupported('gotoIndirect'); }
  repeatIf(): never { return unsupported('repeatIf'); }
}

let functions: Readonly<Record<ExtendedFunction, (aSignificand: bigint, aHigh: number, bSignificand: bigint, bHigh: number, control: number) => [bigint, number]>> | undefined;
/** The functions, compiled when they are first asked for. They have no state, so that one set serves all machines. */
export function extendedFunctions(): NonNullable<typeof functions> {
  if (functions !== undefined) return functions;
  const module = new ModuleWriter();
  const signature = module.signature(EXTENDED_PARAMETERS, EXTENDED_RESULTS);
  for (const name of EXTENDED_FUNCTIONS) {
    const code = new Code(), ops = new ExtendedOps(code);
    ops[name]();
    module.add({ signature, locals: ops.locals, code: code.bytes.slice(), name });
  }
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.bytes()));
  return functions = exports as unknown as NonNullable<typeof functions>;
}
/** Lets a module call them: function n is EXTENDED_FUNCTIONS[n]. The instance gets `extendedFunctions()` as `x`. */
export function importExtendedFunctions(module: ModuleWriter): void {
  const signature = module.signature(EXTENDED_PARAMETERS, EXTENDED_RESULTS);
  for (const name of EXTENDED_FUNCTIONS) module.importFunction('x', name, signature);
}
