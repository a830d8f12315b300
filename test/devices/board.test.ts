import { describe, expect, it } from 'vitest';
import { SnapshotError } from '../../src/devices/snapshot.ts';
import { Random, seedOf } from '../support/random.ts';
import { board, remapPics, type Board } from './support/board.ts';

describe('the board', () => {
  it('sends COM1, COM2 and the debug console to the host, each on its own', () => {
    const b = board();
    for (const c of 'one') b.out(0x3f8, c.charCodeAt(0));
    for (const c of 'two') b.out(0x2f8, c.charCodeAt(0));
    for (const c of 'log') b.out(0xe9, c.charCodeAt(0));
    expect(b.text).toEqual({ 0: 'one', 1: 'two', debug: 'log' });
    expect(b.in(0xe9)).toBe(0xe9);
  });

  it.each([1, 2, 4] as const)('ends with the value written to the debug-exit port in %i bytes', (bytes) => {
    const b = board();
    b.out(0xf4, 0x21, bytes);
    expect(b.said).toEqual(['debug-exit 33']);
    const elsewhere = board({ debugExitPort: 0x501 });
    elsewhere.out(0xf4, 1);
    elsewhere.out(0x501, 7, bytes);
    expect(elsewhere.said).toEqual(['debug-exit 7']);
  });

  it('refuses a debug-exit port that a device has', () => {
    expect(() => board({ debugExitPort: 0x3f8 })).toThrow('port 0x3f8 is claimed by debug exit and by COM1');
  });

  it('switches off by ACPI, by the old Bochs port, and by the word Shutdown', () => {
    const b = board();
    b.out(0x604, 0x2000, 2);
    b.out(0xb004, 0x2000, 2);
    for (const c of 'ShuShutdown') b.out(0x8900, c.charCodeAt(0));
    expect(b.said).toEqual(['power-off', 'power-off', 'power-off']);
    for (const c of 'Shutdow Shutdow') b.out(0x8900, c.charCodeAt(0));
    b.out(0xb004, 0, 2);
    b.out(0x604, 0x0001, 2);
    expect(b.said).toHaveLength(3);
    b.out(0x604, 0x2400, 2);
    expect(b.said[3]).toBe('unimplemented: ACPI sleep type 1');
  });

  it('has no PCI bus, and a configuration address that looks like a reset is none', () => {
    const b = board();
    b.out(0xcf8, 0x8000_0600, 4);
    expect([b.in(0xcf8, 4), b.in(0xcfc, 4), b.in(0xcfc, 2), b.in(0xcfe)]).toEqual([0xffff_ffff, 0xffff_ffff, 0xffff, 0xff]);
    expect(b.said).toEqual([]);
    b.out(0xcf9, 2);
    expect(b.in(0xcf9)).toBe(2);
    expect(b.devices.ports.unclaimed()).toEqual([]);
  });

  it('keeps the last POST code and reads none', () => {
    const b = board();
    b.out(0x80, 0x42);
    expect([b.devices.postCode.code, b.in(0x80)]).toEqual([0x42, 0xff]);
  });

  it('hands over the PICs, the timer and the memory size as firmware leaves them', () => {
    const b = board();
    expect([b.in(0x21), b.in(0xa1)]).toEqual([0xb8, 0x8e]);
    b.pass(60_000_000);
    expect(b.devices.interrupts.acknowledge(), 'the real-mode vector of IRQ 0').toBe(8);
  });

  it('a kernel that only remaps the PICs gets 18.2 ticks a second', () => {
    const b = board();
    remapPics(b, 1);
    let ticks = 0;
    for (let ms = 0; ms < 1000; ms++) {
      b.pass(1_000_000);
      if (!b.devices.interrupts.requested()) continue;
      expect(b.devices.interrupts.acknowledge()).toBe(0x20);
      b.out(0x20, 0x20);
      ticks++;
    }
    expect(ticks).toBe(18);
  });

  it('with IRQ 0 masked nothing is scheduled, so that an idle machine is known to be idle', () => {
    const b = board();
    expect(b.devices.scheduler.nextDeadline()).toBeLessThan(Infinity);
    remapPics(b, 1 << 4);
    expect(b.devices.scheduler.nextDeadline()).toBe(Infinity);
    b.writeMmio(0xfec0_0000, 0x14);
    b.writeMmio(0xfec0_0010, 0x30);
    expect(b.devices.scheduler.nextDeadline(), 'the I/O APIC listens').toBeLessThan(Infinity);
  });

  it('a timer tick that came while IRQ 0 was masked is seen in the request register, and comes when it is unmasked', () => {
    const b = board();
    remapPics(b, 0);
    b.out(0x20, 0x0a);
    expect(b.in(0x20)).toBe(0);
    b.pass(10_000_000_000);
    expect(b.in(0x20)).toBe(1);
    b.out(0x21, 0xfe);
    expect(b.devices.interrupts.acknowledge()).toBe(0x20);
    b.out(0x20, 0x20);
    expect(b.devices.interrupts.requested()).toBe(false);
    b.pass(55_000_000);
    expect(b.devices.interrupts.acknowledge(), 'and the next one a period later').toBe(0x20);
  });

  it('a timer nobody hears is in step with one that was heard all along', () => {
    const r = new Random(seedOf('unheard timer'));
    for (let run = 0; run < 50; run++) {
      const a = board(), b = board();
      remapPics(a, 1);
      remapPics(b, 0);
      const mode = r.pick([0x30, 0x34, 0x36, 0x38]);
      const count = r.between(2, 3000);
      for (const board_ of [a, b]) {
        board_.out(0x43, mode);
        board_.out(0x40, count & 0xff);
        board_.out(0x40, count >> 8);
      }
      const wait = r.below(20_000_000);
      a.pass(wait);
      b.pass(wait);
      a.out(0x21, 0xff);
      for (const port of [0x20, 0x40, 0x40]) expect({ count, wait, port, value: b.in(port) }).toEqual({ count, wait, port, value: a.in(port) });
      a.out(0x21, 0xfe);
      b.out(0x21, 0xfe);
      expect(b.devices.interrupts.requested()).toBe(a.devices.interrupts.requested());
      expect(b.devices.scheduler.nextDeadline()).toBe(a.devices.scheduler.nextDeadline());
    }
  });

  it('the ACPI timer counts 3.579545 MHz in 24 bits, and interrupts through IRQ 9 when its top bit changes', () => {
    const b = board();
    b.pass(1_000_000_000);
    expect(b.in(0x608, 4)).toBe(3_579_545);
    expect(b.in(0x609)).toBe(3_579_545 >> 8 & 0xff);
    remapPics(b, 1 << 9 | 1 << 2);
    b.out(0x602, 1, 2);
    b.pass(1_343_484_000);
    expect(b.devices.interrupts.requested()).toBe(false);
    b.pass(1_000);
    expect([b.devices.interrupts.acknowledge(), b.in(0x600, 2)]).toEqual([0x29, 1]);
    b.out(0x600, 1, 2);
    expect(b.in(0x600, 2)).toBe(0);
    b.pass(5_000_000_000);
    expect(b.in(0x608, 4)).toBeLessThan(2 ** 24);
  });

  it('the power button asks the guest', () => {
    const b = board();
    remapPics(b, 1 << 9 | 1 << 2);
    b.out(0x602, 0x100, 2);
    b.devices.power.pressPowerButton();
    expect([b.devices.interrupts.acknowledge(), b.in(0x600, 2)]).toEqual([0x29, 0x100]);
  });

  it('port 0x61 toggles its refresh bit about every 15 us', () => {
    const b = board();
    const seen = Array.from({ length: 8 }, () => {
      b.pass(15_086);
      return b.in(0x61) >> 4 & 1;
    });
    expect(seen).toEqual([1, 0, 1, 0, 1, 0, 1, 0]);
  });
});

