/** CPUID: a processor model announces what is built and nothing else. SDM Vol. 2A, "CPUID—CPU Identification". */
import { LINE_BYTES as MONITOR_LINE_BYTES } from '../mmu/physical-memory.ts';
import { MAXPHYADDR } from '../mmu/paging-entries.ts';
import { FEATURE_NAMES, featurePosition, type CpuFeature } from './isa/features.ts';
import type { CpuModel } from './models.ts';
import { areaBytes, extendedComponent, supportedComponents } from './xsave.ts';

/** The parts of the processor's state that show in CPUID. */
export interface CpuidContext {
  readonly in64BitMode: boolean;
  readonly apicEnabled: boolean;
  /** IA32_MISC_ENABLE lets MONITOR be. */
  readonly monitorEnabled: boolean;
  /** CR4.OSXSAVE. */
  readonly osxsave: boolean;
  /** CR4.PKE. */
  readonly ospke: boolean;
  readonly xcr0: number;
}
export interface CpuidResult { readonly eax: number; readonly ebx: number; readonly ecx: number; readonly edx: number }

const FIRST_EXTENDED_LEAF = 0x8000_0000;
/** The leaf whose features stand in a subleaf. */
const EXTENDED_STATE = 0xd;
/** Leaf 1, ECX: CR4.OSXSAVE. */
const OSXSAVE = 1 << 27;
/** Leaf 7, ECX: CR4.PKE. */
const OSPKE = 1 << 4;
/** Leaf 5: lines of 64 bytes, interrupts end MWAIT while IF is 0 if it wants that, one C1 state. */
const MONITOR_LEAF: CpuidResult = { eax: MONITOR_LINE_BYTES, ebx: MONITOR_LINE_BYTES, ecx: 3, edx: 0x10 };
const NOTHING: CpuidResult = { eax: 0, ebx: 0, ecx: 0, edx: 0 };

const fourCharacters = (text: string, at: number): number =>
  (text.charCodeAt(at) || 0) | ((text.charCodeAt(at + 1) || 0) << 8) | ((text.charCodeAt(at + 2) || 0) << 16) | ((text.charCodeAt(at + 3) || 0) << 24);

/** The announced features of a leaf and subleaf. */
function featureWords(model: CpuModel, leaf: number, subleaf: number, without: ReadonlySet<CpuFeature>): CpuidResult {
  const words = { ...NOTHING };
  for (const feature of FEATURE_NAMES) {
    const [inLeaf, register, bit, inSubleaf = 0] = featurePosition(feature) ?? [];
    if (inLeaf === leaf && inSubleaf === (leaf === EXTENDED_STATE ? subleaf : 0) && register !== undefined && bit !== undefined && model.features.has(feature) && !without.has(feature)) words[register] |= 1 << bit;
  }
  return words;
}

/** Leaf 0D: the components of XCR0 and the bytes that they need, for what XCR0 enables and for all; then each that is behind the header. */
function extendedState(model: CpuModel, subleaf: number, features: CpuidResult, { xcr0 }: CpuidContext): CpuidResult {
  const supported = supportedComponents(model.features);
  if (subleaf === 0) return { eax: supported, ebx: areaBytes(xcr0), ecx: areaBytes(supported), edx: 0 };
  if (subleaf === 1) return { ...features, ebx: model.features.has('xsavec') ? areaBytes(xcr0, xcr0) : 0 };
  const component = extendedComponent(subleaf);
  return component !== undefined && (supported & component.bit) !== 0 ? { ...NOTHING, eax: component.bytes, ebx: component.at } : NOTHING;
}

/** Leaf 0B: one logical processor in one core, x2APIC ID 0. Level types: SMT, core. */
const topology = (subleaf: number): CpuidResult =>
  subleaf < 2 ? { eax: 0, ebx: 1, ecx: ((subleaf + 1) << 8) | subleaf, edx: 0 } : { eax: 0, ebx: 0, ecx: subleaf & 0xff, edx: 0 };

/** What CPUID returns for a leaf and subleaf; registers as 32-bit values whose sign is of no meaning. */
export function cpuid(model: CpuModel, leaf: number, subleaf: number, context: CpuidContext): CpuidResult {
  const { lastLeaf, lastExtendedLeaf } = model;
  // Leaves beyond the last give the data of the highest basic leaf.
  if (leaf > lastLeaf && (leaf < FIRST_EXTENDED_LEAF || leaf > lastExtendedLeaf)) return cpuid(model, lastLeaf, subleaf, context);
  // SYSCALL is enumerated in 64-bit mode only; APIC and MONITOR follow their enable bits in IA32_APIC_BASE and IA32_MISC_ENABLE.
  const without = new Set<CpuFeature>([...(context.in64BitMode ? [] : ['syscall' as const]), ...(context.apicEnabled ? [] : ['apic' as const]), ...(context.monitorEnabled ? [] : ['monitor' as const])]);
  const features = featureWords(model, leaf, subleaf, without);
  const brand = (part: number): CpuidResult => {
    const at = 16 * part;
    return { eax: fourCharacters(model.brand, at), ebx: fourCharacters(model.brand, at + 4), ecx: fourCharacters(model.brand, at + 8), edx: fourCharacters(model.brand, at + 12) };
  };
  switch (leaf) {
    case 0: return { eax: lastLeaf, ebx: fourCharacters(model.vendor, 0), edx: fourCharacters(model.vendor, 4), ecx: fourCharacters(model.vendor, 8) };
    // EBX: initial APIC ID 0, one logical processor, CLFLUSH lines of 8 * 8 bytes.
    case 1: return { ...features, ecx: features.ecx | (context.osxsave ? OSXSAVE : 0), eax: model.signature, ebx: model.features.has('clflush') ? 0x0001_0800 : 0 };
    // One descriptor, "no cache information here".
    case 2: return { ...NOTHING, eax: 1 };
    case 5: return model.features.has('monitor') ? MONITOR_LEAF : NOTHING;
    case 7: return subleaf === 0 ? { ...features, eax: 0, ecx: features.ecx | (context.ospke ? OSPKE : 0) } : NOTHING;
    case 0xb: return model.features.has('x2apic') ? topology(subleaf) : NOTHING;
    case EXTENDED_STATE: return model.features.has('xsave') ? extendedState(model, subleaf, features, context) : NOTHING;
    // TSC : crystal clock is 1 : 1.
    case 0x15: return { eax: 1, ebx: 1, ecx: model.clockHz, edx: 0 };
    case 0x16: { const mhz = Math.round(model.clockHz / 1e6); return { eax: mhz, ebx: mhz, ecx: mhz, edx: 0 }; }
    case 0x8000_0000: return { ...NOTHING, eax: lastExtendedLeaf };
    case 0x8000_0001: return { ...features, eax: 0 };
    case 0x8000_0002: return brand(0);
    case 0x8000_0003: return brand(1);
    case 0x8000_0004: return brand(2);
    case 0x8000_0007: return { ...features, eax: 0 };
    case 0x8000_0008: return { ...NOTHING, eax: MAXPHYADDR | ((model.features.has('la57') ? 57 : 48) << 8) };
    default: return NOTHING;
  }
}
