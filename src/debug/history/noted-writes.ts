/**
 * When registers were written that are written seldom and asked about often: CR0, CR3, CR4 and MSRs. "Who wrote it?" is then known without a search, however
 * far back it was. The newest of each register.
 */
import { MSRS, type MachineRegister } from '../../machine/registers.ts';
import type { Machine } from '../../machine/machine.ts';
import { comparePositions, type Position } from '../../machine/position.ts';
import { Positions } from './positions.ts';

/** Writes that are kept of a register. */
const KEPT_OF_A_REGISTER = 4096;
const CONTROL_REGISTERS: ReadonlySet<string> = new Set(['cr0', 'cr3', 'cr4']);
/** IA32_EFER.LMA follows CR0.PG. SDM Vol. 3A, "Initializing IA-32e Mode". */
const FOLLOWS: Readonly<Record<string, readonly string[]>> = { efer: ['efer', 'cr0'] };
const NAME_OF_MSR: ReadonlyMap<number, string> = new Map(Object.entries(MSRS).map(([name, address]) => [address, name]));

export class NotedWrites {
  readonly #of = new Map<string, Positions>();

  /** Notes what happens in a machine that does something new. `here`: the boundary before what it does. */
  constructor(machine: Machine, here: () => Position) {
    const note = (name: string | undefined): void => {
      if (name === undefined || machine.repeating) return;
      let writes = this.#of.get(name);
      if (writes === undefined) this.#of.set(name, writes = new Positions(KEPT_OF_A_REGISTER));
      writes.note(here());
    };
    machine.observers.add({
      controlRegister: (number) => { note(CONTROL_REGISTERS.has(`cr${number}`) ? `cr${number}` : undefined); },
      msr: (address) => { note(NAME_OF_MSR.get(address)); },
    });
  }

  /** Registers whose writes are those of this one, or may change it; undefined: it is not noted. */
  static namesFor({ name, observed }: MachineRegister): readonly string[] | undefined {
    return observed === true && (CONTROL_REGISTERS.has(name) || Object.hasOwn(MSRS, name)) ? FOLLOWS[name] ?? [name] : undefined;
  }

  /** Where these registers were written before a position, newest first. Gives `complete` at the end: there was nothing before that is not kept. */
  *before(names: readonly string[], now: Position): Generator<Position, { readonly complete: boolean }, void> {
    const left = names.flatMap((name) => {
      const writes = this.#of.get(name);
      return writes === undefined ? [] : [{ writes, n: writes.firstFrom(now) - 1 }];
    });
    for (;;) {
      let newest: { readonly one: typeof left[number]; readonly at: Position } | undefined;
      for (const one of left) {
        if (one.n < one.writes.first) {
          // What comes now may have been later than what of this one is not kept.
          if (one.writes.first > 0) return { complete: false };
          continue;
        }
        const at = one.writes.at(one.n);
        if (newest === undefined || comparePositions(at, newest.at) > 0) newest = { one, at };
      }
      if (newest === undefined) return { complete: true };
      newest.one.n--;
      yield newest.at;
    }
  }

  forgetFrom(now: Position): void { for (const writes of this.#of.values()) writes.forgetFrom(writes.firstFrom(now)); }
}
