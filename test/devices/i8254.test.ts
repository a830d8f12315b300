import { describe, expect, it } from 'vitest';
import { I8254, PIT_CRYSTAL } from '../../src/devices/i8254.ts';
import { Random, seedOf } from '../support/random.ts';
import { Time, portsOf, board } from './support/board.ts';
import { NaiveCounter } from './support/naive-8254.ts';

const toBcd = (n: number): number => Number.parseInt(String(n), 16);
const control = (counter: number, mode: number, { rw = 3, bcd = 0 } = {}): number => counter << 6 | rw << 4 | mode << 1 | bcd;

interface Timer {
  readonly t: I8254;
  /** Changes of OUT of counter 0. */
  readonly edges: [tick: number, level: boolean][];
  readonly write: (counter: number, mode: number, count: number) => void;
  readonly toTick: (tick: number) => void;
  readonly in: (port: number) => number;
  readonly out: (port: number, value: number) => void;
}

/** A timer with its own clock, told in ticks. */
function timer(): Timer {
  const time = new Time();
  const edges: [number, boolean][] = [];
  const t = new I8254(time.scheduler, time.clock, (level) => edges.push([PIT_CRYSTAL.ticksAt(time.now), level]));
  const ports = portsOf(t);
  return {
    t, edges, ...ports,
    write(counter, mode, count) {
      ports.out(0x43, control(counter, mode));
      ports.out(0x40 + counter, count & 0xff);
      ports.out(0x40 + counter, count >> 8);
    },
    toTick: (tick) => time.pass(PIT_CRYSTAL.timeOf(tick) - time.now),
  };
}

