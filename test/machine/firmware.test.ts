/** Firmware in a ROM: where it is, how the processor starts, and SeaBIOS where it is installed. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { al, assemble, ax, byte, cs, ds, dx, eax, far, type Assembler } from '../../src/assembler/index.ts';
import { ImageError } from '../../src/machine/boot/image-error.ts';
import { ENGINE_NAMES, Machine } from '../../src/machine/machine.ts';
import { saveSnapshot } from '../../src/machine/snapshot.ts';
import { physical } from '../../src/state/addresses.ts';

const ROM_BYTES = 0x1_0000, SEABIOS = '/usr/share/seabios/bios.bin';

/** 64 KiB whose reset vector jumps to the program, which is at F000:0. */
function romOf(program: (a: Assembler) => void): Uint8Array {
  const rom = new Uint8Array(ROM_BYTES).fill(0xff);
  rom.set(assemble(program, { bits: 16 }).bytes, 0);
  rom.set(assemble((a) => a.jmp(far(0xf000, 0)), { bits: 16 }).bytes, 0xfff0);
  return rom;
}
function machineWith(program: (a: Assembler) => void, engine: (typeof ENGINE_NAMES)[number]): Machine {
  const machine = new Machine({ engine, memoryBytes: 4 << 20 });
  machine.loadFirmware(romOf(program));
  return machine;
}

describe.each(ENGINE_NAMES)('a ROM on the %s engine', (engine) => {
  it('is entered at F000:FFF0, whose base is FFFF0000, and appears below 1 MiB', () => {
    const m = machineWith((a) => { a.mov(eax, 7); a.out(0xf4, eax); }, engine);
    expect([m.state.rip, m.state.selector[1], m.state.base[1]]).toEqual([0xfff0n, 0xf000, 0xffff_0000n]);
    expect(m.run({ maxInstructions: 1 })).toEqual({ kind: 'instruction-limit' });
    expect([m.state.rip, m.state.base[1]]).toEqual([0n, 0xf_0000n]);
    expect(m.run({ maxInstructions: 100 })).toEqual({ kind: 'debug-exit', value: 7 });
  });
  it('is read-only below 4 GiB, and RAM below 1 MiB', () => {
    const m = machineWith((a) => {
      a.mov(ax, cs); a.mov(ds, ax); a.mov(byte(0x8000), 0x12);
      a.mov(dx, 0x402); a.in(al, dx);
      a.hlt();
    }, engine);
    m.run({ maxInstructions: 100 });
    m.memory.write(physical(0xffff_8000), 1, 0x34);
    expect([m.memory.read(physical(0xf_8000), 1), m.memory.read(physical(0xffff_8000), 1)]).toEqual([0x12, 0xff]);
    // The debug console that firmware looks for.
    expect(m.state.gpr[0]! & 0xffn).toBe(0xe9n);
  });
});

it.each([[0, '0 bytes'], [0x1_0001, '65537 bytes'], [0x101_0000, '16842752 bytes']])('a file of %i bytes is no ROM', (bytes, text) => {
  const machine = new Machine({ memoryBytes: 4 << 20 });
  expect(() => { machine.loadFirmware(new Uint8Array(bytes)); }).toThrow(ImageError);
  expect(() => { machine.loadFirmware(new Uint8Array(bytes)); }).toThrow(text);
});

it('a machine with a ROM is not saved without it', async () => {
  await expect(saveSnapshot(machineWith((a) => a.hlt(), 'auto'))).rejects.toThrow('would not hold the ROM');
});

it.runIf(existsSync(SEABIOS))('SeaBIOS finds the memory and the devices there are, and nothing to boot from', () => {
  let text = '';
  const machine = new Machine({ memoryBytes: 32 << 20, onOutput: (port, byte) => { if (port === 'debug') text += String.fromCharCode(byte); } });
  machine.loadFirmware(readFileSync(SEABIOS));
  machine.run({ maxInstructions: 30_000_000, maxIdleTime: 5_000_000_000 });
  expect(text).toContain('RamSize: 0x02000000 [cmos]');
  expect(text).toContain('Found 2 serial ports');
  expect(text).toContain('PS2 keyboard initialized');
  expect(text).toContain('No bootable device.');
});
