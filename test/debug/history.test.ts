/** Backwards in time: at every moment the machine is what it was, whatever way it came there, on every engine. */
import { describe, expect, it, vi } from 'vitest';
import { al, ax, dx, eax, qword, rax, rbx, rcx, type Assembler } from '../../src/assembler/index.ts';
import { Debugger } from '../../src/debug/debugger.ts';
import { History, type Watch } from '../../src/debug/history/history.ts';
import { KEPT_OF_A_SORT } from '../../src/debug/history/events.ts';
import { MOST_OUTPUT } from '../../src/debug/history/records.ts';
import { reverseContinue } from '../../src/debug/history/search.ts';
import { eventsView } from '../../src/debugger/worker/time-view.ts';
import { ENGINE_NAMES, type EngineName, type Machine, type Stop } from '../../src/machine/machine.ts';
import { momentOf, type Moment } from '../../src/machine/position.ts';
import { Random, seedOf } from '../support/random.ts';
import { flatMachine, kernelMachine, wholeState } from '../machine/support/guests.ts';

/** Steps a machine that has no history, and tells its state at each boundary, from the one where it is. */
function statesOf(machine: Machine, steps: number): { readonly at: Moment; readonly whole: string }[] {
  const states = [{ at: momentOf(machine), whole: wholeState(machine) }];
  for (let n = 0; n < steps; n++) {
    machine.run({ maxInstructions: 1 });
    states.push({ at: momentOf(machine), whole: wholeState(machine) });
  }
  return states;
}

const stopBefore = (address: bigint): Watch => ({ addresses: new Set([address]), hit: (machine) => (machine.state.rip === address ? { at: momentOf(machine) } : undefined) });

it('an idle kernel\'s timer takes no exception away from what is kept', () => {
  const machine = kernelMachine('heap'), { records } = new History(machine), MANY = 2 * KEPT_OF_A_SORT + 7;
  machine.observers.exception(14, 2, 0x1234n, 0n, 'fault');
  for (let n = 0; n < MANY; n++) machine.observers.exception(32, undefined, 0n, BigInt(n), 'interrupt');
  machine.observers.controlRegister(3, 0x5000n);
  expect(records.eventCount).toBe(KEPT_OF_A_SORT + 2);
  expect(records.events[0]).toEqual({ at: { retired: 0, deliveries: 0 }, kind: 'fault', vector: 14, errorCode: 2, cr2: 0x1234n, rip: 0n });
  expect(records.events.at(-1)).toMatchObject({ kind: 'cr3', value: 0x5000n });
  const interrupts = records.events.slice(1, -1);
  expect(interrupts.map(({ rip }) => rip)).toEqual(Array.from({ length: KEPT_OF_A_SORT }, (_, n) => BigInt(MANY - KEPT_OF_A_SORT + n)));
  expect([...records.newest(['page-fault', 'cr3'])].map(({ kind }) => kind)).toEqual(['cr3', 'fault']);
});

it('single steps take no page fault away, and it is said that the oldest of them are not kept', () => {
  const machine = kernelMachine('heap'), debug = new Debugger(machine), { observers } = machine;
  observers.exception(14, 2, 0x1234n, 0n, 'fault');
  observers.exception(3, undefined, 0n, 0n, 'trap');
  expect(eventsView(debug, { interrupts: false, most: 10 })).toMatchObject({ total: 2, hasAll: true, hasMore: false });
  for (let n = 0; n <= KEPT_OF_A_SORT; n++) observers.exception(1, undefined, 0n, BigInt(n), 'trap');
  const only = (titled: string, most: number): ReturnType<typeof eventsView> => eventsView(debug, { interrupts: true, most, titled });
  expect(only('#pf', 10)).toMatchObject({ events: [{ kind: 'exception', title: expect.stringContaining('#PF') as string, address: 0x1234n }], total: KEPT_OF_A_SORT + 2, hasAll: false, hasMore: false });
  expect(only('#BP', 1)).toMatchObject({ events: [{ title: expect.stringContaining('#BP') as string }], hasMore: false });
  expect(only('#DB', 3)).toMatchObject({ events: [{}, {}, {}], hasMore: true });
  expect(only('#GP', 3).events).toEqual([]);
});

