/** The string comparisons of SSE4.2. SDM Vol. 1, "PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM". */

/** Fields of the control byte. */
const WORDS = 1, SIGNED = 2, MASKED = 0x20, NEGATIVE = 0x10;
const AGGREGATION = { equalAny: 0, ranges: 1, equalEach: 2, equalOrdered: 3 } as const;

const wordSize = (control: number): number => ((control & WORDS) !== 0 ? 16 : 8);

/** The elements of a register as numbers, signed or not as the control says. */
function elements(v: bigint, control: number): number[] {
  const bits = wordSize(control);
  return Array.from({ length: 128 / bits }, (_, n) => {
    const element = v >> BigInt(bits * n);
    return Number((control & SIGNED) !== 0 ? BigInt.asIntN(bits, element) : BigInt.asUintN(bits, element));
  });
}

/** IntRes2 in bits 15:0; bit 16: b is shorter than its register, bit 17: a is. `lengths`: of a and b; undefined: up to the first zero. */
export function compareStrings(a: bigint, b: bigint, lengths: readonly [number, number] | undefined, control: number): number {
  const x = elements(a, control), y = elements(b, control);
  const count = x.length;
  const upToZero = (list: readonly number[]): number => { const at = list.indexOf(0); return at < 0 ? count : at; };
  const xs = lengths ? Math.min(lengths[0], count) : upToZero(x), ys = lengths ? Math.min(lengths[1], count) : upToZero(y);
  const inside = (n: number): boolean => n < ys;
  /** Elements of a that are valid, with their numbers. */
  const some = (f: (value: number, n: number) => boolean): boolean => x.some((value, n) => n < xs && f(value, n));

  const matches = (j: number): boolean => {
    const value = y[j] as number;
    switch ((control >> 2) & 3) {
      case AGGREGATION.equalAny: return inside(j) && some((other) => other === value);
      case AGGREGATION.ranges: return inside(j) && some((low, n) => n % 2 === 0 && n + 1 < xs && low <= value && value <= (x[n + 1] as number));
      // Both behind their ends: equal. One of them: not.
      case AGGREGATION.equalEach: return j < xs && inside(j) ? x[j] === value : j >= xs && !inside(j);
      // a as far as it goes stands in b from here, or as far as the register goes.
      default: return !some((other, n) => j + n < count && !(inside(j + n) && y[j + n] === other));
    }
  };
  let result = 0;
  for (let j = 0; j < count; j++) {
    const negated = (control & NEGATIVE) !== 0 && ((control & MASKED) === 0 || inside(j));
    if (matches(j) !== negated) result |= 1 << j;
  }
  return result | (ys < count ? 1 << 16 : 0) | (xs < count ? 1 << 17 : 0);
}

/** IntRes2 as a mask: bits, or whole elements with bit 6 of the control. */
export function stringMask(result: number, control: number): bigint {
  if ((control & 0x40) === 0) return BigInt(result & 0xffff);
  const bits = wordSize(control);
  let mask = 0n;
  for (let n = 0; n < 128 / bits; n++) if (((result >> n) & 1) === 1) mask |= ((1n << BigInt(bits)) - 1n) << BigInt(bits * n);
  return mask;
}
