/** Bytes of memory as far as they can be read without side effects. */
import type { Machine } from '../../machine/machine.ts';
import type { MemoryData, Requests } from '../messages.ts';

export function memoryView(machine: Machine, { at, bytes, physical }: Requests['memory']['takes']): MemoryData {
  if (!physical) return { at, bytes: machine.readLinear(at, bytes), physical };
  const room = BigInt(machine.state.ramBytes) - at;
  return { at, bytes: room <= 0n ? new Uint8Array(0) : machine.readPhysical(Number(at), room < BigInt(bytes) ? Number(room) : bytes), physical };
}