it('output that another future took away is not told of, though more had been sent than is kept', () => {
  const machine = kernelMachine('heap'), history = new History(machine), { records } = history;
  history.run({ maxInstructions: 1000 });
  for (let n = 0; n < MOST_OUTPUT; n++) machine.observers.output(0, 'a'.charCodeAt(0));
  history.run({ maxInstructions: 1000 });
  for (let n = 0; n < 100; n++) machine.observers.output(0, 'b'.charCodeAt(0));
  history.runTo(1500);
  history.give({ kind: 'register', name: 'rax', value: 0n });
  expect(new TextDecoder().decode(records.output(0))).toBe('a'.repeat(MOST_OUTPUT - 100));
});

describe('the way to a moment in pieces', () => {
  it('comes to where the way at once comes to, and may be left off anywhere', () => {
    const history = new History(kernelMachine('heap'));
    history.run({ maxInstructions: 300_000 });
    const end = history.end.retired;
    for (const to of [123_456, end - 1, 7]) {
      expect(history.runTo(to)).toBeUndefined();
      const whole = wholeState(history.machine);
      history.runTo(to < 1000 ? 130_000 : 5);
      const way = history.wayTo(to);
      for (let before = -1; way(1000).kind === 'instruction-limit'; before = history.machine.state.retired) expect(history.machine.state.retired).not.toBe(before);
      expect(history.machine.state.retired).toBe(to);
      expect(wholeState(history.machine)).toBe(whole);
      history.wayTo(100_000)(1000);
      expect(history.end.retired).toBe(end);
    }
  });
});

/** How many instructions had retired when each exception or interrupt was delivered. */
function momentsOfDeliveries(scenario: string): readonly number[] {
  const machine = kernelMachine(scenario), moments: number[] = [];
  machine.observers.add({ exception: () => { moments.push(machine.state.retired); } });
  machine.run();
  return moments;
}

describe('a step back', () => {
  it.each(ENGINE_NAMES)('goes to each boundary before, through faults, interrupts and changes of privilege › %s', (engine) => {
    for (const [scenario, delivery] of [['ring3', 9], ['ring3', 13], ['timer', 5]] as const) {
      const from = momentsOfDeliveries(scenario)[delivery - 1]! - 50;
      const straight = kernelMachine(scenario, { engine });
      straight.run({ maxInstructions: from });
      const { deliveries } = straight.cpu;
      const states = statesOf(straight, 120);
      const machine = kernelMachine(scenario, { engine });
      const history = new History(machine);
      expect(history.run({ maxInstructions: states.at(-1)!.at.retired + 5000 })).toEqual({ kind: 'instruction-limit' });
      expect(history.runTo(states.at(-1)!.at)).toBeUndefined();
      for (const { at, whole } of states.reverse()) {
        expect(wholeState(machine), `${scenario} at ${at.retired}+${at.deliveries}`).toBe(whole);
        expect(history.stepBack()).toBe(true);
      }
      expect(straight.cpu.deliveries, scenario).toBeGreaterThan(deliveries);
    }
  });
  it('from a triple fault leads to the fault that nobody could deliver', () => {
    const { machine, address } = flatMachine((a) => {
      a.nop();
      a.label('bad');
      a.ud2();
    });
    const history = new History(machine);
    expect(history.run()).toEqual({ kind: 'triple-fault' });
    expect(history.stepBack()).toBe(true);
    expect([machine.state.rip, machine.state.activity, history.now]).toEqual([address('bad'), 0, { retired: 1, deliveries: 0, idleTime: 0 }]);
    expect(history.run()).toEqual({ kind: 'triple-fault' });
  });
  it('ends where the history begins', () => {
    const { machine } = flatMachine((a) => { for (let n = 0; n < 10; n++) a.nop(); });
    machine.run({ maxInstructions: 2 });
    const history = new History(machine);
    history.run({ maxInstructions: 3 });
    expect([history.stepBack(3), history.stepBack(), history.now.retired]).toEqual([true, false, 2]);
  });
});

