/** A guest with page tables, for tests about paging: the tables are written the long way, as a kernel would. */
import { linear, physical, type PhysicalAddress } from '../../src/state/addresses.ts';
import { GuestState } from '../../src/state/guest-state.ts';
import { CR0, CR4, EFER } from '../../src/mmu/control-bits.ts';
import { Mmu, type AccessKind, type ControlRegisters, type Privilege } from '../../src/mmu/mmu.ts';
import { PageFault } from '../../src/mmu/page-fault.ts';
import { PhysicalMemory } from '../../src/mmu/physical-memory.ts';

export const P = 1n, RW = 2n, US = 4n, A = 0x20n, D = 0x40n, PS = 0x80n, G = 0x100n, XD = 1n << 63n;
/** What a structure that does not restrict anything has. */
export const OPEN = P | RW | US;

export const ROOT = 0x10_0000;
const RAM = 16 << 20;

export class PagedGuest {
  readonly state = new GuestState(RAM);
  readonly memory = new PhysicalMemory(this.state);
  readonly mmu = new Mmu(this.state, this.memory);
  #next = ROOT;

  constructor() {
    this.frame();
    const { state } = this;
    state.cr0 = (CR0.PG | CR0.PE | CR0.WP) >>> 0;
    state.cr4 = CR4.PAE;
    state.efer = EFER.LMA | EFER.LME | EFER.NXE;
    state.cr3 = BigInt(ROOT);
    this.mmu.flushAll();
  }

  /** A zeroed frame for a paging structure. */
  frame(): number {
    const at = this.#next;
    this.#next += 4096;
    return at;
  }

  read64(at: number): bigint { return this.memory.read64(physical(at)); }
  write64(at: number, value: bigint): void { this.memory.write64(physical(at), value); }

  /** Writes the leaf entry of a page with 4-level paging (shift 12, 21 or 30), making the structures above it. Returns where the entry lies. */
  map(address: bigint, leaf: bigint, shift = 12n, above = OPEN): number {
    let table = Number(this.state.cr3 & 0xff_ffff_f000n);
    for (let level = 39n; level > shift; level -= 9n) {
      const at = table + Number((address >> level) & 0x1ffn) * 8;
      if ((this.read64(at) & P) === 0n) this.write64(at, BigInt(this.frame()) | above);
      table = Number(this.read64(at) & 0xff_ffff_f000n);
    }
    const at = table + Number((address >> shift) & 0x1ffn) * 8;
    this.write64(at, leaf);
    return at;
  }

  load(address: bigint, privilege: Privilege = 'supervisor', bytes: 1 | 2 | 4 | 8 = 8): bigint {
    return this.mmu.load(linear(address), bytes, privilege, false);
  }
  store(address: bigint, value: bigint, privilege: Privilege = 'supervisor', bytes: 1 | 2 | 4 | 8 = 8): void {
    this.mmu.store(linear(address), bytes, privilege, value);
  }
  translate(address: bigint, access: AccessKind = 'read', privilege: Privilege = 'supervisor'): PhysicalAddress {
    return this.mmu.translate(linear(address), access, privilege);
  }

  /** Error code of the page fault that the access takes, or undefined; CR2 must be the address that was asked for, or `at`. */
  faultOf(address: bigint, access: AccessKind = 'read', privilege: Privilege = 'supervisor', at = address): number | undefined {
    try {
      this.translate(address, access, privilege);
      return undefined;
    } catch (fault) {
      if (!(fault instanceof PageFault) || fault.address !== at) throw fault;
      return fault.errorCode;
    }
  }

  /** Changes control registers as an instruction would, telling the paging unit. */
  change(registers: Partial<ControlRegisters>): void {
    const { state } = this;
    const before = { cr0: state.cr0, cr4: state.cr4, efer: state.efer };
    Object.assign(state, registers);
    this.mmu.controlRegistersChanged(before);
  }
}

/** The fault that the action throws. */
export function pageFault(action: () => unknown): PageFault {
  try {
    action();
  } catch (fault) {
    if (fault instanceof PageFault) return fault;
    throw fault;
  }
  throw new Error('expected a page fault');
}
