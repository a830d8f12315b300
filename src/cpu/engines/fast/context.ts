/**
 * What generated code takes for granted of the machine: the code size, whose rights accesses have, which column of the TLB answers
 * them. Code is made for one context and entered in that context only; it changes with system instructions and
 * deliveries, which generated code leaves to TypeScript.
 */
import { CR0, CR4, EFER, XCR0 } from '../../../mmu/control-bits.ts';
import { ENTRY_HIGH_XD, RESERVED_HIGH_LONG } from '../../../mmu/paging-entries.ts';
import { COLUMN, columnBase, FETCH_COLUMN, fetchColumnBase, type Column } from '../../../mmu/tlb.ts';
import type { GuestState } from '../../../state/guest-state.ts';
import { OFFSET, SEGMENT } from '../../../state/layout.ts';
import type { Cpu } from '../../cpu.ts';
import { ATTRIBUTE, isReadable, isWritable } from '../../descriptors.ts';
import { MODE_32, MODE_64, type Mode } from '../../isa/instruction.ts';
import { ENGINE } from '../engine-memory.ts';

export interface Context {
  /** Number of the context: the column, whether the code is 32-bit, and whether there is a PCID. */
  readonly number: number;
  readonly mode: Mode;
  readonly column: Column;
  /** The PCID in effect is 0, so that a tag of the TLB is the page itself. */
  readonly pcidIsZero: boolean;
}

/** Bits of a context's number: 32-bit code; a PCID that is not 0. */
export const LEGACY = 4;
export const WITH_PCID = 8;
const make = (number: number): Context => ({ number, mode: (number & LEGACY) === 0 ? MODE_64 : MODE_32, column: (number & 3) as Column, pcidIsZero: (number & WITH_PCID) === 0 });
/** Column 3 does not exist. */
const CONTEXTS: readonly Context[] = Array.from({ length: 16 }, (_, n) => make(n));

export const FIRST_CONTEXT = CONTEXTS[0]!;

/** Where the number stands in the key of an entry: above bit 56, since bits 63:56 of RIP are all equal, however wide addresses are. */
export const CONTEXT_SHIFT = 57;
export const CONTEXT_KEY_HIGH_SHIFT = CONTEXT_SHIFT - 32;

const SSE_AND_AVX = XCR0.SSE | XCR0.AVX;
const FLAT_LIMIT = 0xffff_ffff;
const EXPAND_DOWN = 1 << 2;
const DATA_SEGMENTS = [SEGMENT.ES, SEGMENT.SS, SEGMENT.DS] as const;

/** ES, CS, SS and DS cover all of the address space from 0, readable, and writable but for CS. */
function isFlat({ state }: Cpu): boolean {
  if (!coversAll(state, SEGMENT.CS) || !isReadable(state.attributes[SEGMENT.CS]!)) return false;
  for (const segment of DATA_SEGMENTS) {
    if (!coversAll(state, segment) || !isWritable(state.attributes[segment]!) || (state.attributes[segment]! & EXPAND_DOWN) !== 0) return false;
  }
  return true;
}
const coversAll = ({ u32, limit, attributes }: GuestState, segment: number): boolean =>
  u32[(OFFSET.base + 8 * segment) / 4] === 0 && limit[segment] === FLAT_LIMIT && (attributes[segment]! & ATTRIBUTE.UNUSABLE) === 0;

/**
 * The context as things are now, written where generated code reads it; undefined where generated code cannot run: 16-bit code,
 * segments that are not flat, alignment checks, data breakpoints.
 */
export function enterContext(cpu: Cpu): Context | undefined {
  const { state, mmu } = cpu;
  const mode = cpu.mode();
  if (cpu.alignmentChecked || cpu.dataBreakpoints || (mode !== MODE_64 && (mode !== MODE_32 || !cpu.protectedMode || !isFlat(cpu)))) return undefined;
  const column = mmu.dataColumn(cpu.privilege);
  const { u32 } = state;
  const pcid = (state.cr4 & CR4.PCIDE) === 0 ? 0 : u32[OFFSET.cr3 / 4]! & 0xfff;
  const context = CONTEXTS[column | (mode === MODE_64 ? 0 : LEGACY) | (pcid === 0 ? 0 : WITH_PCID)]!;
  u32[ENGINE.dataColumn / 4] = columnBase(column);
  u32[ENGINE.fetchColumn / 4] = fetchColumnBase(column === COLUMN.user ? FETCH_COLUMN.user : FETCH_COLUMN.supervisor);
  u32[ENGINE.pcid / 4] = pcid;
  u32[ENGINE.vectorsBlocked / 4] = (state.cr0 & (CR0.EM | CR0.TS)) === 0 && (state.cr4 & CR4.OSFXSR) !== 0 ? 0 : 1;
  u32[ENGINE.avxBlocked / 4] = (state.cr0 & CR0.TS) === 0 && (state.cr4 & CR4.OSXSAVE) !== 0 && (state.xcr0 & SSE_AND_AVX) === SSE_AND_AVX ? 0 : 1;
  u32[ENGINE.implicitColumn / 4] = columnBase(mmu.dataColumn('implicit-supervisor'));
  const unwatched = cpu.unwatched();
  u32[ENGINE.unwatched / 4] = unwatched && cpu.faultChain.length === 0 ? 1 : 0;
  u32[ENGINE.portsOpen / 4] = unwatched && !cpu.portBreakpoints ? 1 : 0;
  u32[ENGINE.walkable / 4] = mmu.plainPaging();
  u32[ENGINE.reservedBits / 4 + 1] = RESERVED_HIGH_LONG | ((state.efer & EFER.NXE) === 0 ? ENTRY_HIGH_XD : 0);
  u32[ENGINE.interruptWaits / 4] = cpu.bus.interruptRequested() ? 1 : 0;
  u32[ENGINE.contextKey / 4 + 1] = context.number << CONTEXT_KEY_HIGH_SHIFT;
  return context;
}
