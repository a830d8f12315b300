/** Boards for the tests of devices: a clock that the test moves, and everything that the board says written down. */
import { createPcDevices, type PcDevices, type PcDevicesOptions } from '../../../src/devices/board.ts';
import { Scheduler } from '../../../src/devices/scheduler.ts';
import type { PortDevice } from '../../../src/devices/port-bus.ts';

/** A scheduler with a clock of its own. */
export class Time {
  readonly scheduler = new Scheduler();
  now = 0;
  readonly clock = (): number => this.now;

  /** Moves virtual time on, stopping at every deadline as a machine does. */
  pass(nanoseconds: number): void {
    passTime(this.scheduler, this, nanoseconds);
  }
}

function passTime(scheduler: Scheduler, time: { now: number }, nanoseconds: number): void {
  const end = time.now + nanoseconds;
  for (let next = scheduler.nextDeadline(); next <= end; next = scheduler.nextDeadline()) {
    time.now = Math.max(next, time.now);
    scheduler.advanceTo(time.now);
    if (scheduler.nextDeadline() <= time.now) time.now++;
  }
  time.now = Math.max(time.now, end);
}

export interface Board {
  readonly devices: PcDevices;
  readonly time: { now: number };
  /** What the board told the machine, in order: "reset", "power-off", "debug-exit 3" ... */
  readonly said: string[];
  /** Text on COM1, COM2 and the debug console. */
  readonly text: Record<'0' | '1' | 'debug', string>;
  pass(nanoseconds: number): void;
  in(port: number, bytes?: 1 | 2 | 4): number;
  out(port: number, value: number, bytes?: 1 | 2 | 4): void;
  /** Reads and writes a register of the local APIC or the I/O APIC. */
  readMmio(address: number): number;
  writeMmio(address: number, value: number): void;
}

export function board(options: Partial<PcDevicesOptions> = {}): Board {
  const time = { now: 0 };
  const said: string[] = [];
  const text = { 0: '', 1: '', debug: '' };
  const devices = createPcDevices({
    clock: () => time.now,
    memoryBytes: 128 * 2 ** 20,
    rtcEpochSeconds: Date.UTC(2026, 0, 1) / 1000,
    onSerialOutput: (port, byte) => { text[port] += String.fromCharCode(byte); },
    onDebugConsole: (byte) => { text.debug += String.fromCharCode(byte); },
    onDebugExit: (value) => said.push(`debug-exit ${value}`),
    onPowerOff: () => said.push('power-off'),
    onReset: () => said.push('reset'),
    onInterruptChange: () => {},
    onNmi: () => said.push('nmi'),
    onTaskPriorityChange: (cr8) => said.push(`cr8 ${cr8}`),
    onA20: (open) => said.push(`A20 ${open}`),
    onUnimplemented: (what) => said.push(`unimplemented: ${what}`),
    ...options,
  });
  const region = (address: number): { device: PcDevices['mmio'][number]['device']; offset: number } => {
    const found = devices.mmio.find(({ base, bytes }) => address >= base && address < base + bytes);
    if (found === undefined) throw new Error(`nothing at 0x${address.toString(16)}`);
    return { device: found.device, offset: address - found.base };
  };
  return {
    devices, time, said, text,
    pass: (nanoseconds) => passTime(devices.scheduler, time, nanoseconds),
    in: (port, bytes = 1) => devices.ports.read(port, bytes),
    out: (port, value, bytes = 1) => devices.ports.write(port, bytes, value),
    readMmio(address) {
      const { device, offset } = region(address);
      return device.read(offset, 4);
    },
    writeMmio(address, value) {
      const { device, offset } = region(address);
      device.write(offset, 4, value);
    },
  };
}

/** Programs both PICs as kernels do: vectors 0x20-0x2f, everything masked but `open` (bit n is IRQ n). */
export function remapPics(b: Board, open: number): void {
  for (const [base, vectors, cascade, mask] of [[0x20, 0x20, 4, ~open & 0xff], [0xa0, 0x28, 2, ~open >> 8 & 0xff]] as const) {
    b.out(base, 0x11);
    for (const value of [vectors, cascade, 1, mask]) b.out(base + 1, value);
  }
}

/** Reads and writes of one device without a board. */
export const portsOf = (device: PortDevice): { in: (port: number) => number; out: (port: number, value: number) => void } => ({
  in: (port) => device.readPort(port, 1),
  out: (port, value) => device.writePort(port, 1, value),
});
