/** Who wants to see what happens in a machine: debuggers, histories. What they see they may not change. */
import type { ExceptionObserver } from '../cpu/cpu.ts';

export interface Observer {
  /** A delivery begins: see ExceptionObserver. */
  readonly exception?: ExceptionObserver;
  /** A byte leaves a serial port (0: COM1, 1: COM2) or the debug console. */
  readonly output?: (port: 0 | 1 | 'debug', byte: number) => void;
}

/** The observers of one machine. */
export class Observers {
  readonly #all = new Set<Observer>();

  add(observer: Observer): void { this.#all.add(observer); }
  remove(observer: Observer): void { this.#all.delete(observer); }

  exception(...what: Parameters<ExceptionObserver>): void { for (const observer of this.#all) observer.exception?.(...what); }
  output(port: 0 | 1 | 'debug', byte: number): void { for (const observer of this.#all) observer.output?.(port, byte); }
}
