import { describe, expect, it } from 'vitest';
import { board, remapPics, type Board } from './support/board.ts';

const LAPIC = 0xfee0_0000, IOAPIC = 0xfec0_0000;
const APIC = {
  ID: LAPIC + 0x20, VERSION: LAPIC + 0x30, TPR: LAPIC + 0x80, PPR: LAPIC + 0xa0, EOI: LAPIC + 0xb0, LDR: LAPIC + 0xd0, DFR: LAPIC + 0xe0, SVR: LAPIC + 0xf0,
  ISR: LAPIC + 0x100, TMR: LAPIC + 0x180, IRR: LAPIC + 0x200, ESR: LAPIC + 0x280, ICR_LOW: LAPIC + 0x300, ICR_HIGH: LAPIC + 0x310,
  LVT_TIMER: LAPIC + 0x320, LINT0: LAPIC + 0x350, LINT1: LAPIC + 0x360, LVT_ERROR: LAPIC + 0x370, INITIAL: LAPIC + 0x380, CURRENT: LAPIC + 0x390, DIVIDE: LAPIC + 0x3e0,
} as const;
const MASKED = 0x1_0000, PERIODIC = 0x2_0000, LEVEL = 0x8000;
const SELF = 0x4_0000;
const selfIpi = (b: Board, vector: number): void => b.writeMmio(APIC.ICR_LOW, SELF | vector);
const redirect = (b: Board, pin: number, low: number, destination = 0): void => {
  b.writeMmio(IOAPIC, 0x11 + 2 * pin);
  b.writeMmio(IOAPIC + 0x10, destination * 0x100_0000);
  b.writeMmio(IOAPIC, 0x10 + 2 * pin);
  b.writeMmio(IOAPIC + 0x10, low);
};
const redirection = (b: Board, pin: number): number => {
  b.writeMmio(IOAPIC, 0x10 + 2 * pin);
  return b.readMmio(IOAPIC + 0x10);
};
const COM1 = 4;

