/** x87 transcendental instructions: their special operands, their stack. What they compute is in cpu/fpu/transcendental.ts. SDM Vol. 1, "Transcendental Instructions". */
import type { Cpu } from '../../cpu.ts';
import { FLAG, type Exact } from '../../floating-point/exact.ts';
import { setConditionCodes, STATUS, type Report } from '../../fpu/control.ts';
import { BIAS, classify, EXTENDED, exactOf, INDEFINITE, infinity, INTEGER_BIT, zero, type Float80 } from '../../fpu/float80.ts';
import { denormalFlag, exactly, INVALID, nanResult, withFlags, type Result } from '../../fpu/nan.ts';
import { pack, type Control } from '../../fpu/pack.ts';
import { isEmpty, pop, push, readSt, STACK_OVERFLOW, STACK_UNDERFLOW, writeSt } from '../../fpu/registers.ts';
import { angle, pi, powerOfTwoMinusOne, sineCosine, tangent, yLog2, yLog2OnePlus } from '../../fpu/transcendental.ts';
import type { SystemSemantics } from '../row.ts';
import { conclude, rounding, x87 } from './x87-operands.ts';

const ONE: Float80 = { sign: 0, exponent: BIAS, significand: INTEGER_BIT };
/** Angles from this exponent on are not reduced: C2 tells the program to do it. */
const TOO_LARGE = BIAS + 63;

const full = (cpu: Cpu): Control => ({ ...rounding(cpu), precision: EXTENDED.precision });
/** Rounds, unless an unmasked denormal operand stops it. */
function finite(c: Control, operands: readonly Float80[], compute: () => Exact): Result {
  const flags = denormalFlag(...operands);
  return flags !== 0 && (c.masked & FLAG.DE) === 0 ? exactly(operands[0] as Float80, flags) : withFlags(pack(compute(), c), flags);
}
const signed = (sign: number): 0 | 1 => (sign & 1) as 0 | 1;

/** What is left undefined is, as on silicon, the operand, as if it were inexact. */
const undefinedResult = (x: Float80, ...others: readonly Float80[]): Result => exactly(x, FLAG.PE | denormalFlag(x, ...others));

/** F2XM1 — Compute 2^x - 1, for |x| <= 1; outside that the result is undefined. */
export const F2XM1: SystemSemantics = x87((cpu) => {
  const { state } = cpu;
  if (isEmpty(state, 0)) return conclude(cpu, STACK_UNDERFLOW, () => writeSt(state, 0, INDEFINITE));
  const x = readSt(state, 0), kind = classify(x);
  const result = nanResult(x)
    ?? (kind === 'infinity' ? exactly(x.sign === 0 ? x : { ...ONE, sign: 1 })
      : x.exponent > BIAS || (x.exponent === BIAS && x.significand !== INTEGER_BIT) ? undefinedResult(x)
        : finite(full(cpu), [x], () => powerOfTwoMinusOne(exactOf(x))));
  return conclude(cpu, result, () => writeSt(state, 0, result.value));
});

/** An operation on ST(1) and ST(0) whose result replaces both. */
const binary = (operation: (cpu: Cpu, y: Float80, x: Float80) => Result): SystemSemantics => x87((cpu) => {
  const { state } = cpu;
  const finish = (report: Report, value: Float80): void => conclude(cpu, report, () => {
    writeSt(state, 1, value);
    pop(state);
  });
  if (isEmpty(state, 0) || isEmpty(state, 1)) return finish(STACK_UNDERFLOW, INDEFINITE);
  const y = readSt(state, 1), x = readSt(state, 0);
  const result = nanResult(y, x) ?? operation(cpu, y, x);
  return finish(result, result.value);
});

/** FYL2X — Compute y * log2(x). */
export const FYL2X: SystemSemantics = binary((cpu, y, x) => {
  const kindX = classify(x), kindY = classify(y);
  if (kindX === 'zero') {
    if (kindY === 'zero') return INVALID;
    return exactly(infinity(signed(y.sign + 1)), kindY === 'infinity' ? 0 : FLAG.ZE);
  }
  if (x.sign === 1) return INVALID;
  const isOne = x.exponent === BIAS && x.significand === INTEGER_BIT;
  if (kindX === 'infinity') return kindY === 'zero' ? INVALID : exactly(infinity(y.sign), denormalFlag(y));
  if (kindY === 'infinity') return isOne ? INVALID : exactly(infinity(signed(y.sign + (x.exponent < BIAS ? 1 : 0))), denormalFlag(x));
  if (isOne) return exactly(zero(y.sign), denormalFlag(y));
  if (kindY === 'zero') return exactly(zero(signed(y.sign + (x.exponent < BIAS ? 1 : 0))), denormalFlag(x));
  return finite(full(cpu), [y, x], () => yLog2(exactOf(x), exactOf(y)));
});