describe('travel', () => {
  it.each(ENGINE_NAMES)('back and forth at random ends in the states of a machine that never stopped › %s', (engine) => {
    const random = new Random(seedOf('travel'));
    const targets = Array.from({ length: 12 }, () => random.between(1, 900_000)).sort((a, b) => a - b);
    const straight = kernelMachine('all', { engine });
    const states = new Map<number, string>();
    for (const to of targets) {
      straight.run({ maxInstructions: to - straight.state.retired });
      states.set(to, wholeState(straight));
    }
    const machine = kernelMachine('all', { engine });
    const history = new History(machine, { budgetBytes: 8 << 20 });
    history.run({ maxInstructions: targets.at(-1)! });
    expect(wholeState(machine)).toBe(states.get(targets.at(-1)!));
    for (let n = 0; n < 25; n++) {
      const to = random.pick(targets);
      expect(history.runTo(to)).toBeUndefined();
      expect(wholeState(machine), `${to}`).toBe(states.get(to));
      if (random.chance(30)) history.stepBack(random.between(1, 3));
    }
  });

  /** Mixes what it reads from COM1, and when, into memory, and sends it back. */
  function echo(a: Assembler): void {
    a.label('poll');
    a.inc(rbx);
    a.mov(dx, 0x3fd);
    a.in(al, dx);
    a.test(al, 1);
    a.je('poll');
    a.mov(dx, 0x3f8);
    a.in(al, dx);
    a.out(dx, al);
    a.mov(rcx, rax);
    a.imul(rcx, rbx);
    a.add(qword('mixed'), rcx);
    a.jmp('poll');
    a.align(8);
    a.label('mixed');
    a.dq(0);
  }
  const lettersOf = (engine: EngineName): { history: History; machine: Machine; printed: string[] } => {
    const printed: string[] = [];
    const { machine } = flatMachine(echo, { engine, onOutput: (_port, byte) => { printed.push(String.fromCharCode(byte)); } });
    const history = new History(machine);
    for (const letter of 'hello') {
      history.give({ kind: 'serial', port: 0, bytes: [letter.charCodeAt(0)] });
      history.run({ maxInstructions: 30_000 });
    }
    return { history, machine, printed };
  };

  it.each(ENGINE_NAMES)('gives input again at its moment and lets nothing out a second time › %s', (engine) => {
    const { history, machine, printed } = lettersOf(engine);
    const end = history.end, whole = wholeState(machine);
    expect(printed.join('')).toBe('hello');
    history.runTo(70_000);
    expect(new TextDecoder().decode(history.records.output(0, 0, history.records.sentBefore(machine.state.retired)))).toBe('hel');
    expect(history.isLive).toBe(false);
    expect(history.runTo(end)).toBeUndefined();
    expect([wholeState(machine), history.isLive, printed.join('')]).toEqual([whole, true, 'hello']);
  });
  it('has edits in it, and an edit in the past begins another future', () => {
    const { history, machine } = lettersOf('auto');
    history.give({ kind: 'register', name: 'rbx', value: 5n });
    history.run({ maxInstructions: 1000 });
    const whole = wholeState(machine);
    history.runTo(149_000);
    expect(machine.state.gpr[3]).not.toBe(5n);
    history.runTo(history.end);
    expect(wholeState(machine)).toBe(whole);
    history.runTo(70_000);
    expect(() => history.give({ kind: 'register', name: 'rip', value: 1n << 62n })).toThrow(RangeError);
    expect(history.end.retired).toBe(151_000);
    history.give({ kind: 'memory', address: 0x20_0000, bytes: Uint8Array.of(0xf4) });
    expect([history.end.retired, history.isLive, history.log.events.length]).toEqual([70_000, true, 4]);
    expect(new TextDecoder().decode(history.records.output(0))).toBe('hel');
    expect(history.run()).toEqual({ kind: 'halted', wakeable: false });
  });
  it('has an edit in its log, and not among the events, however often it is repeated', () => {
    const history = new History(kernelMachine('timer'));
    history.run({ maxInstructions: 150_000 });
    const { cr3 } = history.machine.state, at = history.now;
    history.give({ kind: 'register', name: 'cr3', value: cr3 });
    history.run({ maxInstructions: 1000 });
    const events = [...history.records.events];
    expect(events.filter(({ kind, at: { retired } }) => kind === 'cr3' && retired === at.retired)).toEqual([]);
    for (const back of [at.retired - 10, at, at.retired + 10]) {
      history.runTo(back);
      history.runTo(history.end);
    }
    expect(history.records.events).toEqual(events);
  });
  it('goes on to new things beyond the end', () => {
    const machine = kernelMachine('timer');
    const history = new History(machine);
    history.run({ maxInstructions: 50_000 });
    expect(history.runTo(110_000)).toBeUndefined();
    expect([machine.state.retired, history.end.retired]).toEqual([110_000, 110_000]);
    expect(history.runTo(1e9)).toEqual({ kind: 'power-off' });
  });
  it('in search of something goes on piece by piece, and leaves the machine where it was when it is given up', () => {
    const machine = kernelMachine('all');
    const history = new History(machine);
    history.run({ maxInstructions: 900_000 });
    const whole = wholeState(machine);
    for (const pieces of [0, 1, 7]) {
      const search = reverseContinue(history, stopBefore(1n));
      for (let n = 0; n < pieces; n++) expect(search.advance()).toBeUndefined();
      search.cancel();
      expect(wholeState(machine)).toBe(whole);
    }
    expect(reverseContinue(history, stopBefore(1n)).finish()).toEqual({ kind: 'start' });
  });
});

