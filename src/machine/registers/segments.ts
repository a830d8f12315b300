/** Segment registers with their hidden parts, and the descriptor-table registers. SDM Vol. 3A, "Segment Registers", "Memory-Management Registers". */
import { MSR, writeMsr } from '../../cpu/msr.ts';
import { isCanonical } from '../../state/addresses.ts';
import { type CachedSegment } from '../../cpu/segmentation.ts';
import type { Machine } from '../machine.ts';
import type { MachineRegister } from './register.ts';
import { checkSegment, segmentOf } from './segment-rules.ts';

const SEGMENTS = ['es', 'cs', 'ss', 'ds', 'fs', 'gs', 'ldtr', 'tr'];
const FS_BASE_MSRS: Readonly<Record<string, number>> = { fs: MSR.FS_BASE, gs: MSR.GS_BASE };

function put(machine: Machine, n: number, to: CachedSegment): void {
  checkSegment(machine, n, to);
  machine.cpu.setSegment(n, to);
  machine.cpu.refresh();
}

export function* segmentRegisters(): Generator<MachineRegister> {
  for (const [n, name] of SEGMENTS.entries()) {
    const change = (machine: Machine, part: Partial<CachedSegment>): void => { put(machine, n, { ...machine.cpu.segment(n), ...part }); };
    const baseMsr = FS_BASE_MSRS[name];
    yield { name, bits: 16, read: ({ state }) => BigInt(state.selector[n]!), write: (machine, value) => { put(machine, n, segmentOf(machine, n, Number(value))); } };
    yield {
      name: `${name}_base`, bits: 64, read: ({ state }) => state.base[n]!,
      write: baseMsr === undefined ? (machine, base) => { change(machine, { base }); } : ({ cpu }, base) => { writeMsr(cpu, baseMsr, base); },
    };
    yield { name: `${name}_limit`, bits: 32, read: ({ state }) => BigInt(state.limit[n]!), write: (machine, value) => { change(machine, { limit: Number(value) }); } };
    yield { name: `${name}_attributes`, bits: 32, read: ({ state }) => BigInt(state.attributes[n]!), write: (machine, value) => { change(machine, { attributes: Number(value) }); } };
  }
  for (const name of ['gdtr', 'idtr'] as const) {
    yield {
      name: `${name}_base`, bits: 64, read: ({ state }) => state[`${name}Base`],
      write: ({ state, cpu }, value) => {
        if (!isCanonical(value, cpu.widestLinear)) throw new RangeError('the base is not canonical');
        state[`${name}Base`] = value;
      },
    };
    yield { name: `${name}_limit`, bits: 16, read: ({ state }) => BigInt(state[`${name}Limit`]), write: ({ state }, value) => { state[`${name}Limit`] = Number(value); } };
  }
}
