/**
 * Control and debug registers: every condition for #GP, and what follows from a new value.
 * SDM Vol. 2B, "MOV—Move to/from Control Registers", "MOV—Move to/from Debug Registers"; Vol. 3A, "Control Registers".
 */
import { SEGMENT } from '../../../state/layout.ts';
import { CR0, CR4, EFER } from '../../../mmu/control-bits.ts';
import { MAXPHYADDR } from '../../../mmu/paging-entries.ts';
import type { Cpu } from '../../cpu.ts';
import type { CpuFeature } from '../features.ts';
import { DR6, DR7 } from '../../debug-registers.ts';
import { ATTRIBUTE } from '../../descriptors.ts';
import { GP, GuestException, UD, VECTOR } from '../../exceptions.ts';
import type { Instruction } from '../instruction.ts';
import type { SystemSemantics } from '../row.ts';
import { readOperand, requireCpl0, requireUserMayAsk, specialRegister, writeOperand } from './operands.ts';

const CR0_WRITABLE = CR0.PE | CR0.MP | CR0.EM | CR0.TS | CR0.NE | CR0.WP | CR0.AM | CR0.NW | CR0.CD | CR0.PG;
const isSet = (value: number, bit: number): boolean => (value & bit) !== 0;

/** CR4 bits, with the feature that makes each of them exist. */
const CR4_FEATURES: readonly (readonly [number, CpuFeature])[] = [
  [CR4.VME, 'vme'], [CR4.PVI, 'vme'], [CR4.TSD, 'tsc'], [CR4.DE, 'de'], [CR4.PSE, 'pse'], [CR4.PAE, 'pae'], [CR4.MCE, 'mce'], [CR4.PGE, 'pge'], [CR4.PCE, 'family6'],
  [CR4.OSFXSR, 'fxsr'], [CR4.OSXMMEXCPT, 'sse'], [CR4.UMIP, 'umip'], [CR4.FSGSBASE, 'fsgsbase'], [CR4.PCIDE, 'pcid'], [CR4.OSXSAVE, 'xsave'],
  [CR4.SMEP, 'smep'], [CR4.SMAP, 'smap'], [CR4.PKE, 'pku'],
  [CR4.LA57, 'la57'],
];
const cr4Writable = (cpu: Cpu): number => CR4_FEATURES.reduce((mask, [bit, feature]) => (cpu.model.features.has(feature) ? mask | bit : mask), 0);

function refuse(reason: string): never {
  throw GP(0, reason);
}

/** Commits CR0, CR4 and EFER together and tells the paging unit. */
function commit(cpu: Cpu, to: { cr0?: number; cr4?: number; efer?: number }): void {
  const { state } = cpu;
  const before = { cr0: state.cr0, cr4: state.cr4, efer: state.efer };
  state.cr0 = to.cr0 ?? before.cr0;
  state.cr4 = to.cr4 ?? before.cr4;
  state.efer = to.efer ?? before.efer;
  cpu.mmu.controlRegistersChanged(before);
  cpu.refresh();
}

/** PAE paging, not in IA-32e mode, is on with these registers. */
const isPaePaging = (cr0: number, cr4: number, efer: number): boolean => isSet(cr0, CR0.PG) && isSet(cr4, CR4.PAE) && !isSet(efer, EFER.LME);

