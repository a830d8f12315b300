/** What a debugger knows of a register. */
import type { Machine } from '../machine.ts';

export interface MachineRegister {
  readonly name: string;
  readonly bits: 16 | 32 | 64 | 80 | 128 | 256;
  readonly read: (machine: Machine) => bigint;
  /** Whatever changes it tells the machine's observers: `controlRegister`, `msr`, `refreshed` or `exception`. */
  readonly observed?: boolean;
  /** Absent: it cannot be changed. Takes a value of `bits` bits; throws RangeError or GuestException, with nothing changed, for one that the register cannot have. */
  readonly write?: (machine: Machine, value: bigint) => void;
}
