/** The entries that the walk of one linear address goes through: what changed in them. */
import { beginningOf, type Moment } from '../../machine/position.ts';
import type { Machine } from '../../machine/machine.ts';
import type { WalkLevel } from '../../mmu/explain.ts';
import type { LinearAddress } from '../../state/addresses.ts';

/** Accessed and dirty: the processor sets them. */
const ACCESSED_DIRTY = 0x60n;
const ENTRY_BYTES = 8;

export class PageTableWatch {
  readonly #address: LinearAddress;
  readonly #levels: readonly WalkLevel[];
  #written: Moment | undefined;
  #rootChanged = false;

  constructor(machine: Machine, address: LinearAddress) {
    this.#address = address;
    this.#levels = entriesOf(machine, address);
  }

  /** Frames that hold the entries. */
  get frames(): readonly number[] { return this.#levels.map(({ entryAddress }) => Math.floor(entryAddress! / 4096)); }

  /** Notes a write to one of the frames, which may be to one of the entries: then true. */
  noteWrite({ state, cpu }: Machine, address: number, bytes: number): boolean {
    if (!this.#levels.some(({ entryAddress }) => address < entryAddress! + ENTRY_BYTES && entryAddress! < address + bytes)) return false;
    this.#written ??= beginningOf({ retired: state.retired, deliveries: cpu.deliveries - cpu.deliveriesInStep });
    return true;
  }
  /** Notes that the walk may begin elsewhere. */
  rootChanged(): void { this.#rootChanged = true; }

  /** What has happened since: undefined nothing; without a text nothing that counts, but the entries may be others. Make a new one then. */
  change(machine: Machine): { readonly text?: string; readonly before?: Moment } | undefined {
    if (this.#written === undefined) return this.#rootChanged ? {} : undefined;
    const now = entriesOf(machine, this.#address);
    for (const [n, { entryAddress, value, structure }] of this.#levels.entries()) {
      const after = now[n];
      if (after?.entryAddress !== entryAddress || ((after?.value ?? 0n) & ~ACCESSED_DIRTY) === (value & ~ACCESSED_DIRTY)) continue;
      return { text: `${structure} of 0x${this.#address.toString(16)} at 0x${entryAddress!.toString(16)}: 0x${value.toString(16)} -> 0x${after!.value.toString(16)}`, before: this.#written };
    }
    return {};
  }
}

/** Those in memory: PDPTE registers of PAE paging are none. */
const entriesOf = (machine: Machine, address: LinearAddress): readonly WalkLevel[] => machine.mmu.explain(address).levels.filter(({ entryAddress }) => entryAddress !== undefined);
