/** Loads and stores of chosen elements: VMASKMOVPS and its kin, and the gathers of AVX2. */
import type { MemoryOperand, XmmOperand } from '../operand.ts';
import type { Instruction } from '../instruction.ts';
import type { Ops } from '../ops.ts';
import type { Semantics } from '../row.ts';
import { addOffset } from './operands.ts';
import { halvesOf, readX, sse, writeHalves, xmm, type Half } from './vector-operands.ts';

const SHAPES = { 32: 'i32x4', 64: 'i64x2' } as const;
type Bits = keyof typeof SHAPES;
/** Elements of 128 bits, by their numbers. */
const numbers = (bits: Bits): readonly number[] => Array.from({ length: 128 / bits }, (_, n) => n);

/** Where element n of a half lies in memory that begins at `base`. */
const elementOffset = <V, B, X>(o: Ops<V, B, X>, i: Instruction, base: V, bits: Bits, half: Half, n: number): V =>
  addOffset(o, i, base, o.const(64, BigInt(16 * half + n * bits / 8)));

/** VMASKMOVPS, VMASKMOVPD, VPMASKMOVD, VPMASKMOVQ from memory: the elements whose sign SRC1 has, zeros for the others. SDM Vol. 2C, "VMASKMOV—Conditional SIMD Packed Loads and Stores". */
export const LOAD_MASKED = (bits: Bits): Semantics => sse((o, i) => {
  const from = i.operands[2] as MemoryOperand, base = o.effectiveAddress(from), shape = SHAPES[bits];
  writeHalves(o, i, (half) => {
    const mask = readX(o, i, 1, 'any', half);
    return numbers(bits).reduce((v, n) => {
      const chosen = o.bit(bits, o.laneX(shape, mask, n), bits - 1);
      return o.replaceLaneX(shape, v, n, o.loadWhere(chosen, bits, from.segment, elementOffset(o, i, base, bits, half, n)));
    }, o.constX(0n));
  });
});
/** The same to memory: the other elements of memory stay. */
export const STORE_MASKED = (bits: Bits): Semantics => sse((o, i) => {
  const to = i.operands[0] as MemoryOperand, base = o.effectiveAddress(to), shape = SHAPES[bits];
  o.storeWhere(bits, to.segment, halvesOf(i, 2).flatMap((half) => {
    const mask = readX(o, i, 1, 'any', half), source = readX(o, i, 2, 'any', half);
    return numbers(bits).map((n) => ({ where: o.bit(bits, o.laneX(shape, mask, n), bits - 1), offset: elementOffset(o, i, base, bits, half, n), value: o.laneX(shape, source, n) }));
  }));
});

const readHalf = <V, B, X>(o: Ops<V, B, X>, x: XmmOperand, half: Half): X => (half === 0 ? o.getXmm(x) : o.getYmmHigh(x));
function writeHalf<V, B, X>(o: Ops<V, B, X>, x: XmmOperand, half: Half, v: X): void {
  if (half === 0) o.setXmm(x, v);
  else o.setYmmHigh(x, v);
}

/**
 * VGATHERDPS, VPGATHERQQ and their kin: elements of `bits` bits at the base and the scaled indices of a vector, where the mask has a sign. Each is committed
 * before the next is loaded, and its mask cleared: what faults goes on where it was. SDM Vol. 2C, "VGATHERDPS/VGATHERDPD—Gather Packed Single, Packed Double with Signed Dword Indices".
 * What a fault leaves above the elements the manual leaves open; it is as on hardware (Intel).
 */
export const GATHER = (indexBits: Bits, bits: Bits): Semantics => sse((o, i) => {
  const dest = xmm(i, 0), from = i.operands[1] as MemoryOperand, mask = xmm(i, 2), shape = SHAPES[bits];
  const index = from.vectorIndex as XmmOperand;
  const wide = dest.width === 256 || index.width === 256;
  const each = 128 / bits, count = Math.min(dest.width / bits, index.width / indexBits);
  // Of the mask only the signs stay.
  for (const half of wide ? [0, 1] as const : [0] as const) writeHalf(o, mask, half, o.vectorX(`${shape}.gt_s`, o.constX(0n), readHalf(o, mask, half)));
  if (!wide) o.setYmmHigh(mask, o.constX(0n));
  for (let n = 0; n < count; n++) {
    const half = Math.floor(n / each) as Half, lane = n % each;
    const masks = readHalf(o, mask, half);
    o.when(o.bit(bits, o.laneX(shape, masks, lane), bits - 1), () => {
      const number = o.laneX(SHAPES[indexBits], readHalf(o, index, Math.floor(n * indexBits / 128) as Half), n % (128 / indexBits));
      const loaded = o.load(bits, from.segment, o.elementAddress(from, indexBits === 64 ? number : o.sext(32, 64, number)));
      writeHalf(o, dest, half, o.replaceLaneX(shape, readHalf(o, dest, half), lane, loaded));
      if (!wide) o.setYmmHigh(dest, o.constX(0n));
      writeHalf(o, mask, half, o.replaceLaneX(shape, masks, lane, o.const(bits, 0n)));
    });
  }
  // Two single elements leave half of an XMM register to be cleared, and all others the upper half of a YMM register.
  for (const x of [dest, mask]) {
    if (count * bits < 128) o.setXmm(x, o.lowX(64, o.laneX('i64x2', o.getXmm(x), 0)));
    if (count * bits < 256) o.setYmmHigh(x, o.constX(0n));
  }
});
