/**
 * The features of a processor, by the names that QEMU and Linux give them, and where CPUID announces each. Rows of the table, bits of
 * CR4 and model-specific registers name the feature that makes them exist. SDM Vol. 2A, "CPUID—CPU Identification".
 */

/** Where a feature is announced; undefined where no bit does it. */
type Position = readonly [leaf: number, register: 'eax' | 'ebx' | 'ecx' | 'edx', bit: number, subleaf?: number] | undefined;

export const FEATURES = {
  // Leaf 1, EDX.
  'fpu': [1, 'edx', 0], 'vme': [1, 'edx', 1], 'de': [1, 'edx', 2], 'pse': [1, 'edx', 3], 'tsc': [1, 'edx', 4], 'msr': [1, 'edx', 5],
  'pae': [1, 'edx', 6], 'mce': [1, 'edx', 7], 'cx8': [1, 'edx', 8], 'apic': [1, 'edx', 9], 'sep': [1, 'edx', 11], 'mtrr': [1, 'edx', 12],
  'pge': [1, 'edx', 13], 'mca': [1, 'edx', 14], 'cmov': [1, 'edx', 15], 'pat': [1, 'edx', 16], 'pse36': [1, 'edx', 17],
  'clflush': [1, 'edx', 19], 'mmx': [1, 'edx', 23], 'fxsr': [1, 'edx', 24], 'sse': [1, 'edx', 25], 'sse2': [1, 'edx', 26],
  // Leaf 1, ECX.
  'sse3': [1, 'ecx', 0], 'pclmulqdq': [1, 'ecx', 1], 'monitor': [1, 'ecx', 3], 'ssse3': [1, 'ecx', 9], 'fma': [1, 'ecx', 12],
  'cx16': [1, 'ecx', 13], 'pcid': [1, 'ecx', 17], 'sse4.1': [1, 'ecx', 19], 'sse4.2': [1, 'ecx', 20], 'x2apic': [1, 'ecx', 21],
  'movbe': [1, 'ecx', 22], 'popcnt': [1, 'ecx', 23], 'tsc-deadline': [1, 'ecx', 24], 'aes': [1, 'ecx', 25], 'xsave': [1, 'ecx', 26],
  'avx': [1, 'ecx', 28], 'f16c': [1, 'ecx', 29], 'rdrand': [1, 'ecx', 30],
  // Leaf 7, subleaf 0.
  'fsgsbase': [7, 'ebx', 0], 'bmi1': [7, 'ebx', 3], 'avx2': [7, 'ebx', 5], 'smep': [7, 'ebx', 7], 'bmi2': [7, 'ebx', 8],
  'invpcid': [7, 'ebx', 10], 'rdseed': [7, 'ebx', 18], 'adx': [7, 'ebx', 19], 'smap': [7, 'ebx', 20], 'clflushopt': [7, 'ebx', 23],
  'clwb': [7, 'ebx', 24], 'sha-ni': [7, 'ebx', 29],
  'umip': [7, 'ecx', 2], 'pku': [7, 'ecx', 3], 'la57': [7, 'ecx', 16], 'rdpid': [7, 'ecx', 22],
  'serialize': [7, 'edx', 14], 'arch-capabilities': [7, 'edx', 29],
  // Leaf 0D, subleaf 1.
  'xsaveopt': [0xd, 'eax', 0, 1], 'xsavec': [0xd, 'eax', 1, 1], 'xgetbv1': [0xd, 'eax', 2, 1], 'xsaves': [0xd, 'eax', 3, 1],
  // Extended leaves.
  'lahf-lm': [0x8000_0001, 'ecx', 0], 'abm': [0x8000_0001, 'ecx', 5], '3dnowprefetch': [0x8000_0001, 'ecx', 8],
  'syscall': [0x8000_0001, 'edx', 11], 'nx': [0x8000_0001, 'edx', 20], 'pdpe1gb': [0x8000_0001, 'edx', 26],
  'rdtscp': [0x8000_0001, 'edx', 27], 'lm': [0x8000_0001, 'edx', 29], 'invtsc': [0x8000_0007, 'edx', 8],
  /** What came with the Pentium Pro and has no bit: multi-byte NOPs, RDPMC. The family in leaf 1, EAX, says it: 6 or 15. SDM Vol. 2B, "NOP—No Operation". */
  'family6': undefined,
} as const satisfies Readonly<Record<string, Position>>;
export type CpuFeature = keyof typeof FEATURES;
export type CpuFeatures = ReadonlySet<CpuFeature>;

export const FEATURE_NAMES = Object.keys(FEATURES) as readonly CpuFeature[];
export const featurePosition = (feature: CpuFeature): Position => FEATURES[feature];

/** What a feature cannot work without: registers and state that its instructions use, the mode in which alone they exist, where they are enabled. */
const NEEDS: Readonly<Partial<Record<CpuFeature, readonly CpuFeature[]>>> = {
  'fxsr': ['fpu'], 'mmx': ['fpu'], 'sse': ['fxsr', 'mmx'], 'sse2': ['sse'], 'sse3': ['sse2'], 'ssse3': ['sse2'], 'sse4.1': ['sse2'], 'sse4.2': ['sse2'],
  'pclmulqdq': ['sse2'], 'aes': ['sse2'], 'sha-ni': ['sse2'],
  'xsave': ['sse'], 'xsaveopt': ['xsave'], 'xsavec': ['xsave'], 'xgetbv1': ['xsave'], 'xsaves': ['xsavec', 'msr'],
  'avx': ['xsave', 'sse2'], 'avx2': ['avx'], 'f16c': ['avx'], 'fma': ['avx'],
  'lm': ['pae', 'msr'], 'syscall': ['lm'], 'cx16': ['lm'], 'lahf-lm': ['lm'], 'fsgsbase': ['lm'], 'pdpe1gb': ['lm'], 'pcid': ['lm'], 'la57': ['lm'], 'pku': ['lm', 'xsave'],
  'nx': ['pae', 'msr'], 'sep': ['msr'], 'mtrr': ['msr'], 'pat': ['msr'], 'mca': ['mce', 'msr'], 'arch-capabilities': ['msr'], 'rdtscp': ['tsc', 'msr'], 'rdpid': ['msr'], 'invtsc': ['tsc'],
  'x2apic': ['apic', 'msr'], 'tsc-deadline': ['apic', 'tsc', 'msr'], 'clflushopt': ['clflush'], 'clwb': ['clflush'],
};
export const needsOf = (feature: CpuFeature): readonly CpuFeature[] => NEEDS[feature] ?? [];