describe('the local APIC', () => {
  it('comes as firmware leaves it: the PIC reaches the processor through LINT0', () => {
    const b = board();
    expect([APIC.SVR, APIC.LINT0, APIC.LINT1, APIC.LVT_TIMER, APIC.VERSION].map((r) => b.readMmio(r))).toEqual([0x1ff, 0x700, 0x400, MASKED, 0x5_0014]);
    remapPics(b, 1 << COM1);
    b.devices.interrupts.setIrq(COM1, true);
    expect(b.devices.interrupts.requested()).toBe(true);
    expect(b.devices.interrupts.acknowledge()).toBe(0x24);
    expect(b.readMmio(APIC.ISR + 0x10), 'the APIC knows nothing of it').toBe(0);
  });

  it('masking LINT0 cuts the PIC off', () => {
    const b = board();
    remapPics(b, 1 << COM1);
    b.devices.interrupts.setIrq(COM1, true);
    b.writeMmio(APIC.LINT0, 0x700 | MASKED);
    expect(b.devices.interrupts.requested()).toBe(false);
  });

  it('IA32_APIC_BASE.EN = 0 leaves the PIC wired straight to the processor', () => {
    const b = board();
    remapPics(b, 1 << COM1);
    b.writeMmio(APIC.LINT0, MASKED);
    b.devices.localApic.setBase(0xfee0_0100n);
    b.devices.interrupts.setIrq(COM1, true);
    expect([b.devices.interrupts.requested(), b.devices.interrupts.acknowledge()]).toEqual([true, 0x24]);
    expect(b.said).toEqual([]);
  });

  it('delivers the highest vector first and holds back its class and those below until EOI', () => {
    const b = board();
    const { interrupts } = b.devices;
    for (const vector of [0x31, 0x45, 0x41]) selfIpi(b, vector);
    expect(interrupts.acknowledge()).toBe(0x45);
    expect([b.readMmio(APIC.PPR), interrupts.requested(), b.readMmio(APIC.ISR + 0x20)]).toEqual([0x40, false, 1 << 5]);
    selfIpi(b, 0x50);
    expect(interrupts.acknowledge()).toBe(0x50);
    b.writeMmio(APIC.EOI, 0);
    expect(interrupts.requested()).toBe(false);
    b.writeMmio(APIC.EOI, 0);
    expect(interrupts.acknowledge()).toBe(0x41);
    b.writeMmio(APIC.EOI, 0);
    expect(interrupts.acknowledge()).toBe(0x31);
  });

  it('the task priority holds back its class and those below, by CR8 and by TPR alike', () => {
    const b = board();
    const { interrupts, localApic } = b.devices;
    localApic.setTaskPriority(4);
    expect(b.readMmio(APIC.TPR)).toBe(0x40);
    selfIpi(b, 0x4f);
    expect(interrupts.requested()).toBe(false);
    b.writeMmio(APIC.TPR, 0x3f);
    expect(b.said).toEqual(['cr8 3']);
    expect([interrupts.requested(), b.readMmio(APIC.PPR)]).toEqual([true, 0x3f]);
  });

  it('a request that the task priority takes back before INTA gives the spurious vector', () => {
    const b = board();
    b.writeMmio(APIC.SVR, 0x1ef);
    selfIpi(b, 0x40);
    b.writeMmio(APIC.TPR, 0xf0);
    expect(b.devices.interrupts.acknowledge()).toBe(0xef);
    expect(b.readMmio(APIC.ISR + 0x20)).toBe(0);
  });

  it('software disable masks all LVT entries and takes no fixed interrupts', () => {
    const b = board();
    b.writeMmio(APIC.SVR, 0xff);
    expect(b.readMmio(APIC.LINT0)).toBe(0x700 | MASKED);
    b.writeMmio(APIC.LINT0, 0x700);
    expect(b.readMmio(APIC.LINT0), 'attempts to reset the mask are ignored').toBe(0x700 | MASKED);
    selfIpi(b, 0x40);
    expect(b.devices.interrupts.requested()).toBe(false);
  });

  it('sends IPIs to itself by number, by logical destination and by shorthand, and to nobody else', () => {
    const b = board();
    b.writeMmio(APIC.LDR, 0x0400_0000);
    const received = (high: number, low: number): boolean => {
      b.writeMmio(APIC.ICR_HIGH, high * 0x100_0000);
      b.writeMmio(APIC.ICR_LOW, low | 0x40);
      const requested = b.devices.interrupts.requested();
      if (requested) b.devices.interrupts.acknowledge();
      b.writeMmio(APIC.EOI, 0);
      return requested;
    };
    expect(received(0, 0)).toBe(true);
    expect(received(1, 0)).toBe(false);
    expect(received(0xff, 0)).toBe(true);
    expect(received(0x06, 0x800)).toBe(true);
    expect(received(0x02, 0x800)).toBe(false);
    expect(received(0, 0x8_0000), 'all including self').toBe(true);
    expect(received(0, 0xc_0000), 'all excluding self').toBe(false);
    b.writeMmio(APIC.DFR, 0x0fff_ffff);
    b.writeMmio(APIC.LDR, 0x3400_0000);
    expect([received(0x34, 0x800), received(0x24, 0x800)], 'cluster model').toEqual([true, false]);
  });

  it('sends NMI and INIT where they belong', () => {
    const b = board();
    b.writeMmio(APIC.ICR_LOW, 0x400);
    b.writeMmio(APIC.ICR_LOW, 0x8500); // INIT level de-assert
    b.writeMmio(APIC.ICR_LOW, 0x4500);
    expect(b.said).toEqual(['nmi', 'reset']);
  });

  it('the board\'s NMI line comes in at LINT1 unless port 0x70 masks it', () => {
    const b = board();
    b.out(0x70, 0x80);
    b.devices.interrupts.setNmi(true);
    expect(b.said).toEqual([]);
    b.out(0x70, 0x00);
    expect(b.said).toEqual(['nmi']);
  });

  it('keeps illegal vectors and registers in the ESR, and tells once', () => {
    const b = board();
    b.writeMmio(APIC.LVT_ERROR, 0xfe);
    selfIpi(b, 0x0f);
    b.readMmio(LAPIC + 0x40);
    expect(b.devices.interrupts.acknowledge()).toBe(0xfe);
    expect(b.readMmio(APIC.ESR), 'not before a write').toBe(0);
    b.writeMmio(APIC.ESR, 0);
    expect(b.readMmio(APIC.ESR)).toBe(0xa0);
    b.writeMmio(APIC.ESR, 0);
    expect(b.readMmio(APIC.ESR)).toBe(0);
    b.writeMmio(APIC.LVT_ERROR, 0x05); // an illegal vector for illegal vectors
    selfIpi(b, 1);
    b.writeMmio(APIC.ESR, 0);
    expect(b.readMmio(APIC.ESR)).toBe(0x60);
  });

  it('a level-triggered LINT0 in fixed mode interrupts until it is low', () => {
    const b = board();
    const { interrupts } = b.devices;
    remapPics(b, 1 << COM1);
    b.writeMmio(APIC.LINT0, LEVEL | 0x55);
    interrupts.setIrq(COM1, true);
    expect(interrupts.acknowledge()).toBe(0x55);
    expect(b.readMmio(APIC.LINT0) & 0x4000, 'remote IRR').toBe(0x4000);
    b.writeMmio(APIC.EOI, 0);
    expect(interrupts.acknowledge()).toBe(0x55);
    interrupts.setIrq(COM1, false);
    b.writeMmio(APIC.EOI, 0);
    expect(interrupts.requested()).toBe(false);
  });
});

