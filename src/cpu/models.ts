/**
 * Models of processors: which features each has, and how `--cpu MODEL[,+FEATURE,-FEATURE]` says one. The levels are
 * those of the System V ABI, AMD64 Supplement, "Micro-Architecture Levels"; what is no part of a level is that of servers of its time.
 */
import { FEATURE_NAMES, featurePosition, needsOf, type CpuFeature, type CpuFeatures } from './isa/features.ts';

export interface CpuModel {
  /** Twelve characters. It tells guests whose rules hold where the vendors differ: ours are Intel's. */
  readonly vendor: string;
  /** At most 47 characters. */
  readonly brand: string;
  /** Family, model and stepping as leaf 1 encodes them, and as EDX holds them after reset. */
  readonly signature: number;
  readonly features: CpuFeatures;
  /** The last basic and extended leaf of CPUID; the latter is 0 where there is none. */
  readonly lastLeaf: number;
  readonly lastExtendedLeaf: number;
  /** Frequency of the TSC and of the local APIC's timer input, in Hz: one instruction is one tick of 1 ns. */
  readonly clockHz: number;
}

/** What a name stands for. */
interface Description { readonly signature: number; readonly lastLeaf: number; readonly features: readonly CpuFeature[]; readonly says: string }

/** What every model with long mode has besides its instructions: what systems need, and what came later and is harmless. */
const PLATFORM: readonly CpuFeature[] = [
  'family6', 'de', 'pse', 'tsc', 'msr', 'pae', 'mce', 'mca', 'apic', 'sep', 'mtrr', 'pge', 'pat', 'pse36', 'clflush', 'pcid', 'smep', 'smap', 'invpcid', 'fsgsbase',
  'nx', 'pdpe1gb', 'rdtscp', 'lm', 'invtsc', '3dnowprefetch',
];
const BASELINE: readonly CpuFeature[] = ['cmov', 'cx8', 'fpu', 'fxsr', 'mmx', 'syscall', 'sse', 'sse2'];
const V2: readonly CpuFeature[] = [...PLATFORM, ...BASELINE, 'cx16', 'lahf-lm', 'popcnt', 'sse3', 'ssse3', 'sse4.1', 'sse4.2'];
/** The last servers of this level and not of the next, which has AVX-512: Broadwell. Intel Xeon Processor E5-2600 v4. */
const V3_SERVER: readonly CpuFeature[] = ['vme', 'monitor', 'x2apic', 'tsc-deadline', 'pclmulqdq', 'aes', 'rdrand', 'rdseed', 'adx', 'xsaveopt', 'arch-capabilities'];
const V3: readonly CpuFeature[] = [...V2, ...V3_SERVER, 'avx', 'avx2', 'bmi1', 'bmi2', 'f16c', 'fma', 'abm', 'movbe', 'xsave'];
const I486: readonly CpuFeature[] = ['fpu', 'pse'];
const PENTIUM: readonly CpuFeature[] = [...I486, 'de', 'tsc', 'msr', 'mce', 'cx8', 'apic'];

const FAMILY_6 = 0x0003_06a9, LAST_LEAF = 0x16;
/** In the order of help. */
export const MODEL_NAMES = ['x86-64-v3', 'x86-64-v2', 'pentium', '486', 'max'] as const;
type ModelName = (typeof MODEL_NAMES)[number];
const MODELS: Readonly<Record<ModelName, Description>> = {
  'max': { signature: FAMILY_6, lastLeaf: LAST_LEAF, features: FEATURE_NAMES, says: 'all that is built' },
  'x86-64-v3': { signature: FAMILY_6, lastLeaf: LAST_LEAF, features: V3, says: 'up to AVX2, BMI2, FMA, LZCNT and MOVBE, with AES-NI, RDRAND and x2APIC as on servers' },
  'x86-64-v2': { signature: FAMILY_6, lastLeaf: LAST_LEAF, features: V2, says: 'up to SSE4.2, POPCNT and CMPXCHG16B' },
  'pentium': { signature: 0x0000_0543, lastLeaf: 1, features: PENTIUM, says: 'family 5: CMPXCHG8B, RDTSC and MSRs' },
  '486': { signature: 0x0000_0480, lastLeaf: 1, features: I486, says: 'family 4 with an x87 FPU and CPUID' },
};
export const DEFAULT_MODEL_NAME: ModelName = 'x86-64-v3';