const ENDINGS: readonly (readonly [name: string, ending: Stop, act: (a: Assembler) => void])[] = [
  ['turned the power off', { kind: 'power-off' }, (a) => { a.mov(eax, 0x2000); a.mov(dx, 0x604); a.out(dx, ax); }],
  ['left by the debug-exit port', { kind: 'debug-exit', value: 3 }, (a) => { a.mov(eax, 3); a.mov(dx, 0xf4); a.out(dx, al); }],
  ['reset the machine', { kind: 'reset' }, (a) => { a.mov(eax, 6); a.mov(dx, 0xcf9); a.out(dx, al); }],
  ['ended in a triple fault', { kind: 'triple-fault' }, (a) => { a.ud2(); }],
  ['halted with interrupts off', { kind: 'halted', wakeable: false }, (a) => { a.cli(); a.hlt(); }],
];

describe.each(ENGINE_NAMES)('a guest that has ended › %s', (engine) => {
  /** It counts to 1000, ends, and would go on to count to 2000. */
  const endedBy = (act: (a: Assembler) => void): { history: History; machine: Machine; address: (name: string) => bigint } => {
    const { machine, address } = flatMachine((a) => {
      for (const label of ['before', 'behind']) {
        a.mov(rcx, 1000);
        a.label(label);
        a.inc(rbx);
        a.dec(rcx);
        a.jnz(label);
        if (label === 'before') act(a);
      }
      a.label('for_ever');
      a.jmp('for_ever');
    }, { engine });
    return { history: new History(machine), machine, address };
  };

  it.each(ENDINGS)('because it %s goes no further, and has ended again whatever way one comes back to its end', (_name, ending, act) => {
    const { history, machine } = endedBy(act);
    history.run({ maxInstructions: 100 });
    expect([history.ending, history.run(), history.ending]).toEqual([undefined, ending, ending]);
    const { end } = history, whole = wholeState(machine);
    expect([history.run(), history.runTo(1e9), history.pass({ maxInstructions: 5 }), wholeState(machine), history.end]).toEqual([ending, ending, ending, whole, end]);
    for (const come of [
      () => history.runTo(end),
      () => history.run(),
      () => history.run({ maxInstructions: end.retired - history.now.retired + 3 }),
      () => { while (history.run({ maxInstructions: 1 }).kind === 'instruction-limit'); },
      () => history.runTo(1e9),
    ]) {
      expect([history.stepBack(2), history.ending]).toEqual([true, undefined]);
      come();
      expect([history.ending, wholeState(machine), history.hasFuture]).toEqual([ending, whole, false]);
      history.runTo(5);
      expect(history.ending).toBeUndefined();
      come();
      expect([history.ending, wholeState(machine)]).toEqual([ending, whole]);
    }
    expect(machine.state.gpr[3]).toBe(1000n);
  });
  it.each(ENDINGS)('because it %s takes nothing that is typed', (_name, ending, act) => {
    const { history } = endedBy(act);
    history.run();
    expect(history.give({ kind: 'serial', port: 0, bytes: [0x61] })).toBeUndefined();
    expect(history.give({ kind: 'key', code: 'KeyA', pressed: true })).toBeUndefined();
    expect([history.log.events, history.ending]).toEqual([[], ending]);
  });
  it.each(ENDINGS)('because it %s has not in another future, which an edit in its past begins', (_name, ending, act) => {
    const { history, machine, address } = endedBy(act);
    history.run();
    history.stepBack(2);
    history.give({ kind: 'register', name: 'rip', value: address('behind') });
    history.give({ kind: 'register', name: 'rcx', value: 1000n });
    expect([history.ending, history.hasFuture]).toEqual([undefined, false]);
    expect(history.run({ maxInstructions: 5000 })).toEqual({ kind: 'instruction-limit' });
    expect([history.ending, machine.state.gpr[3]]).toEqual([undefined, 2000n]);
    // And there it may end as well.
    history.give({ kind: 'register', name: 'rip', value: address('before') + 8n });
    expect([history.run(), history.ending]).toEqual([ending, ending]);
  });
  it('by HLT goes on after an edit that lets interrupts in, now and whenever that is repeated; after a power-off no edit helps', () => {
    const [, , , , [, , halts]] = ENDINGS as [unknown, unknown, unknown, unknown, typeof ENDINGS[number]], halted = endedBy(halts), { history } = halted;
    history.run();
    history.give({ kind: 'register', name: 'rflags', value: 0x202n });
    // The timer wakes it, and there is no IDT.
    expect([history.ending, history.run().kind, halted.machine.state.idleTime > 0]).toEqual([undefined, 'triple-fault', true]);
    const { end } = history;
    history.runTo(5);
    expect([history.run().kind, history.now]).toEqual(['triple-fault', end]);
    const off = endedBy(ENDINGS[0]![2]);
    off.history.run();
    off.history.give({ kind: 'register', name: 'rbx', value: 7n });
    for (let n = 0; n < 2; n++) {
      expect([off.history.run(), off.history.ending, off.machine.state.gpr[3]]).toEqual([{ kind: 'power-off' }, { kind: 'power-off' }, 7n]);
      off.history.runTo(5);
    }
  });
});

