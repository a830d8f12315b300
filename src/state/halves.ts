/**
 * 64-bit values as two 32-bit numbers, which cost no allocation, and as the bigint that they are elsewhere. One buffer is seen both ways, so
 * that no arithmetic on bigints happens.
 */
const wide = new BigUint64Array(1);
const halves = new Uint32Array(wide.buffer);

/** Bits 31:0. */
export function lowOf(value: bigint): number {
  wide[0] = value;
  return halves[0]!;
}

/** Bits 63:32. */
export function highOf(value: bigint): number {
  wide[0] = value;
  return halves[1]!;
}

/** The value of two halves, signed or unsigned. */
export function joined(low: number, high: number): bigint {
  halves[0] = low;
  halves[1] = high;
  return wide[0]!;
}