describe('the timer of the local APIC', () => {
  it('one-shot: counts virtual nanoseconds divided, interrupts once, and stays at 0', () => {
    const b = board();
    b.writeMmio(APIC.LVT_TIMER, 0x40);
    b.writeMmio(APIC.DIVIDE, 0x3); // by 16
    b.writeMmio(APIC.INITIAL, 1000);
    b.pass(8000);
    expect([b.readMmio(APIC.CURRENT), b.devices.interrupts.requested()]).toEqual([500, false]);
    b.pass(7999);
    expect(b.devices.interrupts.requested()).toBe(false);
    b.pass(1);
    expect([b.readMmio(APIC.CURRENT), b.devices.interrupts.acknowledge()]).toEqual([0, 0x40]);
    b.writeMmio(APIC.EOI, 0);
    b.pass(1_000_000);
    expect(b.devices.interrupts.requested()).toBe(false);
  });

  it.each([[0, 2], [1, 4], [2, 8], [3, 16], [8, 32], [9, 64], [10, 128], [11, 1]])('divide configuration %i divides by %i', (code, divisor) => {
    const b = board();
    b.writeMmio(APIC.DIVIDE, code);
    b.writeMmio(APIC.INITIAL, 0xffff_ffff);
    b.pass(divisor * 1000);
    expect([b.readMmio(APIC.DIVIDE), b.readMmio(APIC.CURRENT)]).toEqual([code, 0xffff_ffff - 1000]);
  });

  it('periodic: interrupts exactly every period, however late it is acknowledged', () => {
    const b = board();
    b.writeMmio(APIC.LVT_TIMER, PERIODIC | 0x40);
    b.writeMmio(APIC.DIVIDE, 0xb);
    b.writeMmio(APIC.INITIAL, 10_000);
    const at: number[] = [];
    for (let i = 0; i < 100_000; i += 100) {
      b.pass(100);
      if (!b.devices.interrupts.requested()) continue;
      at.push(b.time.now);
      b.devices.interrupts.acknowledge();
      b.writeMmio(APIC.EOI, 0);
    }
    expect(at).toEqual(Array.from({ length: 10 }, (_, i) => 10_000 * (i + 1)));
    b.pass(3500);
    expect(b.readMmio(APIC.CURRENT)).toBe(6500);
  });

  it('a masked timer counts and interrupts nobody; an initial count of 0 stops it', () => {
    const b = board();
    b.writeMmio(APIC.DIVIDE, 0xb);
    b.writeMmio(APIC.LVT_TIMER, PERIODIC | MASKED | 0x40);
    b.writeMmio(APIC.INITIAL, 1_000_000);
    b.pass(2_300_000);
    expect([b.readMmio(APIC.CURRENT), b.devices.interrupts.requested()]).toEqual([700_000, false]);
    b.writeMmio(APIC.LVT_TIMER, PERIODIC | 0x40);
    b.pass(700_000);
    expect(b.devices.interrupts.requested()).toBe(true);
    b.devices.interrupts.acknowledge();
    b.writeMmio(APIC.EOI, 0);
    b.writeMmio(APIC.INITIAL, 0);
    b.pass(10_000_000);
    expect([b.readMmio(APIC.CURRENT), b.devices.interrupts.requested()]).toEqual([0, false]);
  });

  it('a period of one nanosecond costs the host no more than one event a microsecond', () => {
    const b = board();
    b.writeMmio(APIC.LVT_TIMER, PERIODIC | 0x40);
    b.writeMmio(APIC.DIVIDE, 0xb);
    b.writeMmio(APIC.INITIAL, 1);
    let events = 0;
    for (const end = b.time.now + 1_000_000; b.time.now < end; events++) {
      b.time.now = Math.max(b.time.now + 1, b.devices.scheduler.nextDeadline());
      b.devices.scheduler.advanceTo(b.time.now);
    }
    expect(events).toBeLessThan(1100);
    expect(b.devices.interrupts.requested()).toBe(true);
  });
});

