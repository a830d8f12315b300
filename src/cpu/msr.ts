/** Model-specific registers. What is not listed raises #GP(0). SDM Vol. 4, "Model-Specific Registers (MSRs)". */
import { APIC_BASE, apicMode } from '../state/apic-base.ts';
import { SEGMENT } from '../state/layout.ts';
import { CR0, EFER } from '../mmu/control-bits.ts';
import { MAXPHYADDR } from '../mmu/paging-entries.ts';
import type { Cpu } from './cpu.ts';
import { GP } from './exceptions.ts';
import type { CpuFeature, CpuFeatures } from './isa/features.ts';
import { isCanonical } from '../state/addresses.ts';

/** Addresses of the MSRs, by the manual's names. */
export const MSR = {
  P5_MC_ADDR: 0x0, P5_MC_TYPE: 0x1, TIME_STAMP_COUNTER: 0x10, PLATFORM_ID: 0x17, APIC_BASE: 0x1b, SMI_COUNT: 0x34, FEATURE_CONTROL: 0x3a, BIOS_SIGN_ID: 0x8b,
  PLATFORM_INFO: 0xce, MTRRCAP: 0xfe, ARCH_CAPABILITIES: 0x10a,
  SYSENTER_CS: 0x174, SYSENTER_ESP: 0x175, SYSENTER_EIP: 0x176, MCG_CAP: 0x179, MCG_STATUS: 0x17a, MCG_CTL: 0x17b, MISC_FEATURES_ENABLES: 0x140, MISC_ENABLE: 0x1a0, DEBUGCTL: 0x1d9, POWER_CTL: 0x1fc,
  MTRR_PHYSBASE0: 0x200, MTRR_FIX64K_00000: 0x250, PAT: 0x277, MTRR_DEF_TYPE: 0x2ff, MC0_CTL: 0x400, TSC_DEADLINE: 0x6e0, XSS: 0xda0,
  EFER: 0xc000_0080, STAR: 0xc000_0081, LSTAR: 0xc000_0082, CSTAR: 0xc000_0083, FMASK: 0xc000_0084,
  FS_BASE: 0xc000_0100, GS_BASE: 0xc000_0101, KERNEL_GS_BASE: 0xc000_0102, TSC_AUX: 0xc000_0103,
} as const;

/** Machine-check banks, of four registers each, and the register that enables them (MCG_CTL_P). No error ever happens in them. SDM Vol. 3B, "Machine-Check MSRs". */
const MACHINE_CHECK_BANKS = 4, MCG_CTL_P = 0x100;
/** RIPV, EIPV and MCIP. */
const MCG_STATUS_BITS = 7n;
/** The clock that ratios count, and the maximum non-turbo ratio in bits 15:8 of MSR_PLATFORM_INFO. */
const RATIO_HZ = 100_000_000, RATIO_SHIFT = 8n;

/**
 * IA32_ARCH_CAPABILITIES: what this processor does not do, since it executes nothing that is not architectural: RDCL_NO, SKIP_L1DFL_VMENTRY, SSB_NO, MDS_NO,
 * IF_PSCHANGE_MC_NO, TAA_NO, SBDR_SSDP_NO, FBSDP_NO, PSDP_NO, BHI_NO, PBRSB_NO, GDS_NO, RFDS_NO. Systems then need no second set of page tables and no flushes of buffers.
 */
const ARCH_CAPABILITIES_BITS = [0, 3, 4, 5, 6, 8, 13, 14, 15, 20, 24, 26, 27];
const ARCH_CAPABILITIES_VALUE = ARCH_CAPABILITIES_BITS.reduce((value, bit) => value | (1n << BigInt(bit)), 0n);

/** Eight variable ranges, fixed ranges supported, write-combining supported. */
const MTRRCAP_VALUE = 0x508n;
const VARIABLE_MTRRS = 8;
const FIXED_MTRRS = [0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b, 0x26c, 0x26d, 0x26e, 0x26f];
const BEYOND_PHYSICAL = ~((1n << BigInt(MAXPHYADDR)) - 1n);

interface Register {
  readonly read: (cpu: Cpu) => bigint;
  /** Undefined: read-only, so WRMSR raises #GP(0). */
  readonly write?: (cpu: Cpu, value: bigint) => void;
  /** It exists where the processor has one of these. */
  readonly features?: readonly CpuFeature[];
  /** And this one besides. */
  readonly alsoNeeds?: CpuFeature;
}
/** Registers that come with a feature, or with any of several. */
const of = (features: CpuFeature | readonly CpuFeature[], register: Register): Register => ({ ...register, features: typeof features === 'string' ? [features] : features });

