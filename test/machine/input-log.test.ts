/** Record and replay: a guest that listens and is interrupted, with input at any moment, is the same run again on every engine. */
import { describe, expect, it } from 'vitest';
import { al, dx, eax, ecx, qword, rax, rbx, rsi, rsp, type Assembler } from '../../src/assembler/index.ts';
import { FileFormatError, pack } from '../../src/machine/container.ts';
import { InputLog, Replay } from '../../src/machine/input-log.ts';
import { ENGINE_NAMES, type Machine } from '../../src/machine/machine.ts';
import { momentOf } from '../../src/machine/position.ts';
import { Random, seedOf } from '../support/random.ts';
import { flatMachine, kernelMachine, wholeState } from './support/guests.ts';

/** Polls COM1 and the keyboard, and mixes what it reads, and when it read it, into memory. */
function listener(a: Assembler): void {
  a.mov(rsp, 0x40_0000);
  a.xor(ecx, ecx);
  a.label('poll');
  a.inc(rbx);
  a.mov(dx, 0x3fd);
  a.in(al, dx);
  a.test(al, 1);
  a.je('keys');
  a.mov(dx, 0x3f8);
  a.in(al, dx);
  a.call('mix');
  a.label('keys');
  a.in(al, 0x64);
  a.test(al, 1);
  a.je('poll');
  a.in(al, 0x60);
  a.call('mix');
  a.jmp('poll');
  a.label('mix');
  a.movzx(eax, al);
  a.imul(rsi, rsi, 31);
  a.add(rsi, rax);
  a.xor(rsi, rbx);
  a.mov(qword('mixed'), rsi);
  a.ret();
  a.align(8);
  a.label('mixed');
  a.dq(0);
}

/** Runs it in slices of random length with random input in between. */
function recorded(machine: Machine, random: Random): InputLog {
  const log = new InputLog();
  for (let n = 0; n < 60; n++) {
    machine.run({ maxInstructions: random.between(1, 5000) });
    if (random.chance(50)) log.give(machine, { kind: 'serial', port: 0, bytes: [...random.bytes(random.between(1, 20))] });
    if (random.chance(30)) log.give(machine, { kind: 'key', code: random.pick(['KeyA', 'Enter', 'Space']), pressed: random.chance(50) });
    if (random.chance(10)) log.give(machine, { kind: 'register', name: 'r15', value: random.u64() });
    if (random.chance(10)) log.give(machine, { kind: 'memory', address: 0x30_0000 + random.below(4096), bytes: random.bytes(8) });
  }
  log.end = momentOf(machine);
  return log;
}

describe('a recorded run', () => {
  it('ends in the same state when it is replayed on any engine', () => {
    const random = new Random(seedOf('recorded input'));
    const { machine } = flatMachine(listener, { engine: 'interpreter' });
    const log = recorded(machine, random), whole = wholeState(machine);
    expect(log.events.length).toBeGreaterThan(20);
    expect(machine.state.gpr[6]).not.toBe(0n);
    expect(machine.run({ maxInstructions: 10 })).toEqual({ kind: 'instruction-limit' });
    const parsed = InputLog.from(JSON.parse(JSON.stringify(log)));
    for (const engine of ENGINE_NAMES) {
      const other = flatMachine(listener, { engine }).machine;
      expect(new Replay(other, parsed).run()).toBe(true);
      expect(wholeState(other), engine).toBe(whole);
    }
  });
  it('in which keys come faster than the guest takes them', () => {
    const { machine } = flatMachine((a) => { a.label('deaf'); a.jmp('deaf'); });
    const log = new InputLog();
    for (let n = 0; n < 40; n++) {
      machine.run({ maxInstructions: 10 });
      log.give(machine, { kind: 'key', code: 'KeyA', pressed: n % 2 === 0 });
    }
    const other = flatMachine((a) => { a.label('deaf'); a.jmp('deaf'); }).machine;
    expect(new Replay(other, log).run()).toBe(true);
    expect(wholeState(other)).toBe(wholeState(machine));
  });
  it('in which input arrives while the processor waits: the wait is as long again', () => {
    const machine = kernelMachine('timer');
    const log = new InputLog();
    for (let n = 0; n < 40; n++) {
      machine.run({ maxInstructions: 3000, maxIdleTime: machine.state.idleTime + 1 });
      log.give(machine, { kind: 'serial', port: 0, bytes: [n] });
    }
    log.end = momentOf(machine);
    for (const engine of ENGINE_NAMES) {
      const other = kernelMachine('timer', { engine });
      expect(new Replay(other, log).run()).toBe(true);
      expect(wholeState(other), engine).toBe(wholeState(machine));
    }
  });
});

