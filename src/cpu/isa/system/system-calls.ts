/** Fast system calls and returns, SWAPGS. Where Intel and AMD differ, Intel's rules hold. */
import { OFFSET, SEGMENT } from '../../../state/layout.ts';
import { EFER } from '../../../mmu/control-bits.ts';
import type { Cpu } from '../../cpu.ts';
import { DR6 } from '../../debug-registers.ts';
import { ATTRIBUTE } from '../../descriptors.ts';
import { GP, UD } from '../../exceptions.ts';
import { RFLAGS, readRflags } from '../../flags.ts';
import { isCanonical, isCanonicalHigh } from '../../../state/addresses.ts';
import { RCX, RDX, RSP } from '../operand.ts';
import type { SystemSemantics } from '../row.ts';
import { high32, low32, requireCpl0, writeHalves, writeLow32 } from './operands.ts';

const R11 = 11;
const STAR_HIGH = OFFSET.star / 4 + 1, SFMASK_LOW = OFFSET.sfmask / 4, LSTAR_LOW = OFFSET.lstar / 4, BASES = OFFSET.base / 4;
const PRESENT_SEGMENT = ATTRIBUTE.P | ATTRIBUTE.S | ATTRIBUTE.G;
/** Types 11 (execute/read, accessed) and 3 (read/write, accessed). */
const CODE = PRESENT_SEGMENT | 11, DATA = PRESENT_SEGMENT | 3 | ATTRIBUTE.DB;
/** Attributes of what SYSCALL and SYSRET load, at CPL 0. */
export const FLAT_CODE_64 = CODE | ATTRIBUTE.L, FLAT_STACK = DATA;

/** CS and SS with fixed flat descriptors; no table is read. */
function loadFlat(cpu: Cpu, cs: number, ss: number, cpl: number, codeSize: 32 | 64): void {
  const dpl = cpl << 5;
  loadFlatSegment(cpu, SEGMENT.CS, (cs & 0xfffc) | cpl, CODE | dpl | (codeSize === 64 ? ATTRIBUTE.L : ATTRIBUTE.DB));
  loadFlatSegment(cpu, SEGMENT.SS, (ss & 0xfffc) | cpl, DATA | dpl);
  cpu.state.cpl = cpl;
}

function loadFlatSegment({ state }: Cpu, segment: number, selector: number, attributes: number): void {
  state.selector[segment] = selector;
  state.attributes[segment] = attributes;
  state.limit[segment] = 0xffff_ffff;
  state.u32[BASES + 2 * segment] = 0;
  state.u32[BASES + 2 * segment + 1] = 0;
}

/** SYSCALL — Fast System Call. Intel: 64-bit mode only. SDM Vol. 2B, "SYSCALL—Fast System Call". */
export const SYSCALL: SystemSemantics = (cpu) => {
  const { state } = cpu;
  if ((state.efer & EFER.SCE) === 0) throw UD('SYSCALL with EFER.SCE = 0');
  const flags = readRflags(state);
  const { u32 } = state;
  writeHalves(cpu, RCX, cpu.nextHalves[0]!, cpu.nextHalves[1]!);
  writeLow32(cpu, R11, flags);
  cpu.setNextIp(u32[LSTAR_LOW]!, u32[LSTAR_LOW + 1]!);
  const selector = u32[STAR_HIGH]! & 0xffff;
  loadFlat(cpu, selector, selector + 8, 0, 64);
  const after = flags & ~u32[SFMASK_LOW]! & ~RFLAGS.RF;
  // TF is looked at after SYSCALL, so a TF that SFMASK clears does not step into the kernel.
  if ((after & RFLAGS.TF) === 0) state.debugTraps &= ~DR6.BS;
  cpu.setRflags(after);
};

/** RFLAGS bits that SYSRET takes from R11: not RF, VM and the reserved ones. */
export const SYSRET_FLAGS = 0x3c_7fd7;

/** SYSRET — Return From Fast System Call. SDM Vol. 2B, "SYSRET—Return From Fast System Call". */
export const SYSRET: SystemSemantics = (cpu, i) => {
  const { state } = cpu;
  if ((state.efer & EFER.SCE) === 0) throw UD('SYSRET with EFER.SCE = 0');
  requireCpl0(cpu, i);
  // Intel checks RCX before anything changes, at CPL 0; AMD faults at the target, at CPL 3.
  if (i.width === 64 && !isCanonicalHigh(high32(cpu, RCX), cpu.linearWidth)) throw GP(0, 'SYSRET to a non-canonical RCX');
  cpu.setNextIp(low32(cpu, RCX), i.width === 64 ? high32(cpu, RCX) : 0);
  const selector = state.u32[STAR_HIGH]! >>> 16;
  loadFlat(cpu, i.width === 64 ? selector + 16 : selector, selector + 8, 3, i.width === 64 ? 64 : 32);
  const after = low32(cpu, R11) & SYSRET_FLAGS;
  // As if the SYSCALL in the program had just ended: a TF in R11 traps before the next instruction.
  if ((after & RFLAGS.TF) !== 0) state.debugTraps |= DR6.BS;
  cpu.setRflags(after);
};

/** SYSENTER — Fast System Call. SDM Vol. 2B, "SYSENTER—Fast System Call". */
export const SYSENTER: SystemSemantics = (cpu) => {
  const { state } = cpu;
  const selector = Number(state.sysenterCs & 0xfffcn);
  if (cpu.realMode || selector === 0) throw GP(0, 'SYSENTER in real-address mode or with a null IA32_SYSENTER_CS');
  const long = cpu.longModeActive;
  const cut = (value: bigint): bigint => (long ? value : value & 0xffff_ffffn);
  state.gpr[RSP] = cut(state.sysenterEsp);
  cpu.nextIp = cut(state.sysenterEip);
  loadFlat(cpu, selector, selector + 8, 0, long ? 64 : 32);
  cpu.setRflags(readRflags(state) & ~(RFLAGS.VM | RFLAGS.IF | RFLAGS.RF));
};

/** SYSEXIT — Fast Return from Fast System Call. SDM Vol. 2B, "SYSEXIT—Fast Return from Fast System Call". */
export const SYSEXIT: SystemSemantics = (cpu, i) => {
  const { state } = cpu;
  const selector = Number(state.sysenterCs & 0xfffcn);
  if (cpu.realMode || selector === 0) throw GP(0, 'SYSEXIT in real-address mode or with a null IA32_SYSENTER_CS');
  requireCpl0(cpu, i);
  const wide = i.width === 64;
  const ip = state.gpr[RDX]!, sp = state.gpr[RCX]!;
  if (wide && !(isCanonical(ip, cpu.linearWidth) && isCanonical(sp, cpu.linearWidth))) throw GP(0, 'SYSEXIT to a non-canonical RDX or RCX');
  cpu.nextIp = wide ? ip : ip & 0xffff_ffffn;
  state.gpr[RSP] = wide ? sp : sp & 0xffff_ffffn;
  const base = selector + (wide ? 32 : 16);
  loadFlat(cpu, base, base + 8, 3, wide ? 64 : 32);
  cpu.refresh();
};

/** SWAPGS — Swap GS Base Register. */
export const SWAPGS: SystemSemantics = (cpu, i) => {
  requireCpl0(cpu, i);
  const { state } = cpu;
  const kernel = state.kernelGsBase;
  state.kernelGsBase = state.base[SEGMENT.GS]!;
  state.base[SEGMENT.GS] = kernel;
};
