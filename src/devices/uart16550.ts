/**
 * 16550A universal asynchronous receiver/transmitter with FIFOs. The line is a pair of byte streams: transmission takes
 * no time, reception waits for room in the FIFO (so nothing from the host is ever lost), and only the receiver's
 * character timeout follows the divisor. National Semiconductor PC16550D data sheet.
 */
import { Crystal } from './crystal.ts';
import { bits, copyState, flag, queue, record, time, u8, zeroState, type Snapshotable } from './snapshot.ts';
import type { PortDevice } from './port-bus.ts';
import type { Clock, ScheduledEvent, Scheduler } from './scheduler.ts';

/** Register offsets. With LCR.DLAB set, 0 and 1 are the divisor latch. */
const REGISTER = { DATA: 0, IER: 1, IIR_FCR: 2, LCR: 3, MCR: 4, LSR: 5, MSR: 6, SCR: 7 } as const;
/** Interrupt Enable Register. */
const IER = { ERBFI: 0x01, ETBEI: 0x02, ELSI: 0x04, EDSSI: 0x08, WRITABLE: 0x0f } as const;
/** Interrupt Identification Register, highest priority first. */
const IIR = { LINE_STATUS: 0x06, DATA_AVAILABLE: 0x04, CHARACTER_TIMEOUT: 0x0c, THR_EMPTY: 0x02, MODEM_STATUS: 0x00, NONE: 0x01, FIFOS_ENABLED: 0xc0 } as const;
/** FIFO Control Register; bits 7:6 are the receiver trigger. */
const FCR = { ENABLE: 0x01, RECEIVER_RESET: 0x02, TRANSMITTER_RESET: 0x04 } as const;
const RECEIVER_TRIGGER = [1, 4, 8, 14] as const;
const LCR = { WORD_LENGTH: 0x03, STOP_BITS: 0x04, PARITY: 0x08, BREAK: 0x40, DLAB: 0x80 } as const;
const MCR = { DTR: 0x01, RTS: 0x02, OUT1: 0x04, OUT2: 0x08, LOOP: 0x10, WRITABLE: 0x1f } as const;
const LSR = { DR: 0x01, OE: 0x02, BI: 0x10, THRE: 0x20, TEMT: 0x40, FIFO_ERROR: 0x80 } as const;
/** Modem Status Register: the low half says what changed since it was read. */
const MSR = { DCTS: 0x01, DDSR: 0x02, TERI: 0x04, DDCD: 0x08, CTS: 0x10, DSR: 0x20, RI: 0x40, DCD: 0x80 } as const;
/** The other end is there and ready. */
const CONNECTED = MSR.CTS | MSR.DSR | MSR.DCD;

const FIFO_BYTES = 16;
/** The PC's UART crystal; a bit lasts 16 divisor ticks. */
const UART_CRYSTAL = new Crystal(1_843_200);
/** What firmware sets: 9600 baud. */
const DEFAULT_DIVISOR = 12;
/** Bytes that a host may have waiting. */
export const MAX_PENDING_INPUT = 0x1_0000;

const SHAPE = record({
  ier: u8,
  lcr: u8,
  mcr: u8,
  scratch: u8,
  divisor: bits(16),
  fifosEnabled: flag,
  /** FCR bits 7:6. */
  trigger: bits(2),
  /** Receiver FIFO; one byte deep while FIFOs are disabled. */
  received: queue(u8, FIFO_BYTES),
  /** Sent by the host, waiting for room. */
  pending: queue(u8, MAX_PENDING_INPUT),
  overrun: flag,
  breakInterrupt: flag,
  /** The transmitter-empty interrupt has a reason that IIR has not told yet. */
  transmitterEmpty: flag,
  characterTimeout: flag,
  /** When the last byte went into or out of the receiver FIFO. */
  receiverActivity: time,
  modemInputs: u8,
  modemChanges: bits(4),
});

export interface Uart16550Options {
  /** COM1 is 0x3f8, COM2 is 0x2f8. */
  readonly port: number;
  readonly name: string;
  /** A byte leaves the transmitter. */
  readonly transmit: (byte: number) => void;
  /** The interrupt line as a PC wires it: INTR gated by OUT2. */
  readonly interrupt: (level: boolean) => void;
}

export class Uart16550 implements PortDevice, Snapshotable {
  readonly name: string;
  readonly port: number;
  static readonly PORTS = 8;
  readonly #clock: Clock;
  readonly #timeout: ScheduledEvent;
  readonly #transmit: (byte: number) => void;
  readonly #interrupt: (level: boolean) => void;
  readonly #state = zeroState(SHAPE);
  #line = false;

