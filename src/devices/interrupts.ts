/**
 * From IRQ lines to the processor's INTR: the PIC pair and the I/O APIC see the same lines, the PIC's INT is the local
 * APIC's LINT0, and the local APIC decides. Intel MultiProcessor Specification, "Virtual Wire Mode".
 */
import { I8259Pair } from './i8259.ts';
import { IoApic } from './io-apic.ts';
import { LocalApic } from './local-apic.ts';
import type { Snapshotable } from './snapshot.ts';
import { copyState, flag, record, zeroState } from './snapshot.ts';
import type { Clock, Scheduler } from './scheduler.ts';

/** ISA interrupt numbers of the board's devices. */
export const IRQ = { TIMER: 0, KEYBOARD: 1, COM2: 3, COM1: 4, RTC: 8, SCI: 9, MOUSE: 12, NUMERIC_ERROR: 13 } as const;
/** IRQ 0 arrives at I/O APIC pin 2 on every PC: pin 0 was left for the PIC. */
const TIMER_PIN = 2;
const pinOf = (irq: number): number => (irq === IRQ.TIMER ? TIMER_PIN : irq);

export interface InterruptOptions {
  readonly scheduler: Scheduler;
  readonly clock: Clock;
  /** requested() has changed. */
  readonly onChange: () => void;
  readonly onNmi: () => void;
  readonly onInit: () => void;
  readonly onTaskPriority: (cr8: number) => void;
  readonly onUnimplemented: (what: string) => void;
  /** The local APIC's timer has the TSC-deadline mode. */
  readonly tscDeadline: boolean;
}

const SHAPE = record({ nmiMasked: flag, nmiLine: flag });

export class Interrupts implements Snapshotable {
  readonly pic: I8259Pair;
  readonly localApic: LocalApic;
  readonly ioApic: IoApic;
  readonly #onChange: () => void;
  readonly #state = zeroState(SHAPE);
  #requested = false;

  constructor(options: InterruptOptions) {
    this.#onChange = options.onChange;
    this.pic = new I8259Pair((level) => this.localApic.setLint(0, level));
    this.ioApic = new IoApic({ deliver: (message) => this.localApic.deliver(message), unimplemented: options.onUnimplemented });
    this.localApic = new LocalApic(options.scheduler, options.clock, {
      changed: () => this.#update(),
      nmi: options.onNmi,
      init: options.onInit,
      endOfInterrupt: (vector) => this.ioApic.endOfInterrupt(vector),
      taskPriority: options.onTaskPriority,
      unimplemented: options.onUnimplemented,
    }, options.tscDeadline);
  }

  /** Whether the PICs or the I/O APIC would act on this line; if not, nobody can tell when it changes. */
  listens(irq: number): boolean {
    const chip = irq >= 8 ? this.pic.slave : this.pic.master;
    return (chip.mask & 1 << (irq & 7)) === 0 || !this.ioApic.masked(pinOf(irq));
  }

  /** An ISA interrupt line, 0-15. */
  setIrq(irq: number, asserted: boolean): void {
    this.pic.setIrq(irq, asserted);
    this.ioApic.setPin(pinOf(irq), asserted);
  }

  /** Whether INTR is asserted. Cheap: the answer is kept up to date. */
  requested(): boolean {
    return this.#requested;
  }

  /** INTA: the vector, which is in service from now on. A request that has gone gives the spurious vector of whoever made it. */
  acknowledge(): number {
    const vector = this.localApic.acknowledge();
    if (vector !== undefined) return vector;
    return this.localApic.externalRequested() || !this.localApic.globallyEnabled ? this.pic.acknowledge() : this.localApic.spuriousVector;
  }

  /** The board's NMI line (parity error, a button): LINT1 unless port 0x70 masks it. */
  setNmi(asserted: boolean): void {
    this.#state.nmiLine = asserted;
    this.#updateNmi();
  }

  /** Bit 7 of port 0x70. */
  setNmiMask(masked: boolean): void {
    this.#state.nmiMasked = masked;
    this.#updateNmi();
  }

  #updateNmi(): void {
    this.localApic.setLint(1, this.#state.nmiLine && !this.#state.nmiMasked);
  }

  #update(): void {
    const requested = this.localApic.interruptRequested();
    if (requested === this.#requested) return;
    this.#requested = requested;
    this.#onChange();
  }

  snapshot(): unknown {
    return { board: copyState(SHAPE, this.#state, 'interrupts'), pic: this.pic.snapshot(), localApic: this.localApic.snapshot(), ioApic: this.ioApic.snapshot() };
  }

  restore(snapshot: unknown): void {
    const { board } = copyState(record({ board: SHAPE }), snapshot, 'interrupts');
    const parts = snapshot as Record<'pic' | 'localApic' | 'ioApic', unknown>;
    this.pic.restore(parts.pic);
    this.localApic.restore(parts.localApic);
    this.ioApic.restore(parts.ioApic);
    Object.assign(this.#state, board);
    this.#requested = this.localApic.interruptRequested();
  }
}
