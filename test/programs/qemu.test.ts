/** Random programs beside a real QEMU: a few in `npm test`, QEMU_PROGRAMS of them with `npm run fuzz:programs:qemu`. In CI QEMU must be installed. */
import { describe, expect, it } from 'vitest';
import { qemuVersion } from '../../src/trace/qemu-recorder.ts';
import { Random, seedOf } from '../support/random.ts';
import { MODES } from './modes.ts';
import { randomProgram } from './program.ts';
import { expectAgreementWithQemu } from './qemu.ts';
import { acceptedByQemu, judgedByQemu } from './qemu-known.ts';

const installed = await qemuVersion().then(() => true, () => false);
const required = process.env['CI'] !== undefined;
const BATCH = 4;
const batches = Math.max(1, Math.round(Number(process.env['QEMU_PROGRAMS'] ?? 0) / MODES.length / BATCH));

describe.runIf(installed || required)('random programs run the same on QEMU', () => {
  // Another QEMU than the one whose differences are listed may have its own: only long runs are new each time.
  const seed = process.env['QEMU_PROGRAMS'] === undefined ? 2026 : seedOf('random programs beside QEMU');
  it.each(MODES)('in $name', { timeout: 3_600_000 }, async (mode) => {
    let compared = 0;
    for (let n = 0; n < batches; n++) {
      const own = (seed + n * 0x9e37) >>> 0;
      const r = new Random(own);
      compared += await expectAgreementWithQemu(Array.from({ length: BATCH }, () => randomProgram(r, mode, { most: 200, allows: judgedByQemu, accepts: acceptedByQemu })), own);
    }
    expect(compared).toBeGreaterThan(1000);
  });
});
