/** How far a delivery of an exception or interrupt came, so that a failure can say where it happened. */
import { joined } from '../state/halves.ts';
import type { Descriptor } from './descriptors.ts';

/** As a report has it. */
export interface ReachedDelivery {
  /** What was being done, in words: "reading IDT gate 14". */
  readonly doing: string;
  readonly gateAddress: bigint | undefined;
  /** The gate's first 8 bytes. */
  readonly gate: bigint | undefined;
  /** The gate's offset: the handler. */
  readonly handler: bigint | undefined;
  /** The selector whose descriptor was read last, and the descriptor. */
  readonly selector: number | undefined;
  readonly descriptor: bigint | undefined;
  /** The stack that the frame was to go to. */
  readonly stackSelector: number | undefined;
  readonly stackPointer: bigint | undefined;
  /** 1-7 where the gate names an interrupt stack table entry. */
  readonly ist: number;
}

/** Places of values, in halves. */
const GATE_ADDRESS = 0, GATE = 1, HANDLER = 2, DESCRIPTOR = 3, STACK_POINTER = 4, VALUES = 5;
const UNKNOWN = -1;
const known = (selector: number): number | undefined => (selector === UNKNOWN ? undefined : selector);

/** Filled in step by step. One serves all deliveries, one after the other; it is cheap as long as nothing fails. */
export class DeliveryProgress {
  /** In words; `#` stands for the number. */
  #doing = '';
  #number = 0;
  readonly #wide = new BigUint64Array(VALUES);
  readonly #halves = new Uint32Array(this.#wide.buffer);
  /** A bit for each value that is known. */
  #known = 0;
  #selector = UNKNOWN;
  #stackSelector = UNKNOWN;
  ist = 0;

  begin(): void {
    this.#doing = '';
    this.#known = 0;
    this.#selector = UNKNOWN;
    this.#stackSelector = UNKNOWN;
    this.ist = 0;
  }

  /** Notes what is being done, in words; `#` in them stands for the number. */
  at(doing: string, number = 0): void {
    this.#doing = doing;
    this.#number = number;
  }
  gateAt(low: number, high: number): void { this.#set(GATE_ADDRESS, low, high); }
  gateIs({ low, high }: Pick<Descriptor, 'low' | 'high'>): void { this.#set(GATE, low, high); }
  handlerIs(low: number, high: number): void { this.#set(HANDLER, low, high); }
  selectorIs(selector: number): void { this.#selector = selector; }
  descriptorIs({ low, high }: Descriptor): void { this.#set(DESCRIPTOR, low, high); }
  stackIs(selector: number, low: number, high: number): void {
    this.#stackSelector = selector;
    this.#set(STACK_POINTER, low, high);
  }

  #set(place: number, low: number, high: number): void {
    this.#known |= 1 << place;
    this.#halves[2 * place] = low;
    this.#halves[2 * place + 1] = high;
  }
  #value(place: number): bigint | undefined { return (this.#known & (1 << place)) === 0 ? undefined : joined(this.#halves[2 * place]!, this.#halves[2 * place + 1]!); }

  reached(): ReachedDelivery {
    return {
      doing: this.#doing.replaceAll('#', String(this.#number)),
      gateAddress: this.#value(GATE_ADDRESS), gate: this.#value(GATE), handler: this.#value(HANDLER),
      selector: known(this.#selector), descriptor: this.#value(DESCRIPTOR),
      stackSelector: known(this.#stackSelector), stackPointer: this.#value(STACK_POINTER), ist: this.ist,
    };
  }
}
