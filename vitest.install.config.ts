import { defineConfig } from 'vitest/config';

// Tests of what users install, from the packed tarballs: `npm run test:install`.
export default defineConfig({
  test: {
    include: ['test/install/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 180_000,
    reporters: ['default', './test/closing-line.ts'],
  },
});
