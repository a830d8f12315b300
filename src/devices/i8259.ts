/**
 * Intel 8259A programmable interrupt controllers, and the cascaded pair of a PC with its edge/level control registers.
 * Intel 8259A data sheet (order number 231468); ELCR: Intel 82371AB (PIIX4) data sheet, "Interrupt Controller".
 */
import { copyState, flag, record, u8, upTo, zeroState, type Snapshotable } from './snapshot.ts';
import type { PortDevice } from './port-bus.ts';

/** Initialization Command Word 1, written to the even port. */
const ICW1 = { IC4: 0x01, SNGL: 0x02, INITIALIZE: 0x10 } as const;
/** Initialization Command Word 4. */
const ICW4 = { AEOI: 0x02, MASTER: 0x04, BUF: 0x08, SFNM: 0x10 } as const;
/** Operation Command Word 2: rotate, specific level, end of interrupt; bits 2:0 are the level. */
const OCW2 = { LEVEL: 0x07, EOI: 0x20, SL: 0x40, R: 0x80 } as const;
/** Operation Command Word 3, told from OCW2 by bit 3. */
const OCW3 = { RIS: 0x01, RR: 0x02, P: 0x04, SELECT: 0x08, SMM: 0x20, ESMM: 0x40 } as const;
/** "Default IR7": what an INTA cycle gets when the request is gone. */
const DEFAULT_LEVEL = 7;

const CHIP = record({
  /** Levels of the input pins IR0-IR7. */
  lines: u8,
  /** The edge sense latches: set while a pin is low, cleared by INTA. */
  edgeSense: u8,
  /** Pins that are level triggered. */
  level: u8,
  inService: u8,
  mask: u8,
  /** T7-T3 of the interrupt vector address. */
  vectorBase: u8,
  /** The level of lowest priority; 7 unless rotated. */
  lowestPriority: upTo(7),
  /** The next initialization command word expected at the odd port: 2, 3, 4; 0 when operating. */
  expects: upTo(4),
  /** Set by the first ICW1: before it the chip requests nothing. */
  initialized: flag,
  needsIcw4: flag,
  single: flag,
  autoEoi: flag,
  rotateOnAutoEoi: flag,
  specialFullyNested: flag,
  specialMask: flag,
  readInService: flag,
  poll: flag,
});

/** One 8259A. It drives INT; who listens is the board's matter. */
export class I8259 implements Snapshotable {
  readonly #name: string;
  readonly #state = zeroState(CHIP);
  /** The pins of a master that have a slave; 0 on a slave. */
  readonly #slaves: number;
  readonly #interrupt: (level: boolean) => void;
  #output = false;

  constructor(name: string, slaves: number, interrupt: (level: boolean) => void) {
    this.#name = name;
    this.#slaves = slaves;
    this.#interrupt = interrupt;
    this.#state.lowestPriority = 7;
    this.#state.edgeSense = 0xff;
  }

  /** The INT pin. */
  get output(): boolean {
    return this.#output;
  }

  /** Interrupt request register: level pins that are high, and edge pins that rose and have not been acknowledged. */
  get requests(): number {
    return this.#state.lines & (this.#state.edgeSense | this.#state.level);
  }

  get inService(): number {
    return this.#state.inService;
  }

  /** OCW1. */
  get mask(): number {
    return this.#state.mask;
  }

  setLine(pin: number, high: boolean): void {
    const s = this.#state;
    const bit = 1 << pin;
    if (high) {
      s.lines |= bit;
    } else {
      s.lines &= ~bit;
      s.edgeSense |= bit;
    }
    this.#update();
  }

  /** The pins that are level triggered (ELCR). */
  setLevelTriggered(pins: number): void {
    this.#state.level = pins;
    this.#update();
  }

  get levelTriggered(): number {
    return this.#state.level;
  }

