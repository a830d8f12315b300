/** The order of test files: the longest begin first, so that the last ones to end are short and no core waits for one. */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take more than ten seconds. Vitest knows how long files took here before; of a new checkout it knows their sizes, which say little. */
const LONGEST = [
  'isa/silicon-groups', 'isa/silicon', 'guests/guests', 'debug/history', 'decode/agreement', 'cpuid/models', 'machine/snapshot', 'debug/breakpoints', 'debug/last-write', 'trace/qemu', 'engines/extended', 'engines/strings',
  'cli/run', 'cli/kernel', 'cli/save-and-replay', 'cli/gdb',
];
const rank = ({ moduleId }: TestSpecification): number => {
  const n = LONGEST.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`));
  return n < 0 ? LONGEST.length : n;
};

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    // Files of a project stay together: they share workers.
    const projects = [...new Set(sorted.map((x) => x.project))];
    return sorted.sort((a, b) => projects.indexOf(a.project) - projects.indexOf(b.project) || rank(a) - rank(b));
  }
}