/** Ports where something answers, and a few where nothing does. */
const PORTS = [
  ...[0x20, 0x40, 0x60, 0x70, 0x80, 0x90, 0xa0, 0x2f8, 0x3f8, 0x4d0, 0x600, 0xcf8, 0x8900, 0xb004].flatMap((first) => Array.from({ length: 16 }, (_, i) => first + i)),
  0xe9, 0xf4, 0xffff,
];

/** One random thing that a guest or a host may do. */
function anything(b: Board, r: Random): void {
  const bytes = r.pick([1, 1, 1, 2, 4] as const);
  const value = r.pick([r.u32(), r.below(256), r.below(4), 0xffff_ffff]);
  switch (r.below(9)) {
    case 0: case 1: b.in(r.pick(PORTS), bytes); break;
    case 2: case 3: b.out(r.pick(PORTS), value, bytes); break;
    case 4: {
      const { device } = r.pick(b.devices.mmio);
      device.write(r.pick([0, 0x10, 0xf0, 0x300, 0x320, 0x350, 0x380, 0x3e0, r.below(0x1000)]), bytes, value);
      break;
    }
    case 5: r.pick(b.devices.mmio).device.read(r.below(0x1000), bytes); break;
    case 6:
      if (b.devices.interrupts.requested()) b.devices.interrupts.acknowledge();
      break;
    case 7:
      if (r.chance(50)) b.devices.serial[r.pick([0, 1] as const)].receive(r.below(256));
      else b.devices.keyboard.key(r.pick(['KeyA', 'ArrowUp', 'Enter', 'none']), r.chance(50));
      break;
    default: b.time.now += r.pick([1, 10, 1000, 1_000_000, r.u32()]);
  }
  b.devices.scheduler.advanceTo(b.time.now);
}

