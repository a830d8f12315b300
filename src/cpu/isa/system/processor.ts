/** MSRs, FS and GS bases, TLB and cache control, identification, time. */
import { apicMode } from '../../../state/apic-base.ts';
import { OFFSET, SEGMENT } from '../../../state/layout.ts';
import { linear, isCanonical, isCanonicalHigh } from '../../../state/addresses.ts';
import { CR4 } from '../../../mmu/control-bits.ts';
import type { Cpu } from '../../cpu.ts';
import { cpuid } from '../../cpuid.ts';
import { GP, UD } from '../../exceptions.ts';
import { MISC_ENABLE, readMsr, readTsc, writeMsr } from '../../msr.ts';
import type { Instruction } from '../instruction.ts';
import { RAX, RBX, RCX, RDX } from '../operand.ts';
import type { SystemSemantics } from '../row.ts';
import { effectiveAddress, effectiveAddressLow, low32, memoryOperand, offsetBy, offsetHigh, readOperand, requireCpl0, writeOperand } from './operands.ts';

function writeEdxEax(cpu: Cpu, value: bigint): void {
  cpu.state.gpr[RAX] = value & 0xffff_ffffn;
  cpu.state.gpr[RDX] = value >> 32n;
}

/** RDMSR — Read From Model Specific Register. */
export const RDMSR: SystemSemantics = (cpu, i) => {
  requireCpl0(cpu, i);
  writeEdxEax(cpu, readMsr(cpu, low32(cpu, RCX)));
};
/** WRMSR — Write to Model Specific Register. */
export const WRMSR: SystemSemantics = (cpu, i) => {
  requireCpl0(cpu, i);
  writeMsr(cpu, low32(cpu, RCX), (BigInt(low32(cpu, RDX)) << 32n) | BigInt(low32(cpu, RAX)));
};

function requireFsGsBase(cpu: Cpu, i: Instruction): void {
  if ((cpu.state.cr4 & CR4.FSGSBASE) === 0) throw UD(`${i.mnemonic} with CR4.FSGSBASE = 0`);
}
const readBase = (segment: number): SystemSemantics => (cpu, i) => {
  requireFsGsBase(cpu, i);
  writeOperand(cpu, i, 0, cpu.state.base[segment]!);
};
const writeBase = (segment: number): SystemSemantics => (cpu, i) => {
  requireFsGsBase(cpu, i);
  const base = readOperand(cpu, i, 0);
  if (!isCanonical(base, cpu.widestLinear)) throw GP(0, `${i.mnemonic} of a non-canonical address`);
  cpu.state.base[segment] = base;
};
/** RDFSBASE / RDGSBASE — Read FS/GS Segment Base. */
export const RDFSBASE = readBase(SEGMENT.FS);
export const RDGSBASE = readBase(SEGMENT.GS);
/** WRFSBASE / WRGSBASE — Write FS/GS Segment Base. */
export const WRFSBASE = writeBase(SEGMENT.FS);
export const WRGSBASE = writeBase(SEGMENT.GS);

/** INVLPG — Invalidate TLB Entries. A non-canonical address does nothing. */
export const INVLPG: SystemSemantics = (cpu, i) => {
  requireCpl0(cpu, i);
  const x = memoryOperand(i, 0);
  let low = effectiveAddressLow(cpu, x), high = offsetHigh;
  if (!cpu.in64BitMode || x.segment >= SEGMENT.FS) {
    low += cpu.state.u32[BASES + 2 * x.segment]!;
    high += cpu.state.u32[BASES + 2 * x.segment + 1]! + (low < 2 ** 32 ? 0 : 1);
  }
  if (!cpu.in64BitMode) cpu.mmu.invlpgHalves(low >>> 0, 0);
  else if (isCanonicalHigh(high >>> 0, cpu.widestLinear)) cpu.mmu.invlpgHalves(low >>> 0, high >>> 0);
};
const BASES = OFFSET.base / 4;

/** INVPCID — Invalidate Process-Context Identifier. SDM Vol. 2A, "INVPCID—Invalidate Process-Context Identifier". */
export const INVPCID: SystemSemantics = (cpu, i) => {
  requireCpl0(cpu, i);
  const type = readOperand(cpu, i, 0);
  const x = memoryOperand(i, 1);
  const offset = effectiveAddress(cpu, x);
  const pcid = cpu.load(64, x.segment, offset, 'read');
  const address = cpu.load(64, x.segment, offsetBy(x, offset, 8), 'read');
  if (type > 3n) throw GP(0, 'INVPCID type');
  if (pcid >> 12n !== 0n) throw GP(0, 'reserved bit of the INVPCID descriptor');
  if (type <= 1n && pcid !== 0n && (cpu.state.cr4 & CR4.PCIDE) === 0) throw GP(0, 'INVPCID of a PCID with CR4.PCIDE = 0');
  if (type === 0n && !isCanonical(address, cpu.widestLinear)) throw GP(0, 'INVPCID of a non-canonical address');
  cpu.mmu.invpcid(Number(type) as 0 | 1 | 2 | 3, Number(pcid), linear(address));
};

/** INVD — Invalidate Internal Caches; WBINVD — Write Back and Invalidate Cache. There are no data caches here. */
export const INVD: SystemSemantics = requireCpl0;
export const WBINVD: SystemSemantics = requireCpl0;

/** CPUID — CPU Identification. */
export const CPUID: SystemSemantics = (cpu) => {
  const { gpr } = cpu.state;
  const result = cpuid(cpu.model, low32(cpu, RAX), low32(cpu, RCX), {
    in64BitMode: cpu.in64BitMode, monitorEnabled: (cpu.state.miscEnable & MISC_ENABLE.MONITOR) !== 0n, apicEnabled: apicMode(cpu.state.apicBase) !== 'off',
    osxsave: (cpu.state.cr4 & CR4.OSXSAVE) !== 0, ospke: (cpu.state.cr4 & CR4.PKE) !== 0, xcr0: cpu.state.xcr0,
  });
  gpr[RAX] = BigInt(result.eax >>> 0);
  gpr[RBX] = BigInt(result.ebx >>> 0);
  gpr[RCX] = BigInt(result.ecx >>> 0);
  gpr[RDX] = BigInt(result.edx >>> 0);
};

function requireTsc(cpu: Cpu, i: Instruction): void {
  if ((cpu.state.cr4 & CR4.TSD) !== 0 && cpu.state.cpl !== 0) throw GP(0, `${i.mnemonic} with CR4.TSD at CPL ${cpu.state.cpl}`);
}
/** RDTSC — Read Time-Stamp Counter. */
export const RDTSC: SystemSemantics = (cpu, i) => {
  requireTsc(cpu, i);
  writeEdxEax(cpu, readTsc(cpu));
};
/** RDTSCP — Read Time-Stamp Counter and Processor ID. */
export const RDTSCP: SystemSemantics = (cpu, i) => {
  requireTsc(cpu, i);
  writeEdxEax(cpu, readTsc(cpu));
  cpu.state.gpr[RCX] = cpu.state.tscAux & 0xffff_ffffn;
};
/** RDPID — Read Processor ID: IA32_TSC_AUX. */
export const RDPID: SystemSemantics = (cpu, i) => writeOperand(cpu, i, 0, cpu.state.tscAux & 0xffff_ffffn);
/** RDPMC — Read Performance-Monitoring Counters: there are none, so every index is out of range. */
export const RDPMC: SystemSemantics = () => { throw GP(0, 'RDPMC of a counter that does not exist'); };