function require(condition: boolean, reason: string): void {
  if (!condition) throw GP(0, reason);
}
const requireZero = (value: bigint, reserved: bigint): void => require((value & reserved) === 0n, 'WRMSR sets a reserved bit');
const requireCanonical = (value: bigint, cpu: Cpu): void => require(isCanonical(value, cpu.widestLinear), 'WRMSR of a non-canonical address');

/** Uncached, write-combining, write-through, write-protected, write-back; PAT also has uncached-minus, 7. */
const isMtrrType = (type: number): boolean => type === 0 || type === 1 || type === 4 || type === 5 || type === 6;
const bytesOf = (value: bigint): number[] => Array.from({ length: 8 }, (_, n) => Number((value >> BigInt(8 * n)) & 0xffn));

/** A register that only stores, after a check. */
type StoredField = 'star' | 'lstar' | 'cstar' | 'sfmask' | 'kernelGsBase' | 'sysenterCs' | 'sysenterEsp' | 'sysenterEip' | 'pat' | 'mtrrDefType' | 'miscEnable' | 'tscAux' | 'mcgStatus' | 'mcgCtl';
const stored = (field: StoredField, check: (value: bigint, cpu: Cpu) => void = () => undefined): Register => ({
  read: (cpu) => cpu.state[field],
  write: (cpu, value) => { check(value, cpu); cpu.state[field] = value; },
});
const segmentBase = (segment: number): Register => ({
  read: (cpu) => cpu.state.base[segment]!,
  write: (cpu, value) => { requireCanonical(value, cpu); cpu.state.base[segment] = value; },
});
const constant = (value: bigint): Register => ({ read: () => value });
/** Accepts writes that change nothing. */
const onlyZero: Register = { read: () => 0n, write: (_, value) => requireZero(value, ~0n) };

/** IA32_MISC_ENABLE: fast strings, which mean nothing here, and the MONITOR FSM, without which there are no MONITOR and MWAIT. */
export const MISC_ENABLE = { FAST_STRINGS: 1n << 0n, MONITOR: 1n << 18n } as const;
/** Its bits that this processor has: all of them are set after reset. */
export const miscEnableAfterReset = (features: CpuFeatures): bigint => MISC_ENABLE.FAST_STRINGS | (features.has('monitor') ? MISC_ENABLE.MONITOR : 0n);

/** The time-stamp counter: virtual time in nanoseconds plus what WRMSR has set. */
export const readTsc = (cpu: Cpu): bigint => BigInt.asUintN(64, BigInt(Math.floor(cpu.bus.now())) + cpu.state.tscOffset);

function writeTsc(cpu: Cpu, value: bigint): void {
  cpu.state.tscOffset = BigInt.asUintN(64, value - BigInt(Math.floor(cpu.bus.now())));
  if (cpu.bus.localApic?.deadlineArmed === true) armDeadline(cpu);
}

/** Bits of IA32_EFER, with the feature that makes them exist; without any of these there is no IA32_EFER. */
const EFER_FEATURES: readonly (readonly [number, CpuFeature])[] = [[EFER.SCE, 'syscall'], [EFER.LME | EFER.LMA, 'lm'], [EFER.NXE, 'nx']];

function writeEfer(cpu: Cpu, value: bigint): void {
  const { state, model } = cpu;
  const writable = EFER_FEATURES.reduce((mask, [bits, feature]) => (model.features.has(feature) ? mask | bits : mask), 0);
  requireZero(value, ~BigInt(writable));
  const wanted = Number(value);
  require(((wanted ^ state.efer) & EFER.LME) === 0 || (state.cr0 & CR0.PG) === 0, 'EFER.LME changed while paging is on');
  const before = { cr0: state.cr0, cr4: state.cr4, efer: state.efer };
  // LMA is read-only and ignored.
  state.efer = (wanted & ~EFER.LMA) | (state.efer & EFER.LMA);
  cpu.mmu.controlRegistersChanged(before);
  cpu.refresh();
}

