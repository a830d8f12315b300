/** The machine in a file: it goes on as if it had never stopped, and what is no such file is refused. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FileFormatError, pack, unpack } from '../../src/machine/container.ts';
import { ENGINE_NAMES, Machine, type EngineName } from '../../src/machine/machine.ts';
import { openSnapshot, saveSnapshot } from '../../src/machine/snapshot.ts';
import { Random, seedOf } from '../support/random.ts';
import { kernelMachine, wholeState } from './support/guests.ts';

const KIND = { magic: 'LMSNAPSH', version: 1, what: 'snapshot', maxBytes: 2 ** 30 };
const SYSTEM = readFileSync(join(import.meta.dirname, '../guests/images/system-O2.elf'));
const systemMachine = (engine: EngineName): Machine => {
  const machine = new Machine({ engine, memoryBytes: 16 << 20 });
  machine.load(SYSTEM);
  return machine;
};

async function reopened(file: Uint8Array<ArrayBuffer>, engine: EngineName): Promise<Machine> {
  const snapshot = await openSnapshot(file);
  const machine = new Machine({ ...snapshot.options, engine });
  snapshot.restore(machine);
  return machine;
}

describe('a machine that was saved and restored', () => {
  const guests: readonly (readonly [string, (engine: EngineName) => Machine, readonly number[]])[] = [
    ['the guest kernel', (engine) => kernelMachine('all', { engine }), [1, 250_000, 700_000, 1_000_000]],
    ['a kernel by gcc', systemMachine, [50_000, 90_001, 200_000]],
  ];
  for (const [name, make, [first, ...later]] of guests) {
    it.each(ENGINE_NAMES)(`${name}: is at instruction N in the state of one that never stopped › %s`, async (engine) => {
      const straight = make(engine);
      let stopped = make(engine);
      for (const to of [first!, ...later]) {
        straight.run({ maxInstructions: to - straight.state.retired });
        stopped.run({ maxInstructions: to - stopped.state.retired });
        stopped = await reopened(await saveSnapshot(stopped), engine);
        expect(wholeState(stopped)).toBe(wholeState(straight));
      }
      expect(straight.state.retired).toBeGreaterThan(150_000);
    });
  }

  it('goes on alike on another engine', async () => {
    const machine = kernelMachine('timer');
    machine.run({ maxInstructions: 100_000 });
    const file = await saveSnapshot(machine);
    machine.run({ maxInstructions: 100_000 });
    for (const engine of ENGINE_NAMES) {
      const other = await reopened(file, engine);
      other.run({ maxInstructions: 100_000 });
      expect(wholeState(other), engine).toBe(wholeState(machine));
    }
  });

  it('puts back a machine that has gone on, with the code that it has decoded since', async () => {
    const machine = kernelMachine('ring3');
    machine.run({ maxInstructions: 50_000 });
    const then = wholeState(machine);
    const snapshot = await openSnapshot(await saveSnapshot(machine));
    machine.run({ maxInstructions: 100_000 });
    const later = wholeState(machine);
    snapshot.restore(machine);
    expect(wholeState(machine)).toBe(then);
    machine.run({ maxInstructions: 100_000 });
    expect(wholeState(machine)).toBe(later);
  });
});

describe('a file that is no snapshot of ours is refused', () => {
  const saved = async (): Promise<Uint8Array<ArrayBuffer>> => {
    const machine = systemMachine('interpreter');
    machine.run({ maxInstructions: 20_000 });
    return saveSnapshot(machine);
  };
  const refused = async (file: Uint8Array<ArrayBuffer>): Promise<string> => {
    try {
      await openSnapshot(file);
    } catch (error) {
      expect(error).toBeInstanceOf(FileFormatError);
      expect((error as Error).message).not.toContain('\n');
      return (error as Error).message;
    }
    return 'not refused';
  };

  it('when it is something else, cut off, longer, or changed in any byte', async () => {
    const file = await saved();
    expect(await refused(new Uint8Array(0))).toBe('is no snapshot');
    expect(await refused(SYSTEM.slice())).toBe('is no snapshot');
    for (const length of [8, 31, 32, 1000, file.length - 1]) expect(await refused(file.slice(0, length))).toMatch(/^is (no snapshot|damaged)/);
    expect(await refused(Uint8Array.from([...file, 0]))).toMatch(/^is damaged/);
    for (let n = 0; n < file.length; n += n < 64 ? 1 : 997) {
      const changed = file.slice();
      changed[n]! ^= 0x10;
      expect(await refused(changed), `byte ${n}`).toMatch(/^is (no snapshot|damaged|a snapshot of version)/);
    }
  });
  it('when it is of a newer version', async () => {
    const file = await pack({ ...KIND, version: 2 }, await unpack(KIND, await saved()));
    expect(await refused(file)).toBe('is a snapshot of version 2; this longmode reads version 1: use a newer longmode');
  });
  it('when it would unpack to more than it says', async () => {
    const file = await saved();
    new DataView(file.buffer).setFloat64(24, 1000, true);
    expect(await refused(file)).toBe('is damaged: it cannot be decompressed');
  });
  it('when the machine has another size, and the machine stays as it is', async () => {
    const snapshot = await openSnapshot(await saved());
    const machine = new Machine({ memoryBytes: 32 << 20 });
    const before = wholeState(machine);
    expect(() => { snapshot.restore(machine); }).toThrow('is of a machine with 16777216 bytes of RAM; this one has 33554432');
    expect(wholeState(machine)).toBe(before);
  });
  it('when what it holds is no state of a machine; and what is accepted runs without a host exception', async () => {
    const content = await unpack(KIND, await saved());
    const random = new Random(seedOf('damaged snapshots'));
    const machine = systemMachine('interpreter');
    const header = 4 + new DataView(content.buffer).getUint32(0, true);
    let accepted = 0;
    for (let round = 0; round < 150; round++) {
      const changed = content.slice();
      for (let n = 0; n <= random.below(3); n++) changed[round % 3 === 0 ? random.below(header) : header + random.below(6000)] = random.below(256);
      const file = await pack(KIND, changed);
      try {
        (await openSnapshot(file)).restore(machine);
      } catch (error) {
        if (!(error instanceof FileFormatError)) throw error;
        continue;
      }
      accepted++;
      machine.run({ maxInstructions: 2000 });
    }
    expect(accepted).toBeGreaterThan(10);
  });
});
