/**
 * What is mapped: the paging structures from the root down, and the linear addresses that they give a meaning, as ranges. Each entry is what the
 * explained walk of its first address says it is; nothing is changed.
 */
import type { Machine } from '../machine/machine.ts';
import type { WalkLevel } from '../mmu/explain.ts';
import { isLongPaging, type PagingMode } from '../mmu/paging-mode.ts';
import { linear } from '../state/addresses.ts';

/** Bits of the linear address below the index, by depth from the root. */
const SHIFTS: Readonly<Record<PagingMode, readonly number[]>> = { 'none': [], '32-bit': [22, 12], 'PAE': [30, 21, 12], '4-level': [39, 30, 21, 12], '5-level': [48, 39, 30, 21, 12] };

/** An entry that is present, and the first linear address that goes through it. */
export interface StructureEntry extends WalkLevel { readonly from: bigint; readonly bytes: bigint }

/** The present entries of the structure that the walk of `base` comes to after `depth` entries; depth 0 is the root. */
export function* entriesOf(machine: Machine, base: bigint, depth: number): Generator<StructureEntry, void> {
  const { mmu, memory } = machine;
  const root = mmu.explain(linear(base));
  const shift = SHIFTS[root.mode][depth], above = root.levels[depth - 1];
  if (shift === undefined || (depth > 0 && (above === undefined || above.maps || (above.value & 1n) === 0n))) return;
  const entryBytes = root.mode === '32-bit' ? 4 : 8, first = root.levels[depth];
  const count = root.mode === 'PAE' && depth === 0 ? 4 : 4096 / entryBytes;
  const table = first?.entryAddress === undefined ? undefined : first.entryAddress - first.index * entryBytes;
  const start = base & ~((BigInt(count) << BigInt(shift)) - 1n);
  for (let index = 0; index < count; index++) {
    if (table !== undefined && (memory.peek32(memory.throughA20(table + index * entryBytes)) & 1) === 0) continue;
    let from = start + (BigInt(index) << BigInt(shift));
    if (isLongPaging(root.mode)) from = BigInt.asUintN(64, BigInt.asIntN(machine.cpu.linearWidth, from));
    const level = mmu.explain(linear(from)).levels[depth];
    if (level !== undefined && (level.value & 1n) !== 0n) yield { ...level, from, bytes: 1n << BigInt(shift) };
  }
}

/** Linear addresses that follow each other, and whose frames do, with the same rights and page size. */
export interface MappedRange {
  readonly from: bigint;
  bytes: bigint;
  readonly physical: number;
  readonly pageSize: string;
  readonly writable: boolean;
  readonly executable: boolean;
  readonly user: boolean;
  readonly global: boolean;
}

export interface AddressSpace {
  readonly mode: PagingMode;
  readonly ranges: readonly MappedRange[];
  /** There is more than was looked at. */
  readonly truncated: boolean;
}

/** Entries that are looked at, and ranges that are made, at most: a guest may map every page to the same frame. */
const MOST_ENTRIES = 60_000, MOST_RANGES = 4000;

export function addressSpace(machine: Machine): AddressSpace {
  const { mode } = machine.mmu.explain(linear(0n));
  const ranges: MappedRange[] = [];
  let looked = 0;
  const visit = (base: bigint, depth: number): boolean => {
    for (const entry of entriesOf(machine, base, depth)) {
      if (++looked > MOST_ENTRIES) return false;
      if (!entry.maps) {
        if (!visit(entry.from, depth + 1)) return false;
        continue;
      }
      const { rights, physicalAddress, pageSize } = machine.mmu.explain(linear(entry.from));
      if (rights === undefined || physicalAddress === undefined || pageSize === undefined) continue;
      const { writable, user, global } = rights, executable = !rights.executeDisable, last = ranges.at(-1);
      if (last !== undefined && last.from + last.bytes === entry.from && last.physical + Number(last.bytes) === physicalAddress && last.pageSize === pageSize
        && last.writable === writable && last.user === user && last.global === global && last.executable === executable) last.bytes += entry.bytes;
      else if (ranges.length >= MOST_RANGES) return false;
      else ranges.push({ from: entry.from, bytes: entry.bytes, physical: physicalAddress, pageSize, writable, executable, user, global });
    }
    return true;
  };
  const whole = visit(0n, 0);
  return { mode, ranges, truncated: !whole };
}

/** For each range the others that reach the same frames, by their numbers; at most `most` of them. */
export function aliases(ranges: readonly MappedRange[], most = 4): number[][] {
  const order = ranges.map((_, n) => n).sort((a, b) => ranges[a]!.physical - ranges[b]!.physical);
  const found: number[][] = ranges.map(() => []);
  const open: number[] = [];
  for (const n of order) {
    const { physical } = ranges[n]!;
    for (let k = open.length - 1; k >= 0; k--) {
      const m = open[k]!;
      if (ranges[m]!.physical + Number(ranges[m]!.bytes) <= physical) {
        open.splice(k, 1);
        continue;
      }
      if (found[n]!.length < most) found[n]!.push(m);
      if (found[m]!.length < most) found[m]!.push(n);
    }
    // Long lists of ranges that all overlap tell nothing more.
    if (open.length < 64) open.push(n);
  }
  return found;
}
