/**
 * The symbols of the image that a machine was loaded with, wherever its code runs. A kernel that is linked high runs where it was loaded until it has turned paging
 * on, and may map itself there afterwards: what no symbol names is named by the bytes of the image that lie there.
 */
import type { Machine } from '../machine/machine.ts';
import { linear } from '../state/addresses.ts';
import { SymbolTable } from './symbols.ts';

export function imageSymbols(machine: Machine): SymbolTable {
  const { symbols = [], linked = [] } = machine.boot ?? {};
  const moved = linked.flatMap(({ physicalAddress, linearAddress, memoryBytes }) =>
    (linearAddress === BigInt(physicalAddress) ? [] : [{ from: physicalAddress, end: physicalAddress + memoryBytes, linearAddress }]));
  if (moved.length === 0) return new SymbolTable(symbols);
  return new SymbolTable(symbols, {
    linked: (address) => {
      const at = machine.readLinear(address, 1).length === 0 ? undefined : machine.mmu.explain(linear(address)).physicalAddress;
      const segment = at === undefined ? undefined : moved.find(({ from, end }) => at >= from && at < end);
      return segment === undefined ? undefined : segment.linearAddress + BigInt(at! - segment.from);
    },
    loaded: (address) => {
      const segment = moved.find(({ from, end, linearAddress }) => address >= linearAddress && address < linearAddress + BigInt(end - from));
      return segment === undefined ? undefined : BigInt(segment.from) + (address - segment.linearAddress);
    },
  });
}