describe('the memory that a history takes', () => {
  /** Writes `bytes` bytes over and over, one qword in each `step`. */
  const writer = (bytes: number, step: number): Machine => flatMachine((a) => {
    a.label('again');
    a.mov(rbx, 0x40_0000);
    a.label('fill');
    a.add(qword(rbx), rax);
    a.inc(rax);
    a.add(rbx, step);
    a.cmp(rbx, 0x40_0000 + bytes);
    a.jb('fill');
    a.jmp('again');
  }).machine;
  const grown = (machine: Machine, budgetBytes: number): { history: History; states: Map<number, string> } => {
    const history = new History(machine, { budgetBytes }), states = new Map<number, string>();
    for (let n = 1; n <= 12; n++) {
      history.run({ maxInstructions: 3_000_000 });
      states.set(machine.state.retired, wholeState(machine));
      const { bytes, firstBytes, reservedBytes } = history.memory;
      expect(bytes - firstBytes).toBeLessThanOrEqual(budgetBytes);
      expect(firstBytes).toBeLessThan(machine.state.ramBytes * 1.1);
      // Room is made before a checkpoint is taken: it is never more for a while. A slab is 4 MiB.
      expect(reservedBytes).toBeLessThanOrEqual(machine.state.ramBytes + budgetBytes + (4 << 20));
    }
    return { history, states };
  };

  it('stays within its budget, and all of the past can still be gone to', () => {
    const machine = writer(0x20_0000, 64);
    const { history, states } = grown(machine, 24 << 20);
    expect([history.start.retired, history.memory.checkpoints > 3]).toEqual([0, true]);
    for (const [at, whole] of [...states].reverse().filter((_, n) => n % 4 === 0)) {
      history.runTo(at);
      expect(wholeState(machine), `${at}`).toBe(whole);
    }
  });
  it('stays within a budget that is too small for the guest: then the past begins later', () => {
    const machine = writer(0x80_0000, 4096);
    const { history, states } = grown(machine, 20 << 20);
    const { start } = history;
    expect(start.retired).toBeGreaterThan(0);
    for (const [at, whole] of states) {
      history.runTo(at);
      expect(wholeState(machine) === whole, `${at}`).toBe(at >= start.retired);
      expect(machine.state.retired).toBe(Math.max(at, start.retired));
    }
    expect(history.start).toEqual(start);
    history.runTo(start.retired + 2);
    expect([history.stepBack(), history.stepBack(), history.stepBack(), history.now]).toEqual([true, true, false, start]);
  });
  it('is copied in bounded pieces: where many frames are written at once, a checkpoint is due before its time', () => {
    // 2048 frames, 5 instructions each: a small part of the time between two checkpoints of a guest that writes little.
    const history = new History(writer(0x80_0000, 4096), { budgetBytes: 4 << 20 });
    for (let n = 0; n < 20; n++) {
      history.run({ maxInstructions: 5 * 100 });
      expect(history.machine.memory.writtenCount).toBeLessThan((2 << 20) / 4096);
    }
    expect(history.memory.checkpoints).toBeGreaterThan(1);
  });
  it('has a checkpoint more often where the host is slow, or the code cold, so that the way back is short there, too', () => {
    const checkpoints = (): number => {
      const history = new History(writer(0x2_0000, 64));
      for (let n = 0; n < 40; n++) history.run({ maxInstructions: 50_000 });
      return history.memory.checkpoints;
    };
    const usual = checkpoints();
    let now = 0;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now += 10);
    try {
      // Each slice takes ten milliseconds.
      expect(checkpoints()).toBeGreaterThan(usual + 10);
    } finally {
      clock.mockRestore();
    }
  });
  it('may hold no second checkpoint: then the past begins where one was due last', () => {
    const machine = writer(0x80_0000, 4096);
    const history = new History(machine, { budgetBytes: 0 });
    history.run({ maxInstructions: 1000 });
    const { checkpoints, bytes, firstBytes } = history.memory, { start } = history, whole = wholeState(machine), { now } = history;
    expect([checkpoints, bytes - firstBytes < 2 ** 18, start.retired > 900]).toEqual([1, true, true]);
    expect(history.runTo(start)).toBeUndefined();
    expect(history.runTo(now)).toBeUndefined();
    expect(wholeState(machine)).toBe(whole);
  });
});

