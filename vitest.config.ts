import { defineConfig } from 'vitest/config';

const shared = { pool: 'threads', testTimeout: 60_000 } as const;

export default defineConfig({
  test: {
    maxWorkers: '100%',
    projects: [
      // The instruction table takes longer to load than most files take to run: the files of a worker share it.
      { test: { ...shared, name: 'library', isolate: false, include: ['test/**/*.test.ts'], exclude: ['test/cli/**', 'test/browser/**'] } },
      // These start bin/longmode.js, so dist/ is built first.
      { test: { ...shared, name: 'cli', include: ['test/cli/**/*.test.ts'], globalSetup: ['test/support/build.ts'] } },
    ],
  },
});
