/** CPUID: a named processor model that announces what is built and nothing else. SDM Vol. 2A, "CPUID—CPU Identification". */
import { MAXPHYADDR } from '../mmu/paging-entries.ts';

/** Where a feature is announced: leaf, register and bit. The names are the manual's. */
const FEATURE_BITS = {
  FPU: ['1', 'edx', 0], DE: ['1', 'edx', 2], PSE: ['1', 'edx', 3], TSC: ['1', 'edx', 4], MSR: ['1', 'edx', 5], PAE: ['1', 'edx', 6],
  MCE: ['1', 'edx', 7], CX8: ['1', 'edx', 8], APIC: ['1', 'edx', 9], SEP: ['1', 'edx', 11], MTRR: ['1', 'edx', 12], PGE: ['1', 'edx', 13],
  CMOV: ['1', 'edx', 15], PAT: ['1', 'edx', 16], 'PSE-36': ['1', 'edx', 17], CLFSH: ['1', 'edx', 19], MMX: ['1', 'edx', 23], FXSR: ['1', 'edx', 24], SSE: ['1', 'edx', 25], SSE2: ['1', 'edx', 26],
  CMPXCHG16B: ['1', 'ecx', 13], PCID: ['1', 'ecx', 17], MOVBE: ['1', 'ecx', 22], POPCNT: ['1', 'ecx', 23],
  FSGSBASE: ['7', 'ebx', 0], SMEP: ['7', 'ebx', 7], INVPCID: ['7', 'ebx', 10], SMAP: ['7', 'ebx', 20],
  'LAHF-SAHF in 64-bit mode': ['80000001', 'ecx', 0], SYSCALL: ['80000001', 'edx', 11], 'Execute Disable': ['80000001', 'edx', 20],
  '1-GByte pages': ['80000001', 'edx', 26], RDTSCP: ['80000001', 'edx', 27], 'Intel 64': ['80000001', 'edx', 29],
  'Invariant TSC': ['80000007', 'edx', 8],
} as const;
export type Feature = keyof typeof FEATURE_BITS;
type FeatureRegister = 'ebx' | 'ecx' | 'edx';

export interface CpuModel {
  /** Twelve characters. It tells guests whose rules hold where the vendors differ: ours are Intel's. */
  readonly vendor: string;
  /** At most 47 characters. */
  readonly brand: string;
  /** Family, model and stepping as leaf 1 encodes them, and as EDX holds them after reset. */
  readonly signature: number;
  readonly features: ReadonlySet<Feature>;
  /** Frequency of the TSC and of the local APIC's timer input, in Hz. */
  readonly clockHz: number;
}

/** The model of the machine: one instruction is one tick of 1 ns. */
export const DEFAULT_MODEL: CpuModel = {
  vendor: 'GenuineIntel',
  brand: 'longmode virtual x86-64 processor',
  signature: 0x0003_06a9,
  features: new Set<Feature>([
    'FPU', 'MMX', 'FXSR', 'SSE', 'SSE2', 'DE', 'PSE', 'TSC', 'MSR', 'PAE', 'MCE', 'CX8', 'APIC', 'SEP', 'MTRR', 'PGE', 'CMOV', 'PAT', 'PSE-36', 'CLFSH',
    'CMPXCHG16B', 'PCID', 'MOVBE', 'POPCNT', 'FSGSBASE', 'SMEP', 'INVPCID', 'SMAP',
    'LAHF-SAHF in 64-bit mode', 'SYSCALL', 'Execute Disable', '1-GByte pages', 'RDTSCP', 'Intel 64', 'Invariant TSC',
  ]),
  clockHz: 1_000_000_000,
};

/** The parts of the processor's state that show in CPUID. */
export interface CpuidContext { readonly in64BitMode: boolean; readonly apicEnabled: boolean }
export interface CpuidResult { readonly eax: number; readonly ebx: number; readonly ecx: number; readonly edx: number }

const MAX_BASIC_LEAF = 0x16, MAX_EXTENDED_LEAF = 0x8000_0008;
const NOTHING: CpuidResult = { eax: 0, ebx: 0, ecx: 0, edx: 0 };

const fourCharacters = (text: string, at: number): number =>
  (text.charCodeAt(at) || 0) | ((text.charCodeAt(at + 1) || 0) << 8) | ((text.charCodeAt(at + 2) || 0) << 16) | ((text.charCodeAt(at + 3) || 0) << 24);

function featureWord(model: CpuModel, leaf: string, register: FeatureRegister, without: ReadonlySet<Feature>): number {
  let word = 0;
  for (const [name, [inLeaf, inRegister, bit]] of Object.entries(FEATURE_BITS)) {
    const feature = name as Feature;
    if (inLeaf === leaf && inRegister === register && model.features.has(feature) && !without.has(feature)) word |= 1 << bit;
  }
  return word;
}

/** What CPUID returns for a leaf and subleaf; registers as 32-bit values whose sign is of no meaning. */
export function cpuid(model: CpuModel, leaf: number, subleaf: number, context: CpuidContext): CpuidResult {
  const known = leaf <= MAX_BASIC_LEAF || (leaf >= 0x8000_0000 && leaf <= MAX_EXTENDED_LEAF);
  // Leaves beyond the last give the data of the highest basic leaf.
  if (!known) return cpuid(model, MAX_BASIC_LEAF, subleaf, context);
  // SYSCALL is enumerated in 64-bit mode only; APIC follows the enable bit of IA32_APIC_BASE.
  const without = new Set<Feature>([...(context.in64BitMode ? [] : ['SYSCALL' as const]), ...(context.apicEnabled ? [] : ['APIC' as const])]);
  const features = (register: FeatureRegister): number => featureWord(model, leaf.toString(16), register, without);
  const brand = (part: number): CpuidResult => {
    const at = 16 * part;
    return { eax: fourCharacters(model.brand, at), ebx: fourCharacters(model.brand, at + 4), ecx: fourCharacters(model.brand, at + 8), edx: fourCharacters(model.brand, at + 12) };
  };
  switch (leaf) {
    case 0: return { eax: MAX_BASIC_LEAF, ebx: fourCharacters(model.vendor, 0), edx: fourCharacters(model.vendor, 4), ecx: fourCharacters(model.vendor, 8) };
    // EBX: initial APIC ID 0, one logical processor, CLFLUSH lines of 8 * 8 bytes.
    case 1: return { eax: model.signature, ebx: 0x0001_0800, ecx: features('ecx'), edx: features('edx') };
    // One descriptor, "no cache information here".
    case 2: return { ...NOTHING, eax: 1 };
    case 7: return subleaf === 0 ? { ...NOTHING, ebx: features('ebx') } : NOTHING;
    // TSC : crystal clock is 1 : 1.
    case 0x15: return { eax: 1, ebx: 1, ecx: model.clockHz, edx: 0 };
    case 0x16: { const mhz = Math.round(model.clockHz / 1e6); return { eax: mhz, ebx: mhz, ecx: mhz, edx: 0 }; }
    case 0x8000_0000: return { ...NOTHING, eax: MAX_EXTENDED_LEAF };
    case 0x8000_0001: return { ...NOTHING, ecx: features('ecx'), edx: features('edx') };
    case 0x8000_0002: return brand(0);
    case 0x8000_0003: return brand(1);
    case 0x8000_0004: return brand(2);
    case 0x8000_0007: return { ...NOTHING, edx: features('edx') };
    case 0x8000_0008: return { ...NOTHING, eax: MAXPHYADDR | (48 << 8) };
    default: return NOTHING;
  }
}
