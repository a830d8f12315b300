/** The exact arithmetic beside the host's own: IEEE 754 in JavaScript rounds to nearest and has no flags, so these have tests of their own. */
import { describe, expect, test } from 'vitest';
import { add, compare, divide, max, min, multiply, root, subtract } from '../../src/cpu/floating-point/arithmetic.ts';
import { convert, fromInteger, toInteger } from '../../src/cpu/floating-point/convert.ts';
import { DOUBLE, FLAG, ROUND, SINGLE, type Environment, type Format, type Rounding } from '../../src/cpu/floating-point/exact.ts';
import { indefinite } from '../../src/cpu/floating-point/format.ts';
import { Random, seedOf } from '../support/random.ts';

const seed = seedOf('floating point');
const NEAREST: Environment = { rounding: ROUND.nearest, denormalsAreZero: false, flushToZero: false, overflowMasked: true, underflowMasked: true };
const rounding = (mode: Rounding): Environment => ({ ...NEAREST, rounding: mode });

const doubles = new Float64Array(1), doubleBits = new BigUint64Array(doubles.buffer);
const singles = new Float32Array(1), singleBits = new Uint32Array(singles.buffer);
const HOST = new Map<Format, { bits: (x: number) => bigint; number: (bits: bigint) => number }>([
  [DOUBLE, { bits: (x) => { doubles[0] = x; return doubleBits[0] as bigint; }, number: (b) => { doubleBits[0] = b; return doubles[0] as number; } }],
  [SINGLE, { bits: (x) => { singles[0] = x; return BigInt(singleBits[0] as number); }, number: (b) => { singleBits[0] = Number(b); return singles[0] as number; } }],
]);
const double = (x: number): bigint => (HOST.get(DOUBLE) as { bits: (x: number) => bigint }).bits(x);
const single = (x: number): bigint => (HOST.get(SINGLE) as { bits: (x: number) => bigint }).bits(x);

/** Numbers close to each other in size, denormals, and anything. */
function someBits(f: Format, r: Random): bigint {
  const width = BigInt(f.precision + f.exponentBits);
  const fraction = BigInt(f.precision - 1);
  const kind = r.below(4);
  const any = r.u64() & ((1n << width) - 1n);
  if (kind === 0) return any;
  const low = any & ((1n << fraction) - 1n);
  const bias = (1n << BigInt(f.exponentBits - 1)) - 1n;
  const exponent = kind === 1 ? BigInt(r.below(3)) : kind === 2 ? bias + BigInt(r.between(-3, 3)) : bias + BigInt(r.between(-60, 60));
  return (r.chance(50) ? 1n << (width - 1n) : 0n) | (exponent << fraction) | (r.chance(30) ? low & 0xfn : low);
}

describe.each([['single', SINGLE], ['double', DOUBLE]] as const)('%s precision', (_name, f) => {
  const host = HOST.get(f) as NonNullable<ReturnType<typeof HOST.get>>;
  const operations = [
    ['addition', add, (x: number, y: number) => x + y], ['subtraction', subtract, (x: number, y: number) => x - y],
    ['multiplication', multiply, (x: number, y: number) => x * y], ['division', divide, (x: number, y: number) => x / y],
    ['square root', (g: Format, a: bigint, _b: bigint, e: Environment) => root(g, a, e), (x: number) => Math.sqrt(x)],
  ] as const;
  // A double holds sums, products, quotients and roots of singles exactly enough for the second rounding to be right.
  test.each(operations)('%s rounds to nearest as the host does', (_operation, ours, theirs) => {
    const r = new Random(seed);
    const wrong: string[] = [];
    for (let k = 0; k < 20_000; k++) {
      const a = someBits(f, r), b = someBits(f, r);
      const got = host.number(ours(f, a, b, NEAREST).bits);
      const expected = host.number(host.bits(theirs(host.number(a), host.number(b))));
      if (!Object.is(got, expected)) wrong.push(`${a.toString(16)} ${b.toString(16)}: ${got}, expected ${expected}`);
    }
    expect(wrong.slice(0, 5), `seed ${seed}`).toEqual([]);
  });
  test('the exact result lies between those rounded down and up, which are neighbours or equal', () => {
    const r = new Random(seed ^ 1);
    const wrong: string[] = [];
    for (let k = 0; k < 5000; k++) {
      const a = someBits(f, r), b = someBits(f, r);
      for (const [name, operation] of operations) {
        const at = (mode: Rounding): { bits: bigint; flags: number } => operation(f, a, b, rounding(mode));
        const nearest = at(ROUND.nearest), down = at(ROUND.down), up = at(ROUND.up), cut = at(ROUND.zero);
        const value = host.number(nearest.bits), exact = (nearest.flags & FLAG.PE) === 0;
        // The sign of an exact zero follows the mode.
        if (Number.isNaN(value) || (exact && value === 0)) continue;
        const negative = value < 0 || Object.is(value, -0);
        const right = (nearest.bits === down.bits || nearest.bits === up.bits) && cut.bits === (negative ? up.bits : down.bits)
          && (exact ? down.bits === up.bits : host.number(down.bits) < host.number(up.bits));
        if (!right) wrong.push(`${name} of ${a.toString(16)} and ${b.toString(16)}`);
      }
    }
    expect(wrong.slice(0, 5), `seed ${seed}`).toEqual([]);
  });
});

