/** Interrupts and exceptions of real-address mode. SDM Vol. 3B, "Interrupt and Exception Handling" of "8086 Emulation". */
import { lowOf } from '../state/halves.ts';
import { SEGMENT } from '../state/layout.ts';
import type { Cpu } from './cpu.ts';
import type { Interruption } from './delivery.ts';
import type { DeliveryProgress } from './delivery-progress.ts';
import { tableAddress } from './descriptors.ts';
import { GP } from './exceptions.ts';
import { RFLAGS, readRflags, writeRflags } from './flags.ts';
import { realSegment } from './real-mode.ts';
import { Stack } from './stack.ts';

/** Bytes of an entry: offset, selector. */
const VECTOR_BYTES = 4;

/**
 * Enters a handler of real-address mode: FLAGS, CS and IP on the stack, never an error code. Throws what goes wrong.
 * SDM Vol. 2A, "INT n/INTO/INT3/INT1—Call to Interrupt Procedure", "Real-Address-Mode".
 */
export function enterRealHandler(cpu: Cpu, { vector }: Interruption, returnIp: number, progress: DeliveryProgress): void {
  const { state } = cpu;
  progress.at('reading entry # of the interrupt vector table', vector);
  if (vector * VECTOR_BYTES + VECTOR_BYTES - 1 > state.idtrLimit) throw GP(0, 'vector beyond the limit of the interrupt vector table');
  const at = tableAddress(cpu, state.idtrBase, vector * VECTOR_BYTES);
  progress.gateAt(lowOf(at), 0);
  const entry = Number(cpu.mmu.load(at, VECTOR_BYTES, 'implicit-supervisor', false));
  const offset = entry & 0xffff, selector = entry >>> 16;
  progress.gateIs({ low: entry, high: 0 });
  progress.handlerIs(offset, 0);
  progress.selectorIs(selector);

  const stack = Stack.current(cpu);
  progress.at('pushing the frame');
  progress.stackIs(state.selector[SEGMENT.SS]!, lowOf(stack.pointer), 0);
  const flags = readRflags(state);
  for (const value of [flags, state.selector[SEGMENT.CS]!, returnIp]) stack.pushHalves(16, value);
  stack.commit();
  cpu.setSegment(SEGMENT.CS, realSegment(cpu, SEGMENT.CS, selector));
  writeRflags(state, flags & ~(RFLAGS.IF | RFLAGS.TF | RFLAGS.AC | RFLAGS.RF));
  state.rip = cpu.nextIp = BigInt(offset);
}