  /** INTA: the level that goes into service, and whether its request was still there (if not, it is the default IR7 and nothing is in service). */
  acknowledge(): { readonly level: number; readonly spurious: boolean } {
    const s = this.#state;
    const level = this.#pending();
    if (level === undefined) return { level: DEFAULT_LEVEL, spurious: true };
    const bit = 1 << level;
    s.edgeSense &= ~bit;
    if (!s.autoEoi) s.inService |= bit;
    else if (s.rotateOnAutoEoi) s.lowestPriority = level;
    this.#update();
    return { level, spurious: false };
  }

  vector(level: number): number {
    return this.#state.vectorBase | level;
  }

  /** A0 = 0: the register that OCW3 selected, or the poll word. A0 = 1: the mask. */
  read(a0: number): number {
    const s = this.#state;
    if (s.poll) {
      s.poll = false;
      const { level, spurious } = this.acknowledge();
      return spurious ? 0 : 0x80 | level;
    }
    if (a0 === 1) return s.mask;
    return s.readInService ? s.inService : this.requests;
  }

  write(a0: number, value: number): void {
    if (a0 === 1) this.#writeOdd(value);
    else if ((value & ICW1.INITIALIZE) !== 0) this.#initialize(value);
    else if ((value & OCW3.SELECT) !== 0) this.#operate3(value);
    else this.#operate2(value);
    this.#update();
  }