  constructor(scheduler: Scheduler, clock: Clock, options: Uart16550Options) {
    this.name = options.name;
    this.port = options.port;
    this.#clock = clock;
    this.#transmit = options.transmit;
    this.#interrupt = options.interrupt;
    this.#timeout = scheduler.event(options.name, () => {
      this.#state.characterTimeout = this.#state.received.length > 0;
      this.#update();
    });
    this.#state.divisor = DEFAULT_DIVISOR;
    this.#state.modemInputs = CONNECTED;
  }

  /** Takes a byte from the host; it reaches the guest as the guest makes room. False, and not taken, when 64 KiB wait already. */
  receive(byte: number): boolean {
    const { pending } = this.#state;
    if (pending.length >= MAX_PENDING_INPUT) return false;
    pending.push(byte & 0xff);
    this.#refill();
    this.#update();
    return true;
  }

  /** Bytes of the host that the guest has not room for yet. */
  get pendingInput(): number {
    return this.#state.pending.length;
  }

  readPort(port: number): number {
    const s = this.#state;
    const divisor = (s.lcr & LCR.DLAB) !== 0;
    const value = ((): number => {
      switch (port & 7) {
        case REGISTER.DATA: return divisor ? s.divisor & 0xff : this.#readReceiver();
        case REGISTER.IER: return divisor ? s.divisor >> 8 : s.ier;
        case REGISTER.IIR_FCR: return this.#readInterruptIdentification();
        case REGISTER.LCR: return s.lcr;
        case REGISTER.MCR: return s.mcr;
        case REGISTER.LSR: return this.#readLineStatus();
        case REGISTER.MSR: return this.#readModemStatus();
        default: return s.scratch;
      }
    })();
    this.#update();
    return value;
  }

  writePort(port: number, _bytes: number, value: number): void {
    const s = this.#state;
    const divisor = (s.lcr & LCR.DLAB) !== 0;
    switch (port & 7) {
      case REGISTER.DATA:
        if (divisor) s.divisor = s.divisor & 0xff00 | value;
        else this.#writeTransmitter(value);
        break;
      case REGISTER.IER:
        if (divisor) s.divisor = s.divisor & 0xff | value << 8;
        else this.#writeInterruptEnable(value);
        break;
      case REGISTER.IIR_FCR: this.#writeFifoControl(value); break;
      case REGISTER.LCR: this.#writeLineControl(value); break;
      case REGISTER.MCR: this.#writeModemControl(value); break;
      case REGISTER.SCR: s.scratch = value; break;
      default: break; // LSR and MSR: "writing is not recommended; for factory testing"
    }
    this.#update();
  }

  #readReceiver(): number {
    const s = this.#state;
    const byte = s.received.shift() ?? 0;
    s.breakInterrupt = false;
    this.#touchReceiver();
    // The line drops before the next byte comes in, or an edge-triggered PIC would never hear of it.
    this.#update();
    this.#refill();
    return byte;
  }

  #writeTransmitter(byte: number): void {
    const s = this.#state;
    // The holding register is full for no time at all, but it is full: the interrupt goes away and comes back.
    s.transmitterEmpty = false;
    this.#update();
    if ((s.mcr & MCR.LOOP) !== 0) this.#loopBack(byte);
    else this.#transmit(byte);
    s.transmitterEmpty = true;
  }

  #writeInterruptEnable(value: number): void {
    const s = this.#state;
    // Enabling it while the transmitter is empty is a reason of its own; drivers rely on that to start sending.
    if ((value & ~s.ier & IER.ETBEI) !== 0) s.transmitterEmpty = true;
    s.ier = value & IER.WRITABLE;
  }

  #writeFifoControl(value: number): void {
    const s = this.#state;
    const enabled = (value & FCR.ENABLE) !== 0;
    // "When changing from FIFO mode to 16450 mode and vice versa, data is automatically cleared from the FIFOs."
    if (enabled !== s.fifosEnabled || (enabled && (value & FCR.RECEIVER_RESET) !== 0)) {
      s.received.length = 0;
      s.breakInterrupt = false;
      this.#touchReceiver();
    }
    s.fifosEnabled = enabled;
    // "Must be set when other FCR bits are written to or they will not be programmed."
    s.trigger = enabled ? value >> 6 : 0;
    this.#refill();
  }

  #writeLineControl(value: number): void {
    const s = this.#state;
    const breaks = (value & ~s.lcr & LCR.BREAK) !== 0;
    s.lcr = value;
    if (breaks && (s.mcr & MCR.LOOP) !== 0) {
      s.breakInterrupt = true;
      this.#loopBack(0);
    }
  }

  #writeModemControl(value: number): void {
    const s = this.#state;
    s.mcr = value & MCR.WRITABLE;
    // Loopback: "the four modem control outputs are internally connected to the four modem control inputs".
    const inputs = (s.mcr & MCR.LOOP) === 0 ? CONNECTED
      : ((s.mcr & MCR.RTS) !== 0 ? MSR.CTS : 0) | ((s.mcr & MCR.DTR) !== 0 ? MSR.DSR : 0)
        | ((s.mcr & MCR.OUT1) !== 0 ? MSR.RI : 0) | ((s.mcr & MCR.OUT2) !== 0 ? MSR.DCD : 0);
    const changed = inputs ^ s.modemInputs;
    if ((changed & MSR.CTS) !== 0) s.modemChanges |= MSR.DCTS;
    if ((changed & MSR.DSR) !== 0) s.modemChanges |= MSR.DDSR;
    if ((changed & MSR.DCD) !== 0) s.modemChanges |= MSR.DDCD;
    if ((changed & ~inputs & MSR.RI) !== 0) s.modemChanges |= MSR.TERI;
    s.modemInputs = inputs;
    this.#refill();
  }

  #readInterruptIdentification(): number {
    const s = this.#state;
    const reason = this.#reason();
    if (reason === IIR.THR_EMPTY) s.transmitterEmpty = false;
    return reason | (s.fifosEnabled ? IIR.FIFOS_ENABLED : 0);
  }

  #readLineStatus(): number {
    const s = this.#state;
    const value = (s.received.length > 0 ? LSR.DR : 0) | (s.overrun ? LSR.OE : 0) | LSR.THRE | LSR.TEMT
      | (s.breakInterrupt ? LSR.BI | (s.fifosEnabled ? LSR.FIFO_ERROR : 0) : 0);
    s.overrun = s.breakInterrupt = false;
    return value;
  }

  #readModemStatus(): number {
    const s = this.#state;
    const value = s.modemInputs | s.modemChanges;
    s.modemChanges = 0;
    return value;
  }

  /** A byte from our own transmitter: unlike the host it does not wait for room. */
  #loopBack(byte: number): void {
    const s = this.#state;
    if (s.received.length >= this.#depth) {
      s.overrun = true;
      // "An overrun in FIFO mode: the character in the shift register is overwritten"; without FIFOs RBR is.
      if (!s.fifosEnabled) s.received[0] = byte;
      return;
    }
    s.received.push(byte);
    this.#touchReceiver();
  }

  get #depth(): number {
    return this.#state.fifosEnabled ? FIFO_BYTES : 1;
  }

  /** Moves what the host sent into the FIFO as far as there is room. The line is cut while in loopback. */
  #refill(): void {
    const s = this.#state;
    if ((s.mcr & MCR.LOOP) !== 0 || s.pending.length === 0 || s.received.length >= this.#depth) return;
    s.received.push(...s.pending.splice(0, this.#depth - s.received.length));
    this.#touchReceiver();
  }

  /** Starts the character timeout anew: "the most recent character was received, and the most recent read happened, longer than 4 continuous character times ago". */
  #touchReceiver(): void {
    const s = this.#state;
    s.characterTimeout = false;
    s.receiverActivity = this.#clock();
    if (!s.fifosEnabled || s.received.length === 0) this.#timeout.cancel();
    else this.#timeout.schedule(s.receiverActivity + this.#characterTimes(4));
  }

  /** Nanoseconds that characters of the present format last. A divisor of 0 counts as the largest, as the counter would. */
  #characterTimes(count: number): number {
    const s = this.#state;
    const bitsPerCharacter = 1 + 5 + (s.lcr & LCR.WORD_LENGTH) + ((s.lcr & LCR.PARITY) !== 0 ? 1 : 0) + ((s.lcr & LCR.STOP_BITS) !== 0 ? 2 : 1);
    return UART_CRYSTAL.timeOf(count * bitsPerCharacter * 16 * (s.divisor || 0x1_0000));
  }

  /** The enabled interrupt of highest priority, as IIR codes it. */
  #reason(): number {
    const s = this.#state;
    if ((s.ier & IER.ELSI) !== 0 && (s.overrun || s.breakInterrupt)) return IIR.LINE_STATUS;
    if ((s.ier & IER.ERBFI) !== 0) {
      const trigger = s.fifosEnabled ? RECEIVER_TRIGGER[s.trigger as 0 | 1 | 2 | 3] : 1;
      if (s.received.length >= trigger) return IIR.DATA_AVAILABLE;
      if (s.characterTimeout && s.received.length > 0) return IIR.CHARACTER_TIMEOUT;
    }
    if ((s.ier & IER.ETBEI) !== 0 && s.transmitterEmpty) return IIR.THR_EMPTY;
    if ((s.ier & IER.EDSSI) !== 0 && s.modemChanges !== 0) return IIR.MODEM_STATUS;
    return IIR.NONE;
  }

  #wanted(): boolean {
    // Loopback takes OUT2 off its pin, and with it the gate.
    return this.#reason() !== IIR.NONE && (this.#state.mcr & (MCR.OUT2 | MCR.LOOP)) === MCR.OUT2;
  }

  #update(): void {
    const line = this.#wanted();
    if (line === this.#line) return;
    this.#line = line;
    this.#interrupt(line);
  }

  snapshot(): unknown {
    return copyState(SHAPE, this.#state, this.name);
  }

  restore(snapshot: unknown): void {
    Object.assign(this.#state, copyState(SHAPE, snapshot, this.name));
    this.#line = this.#wanted();
  }
}