/** FYL2XP1 — Compute y * log2(x + 1), for small x; beyond 1 - sqrt(1/2) the result is undefined, here what the formula says where it says anything. */
export const FYL2XP1: SystemSemantics = binary((cpu, y, x) => {
  const kindX = classify(x), kindY = classify(y);
  const sign = signed(x.sign + y.sign);
  if (kindX === 'infinity') return x.sign === 1 || kindY === 'zero' ? INVALID : exactly(infinity(y.sign), denormalFlag(y));
  if (kindY === 'infinity') return kindX === 'zero' ? INVALID : exactly(infinity(sign), denormalFlag(x));
  if (kindX === 'zero' || kindY === 'zero') return exactly(zero(sign), denormalFlag(x, y));
  if (x.sign === 1 && x.exponent >= BIAS) return undefinedResult(x, y);
  return finite(full(cpu), [y, x], () => (x.exponent >= BIAS - 1 ? yLog2(onePlus(x), exactOf(y)) : yLog2OnePlus(exactOf(x), exactOf(y))));
});
function onePlus(x: Float80): Exact {
  const { negative, significand, exponent } = exactOf(x);
  if (exponent >= 0) return { negative, significand: (significand << BigInt(exponent)) + 1n, exponent: 0 };
  return { negative: false, significand: (1n << BigInt(-exponent)) + (negative ? -significand : significand), exponent };
}

/** FPATAN — Partial Arctangent: the angle of the point (ST(0), ST(1)). */
export const FPATAN: SystemSemantics = binary((cpu, y, x) => {
  const c = full(cpu);
  const kindX = classify(x), kindY = classify(y);
  const fraction = (numerator: bigint, denominator: bigint): Result => {
    const result = pack({ ...pi(numerator, denominator), negative: y.sign === 1 }, c);
    return withFlags(result, denormalFlag(x, y));
  };
  if (kindY === 'infinity') return kindX !== 'infinity' ? fraction(1n, 2n) : x.sign === 0 ? fraction(1n, 4n) : fraction(3n, 4n);
  if (kindX === 'infinity' || kindY === 'zero') return x.sign === 0 ? exactly(zero(y.sign), denormalFlag(x, y)) : fraction(1n, 1n);
  if (kindX === 'zero') return fraction(1n, 2n);
  return finite(c, [y, x], () => angle(exactOf(y), exactOf(x)));
});

/** An angle in ST(0): results replace it and, where there are two, the second is pushed. */
const trigonometric = (compute: (x: Float80, c: Control) => readonly Result[], pushes: boolean): SystemSemantics => x87((cpu) => {
  const { state } = cpu;
  const finish = (report: Report, values: readonly Float80[]): void => conclude(cpu, report, () => {
    writeSt(state, 0, values[0] as Float80);
    if (pushes) push(state, values[1] as Float80);
  });
  setConditionCodes(state, 0, STATUS.C2);
  if (isEmpty(state, 0)) return finish(STACK_UNDERFLOW, [INDEFINITE, INDEFINITE]);
  if (pushes && !isEmpty(state, -1)) return finish(STACK_OVERFLOW, [INDEFINITE, INDEFINITE]);
  const x = readSt(state, 0), kind = classify(x);
  const special = nanResult(x) ?? (kind === 'infinity' ? INVALID : undefined);
  if (special) return finish(special, [special.value, special.value]);
  if (x.exponent >= TOO_LARGE) return setConditionCodes(state, STATUS.C2, STATUS.C2 | STATUS.C1);
  const results = compute(x, full(cpu));
  return finish({ flags: results.reduce((flags, r) => flags | r.flags, 0), c1: results[0]?.c1 === true }, results.map((r) => r.value));
});
/** FSIN — Sine; FCOS — Cosine; FSINCOS — Sine and Cosine; FPTAN — Partial Tangent, which pushes 1.0. */
export const FSIN: SystemSemantics = trigonometric((x, c) => [finite(c, [x], () => sineCosine(exactOf(x)).sine)], false);
export const FCOS: SystemSemantics = trigonometric((x, c) => [finite(c, [x], () => sineCosine(exactOf(x)).cosine)], false);
export const FSINCOS: SystemSemantics = trigonometric((x, c) => {
  const { sine, cosine } = sineCosine(exactOf(x));
  return [finite(c, [x], () => sine), finite(c, [x], () => cosine)];
}, true);
export const FPTAN: SystemSemantics = trigonometric((x, c) => [finite(c, [x], () => tangent(exactOf(x))), exactly(ONE)], true);