/** MOV to CR0, LMSW, CLTS. IA32_EFER.LMA follows LME and PG. */
function writeCr0(cpu: Cpu, value: number): void {
  const { state } = cpu;
  const cr0 = (value & CR0_WRITABLE) | CR0.ET;
  const paging = isSet(cr0, CR0.PG);
  if (paging && !isSet(cr0, CR0.PE)) refuse('CR0.PG without CR0.PE');
  if (isSet(cr0, CR0.NW) && !isSet(cr0, CR0.CD)) refuse('CR0.NW without CR0.CD');
  const turnsOn = paging && !isSet(state.cr0, CR0.PG);
  let efer = state.efer;
  if (turnsOn && isSet(efer, EFER.LME)) {
    if (!isSet(state.cr4, CR4.PAE)) refuse('IA-32e mode without CR4.PAE');
    if (isSet(state.attributes[SEGMENT.CS]!, ATTRIBUTE.L)) refuse('IA-32e mode activated with CS.L = 1');
    if ((state.attributes[SEGMENT.TR]! & 0xf) <= 3) refuse('IA-32e mode activated with a 16-bit TSS in TR');
    efer |= EFER.LMA;
  }
  if (!paging && isSet(state.cr0, CR0.PG)) {
    if (cpu.in64BitMode) refuse('CR0.PG cleared in 64-bit mode');
    if (isSet(state.cr4, CR4.PCIDE)) refuse('CR0.PG cleared with CR4.PCIDE = 1');
    efer &= ~EFER.LMA;
  }
  const pagingBitsChange = isSet(cr0 ^ state.cr0, CR0.PG | CR0.CD | CR0.NW);
  if (pagingBitsChange && isPaePaging(cr0, state.cr4, efer) && !cpu.mmu.loadPdptes(state.cr3)) refuse('reserved bit in a PDPTE');
  commit(cpu, { cr0, efer });
  cpu.observer?.controlRegister(0, BigInt(cr0 >>> 0));
}

function writeCr3(cpu: Cpu, value: bigint): void {
  const { state } = cpu;
  // Bit 63 says "do not invalidate" with PCIDs, and is reserved without.
  const reserved = ((1n << 63n) - 1n) & ~((1n << BigInt(MAXPHYADDR)) - 1n);
  if ((value & reserved) !== 0n || (value >> 63n !== 0n && !isSet(state.cr4, CR4.PCIDE))) refuse('reserved bit of CR3');
  if (!cpu.mmu.setCr3(value)) refuse('reserved bit in a PDPTE');
  cpu.changes++;
  cpu.observer?.controlRegister(3, value);
}

function writeCr4(cpu: Cpu, value: bigint): void {
  const { state } = cpu;
  if ((value & ~BigInt(cr4Writable(cpu) >>> 0)) !== 0n) refuse('reserved bit of CR4');
  const cr4 = Number(value);
  if (cpu.longModeActive && !isSet(cr4, CR4.PAE)) refuse('CR4.PAE cleared in IA-32e mode');
  if (cpu.longModeActive && isSet(cr4 ^ state.cr4, CR4.LA57)) refuse('CR4.LA57 changed in IA-32e mode');
  if (isSet(cr4, CR4.PCIDE) && !isSet(state.cr4, CR4.PCIDE)) {
    if (!cpu.longModeActive) refuse('CR4.PCIDE outside IA-32e mode');
    if ((state.cr3 & 0xfffn) !== 0n) refuse('CR4.PCIDE set while CR3 bits 11:0 are not 0');
  }
  const reload = isSet(cr4 ^ state.cr4, CR4.PAE | CR4.PGE | CR4.PSE | CR4.SMEP);
  if (reload && isPaePaging(state.cr0, cr4, state.efer) && !cpu.mmu.loadPdptes(state.cr3)) refuse('reserved bit in a PDPTE');
  commit(cpu, { cr4 });
  cpu.observer?.controlRegister(4, value);
}

function controlRegister(i: Instruction, n: number): 0 | 2 | 3 | 4 | 8 {
  const number = specialRegister(i, n);
  if (number !== 0 && number !== 2 && number !== 3 && number !== 4 && number !== 8) throw UD(`no CR${number}`);
  return number;
}

/** MOV from a control register. */
export const MOV_FROM_CR: SystemSemantics = (cpu, i) => {
  const number = controlRegister(i, 1);
  requireCpl0(cpu, i);
  const { state } = cpu;
  const value = number === 0 ? BigInt(state.cr0) : number === 2 ? state.cr2 : number === 3 ? state.cr3 : BigInt(number === 4 ? state.cr4 : state.cr8);
  writeOperand(cpu, i, 0, value);
};

