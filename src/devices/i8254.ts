/**
 * Intel 8254 programmable interval timer: the chip's ports and its three counters on a PC's 1.193182 MHz crystal.
 * What one counter does is in i8254-counter.ts. Intel 8254 data sheet (order number 231164).
 */
import { Crystal } from './crystal.ts';
import { I8254Counter } from './i8254-counter.ts';
import { array, copyState, record, type Snapshotable } from './snapshot.ts';
import type { PortDevice } from './port-bus.ts';
import type { Clock, ScheduledEvent, Scheduler } from './scheduler.ts';

/** The PC's timer crystal, 14.31818 MHz divided by 12. */
export const PIT_CRYSTAL = new Crystal(1_193_182);

/** Control word: SC 7:6, RW 5:4, M 3:1, BCD 0. */
const SELECT_READ_BACK = 3;
/** Read-back command: bits 5 and 4 are low-active, bits 3:1 choose the counters. */
const READ_BACK = { COUNT_N: 0x20, STATUS_N: 0x10 } as const;

/** OUT of a counter that nobody listens to. */
const UNHEARD = (): void => {};

const SHAPE = record({ counters: array(I8254Counter.SHAPE, 3) });

export class I8254 implements PortDevice, Snapshotable {
  readonly name = '8254 interval timer';
  static readonly PORT = 0x40;
  readonly #clock: Clock;
  readonly #counters: readonly [I8254Counter, I8254Counter, I8254Counter];
  readonly #edge: ScheduledEvent;
  readonly #heard: () => boolean;

  /**
   * @param output0 the OUT pin of counter 0: IRQ 0.
   * @param heard whether anybody listens to it. While nobody does, no event is armed: an idle machine that masked IRQ 0
   * has nothing to wait for. Whoever looks at IRQ 0 or changes who listens calls catchUp first and listenersChanged after.
   */
  constructor(scheduler: Scheduler, clock: Clock, output0: (level: boolean) => void, heard: () => boolean = () => true) {
    this.#clock = clock;
    this.#heard = heard;
    this.#counters = [new I8254Counter('i8254.0', output0), new I8254Counter('i8254.1', UNHEARD), new I8254Counter('i8254.2', UNHEARD)];
    // Only counter 0 is heard by anybody; the others are worked out when they are read. Its OUT changes at most once per
    // clock, so the guest can ask for 1.2 million events per virtual second and no more.
    this.#edge = scheduler.event('i8254', () => this.#arm(this.#counter(0)));
    for (const counter of this.#counters.slice(0, 2)) counter.setGate(true);
  }

  /** GATE of counter 2: bit 0 of port 0x61. */
  setGate2(level: boolean): void {
    this.#counter(2).setGate(level);
  }

  /** OUT of counter 2: bit 5 of port 0x61 and the speaker. */
  get output2(): boolean {
    return this.#counter(2).output;
  }

  readPort(port: number): number {
    const select = port & 3;
    // "Read from the control word register: no operation": the bus floats.
    return select === SELECT_READ_BACK ? 0xff : this.#counter(select).read();
  }

  writePort(port: number, _bytes: number, value: number): void {
    const select = port & 3;
    if (select === SELECT_READ_BACK) {
      this.#control(value);
      return;
    }
    const counter = this.#counter(select);
    counter.write(value);
    this.#touched(counter);
  }

  #control(value: number): void {
    const select = value >> 6;
    if (select !== SELECT_READ_BACK) {
      const counter = this.#counter(select);
      counter.control(value & 0x3f);
      this.#touched(counter);
      return;
    }
    for (let n = 0; n < 3; n++) {
      if ((value & 2 << n) === 0) continue;
      if ((value & READ_BACK.COUNT_N) === 0) this.#counter(n).latchCount();
      if ((value & READ_BACK.STATUS_N) === 0) this.#counter(n).latchStatus();
    }
  }

  /** The counter as it is now. */
  #counter(n: number): I8254Counter {
    const counter = this.#counters[n as 0 | 1 | 2];
    counter.advance(PIT_CRYSTAL.ticksAt(this.#clock()));
    return counter;
  }

  /** Brings OUT of counter 0 up to date. */
  catchUp(): void {
    this.#counter(0);
  }

  /** The answer of `heard` may have changed. */
  listenersChanged(): void {
    this.#arm(this.#counter(0));
  }

  #touched(counter: I8254Counter): void {
    if (counter === this.#counters[0]) this.#arm(counter);
  }

  #arm(counter0: I8254Counter): void {
    if (this.#heard()) this.#edge.schedule(PIT_CRYSTAL.timeOf(counter0.nextChange()));
    else this.#edge.cancel();
  }

  snapshot(): unknown {
    return { counters: this.#counters.map((counter) => counter.snapshot()) };
  }

  restore(snapshot: unknown): void {
    const { counters } = copyState(SHAPE, snapshot, 'i8254');
    this.#counters.forEach((counter, n) => counter.restore(counters[n]));
  }
}