describe('a hostile guest', () => {
  it('never makes a device throw or stall, whatever it writes where', () => {
    const seed = seedOf('hostile guest');
    const b = board();
    const r = new Random(seed);
    const started = Date.now();
    for (let i = 0; i < 60_000; i++) anything(b, r);
    b.pass(1_000_000);
    expect(Date.now() - started, 'milliseconds on the host').toBeLessThan(30_000);
    expect(b.said.every((line) => /^(reset|A20 (?:true|false)|power-off|nmi|debug-exit \d+|cr8 \d+|unimplemented: .+)$/.test(line))).toBe(true);
  });

  it('a second of virtual time is at most a few million events, however the timers are set', () => {
    const b = board();
    b.writeMmio(0xfee0_0320, 0x2_0040);
    b.writeMmio(0xfee0_03e0, 0xb);
    b.writeMmio(0xfee0_0380, 1);
    b.out(0x43, 0x14);
    b.out(0x40, 2);
    b.out(0x70, 0x0a);
    b.out(0x71, 0x23);
    b.out(0x70, 0x0b);
    b.out(0x71, 0x72);
    let events = 0;
    while (b.time.now < 10_000_000) {
      b.time.now = Math.max(b.time.now + 1, b.devices.scheduler.nextDeadline());
      b.devices.scheduler.advanceTo(b.time.now);
      events++;
    }
    expect(events / 0.01).toBeLessThan(2_500_000);
  });
});

describe('a snapshot of the board', () => {
  it('is JSON, and a board that takes it goes on exactly as the first one does', () => {
    const seed = seedOf('board snapshot');
    for (let run = 0; run < 15; run++) {
      const a = board(), r = new Random(seed + run);
      for (let i = 0; i < 500; i++) anything(a, r);
      const file = JSON.stringify(a.devices.snapshot());
      const b = board();
      b.time.now = a.time.now;
      b.devices.restore(JSON.parse(file));
      expect(JSON.stringify(b.devices.snapshot())).toBe(file);
      expect(b.devices.interrupts.requested()).toBe(a.devices.interrupts.requested());
      a.said.length = b.said.length = 0;
      Object.assign(a.text, { 0: '', 1: '', debug: '' });
      Object.assign(b.text, { 0: '', 1: '', debug: '' });
      const one = new Random(seed - run), two = new Random(seed - run);
      for (let i = 0; i < 500; i++) {
        anything(a, one);
        anything(b, two);
      }
      expect([b.said, b.text, b.devices.snapshot()], `seed ${seed}, run ${run}`).toEqual([a.said, a.text, a.devices.snapshot()]);
    }
  });

  it.each([
    ['no object', (): unknown => 5, 'devices'],
    ['a part that is missing', (s: Record<string, unknown>) => ({ ...s, rtc: undefined }), 'mc146818'],
    ['a number out of range', (s: Record<string, unknown>) => ({ ...s, postCode: { code: 256 } }), 'postCode.code'],
    ['a flag that is none', (s: Record<string, unknown>) => ({ ...s, portA: { fastInit: 1 } }), 'systemControlPortA.fastInit'],
    ['a chip inside that does not fit', (s: Record<string, unknown>) => ({ ...s, timer: { counters: [] } }), 'i8254.counters'],
  ])('with %s is refused by naming the field, and nothing has changed', (_what, spoil, field) => {
    const b = board();
    b.out(0x21, 0x5a);
    const before = b.devices.snapshot() as Record<string, unknown>;
    b.out(0x21, 0xa5);
    const now = JSON.stringify(b.devices.snapshot());
    expect(() => b.devices.restore(spoil(before))).toThrow(SnapshotError);
    expect(() => b.devices.restore(spoil(before))).toThrow(field);
    expect(JSON.stringify(b.devices.snapshot())).toBe(now);
  });
});
