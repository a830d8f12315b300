import { describe, expect, it } from 'vitest';
import { I8259Pair } from '../../src/devices/i8259.ts';
import { portsOf } from './support/board.ts';

const EOI = 0x20;

/** A pair as kernels program it: vectors 0x20-0x2f, nothing masked. */
function pair(icw4 = 1): { pic: I8259Pair; in(port: number): number; out(port: number, value: number): void; pulse(irq: number): void; intr: boolean[] } {
  const intr: boolean[] = [];
  const pic = new I8259Pair((level) => intr.push(level));
  const ports = portsOf(pic);
  for (const [base, vectors, cascade] of [[0x20, 0x20, 4], [0xa0, 0x28, 2]] as const) {
    ports.out(base, 0x11);
    for (const value of [vectors, cascade, icw4]) ports.out(base + 1, value);
  }
  return {
    pic, ...ports, intr,
    pulse(irq) {
      pic.setIrq(irq, false);
      pic.setIrq(irq, true);
    },
  };
}
const irr = (p: { in(port: number): number; out(port: number, value: number): void }, base = 0x20): number => {
  p.out(base, 0x0a);
  return p.in(base);
};
const isr = (p: { in(port: number): number; out(port: number, value: number): void }, base = 0x20): number => {
  p.out(base, 0x0b);
  return p.in(base);
};

