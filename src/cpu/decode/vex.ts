/** The VEX prefix, C5 or C4. SDM Vol. 2A, "Vector Extension (VEX) Prefixes". */
import type { ByteReader } from './reader.ts';
import type { Selectors } from './lookup.ts';

/** What a VEX prefix says, its inverted fields turned over. */
export interface Vex {
  /** Opcode map: 1 is 0F, 2 is 0F 38, 3 is 0F 3A; others are undefined. */
  readonly map: number;
  /** W R X B in the places of REX. */
  readonly rex: number;
  /** The register that it names, where the instruction has one here. */
  readonly vvvv: number;
  /** All four bits of it are 1, as they must be where the instruction has none: hardware looks at the topmost outside 64-bit mode, too. */
  readonly vvvvIsOnes: boolean;
  readonly selectors: Selectors;
}

const PP_66 = 1, PP_F3 = 2, PP_F2 = 3;

/**
 * Reads the bytes behind C5 (`short`) or C4. Outside 64-bit mode there are eight registers: R and X are what tells the prefix from LES and LDS, and
 * B and the topmost bit of the register in vvvv are ignored.
 */
export function readVex(r: ByteReader, short: boolean, longMode: boolean): Vex {
  const first = r.byte();
  const second = short ? first : r.byte();
  const rxb = short ? (~first >> 5) & 4 : (~first >> 5) & 7;
  const w = short ? 0 : second >> 7;
  const pp = second & 3;
  return {
    map: short ? 1 : first & 31,
    rex: 0x40 | (w << 3) | (longMode ? rxb : 0),
    vvvv: (~second >> 3) & (longMode ? 15 : 7),
    vvvvIsOnes: (second & 0x78) === 0x78,
    selectors: {
      operandSizePrefix: pp === PP_66, repeat: pp === PP_F3 ? 1 : pp === PP_F2 ? 2 : 0, rexW: w === 1,
      vexLength: (second & 4) === 0 ? 0 : 1,
    },
  };
}