/** SDM Vol. 3A, "x2APIC State Transitions". */
function writeApicBase(cpu: Cpu, value: bigint): void {
  const { state, bus, model } = cpu;
  const bits = APIC_BASE.BSP | APIC_BASE.EN | (model.features.has('x2apic') ? APIC_BASE.EXTD : 0n);
  requireZero(value, BEYOND_PHYSICAL | (0xfffn & ~bits));
  const before = apicMode(state.apicBase), after = apicMode(value);
  require(after !== 'off' || (value & APIC_BASE.EXTD) === 0n, 'IA32_APIC_BASE.EXTD without EN');
  require(before !== 'x2APIC' || after !== 'xAPIC', 'from x2APIC mode to xAPIC mode at once');
  require(before !== 'off' || after !== 'x2APIC', 'to x2APIC mode with the local APIC off');
  state.apicBase = value;
  bus.apicBaseChanged(value);
}

/** The MSRs of x2APIC mode; each is #GP in other modes. */
const X2APIC_FIRST = 0x800, X2APIC_COUNT = 0x40;
const x2apicRegister = (number: number): Register => ({
  read: (cpu) => {
    const value = cpu.bus.localApic?.readX2(number);
    if (value === undefined) throw GP(0, `RDMSR of x2APIC register 0x${number.toString(16)}`);
    return value;
  },
  write: (cpu, value) => require(cpu.bus.localApic?.writeX2(number, value) === true, `WRMSR to x2APIC register 0x${number.toString(16)}`),
});

const MOST_TIME = BigInt(Number.MAX_SAFE_INTEGER);
/** Tells the timer when the time-stamp counter will come to IA32_TSC_DEADLINE. */
function armDeadline(cpu: Cpu): void {
  const { tscDeadline } = cpu.state, now = readTsc(cpu);
  if (tscDeadline === 0n) return cpu.bus.localApic?.setDeadline(undefined);
  const at = BigInt(Math.floor(cpu.bus.now())) + (tscDeadline > now ? tscDeadline - now : 0n);
  cpu.bus.localApic?.setDeadline(Number(at < MOST_TIME ? at : MOST_TIME));
}

