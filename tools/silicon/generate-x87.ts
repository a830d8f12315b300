/** Cases for an x87 row: values at which formats, roundings and exceptions change, in registers, control and status words and memory. */
import type { Row } from '../../src/cpu/isa/row.ts';
import { encodeRow } from '../../test/support/encode-row.ts';
import type { Random } from '../../test/support/random.ts';
import { MEMORY_BYTES, STATUS_FLAGS, type X87State } from '../../test/support/x87/cases.ts';

const RSI = 6;
const BEHIND_OPERAND = BigInt(`0x${'cc'.repeat(MEMORY_BYTES - 16)}`) << 128n;
const SIGNIFICANDS = [0n, 1n, 2n, 0x7fff_ffff_ffff_ffffn, 0x8000_0000_0000_0000n, 0x8000_0000_0000_0001n, 0xa000_0000_0000_0000n, 0xbfff_ffff_ffff_ffffn, 0xc000_0000_0000_0000n,
  0xc000_0000_0000_0001n, 0xffff_ffff_ffff_ffffn, 0xffff_ff00_0000_0000n, 0xffff_ff80_0000_0000n, 0xffff_ffff_ffff_f800n, 0xffff_ffff_ffff_fc00n, 0x8000_0000_0000_0400n, 0x8000_0080_0000_0000n];

/** An 80-bit value: special, near a limit of some format, or anything. */
function interesting80(r: Random): bigint {
  const significand = r.chance(50) ? r.pick(SIGNIFICANDS) : r.u64() | (r.chance(90) ? 1n << 63n : 0n);
  const exponent = r.chance(20) ? r.pick([0, 1, 2, 0x7ffd, 0x7ffe, 0x7fff, 0x7fff])
    : r.chance(40) ? 16383 + r.between(-70, 70)
    : r.chance(40) ? 16383 + r.pick([-1075, -1074, -1022, -1023, -150, -149, -127, -126, 127, 128, 1023, 1024, 62, 63, 64, 14, 15, 16, 30, 31, 32]) + r.between(-1, 1)
    : r.chance(50) ? r.below(0x8000) : r.pick([100, 0x7f00, 8000, 24000]) + r.below(60);
  return (BigInt((r.below(2) << 15) | exponent) << 64n) | (r.chance(60) && exponent > 0 ? significand | (1n << 63n) : significand);
}

/** The low bits of the memory operand: by its spelling. */
function memoryFor(r: Random, row: Row): bigint {
  const text = row.operands[0]?.text ?? '';
  const any = r.u64() | (r.u64() << 64n);
  switch (text) {
    case 'm32fp': return r.chance(40) ? BigInt(r.pick([0, 1, 0x7fffff, 0x800000, 0x7f7fffff, 0x7f800000, 0x7f800001, 0x7fc00000, 0x7fffffff, 0x3f800000, 0x40490fdb])) | (BigInt(r.below(2)) << 31n)
      : BigInt(r.u32());
    case 'm64fp': return r.chance(40) ? r.pick([0n, 1n, 0xf_ffff_ffff_ffffn, 0x10_0000_0000_0000n, 0x7fef_ffff_ffff_ffffn, 0x7ff0_0000_0000_0000n, 0x7ff0_0000_0000_0001n, 0x7ff8_0000_0000_0000n, 0x3ff0_0000_0000_0000n]) | (BigInt(r.below(2)) << 63n)
      : r.u64();
    case 'm80fp': return interesting80(r);
    case 'm16int': case 'm32int': case 'm64int': return r.chance(40) ? r.pick([0n, 1n, 0x7fffn, 0x8000n, 0xffffn, 0x7fff_ffffn, 0x8000_0000n, 0x7fff_ffff_ffff_ffffn, 0x8000_0000_0000_0000n, 0xffff_ffff_ffff_ffffn]) : r.u64() >> BigInt(r.below(64));
    case 'm80bcd': return (BigInt(r.below(2)) << 79n) | BigInt(`0x${BigInt.asUintN(59, r.u64()).toString(10).slice(0, 18)}`);
    case 'm2byte': return BigInt(r.below(0x10000));
    default: return any;
  }
}

/** A control word: usually all exceptions masked; any precision but the reserved one, any rounding. */
const controlFor = (r: Random): number => 0x40 | (r.chance(75) ? 0x3f : r.below(0x40)) | (r.pick([0, 2, 3]) << 8) | (r.below(4) << 10);

/** What an instruction finds, but for its memory operand; `pushes`: mostly with a register free for its result. */
export function drawX87Input(r: Random, pushes: boolean): X87State {
  const control = controlFor(r);
  // Flags of masked exceptions may be there already; of others not, for those would be pending.
  const status = (r.chance(30) ? r.below(0x40) & control & 0x3f : 0) | (r.chance(10) ? 0x40 : 0) | (r.below(8) << 11) | (r.below(16) & 7) << 8 | (r.below(2) << 14);
  const top = (status >> 11) & 7;
  const used = r.chance(85) ? (pushes && r.chance(90) ? 0xff & ~(1 << ((top + 7) & 7)) : 0xff) : r.below(256);
  const stack = Array.from({ length: 8 }, () => interesting80(r));
  // Operands of a kind: equal, or near each other.
  if (r.chance(15)) stack[1] = stack[0]!;
  if (r.chance(15)) stack[1] = stack[0]! ^ (BigInt(r.below(4)) << 79n & (1n << 79n)) ^ BigInt(r.below(4));
  return { control, status, used, stack, memory: 0n, flags: r.below(0x1000) & STATUS_FLAGS, ax: r.below(0x10000) };
}
export const pushes = (row: Row): boolean => /^(FLD|FILD|FBLD|FXTRACT)/.test(row.mnemonic);

/** An encoding, and what it finds. */
export interface X87Draw { readonly code: Uint8Array; readonly before: X87State }

/** A case for the row. `operand` draws its memory operand. */
export function x87CaseFor(r: Random, row: Row, input = drawX87Input(r, pushes(row)), operand = r): X87Draw {
  const rm = row.operands.some((x) => x.kind === 'memory') ? { base: RSI, displacement: 0n, displacementBytes: 0 as const } : r.chance(50) ? 1 : r.below(8);
  return { code: encodeRow(row, { codeSize: 64, rm }), before: { ...input, memory: memoryFor(operand, row) | BEHIND_OPERAND } };
}
