/** IN and OUT in generated code: devices see the instruction's own time, and what they change is seen before the next instruction. */
import { describe, expect, it } from 'vitest';
import { al, ax, dword, dx, eax, ebx, ecx, esi, rax, rbx, rdi, rsi, type Assembler } from '../../src/assembler/index.ts';
import { RFLAGS } from '../../src/cpu/flags.ts';
import { physical } from '../../src/state/addresses.ts';
import { FAST, fastEngine, machineWith, sameOnEveryEngine, visibleState, type Setup } from '../support/engine-runs.ts';
import { AT, type SystemMachine } from '../support/system-machine.ts';

const CLOCK = 0x70, STOP = 0xf4, INTERRUPT = 0x20, VECTOR = 0x40, ROUNDS = 5000;
/** ADD dword [RSI], 1; IRETQ. */
const HANDLER = [0x83, 0x06, 0x01, 0x48, 0xcf];

/** Nobody looks on, and there are three devices: a clock, one that stops the machine, one that interrupts. */
function withDevices(m: SystemMachine): void {
  m.cpu.onException = undefined;
  Object.assign(m.cpu.bus, {
    readPort: (port: number, bytes: number) => (port === CLOCK ? (m.state.retired * 0x9e37 + bytes) >>> 0 : 0xffff_ffff),
    writePort: (port: number, bytes: number, value: number) => {
      m.written.push({ port, bytes, value });
      if (port === STOP) m.engine.requestStop();
      if (port !== INTERRUPT) return;
      m.interrupts.push(VECTOR);
      m.cpu.refreshAttention();
    },
  });
  m.gate(VECTOR);
  HANDLER.forEach((byte, n) => m.memory.write(physical(AT.handlers + 16 * VECTOR + n), 1, byte));
}

/** `body` as often as ECX says, hot enough to be translated. */
const often = (body: (a: Assembler) => void): Setup => (m) => {
  withDevices(m);
  m.program((a) => {
    a.mov(ecx, ROUNDS);
    a.mov(esi, AT.pages);
    a.mov(rdi, AT.pages + 8);
    a.mov(dx, CLOCK);
    a.label('again');
    body(a);
    a.dec(ecx);
    a.jnz('again');
    a.hlt();
  });
};

/** Reads the clock in each width, and mixes what it says; two accesses stand in a row. */
const clocks = often((a) => {
  a.in(al, dx);
  a.add(rbx, rax);
  a.in(ax, CLOCK);
  a.imul(ebx, ebx, 31);
  a.add(rbx, rax);
  a.in(eax, dx);
  a.in(eax, CLOCK);
  a.xor(rbx, rax);
  a.add(dword(rdi), ebx);
});

describe('a device', () => {
  sameOnEveryEngine('sees the time of the instruction that asks it', clocks);
  sameOnEveryEngine('is told bytes, words and doublewords', often((a) => {
    a.mov(eax, 0x8765_4321);
    a.out(0x80, al);
    a.out(0x80, ax);
    a.out(0x80, eax);
  }), { finds: (m) => [m.written.slice(-3), [{ port: 0x80, bytes: 1, value: 0x21 }, { port: 0x80, bytes: 2, value: 0x4321 }, { port: 0x80, bytes: 4, value: 0x8765_4321 }]] });
  sameOnEveryEngine('that interrupts does so before the next instruction', (m) => {
    often((a) => {
      a.add(ebx, 5);
      a.out(INTERRUPT, al);
      a.add(ebx, dword(rsi));
    })(m);
    m.rflags |= RFLAGS.IF;
  }, { finds: (m) => [m.memory.read(physical(AT.pages), 4), ROUNDS] });
});

it.each(FAST)('a device that stops the machine stops it behind the instruction › %s', (name) => {
  const stopping = often((a) => {
    a.add(ebx, 5);
    a.out(STOP, al);
    a.add(rbx, rax);
  });
  const reference = machineWith('reference', stopping), m = machineWith(name, stopping);
  for (let n = 0; n < 500; n++) {
    for (const { engine } of [reference, m]) expect(engine.run(1e6)).toEqual({ kind: 'requested' });
    expect(visibleState(m), `stop ${n}`).toEqual(visibleState(reference));
  }
});

it.each(FAST)('a run may end at each instruction around an access › %s', (name) => {
  for (let n = 1; n < 30; n += 3) {
    const reference = machineWith('reference', clocks), m = machineWith(name, clocks);
    // The second stretch finds the code made.
    for (const budget of [n, 30_000 + n, n]) {
      reference.runFast(budget);
      m.runFast(budget);
      expect(visibleState(m), `${n} more`).toEqual(visibleState(reference));
    }
  }
});

it.each(FAST)('ports are the reference engine\'s only where someone looks on, or the TSS is asked › %s', (name) => {
  const out = often((a) => a.out(0x80, al));
  const seen = machineWith(name, (m) => { out(m); m.cpu.onException = () => { /* It looks on. */ }; }), m = machineWith(name, out);
  for (const one of [seen, m]) one.runFast(1e6);
  expect(fastEngine(seen).statistics.referenceInstructions).toBeGreaterThan(ROUNDS);
  expect(fastEngine(m).statistics.referenceInstructions).toBeLessThan(100);
  // At CPL 3 IOPL is asked each time.
  const user = (iopl: number): SystemMachine => {
    const one = machineWith(name, (made) => { made.enterUser(); out(made); });
    one.rflags |= iopl << 12;
    one.runFast(1e6);
    return one;
  };
  expect(user(3).written.length).toBe(ROUNDS);
  expect(user(2).written.length).toBe(0);
});
