import { describe, expect, it } from 'vitest';
import { nextAlarm } from '../../src/devices/rtc-alarm.ts';
import { Random, seedOf } from '../support/random.ts';
import { board, remapPics, type Board } from './support/board.ts';

const SECOND = 1_000_000_000;
const A = 0x0a, B = 0x0b, C = 0x0c, D = 0x0d;
const get = (b: Board, register: number): number => {
  b.out(0x70, register);
  return b.in(0x71);
};
const set = (b: Board, register: number, value: number): void => {
  b.out(0x70, register);
  b.out(0x71, value);
};
/** Hours, minutes, seconds as the registers hold them. */
const clock = (b: Board): number[] => [4, 2, 0].map((register) => get(b, register));
const at = (...date: Parameters<typeof Date.UTC>): Board => board({ rtcEpochSeconds: Date.UTC(...date) / 1000 });

describe('the real-time clock', () => {
  it('tells time and date in BCD, from the epoch it was given and virtual time', () => {
    const b = at(2026, 10, 22, 23, 59, 58);
    expect(clock(b)).toEqual([0x23, 0x59, 0x58]);
    expect([6, 7, 8, 9, 0x32].map((register) => get(b, register)), 'Sunday the 22nd of November 2026').toEqual([1, 0x22, 0x11, 0x26, 0x20]);
    b.pass(2 * SECOND);
    expect(clock(b)).toEqual([0, 0, 0]);
    expect([6, 7].map((register) => get(b, register))).toEqual([2, 0x23]);
  });

  it('tells binary and twelve-hour time when register B says so', () => {
    const b = at(2026, 0, 1, 15, 45, 30);
    set(b, B, 0x06);
    expect(clock(b)).toEqual([15, 45, 30]);
    set(b, B, 0x04);
    expect(get(b, 4)).toBe(0x83);
    set(b, B, 0x00);
    expect(get(b, 4)).toBe(0x83);
    set(b, 4, 0x12); // midnight
    set(b, B, 0x02);
    expect(get(b, 4)).toBe(0);
  });

  it('is set while SET holds it, and goes on from there', () => {
    const b = at(2026, 0, 1);
    set(b, B, 0x82);
    for (const [register, value] of [[0, 0x50], [2, 0x59], [4, 0x23], [7, 0x28], [8, 0x02], [9, 0x28], [0x32, 0x20]] as const) set(b, register, value);
    b.pass(100 * SECOND);
    expect(clock(b)).toEqual([0x23, 0x59, 0x50]);
    set(b, B, 0x02);
    b.pass(10 * SECOND);
    expect([...clock(b), get(b, 7), get(b, 8)], '2028 is a leap year').toEqual([0, 0, 0, 0x29, 0x02]);
  });

  it('shows an update in progress before each second, so that kernels can wait for it', () => {
    const b = board();
    b.pass(SECOND / 2);
    expect(get(b, A) & 0x80).toBe(0);
    b.pass(SECOND / 2 - 1_000_000);
    expect(get(b, A) & 0x80).toBe(0x80);
    b.pass(1_000_000);
    expect(get(b, A)).toBe(0x26);
  });

  it('has valid RAM and time (VRT), and 128 bytes with the memory size in them', () => {
    const b = board({ memoryBytes: 256 * 2 ** 20 });
    expect(get(b, D)).toBe(0x80);
    expect([get(b, 0x15) | get(b, 0x16) << 8, get(b, 0x17) | get(b, 0x18) << 8, get(b, 0x34) | get(b, 0x35) << 8]).toEqual([640, 0xffff, (256 - 16) * 16]);
    set(b, 0x7f, 0x5a);
    expect(get(b, 0x7f)).toBe(0x5a);
    expect(() => b.devices.rtc.setRam(0x32, 0)).toThrow(RangeError);
  });

  it('interrupts periodically at the rate of register A, again only after register C was read', () => {
    const b = board();
    remapPics(b, 1 << 8 | 1 << 2);
    set(b, A, 0x26); // 1,024 Hz
    set(b, B, 0x42);
    b.pass(976_562);
    expect(b.devices.interrupts.requested()).toBe(false);
    b.pass(1);
    expect(b.devices.interrupts.acknowledge()).toBe(0x28);
    b.pass(SECOND);
    expect(get(b, C)).toBe(0x80 | 0x40 | 0x10);
    b.out(0xa0, 0x20);
    b.out(0x20, 0x20);
    expect(b.devices.interrupts.requested()).toBe(false);
    b.pass(976_563);
    expect(b.devices.interrupts.acknowledge()).toBe(0x28);
  });

  it.each([[0x01, 256], [0x02, 128], [0x03, 8192], [0x0f, 2]])('rate %i is %i Hz', (rate, hertz) => {
    const b = board();
    set(b, A, 0x20 | rate);
    get(b, C);
    let count = 0;
    for (let i = 1; i <= hertz * 4; i++) {
      b.pass(Math.ceil(i * SECOND / hertz / 4) - b.time.now);
      if ((get(b, C) & 0x40) !== 0) count++;
    }
    expect(count).toBe(hertz);
  });

  it('interrupts when an update has ended, and at the alarm', () => {
    const b = at(2026, 0, 1, 11, 59, 58);
    remapPics(b, 1 << 8 | 1 << 2);
    for (const [register, value] of [[1, 0x00], [3, 0x00], [5, 0x12]] as const) set(b, register, value);
    set(b, B, 0x22);
    b.pass(2 * SECOND - 1);
    expect(b.devices.interrupts.requested()).toBe(false);
    b.pass(1);
    expect([b.devices.interrupts.requested(), get(b, C)]).toEqual([true, 0x80 | 0x40 | 0x20 | 0x10]);
    set(b, B, 0x12);
    expect(b.devices.interrupts.requested()).toBe(false);
    b.pass(SECOND);
    expect([b.devices.interrupts.requested(), get(b, C) & 0xb0]).toEqual([true, 0x90]);
    set(b, B, 0x92);
    expect(get(b, B), 'UIE is cleared when SET goes high').toBe(0x82);
  });

  it('an alarm that is past or that no clock shows is found without counting seconds', () => {
    const random = new Random(seedOf('RTC alarm'));
    const field = (size: number): number | undefined => (random.chance(40) ? undefined : random.below(size + 2));
    for (let i = 0; i < 60; i++) {
      const alarm = { hours: field(24), minutes: field(60), seconds: field(60) };
      const now = random.below(86_400);
      let wait = 1;
      const matches = (time: number): boolean => (alarm.hours ?? Math.floor(time / 3600)) === Math.floor(time / 3600)
        && (alarm.minutes ?? Math.floor(time / 60) % 60) === Math.floor(time / 60) % 60 && (alarm.seconds ?? time % 60) === time % 60;
      while (wait <= 86_400 && !matches((now + wait) % 86_400)) wait++;
      expect({ now, alarm, wait: nextAlarm(now, alarm) }).toEqual({ now, alarm, wait: wait > 86_400 ? Infinity : wait });
    }
  });

  it('keeps everything in a snapshot', () => {
    const b = at(2026, 0, 1), c = at(1999, 0, 1);
    set(b, 4, 0x07);
    set(b, 0x40, 0x99);
    c.devices.restore(JSON.parse(JSON.stringify(b.devices.snapshot())));
    expect([...clock(c), get(c, 0x40), get(c, 9)]).toEqual([0x07, 0, 0, 0x99, 0x26]);
  });
});
