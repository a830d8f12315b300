/** Values at which carries, signs and widths change. */
import type { Random } from './random.ts';

export const BOUNDARY: readonly bigint[] = [
  0n, 1n, 2n, 0xfn, 0x10n, 0x7fn, 0x80n, 0xffn, 0x100n, 0x7fffn, 0x8000n, 0xffffn, 0x1_0000n, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn,
  0x1_0000_0000n, 0x7fff_ffff_ffff_ffffn, 0x8000_0000_0000_0000n, 0xffff_ffff_ffff_fffen, 0xffff_ffff_ffff_ffffn,
  0xffff_ffff_8000_0000n, 0xffff_ffff_ffff_8000n, 0xffff_ffff_ffff_ff80n, 0x5555_5555_5555_5555n, 0x9999_9999_9999_9999n,
];

/** A 64-bit value: a boundary, something small, or anything. */
export function interesting(r: Random): bigint {
  const kind = r.below(10);
  if (kind < 4) return r.pick(BOUNDARY);
  return kind < 6 ? BigInt(r.below(256)) : r.u64();
}
