/** A machine that someone sits in front of: its halted processor waits for the clock on the wall, and what it does is what it does without. */
import { describe, expect, it } from 'vitest';
import { History } from '../../src/debug/history/history.ts';
import type { InputLog } from '../../src/machine/input-log.ts';
import type { Machine, Stop } from '../../src/machine/machine.ts';
import { RealTime } from '../../src/machine/real-time.ts';
import { kernelMachine, wholeState } from './support/guests.ts';

/** A clock that moves only while the host sleeps, and the machine that keeps to it. */
class Wall {
  now = 0;
  readonly machine: Machine;
  readonly realTime: RealTime;
  constructor(machine: Machine) {
    this.machine = machine;
    this.realTime = new RealTime(machine, () => this.now);
  }
  slice(run = (): Stop => this.machine.run({ maxInstructions: 100_000 })): Stop { return this.realTime.run(run); }
  /** To the end, asleep while it may be. */
  finish(run?: () => Stop): Stop {
    for (;;) {
      const stop = this.slice(run);
      if (stop.kind === 'halted' && stop.wakeable) this.now += this.realTime.wait(stop);
      else if (stop.kind !== 'instruction-limit') return stop;
    }
  }
}

const plain = (): Machine => {
  const machine = kernelMachine('timer');
  expect(machine.run().kind).toBe('power-off');
  return machine;
};

describe('in real time', () => {
  it('a guest waits as long as its own clock says, and ends in the same state', () => {
    const wall = new Wall(kernelMachine('timer')), alone = plain();
    expect(wall.finish().kind).toBe('power-off');
    expect(wholeState(wall.machine)).toBe(wholeState(alone));
    expect(alone.state.idleTime).toBeGreaterThan(7e6);
    expect(wall.now).toBeCloseTo(alone.state.idleTime / 1e6, 3);
  });

  it('time does not move while the clock stands still', () => {
    const wall = new Wall(kernelMachine('timer'));
    let stop = wall.slice();
    while (stop.kind !== 'halted') stop = wall.slice();
    const { idleTime, retired } = wall.machine.state;
    expect(wall.realTime.wait(stop)).toBeGreaterThan(0);
    for (let n = 0; n < 10; n++) wall.slice();
    expect([wall.machine.state.idleTime, wall.machine.state.retired]).toEqual([idleTime, retired]);
  });

  it('input comes in the middle of a wait, and a recording repeats that at full speed', () => {
    const history = new History(kernelMachine('timer')), wall = new Wall(history.machine), run = (): Stop => history.run({ maxInstructions: 100_000 }) as Stop;
    let stop = wall.slice(run);
    while (stop.kind !== 'halted') stop = wall.slice(run);
    const before = history.machine.state.idleTime, wait = wall.realTime.wait(stop);
    wall.now += wait / 2;
    wall.slice(run);
    expect(history.machine.state.idleTime).toBe(before + Math.round((wait * 1e6) / 2));
    history.give({ kind: 'serial', port: 0, bytes: [65] });
    expect(wall.finish(run).kind).toBe('power-off');
    const log: InputLog = history.log;
    expect(log.events[0]?.at.idleTime).toBe(before + Math.round((wait * 1e6) / 2));

    const repeated = new History(kernelMachine('timer'), { log });
    expect(repeated.run().kind).toBe('power-off');
    expect(wholeState(repeated.machine)).toBe(wholeState(history.machine));
    // And backwards to the middle of the wait.
    history.runTo(log.events[0]!.at);
    expect(history.now).toEqual(log.events[0]!.at);
  });

  it('a host that was late, or is slower than the guest\'s clock, does not have it race to catch up', () => {
    const wall = new Wall(kernelMachine('timer'));
    let stop = wall.slice();
    while (stop.kind !== 'halted') stop = wall.slice();
    wall.now += 60_000;
    const before = wall.machine.state.idleTime;
    while (stop.kind === 'halted' || stop.kind === 'instruction-limit') {
      stop = wall.slice();
      if (stop.kind === 'halted' && wall.realTime.wait(stop) > 0) break;
    }
    expect(wall.machine.state.idleTime - before).toBeLessThan(200e6);
  });
});