describe('the 8259A pair', () => {
  it('requests nothing before it is initialised', () => {
    const pic = new I8259Pair(() => {});
    pic.setIrq(0, true);
    expect(pic.output).toBe(false);
  });

  it('turns IRQ 4 into vector 0x24 and holds back lower priorities until EOI', () => {
    const p = pair();
    p.pulse(4);
    expect(p.pic.output).toBe(true);
    expect(p.pic.acknowledge()).toBe(0x24);
    expect([p.pic.output, irr(p), isr(p)]).toEqual([false, 0, 0x10]);
    p.pulse(5);
    expect(p.pic.output).toBe(false);
    p.pulse(1);
    expect(p.pic.output).toBe(true);
    expect(p.pic.acknowledge()).toBe(0x21);
    p.out(0x20, EOI);
    expect(isr(p), 'the highest in service ends first').toBe(0x10);
    p.out(0x20, EOI);
    expect(p.pic.acknowledge()).toBe(0x25);
  });

  it('an edge-triggered line that stays high interrupts once', () => {
    const p = pair();
    p.pic.setIrq(3, true);
    expect(p.pic.acknowledge()).toBe(0x23);
    p.out(0x20, EOI);
    expect(p.pic.output).toBe(false);
    p.pulse(3);
    expect(p.pic.output).toBe(true);
  });

  it('a level-triggered line (ELCR) interrupts as long as it is high', () => {
    const p = pair();
    p.out(0x4d0, 0xff);
    p.out(0x4d1, 0xff);
    expect([p.in(0x4d0), p.in(0x4d1)], 'IRQ 0, 1, 2, 8 and 13 are always edges').toEqual([0xf8, 0xde]);
    p.pic.setIrq(5, true);
    expect(p.pic.acknowledge()).toBe(0x25);
    p.out(0x20, EOI);
    expect(p.pic.output).toBe(true);
    p.pic.setIrq(5, false);
    expect(p.pic.output).toBe(false);
  });

  it('the slave comes in at IR2: above IRQ 3, below IRQ 1, and needs two EOIs', () => {
    const p = pair();
    p.pulse(3);
    p.pulse(8);
    expect(p.pic.acknowledge()).toBe(0x28);
    expect([isr(p), isr(p, 0xa0)]).toEqual([0x04, 0x01]);
    p.out(0xa0, EOI);
    expect(p.pic.output, 'the master still serves its slave').toBe(false);
    p.out(0x20, EOI);
    expect(p.pic.acknowledge()).toBe(0x23);
  });

  it('a request that goes away before INTA gives the default IR7, with nothing in service', () => {
    const p = pair();
    p.pulse(4);
    p.pic.setIrq(4, false);
    expect(p.pic.output).toBe(false);
    expect([p.pic.acknowledge(), isr(p)]).toEqual([0x27, 0]);
  });

  it('a request that goes away behind the slave gives IRQ 15, with the cascade in service', () => {
    const p = pair();
    p.pulse(8);
    p.out(0xa1, 0xff); // masked after the master has seen it
    p.pic.master.setLine(2, true);
    expect(p.pic.acknowledge()).toBe(0x2f);
    expect([isr(p), isr(p, 0xa0)]).toEqual([0x04, 0]);
  });

  it('the mask holds a request back and does not forget it', () => {
    const p = pair();
    p.out(0x21, 0x10);
    expect(p.in(0x21)).toBe(0x10);
    p.pulse(4);
    expect([p.pic.output, irr(p)]).toEqual([false, 0x10]);
    p.out(0x21, 0);
    expect(p.pic.acknowledge()).toBe(0x24);
  });

  it('a specific EOI ends the level that it names', () => {
    const p = pair();
    p.pulse(6);
    p.pic.acknowledge();
    p.pulse(1);
    p.pic.acknowledge();
    p.out(0x20, 0x60 | 6);
    expect(isr(p)).toBe(0x02);
  });

  it('rotation on EOI makes the level just served the lowest', () => {
    const p = pair();
    p.pulse(4);
    p.pic.acknowledge();
    p.out(0x20, 0xa0);
    p.pulse(3);
    p.pulse(5);
    expect([p.pic.acknowledge(), p.pic.acknowledge()], 'IRQ 5 is first now, and IRQ 3 waits').toEqual([0x25, 0x27]);
    p.out(0x20, EOI);
    expect(p.pic.acknowledge()).toBe(0x23);
  });

  it('the set-priority command chooses the lowest level', () => {
    const p = pair();
    p.out(0x20, 0xc0 | 0);
    p.pulse(0);
    p.pulse(7);
    expect(p.pic.acknowledge()).toBe(0x27);
  });

  it('special mask mode lets everything but the masked level through', () => {
    const p = pair();
    p.pulse(4);
    p.pic.acknowledge();
    p.pulse(6);
    expect(p.pic.output).toBe(false);
    p.out(0x21, 0x10);
    p.out(0x20, 0x68);
    expect(p.pic.acknowledge()).toBe(0x26);
    p.out(0x20, EOI);
    expect(isr(p), 'a non-specific EOI leaves the masked level in service').toBe(0x10);
    p.out(0x20, EOI);
    expect(isr(p)).toBe(0x10);
    p.out(0x20, 0x48);
    p.out(0x20, EOI);
    expect(isr(p)).toBe(0);
  });

  it('special fully nested mode lets a slave interrupt its own service', () => {
    const p = pair(0x11);
    p.pulse(12);
    p.pic.acknowledge();
    p.pulse(9);
    expect(p.pic.output).toBe(true);
    expect(p.pic.acknowledge()).toBe(0x29);
  });

  it('automatic EOI leaves nothing in service', () => {
    const p = pair(0x03);
    p.pulse(4);
    expect(p.pic.acknowledge()).toBe(0x24);
    expect(isr(p)).toBe(0);
    p.out(0x20, 0x80); // rotate in automatic EOI mode
    p.pulse(4);
    p.pic.acknowledge();
    p.pulse(4);
    p.pulse(5);
    expect(p.pic.acknowledge()).toBe(0x25);
  });

  it('the poll command acknowledges by a read', () => {
    const p = pair();
    p.pulse(5);
    p.out(0x20, 0x0c);
    expect(p.in(0x20)).toBe(0x85);
    expect(isr(p)).toBe(0x20);
    p.out(0x20, 0x0c);
    expect(p.in(0x20)).toBe(0);
  });

  it('ICW1 clears the mask and asks for a new edge on lines that are high', () => {
    const p = pair();
    p.out(0x21, 0xff);
    p.pic.setIrq(4, true);
    p.out(0x20, 0x11);
    p.out(0x21, 0x40);
    p.out(0x21, 4);
    p.out(0x21, 1);
    expect([p.in(0x21), p.pic.output]).toEqual([0, false]);
    p.pulse(4);
    expect(p.pic.acknowledge()).toBe(0x44);
  });

  it("answers Linux's probe: the mask reads back what was written", () => {
    const p = pair();
    p.out(0xa1, 0xff);
    p.out(0x21, 0xfb);
    expect(p.in(0x21)).toBe(0xfb);
  });

  it('keeps everything in a snapshot', () => {
    const p = pair(), q = pair();
    p.pulse(4);
    p.pic.acknowledge();
    p.pulse(1);
    p.out(0xa1, 0x5a);
    q.pic.restore(JSON.parse(JSON.stringify(p.pic.snapshot())));
    expect([q.pic.output, q.pic.acknowledge(), isr(q), q.in(0xa1)]).toEqual([true, 0x21, 0x12, 0x5a]);
  });
});
