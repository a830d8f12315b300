/**
 * ACPI fixed hardware at the PIIX4's usual place: PM1 event and control registers and the power management timer.
 * ACPI Specification, "ACPI Hardware Specification"; Intel 82371AB (PIIX4) data sheet, "Power Management".
 */
import { Crystal } from './crystal.ts';
import { copyState, record, time, u16, zeroState, type Snapshotable } from './snapshot.ts';
import type { AccessBytes, PortDevice } from './port-bus.ts';
import type { Clock, ScheduledEvent, Scheduler } from './scheduler.ts';

export const PM_BASE = 0x600;
export const PM_PORTS = 12;
const REGISTER = { PM1_STS: 0, PM1_EN: 2, PM1_CNT: 4, PM_TMR: 8 } as const;
/** Bits of PM1_STS and PM1_EN. */
const PM1 = { TMR: 0x0001, GBL: 0x0020, PWRBTN: 0x0100, RTC: 0x0400, ENABLE_WRITABLE: 0x0521, STATUS_CLEARABLE: 0x8d31 } as const;
const CNT = { SCI_EN: 0x0001, SLP_TYP_SHIFT: 10, SLP_EN: 0x2000, WRITABLE: 0x1c07 } as const;
/** SLP_TYP of the PIIX4: 0 is soft off; QEMU's firmware tables call 2 (suspend to disk) off as well. */
const POWER_OFF_TYPES: readonly number[] = [0, 2];
/** The timer is 24 bits wide; TMR_STS is set when its top bit changes. */
const TIMER_BITS = 24;
const HALF_PERIOD = 2 ** (TIMER_BITS - 1);
const PM_CRYSTAL = new Crystal(3_579_545);

/** How often the timer's top bit has changed by virtual time `at`. */
const halves = (at: number): number => Math.floor(PM_CRYSTAL.ticksAt(at) / HALF_PERIOD);

const SHAPE = record({ status: u16, enable: u16, control: u16, statusAt: time });

export interface AcpiPmSignals {
  /** The system control interrupt, IRQ 9. */
  readonly interrupt: (level: boolean) => void;
  readonly powerOff: () => void;
  readonly unimplemented: (what: string) => void;
}

export class AcpiPm implements PortDevice, Snapshotable {
  readonly name = 'ACPI power management';
  readonly portBytes = 4;
  readonly #clock: Clock;
  readonly #signals: AcpiPmSignals;
  readonly #event: ScheduledEvent;
  readonly #state = zeroState(SHAPE);
  #line = false;

  constructor(scheduler: Scheduler, clock: Clock, signals: AcpiPmSignals) {
    this.#clock = clock;
    this.#signals = signals;
    this.#event = scheduler.event('acpiPm', () => this.#update());
    this.#state.control = CNT.SCI_EN; // firmware has switched from SMI to SCI, as the PIIX4 on QEMU has
  }

  /** The host presses the power button. */
  pressPowerButton(): void {
    this.#state.status |= PM1.PWRBTN;
    this.#update();
  }

  readPort(port: number, bytes: AccessBytes): number {
    const offset = port - PM_BASE;
    const word = this.#readDword(offset & ~3);
    return bytes === 4 && (offset & 3) === 0 ? word : word >>> (offset & 3) * 8;
  }

  writePort(port: number, bytes: AccessBytes, value: number): void {
    // Byte by byte, except that the sleep bit counts once the whole access is in.
    for (let i = 0; i < bytes; i++) this.#writeByte(port - PM_BASE + i, value >>> i * 8 & 0xff);
    this.#update();
  }

  #readDword(offset: number): number {
    this.#settle();
    const s = this.#state;
    switch (offset) {
      case REGISTER.PM1_STS: return (s.status | s.enable << 16) >>> 0;
      case REGISTER.PM1_CNT: return s.control;
      case REGISTER.PM_TMR: return PM_CRYSTAL.ticksAt(this.#clock()) % 2 ** TIMER_BITS;
      default: return 0;
    }
  }

  #writeByte(offset: number, value: number): void {
    const s = this.#state;
    const shift = (offset & 1) * 8;
    const replace = (old: number, writable: number): number => old & ~(writable & 0xff << shift) | value << shift & writable;
    switch (offset & ~1) {
      case REGISTER.PM1_STS: // write one to clear
        this.#settle();
        s.status &= ~(value << shift & PM1.STATUS_CLEARABLE);
        return;
      case REGISTER.PM1_EN:
        this.#settle();
        s.enable = replace(s.enable, PM1.ENABLE_WRITABLE);
        return;
      case REGISTER.PM1_CNT:
        s.control = replace(s.control, CNT.WRITABLE);
        if ((value << shift & CNT.SLP_EN) !== 0) this.#sleep(s.control >> CNT.SLP_TYP_SHIFT & 7);
        return;
      default: // the timer is read-only
    }
  }

  #sleep(type: number): void {
    if (POWER_OFF_TYPES.includes(type)) this.#signals.powerOff();
    else this.#signals.unimplemented(`ACPI sleep type ${type}`);
  }

  /** TMR_STS as of now: the timer's top bit has changed since we last looked. */
  #settle(): void {
    const s = this.#state;
    const now = this.#clock();
    if (halves(now) !== halves(s.statusAt)) s.status |= PM1.TMR;
    s.statusAt = now;
  }

  #requested(): boolean {
    const s = this.#state;
    return (s.status & s.enable) !== 0 && (s.control & CNT.SCI_EN) !== 0;
  }

  /** Sets the line. Only an enabled timer interrupt needs an event: every 2.3 virtual seconds. */
  #update(): void {
    this.#settle();
    const s = this.#state;
    if ((s.enable & PM1.TMR) !== 0 && (s.status & PM1.TMR) === 0) {
      this.#event.schedule(PM_CRYSTAL.timeOf((Math.floor(PM_CRYSTAL.ticksAt(s.statusAt) / HALF_PERIOD) + 1) * HALF_PERIOD));
    } else {
      this.#event.cancel();
    }
    const line = this.#requested();
    if (line === this.#line) return;
    this.#line = line;
    this.#signals.interrupt(line);
  }

  snapshot(): unknown {
    return copyState(SHAPE, this.#state, 'acpiPm');
  }

  restore(snapshot: unknown): void {
    Object.assign(this.#state, copyState(SHAPE, snapshot, 'acpiPm'));
    this.#line = this.#requested();
  }
}
