/** The paging unit: linear to physical through the TLB and the page walk. */
import type { GuestState } from '../state/guest-state.ts';
import type { LinearAddress, PhysicalAddress } from '../state/addresses.ts';
import type { PhysicalMemory } from './physical-memory.ts';

export type AccessKind = 'read' | 'write' | 'fetch';
/** Whose rights an access has: CPL 3, CPL 0-2, or an implicit supervisor access (GDT, IDT, TSS), which AC does not exempt from SMAP. */
export type Privilege = 'user' | 'supervisor' | 'implicit-supervisor';

export declare class Mmu {
  readonly state: GuestState;
  readonly memory: PhysicalMemory;
  constructor(state: GuestState, memory: PhysicalMemory);
  /** Physical address of a linear one. Throws PageFault. */
  translate(address: LinearAddress, access: AccessKind, privilege: Privilege): PhysicalAddress;
  /** Reads 1, 2, 4 or 8 bytes, across a page boundary if need be. With `modify`, write permission is required too. Throws PageFault. */
  load(address: LinearAddress, bytes: 1 | 2 | 4 | 8, privilege: Privilege, modify: boolean): bigint;
  /** Writes; nothing is written if any page of it faults. Throws PageFault. */
  store(address: LinearAddress, bytes: 1 | 2 | 4 | 8, privilege: Privilege, value: bigint): void;
}
