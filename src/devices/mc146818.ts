/**
 * Motorola MC146818A real-time clock with the PC's 128 bytes of CMOS RAM. It counts on virtual time from a fixed epoch,
 * so every run sees the same dates. Nothing happens between looks: the flags of register C follow from the time that has
 * passed since it was read. Motorola MC146818A data sheet.
 */
import { nextAlarm, type AlarmTime } from './rtc-alarm.ts';
import { array, copyState, flag, range, record, time, u8, upTo, zeroState, type Snapshotable } from './snapshot.ts';
import { Crystal } from './crystal.ts';
import type { PortDevice } from './port-bus.ts';
import type { Clock, ScheduledEvent, Scheduler } from './scheduler.ts';

/** The registers; behind them CMOS RAM. */
const REGISTER = {
  SECONDS: 0, SECONDS_ALARM: 1, MINUTES: 2, MINUTES_ALARM: 3, HOURS: 4, HOURS_ALARM: 5, DAY_OF_WEEK: 6, DATE_OF_MONTH: 7, MONTH: 8, YEAR: 9,
  A: 0x0a, B: 0x0b, C: 0x0c, D: 0x0d,
  /** A PC convention, not the chip's. */
  CENTURY: 0x32,
} as const;
const A = { UIP: 0x80, DIVIDER: 0x70, DIVIDER_RUNNING: 0x20, RATE: 0x0f } as const;
const B = { SET: 0x80, PIE: 0x40, AIE: 0x20, UIE: 0x10, DM: 0x04, HOURS_24: 0x02 } as const;
const C = { IRQF: 0x80, PF: 0x40, AF: 0x20, UF: 0x10 } as const;
const D = { VRT: 0x80 } as const;
const PM = 0x80;
/** UIP goes up 244 us before an update cycle, which takes 1,984 us; the new second is there when it goes down. */
const UPDATE_NANOSECONDS = 2_228_000;
const SECOND = 1_000_000_000;
/** The divider chain's output for periodic interrupts. */
const PERIODIC_CRYSTAL = new Crystal(32_768);

/** Where time is kept: registers that hold no RAM. */
const isTime = (register: number): boolean => register <= REGISTER.YEAR && (register > REGISTER.HOURS_ALARM || register % 2 === 0) || register === REGISTER.CENTURY;

/** Seconds since 1970 within what a Date can hold, with room for virtual time. */
const date = range(-8_000_000_000_000, 8_000_000_000_000);

/** An alarm register; 0xc0 to 0xff are "don't care" codes. */
const anyOr = (value: number, decode: (value: number) => number): number | undefined => ((value & 0xc0) === 0xc0 ? undefined : decode(value));

const SHAPE = record({
  index: upTo(0x7f),
  ram: array(u8, 128),
  /** Seconds since 1970 at virtual time 0, as the guest has set the clock. */
  epoch: date,
  /** The time and date while SET or a stopped divider holds them, in seconds since 1970. */
  held: date,
  holding: flag,
  /** Until when the flags of register C are worked out. */
  flagsAt: time,
  flags: u8,
});

export interface Mc146818Options {
  /** Seconds since 1970, UTC, at virtual time 0. */
  readonly epochSeconds: number;
  readonly interrupt: (level: boolean) => void;
  /** Bit 7 of the index port. */
  readonly nmiMask: (masked: boolean) => void;
}

export class Mc146818 implements PortDevice, Snapshotable {
  readonly name = 'MC146818 real-time clock';
  static readonly INDEX_PORT = 0x70;
  readonly #clock: Clock;
  readonly #event: ScheduledEvent;
  readonly #interrupt: (level: boolean) => void;
  readonly #nmiMask: (masked: boolean) => void;
  readonly #state = zeroState(SHAPE);
  #line = false;

  constructor(scheduler: Scheduler, clock: Clock, options: Mc146818Options) {
    this.#clock = clock;
    this.#interrupt = options.interrupt;
    this.#nmiMask = options.nmiMask;
    this.#event = scheduler.event('mc146818', () => this.#update());
    this.#state.epoch = options.epochSeconds;
    // What firmware leaves: 32,768 Hz time base, 1,024 Hz rate, BCD, 24 hours.
    this.#state.ram[REGISTER.A] = A.DIVIDER_RUNNING | 6;
    this.#state.ram[REGISTER.B] = B.HOURS_24;
  }

