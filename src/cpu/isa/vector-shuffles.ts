/**
 * Shuffles as byte patterns: element k says which of the 32 bytes of two operands is byte k of the result, as the
 * shuffle of WebAssembly does. Bytes 0-15 are the first operand's.
 */
import type { ImmediateShuffle } from './vector-ops.ts';

/** The bytes of whole lanes of `size` bytes; lane numbers count through both operands. */
export const lanePattern = (size: 2 | 4 | 8, lanes: readonly number[]): readonly number[] =>
  lanes.flatMap((lane) => Array.from({ length: size }, (_, k) => lane * size + k));

/** Lanes of the lower or the upper halves of both operands, in turn. SDM Vol. 2B, "PUNPCKLBW/PUNPCKLWD/PUNPCKLDQ/PUNPCKLQDQ". */
export function interleavePattern(size: 1 | 2 | 4 | 8, half: 'low' | 'high'): readonly number[] {
  const count = 8 / size;
  const first = half === 'low' ? 0 : count;
  return Array.from({ length: 16 }, (_, at) => {
    const lane = Math.floor(at / size);
    return ((lane & 1) * 2 * count + first + (lane >> 1)) * size + (at % size);
  });
}

/** Four 2-bit fields of an immediate. */
const fields = (imm8: number): readonly number[] => [imm8 & 3, (imm8 >> 2) & 3, (imm8 >> 4) & 3, imm8 >> 6];

/** Lane numbers, of the second operand where the bit is set. */
const blended = (lanes: number, bits: number): readonly number[] => Array.from({ length: lanes }, (_, n) => ((bits >> n) & 1) * lanes + n);

/**
 * The pattern that an immediate gives. Byte shifts bring in the second operand, which is zero; so does PALIGNR, which says what the upper of its
 * sources gives (the lower gives what PSRLDQ says). DPPS and DPPD
 * keep the lanes of the first operand that are multiplied. INSERTPS leaves the zeros to BLENDPS, whose bits are in the same place.
 * SDM Vol. 2B, "PSHUFD", "PSHUFLW", "PSHUFHW", "SHUFPS", "SHUFPD", "PSLLDQ", "PSRLDQ", "PALIGNR", "PBLENDW"; Vol. 2A, "BLENDPS",
 * "INSERTPS", "DPPS"; Vol. 2B, "PCLMULQDQ".
 */
export function immediatePattern(how: ImmediateShuffle, imm8: number, half: 0 | 1 = 0): readonly number[] {
  const [f0, f1, f2, f3] = fields(imm8) as readonly [number, number, number, number];
  const distance = Math.min(imm8, 16);
  switch (how) {
    case 'PSHUFD': return lanePattern(4, [f0, f1, f2, f3]);
    case 'PSHUFLW': return lanePattern(2, [f0, f1, f2, f3, 4, 5, 6, 7]);
    case 'PSHUFHW': return lanePattern(2, [0, 1, 2, 3, 4 + f0, 4 + f1, 4 + f2, 4 + f3]);
    case 'SHUFPS': return lanePattern(4, [f0, f1, 4 + f2, 4 + f3]);
    case 'SHUFPD': return lanePattern(8, [(imm8 >> (2 * half)) & 1, 2 + ((imm8 >> (2 * half + 1)) & 1)]);
    case 'PSLLDQ': return Array.from({ length: 16 }, (_, k) => (k < distance ? 16 : k - distance));
    case 'PALIGNR': return Array.from({ length: 16 }, (_, k) => (k + imm8 >= 16 && k + imm8 < 32 ? k + imm8 - 16 : 16));
    case 'PBLENDW': return lanePattern(2, blended(8, imm8));
    case 'BLENDPS': return lanePattern(4, blended(4, imm8 >> (4 * half)));
    case 'BLENDPD': return lanePattern(8, blended(2, imm8 >> (2 * half)));
    case 'INSERTPS': return lanePattern(4, [0, 1, 2, 3].map((n) => (n === f2 ? 4 + f3 : n)));
    case 'DPPS': return lanePattern(4, blended(4, ~imm8 >> 4));
    case 'PCLMULQDQ': return lanePattern(8, [imm8 & 1, 2 + ((imm8 >> 4) & 1)]);
    case 'DPPD': return lanePattern(8, blended(2, ~imm8 >> 4));
    case 'PSRLDQ': return Array.from({ length: 16 }, (_, k) => (k + distance > 15 ? 16 : k + distance));
  }
}
