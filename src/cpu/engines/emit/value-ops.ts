/** The vocabulary as generated WebAssembly: arithmetic and bits. Constants are computed here and now. */
import type { Width } from '../../isa/operand.ts';
import { I32, I64, NUMERIC as N, OP, type ValueType } from '../wasm/opcodes.ts';
import { GraphOps, typeOf } from './graph-ops.ts';
import type { Node } from './node.ts';

type Binary = 'add' | 'sub' | 'mul' | 'and' | 'or' | 'xor' | 'shl' | 'shr_u' | 'shr_s' | 'rotl';

export abstract class ValueOps extends GraphOps {
  #binary(w: Width, name: Binary, a: Node, b: Node): Node {
    return w === 64 ? this.node(I64, N[`i64_${name}`], a, b) : this.node(I32, N[`i32_${name}`], a, b);
  }
  /** The low w bits, as every value must be. */
  #mask(w: Width, x: Node): Node {
    if (w >= 32) return x;
    const masked = this.node(I32, N.i32_and, x, this.const(32, w === 8 ? 0xffn : 0xffffn));
    masked.loose = x;
    masked.looseWidth = w;
    return masked;
  }
  /** A node that agrees with x in the low w bits: for what looks no further. */
  protected loose(w: Width, x: Node): Node { return x.loose && x.looseWidth >= w ? x.loose : x; }
  /** An i32 that is the w-bit value, sign-extended; the value itself for 32 and 64 bits. */
  #signed(w: Width, a: Node): Node {
    if (w >= 32) return a;
    return this.node(I32, w === 8 ? N.i32_extend8_s : N.i32_extend16_s, this.loose(w, a));
  }

  add(w: Width, a: Node, b: Node): Node {
    if (b.value === 0n) return a;
    if (a.value === 0n) return b;
    if (a.value !== undefined && b.value !== undefined) return this.const(w, a.value + b.value);
    return this.#mask(w, this.#binary(w, 'add', this.loose(w, a), this.loose(w, b)));
  }
  sub(w: Width, a: Node, b: Node): Node {
    if (b.value === 0n) return a;
    if (a.value !== undefined && b.value !== undefined) return this.const(w, a.value - b.value);
    return this.#mask(w, this.#binary(w, 'sub', this.loose(w, a), this.loose(w, b)));
  }
  mul(w: Width, a: Node, b: Node): Node { return this.#mask(w, this.#binary(w, 'mul', this.loose(w, a), this.loose(w, b))); }
  and(w: Width, a: Node, b: Node): Node {
    if (a === b) return a;
    if (a.value !== undefined && b.value !== undefined) return this.const(w, a.value & b.value);
    if (a.value === 0n || b.value === 0n) return this.const(w, 0n);
    return this.#binary(w, 'and', a, b);
  }
  or(w: Width, a: Node, b: Node): Node {
    if (a.value === 0n || a === b) return b;
    if (b.value === 0n) return a;
    if (a.value !== undefined && b.value !== undefined) return this.const(w, a.value | b.value);
    return this.#binary(w, 'or', a, b);
  }
  xor(w: Width, a: Node, b: Node): Node {
    if (a === b) return this.const(w, 0n);
    if (b.value === 0n) return a;
    if (a.value !== undefined && b.value !== undefined) return this.const(w, a.value ^ b.value);
    return this.#binary(w, 'xor', a, b);
  }
  override inv(w: Width, a: Node): Node { return a.value === undefined ? this.xor(w, a, this.const(w, -1n)) : this.const(w, ~a.value); }

  shl(w: Width, a: Node, n: Node): Node {
    if (n.value === 0n) return a;
    if (a.value !== undefined && n.value !== undefined) return this.const(w, a.value << n.value);
    return this.#mask(w, this.#binary(w, 'shl', a, n));
  }
  shrU(w: Width, a: Node, n: Node): Node {
    if (n.value === 0n) return a;
    if (a.value !== undefined && n.value !== undefined) return this.const(w, a.value >> n.value);
    return this.#binary(w, 'shr_u', a, n);
  }
  shrS(w: Width, a: Node, n: Node): Node {
    if (n.value === 0n) return a;
    return this.#mask(w, this.#binary(w, 'shr_s', this.#signed(w, a), n));
  }
  rotl(w: Width, a: Node, n: Node): Node {
    if (n.value === 0n) return a;
    if (w >= 32) return this.#binary(w, 'rotl', a, n);
    // n may be 0: the right shift by w is then one of at most 16 in 32 bits.
    return this.#mask(w, this.#binary(32, 'or', this.#binary(32, 'shl', a, n), this.#binary(32, 'shr_u', a, this.#binary(32, 'sub', this.const(32, BigInt(w)), n))));
  }

  mulHighU(w: Width, a: Node, b: Node): Node {
    if (w < 32) return this.#binary(32, 'shr_u', this.#binary(32, 'mul', a, b), this.const(32, BigInt(w)));
    if (w === 32) return this.#upper(this.#binary(64, 'mul', this.zext(32, 64, a), this.zext(32, 64, b)), 'shr_u');
    return this.#mulHigh64(a, b, 'shr_u');
  }
  mulHighS(w: Width, a: Node, b: Node): Node {
    if (w < 32) return this.#mask(w, this.#binary(32, 'shr_s', this.#binary(32, 'mul', this.#signed(w, a), this.#signed(w, b)), this.const(32, BigInt(w))));
    if (w === 32) return this.#upper(this.#binary(64, 'mul', this.sext(32, 64, a), this.sext(32, 64, b)), 'shr_u');
    return this.#mulHigh64(a, b, 'shr_s');
  }
  #upper(x: Node, shift: 'shr_u' | 'shr_s'): Node { return this.node(I32, N.i32_wrap_i64, this.#binary(64, shift, x, this.const(64, 32n))); }
  /** From four products of halves; the upper halves are signed where the operands are. Hacker's Delight, "High-Order Half of 64-Bit Product". */
  #mulHigh64(a: Node, b: Node, shift: 'shr_u' | 'shr_s'): Node {
    const low = (x: Node): Node => this.and(64, x, this.const(64, 0xffff_ffffn));
    const high = (x: Node): Node => this.#binary(64, shift, x, this.const(64, 32n));
    const product = (x: Node, y: Node): Node => this.#binary(64, 'mul', x, y);
    const sum = (x: Node, y: Node): Node => this.#binary(64, 'add', x, y);
    const a0 = low(a), b0 = low(b), a1 = high(a), b1 = high(b);
    const carry = this.#binary(64, 'shr_u', product(a0, b0), this.const(64, 32n));
    const t = sum(product(a1, b0), carry);
    const u = sum(product(a0, b1), low(t));
    return sum(sum(product(a1, b1), high(t)), high(u));
  }

  /** A statement, because it traps where its condition is not checked yet. */
  divU(w: Width, high: Node, low: Node, d: Node): { quotient: Node; remainder: Node } {
    if (w === 64) this.leaveUnless(this.eq(64, high, this.const(64, 0n)));
    const type = w >= 32 ? I64 : I32;
    const narrow = (x: Node): Node => (w === 32 ? this.node(I32, N.i32_wrap_i64, x) : x);
    const wide = (x: Node): Node => (w === 32 ? this.zext(32, 64, x) : x);
    const dividend = w === 64 ? low : type === I64
      ? this.#binary(64, 'or', this.#binary(64, 'shl', wide(high), this.const(64, 32n)), wide(low))
      : this.#binary(32, 'or', this.#binary(32, 'shl', high, this.const(32, BigInt(w))), low);
    const divisor = wide(d);
    const divide = (op: number): Node => this.value(type, [dividend, divisor], () => {
      this.emit(dividend);
      this.emit(divisor);
      this.code.byte(op);
    }, true);
    return {
      quotient: narrow(divide(type === I64 ? N.i64_div_u : N.i32_div_u)),
      remainder: narrow(divide(type === I64 ? N.i64_rem_u : N.i32_rem_u)),
    };
  }
  /** Leaves before this instruction, for the reference engine to execute it, unless c is 1. */
  protected abstract leaveUnless(c: Node): void;

  clz(w: Width, a: Node): Node {
    if (w === 64) return this.node(I64, N.i64_clz, a);
    const zeros = this.node(I32, N.i32_clz, a);
    return w === 32 ? zeros : this.#binary(32, 'sub', zeros, this.const(32, BigInt(32 - w)));
  }
  ctz(w: Width, a: Node): Node {
    if (w === 64) return this.node(I64, N.i64_ctz, a);
    return this.node(I32, N.i32_ctz, w === 32 ? a : this.#binary(32, 'or', a, this.const(32, 1n << BigInt(w))));
  }
  popcnt(w: Width, a: Node): Node { return w === 64 ? this.node(I64, N.i64_popcnt, a) : this.node(I32, N.i32_popcnt, a); }

  zext(from: Width, to: Width, a: Node): Node {
    if (a.value !== undefined) return this.const(to, a.value);
    return to === 64 && from < 64 ? this.node(I64, N.i64_extend_i32_u, a) : a;
  }
  sext(from: Width, to: Width, a: Node): Node {
    if (a.value !== undefined) return this.const(to, BigInt.asIntN(from, a.value));
    if (from === to) return a;
    const signed = this.#signed(from, a);
    return to === 64 ? this.node(I64, N.i64_extend_i32_s, signed) : this.#mask(to, signed);
  }
  trunc(from: Width, to: Width, a: Node): Node {
    if (a.value !== undefined) return this.const(to, a.value);
    // The lower half of a value that was made from 32 bits.
    if (from === 64 && to < 64 && a.op === N.i64_extend_i32_u && a.local < 0) return to === 32 ? a.a! : this.#mask(to, a.a!);
    const narrower = from === 64 && to < 64 ? this.node(I32, N.i32_wrap_i64, a) : this.loose(to, a);
    return this.#mask(to, narrower);
  }
  select(w: Width, c: Node, a: Node, b: Node): Node {
    if (c.value !== undefined) return c.value === 1n ? a : b;
    return a === b ? a : this.node(typeOf(w), OP.select, a, b, c);
  }
  fromBit(w: Width, b: Node): Node {
    if (b.value !== undefined) return this.const(w, b.value);
    return w === 64 ? this.node(I64, N.i64_extend_i32_u, b) : b;
  }

  bit(w: Width, a: Node, n: number): Node {
    if (a.value !== undefined) return this.const(32, (a.value >> BigInt(n)) & 1n);
    const shifted = this.shrU(w === 64 ? 64 : 32, a, this.const(w === 64 ? 64 : 32, BigInt(n)));
    const low = w === 64 ? this.node(I32, N.i32_wrap_i64, shifted) : shifted;
    return n === w - 1 ? low : this.and(32, low, this.const(32, 1n));
  }
  #compare(w: Width, name: 'eq' | 'lt_u' | 'lt_s', a: Node, b: Node): Node {
    return this.node(I32, w === 64 ? N[`i64_${name}`] : N[`i32_${name}`], a, b);
  }
  eq(w: Width, a: Node, b: Node): Node {
    if (a.value !== undefined && b.value !== undefined) return this.const(32, a.value === b.value ? 1n : 0n);
    if (a === b) return this.const(32, 1n);
    return b.value === 0n ? this.node(I32, w === 64 ? N.i64_eqz : N.i32_eqz, a) : this.#compare(w, 'eq', a, b);
  }
  ltU(w: Width, a: Node, b: Node): Node {
    if (a.value !== undefined && b.value !== undefined) return this.const(32, a.value < b.value ? 1n : 0n);
    return this.#compare(w, 'lt_u', a, b);
  }
  ltS(w: Width, a: Node, b: Node): Node {
    return this.#compare(w, 'lt_s', this.#signed(w, a), this.#signed(w, b));
  }
  parity8(a: Node): Node {
    const odd = this.and(32, this.node(I32, N.i32_popcnt, a), this.const(32, 1n));
    return this.not(odd);
  }
  not(a: Node): Node {
    if (a.value !== undefined) return this.const(32, 1n - a.value);
    if (a.negated) return a.negated;
    const result = this.node(I32, N.i32_eqz, a);
    result.negated = a;
    return result;
  }
  andB(a: Node, b: Node): Node { return this.and(32, a, b); }
  orB(a: Node, b: Node): Node { return this.or(32, a, b); }
  xorB(a: Node, b: Node): Node { return this.xor(32, a, b); }
  override constBit(b: 0 | 1): Node { return this.const(32, BigInt(b)); }

  /** A bit as bit n of an i64. */
  protected bitAt(b: Node, n: number): Node { return this.shl(64, this.fromBit(64, b), this.const(64, BigInt(n))); }
  protected typeOf(w: Width): ValueType { return typeOf(w); }
}