describe('the 8254 interval timer', () => {
  it('mode 0 raises OUT N + 1 clocks after the count is written, and leaves it high', () => {
    const { write, toTick, edges } = timer();
    write(0, 0, 100);
    toTick(100_000);
    expect(edges).toEqual([[0, false], [101, true]]);
  });

  it('mode 2 pulls OUT low for one clock in every N', () => {
    const { write, toTick, edges } = timer();
    write(0, 2, 4);
    toTick(13);
    expect(edges).toEqual([[4, false], [5, true], [8, false], [9, true], [12, false], [13, true]]);
  });

  it('mode 3 makes a square wave, an odd count one clock longer high than low', () => {
    const { write, toTick, edges } = timer();
    write(0, 3, 5);
    toTick(14);
    expect(edges).toEqual([[4, false], [6, true], [9, false], [11, true], [14, false]]);
  });

  it('a count of 0 is 65,536: 18.2 ticks a second', () => {
    const { write, toTick, edges } = timer();
    write(0, 2, 0);
    toTick(1_193_182 * 10);
    expect(edges.filter(([, level]) => level)).toHaveLength(182);
  });

  it('does not drift: after a day of 1,000 Hz the tick is where exact arithmetic puts it', () => {
    const time = new Time();
    let last = 0;
    const t = new I8254(time.scheduler, time.clock, (level) => { if (level) last = time.now; });
    const ports = portsOf(t);
    ports.out(0x43, control(0, 2));
    ports.out(0x40, 1193 & 0xff);
    ports.out(0x40, 1193 >> 8);
    const day = 86_400 * 1_000_000_000;
    time.now = day; // a machine that slept: the missed periods cost nothing
    time.scheduler.advanceTo(time.now);
    time.pass(2_000_000);
    const tick = Math.floor((PIT_CRYSTAL.ticksAt(day + 2_000_000) - 1) / 1193) * 1193 + 1;
    expect(last).toBe(PIT_CRYSTAL.timeOf(tick));
  });

  it('a new count in mode 2 waits for the end of the cycle, in mode 0 it starts at once', () => {
    const two = timer();
    two.write(0, 2, 10);
    two.toTick(5);
    two.out(0x40, 20);
    two.out(0x40, 0);
    two.toTick(31);
    expect(two.edges).toEqual([[10, false], [11, true], [30, false], [31, true]]);

    const zero = timer();
    zero.write(0, 0, 10);
    zero.toTick(5);
    zero.out(0x40, 20);
    zero.out(0x40, 0);
    zero.toTick(26);
    expect(zero.edges).toEqual([[0, false], [26, true]]);
  });

  it('a latched count stands still until it is read, a second latch is ignored, and the counter runs on', () => {
    const { write, toTick, in: read, out } = timer();
    write(0, 2, 1000);
    toTick(101);
    out(0x43, control(0, 0, { rw: 0 }));
    toTick(201);
    out(0x43, control(0, 0, { rw: 0 }));
    expect(read(0x40) | read(0x40) << 8).toBe(900);
    expect(read(0x40) | read(0x40) << 8).toBe(800);
  });

  it('read-back latches status and count of several counters; the status comes first', () => {
    const { write, toTick, in: read, out } = timer();
    write(0, 2, 1000);
    write(2, 0, 500);
    out(0x43, 0xc0 | 0x02 | 0x08);
    expect(read(0x42)).toBe(0x40 | 0x30); // OUT low, null count: nothing is loaded before the next clock
    expect(read(0x40)).toBe(0x80 | 0x40 | 0x34);
    toTick(11);
    expect(read(0x40) | read(0x40) << 8, 'the latched count is the old one').toBe(0);
    out(0x43, 0xc0 | 0x20 | 0x02);
    expect(read(0x40)).toBe(0x80 | 0x34);
    expect(read(0x40) | read(0x40) << 8).toBe(990);
  });

  it('counts in BCD when told to', () => {
    const { toTick, in: read, out, edges } = timer();
    out(0x43, control(0, 0, { bcd: 1 }));
    out(0x40, 0x00);
    out(0x40, 0x01);
    toTick(2);
    expect(read(0x40) | read(0x40) << 8).toBe(0x0099);
    toTick(102);
    expect(edges).toEqual([[0, false], [101, true]]);
    expect(read(0x40) | read(0x40) << 8, 'wraps to 9999').toBe(0x9999);
  });

  it('counter 2 counts while its gate is high, and port 0x61 shows its OUT: how kernels calibrate the TSC', () => {
    const b = board();
    b.out(0x61, b.in(0x61) & ~2 | 1);
    b.out(0x43, 0xb0);
    b.out(0x42, 0xff);
    b.out(0x42, 0xff);
    let polls = 0;
    while ((b.in(0x61) & 0x20) === 0) {
      b.pass(1000);
      polls++;
    }
    expect(polls).toBe(Math.ceil(PIT_CRYSTAL.timeOf(0x1_0000) / 1000));
  });

  it('closing the gate holds mode 0, and re-opening it lets it go on', () => {
    const { t, write, toTick, in: read } = timer();
    t.setGate2(true);
    write(2, 0, 100);
    toTick(51);
    t.setGate2(false);
    toTick(500);
    expect([read(0x42) | read(0x42) << 8, t.output2]).toEqual([50, false]);
    t.setGate2(true);
    toTick(549);
    expect(t.output2).toBe(false);
    toTick(550);
    expect(t.output2).toBe(true);
  });

  it('a count of 1 in modes 2 and 3, which the data sheet forbids, leaves OUT high and the host free', () => {
    for (const mode of [2, 3]) {
      const { write, toTick, edges } = timer();
      write(0, mode, 1);
      toTick(1_000_000);
      expect(edges).toEqual([]);
      write(0, mode, 2);
      toTick(1_000_003);
      expect(edges.length).toBeGreaterThan(0);
    }
  });

  it('agrees with a circuit clocked pulse by pulse, whatever is written to it', () => {
    const random = new Random(seedOf('8254 against a naive model'));
    for (let run = 0; run < 300; run++) {
      const { t, toTick, in: read, out } = timer();
      const naive = new NaiveCounter(false);
      const history: string[] = [];
      const setGate = (level: boolean): void => {
        history.push(`gate ${level}`);
        t.setGate2(level);
        naive.setGate(level);
      };
      let tick = 0;
      const program = (): void => {
        const mode = random.below(6), bcd = random.chance(30);
        history.push(`mode ${mode}${bcd ? ' BCD' : ''}`);
        out(0x43, control(2, mode, { bcd: bcd ? 1 : 0 }));
        naive.control(mode, bcd);
      };
      const write = (): void => {
        const smallest = naive.mode === 2 || naive.mode === 3 ? 2 : 1;
        const count = random.chance(5) ? 0 : random.between(smallest, random.chance(80) ? 12 : 9999);
        history.push(`count ${count}`);
        const raw = naive.bcd ? toBcd(count) : count;
        out(0x42, raw & 0xff);
        out(0x42, raw >> 8);
        naive.write(count);
      };
      program();
      for (let step = 0; step < 40; step++) {
        const what = random.below(100);
        if (what < 5) program();
        else if (what < 25) write();
        else if (what < 40) setGate(!naive.gate);
        else {
          const ticks = random.chance(90) ? random.between(1, 15) : random.below(30_000);
          history.push(`${ticks} ticks`);
          tick += ticks;
          for (let i = 0; i < ticks; i++) naive.clk();
          toTick(tick);
        }
        out(0x43, 0xc0 | 0x08);
        const status = read(0x42);
        const raw = read(0x42) | read(0x42) << 8;
        const seen = { out: (status & 0x80) !== 0, null: (status & 0x40) !== 0, ce: naive.bcd ? Number(raw.toString(16)) : raw };
        // A counter that was never loaded since its control word holds nothing worth comparing.
        const ce = naive.state === 'stopped' || naive.state === 'wait-load' ? seen.ce : naive.ce % naive.modulus;
        expect({ history, ...seen }).toEqual({ history, out: naive.out, null: naive.nullCount, ce });
      }
    }
  });
});
