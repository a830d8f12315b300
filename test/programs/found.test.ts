/** What random programs have found, shrunk: each must run the same on every engine. */
import { describe, expect, it } from 'vitest';
import { disagreement } from './engines.ts';
import type { Program } from './program.ts';
import { program } from './shrink.ts';

/** What `npm run fuzz:programs` prints, behind a sentence about the guest. */
function found(sentence: string, ...programs: readonly Program[]): void {
  it(`${sentence} › every engine`, () => { expect(disagreement(programs, 1)).toBeUndefined(); });
}

describe('found by random programs', () => {
  found('a write through CS is #GP outside 64-bit mode', program('32-bit protected mode, ring 0', 0x40012, [0x2821an, 0x1en, 0x29n, 0x3054_6a80n, 0x2e000n, 0x282bdn, 0x14n, 0x282b1n], [
    { id: 154, bytes: '2e 66 c1 95 b2 ff ff ff 98' }, // rcl word ptr cs:[ebp-0x4e], 0x98
  ]));
  found('a write through CS to a page that is missing is #GP, not #PF', program('compatibility mode', 0xc3, [0x2827en, 0x1cn, 0x29ff1n, 0x20147n, 0x2e000n, 0x2808en, 0xffff_ffffn, 0xc425_1f21n], [
    { id: 15, bytes: 'be 08 a0 02 00' }, // mov esi, 0x2a008
    { id: 23, bytes: '2e 66 f0 29 16' }, // lock sub word ptr cs:[esi], dx
  ]));
});
