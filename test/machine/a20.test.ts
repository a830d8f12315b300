/** The A20 gate: closed, the second MiB is the first again, for data, code, decoded code and page walks, on every engine. */
import { describe, expect, it } from 'vitest';
import { al, assemble, byte, cr0, cr3, dword, eax, ebx, ecx, edi, edx, esi, esp, type Assembler } from '../../src/assembler/index.ts';
import { ENGINE_NAMES, Machine } from '../../src/machine/machine.ts';
import { openSnapshot, saveSnapshot } from '../../src/machine/snapshot.ts';
import { physical } from '../../src/state/addresses.ts';

const ORIGIN = 0x20_0000, MIB = 0x10_0000, PORT_A = 0x92, OPEN = 2, CLOSED = 0;

function machineWith(engine: (typeof ENGINE_NAMES)[number], body: (a: Assembler) => void): Machine {
  const machine = new Machine({ engine, memoryBytes: 8 << 20 });
  const { bytes } = assemble((a) => { a.mov(esp, ORIGIN); body(a); a.cli(); a.hlt(); }, { bits: 32, origin: ORIGIN });
  machine.load(bytes, { flat: { loadAddress: ORIGIN, entry: ORIGIN, bits: 32 } });
  return machine;
}
const gate = (a: Assembler, value: number): void => { a.mov(al, value); a.out(PORT_A, al); };
const gpr = ({ state }: Machine, ...numbers: number[]): number[] => numbers.map((n) => Number(state.gpr[n]!));
/** MOV EAX, imm32; RET. */
const returns = (value: number): Uint8Array => Uint8Array.of(0xb8, value, 0, 0, 0, 0xc3);

describe.each(ENGINE_NAMES)('A20 on the %s engine', (engine) => {
  it('closed, an address in an odd MiB is the one below', () => {
    const m = machineWith(engine, (a) => {
      a.mov(esi, 0x5000);
      a.mov(dword(esi), 0x11); a.mov(dword(esi, MIB), 0x22); a.mov(dword(esi, 2 * MIB), 0x33);
      gate(a, CLOSED);
      a.mov(ebx, dword(esi, MIB)); a.mov(ecx, dword(esi, 3 * MIB));
      a.mov(dword(esi, MIB + 4), 0x44);
      gate(a, OPEN);
      a.mov(edx, dword(esi, MIB)); a.mov(edi, dword(esi, 4));
    });
    expect(m.run({ maxInstructions: 1000 })).toEqual({ kind: 'halted', wakeable: false });
    expect(gpr(m, 3, 1, 2, 7)).toEqual([0x11, 0x33, 0x22, 0x44]);
  });

  it('an access across the end of the first MiB goes on at address 0', () => {
    const m = machineWith(engine, (a) => {
      a.mov(esi, MIB - 2);
      a.mov(dword(esi, 2 - MIB), 0x0bad_0201); a.mov(dword(esi), 0x0403_0000);
      gate(a, CLOSED);
      a.mov(ebx, dword(esi));
    });
    m.run({ maxInstructions: 1000 });
    expect(gpr(m, 3)).toEqual([0x0201_0000]);
  });

  it('hot code at one address is other code when the gate has moved', () => {
    const m = machineWith(engine, (a) => {
      a.mov(esi, MIB + 0x8000); a.mov(edi, 0); a.mov(ebx, 0);
      a.mov(ecx, 200);
      a.label('again');
      a.mov(eax, 0); a.call(esi); a.add(edi, eax);
      gate(a, CLOSED);
      a.mov(eax, 0); a.call(esi); a.add(ebx, eax);
      gate(a, OPEN);
      a.dec(ecx); a.jnz('again');
    });
    m.memory.copyIn(physical(0x8000), returns(1));
    m.memory.copyIn(physical(MIB + 0x8000), returns(2));
    expect(m.run({ maxInstructions: 10_000 })).toEqual({ kind: 'halted', wakeable: false });
    expect(gpr(m, 7, 3)).toEqual([400, 200]);
  });

  it('a store under the other name of a page changes the code in it', () => {
    const m = machineWith(engine, (a) => {
      gate(a, CLOSED);
      a.mov(esi, 0x8000); a.mov(edi, 0); a.mov(edx, 0);
      // The page may be written under its other name before there is code in it.
      a.mov(byte(esi, MIB + 0x800), 1);
      a.mov(ecx, 300);
      a.label('again');
      a.call(esi); a.add(edi, eax);
      a.inc(edx); a.mov(dword(esi, MIB + 1), edx);
      a.dec(ecx); a.jnz('again');
    });
    m.memory.copyIn(physical(0x8000), returns(0));
    expect(m.run({ maxInstructions: 10_000 })).toEqual({ kind: 'halted', wakeable: false });
    expect(gpr(m, 7)).toEqual([(299 * 300) / 2]);
  });

  it('page walks read through the gate, and set A and D behind it', () => {
    const directory = MIB + 0x4000, other = 0x4000, LARGE = 0x83;
    const m = machineWith(engine, (a) => {
      a.mov(eax, directory); a.mov(cr3, eax);
      a.mov(eax, cr0); a.or(eax, 0x8000_0000); a.mov(cr0, eax);
      gate(a, CLOSED);
      a.mov(ebx, dword(0x80_0000)); a.mov(dword(0x80_0000), 1);
    });
    m.state.cr4 = 0x10;
    m.memory.write(physical(directory), 4, LARGE);
    // The page of the program is known to the TLB; the page at 8 MiB is there behind the closed gate only.
    m.memory.write(physical(other), 4, LARGE);
    m.memory.write(physical(other + 8), 4, 0x40_0000 | LARGE);
    m.memory.write(physical(0x40_0000), 4, 0x77);
    expect(m.run({ maxInstructions: 1000 })).toEqual({ kind: 'halted', wakeable: false });
    expect([gpr(m, 3), m.memory.read(physical(other + 8), 4) & 0x60, m.memory.read(physical(directory + 8), 4)]).toEqual([[0x77], 0x60, 0]);
  });
});

it('a snapshot of a machine whose gate is closed goes on with it closed', async () => {
  const m = machineWith('auto', (a) => { gate(a, CLOSED); a.nop(); a.mov(ebx, dword(MIB + 0x5000)); });
  m.memory.write(physical(0x5000), 4, 5);
  m.run({ maxInstructions: 4 });
  const snapshot = await openSnapshot(await saveSnapshot(m));
  const restored = new Machine(snapshot.options);
  snapshot.restore(restored);
  restored.run({ maxInstructions: 10 });
  expect([restored.memory.a20, gpr(restored, 3)]).toEqual([false, [5]]);
});
