/**
 * One counter of the 8254, in ticks of its CLK pin. It knows the six modes; it is brought up to date when somebody looks
 * (advance) and says when its OUT pin changes next (nextChange). Intel 8254 data sheet, "Mode Definitions".
 */
import { bits, copyState, flag, range, record, time, u8, u16, upTo, zeroState, type Snapshotable } from './snapshot.ts';

/** Mode numbers as in the control word (bits 3:1; 6 and 7 mean 2 and 3). */
const MODE = {
  INTERRUPT_ON_TERMINAL_COUNT: 0,
  HARDWARE_RETRIGGERABLE_ONE_SHOT: 1,
  RATE_GENERATOR: 2,
  SQUARE_WAVE: 3,
  SOFTWARE_TRIGGERED_STROBE: 4,
  HARDWARE_TRIGGERED_STROBE: 5,
} as const;
/** RW field: which bytes of the count the processor reads and writes. */
const RW = { LATCH: 0, LSB: 1, MSB: 2, LSB_THEN_MSB: 3 } as const;
const STATUS = { OUTPUT: 0x80, NULL_COUNT: 0x40 } as const;

const SHAPE = record({
  /** CLK pulses seen so far; everything below is as of then. */
  tick: time,
  /** RW, M and BCD as written. */
  controlWord: bits(6),
  gate: flag,
  out: flag,
  /** Count register CR, as written. */
  countRegister: u16,
  /** The first byte of a two-byte count. */
  lowByte: u8,
  /** The second byte is next, to write or to read. */
  writeHigh: flag,
  readHigh: flag,
  /** A count has been written since the control word. */
  armed: flag,
  /** NULL COUNT: what was written has not reached the counting element. */
  nullCount: flag,
  /** The next CLK moves CR into CE. */
  load: flag,
  /** CE has been loaded since the control word. */
  counting: flag,
  /** Terminal count was reached since the load (modes 0, 1, 4, 5). */
  expired: flag,
  /** Counting element CE, 0 to 65536. */
  element: upTo(0x1_0000),
  /** The count in force (modes 2, 3), 1 to 65536. */
  period: range(1, 0x1_0000),
  /** Output latch OL. */
  latch: u16,
  countLatched: flag,
  statusLatch: u8,
  statusLatched: flag,
});

/** Binary value of four BCD digits; digits above 9 count as what they are, modulo 10,000. */
const fromBcd = (value: number): number => ((value >> 12) * 1000 + (value >> 8 & 15) * 100 + (value >> 4 & 15) * 10 + (value & 15)) % 10_000;
const toBcd = (value: number): number => Math.floor(value / 1000) << 12 | Math.floor(value / 100) % 10 << 8 | Math.floor(value / 10) % 10 << 4 | value % 10;

export class I8254Counter implements Snapshotable {
  static readonly SHAPE = SHAPE;
  readonly #name: string;
  readonly #state = zeroState(SHAPE);
  readonly #output: (level: boolean) => void;

  constructor(name: string, output: (level: boolean) => void) {
    this.#name = name;
    this.#output = output;
    this.#state.controlWord = RW.LSB_THEN_MSB << 4 | MODE.SQUARE_WAVE << 1;
    this.#state.out = true;
    this.#state.period = this.#state.element = 0x1_0000;
  }

  /** The OUT pin. */
  get output(): boolean {
    return this.#state.out;
  }

