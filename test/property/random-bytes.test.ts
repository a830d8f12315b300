/**
 * The guest is hostile: whatever bytes it executes, the host sees an ending of the guest's, never an exception of ours.
 * `npm test` runs 200,000 instructions; FUZZ_INSTRUCTIONS=10000000 (npm run fuzz) the long campaign.
 */
import { describe, expect, it } from 'vitest';
import { assemble, at, label, rax, rsp } from '../../src/assembler/index.ts';
import { Machine, type Stop } from '../../src/machine/machine.ts';
import { Random, seedOf } from '../support/random.ts';

const BASE = 0x20_0000, GUEST_BYTES = 0x1_0000, PROLOGUE_BYTES = 0x2000;
const WANTED = Number(process.env['FUZZ_INSTRUCTIONS'] ?? 200_000);
const ENDINGS: readonly Stop['kind'][] = ['debug-exit', 'power-off', 'reset', 'triple-fault', 'halted', 'instruction-limit', 'unimplemented'];

/** A 64-bit start with a GDT, an IDT whose 256 gates lead somewhere into the random bytes, and a stack. */
function prologue(random: Random): Uint8Array {
  const { bytes } = assemble((a) => {
    a.mov(rsp, BASE + GUEST_BYTES);
    a.lgdt(at('gdtr'));
    a.lidt(at('idtr'));
    a.push(0x08);
    a.mov(rax, BASE + PROLOGUE_BYTES);
    a.push(rax);
    a.retfq();
    a.align(8);
    a.label('gdt');
    a.dq(0n, 0x00af_9b00_0000_ffffn, 0x00cf_9300_0000_ffffn, 0x00cf_fb00_0000_ffffn, 0x00cf_f300_0000_ffffn, 0x00af_fb00_0000_ffffn);
    a.label('gdtr');
    a.dw(6 * 8 - 1);
    a.dq(label('gdt'));
    a.label('idtr');
    a.dw(256 * 16 - 1);
    a.dq(label('idt'));
    a.align(16);
    a.label('idt');
    for (let vector = 0; vector < 256; vector++) {
      const handler = BASE + PROLOGUE_BYTES + random.below(GUEST_BYTES - PROLOGUE_BYTES - 64);
      a.dq((BigInt(handler >>> 16) << 48n) | (0x8e00n << 32n) | (0x08n << 16n) | BigInt(handler & 0xffff), 0n);
    }
  }, { bits: 64, origin: BASE });
  return bytes;
}

describe('a guest of random bytes', () => {
  it(`ends in one of the documented ways, over ${WANTED} instructions`, { timeout: 3_600_000 }, () => {
    const seed = seedOf('random bytes');
    const random = new Random(seed);
    const machine = new Machine({ memoryBytes: 8 << 20 });
    const seen = new Map<string, number>();
    let executed = 0;
    for (let program = 0; executed < WANTED; program++) {
      const image = random.bytes(GUEST_BYTES);
      image.set(prologue(random), 0);
      const before = machine.state.retired;
      let stop: Stop;
      try {
        machine.load(image, { flat: { loadAddress: BASE, entry: BASE, bits: 64 } });
        stop = machine.run({ maxInstructions: 5000 });
      } catch (e) {
        throw new Error(`SEED=${seed}, program ${program}: a host exception after ${machine.state.retired - before} instructions at RIP 0x${machine.state.rip.toString(16)}`, { cause: e });
      }
      expect(ENDINGS).toContain(stop.kind);
      seen.set(stop.kind, (seen.get(stop.kind) ?? 0) + 1);
      executed += Math.max(1, machine.state.retired - before);
    }
    console.log(`random bytes: ${[...seen].map(([kind, count]) => `${count} ${kind}`).join(', ')}`);
  });
});
