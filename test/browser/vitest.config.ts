/** The page in a real browser: needs chromium, so it is not part of `npm test`. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { name: 'browser', include: ['test/browser/**/*.test.ts'], globalSetup: ['test/browser/support/build.ts'], testTimeout: 90_000, hookTimeout: 90_000, fileParallelism: false, expect: { poll: { timeout: 20_000 } } },
});