describe('the I/O APIC', () => {
  it('is an 82093AA with 24 masked pins', () => {
    const b = board();
    b.writeMmio(IOAPIC, 1);
    expect(b.readMmio(IOAPIC + 0x10)).toBe(0x0017_0011);
    expect(Array.from({ length: 24 }, (_, pin) => redirection(b, pin))).toEqual(Array.from({ length: 24 }, () => MASKED));
    b.writeMmio(IOAPIC, 0x3f);
    b.writeMmio(IOAPIC + 0x10, 0x1234_5678);
    b.writeMmio(IOAPIC, 0x40);
    expect(b.readMmio(IOAPIC + 0x10)).toBe(0);
    b.writeMmio(IOAPIC, 0x3f);
    expect(b.readMmio(IOAPIC + 0x10)).toBe(0x1200_0000);
  });

  it('turns a rising edge into its vector, and the timer arrives at pin 2', () => {
    const b = board();
    redirect(b, 2, 0x30);
    redirect(b, COM1, 0x34);
    b.devices.interrupts.setIrq(COM1, true);
    expect(b.devices.interrupts.acknowledge()).toBe(0x34);
    b.writeMmio(APIC.EOI, 0);
    expect(b.devices.interrupts.requested()).toBe(false);
    b.pass(60_000_000); // the timer runs as firmware left it
    expect(b.devices.interrupts.acknowledge()).toBe(0x30);
  });

  it('forgets an edge on a masked pin', () => {
    const b = board();
    b.devices.interrupts.setIrq(COM1, true);
    redirect(b, COM1, 0x34);
    expect(b.devices.interrupts.requested()).toBe(false);
  });

  it('a level-triggered pin that is still high after EOI interrupts again', () => {
    const b = board();
    redirect(b, COM1, LEVEL | 0x34);
    b.devices.interrupts.setIrq(COM1, true);
    expect(b.devices.interrupts.acknowledge()).toBe(0x34);
    expect([redirection(b, COM1) & 0x4000, b.readMmio(APIC.TMR + 0x10)]).toEqual([0x4000, 1 << 0x14]);
    b.devices.interrupts.setIrq(COM1, false);
    b.devices.interrupts.setIrq(COM1, true);
    expect(b.devices.interrupts.requested(), 'not before EOI').toBe(false);
    b.writeMmio(APIC.EOI, 0);
    expect(b.devices.interrupts.acknowledge()).toBe(0x34);
    b.devices.interrupts.setIrq(COM1, false);
    b.writeMmio(APIC.EOI, 0);
    expect([b.devices.interrupts.requested(), redirection(b, COM1) & 0x4000]).toEqual([false, 0]);
  });

  it('unmasking a level-triggered pin that is high delivers; switching to edge and back clears remote IRR', () => {
    const b = board();
    b.devices.interrupts.setIrq(COM1, true);
    redirect(b, COM1, LEVEL | 0x34);
    expect(b.devices.interrupts.acknowledge()).toBe(0x34);
    redirect(b, COM1, MASKED | 0x34);
    redirect(b, COM1, LEVEL | 0x34);
    expect(redirection(b, COM1) & 0x4000, 'delivered anew').toBe(0x4000);
  });

  it('sends to the processor that the entry names, as NMI if it says so', () => {
    const b = board();
    redirect(b, COM1, 0x34, 1);
    b.devices.interrupts.setIrq(COM1, true);
    expect(b.devices.interrupts.requested()).toBe(false);
    redirect(b, 1, 0x400);
    b.devices.interrupts.setIrq(1, true);
    redirect(b, 3, 0x700);
    b.devices.interrupts.setIrq(3, true);
    expect(b.said).toEqual(['nmi', 'unimplemented: I/O APIC redirection entry in ExtINT mode']);
  });
});