const registers = new Map<number, Register>([
  [MSR.P5_MC_ADDR, of('mce', constant(0n))],
  [MSR.P5_MC_TYPE, of('mce', constant(0n))],
  [MSR.TIME_STAMP_COUNTER, of('tsc', { read: readTsc, write: writeTsc })],
  [MSR.TSC_DEADLINE, of('tsc-deadline', {
    read: (cpu) => (cpu.bus.localApic?.deadlineArmed === true ? cpu.state.tscDeadline : 0n),
    write: (cpu, value) => { cpu.state.tscDeadline = value; armDeadline(cpu); },
  })],
  [MSR.PLATFORM_ID, of('family6', constant(0n))],
  [MSR.APIC_BASE, of('family6', { read: (cpu) => cpu.state.apicBase, write: writeApicBase, alsoNeeds: 'apic' })],
  // Locked, with nothing enabled.
  [MSR.FEATURE_CONTROL, of('family6', constant(1n))],
  // No microcode update is loaded; software writes 0 before it reads the revision.
  [MSR.BIOS_SIGN_ID, of('family6', onlyZero)],
  [MSR.MTRRCAP, of('mtrr', constant(MTRRCAP_VALUE))],
  [MSR.ARCH_CAPABILITIES, of('arch-capabilities', constant(ARCH_CAPABILITIES_VALUE))],
  [MSR.SYSENTER_CS, of('sep', stored('sysenterCs'))],
  [MSR.SYSENTER_ESP, of('sep', stored('sysenterEsp', requireCanonical))],
  [MSR.SYSENTER_EIP, of('sep', stored('sysenterEip', requireCanonical))],
  [MSR.MCG_CAP, of('mca', constant(BigInt(MCG_CTL_P | MACHINE_CHECK_BANKS)))],
  [MSR.MCG_STATUS, of('mca', stored('mcgStatus', (value) => requireZero(value, ~MCG_STATUS_BITS)))],
  [MSR.MCG_CTL, of('mca', stored('mcgCtl'))],
  // There is no system-management mode, no turbo, no feature to switch here, no state of lower power.
  [MSR.SMI_COUNT, of('family6', constant(0n))],
  [MSR.PLATFORM_INFO, of('family6', { read: (cpu) => BigInt(Math.round(cpu.model.clockHz / RATIO_HZ)) << RATIO_SHIFT })],
  [MSR.MISC_FEATURES_ENABLES, of('family6', onlyZero)],
  [MSR.POWER_CTL, of('family6', onlyZero)],
  [MSR.MISC_ENABLE, of('family6', stored('miscEnable', (value, cpu) => requireZero(value, ~miscEnableAfterReset(cpu.model.features))))],
  [MSR.DEBUGCTL, of('family6', onlyZero)],
  [MSR.PAT, of('pat', stored('pat', (value) => require(bytesOf(value).every((type) => isMtrrType(type) || type === 7), 'memory type in IA32_PAT')))],
  [MSR.MTRR_DEF_TYPE, of('mtrr', stored('mtrrDefType', (value) => { requireZero(value, ~0xcffn); require(isMtrrType(Number(value & 0xffn)), 'memory type of an MTRR'); }))],
  // No state component is a supervisor's alone.
  [MSR.XSS, of('xsaves', onlyZero)],
  [MSR.EFER, of(['syscall', 'lm', 'nx'], { read: (cpu) => BigInt(cpu.state.efer), write: writeEfer })],
  [MSR.STAR, of('syscall', stored('star'))],
  [MSR.LSTAR, of('syscall', stored('lstar', requireCanonical))],
  [MSR.CSTAR, of('syscall', stored('cstar', requireCanonical))],
  [MSR.FMASK, of('syscall', stored('sfmask', (value) => requireZero(value, ~0xffff_ffffn)))],
  [MSR.FS_BASE, of('lm', segmentBase(SEGMENT.FS))],
  [MSR.GS_BASE, of('lm', segmentBase(SEGMENT.GS))],
  [MSR.KERNEL_GS_BASE, of('lm', stored('kernelGsBase', requireCanonical))],
  [MSR.TSC_AUX, of(['rdtscp', 'rdpid'], stored('tscAux', (value) => requireZero(value, ~0xffff_ffffn)))],
]);
for (let bank = 0; bank < MACHINE_CHECK_BANKS; bank++) {
  const ctl = MSR.MC0_CTL + 4 * bank;
  registers.set(ctl, of('mca', { read: (cpu) => cpu.state.mcCtl[bank]!, write: (cpu, value) => { cpu.state.mcCtl[bank] = value; } }));
  // Status, address and miscellaneous: software may clear them only.
  for (let n = 1; n < 4; n++) registers.set(ctl + n, of('mca', onlyZero));
}
for (let n = 0; n < X2APIC_COUNT; n++) registers.set(X2APIC_FIRST + n, of('x2apic', x2apicRegister(n)));
FIXED_MTRRS.forEach((address, n) => registers.set(address, of('mtrr', {
  read: (cpu) => cpu.state.mtrrFixed[n]!,
  write: (cpu, value) => { require(bytesOf(value).every(isMtrrType), 'memory type of an MTRR'); cpu.state.mtrrFixed[n] = value; },
})));
for (let n = 0; n < 2 * VARIABLE_MTRRS; n++) {
  const isMask = (n & 1) === 1;
  registers.set(MSR.MTRR_PHYSBASE0 + n, of('mtrr', {
    read: (cpu) => cpu.state.mtrrVariable[n]!,
    write: (cpu, value) => {
      requireZero(value, BEYOND_PHYSICAL | (isMask ? 0x7ffn : 0xf00n));
      require(isMask || isMtrrType(Number(value & 0xffn)), 'memory type of an MTRR');
      cpu.state.mtrrVariable[n] = value;
    },
  }));
}

/** The register at an address, if this processor has it. */
function find({ model }: Cpu, address: number): Register | undefined {
  const register = registers.get(address);
  if (register?.features?.some((feature) => model.features.has(feature)) === false) return undefined;
  return register?.alsoNeeds === undefined || model.features.has(register.alsoNeeds) ? register : undefined;
}

/** RDMSR without the privilege check. Throws #GP(0) for an unknown register. */
export function readMsr(cpu: Cpu, address: number): bigint {
  const register = find(cpu, address);
  if (!register) throw GP(0, `RDMSR of unknown MSR 0x${address.toString(16)}`);
  return register.read(cpu);
}

/** WRMSR without the privilege check. Throws #GP(0) for an unknown or read-only register, reserved bits, non-canonical addresses. */
export function writeMsr(cpu: Cpu, address: number, value: bigint): void {
  const register = find(cpu, address);
  if (!register) throw GP(0, `WRMSR to unknown MSR 0x${address.toString(16)}`);
  if (!register.write) throw GP(0, `WRMSR to read-only MSR 0x${address.toString(16)}`);
  register.write(cpu, value);
  cpu.observer?.msr(address, value);
}
