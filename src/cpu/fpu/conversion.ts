/** Between registers and memory: single and double precision, integers, packed decimals. SDM Vol. 1, "x87 FPU Instruction Set", "Data Transfer Instructions". */
import { DOUBLE, dropBits, FLAG, minExponent, round, SINGLE, type Format, type Rounding } from '../floating-point/exact.ts';
import { indefinite, infinity, pack, quieted as quietedBits, unpack, zero } from '../floating-point/format.ts';
import { classify, encode, exactOf, fromInteger, INTEGER_BIT, MAX_EXPONENT, quieted, type Float80 } from './float80.ts';
import { exactly, type Result } from './nan.ts';
import { environment, roundedUp, roundUnbounded } from './pack.ts';

/** The formats in memory that are binary floating point. */
export const FORMATS: Readonly<Record<32 | 64, Format>> = { 32: SINGLE, 64: DOUBLE };
export const fractionBits = (f: Format): number => f.precision - 1;

/** A number of 32 or 64 bits at a register's width: exact, signaling NaNs stay such. `denormal`: it was one in its own format, which cannot be seen any more. */
export interface Widened { readonly value: Float80; readonly denormal: boolean }

export function widen(bits: 32 | 64, raw: bigint): Widened {
  const f = FORMATS[bits];
  const { kind, value, flags } = unpack(f, raw, environment(0));
  if (kind === 'finite') return { value: encode(value), denormal: flags !== 0 };
  const fraction = BigInt.asUintN(fractionBits(f), raw) << BigInt(63 - fractionBits(f));
  return { value: { sign: value.negative ? 1 : 0, exponent: MAX_EXPONENT, significand: INTEGER_BIT | fraction }, denormal: false };
}

/** What FLD makes of memory: signaling NaNs become quiet (IE), denormals are flagged (DE). */
export function fromMemory(bits: 32 | 64, raw: bigint): Result {
  const { value, denormal } = widen(bits, raw);
  return classify(value) === 'signaling' ? exactly(quieted(value), FLAG.IE) : exactly(value, denormal ? FLAG.DE : 0);
}

/** The flags of an operation whose operand from memory was denormal: DE comes behind the other exceptions that stop an operation, and NaNs hide it. */
export const withDenormalOperand = (flags: number, x: Widened, isNaN: boolean): number => (x.denormal && !isNaN && (flags & (FLAG.IE | FLAG.ZE)) === 0 ? flags | FLAG.DE : flags);

/** What a store to memory gives; `stored` is false where an unmasked exception forbids it. */
export interface Stored { readonly raw: bigint; readonly flags: number; readonly c1: boolean; readonly stored: boolean }

const storedExactly = (raw: bigint): Stored => ({ raw, flags: 0, c1: false, stored: true });
const storedInvalid = (raw: bigint, masked: number): Stored => ({ raw, flags: FLAG.IE, c1: false, stored: (masked & FLAG.IE) !== 0 });
const notStored = (flags: number): Stored => ({ raw: 0n, flags, c1: false, stored: false });

/** A register's value as a number of 32 or 64 bits. Overflow and underflow that are not masked store nothing. */
export function toMemory(bits: 32 | 64, x: Float80, mode: Rounding, masked: number): Stored {
  const f = FORMATS[bits], negative = x.sign === 1;
  const nan = (): bigint => quietedBits(f, infinity(f, negative) | BigInt.asUintN(fractionBits(f), x.significand >> BigInt(63 - fractionBits(f))));
  switch (classify(x)) {
    case 'zero': return storedExactly(zero(f, negative));
    case 'infinity': return storedExactly(infinity(f, negative));
    case 'quiet': return storedExactly(nan());
    case 'signaling': return storedInvalid(nan(), masked);
    case 'unsupported': return storedInvalid(indefinite(f), masked);
    default:
  }
  const exact = exactOf(x);
  const { top } = roundUnbounded(exact, f.precision, mode);
  if (top > 1 - minExponent(f) && (masked & FLAG.OE) === 0) return notStored(FLAG.OE);
  if (top < minExponent(f) && (masked & FLAG.UE) === 0) return notStored(FLAG.UE);
  const rounded = round(f, exact, environment(mode));
  return { raw: pack(f, exact, environment(mode)).bits, flags: rounded.flags, c1: rounded.infinite || ((rounded.flags & FLAG.OE) === 0 && roundedUp(exact, rounded)), stored: true };
}

/** The indefinite QNaN of a memory format. */
export const indefiniteReal = (bits: 32 | 64): bigint => indefinite(FORMATS[bits]);

/** The integer that a value rounds to; undefined for what is no number, or has more than 64 bits by far. */
export function integral(x: Float80, mode: Rounding): { readonly value: bigint; readonly inexact: boolean; readonly up: boolean } | undefined {
  const kind = classify(x);
  if (kind === 'zero') return { value: 0n, inexact: false, up: false };
  if (kind !== 'normal' && kind !== 'denormal') return undefined;
  const exact = exactOf(x);
  if (exact.exponent > 64) return undefined;
  const { significand: whole, inexact } = dropBits(exact, -exact.exponent, mode);
  return { value: exact.negative ? -whole : whole, inexact, up: inexact && whole << BigInt(-exact.exponent) > exact.significand };
}

/** A register's value as a signed integer of 16, 32 or 64 bits; the integer indefinite where it has none. */
export function toInteger(bits: 16 | 32 | 64, x: Float80, mode: Rounding, masked: number): Stored {
  const r = integral(x, mode);
  if (!r || BigInt.asIntN(bits, r.value) !== r.value) return storedInvalid(1n << BigInt(bits - 1), masked);
  return { raw: BigInt.asUintN(bits, r.value), flags: r.inexact ? FLAG.PE : 0, c1: r.up, stored: true };
}

const DIGITS = 18;
/** FFFF C000 0000 0000 0000h. */
const PACKED_INDEFINITE = 0xffff_c000_0000_0000_0000n;

/** A packed decimal of 18 digits and a sign. Digits above 9 have no defined result; here they count as they are. */
export function fromPackedDecimal(raw: bigint): Float80 {
  let value = 0n;
  for (let n = DIGITS - 1; n >= 0; n--) value = value * 10n + ((raw >> BigInt(4 * n)) & 15n);
  return { ...fromInteger(value), sign: Number((raw >> 79n) & 1n) as 0 | 1 };
}

export function toPackedDecimal(x: Float80, mode: Rounding, masked: number): Stored {
  const r = integral(x, mode);
  const magnitude = r && (r.value < 0n ? -r.value : r.value);
  if (r === undefined || magnitude === undefined || magnitude >= 10n ** BigInt(DIGITS)) return storedInvalid(PACKED_INDEFINITE, masked);
  const digits = BigInt(`0x${magnitude.toString(10)}`);
  return { raw: (BigInt(x.sign) << 79n) | digits, flags: r.inexact ? FLAG.PE : 0, c1: r.up, stored: true };
}
