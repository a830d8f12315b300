/** Intel 82093AA I/O APIC: 24 pins, each with a redirection entry. Intel 82093AA data sheet (order number 290566). */
import type { MmioDevice } from '../mmu/physical-memory.ts';
import { DELIVERY, type ApicMessage } from './local-apic.ts';
import { array, bits, copyState, record, u32, u8, zeroState, type Snapshotable } from './snapshot.ts';

export const IO_APIC_BASE = 0xfec0_0000;
export const IO_APIC_BYTES = 0x1000;
const PINS = 24;

/** The two registers in memory, through which all others are reached. */
const MEMORY = { IOREGSEL: 0x00, IOWIN: 0x10 } as const;
/** Indices for IOREGSEL. */
const REGISTER = { IOAPICID: 0x00, IOAPICVER: 0x01, IOAPICARB: 0x02, IOREDTBL: 0x10 } as const;
/** APIC version 0x11, maximum redirection entry 23. */
const VERSION = 0x0017_0011;
/** Low half of a redirection entry; bits 63:56 are the destination. Delivery status (12) and remote IRR (14) are read-only. */
const ENTRY = { VECTOR: 0xff, DELIVERY_SHIFT: 8, LOGICAL: 0x800, REMOTE_IRR: 0x4000, LEVEL: 0x8000, MASKED: 0x1_0000, WRITABLE: 0x1_afff } as const;

const SHAPE = record({
  select: u8,
  id: bits(4),
  lines: bits(PINS),
  low: array(u32, PINS),
  destination: array(u8, PINS),
});

export interface IoApicSignals {
  /** A message for the local APIC. */
  readonly deliver: (message: ApicMessage) => void;
  readonly unimplemented: (what: string) => void;
}

export class IoApic implements MmioDevice, Snapshotable {
  readonly name = 'I/O APIC';
  readonly #signals: IoApicSignals;
  readonly #state = zeroState(SHAPE);

  constructor(signals: IoApicSignals) {
    this.#signals = signals;
    this.#state.low.fill(ENTRY.MASKED);
  }

  /** `asserted` is the request, whatever polarity the entry gives the wire: the board's interrupt sources are not wires. */
  setPin(pin: number, asserted: boolean): void {
    const s = this.#state;
    const was = (s.lines & 1 << pin) !== 0;
    s.lines = asserted ? s.lines | 1 << pin : s.lines & ~(1 << pin);
    const low = s.low[pin] ?? ENTRY.MASKED;
    if (!asserted || (low & ENTRY.MASKED) !== 0) return; // "edge-sensitive interrupts signaled on a masked pin are ignored"
    if ((low & ENTRY.LEVEL) !== 0) this.#deliverLevel(pin);
    else if (!was) this.#send(pin, low);
  }

  masked(pin: number): boolean {
    return ((this.#state.low[pin] ?? ENTRY.MASKED) & ENTRY.MASKED) !== 0;
  }

  /** The EOI message of a local APIC: ends level-triggered interrupts of this vector. */
  endOfInterrupt(vector: number): void {
    const s = this.#state;
    for (let pin = 0; pin < PINS; pin++) {
      const low = s.low[pin] ?? 0;
      if ((low & ENTRY.REMOTE_IRR) === 0 || (low & ENTRY.VECTOR) !== vector) continue;
      s.low[pin] = low & ~ENTRY.REMOTE_IRR;
      this.#deliverLevel(pin);
    }
  }

  read(offset: number, bytes: number): number {
    const s = this.#state;
    if (offset === MEMORY.IOREGSEL) return s.select;
    if (offset !== MEMORY.IOWIN || bytes !== 4) return 0;
    const entry = s.select - REGISTER.IOREDTBL;
    if (entry >= 0 && entry < 2 * PINS) return (entry & 1) !== 0 ? (s.destination[entry >> 1] ?? 0) * 0x100_0000 : s.low[entry >> 1] ?? 0;
    switch (s.select) {
      case REGISTER.IOAPICID: case REGISTER.IOAPICARB: return s.id << 24;
      case REGISTER.IOAPICVER: return VERSION;
      default: return 0;
    }
  }

  write(offset: number, bytes: number, value: number): void {
    const s = this.#state;
    if (offset === MEMORY.IOREGSEL) s.select = value & 0xff;
    else if (offset === MEMORY.IOWIN && bytes === 4) this.#writeWindow(value >>> 0);
  }

  #writeWindow(value: number): void {
    const s = this.#state;
    const entry = s.select - REGISTER.IOREDTBL;
    if (s.select === REGISTER.IOAPICID) s.id = value >>> 24 & 15;
    if (entry < 0 || entry >= 2 * PINS) return;
    const pin = entry >> 1;
    if ((entry & 1) !== 0) {
      s.destination[pin] = value >>> 24;
      return;
    }
    // Remote IRR is "undefined for edge triggered interrupts"; drivers switch to edge and back to clear it.
    const remote = (value & ENTRY.LEVEL) !== 0 ? (s.low[pin] ?? 0) & ENTRY.REMOTE_IRR : 0;
    s.low[pin] = value & ENTRY.WRITABLE | remote;
    this.#deliverLevel(pin);
  }

  /** Sends a level-triggered pin's message if it is asserted, not masked, and not being served. */
  #deliverLevel(pin: number): void {
    const s = this.#state;
    const low = s.low[pin] ?? 0;
    if ((s.lines & 1 << pin) === 0 || (low & ENTRY.LEVEL) === 0 || (low & (ENTRY.MASKED | ENTRY.REMOTE_IRR)) !== 0) return;
    s.low[pin] = low | ENTRY.REMOTE_IRR;
    this.#send(pin, low);
  }

  #send(pin: number, low: number): void {
    const delivery = low >> ENTRY.DELIVERY_SHIFT & 7;
    if (delivery === DELIVERY.EXTINT) {
      this.#signals.unimplemented('I/O APIC redirection entry in ExtINT mode');
      return;
    }
    this.#signals.deliver({
      vector: low & ENTRY.VECTOR,
      delivery,
      level: (low & ENTRY.LEVEL) !== 0,
      destination: this.#state.destination[pin] ?? 0,
      logical: (low & ENTRY.LOGICAL) !== 0,
    });
  }

  snapshot(): unknown {
    return copyState(SHAPE, this.#state, 'ioApic');
  }

  restore(snapshot: unknown): void {
    Object.assign(this.#state, copyState(SHAPE, snapshot, 'ioApic'));
  }
}
