/**
 * The ports of a PC's chipset that are a few gates each: system control ports A and B, numeric errors, reset control, and the absent PCI
 * configuration mechanism. Intel 82371AB (PIIX4) data sheet, "PCI/ISA Bridge"; PCI Local Bus Specification.
 */
import { allOnes, type AccessBytes, type PortDevice } from './port-bus.ts';
import { bits, copyState, flag, record, zeroState, type Snapshotable } from './snapshot.ts';
import { PIT_CRYSTAL, type I8254 } from './i8254.ts';
import type { I8042 } from './i8042.ts';
import type { Clock } from './scheduler.ts';

/** NMI status and control register, "port B". */
const PORT_B = { GATE_2: 0x01, SPEAKER: 0x02, NMI_DISABLES: 0x0c, REFRESH: 0x10, OUT_2: 0x20 } as const;
/** The refresh request toggles with each output of counter 1 as firmware programs it: 18 ticks, about 15 us. */
const REFRESH_TICKS = 18;
const PORT_B_SHAPE = record({ written: bits(4) });

/** Port 0x61: the gate and the output of the timer's counter 2. */
export class SystemControlPortB implements PortDevice, Snapshotable {
  readonly name = 'system control port B';
  static readonly PORT = 0x61;
  readonly #clock: Clock;
  readonly #timer: I8254;
  readonly #state = zeroState(PORT_B_SHAPE);

  constructor(clock: Clock, timer: I8254) {
    this.#clock = clock;
    this.#timer = timer;
  }

  readPort(): number {
    const refresh = Math.floor(PIT_CRYSTAL.ticksAt(this.#clock()) / REFRESH_TICKS) % 2 === 1;
    return this.#state.written | (refresh ? PORT_B.REFRESH : 0) | (this.#timer.output2 ? PORT_B.OUT_2 : 0);
  }

  writePort(_port: number, _bytes: number, value: number): void {
    this.#state.written = value & (PORT_B.GATE_2 | PORT_B.SPEAKER | PORT_B.NMI_DISABLES);
    this.#timer.setGate2((value & PORT_B.GATE_2) !== 0);
  }

  snapshot(): unknown {
    return copyState(PORT_B_SHAPE, this.#state, 'systemControlPortB');
  }

  restore(snapshot: unknown): void {
    Object.assign(this.#state, copyState(PORT_B_SHAPE, snapshot, 'systemControlPortB'));
  }
}

/** "Port A": bit 0 rising resets the processor, bit 1 is the A20 gate. */
const PORT_A = { FAST_INIT: 0x01, FAST_A20: 0x02 } as const;
const PORT_A_SHAPE = record({ fastInit: flag });

/** Port 0x92: fast A20 and fast reset. The gate is the keyboard controller's too. */
export class SystemControlPortA implements PortDevice, Snapshotable {
  readonly name = 'system control port A';
  static readonly PORT = 0x92;
  readonly #keyboardController: I8042;
  readonly #reset: () => void;
  readonly #state = zeroState(PORT_A_SHAPE);

  constructor(keyboardController: I8042, reset: () => void) {
    this.#keyboardController = keyboardController;
    this.#reset = reset;
  }

  readPort(): number {
    return (this.#state.fastInit ? PORT_A.FAST_INIT : 0) | (this.#keyboardController.a20 ? PORT_A.FAST_A20 : 0);
  }

  writePort(_port: number, _bytes: number, value: number): void {
    const rises = (value & PORT_A.FAST_INIT) !== 0 && !this.#state.fastInit;
    this.#state.fastInit = (value & PORT_A.FAST_INIT) !== 0;
    this.#keyboardController.setA20((value & PORT_A.FAST_A20) !== 0);
    if (rises) this.#reset();
  }

  snapshot(): unknown {
    return copyState(PORT_A_SHAPE, this.#state, 'systemControlPortA');
  }

  restore(snapshot: unknown): void {
    Object.assign(this.#state, copyState(PORT_A_SHAPE, snapshot, 'systemControlPortA'));
  }
}

const NUMERIC_ERROR_SHAPE = record({ requested: flag });

/**
 * Port 0xf0, the coprocessor error register. FERR# sets a flip-flop whose output is IRQ 13; any write clears it, and asserts IGNNE# if FERR# is
 * asserted still. SDM Vol. 1, "Recommended External Hardware to Support the MS-DOS Compatibility Sub-mode".
 */
export class NumericErrorControl implements PortDevice, Snapshotable {
  readonly name = 'coprocessor error register';
  static readonly PORT = 0xf0;
  readonly #interrupt: (level: boolean) => void;
  readonly #ignore: () => void;
  readonly #state = zeroState(NUMERIC_ERROR_SHAPE);

  constructor(interrupt: (level: boolean) => void, ignore: () => void) {
    this.#interrupt = interrupt;
    this.#ignore = ignore;
  }

  /** The processor asserts FERR#. */
  report(): void { this.#request(true); }

  #request(level: boolean): void {
    this.#state.requested = level;
    this.#interrupt(level);
  }

  readPort(_port: number, bytes: AccessBytes): number {
    return allOnes(bytes);
  }

  writePort(): void {
    this.#request(false);
    this.#ignore();
  }

  snapshot(): unknown {
    return copyState(NUMERIC_ERROR_SHAPE, this.#state, 'numericError');
  }

  restore(snapshot: unknown): void {
    Object.assign(this.#state, copyState(NUMERIC_ERROR_SHAPE, snapshot, 'numericError'));
  }
}

/** Reset control register. */
const RESET = { SYSTEM: 0x02, CPU: 0x04 } as const;
const RESET_PORT = 0xcf9;
const RESET_SHAPE = record({ value: bits(3) });

/** Ports 0xcf8-0xcff. There is no PCI bus: its configuration registers read all ones. A byte at 0xcf9 is the reset control register. */
export class ResetControl implements PortDevice, Snapshotable {
  readonly name = 'PCI configuration (absent) and reset control';
  readonly portBytes = 4;
  static readonly PORT = 0xcf8;
  static readonly PORTS = 8;
  readonly #reset: () => void;
  readonly #state = zeroState(RESET_SHAPE);

  constructor(reset: () => void) {
    this.#reset = reset;
  }

  readPort(port: number, bytes: AccessBytes): number {
    return port === RESET_PORT && bytes === 1 ? this.#state.value : allOnes(bytes);
  }

  /** "The reset is initiated by the transition of bit 2 from 0 to 1"; bit 1 chooses which one, and there is but one here. */
  writePort(port: number, bytes: AccessBytes, value: number): void {
    if (port !== RESET_PORT || bytes !== 1) return;
    const rises = (value & ~this.#state.value & RESET.CPU) !== 0;
    this.#state.value = value & (RESET.SYSTEM | RESET.CPU);
    if (rises) this.#reset();
  }

  snapshot(): unknown {
    return copyState(RESET_SHAPE, this.#state, 'resetControl');
  }

  restore(snapshot: unknown): void {
    Object.assign(this.#state, copyState(RESET_SHAPE, snapshot, 'resetControl'));
  }
}