  /** CMOS RAM as firmware leaves it, for the board: registers 0x0e to 0x7f except the century. Throws RangeError elsewhere. */
  setRam(register: number, value: number): void {
    if (register <= REGISTER.D || register > 0x7f || register === REGISTER.CENTURY) throw new RangeError(`CMOS register 0x${register.toString(16)} is not RAM`);
    this.#state.ram[register] = value & 0xff;
  }

  readPort(port: number): number {
    return port === Mc146818.INDEX_PORT ? 0xff : this.#read(this.#state.index); // the index is write-only on a PC
  }

  writePort(port: number, _bytes: number, value: number): void {
    if (port === Mc146818.INDEX_PORT) {
      this.#state.index = value & 0x7f;
      this.#nmiMask((value & 0x80) !== 0);
    } else {
      this.#write(this.#state.index, value);
    }
  }

  #read(register: number): number {
    const s = this.#state;
    if (isTime(register)) return this.#timeRegister(register);
    const value = s.ram[register] ?? 0;
    switch (register) {
      case REGISTER.A: return value | (this.#updateInProgress() ? A.UIP : 0);
      case REGISTER.C: return this.#readFlags();
      case REGISTER.D: return D.VRT;
      default: return value;
    }
  }

  #write(register: number, value: number): void {
    const s = this.#state;
    this.#settleFlags();
    if (isTime(register)) this.#setTimeRegister(register, value);
    else if (register === REGISTER.A) this.#reconfigure(REGISTER.A, value & ~A.UIP);
    // "UIE is cleared when SET goes high."
    else if (register === REGISTER.B) this.#reconfigure(REGISTER.B, (value & B.SET) !== 0 ? value & ~B.UIE : value);
    else if (register !== REGISTER.C && register !== REGISTER.D) s.ram[register] = value;
    this.#update();
  }

  /** Registers A and B: they stop and start the clock, and its time must not jump when they do. */
  #reconfigure(register: number, value: number): void {
    const s = this.#state;
    const seconds = this.#seconds();
    s.ram[register] = value;
    const holding = (this.#b & B.SET) !== 0 || (this.#a & A.DIVIDER) !== A.DIVIDER_RUNNING;
    if (holding) s.held = seconds;
    else if (s.holding) s.epoch = seconds - Math.floor(this.#clock() / SECOND);
    s.holding = holding;
  }

  get #a(): number {
    return this.#state.ram[REGISTER.A] ?? 0;
  }

  get #b(): number {
    return this.#state.ram[REGISTER.B] ?? 0;
  }

  /** Seconds since 1970 that the clock shows. */
  #seconds(now = this.#clock()): number {
    const s = this.#state;
    return s.holding ? s.held : s.epoch + Math.floor(now / SECOND);
  }

  #updateInProgress(): boolean {
    return !this.#state.holding && SECOND - this.#clock() % SECOND <= UPDATE_NANOSECONDS;
  }

  #encode(value: number): number {
    return (this.#b & B.DM) !== 0 ? value : Math.floor(value / 10) % 10 << 4 | value % 10;
  }

  #decode(value: number): number {
    return (this.#b & B.DM) !== 0 ? value : (value >> 4) * 10 + (value & 15);
  }

  #encodeHours(hours: number): number {
    return (this.#b & B.HOURS_24) !== 0 ? this.#encode(hours) : this.#encode((hours + 11) % 12 + 1) | (hours >= 12 ? PM : 0);
  }

  #decodeHours(value: number): number {
    return (this.#b & B.HOURS_24) !== 0 ? this.#decode(value) : this.#decode(value & ~PM) % 12 + ((value & PM) !== 0 ? 12 : 0);
  }

  #timeRegister(register: number): number {
    const date = new Date(this.#seconds() * 1000);
    switch (register) {
      case REGISTER.SECONDS: return this.#encode(date.getUTCSeconds());
      case REGISTER.MINUTES: return this.#encode(date.getUTCMinutes());
      case REGISTER.HOURS: return this.#encodeHours(date.getUTCHours());
      case REGISTER.DAY_OF_WEEK: return this.#encode(date.getUTCDay() + 1);
      case REGISTER.DATE_OF_MONTH: return this.#encode(date.getUTCDate());
      case REGISTER.MONTH: return this.#encode(date.getUTCMonth() + 1);
      case REGISTER.YEAR: return this.#encode(date.getUTCFullYear() % 100);
      default: return this.#encode(Math.floor(date.getUTCFullYear() / 100));
    }
  }

  /** Sets one field of the date. Values outside a field's range carry over, as the chip leaves them undefined. */
  #setTimeRegister(register: number, value: number): void {
    const s = this.#state;
    const date = new Date(this.#seconds() * 1000);
    const year = date.getUTCFullYear();
    const decoded = this.#decode(value);
    switch (register) {
      case REGISTER.SECONDS: date.setUTCSeconds(decoded); break;
      case REGISTER.MINUTES: date.setUTCMinutes(decoded); break;
      case REGISTER.HOURS: date.setUTCHours(this.#decodeHours(value)); break;
      case REGISTER.DAY_OF_WEEK: return; // follows from the date
      case REGISTER.DATE_OF_MONTH: date.setUTCDate(decoded); break;
      case REGISTER.MONTH: date.setUTCMonth(decoded - 1); break;
      case REGISTER.YEAR: date.setUTCFullYear(year - year % 100 + decoded); break;
      default: date.setUTCFullYear(decoded * 100 + year % 100);
    }
    const seconds = Math.floor(date.getTime() / 1000);
    if (s.holding) s.held = seconds;
    else s.epoch = seconds - Math.floor(this.#clock() / SECOND);
  }

  /** Period of the periodic interrupt in ticks of 32,768 Hz, or 0 for none. Rates 1 and 2 are those of 8 and 9. */
  get #periodTicks(): number {
    const rate = this.#a & A.RATE;
    if (rate === 0 || (this.#a & A.DIVIDER) !== A.DIVIDER_RUNNING) return 0;
    return 1 << (rate <= 2 ? rate + 6 : rate - 1);
  }

  get #alarm(): AlarmTime {
    const { ram } = this.#state;
    return {
      seconds: anyOr(ram[REGISTER.SECONDS_ALARM] ?? 0, (v) => this.#decode(v)),
      minutes: anyOr(ram[REGISTER.MINUTES_ALARM] ?? 0, (v) => this.#decode(v)),
      hours: anyOr(ram[REGISTER.HOURS_ALARM] ?? 0, (v) => this.#decodeHours(v)),
    };
  }

  /** Virtual time of the first event of each kind after `after`; Infinity if there is none. */
  #nextPeriodic(after: number): number {
    const period = this.#periodTicks;
    return period === 0 ? Infinity : PERIODIC_CRYSTAL.timeOf((Math.floor(PERIODIC_CRYSTAL.ticksAt(after) / period) + 1) * period);
  }

  #nextUpdate(after: number): number {
    return this.#state.holding ? Infinity : (Math.floor(after / SECOND) + 1) * SECOND;
  }

  #nextAlarm(after: number): number {
    if (this.#state.holding) return Infinity;
    const shown = this.#seconds(after);
    const wait = nextAlarm(((shown % 86_400) + 86_400) % 86_400, this.#alarm);
    return (Math.floor(after / SECOND) + wait) * SECOND;
  }

  /** Works register C out up to now. */
  #settleFlags(): void {
    const s = this.#state;
    const now = this.#clock();
    if (this.#nextPeriodic(s.flagsAt) <= now) s.flags |= C.PF;
    if (this.#nextUpdate(s.flagsAt) <= now) s.flags |= C.UF;
    if (this.#nextAlarm(s.flagsAt) <= now) s.flags |= C.AF;
    s.flagsAt = Math.max(s.flagsAt, now);
  }

  #requested(): boolean {
    return (this.#state.flags & this.#b & (C.PF | C.AF | C.UF)) !== 0;
  }

  #readFlags(): number {
    const s = this.#state;
    this.#settleFlags();
    const value = s.flags | (this.#requested() ? C.IRQF : 0);
    s.flags = 0;
    this.#update();
    return value;
  }

  /** Sets the line, and arms the next enabled cause. While the line is up nothing more can happen: the guest must read register C first. */
  #update(): void {
    this.#settleFlags();
    const line = this.#requested();
    const now = this.#state.flagsAt;
    if (line) this.#event.cancel();
    else {
      this.#event.schedule(Math.min(
        (this.#b & B.PIE) !== 0 ? this.#nextPeriodic(now) : Infinity,
        (this.#b & B.UIE) !== 0 ? this.#nextUpdate(now) : Infinity,
        (this.#b & B.AIE) !== 0 ? this.#nextAlarm(now) : Infinity,
      ));
    }
    if (line === this.#line) return;
    this.#line = line;
    this.#interrupt(line);
  }

  snapshot(): unknown {
    return copyState(SHAPE, this.#state, 'mc146818');
  }

  restore(snapshot: unknown): void {
    Object.assign(this.#state, copyState(SHAPE, snapshot, 'mc146818'));
    this.#line = this.#requested();
  }
}