describe('conversions', () => {
  test('double to single is what the host rounds to, single to double is exact', () => {
    const r = new Random(seed ^ 2);
    const number = (f: Format, bits: bigint): number => (HOST.get(f) as { number: (b: bigint) => number }).number(bits);
    const wrong: string[] = [];
    for (let k = 0; k < 20_000; k++) {
      const a = someBits(DOUBLE, r), b = someBits(SINGLE, r);
      const x = number(DOUBLE, a), y = number(SINGLE, b);
      if (!Number.isNaN(x) && convert(DOUBLE, SINGLE, a, NEAREST).bits !== single(x)) wrong.push(a.toString(16));
      if (!Number.isNaN(y) && convert(SINGLE, DOUBLE, b, NEAREST).bits !== double(y)) wrong.push(b.toString(16));
    }
    expect(wrong.slice(0, 5), `seed ${seed}`).toEqual([]);
  });
  test.each([
    [2.5, ROUND.nearest, 2n], [3.5, ROUND.nearest, 4n], [-2.5, ROUND.nearest, -2n], [2.5, ROUND.up, 3n], [-2.5, ROUND.up, -2n], [-2.5, ROUND.down, -3n], [2.9, ROUND.zero, 2n],
  ] as const)('%s to an integer in mode %s is %s', (x, mode, expected) => {
    expect(toInteger(DOUBLE, double(x), 32, rounding(mode))).toEqual({ bits: BigInt.asUintN(32, expected), flags: FLAG.PE });
  });
  test('what no integer holds is the integer indefinite', () => {
    for (const x of [2 ** 31, NaN, Infinity, -(2 ** 31) - 1]) expect(toInteger(DOUBLE, double(x), 32, NEAREST)).toEqual({ bits: 0x8000_0000n, flags: FLAG.IE });
    expect(toInteger(DOUBLE, double(-(2 ** 31)), 32, NEAREST)).toEqual({ bits: 0x8000_0000n, flags: 0 });
    // 2147483647.5 is 2^31 when rounded to nearest.
    expect(toInteger(DOUBLE, double(2147483647.5), 32, NEAREST).flags).toBe(FLAG.IE);
    expect(toInteger(DOUBLE, double(2147483647.5), 32, rounding(ROUND.zero))).toEqual({ bits: 0x7fff_ffffn, flags: FLAG.PE });
  });
  test('integers round where the format has fewer bits', () => {
    expect(fromInteger(DOUBLE, 2n ** 53n + 1n, NEAREST)).toEqual({ bits: double(2 ** 53), flags: FLAG.PE });
    expect(fromInteger(DOUBLE, -(2n ** 63n), NEAREST)).toEqual({ bits: double(-(2 ** 63)), flags: 0 });
    expect(fromInteger(SINGLE, 0n, rounding(ROUND.down))).toEqual({ bits: 0n, flags: 0 });
  });
});

