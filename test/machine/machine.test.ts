/** The machine as the library's users see it: load, run until something happens, look inside. */
import { describe, expect, it } from 'vitest';
import { Machine, al, assemble, at, byte, dx, eax, linear, physical, qword, rax, rbx, type Assembler } from '../../src/index.ts';

const ORIGIN = 0x20_0000;

/** A machine with a 64-bit program in it. */
function booted(program: (a: Assembler) => void, onOutput?: (port: 0 | 1 | 'debug', byte: number) => void): { machine: Machine; address: (name: string) => bigint } {
  const { bytes, symbols } = assemble(program, { origin: ORIGIN });
  const machine = new Machine({ memoryBytes: 16 << 20, ...(onOutput ? { onOutput } : {}) });
  machine.load(bytes, { flat: { loadAddress: ORIGIN, entry: ORIGIN, bits: 64 } });
  return { machine, address: (name) => symbols.get(name)?.linear ?? -1n };
}

describe('a machine', () => {
  it('runs ten lines of guest and shows its registers and memory', () => {
    const { machine, address } = booted((a) => {
      a.mov(rax, 6);
      a.imul(rax, rax, 7);
      a.mov(qword('answer'), rax);
      a.cli();
      a.hlt();
      a.align(8);
      a.label('answer');
      a.dq(0);
    });
    expect(machine.run()).toEqual({ kind: 'halted', wakeable: false });
    expect(machine.state.gpr[0]).toBe(42n);
    expect([...machine.readLinear(linear(address('answer')), 8)]).toEqual([42, 0, 0, 0, 0, 0, 0, 0]);
    expect(machine.readPhysical(physical(Number(address('answer'))), 1)[0]).toBe(42);
    expect(machine.state.retired).toBe(5);
  });

  it('stops before an address, and goes on from there', () => {
    const { machine, address } = booted((a) => {
      a.xor(eax, eax);
      a.label('loop');
      a.inc(rax);
      a.jmp('loop');
    });
    for (let round = 1n; round <= 3n; round++) {
      expect(machine.run({ until: { rip: address('loop') } })).toEqual({ kind: 'reached' });
      expect(machine.state.gpr[0]).toBe(round - 1n);
    }
    expect(machine.run({ until: { rip: 0n }, maxInstructions: 100 })).toEqual({ kind: 'instruction-limit' });
  });

  it('stops when the console has printed a text', () => {
    let text = '';
    const { machine } = booted((a) => {
      a.mov(dx, 0x3f8);
      for (const c of 'login: more') {
        a.mov(al, c.charCodeAt(0));
        a.out(dx, al);
      }
      a.cli();
      a.hlt();
    }, (_, byteOut) => { text += String.fromCharCode(byteOut); });
    expect(machine.run({ until: { output: 'login:' } })).toEqual({ kind: 'reached' });
    expect(text).toBe('login:');
  });

  it('executes exactly as many instructions as it may', () => {
    const { machine } = booted((a) => { a.label('here'); a.jmp('here'); });
    for (const count of [1, 2, 3, 1000]) {
      const before = machine.state.retired;
      expect(machine.run({ maxInstructions: count }).kind).toBe('instruction-limit');
      expect(machine.state.retired - before).toBe(count);
    }
  });

  it('skips virtual time while it is halted: a timer tick costs no instructions', () => {
    const { machine } = booted((a) => {
      // PIT channel 0, mode 0 (interrupt on terminal count), 11932 clocks: 10 ms; then HLT until IRQ 0 is pending at the PIC.
      a.mov(al, 0x30);
      a.out(0x43, al);
      a.mov(al, 0x9c);
      a.out(0x40, al);
      a.mov(al, 0x2e);
      a.out(0x40, al);
      a.sti();
      a.hlt();
    });
    const stop = machine.run({ maxInstructions: 1000 });
    // There is no IDT: the tick ends in a triple fault, which shows that it came.
    expect(stop.kind).toBe('triple-fault');
    expect(machine.state.idleTime).toBeGreaterThan(9_900_000);
    expect(machine.state.retired).toBe(8);
  });

  it('gives bytes to COM1 and takes them back when there is no room', () => {
    const { machine } = booted((a) => {
      a.mov(dx, 0x3f8);
      a.in(al, dx);
      a.mov(byte('got'), al);
      a.cli();
      a.hlt();
      a.label('got');
      a.db(0);
      a.lea(rbx, at('got'));
    });
    expect(machine.input([0x41])).toBe(1);
    machine.run();
    expect(machine.state.gpr[0]).toBe(0x41n);
    expect(machine.input(new Uint8Array(1 << 17))).toBeLessThan(1 << 17);
  });

  it('is the same machine twice: equal programs end with equal state', () => {
    const program = (a: Assembler): void => {
      a.rdtsc();
      a.mov(rbx, rax);
      a.in(al, 0x40);
      a.cli();
      a.hlt();
    };
    const [one, two] = [booted(program).machine, booted(program).machine];
    one.run();
    two.run();
    expect([...one.state.gpr]).toEqual([...two.state.gpr]);
    expect(one.now()).toBe(two.now());
  });
});