describe('an input log', () => {
  const file = async (): Promise<Uint8Array<ArrayBuffer>> => {
    const log = new InputLog();
    log.give(flatMachine(listener).machine, { kind: 'serial', port: 0, bytes: [1, 2, 3] });
    return log.save({ image: 1, memoryBytes: 2, rtcEpochSeconds: 3 });
  };
  it('comes back from its file', async () => {
    const { of, log } = await InputLog.open(await file());
    expect(of).toEqual({ image: 1, memoryBytes: 2, rtcEpochSeconds: 3 });
    expect(log.events).toEqual([{ at: { retired: 0, deliveries: 0, idleTime: 0 }, input: { kind: 'serial', port: 0, bytes: [1, 2, 3] } }]);
  });
  it('that is damaged or is none is refused in one line', async () => {
    const good = await file();
    for (let n = 0; n < good.length; n++) {
      const changed = good.slice();
      changed[n]! ^= 1;
      await expect(InputLog.open(changed), `byte ${n}`).rejects.toThrow(FileFormatError);
      await expect(InputLog.open(good.slice(0, n)), `length ${n}`).rejects.toThrow(FileFormatError);
    }
    const text = async (content: string): Promise<Uint8Array<ArrayBuffer>> => pack({ magic: 'LMINPUTS', version: 1, what: '', maxBytes: 0 }, new TextEncoder().encode(content));
    const of = '"of":{"image":1,"memoryBytes":2,"rtcEpochSeconds":3}';
    const at = '"at":{"retired":5,"deliveries":0,"idleTime":0}';
    for (const content of ['', 'null', '{}', '[]', `{${of}}`, `{${of},"log":{"events":[null]}}`, `{${of},"log":{"events":[{${at},"kind":"serial","port":7,"bytes":[]}]}}`,
      `{${of},"log":{"events":[{${at},"kind":"register","name":"rax","value":"12"}]}}`, `{${of},"log":{"events":[{${at},"kind":"explode"}]}}`,
      `{${of},"log":{"events":[{${at},"kind":"key","code":"KeyA","pressed":true},{"at":{"retired":4,"deliveries":0,"idleTime":0},"kind":"key","code":"KeyA","pressed":true}]}}`]) {
      await expect(InputLog.open(await text(content)), content).rejects.toThrow(FileFormatError);
    }
  });
  it('holds no edit of what there is not', () => {
    const { machine } = flatMachine(listener);
    const log = new InputLog();
    expect(() => log.give(machine, { kind: 'register', name: 'cpl', value: 0n })).toThrow('cpl cannot be changed');
    expect(() => log.give(machine, { kind: 'register', name: 'cr0', value: 0x8000_0000n })).toThrow('cr0 cannot be 0x80000000: CR0.PG without CR0.PE');
    expect(() => log.give(machine, { kind: 'register', name: 'rip', value: 1n << 60n })).toThrow('no address that RIP can have');
    expect(() => log.give(machine, { kind: 'memory', address: 2 ** 40, bytes: new Uint8Array(1) })).toThrow(RangeError);
    expect(log.events).toEqual([]);
  });
});