describe('exceptions', () => {
  const LARGEST = Number.MAX_VALUE, SMALLEST = 2 ** -1022, DENORMAL = Number.MIN_VALUE;
  test.each([
    ['an inexact sum', add, 1, 2 ** -60, FLAG.PE],
    ['an overflow', multiply, LARGEST, 2, FLAG.OE | FLAG.PE],
    ['an inexact denormal', multiply, SMALLEST, 1 / 3, FLAG.UE | FLAG.PE],
    ['an exact denormal', multiply, SMALLEST, 0.5, 0],
    ['a denormal operand', add, DENORMAL, 1, FLAG.DE | FLAG.PE],
    ['a division by zero', divide, 1, 0, FLAG.ZE],
    ['zero by zero', divide, 0, 0, FLAG.IE],
    ['infinity less infinity', subtract, Infinity, Infinity, FLAG.IE],
    ['infinity times zero', multiply, Infinity, 0, FLAG.IE],
    ['a quiet NaN', add, NaN, DENORMAL, 0],
  ] as const)('%s', (_what, operation, a, b, flags) => {
    expect(operation(DOUBLE, double(a), double(b), NEAREST).flags).toBe(flags);
  });
  test('a result that rounding makes normal is not tiny', () => {
    // (1 + 2^-52) * (2^-1022 - 2^-1074): less than 2^-1022 before rounding, 2^-1022 after it.
    expect(multiply(DOUBLE, double(1 + 2 ** -52), double(SMALLEST - DENORMAL), NEAREST).flags & FLAG.UE).toBe(0);
  });
  test('an overflow gives infinity or the largest number, by mode and sign', () => {
    const results = ([ROUND.nearest, ROUND.down, ROUND.up, ROUND.zero] as const).map((mode) => multiply(DOUBLE, double(-LARGEST), double(2), rounding(mode)).bits);
    expect(results).toEqual([-Infinity, -Infinity, -LARGEST, -LARGEST].map(double));
  });
  test('flush to zero keeps the sign and says that something was lost', () => {
    expect(multiply(DOUBLE, double(-SMALLEST), double(0.5), { ...NEAREST, flushToZero: true })).toEqual({ bits: double(-0), flags: FLAG.UE | FLAG.PE });
  });
  test('with an underflow that is not masked the result is one even where it is exact', () => {
    expect(multiply(DOUBLE, double(SMALLEST), double(0.5), { ...NEAREST, underflowMasked: false }).flags).toBe(FLAG.UE);
  });
  test('denormals that are read as zeros are not reported', () => {
    expect(divide(DOUBLE, double(1), double(-DENORMAL), { ...NEAREST, denormalsAreZero: true })).toEqual({ bits: double(-Infinity), flags: FLAG.ZE });
  });
});

describe('NaNs and zeros', () => {
  const SNAN = 0x7ff0_0000_0000_0001n, QNAN = 0xfff8_0000_0000_0002n;
  test('the first operand’s NaN is the result, made quiet', () => {
    expect(add(DOUBLE, SNAN, QNAN, NEAREST)).toEqual({ bits: 0x7ff8_0000_0000_0001n, flags: FLAG.IE });
    expect(add(DOUBLE, QNAN, SNAN, NEAREST)).toEqual({ bits: QNAN, flags: FLAG.IE });
    expect(subtract(DOUBLE, double(1), QNAN, NEAREST)).toEqual({ bits: QNAN, flags: 0 });
  });
  test('an invalid operation gives the indefinite', () => {
    expect(root(DOUBLE, double(-1), NEAREST)).toEqual({ bits: indefinite(DOUBLE), flags: FLAG.IE });
    expect(indefinite(SINGLE)).toBe(0xffc0_0000n);
  });
  test('MIN and MAX return the second operand of a NaN or of two zeros', () => {
    expect(min(DOUBLE, QNAN, double(1), NEAREST)).toEqual({ bits: double(1), flags: FLAG.IE });
    expect(max(DOUBLE, double(1), QNAN, NEAREST)).toEqual({ bits: QNAN, flags: FLAG.IE });
    expect(min(DOUBLE, double(0), double(-0), NEAREST).bits).toBe(double(-0));
    expect(max(DOUBLE, double(0), double(-0), NEAREST).bits).toBe(double(-0));
  });
  test('comparison orders negative numbers and says of NaNs that they are unordered', () => {
    expect(compare(DOUBLE, double(-2), double(-1), NEAREST, 'quiet')).toEqual({ order: 'less', flags: 0 });
    expect(compare(DOUBLE, double(-0), double(0), NEAREST, 'quiet')).toEqual({ order: 'equal', flags: 0 });
    expect(compare(DOUBLE, QNAN, double(0), NEAREST, 'quiet')).toEqual({ order: 'unordered', flags: 0 });
    expect(compare(DOUBLE, QNAN, double(0), NEAREST, 'signals')).toEqual({ order: 'unordered', flags: FLAG.IE });
  });
  test('x - x is negative zero only where rounding goes down', () => {
    expect(subtract(DOUBLE, double(1), double(1), NEAREST).bits).toBe(double(0));
    expect(subtract(DOUBLE, double(1), double(1), rounding(ROUND.down)).bits).toBe(double(-0));
  });
});
