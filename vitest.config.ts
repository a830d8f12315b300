import { defineConfig } from 'vitest/config';

const shared = { pool: 'threads', testTimeout: 60_000 } as const;

export default defineConfig({
  test: {
    projects: [
      { test: { ...shared, name: 'library', include: ['test/**/*.test.ts'], exclude: ['test/cli/**'] } },
      // These start bin/longmode.js, so dist/ is built first.
      { test: { ...shared, name: 'cli', include: ['test/cli/**/*.test.ts'], globalSetup: ['test/support/build.ts'] } },
    ],
  },
});
