/** Paging as the page shows it: walks, the tree of structures, the map, the TLBs beside what the structures say now. */
import { addressSpace, aliases, entriesOf, type MappedRange } from '../../debug/address-space.ts';
import { PAGING_TEXT } from '../../debug/mode.ts';
import { keyText, raises } from '../../debug/page-fault.ts';
import type { SymbolTable } from '../../debug/symbols.ts';
import type { Machine } from '../../machine/machine.ts';
import type { WalkLevel } from '../../mmu/explain.ts';
import { pageOf } from '../../mmu/tlb.ts';
import { PAGE_SIZES } from '../../mmu/paging-entries.ts';
import { CR4 } from '../../mmu/control-bits.ts';
import { isLongPaging, type PagingMode } from '../../mmu/paging-mode.ts';
import { linear } from '../../state/addresses.ts';
import type { EntryData, MapData, Requests, TlbData, WalkData } from '../messages.ts';

const DENIALS: Readonly<Record<string, string>> = {
  'supervisor page': 'a supervisor page', 'read-only page': 'the page is read-only', 'execute-disable': 'execute-disable', 'protection key': 'PKRU forbids it', 'SMEP': 'a user page, and CR4.SMEP is on', 'SMAP': 'a user page, CR4.SMAP is on and RFLAGS.AC is 0',
};
/** Widths of the indexes in the address, from the top. */
const INDEX_BITS = {
  '5-level': [['sign', 7], ['PML5', 9], ['PML4', 9], ['PDPT', 9], ['PD', 9], ['PT', 9]], '4-level': [['sign', 16], ['PML4', 9], ['PDPT', 9], ['PD', 9], ['PT', 9]],
  'PAE': [['PDPT', 2], ['PD', 9], ['PT', 9]], '32-bit': [['PD', 10], ['PT', 10]], 'none': [],
} as const;

const entryOf = (level: WalkLevel, machine: Machine, mode: PagingMode, from?: bigint): EntryData => ({
  structure: level.structure, index: level.index, entryAddress: level.entryAddress, value: level.value, bits: level.bits, fields: fieldsOf(level, machine, mode), maps: level.maps, target: level.target,
  present: (level.value & 1n) !== 0n, from,
});

/** The protection key, and what the processor leaves to software, where they are not 0. SDM Vol. 3A, "Formats of CR3 and Paging-Structure Entries". */
function fieldsOf({ value, maps }: WalkLevel, { state }: Machine, mode: PagingMode): EntryData['fields'] {
  const field = (low: number, width: number): number => Number(BigInt.asUintN(width, value >> BigInt(low))), long = isLongPaging(mode);
  const hasKey = long && maps && (state.cr4 & CR4.PKE) !== 0, software = { low: field(9, 3), high: long ? field(52, hasKey ? 7 : 11) : 0 };
  return [
    ...(hasKey ? [{ name: 'PKEY', value: field(59, 4), says: 'protection key: bits 62 to 59' }] : []),
    ...(software.low === 0 ? [] : [{ name: 'software', value: software.low, says: 'bits 11 to 9 are for software' }]),
    ...(software.high === 0 ? [] : [{ name: 'software, high', value: software.high, says: `bits ${hasKey ? 58 : 62} to 52 are for software` }]),
  ];
}

export function walkView(machine: Machine, address: bigint): WalkData {
  const walk = machine.mmu.explain(linear(address));
  const long = isLongPaging(walk.mode), width = long ? 64 : 32;
  let left: number = width;
  // An index of a level that a large page has no need of is part of the offset.
  const used = walk.levels.length + (long ? 1 : 0);
  const fields = INDEX_BITS[walk.mode].slice(0, walk.outcome === 'mapped' ? used : undefined).map(([name, bits]) => {
    left -= bits;
    return { name, bits, value: Number(BigInt.asUintN(bits, walk.address >> BigInt(left))) };
  });
  return {
    address, mode: PAGING_TEXT[walk.mode], cr3: machine.state.cr3, levels: walk.levels.map((level) => entryOf(level, machine, walk.mode)), outcome: walk.outcome, physicalAddress: walk.physicalAddress, pageSize: walk.pageSize, key: walk.key === undefined ? undefined : keyText(walk.key),
    fields: [...fields, { name: 'offset', bits: left, value: Number(BigInt.asUintN(left, walk.address)) }],
    verdicts: walk.verdicts.map((verdict) => {
      const { access, privilege, denial } = verdict;
      return { access, privilege, ...(denial === undefined ? { denial, raises: undefined } : { denial: DENIALS[denial] ?? denial, raises: raises(verdict) }) };
    }),
  };
}

export function treeView(machine: Machine, { base, depth }: Requests['tree']['takes']): readonly EntryData[] {
  const { mode } = machine.mmu.explain(linear(base));
  return [...entriesOf(machine, base, depth)].map((entry) => entryOf(entry, machine, mode, entry.from));
}

/** Where another range has the first frame that both have. */
const sameIn = (other: MappedRange, range: MappedRange): bigint => other.from + BigInt(Math.max(0, range.physical - other.physical));

export function mapView(machine: Machine, symbols: SymbolTable): MapData {
  const { mode, ranges, truncated } = addressSpace(machine);
  const also = aliases(ranges);
  return {
    mode: PAGING_TEXT[mode], truncated,
    ranges: ranges.map(({ from, bytes, physical, pageSize, writable, executable, user, global }, n) => ({
      from, bytes, physical, pageSize, rights: `${user ? 'U' : '-'}${writable ? 'W' : '-'}${executable ? 'X' : '-'}${global ? 'G' : '-'}`,
      name: symbols.lookup(from)?.name, also: also[n]!.map((m) => sameIn(ranges[m]!, ranges[n]!)),
    })),
  };
}

export function tlbView({ mmu }: Machine): readonly TlbData[] {
  return [...mmu.tlb.entries()].map((entry) => {
    const compared = mmu.compare(entry);
    return {
      tlb: entry.tlb, page: pageOf(entry), physical: entry.frame * 4096, pcid: entry.pcid, pageSize: PAGE_SIZES[entry.pageSize],
      rights: `${entry.user ? 'U' : '-'}${entry.writable ? 'W' : '-'}${entry.executeDisable ? '-' : 'X'}${entry.global ? 'G' : '-'}${entry.dirty ? 'D' : '-'}`,
      now: compared?.now.physicalAddress, stale: compared?.stale,
    };
  });
}
