/** What the comparison with a recording does to our machine, where the recording is known to be otherwise. */
import { expect, test } from 'vitest';
import { RFLAGS } from '../../src/cpu/flags.ts';
import { RSP } from '../../src/cpu/isa/operand.ts';
import { physical } from '../../src/state/addresses.ts';
import { ACTIVITY } from '../../src/state/layout.ts';
import { elfBytes } from '../support/elf-bytes.ts';
import { BareBoard } from './support/bare-board.ts';

const ENTRY = 0x10_0000, STACK = 0x18_0000, MEMORY_BYTES = 4 << 20;

test('a frame gets what QEMU pushed; a delivery that ended in a shutdown has no frame, and nothing is written', () => {
  for (const [activity, words] of [[ACTIVITY.running, [0x1234, 0, 0, 0xfffe_ffff]], [ACTIVITY.shutdown, [0xabcd, 0, 0, 0xffff_ffff]]] as const) {
    const { cpu, stepper } = new BareBoard(elfBytes({ pvhEntry: ENTRY, segments: [{ address: ENTRY, bytes: Uint8Array.of(0xf4) }] }), MEMORY_BYTES);
    const { memory } = cpu.mmu;
    cpu.state.gpr[RSP] = BigInt(STACK);
    [0xabcd, 0, 0, 0xffff_ffff].forEach((word, n) => { memory.write(physical(STACK + 4 * n), 4, word); });
    cpu.state.activity = activity;
    stepper.adoptErrorCode(0x1234);
    stepper.clearPushedFlags(RFLAGS.RF, true);
    expect([0, 4, 8, 12].map((at) => memory.read(physical(STACK + at), 4))).toEqual(words);
  }
});