/** Names and what they stand for, for help. */
export const describeModels = (): string => MODEL_NAMES.map((name) => `    ${name.padEnd(12)}${MODELS[name].says}`).join('\n');

/** What is wrong with a model's text; `word` is the part that is unknown, `known` what it could be. */
export class CpuModelError extends Error {
  override readonly name = 'CpuModelError';
  readonly word: string | undefined;
  readonly known: readonly string[];
  constructor(message: string, word?: string, known: readonly string[] = []) {
    super(message);
    this.word = word;
    this.known = known;
  }
}

const LEAF_OF_BRAND = 0x8000_0004, LEAF_OF_SIZES = 0x8000_0008;

/** The model of a signature and features: as many leaves as these need. */
function modelOf({ signature, lastLeaf }: Description, features: CpuFeatures): CpuModel {
  const leaves = FEATURE_NAMES.flatMap((feature) => (features.has(feature) ? featurePosition(feature)?.[0] ?? [] : []));
  const extended = leaves.some((leaf) => leaf > LEAF_OF_BRAND - 4);
  return {
    vendor: 'GenuineIntel', brand: 'longmode virtual x86-64 processor', signature, features, clockHz: 1_000_000_000,
    lastLeaf: Math.max(lastLeaf, ...leaves.filter((leaf) => leaf < 0x8000_0000)),
    lastExtendedLeaf: extended ? LEAF_OF_SIZES : 0,
  };
}

/** Takes a feature away, and with it what cannot work without it. */
function takeAway(features: Set<CpuFeature>, feature: CpuFeature): void {
  features.delete(feature);
  for (const dependent of features) if (needsOf(dependent).includes(feature)) takeAway(features, dependent);
}
/** What a feature needs, what that needs, and so on. */
const allNeedsOf = (feature: CpuFeature): readonly CpuFeature[] => needsOf(feature).flatMap((need) => [need, ...allNeedsOf(need)]);

/**
 * The model that `MODEL[,+FEATURE,-FEATURE]` says: every feature of it has what it needs. `-FEATURE` takes with it what needs the feature, as QEMU does.
 * Throws CpuModelError for what is unknown or lacks what it needs.
 */
export function parseCpuModel(text: string): CpuModel {
  const [name = '', ...changes] = text.split(',');
  const known = MODEL_NAMES.find((model) => model === name);
  if (known === undefined) throw new CpuModelError(`"${name}" is no processor model`, name, MODEL_NAMES);
  const description = MODELS[known];
  const features = new Set(description.features);
  for (const change of changes) {
    const sign = change[0], feature = change.slice(1) as CpuFeature;
    if (sign !== '+' && sign !== '-') throw new CpuModelError(`"${change}" is neither +FEATURE nor -FEATURE`);
    if (!FEATURE_NAMES.includes(feature)) throw new CpuModelError(`"${feature}" is no feature of a processor`, feature, FEATURE_NAMES);
    if (sign === '+') features.add(feature);
    else takeAway(features, feature);
  }
  for (const feature of features) {
    const missing = new Set(allNeedsOf(feature).filter((need) => !features.has(need)));
    if (missing.size > 0) throw new CpuModelError(`${text} has ${feature}, which needs ${[...missing].join(', ')}`);
  }
  return modelOf(description, features);
}

/** What a machine has if nothing else is asked for. */
export const DEFAULT_MODEL: CpuModel = parseCpuModel(DEFAULT_MODEL_NAME);
/** The processor for tests of single instructions. */
export const EVERY_FEATURE: CpuModel = parseCpuModel('max');
