/** A model of ours as QEMU's `-cpu`. */
import { FEATURE_NAMES, featurePosition } from '../cpu/isa/features.ts';
import type { CpuModel } from '../cpu/models.ts';

/** AMD's instructions that TCG has and we do not: 3DNow!, SSE4a and SVM, in APM Vol. 3 to 5 and not in the SDM. */
const NOT_OURS = ['3dnow', '3dnowext', 'sse4a', 'svm'];

/**
 * Everything that TCG can do, but for the features that we name and the model lacks: an instruction that is absent here must be
 * absent there (F3 BSF is TZCNT where there is BMI1). The vendor makes SYSENTER in IA-32e mode what the SDM says it is.
 */
export function qemuCpu({ vendor, signature, features }: CpuModel): string {
  const absent = FEATURE_NAMES.filter((feature) => featurePosition(feature) !== undefined && !features.has(feature));
  const family = (signature >> 8) & 15, model = ((signature >> 12) & 0xf0) | ((signature >> 4) & 15), stepping = signature & 15;
  return ['max', `vendor=${vendor}`, `family=${family}`, `model=${model}`, `stepping=${stepping}`, ...[...absent, ...NOT_OURS].map((feature) => `${feature}=off`)].join(',');
}