/** MOV to a control register. */
export const MOV_TO_CR: SystemSemantics = (cpu, i) => {
  const number = controlRegister(i, 0);
  requireCpl0(cpu, i);
  writeControlRegister(cpu, number, readOperand(cpu, i, 1));
};

/** Writes CR0, CR2, CR3, CR4 or CR8 with all that follows from it. Throws #GP(0), with nothing changed, for a value that it may not have. */
export function writeControlRegister(cpu: Cpu, number: 0 | 2 | 3 | 4 | 8, value: bigint): void {
  switch (number) {
    case 0:
      if (value >> 32n !== 0n) refuse('reserved bit of CR0');
      return writeCr0(cpu, Number(value));
    case 2:
      cpu.state.cr2 = value;
      cpu.observer?.controlRegister(2, value);
      return;
    case 3: return writeCr3(cpu, value);
    case 4: return writeCr4(cpu, value);
    case 8:
      if (value > 15n) refuse('reserved bit of CR8');
      cpu.state.cr8 = Number(value);
      cpu.bus.taskPriorityChanged(cpu.state.cr8);
      cpu.refreshAttention();
      cpu.observer?.controlRegister(8, value);
      return;
  }
}

/** LMSW — Load Machine Status Word: PE MP EM TS; PE cannot be cleared. */
export const LMSW: SystemSemantics = (cpu, i) => {
  requireCpl0(cpu, i);
  const { cr0 } = cpu.state;
  const value = Number(readOperand(cpu, i, 0) & 0xfn);
  writeCr0(cpu, (cr0 & ~(CR0.MP | CR0.EM | CR0.TS)) | value);
};

/** SMSW — Store Machine Status Word. A 32- or 64-bit register receives all of CR0. */
export const SMSW: SystemSemantics = (cpu, i) => {
  requireUserMayAsk(cpu, i);
  writeOperand(cpu, i, 0, BigInt(cpu.state.cr0));
};

/** CLTS — Clear Task-Switched Flag in CR0. */
export const CLTS: SystemSemantics = (cpu, i) => {
  requireCpl0(cpu, i);
  writeCr0(cpu, cpu.state.cr0 & ~CR0.TS);
};

/** The debug register meant: 4 and 5 are aliases of 6 and 7 unless CR4.DE. Checks privilege and DR7.GD. */
function debugRegister(cpu: Cpu, i: Instruction, n: number): number {
  const number = specialRegister(i, n);
  const { state } = cpu;
  if (number > 7 || ((number === 4 || number === 5) && isSet(state.cr4, CR4.DE))) throw UD(`no DR${number}`);
  requireCpl0(cpu, i);
  if (isSet(state.dr7, DR7.GD)) {
    state.dr6 |= DR6.BD;
    throw new GuestException(VECTOR.DB, undefined, 'MOV DR with DR7.GD = 1');
  }
  return number === 4 || number === 5 ? number + 2 : number;
}

/** MOV from a debug register. */
export const MOV_FROM_DR: SystemSemantics = (cpu, i) => {
  const number = debugRegister(cpu, i, 1);
  const { state } = cpu;
  writeOperand(cpu, i, 0, number < 4 ? state.dr[number]! : BigInt(number === 6 ? state.dr6 : state.dr7));
};

/** MOV to a debug register. */
export const MOV_TO_DR: SystemSemantics = (cpu, i) => {
  const number = debugRegister(cpu, i, 0);
  writeDebugRegister(cpu, number, readOperand(cpu, i, 1));
};

/** Writes DR0-DR3, DR6 or DR7; bits that cannot be written stay what they are. Throws #GP(0) for DR6 or DR7 beyond 32 bits. */
export function writeDebugRegister(cpu: Cpu, number: number, value: bigint): void {
  const { state } = cpu;
  if (number < 4) { state.dr[number] = value; return; }
  if (value >> 32n !== 0n) refuse(`reserved bit of DR${number}`);
  const low = Number(value);
  if (number === 6) state.dr6 = (low & DR6.WRITABLE) | DR6.FIXED;
  else state.dr7 = (low & DR7.WRITABLE) | DR7.FIXED;
  cpu.refresh();
}
