import { defineConfig } from 'vitest/config';
import { compiled } from './test/support/compiled.ts';
import { LongestFirst } from './test/support/longest-first.ts';

const shared = { pool: 'threads' as const, testTimeout: 60_000, server: { deps: { external: [/\/dist\//] } } };

export default defineConfig({
  test: {
    maxWorkers: '100%',
    sequence: { sequencer: LongestFirst },
    // dist/ is built first.
    globalSetup: ['test/support/build.ts'],
    projects: [
      // The instruction table takes longer to load than most files take to run: the files of a worker share it.
      { plugins: [compiled], test: { ...shared, name: 'library', isolate: false, include: ['test/**/*.test.ts'], exclude: ['test/cli/**', 'test/browser/**'] } },
      { plugins: [compiled], test: { ...shared, name: 'cli', include: ['test/cli/**/*.test.ts'] } },
    ],
  },
});
