/** Interrupts and exceptions of real-address mode. SDM Vol. 3B, "Interrupt and Exception Handling" of "8086 Emulation". */
import { SEGMENT } from '../state/layout.ts';
import type { Cpu } from './cpu.ts';
import type { DeliveryProgress, Interruption } from './delivery.ts';
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
export function enterRealHandler(cpu: Cpu, { vector }: Interruption, returnIp: bigint, progress: DeliveryProgress): void {
  const { state } = cpu;
  progress.doing = `reading entry ${vector} of the interrupt vector table`;
  if (vector * VECTOR_BYTES + VECTOR_BYTES - 1 > state.idtrLimit) throw GP(0, 'vector beyond the limit of the interrupt vector table');
  progress.gateAddress = tableAddress(cpu, state.idtrBase, vector * VECTOR_BYTES);
  const entry = cpu.mmu.load(tableAddress(cpu, state.idtrBase, vector * VECTOR_BYTES), VECTOR_BYTES, 'implicit-supervisor', false);
  progress.gate = entry;
  const offset = progress.handler = entry & 0xffffn;
  const selector = progress.selector = Number(entry >> 16n);

  const stack = Stack.current(cpu);
  progress.doing = 'pushing the frame';
  progress.stackSelector = state.selector[SEGMENT.SS]!;
  progress.stackPointer = stack.pointer;
  const flags = readRflags(state);
  for (const value of [BigInt(flags), BigInt(state.selector[SEGMENT.CS]!), returnIp]) stack.push(16, value);
  stack.commit();
  cpu.setSegment(SEGMENT.CS, realSegment(cpu, SEGMENT.CS, selector));
  writeRflags(state, flags & ~(RFLAGS.IF | RFLAGS.TF | RFLAGS.AC | RFLAGS.RF));
  state.rip = cpu.nextIp = offset;
}
