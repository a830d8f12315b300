import { describe, expect, it } from 'vitest';
import { SET_2 } from '../../src/devices/scancodes.ts';
import { board, remapPics, type Board } from './support/board.ts';

const DATA = 0x60, COMMAND = 0x64;
const ready = (b: Board): boolean => (b.in(COMMAND) & 1) !== 0;
const readAll = (b: Board): number[] => {
  const bytes: number[] = [];
  while (ready(b) && bytes.length < 64) bytes.push(b.in(DATA));
  return bytes;
};
const command = (b: Board, ...bytes: number[]): number[] => {
  const [first = 0, ...rest] = bytes;
  b.out(COMMAND, first);
  for (const byte of rest) b.out(DATA, byte);
  return readAll(b);
};
const keyboard = (b: Board, ...bytes: number[]): number[] => {
  for (const byte of bytes) b.out(DATA, byte);
  return readAll(b);
};

describe('the 8042 keyboard controller', () => {
  it('passes its self test and finds a keyboard and no mouse', () => {
    const b = board();
    expect([command(b, 0xaa), command(b, 0xab), command(b, 0xa9)]).toEqual([[0x55], [0x00], [0x01]]);
    b.out(COMMAND, 0xd4);
    b.out(DATA, 0xff);
    expect([b.in(COMMAND) & 0x61, b.in(DATA)], 'timeout, from the auxiliary side').toEqual([0x61, 0xfe]);
  });

  it('keeps its command byte and its RAM', () => {
    const b = board();
    expect(command(b, 0x20)).toEqual([0x65]);
    b.out(COMMAND, 0x60);
    b.out(DATA, 0x47);
    expect(command(b, 0x20)).toEqual([0x47]);
    command(b, 0xad);
    command(b, 0xa7);
    expect(command(b, 0x20)).toEqual([0x77]);
    command(b, 0xae);
    command(b, 0xa8);
    expect(command(b, 0x20)).toEqual([0x47]);
    b.out(COMMAND, 0x65);
    b.out(DATA, 0x12);
    expect(command(b, 0x25)).toEqual([0x12]);
  });

  it('gives keys in scan code set 1, one interrupt for each byte', () => {
    const b = board();
    remapPics(b, 1 << 1);
    b.devices.keyboard.key('KeyA', true);
    b.devices.keyboard.key('KeyA', false);
    b.devices.keyboard.key('ArrowUp', true);
    b.devices.keyboard.key('ArrowUp', false);
    const bytes: number[] = [];
    while (b.devices.interrupts.requested()) {
      expect(b.devices.interrupts.acknowledge()).toBe(0x21);
      bytes.push(b.in(DATA));
      b.out(0x20, 0x20);
    }
    expect(bytes).toEqual([0x1e, 0x9e, 0xe0, 0x48, 0xe0, 0xc8]);
    expect(ready(b)).toBe(false);
  });

  it('gives a byte that a driver sends to itself from the auxiliary side, with IRQ 12', () => {
    const b = board();
    remapPics(b, 1 << 12 | 1 << 2 | 1 << 1);
    b.out(COMMAND, 0x60);
    b.out(DATA, 0x47);
    b.out(COMMAND, 0xd3);
    b.out(DATA, 0xa5);
    expect([b.devices.interrupts.acknowledge(), b.in(COMMAND) & 0x21, b.in(DATA)]).toEqual([0x2c, 0x21, 0xa5]);
    expect(b.devices.interrupts.requested()).toBe(false);
  });

  it('gives them in set 2 when translation is off, and holds them while the keyboard is disabled', () => {
    const b = board();
    b.out(COMMAND, 0x60);
    b.out(DATA, 0x05);
    command(b, 0xad);
    b.devices.keyboard.key('KeyA', true);
    b.devices.keyboard.key('KeyA', false);
    expect(ready(b)).toBe(false);
    b.out(COMMAND, 0xae);
    expect(readAll(b)).toEqual([0x1c, 0xf0, 0x1c]);
  });

  it('every key has a code of its own, in both sets', () => {
    expect(new Set(Object.values(SET_2)).size).toBe(Object.keys(SET_2).length);
    const b = board();
    const codes = Object.keys(SET_2).map((code) => {
      expect(b.devices.keyboard.key(code, true)).toBe(true);
      return readAll(b).join();
    });
    expect(new Set(codes).size).toBe(codes.length);
    expect(b.devices.keyboard.key('toString', true)).toBe(false);
  });

  it('answers the keyboard commands of drivers', () => {
    const b = board();
    expect(keyboard(b, 0xff)).toEqual([0xfa, 0xaa]);
    expect(keyboard(b, 0xf2), 'the identity, translated').toEqual([0xfa, 0xab, 0x41]);
    expect(keyboard(b, 0xed, 0x07)).toEqual([0xfa, 0xfa]);
    expect(keyboard(b, 0xee)).toEqual([0xee]);
    expect(keyboard(b, 0xf3, 0x20)).toEqual([0xfa, 0xfa]);
    expect(keyboard(b, 0xf0, 0x02)).toEqual([0xfa, 0xfa]);
    expect(keyboard(b, 0xf0, 0x03), 'there is only set 2').toEqual([0xfa, 0xfe]);
    expect(keyboard(b, 0x01)).toEqual([0xfe]);
    expect(keyboard(b, 0xf5)).toEqual([0xfa]);
    expect(b.devices.keyboard.key('KeyA', true), 'scanning is off').toBe(false);
    expect(keyboard(b, 0xf4)).toEqual([0xfa]);
  });

  it('loses keys when nobody reads, and says so once with the overrun code', () => {
    const b = board();
    command(b, 0xad);
    let taken = 0;
    while (taken < 100 && b.devices.keyboard.key('KeyA', true)) taken++;
    expect(taken).toBe(16);
    b.out(COMMAND, 0xae);
    expect(readAll(b)).toHaveLength(16);
  });

  it('resets the machine by the pulse command, the output port, port 0x92 and port 0xcf9', () => {
    const b = board();
    b.out(COMMAND, 0xfe);
    command(b, 0xd1, 0xde);
    b.out(0x92, b.in(0x92) | 1);
    b.out(0x92, b.in(0x92));
    b.out(0xcf9, 0x02);
    b.out(0xcf9, 0x06);
    expect(b.said).toEqual(['reset', 'reset', 'reset', 'reset']);
    b.out(COMMAND, 0xff); // no line is pulsed
    expect(b.said).toHaveLength(4);
  });

  it('has the A20 gate open, and tells the board when a guest moves it', () => {
    const b = board();
    expect([command(b, 0xd0)[0], b.in(0x92)]).toEqual([0xc3, 2]);
    command(b, 0xdf);
    command(b, 0xd1, 0xdf);
    b.out(0x92, 2);
    expect(b.said).toEqual([]);
    command(b, 0xdd);
    expect(b.in(0x92)).toBe(0);
    command(b, 0xd1, 0xdf);
    b.out(0x92, 0);
    expect(b.said).toEqual(['A20 false', 'A20 true', 'A20 false']);
  });
});
