/** Who wants to see what happens in a machine: debuggers, histories. What they see they may not change. */
import type { CpuObserver, ExceptionObserver } from '../cpu/cpu.ts';

export interface Observer extends Partial<CpuObserver> {
  /** A delivery begins: see ExceptionObserver. */
  readonly exception?: ExceptionObserver;
  /** A byte leaves a serial port (0: COM1, 1: COM2) or the debug console. */
  readonly output?: (port: 0 | 1 | 'debug', byte: number) => void;
  /** IN or OUT has been done. */
  readonly port?: (port: number, bytes: 1 | 2 | 4, value: number, write: boolean) => void;
  /** A TLB has been invalidated, as the guest asked or a control register implied. */
  readonly tlbFlush?: (what: string) => void;
}

/** The observers of one machine. */
export class Observers implements CpuObserver {
  /** Mostly none, and asked all the time: an empty array costs least. */
  #all: readonly Observer[] = [];

  add(observer: Observer): void { if (!this.#all.includes(observer)) this.#all = [...this.#all, observer]; }
  remove(observer: Observer): void { this.#all = this.#all.filter((one) => one !== observer); }

  get none(): boolean { return this.#all.length === 0; }

  exception(...what: Parameters<ExceptionObserver>): void { for (const observer of this.#all) observer.exception?.(...what); }
  output(port: 0 | 1 | 'debug', byte: number): void { for (const observer of this.#all) observer.output?.(port, byte); }
  port(port: number, bytes: 1 | 2 | 4, value: number, write: boolean): void { for (const observer of this.#all) observer.port?.(port, bytes, value, write); }
  controlRegister(number: 0 | 2 | 3 | 4 | 8, value: bigint): void { for (const observer of this.#all) observer.controlRegister?.(number, value); }
  msr(address: number, value: bigint): void { for (const observer of this.#all) observer.msr?.(address, value); }
  refreshed(): void { for (const observer of this.#all) observer.refreshed?.(); }
  tlbFlush(what: string): void { for (const observer of this.#all) observer.tlbFlush?.(what); }
}
