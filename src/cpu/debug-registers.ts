/** Hardware breakpoints: which of DR0-DR3 an event matches. SDM Vol. 3B, "Debug Registers". */
import type { LinearAddress } from '../state/addresses.ts';
import type { GuestState } from '../state/guest-state.ts';
import { CR4 } from '../mmu/control-bits.ts';

/** B0-B3 say which breakpoint matched; BD: a MOV DR met DR7.GD; BS: single step; BT: a task switch to a TSS with T. FIXED bits read as one. */
export const DR6 = { BD: 1 << 13, BS: 1 << 14, BT: 1 << 15, FIXED: 0xffff_0ff0, WRITABLE: 0xe00f } as const;
/** Bits 7:0 are the L and G enables, 31:16 the R/W and LEN fields. Bit 10 reads as one. LOCAL: L0-L3 and LE, which a task switch clears. */
export const DR7 = { LOCAL: 0x155, GD: 1 << 13, FIXED: 1 << 10, WRITABLE: 0xffff_23ff } as const;

/** R/Wn fields: what a breakpoint watches. `io` needs CR4.DE; without it the encoding is undefined and matches nothing here. */
export const WATCH = { execute: 0, write: 1, io: 2, readWrite: 3 } as const;

const watches = (state: GuestState, n: number): number => (state.dr7 >>> (16 + 4 * n)) & 3;
const enabled = (state: GuestState, n: number): boolean => ((state.dr7 >>> (2 * n)) & 3) !== 0;
/** LENn: 1, 2, 8, 4 bytes. */
const LENGTHS = [1, 2, 8, 4] as const;

/** The kinds of breakpoint, as bits. */
export const BREAKS = { execute: 1, data: 2, io: 4 } as const;

/** Which kinds of breakpoint are enabled at all: BREAKS. */
export function enabledBreakpoints(state: GuestState): number {
  if ((state.dr7 & 0xff) === 0) return 0;
  let kinds = 0;
  for (let n = 0; n < 4; n++) {
    if (!enabled(state, n)) continue;
    const watch = watches(state, n);
    if (watch === WATCH.execute) kinds |= BREAKS.execute;
    else if (watch !== WATCH.io) kinds |= BREAKS.data;
    else if ((state.cr4 & CR4.DE) !== 0) kinds |= BREAKS.io;
  }
  return kinds;
}

/** DR6 bits B0-B3 of the instruction breakpoints at the linear address of an instruction's first byte. */
export function matchExecution(state: GuestState, address: LinearAddress): number {
  let matched = 0;
  for (let n = 0; n < 4; n++) if (enabled(state, n) && watches(state, n) === WATCH.execute && state.dr[n] === address) matched |= 1 << n;
  return matched;
}

/** DR6 bits B0-B3 of the data breakpoints that an access touches. */
export function matchData(state: GuestState, address: LinearAddress, bytes: number, write: boolean): number {
  return matchRange(state, address, bytes, (watch) => watch === WATCH.readWrite || (write && watch === WATCH.write));
}

/** DR6 bits B0-B3 of the I/O breakpoints that an access touches. */
export function matchPort(state: GuestState, port: number, bytes: number): number {
  return matchRange(state, BigInt(port), bytes, (watch) => watch === WATCH.io);
}

function matchRange(state: GuestState, address: bigint, bytes: number, wanted: (watch: number) => boolean): number {
  let matched = 0;
  for (let n = 0; n < 4; n++) {
    if (!enabled(state, n) || !wanted(watches(state, n))) continue;
    const length = BigInt(LENGTHS[(state.dr7 >>> (18 + 4 * n)) & 3]!);
    // The low address bits that LEN covers are ignored.
    const start = state.dr[n]! & ~(length - 1n);
    if (address < start + length && start < address + BigInt(bytes)) matched |= 1 << n;
  }
  return matched;
}
