import { describe, expect, it } from 'vitest';
import { MAX_PENDING_INPUT, Uart16550 } from '../../src/devices/uart16550.ts';
import { Time, portsOf } from './support/board.ts';

const COM1 = 0x3f8;
const [DATA, IER, IIR, LCR, MCR, LSR, MSR, SCR] = [0, 1, 2, 3, 4, 5, 6, 7] as const;
const FCR = IIR;
/** Characters of 10 bits at 115,200 baud last this long, in nanoseconds. */
const CHARACTER = 86_806;

function uart(): { u: Uart16550; time: Time; text: () => string; irq: boolean[]; in(register: number): number; out(register: number, value: number): void; type(text: string): void } {
  const time = new Time();
  const irq: boolean[] = [];
  let text = '';
  const u = new Uart16550(time.scheduler, time.clock, {
    name: 'COM1', port: COM1, transmit: (byte) => { text += String.fromCharCode(byte); }, interrupt: (level) => irq.push(level),
  });
  const ports = portsOf(u);
  return {
    u, time, text: () => text, irq,
    in: (register) => ports.in(COM1 + register),
    out: (register, value) => ports.out(COM1 + register, value),
    type: (line) => { for (const c of line) u.receive(c.charCodeAt(0)); },
  };
}
/** 115,200 baud, 8N1, FIFOs with a trigger of 14, OUT2: as kernels set it up. */
function opened(): ReturnType<typeof uart> {
  const u = uart();
  u.out(LCR, 0x80);
  u.out(DATA, 1);
  u.out(IER, 0);
  u.out(LCR, 0x03);
  u.out(FCR, 0xc7);
  u.out(MCR, 0x0b);
  return u;
}