  /** ICW1. The chip's vector format is always the 8086 one: ICW4's uPM chooses CALL instructions on an 8080 bus, which a PC has not. */
  #initialize(value: number): void {
    const s = this.#state;
    s.initialized = true;
    s.needsIcw4 = (value & ICW1.IC4) !== 0;
    s.single = (value & ICW1.SNGL) !== 0;
    s.expects = 2;
    // "The edge sense circuit is reset": an input must make a low-to-high transition to be seen.
    s.edgeSense = ~s.lines & 0xff;
    s.mask = 0;
    s.inService = 0;
    s.lowestPriority = 7;
    s.specialMask = s.readInService = s.poll = s.rotateOnAutoEoi = false;
    // "If IC4 = 0, then all functions selected in ICW4 are set to zero."
    s.autoEoi = s.specialFullyNested = false;
  }

  #writeOdd(value: number): void {
    const s = this.#state;
    switch (s.expects) {
      case 2:
        s.vectorBase = value & 0xf8;
        s.expects = s.single ? (s.needsIcw4 ? 4 : 0) : 3;
        return;
      case 3: // ICW3: the cascade is wired on a PC's board; the chips take their places from there.
        s.expects = s.needsIcw4 ? 4 : 0;
        return;
      case 4:
        s.autoEoi = (value & ICW4.AEOI) !== 0;
        s.specialFullyNested = (value & ICW4.SFNM) !== 0;
        s.expects = 0;
        return;
      default:
        s.mask = value;
    }
  }

  #operate2(value: number): void {
    const s = this.#state;
    const level = value & OCW2.LEVEL;
    const rotate = (value & OCW2.R) !== 0;
    if ((value & OCW2.EOI) === 0) {
      if ((value & OCW2.SL) === 0) s.rotateOnAutoEoi = rotate;
      else if (rotate) s.lowestPriority = level; // set priority; without R, OCW2 is a no-operation
      return;
    }
    // "An IS bit that is masked by an IMR bit will not be cleared by a non-specific EOI if the 8259A is in the special mask mode."
    const ended = (value & OCW2.SL) !== 0 ? level : this.#highest(s.specialMask ? s.inService & ~s.mask : s.inService);
    if (ended === undefined) return;
    s.inService &= ~(1 << ended);
    if (rotate) s.lowestPriority = ended;
  }

  #operate3(value: number): void {
    const s = this.#state;
    if ((value & OCW3.ESMM) !== 0) s.specialMask = (value & OCW3.SMM) !== 0;
    if ((value & OCW3.RR) !== 0) s.readInService = (value & OCW3.RIS) !== 0;
    if ((value & OCW3.P) !== 0) s.poll = true;
  }

  /** The set bit of highest priority. */
  #highest(set: number): number | undefined {
    for (let i = 1; i <= 8; i++) {
      const level = this.#state.lowestPriority + i & 7;
      if ((set & 1 << level) !== 0) return level;
    }
    return undefined;
  }

  /** The request that INT stands for: of higher priority than everything in service. */
  #pending(): number | undefined {
    const s = this.#state;
    if (!s.initialized || s.expects !== 0) return undefined;
    const level = this.#highest(this.requests & ~s.mask);
    if (level === undefined) return undefined;
    let blocking = s.inService;
    if (s.specialMask) blocking &= ~s.mask;
    // Special fully nested mode: further requests from a slave in service get through.
    if (s.specialFullyNested) blocking &= ~this.#slaves;
    const served = this.#highest(blocking);
    if (served === undefined) return level;
    const rank = (n: number): number => n - s.lowestPriority - 1 & 7;
    return rank(level) < rank(served) ? level : undefined;
  }

  #update(): void {
    const output = this.#pending() !== undefined;
    if (output === this.#output) return;
    this.#output = output;
    this.#interrupt(output);
  }

  snapshot(): unknown {
    return copyState(CHIP, this.#state, this.#name);
  }

  restore(snapshot: unknown): void {
    Object.assign(this.#state, copyState(CHIP, snapshot, this.#name));
    this.#output = this.#pending() !== undefined;
  }
}

/** The master's pin that carries the slave's INT. */
const CASCADE = 2;
const MASTER_PORT = 0x20;
const SLAVE_PORT = 0xa0;
/** Edge/Level Control Registers: IRQ 0, 1, 2, 8 and 13 are always edge triggered. */
const ELCR_PORT = 0x4d0;
const ELCR_WRITABLE = [0xf8, 0xde] as const;

const PAIR = record({ master: CHIP, slave: CHIP });

/** The two controllers of a PC: IRQ 0-7 on the master, IRQ 8-15 on the slave behind the master's IR2. */
export class I8259Pair implements PortDevice, Snapshotable {
  readonly name = '8259A interrupt controllers';
  readonly master: I8259;
  readonly slave: I8259;

  /** @param interrupt called when the master's INT pin changes. */
  constructor(interrupt: (level: boolean) => void) {
    this.master = new I8259('i8259.master', 1 << CASCADE, interrupt);
    this.slave = new I8259('i8259.slave', 0, (level) => this.master.setLine(CASCADE, level));
  }

  /** The ports that the pair answers at: [first, count]. */
  static readonly PORTS: readonly (readonly [number, number])[] = [[MASTER_PORT, 2], [SLAVE_PORT, 2], [ELCR_PORT, 2]];

  get output(): boolean {
    return this.master.output;
  }

  /** IRQ 0-15; IRQ 2 has no pin on a PC. */
  setIrq(irq: number, high: boolean): void {
    if (irq >= 8) this.slave.setLine(irq - 8, high);
    else if (irq !== CASCADE) this.master.setLine(irq, high);
  }

  /** The processor's INTA cycles: the vector. Without a request: the master's or the slave's default IR7. */
  acknowledge(): number {
    const { level, spurious } = this.master.acknowledge();
    if (spurious || level !== CASCADE) return this.master.vector(level);
    return this.slave.vector(this.slave.acknowledge().level);
  }

  readPort(port: number): number {
    if (port === ELCR_PORT) return this.master.levelTriggered;
    if (port === ELCR_PORT + 1) return this.slave.levelTriggered;
    return (port >= SLAVE_PORT ? this.slave : this.master).read(port & 1);
  }

  writePort(port: number, _bytes: number, value: number): void {
    if (port === ELCR_PORT) this.master.setLevelTriggered(value & ELCR_WRITABLE[0]);
    else if (port === ELCR_PORT + 1) this.slave.setLevelTriggered(value & ELCR_WRITABLE[1]);
    else (port >= SLAVE_PORT ? this.slave : this.master).write(port & 1, value);
  }

  snapshot(): unknown {
    return { master: this.master.snapshot(), slave: this.slave.snapshot() };
  }

  restore(snapshot: unknown): void {
    const { master, slave } = copyState(PAIR, snapshot, 'i8259');
    this.master.restore(master);
    this.slave.restore(slave);
  }
}
