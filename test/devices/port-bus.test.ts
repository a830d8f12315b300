import { describe, expect, it } from 'vitest';
import { PortBus, type PortDevice } from '../../src/devices/port-bus.ts';

/** A device that answers with its port's low byte, and writes down what it is asked. */
function recorder(portBytes?: 1 | 2 | 4): PortDevice & { log: string[] } {
  const log: string[] = [];
  return {
    name: 'recorder', log, ...(portBytes === undefined ? {} : { portBytes }),
    readPort(port, bytes) {
      log.push(`read ${port.toString(16)} ${bytes}`);
      return port & 0xff;
    },
    writePort(port, bytes, value) {
      log.push(`write ${port.toString(16)} ${bytes} ${value.toString(16)}`);
    },
  };
}

describe('the port bus', () => {
  it('reads all ones where nobody answers, and counts who was asked', () => {
    const bus = new PortBus();
    expect([bus.read(0x2e9, 1), bus.read(0x2e9, 2), bus.read(0xcf8, 4)]).toEqual([0xff, 0xffff, 0xffff_ffff]);
    bus.write(0x2e9, 1, 5);
    expect(bus.unclaimed()).toEqual([{ port: 0x2e9, reads: 2, writes: 1 }, { port: 0xcf8, reads: 1, writes: 0 }]);
  });

  it('splits wide accesses to an 8-bit chip into bytes, lowest port first', () => {
    const bus = new PortBus();
    const chip = recorder();
    bus.claim(0x40, 4, chip);
    expect(bus.read(0x40, 4)).toBe(0x4342_4140);
    bus.write(0x42, 2, 0xabcd);
    expect(chip.log).toEqual(['read 40 1', 'read 41 1', 'read 42 1', 'read 43 1', 'write 42 1 cd', 'write 43 1 ab']);
  });

  it('gives a 32-bit device the access whole, unless it sticks out', () => {
    const bus = new PortBus();
    const chip = recorder(4);
    bus.claim(0xf4, 4, chip);
    bus.write(0xf4, 4, 0x8000_0001);
    expect(bus.read(0xf6, 4)).toBe(0xffff_f7f6);
    expect(chip.log).toEqual(['write f4 4 80000001', 'read f6 1', 'read f7 1']);
  });

  it('finds a device behind an unclaimed first port, and wraps at the end of the address space', () => {
    const bus = new PortBus();
    bus.claim(0x71, 1, recorder());
    bus.claim(0, 1, recorder());
    expect(bus.read(0x70, 2)).toBe(0x71ff);
    expect(bus.read(0xffff, 2)).toBe(0x00ff);
  });

  it('throws at wiring time when two devices want one port, or a port does not exist', () => {
    const bus = new PortBus();
    bus.claim(0x60, 2, recorder());
    expect(() => bus.claim(0x61, 1, recorder())).toThrow('port 0x61 is claimed by recorder');
    expect(() => bus.claim(0xffff, 2, recorder())).toThrow(RangeError);
    expect(() => bus.claim(-1, 1, recorder())).toThrow(RangeError);
  });
});
