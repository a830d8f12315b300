/** Ports that no PC has and kernels under development like: ways out for text, for a status and for the machine. */
import type { PortDevice } from './port-bus.ts';
import { copyState, record, u8, upTo, zeroState, type Snapshotable } from './snapshot.ts';

/** Bochs' and QEMU's debug console: a byte written is text, a read tells that it is there. */
export const debugConsole = (port: number, out: (byte: number) => void): PortDevice => ({
  name: 'debug console',
  readPort: () => port & 0xff,
  writePort: (_port, _bytes, value) => out(value),
});

/** QEMU's isa-debug-exit: any write ends the run with the value. */
export const debugExit = (exit: (value: number) => void): PortDevice => ({
  name: 'debug exit',
  portBytes: 4,
  readPort: () => 0,
  writePort: (_port, _bytes, value) => exit(value),
});

/** Bochs' and old QEMU's power-off port. */
export const POWER_OFF_PORT = 0xb004;
const SLP_EN = 0x2000;
export const powerOffPort = (powerOff: () => void): PortDevice => ({
  name: 'power-off',
  portBytes: 2,
  readPort: () => 0,
  writePort: (_port, _bytes, value) => {
    if ((value & SLP_EN) !== 0) powerOff();
  },
});

const SHUTDOWN_TEXT = 'Shutdown';
const SHUTDOWN_SHAPE = record({ matched: upTo(SHUTDOWN_TEXT.length - 1) });

/** Bochs' shutdown port: the letters of "Shutdown", one after the other. */
export class ShutdownPort implements PortDevice, Snapshotable {
  readonly name = 'shutdown port';
  static readonly PORT = 0x8900;
  readonly #powerOff: () => void;
  readonly #state = zeroState(SHUTDOWN_SHAPE);

  constructor(powerOff: () => void) {
    this.#powerOff = powerOff;
  }

  readPort(): number {
    return 0;
  }

  writePort(_port: number, _bytes: number, value: number): void {
    const s = this.#state;
    if (value !== SHUTDOWN_TEXT.charCodeAt(s.matched)) {
      s.matched = value === SHUTDOWN_TEXT.charCodeAt(0) ? 1 : 0;
      return;
    }
    s.matched = (s.matched + 1) % SHUTDOWN_TEXT.length;
    if (s.matched === 0) this.#powerOff();
  }

  snapshot(): unknown {
    return copyState(SHUTDOWN_SHAPE, this.#state, 'shutdownPort');
  }

  restore(snapshot: unknown): void {
    Object.assign(this.#state, copyState(SHUTDOWN_SHAPE, snapshot, 'shutdownPort'));
  }
}

const POST_SHAPE = record({ code: u8 });

/** Port 0x80: power-on self-test codes; also what drivers write to when they want to wait a little. It cannot be read. */
export class PostCodePort implements PortDevice, Snapshotable {
  readonly name = 'POST code';
  static readonly PORT = 0x80;
  readonly #state = zeroState(POST_SHAPE);

  /** The last code written. */
  get code(): number {
    return this.#state.code;
  }

  readPort(): number {
    return 0xff;
  }

  writePort(_port: number, _bytes: number, value: number): void {
    this.#state.code = value;
  }

  snapshot(): unknown {
    return copyState(POST_SHAPE, this.#state, 'postCode');
  }

  restore(snapshot: unknown): void {
    Object.assign(this.#state, copyState(POST_SHAPE, snapshot, 'postCode'));
  }
}