  get #mode(): number {
    const mode = this.#state.controlWord >> 1 & 7;
    return mode > 5 ? mode - 4 : mode;
  }

  get #rw(): number {
    return this.#state.controlWord >> 4;
  }

  get #modulus(): number {
    return (this.#state.controlWord & 1) !== 0 ? 10_000 : 0x1_0000;
  }

  get #periodic(): boolean {
    return this.#mode === MODE.RATE_GENERATOR || this.#mode === MODE.SQUARE_WAVE;
  }

  /** A rising GATE starts modes 1 and 5, and their counting does not ask for its level. */
  get #gateTriggered(): boolean {
    return this.#mode === MODE.HARDWARE_RETRIGGERABLE_ONE_SHOT || this.#mode === MODE.HARDWARE_TRIGGERED_STROBE;
  }

  get #strobe(): boolean {
    return this.#mode === MODE.SOFTWARE_TRIGGERED_STROBE || this.#mode === MODE.HARDWARE_TRIGGERED_STROBE;
  }

  /** The low six bits of a control word: RW, M, BCD; or the counter latch command. */
  control(word: number): void {
    const s = this.#state;
    if (word >> 4 === RW.LATCH) {
      this.latchCount();
      return;
    }
    s.controlWord = word;
    s.writeHigh = s.readHigh = s.countLatched = s.statusLatched = false;
    s.armed = s.load = s.counting = s.expired = false;
    s.nullCount = true;
    this.#setOut(this.#mode !== MODE.INTERRUPT_ON_TERMINAL_COUNT);
  }

  /** A byte of the count. */
  write(value: number): void {
    const s = this.#state;
    if (this.#rw === RW.LSB) this.#setCount(value);
    else if (this.#rw === RW.MSB) this.#setCount(value << 8);
    else if (s.writeHigh) {
      s.writeHigh = false;
      this.#setCount(value << 8 | s.lowByte);
    } else {
      s.writeHigh = true;
      s.lowByte = value;
      // "Writing the first byte disables counting. OUT is set low immediately."
      if (this.#mode === MODE.INTERRUPT_ON_TERMINAL_COUNT) {
        s.counting = s.load = false;
        this.#setOut(false);
      }
    }
  }

  #setCount(value: number): void {
    const s = this.#state;
    s.countRegister = value;
    s.armed = s.nullCount = true;
    if (this.#gateTriggered) return;
    if (this.#mode === MODE.INTERRUPT_ON_TERMINAL_COUNT) this.#setOut(false);
    // Modes 2 and 3 take a new count at the end of the cycle, if there is one that ends.
    if (!this.#periodic || !s.counting || s.period < 2) s.load = true;
  }

  /** A byte of the latched status, the latched count, or the counting element as it runs. */
  read(): number {
    const s = this.#state;
    if (s.statusLatched) {
      s.statusLatched = false;
      return s.statusLatch;
    }
    const value = s.countLatched ? s.latch : this.#count();
    if (this.#rw !== RW.LSB_THEN_MSB) {
      s.countLatched = false;
      return this.#rw === RW.LSB ? value & 0xff : value >> 8;
    }
    s.readHigh = !s.readHigh;
    if (s.readHigh) return value & 0xff;
    s.countLatched = false;
    return value >> 8;
  }

  /** "If a counter is latched and then latched again before the count is read, the second command is ignored." */
  latchCount(): void {
    const s = this.#state;
    if (s.countLatched) return;
    s.countLatched = true;
    s.latch = this.#count();
  }

  latchStatus(): void {
    const s = this.#state;
    if (s.statusLatched) return;
    s.statusLatched = true;
    s.statusLatch = (s.out ? STATUS.OUTPUT : 0) | (s.nullCount ? STATUS.NULL_COUNT : 0) | s.controlWord;
  }

  setGate(level: boolean): void {
    const s = this.#state;
    if (level === s.gate) return;
    s.gate = level;
    if (level) {
      // The trigger of modes 1 and 5; modes 2 and 3 are re-synchronised.
      if (s.armed && (this.#gateTriggered || this.#periodic)) s.load = true;
    } else if (this.#periodic) {
      this.#setOut(true);
    }
  }

  /** Brings the counter to CLK pulse `tick`. */
  advance(tick: number): void {
    const s = this.#state;
    while (s.tick < tick) {
      const change = this.#untilChange();
      const span = tick - s.tick;
      if (change > span) {
        this.#countDown(span);
        s.tick = tick;
        return;
      }
      s.tick += change;
      if (this.#change(change)) this.#skipPeriods(tick);
    }
  }

  /** The CLK pulse at which OUT or the load state changes next, or Infinity. */
  nextChange(): number {
    return this.#state.tick + this.#untilChange();
  }

  get #frozen(): boolean {
    const s = this.#state;
    return !s.counting || (!s.gate && !this.#gateTriggered);
  }

  /** CLK pulses until something other than counting down happens; at least 1. */
  #untilChange(): number {
    const s = this.#state;
    if (s.load) return 1;
    if (this.#strobe && s.counting && s.expired && !s.out) return 1;
    if (this.#frozen) return Infinity;
    if (this.#mode === MODE.RATE_GENERATOR) return s.period < 2 ? Infinity : s.out ? Math.max(1, s.element - 1) : 1;
    // Square wave: by twos; an odd count was loaded less one, and its high half lasts one CLK longer.
    if (this.#mode === MODE.SQUARE_WAVE) return s.period < 2 ? Infinity : Math.max(1, (s.element >> 1) + (s.period % 2 !== 0 && s.out ? 1 : 0));
    return s.expired ? Infinity : s.element;
  }

  /** What happens `after` CLK pulses from where the counter stood: the change found by untilChange. True when a new period begins. */
  #change(after: number): boolean {
    const s = this.#state;
    if (s.load) {
      this.#load();
      return false;
    }
    if (this.#mode === MODE.RATE_GENERATOR) {
      if (s.out) {
        s.element = 1;
        this.#setOut(false);
        return false;
      }
      this.#reload();
      this.#setOut(true);
      return !s.nullCount;
    }
    if (this.#mode === MODE.SQUARE_WAVE) {
      this.#reload();
      this.#setOut(!s.out || s.period < 2);
      return s.out;
    }
    if (this.#strobe && s.expired) {
      this.#countDown(after);
      this.#setOut(true);
      return false;
    }
    s.element = 0;
    s.expired = true;
    this.#setOut(!this.#strobe);
    return false;
  }

  #load(): void {
    const s = this.#state;
    s.load = false;
    s.counting = true;
    s.expired = false;
    this.#reload();
    if (this.#periodic || this.#strobe) this.#setOut(true);
    else this.#setOut(false);
  }

  /** CR to CE. A count of 0 is the largest there is. */
  #reload(): void {
    const s = this.#state;
    s.nullCount = false;
    s.period = ((s.controlWord & 1) !== 0 ? fromBcd(s.countRegister) : s.countRegister) || this.#modulus;
    s.element = this.#mode === MODE.SQUARE_WAVE ? s.period & ~1 : s.period;
  }

  #countDown(ticks: number): void {
    const s = this.#state;
    if (this.#frozen) return;
    if (this.#periodic && s.period < 2) return; // "A count of 1 is illegal": OUT stays high, nothing moves
    if (this.#mode === MODE.SQUARE_WAVE) s.element = Math.max(0, s.element - 2 * ticks);
    else if (s.expired) s.element = ((s.element - ticks) % this.#modulus + this.#modulus) % this.#modulus;
    else s.element -= ticks;
  }

  /** At the beginning of a period: leaves out the whole periods that fit before `tick`, so that looking is cheap after any time. */
  #skipPeriods(tick: number): void {
    const s = this.#state;
    s.tick += Math.floor((tick - s.tick) / s.period) * s.period;
  }

  /** CE as the processor reads it. */
  #count(): number {
    const value = this.#state.element % this.#modulus;
    return (this.#state.controlWord & 1) !== 0 ? toBcd(value) : value;
  }

  #setOut(level: boolean): void {
    if (level === this.#state.out) return;
    this.#state.out = level;
    this.#output(level);
  }

  snapshot(): unknown {
    return copyState(SHAPE, this.#state, this.#name);
  }

  restore(snapshot: unknown): void {
    Object.assign(this.#state, copyState(SHAPE, snapshot, this.#name));
  }
}
