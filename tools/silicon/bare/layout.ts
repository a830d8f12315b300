/**
 * What the bare machine shares with who starts it: where cases lie in its memory, and where their outcomes will. Both are arrays of the structures of
 * harness.c. The page tables give ring 3 the pages of test/support/silicon/world.ts and nothing else; the supervisor lies in the upper half.
 */
import type { Case } from '../../../test/support/silicon/world.ts';
import { CASE_BYTES, OUTCOME_BYTES, writeCases } from '../format.ts';

/** Physical addresses: the image, the number of cases and the cases behind it. */
export const IMAGE = 0x10_0000, CASES = 0x40_0000, FIRST_CASE = CASES + 64;
/** Linear address minus physical address, in the supervisor. */
export const UPPER_HALF = 0xffff_ffff_8000_0000n;
/** What one run of a machine takes, so that it has memory for it. */
export const MOST_CASES = 60_000;
/** The number of outcomes that are there, and 64 bytes behind it the outcomes. */
export const OUTCOMES = 0x800_0000, FIRST_OUTCOME = OUTCOMES + 64;
export const MEMORY_BYTES = 256 << 20;
/** A machine with this port ends when something is written to it: 0 after the last case, 1 after an exception of the supervisor's own. */
export const EXIT_PORT = 0xf4;

if (FIRST_CASE + MOST_CASES * CASE_BYTES > OUTCOMES || FIRST_OUTCOME + MOST_CASES * OUTCOME_BYTES > MEMORY_BYTES) throw new Error('cases and outcomes overlap');

/** What has to be at CASES. */
export function casesBytes(cases: readonly Case[]): Buffer {
  const count = Buffer.alloc(FIRST_CASE - CASES);
  count.writeBigUInt64LE(BigInt(cases.length));
  return Buffer.concat([count, writeCases(cases)]);
}