describe('reverse continue', () => {
  it.each(ENGINE_NAMES)('goes to the last time before now that execution came to an address › %s', (engine) => {
    const { machine, address } = flatMachine((a) => {
      a.mov(rcx, 1000);
      a.label('outer');
      a.nop();
      a.mov(rbx, 20);
      a.label('inner');
      a.dec(rbx);
      a.jnz('inner');
      a.dec(rcx);
      a.jnz('outer');
      a.label('after');
      a.mov(rbx, 50_000);
      a.label('long');
      a.dec(rbx);
      a.jnz('long');
      a.label('here');
      a.hlt();
    }, { engine });
    const history = new History(machine);
    expect(history.run()).toEqual({ kind: 'halted', wakeable: false });
    const whole = wholeState(machine);
    expect(reverseContinue(history, stopBefore(address('outer'))).finish()).toMatchObject({ kind: 'hit' });
    expect([machine.state.rip, machine.state.gpr[1]]).toEqual([address('outer'), 1n]);
    expect(reverseContinue(history, stopBefore(address('outer'))).finish().kind).toBe('hit');
    expect(machine.state.gpr[1]).toBe(2n);
    expect(history.run({ watch: stopBefore(address('after')) })).toMatchObject({ kind: 'hit', hit: { at: history.now } });
    expect(machine.state.gpr[1]).toBe(0n);
    expect(reverseContinue(history, stopBefore(address('here'))).finish()).toEqual({ kind: 'start' });
    expect(history.now).toEqual(history.start);
    history.runTo(history.end);
    expect(wholeState(machine)).toBe(whole);
  });
});
