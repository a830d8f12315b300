/**
 * The task-state segment: stacks of inner privilege levels, interrupt stacks, the I/O permission bitmap, LTR.
 * Switching tasks is in task-switch.ts. SDM Vol. 3A, "Task Management"; "64-Bit TSS".
 */
import { OFFSET, SEGMENT } from '../state/layout.ts';
import type { Cpu } from './cpu.ts';
import { SYSTEM_TYPE, highInTable, isNull, selectorError, tableAddress } from './descriptors.ts';
import { GP, TS } from './exceptions.ts';
import { isCanonicalHigh } from '../state/addresses.ts';
import { stackSegmentFor, type CachedSegment } from './segmentation.ts';
import { SS } from './exceptions.ts';

const TR_BASE = OFFSET.base / 4 + 2 * SEGMENT.TR;

function readTss(cpu: Cpu, offset: number, bytes: 1 | 2 | 4 | 8): bigint {
  return cpu.mmu.load(tableAddress(cpu, cpu.state.base[SEGMENT.TR]!, offset), bytes, 'implicit-supervisor', false);
}

const tssError = (cpu: Cpu, ext: number): number => selectorError(cpu.state.selector[SEGMENT.TR]!) | ext;

/** Where the 64-bit TSS holds RSP0-RSP2, and IST1-IST7. */
export const innerOffset = (cpl: number): number => (cpl << 3) + 4;
export const istOffset = (ist: number): number => (ist << 3) + 28;

/** Reads a stack pointer of the 64-bit TSS into `mmu.loadedLow` and `loadedHigh`. Throws #TS beyond the TSS limit, #SS for a non-canonical pointer. */
export function longInnerStack(cpu: Cpu, offset: number, ext: number): void {
  const { state, mmu } = cpu;
  if (offset + 7 > state.limit[SEGMENT.TR]!) throw TS(tssError(cpu, ext), 'stack pointer beyond the limit of the TSS');
  const low = state.u32[TR_BASE]! + offset;
  mmu.loadHalves(low >>> 0, highInTable(cpu, low, state.u32[TR_BASE + 1]!), 8, 'implicit-supervisor');
  if (!isCanonicalHigh(mmu.loadedHigh, cpu.linearWidth)) throw SS(ext, 'stack pointer in the TSS is not canonical');
}

/** SSn:ESPn of a 32-bit TSS, SSn:SPn of a 16-bit one, with the checks of a stack switch. */
export function legacyInnerStack(cpu: Cpu, cpl: number, ext: number): { pointer: bigint; segment: CachedSegment } {
  const { state } = cpu;
  const wide = (state.attributes[SEGMENT.TR]! & 8) !== 0;
  const offset = wide ? (cpl << 3) + 4 : (cpl << 2) + 2;
  if (offset + (wide ? 5 : 3) > state.limit[SEGMENT.TR]!) throw TS(tssError(cpu, ext), 'stack pointer beyond the limit of the TSS');
  const pointer = readTss(cpu, offset, wide ? 4 : 2);
  const selector = Number(readTss(cpu, offset + (wide ? 4 : 2), 2));
  if (isNull(selector)) throw TS(ext, 'stack selector in the TSS is null');
  return { pointer, segment: stackSegmentFor(cpu, selector, cpl, TS, ext) };
}

/** Offset of the I/O map base in the TSS. */
const IO_MAP_BASE = 102;

/** Throws #GP(0) unless the TSS's I/O permission bitmap allows the ports. SDM Vol. 1, "I/O Permission Bit Map". */
export function checkPortPermission(cpu: Cpu, port: number, bytes: number): void {
  const { state } = cpu;
  const type = state.attributes[SEGMENT.TR]! & 0xf;
  const limit = state.limit[SEGMENT.TR]!;
  if ((type !== SYSTEM_TYPE.tssBusy && type !== SYSTEM_TYPE.tssAvailable) || limit < IO_MAP_BASE + 1) throw GP(0, 'no I/O permission bitmap in the TSS');
  const at = Number(readTss(cpu, IO_MAP_BASE, 2)) + (port >> 3);
  // The processor always reads two bytes, so both must be within the limit.
  if (at + 1 > limit) throw GP(0, 'port beyond the I/O permission bitmap');
  const bits = Number(readTss(cpu, at, 2)) >> (port & 7);
  if ((bits & ((1 << bytes) - 1)) !== 0) throw GP(0, 'the I/O permission bitmap forbids the port');
}

/** Bytes of the software-interrupt redirection bitmap, below the I/O permission bitmap. */
const REDIRECTION_BYTES = 32;

/** The vector's bit in the software-interrupt redirection bitmap of the TSS: 1, INT n is the monitor's. Throws #GP(0) where the TSS has none. SDM Vol. 3B, "Class 3—Software Interrupt Handling in Virtual-8086 Mode". */
export function redirectionBit(cpu: Cpu, vector: number): boolean {
  const { state } = cpu;
  const type = state.attributes[SEGMENT.TR]! & 0xf, limit = state.limit[SEGMENT.TR]!;
  if ((type !== SYSTEM_TYPE.tssBusy && type !== SYSTEM_TYPE.tssAvailable) || limit < IO_MAP_BASE + 1) throw GP(0, 'no interrupt redirection bitmap in the TSS');
  const at = Number(readTss(cpu, IO_MAP_BASE, 2)) - REDIRECTION_BYTES + (vector >> 3);
  if (at < 0 || at > limit) throw GP(0, 'vector beyond the interrupt redirection bitmap');
  return ((Number(readTss(cpu, at, 1)) >> (vector & 7)) & 1) !== 0;
}