describe('the 16550A UART', () => {
  it('sends what is written to THR, and is ready for the next byte', () => {
    const u = opened();
    for (const c of 'hi') {
      expect(u.in(LSR) & 0x60).toBe(0x60);
      u.out(DATA, c.charCodeAt(0));
    }
    expect(u.text()).toBe('hi');
  });

  it('has a divisor latch behind DLAB and a scratch register', () => {
    const u = uart();
    u.out(LCR, 0x83);
    expect(u.in(DATA) | u.in(IER) << 8, '9600 baud at power-on').toBe(12);
    u.out(DATA, 0x34);
    u.out(IER, 0x12);
    expect(u.in(DATA) | u.in(IER) << 8).toBe(0x1234);
    u.out(LCR, 3);
    u.out(SCR, 0xae);
    expect([u.in(IER), u.in(SCR), u.in(LCR)]).toEqual([0, 0xae, 3]);
  });

  it('is a 16550A to the questions that Linux asks', () => {
    const u = uart();
    u.out(IER, 0);
    expect(u.in(IER) & 0x0f).toBe(0);
    u.out(IER, 0x0f);
    expect(u.in(IER)).toBe(0x0f);
    u.out(IER, 0xff);
    expect(u.in(IER), 'bits 7:4 do not exist').toBe(0x0f);
    u.out(IER, 0);
    u.out(MCR, 0x1a); // loopback with RTS and OUT2
    expect(u.in(MSR) & 0xf0, 'CTS and DCD').toBe(0x90);
    u.out(MCR, 0);
    u.out(LCR, 0xbf);
    u.out(FCR, 0x01);
    u.out(LCR, 0);
    u.out(FCR, 0x01);
    expect(u.in(IIR) >> 6, 'FIFOs that work').toBe(3);
    u.out(FCR, 0x21);
    expect(u.in(IIR) >> 5, 'no 64-byte FIFO').toBe(6);
    expect(u.in(MCR) & 0xe0, 'no automatic flow control').toBe(0);
  });

  it('raises the THRE interrupt when it is enabled, and lowers it when IIR has told', () => {
    const u = opened();
    u.out(IER, 0x02);
    expect(u.irq).toEqual([true]);
    expect(u.in(IIR)).toBe(0xc2);
    expect(u.irq).toEqual([true, false]);
    expect(u.in(IIR)).toBe(0xc1);
    u.out(DATA, 0x41);
    expect(u.irq, 'a byte went out').toEqual([true, false, true]);
    u.out(DATA, 0x42);
    expect(u.irq, 'each byte is a new edge for the PIC').toEqual([true, false, true, false, true]);
    expect(u.in(IIR)).toBe(0xc2);
    u.out(IER, 0);
    u.out(IER, 0x02);
    expect(u.in(IIR), 'enabling it again is a reason again').toBe(0xc2);
  });

  it('keeps its interrupt to itself while OUT2 is low', () => {
    const u = opened();
    u.out(MCR, 0x03);
    u.out(IER, 0x02);
    expect(u.irq).toEqual([]);
    u.out(MCR, 0x0b);
    expect(u.irq).toEqual([true]);
  });

  it('interrupts at the trigger level at once, and below it after four character times', () => {
    const u = opened();
    u.out(IER, 0x01);
    u.type('0123456789abc');
    expect([u.in(IIR), u.irq]).toEqual([0xc1, []]);
    u.type('d');
    expect(u.in(IIR)).toBe(0xc4);
    expect(u.in(DATA)).toBe(0x30);
    expect(u.in(IIR)).toBe(0xc1);
    u.time.pass(4 * CHARACTER - 10);
    expect(u.in(IIR)).toBe(0xc1);
    u.time.pass(20);
    expect([u.in(IIR), u.irq]).toEqual([0xcc, [true, false, true]]);
    expect(u.in(DATA)).toBe(0x31);
    expect(u.in(IIR), 'a read starts the timeout anew').toBe(0xc1);
    u.time.pass(4 * CHARACTER + 10);
    let rest = '';
    while ((u.in(LSR) & 1) !== 0) rest += String.fromCharCode(u.in(DATA));
    expect([rest, u.in(IIR)]).toEqual(['23456789abcd', 0xc1]);
  });

  it('takes as much from the host as it has room for, and loses nothing', () => {
    const u = opened();
    const sent = Array.from({ length: 300 }, (_, i) => String.fromCharCode(32 + i % 90)).join('');
    u.type(sent);
    expect(u.u.pendingInput).toBe(300 - 16);
    let got = '';
    while ((u.in(LSR) & 1) !== 0) got += String.fromCharCode(u.in(DATA));
    expect([got, u.in(LSR) & 2]).toEqual([sent, 0]);
  });

  it('makes a new edge for every byte while FIFOs are off, so that an edge-triggered PIC hears them all', () => {
    const u = opened();
    u.out(FCR, 0);
    u.out(IER, 1);
    u.type('ab');
    expect(u.irq).toEqual([true]);
    expect(u.in(IIR)).toBe(0x04);
    expect(u.in(DATA)).toBe(0x61);
    expect(u.irq).toEqual([true, false, true]);
    expect(u.in(DATA)).toBe(0x62);
    expect(u.irq).toEqual([true, false, true, false]);
  });

  it('refuses more than 64 KiB from the host', () => {
    const u = uart();
    let taken = 0;
    while (taken < 100_000 && u.u.receive(0x61)) taken++;
    expect(taken, 'one is in the receiver buffer register').toBe(MAX_PENDING_INPUT + 1);
  });

  it('loops back bytes and modem lines, and tells of an overrun', () => {
    const u = opened();
    u.out(MCR, 0x1f);
    for (let i = 0; i < 17; i++) u.out(DATA, i);
    expect(u.text()).toBe('');
    expect(u.in(MSR) & 0xf0).toBe(0xf0);
    u.out(IER, 0x04);
    expect(u.in(IIR)).toBe(0xc6);
    expect(u.in(LSR) & 0x03).toBe(0x03);
    expect(u.in(IIR)).toBe(0xc1);
    expect(Array.from({ length: 16 }, () => u.in(DATA))).toEqual(Array.from({ length: 16 }, (_, i) => i));
    u.type('x');
    expect(u.in(LSR) & 1, 'the line is cut').toBe(0);
    u.out(MCR, 0x0b);
    expect(u.in(DATA)).toBe(0x78);
  });

  it('reports modem lines that changed once', () => {
    const u = opened();
    expect(u.in(MSR)).toBe(0xb0);
    u.out(MCR, 0x18);
    u.out(IER, 0x08);
    expect(u.in(IIR)).toBe(0xc0);
    expect(u.in(MSR)).toBe(0x80 | 0x03);
    expect([u.in(MSR), u.in(IIR)]).toEqual([0x80, 0xc1]);
  });

  it('answers interrupts in the order of their priority', () => {
    const u = opened();
    u.out(MCR, 0x1b);
    u.out(IER, 0x0f);
    u.out(MCR, 0x18);
    for (let i = 0; i < 17; i++) u.out(DATA, 0);
    const order = [u.in(IIR)];
    u.in(LSR);
    order.push(u.in(IIR));
    u.out(FCR, 0xc3);
    order.push(u.in(IIR), u.in(IIR));
    u.in(MSR);
    order.push(u.in(IIR));
    expect(order).toEqual([0xc6, 0xc4, 0xc2, 0xc0, 0xc1]);
  });

  it('keeps everything in a snapshot, the timeout included', () => {
    const u = opened(), v = uart();
    u.out(IER, 1);
    u.type('some text that is longer than a FIFO');
    for (let i = 0; i < 24; i++) u.in(DATA);
    v.u.restore(JSON.parse(JSON.stringify(u.u.snapshot())));
    v.time.scheduler.restore(JSON.parse(JSON.stringify(u.time.scheduler.snapshot())));
    v.time.pass(5 * CHARACTER);
    expect([v.irq, v.in(IIR), v.in(DATA)]).toEqual([[true, false], 0xcc, ' '.charCodeAt(0)]);
  });
});
