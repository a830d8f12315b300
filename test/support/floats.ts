/** Floating-point operands of examples, highest lane first, as the manual draws them; MXCSR. */
const scratch = new DataView(new ArrayBuffer(8));
/** The bits of a single- and of a double-precision number. */
export const s = (x: number): bigint => { scratch.setFloat32(0, x); return BigInt(scratch.getUint32(0)); };
export const d = (x: number): bigint => { scratch.setFloat64(0, x); return scratch.getBigUint64(0); };
export const ps = (...lanes: readonly [number, number, number, number]): bigint => lanes.reduce((v, x) => (v << 32n) | s(x), 0n);
export const pd = (high: number, low: number): bigint => (d(high) << 64n) | d(low);

/** MXCSR: flags, and the default, with other fields or one exception not masked. */
export const IE = 1, DE = 2, ZE = 4, OE = 8, UE = 16, PE = 32;
export const DEFAULT = 0x1f80, DAZ = 0x40, FTZ = 0x8000, DOWN = 0x2000, UP = 0x4000, CUT = 0x6000;
export const unmasked = (flag: number): number => DEFAULT & ~(flag << 7);
