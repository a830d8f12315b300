import { describe, expect, it } from 'vitest';
import { Crystal } from '../../src/devices/crystal.ts';
import { Scheduler, type ScheduledEvent } from '../../src/devices/scheduler.ts';
import { SnapshotError } from '../../src/devices/snapshot.ts';
import { Random, seedOf } from '../support/random.ts';

function threeEvents(): { scheduler: Scheduler; ran: string[]; events: ScheduledEvent[] } {
  const scheduler = new Scheduler();
  const ran: string[] = [];
  return { scheduler, ran, events: ['a', 'b', 'c'].map((name) => scheduler.event(name, () => ran.push(name))) };
}

describe('the event scheduler', () => {
  it('runs what is due in the order of deadlines, and equal deadlines in the order of arming', () => {
    const scheduler = new Scheduler();
    const ran: string[] = [];
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => scheduler.event(name, () => ran.push(name)));
    d?.schedule(20);
    c?.schedule(10);
    a?.schedule(5);
    b?.schedule(10);
    expect(scheduler.nextDeadline()).toBe(5);
    scheduler.advanceTo(4);
    expect(ran).toEqual([]);
    scheduler.advanceTo(10);
    expect(ran).toEqual(['a', 'c', 'b']);
    expect(scheduler.nextDeadline()).toBe(20);
  });

  it('forgets an event that is cancelled and moves one that is scheduled again', () => {
    const scheduler = new Scheduler();
    const ran: string[] = [];
    const a = scheduler.event('a', () => ran.push('a'));
    const b = scheduler.event('b', () => ran.push('b'));
    a.schedule(1);
    b.schedule(2);
    a.cancel();
    a.cancel();
    b.schedule(50);
    scheduler.advanceTo(49);
    expect(ran).toEqual([]);
    scheduler.advanceTo(50);
    expect(ran).toEqual(['b']);
    expect(scheduler.nextDeadline()).toBe(Infinity);
  });

  it('runs an event that another one arms for now, but none twice in one call, so no guest holds the host', () => {
    const scheduler = new Scheduler();
    let runs = 0;
    const other = scheduler.event('other', () => runs += 100);
    const greedy = scheduler.event('greedy', (now) => {
      runs++;
      greedy.schedule(now);
      other.schedule(now);
    });
    greedy.schedule(7);
    scheduler.advanceTo(7);
    expect(runs).toBe(101);
    expect(scheduler.nextDeadline()).toBe(7);
    scheduler.advanceTo(8);
    expect(runs).toBe(202);
  });

  it('tells the machine when something becomes due earlier than it knew, and only then', () => {
    const { scheduler, events: [a, b] } = threeEvents();
    let told = 0;
    scheduler.onEarlier(() => told++);
    a?.schedule(100);
    expect(told).toBe(1);
    b?.schedule(200);
    a?.cancel();
    expect(told).toBe(1);
    b?.schedule(150);
    expect(told).toBe(2);
    b?.schedule(300);
    scheduler.advanceTo(300);
    expect(told).toBe(2);
  });

  it('goes into a snapshot as deadlines of named events and comes back in the same order', () => {
    const one = threeEvents(), two = threeEvents();
    for (const i of [2, 0, 1]) one.events[i]?.schedule(9);
    two.scheduler.restore(JSON.parse(JSON.stringify(one.scheduler.snapshot())));
    two.scheduler.advanceTo(9);
    expect(two.ran).toEqual(['c', 'a', 'b']);
  });

  it.each([
    [{ owners: 2, events: [] }, 'scheduler.owners'],
    [{ owners: 1, events: [{ deadline: 1, event: 1 }] }, 'scheduler.events[0].event'],
    [{ owners: 1, events: [{ deadline: -1, event: 0 }] }, 'scheduler.events[0].deadline'],
    [{ owners: 1 }, 'scheduler.events'],
    [undefined, 'scheduler'],
  ])('refuses the snapshot %j and names the field', (snapshot, field) => {
    const scheduler = new Scheduler();
    scheduler.event('a', () => {});
    expect(() => scheduler.restore(snapshot)).toThrow(SnapshotError);
    expect(() => scheduler.restore(snapshot)).toThrow(field);
  });
});

describe('a crystal', () => {
  it.each([32_768, 1_193_182, 1_843_200, 3_579_545])('of %i Hz counts exactly as rational arithmetic does, for months', (hertz) => {
    const crystal = new Crystal(hertz);
    const random = new Random(seedOf(`crystal ${hertz}`));
    for (let i = 0; i < 2000; i++) {
      const now = random.below(2 ** 22) * 2 ** 30 + random.below(2 ** 30);
      const ticks = Number(BigInt(now) * BigInt(hertz) / 1_000_000_000n);
      expect(crystal.ticksAt(now)).toBe(ticks);
      const at = crystal.timeOf(ticks);
      expect([crystal.ticksAt(at), at === 0 ? -1 : crystal.ticksAt(at - 1)]).toEqual([ticks, ticks - 1]);
    }
  });

  it('refuses rates whose products would not be exact', () => {
    expect(() => new Crystal(10_000_000)).toThrow(RangeError);
    expect(() => new Crystal(0.5)).toThrow(RangeError);
  });
});
