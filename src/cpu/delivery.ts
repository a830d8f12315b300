/**
 * Delivery of exceptions and interrupts through the IDT, the double-fault rules, and the record of deliveries that failed.
 * The frame itself is built in interrupt-frame.ts. SDM Vol. 3A, "Interrupt and Exception Handling", "Interrupt 8—Double Fault Exception".
 */
import { joined } from '../state/halves.ts';
import { ACTIVITY, OFFSET } from '../state/layout.ts';
import { PageFault } from '../mmu/page-fault.ts';
import type { Cpu } from './cpu.ts';
import type { ReachedDelivery } from './delivery-progress.ts';
import { DR6, DR7 } from './debug-registers.ts';
import { GuestException, VECTOR } from './exceptions.ts';
import { enterHandler } from './interrupt-frame.ts';

/**
 * What is delivered: a fault (RIP of the instruction, RF pushed as 1), a #DB of an instruction breakpoint (RF as it is), a trap
 * between instructions, an external interrupt, NMI, INT n / INT3 / INTO (checked against the gate's DPL), INT1.
 */
export type DeliveryKind = 'fault' | 'breakpoint' | 'trap' | 'interrupt' | 'nmi' | 'software' | 'INT1';

export interface Interruption {
  readonly vector: number;
  readonly errorCode: number | undefined;
  readonly kind: DeliveryKind;
  /** In words of the manual, for reports. */
  readonly reason: string;
  /** #PF only: what CR2 receives. */
  readonly faultAddress?: bigint;
}

/** An exception or interrupt whose delivery raised another exception. */
export interface FaultRecord extends Interruption {
  readonly rip: bigint;
  readonly cr2: bigint;
  readonly progress: ReachedDelivery;
  /** The exception that the delivery raised. */
  readonly raised: Interruption;
}

const RIP_LOW = OFFSET.rip / 4;

/** #DE #TS #NP #SS #GP. SDM Vol. 3A, "Interrupt and Exception Classes". */
const CONTRIBUTORY: ReadonlySet<number> = new Set([VECTOR.DE, VECTOR.TS, VECTOR.NP, VECTOR.SS, VECTOR.GP, VECTOR.CP]);

/** INT n 13 is no #GP: only exceptions that the processor raised count. */
const isException = (e: Interruption): boolean => e.kind === 'fault' || e.kind === 'breakpoint' || e.kind === 'trap';
const contributes = (e: Interruption): boolean => isException(e) && CONTRIBUTORY.has(e.vector);
const isPageFault = (e: Interruption): boolean => isException(e) && e.vector === VECTOR.PF;

/** What arises when delivering `first` raises `second`. SDM Vol. 3A, "Conditions for Generating a Double Fault". */
function combine(first: Interruption, second: Interruption): Interruption | 'triple fault' {
  if (first.kind === 'fault' && first.vector === VECTOR.DF) return 'triple fault';
  const double = (contributes(first) && contributes(second)) || (isPageFault(first) && (contributes(second) || isPageFault(second)));
  return double ? { vector: VECTOR.DF, errorCode: 0, kind: 'fault', reason: `vector ${second.vector} while delivering vector ${first.vector}` } : second;
}

/** A thrown exception as something to deliver. */
export function asFault(e: unknown): Interruption {
  if (e instanceof PageFault) return { vector: VECTOR.PF, errorCode: e.errorCode, kind: 'fault', reason: 'page fault', faultAddress: e.address };
  if (e instanceof GuestException) {
    return { vector: e.vector, errorCode: e.errorCode, kind: 'fault', reason: e.reason, ...(e.faultAddress === undefined ? {} : { faultAddress: e.faultAddress }) };
  }
  throw e;
}

/** Delivers the fault of the instruction at RIP. */
export function deliverFault(cpu: Cpu, e: GuestException | PageFault): void {
  deliverInterruption(cpu, asFault(e));
}

/**
 * Delivers at RIP until a handler is entered, or a triple fault shuts the processor down. Bounded: each failure is more
 * serious than the one before.
 */
export function deliverInterruption(cpu: Cpu, first: Interruption): void {
  const { state } = cpu;
  state.debugTraps = 0;
  state.interruptShadow = 0;
  cpu.shadow = 0;
  let current = first;
  for (;;) {
    const thrown = attempt(cpu, current, state.u32[RIP_LOW]!, state.u32[RIP_LOW + 1]!);
    if (thrown === undefined) return;
    const record = failed(cpu, current, thrown);
    if (record.raised.faultAddress !== undefined) state.cr2 = record.raised.faultAddress;
    const next = combine(current, record.raised);
    if (next === 'triple fault') {
      state.activity = ACTIVITY.shutdown;
      cpu.attention = true;
      return;
    }
    current = next;
  }
}

/**
 * INT n, INT3, INTO, INT1: delivers with `cpu.nextIp` as the return address and leaves the handler in it. What the
 * delivery raises is thrown: a fault of the INT instruction itself.
 */
export function deliverSoftware(cpu: Cpu, what: Interruption): void {
  const thrown = attempt(cpu, what, cpu.nextHalves[0]!, cpu.nextHalves[1]!);
  if (thrown !== undefined) {
    failed(cpu, what, thrown);
    throw thrown;
  }
  // What the task behind a task gate starts with stays.
  cpu.state.debugTraps &= DR6.BT;
}
/** What a program delivers to itself: see `deliverSoftware`. */
export const software = (vector: number, kind: 'software' | 'INT1', reason: string): Interruption => ({ vector, errorCode: undefined, kind, reason });

/** Notes a delivery that failed. */
function failed(cpu: Cpu, what: Interruption, thrown: unknown): FaultRecord {
  const { state } = cpu;
  const record: FaultRecord = { ...what, rip: state.rip, cr2: state.cr2, progress: cpu.deliveryProgress.reached(), raised: asFault(thrown) };
  cpu.faultChain.push(record);
  return record;
}

/** Delivers once, with a return address in halves. Returns what that raised, if anything. */
function attempt(cpu: Cpu, what: Interruption, returnLow: number, returnHigh: number): unknown {
  const { state, deliveryProgress } = cpu;
  if (what.faultAddress !== undefined) state.cr2 = what.faultAddress;
  cpu.deliveries++;
  cpu.deliveriesInStep++;
  cpu.onException?.(what.vector, what.errorCode, state.cr2, joined(returnLow, returnHigh), what.kind);
  deliveryProgress.begin();
  try {
    enterHandler(cpu, what, returnLow, returnHigh, deliveryProgress);
  } catch (thrown) {
    return thrown;
  }
  if (what.vector === VECTOR.DB && what.kind !== 'software') state.dr7 &= ~DR7.GD;
  state.activity = ACTIVITY.running;
  if (state.monitoredLine !== 0) cpu.mmu.memory.disarmMonitor();
  if (cpu.faultChain.length > 0) cpu.faultChain = [];
  cpu.refresh();
  return undefined;
}
