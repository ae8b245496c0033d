import { defineConfig } from 'vitest/config';

// Tests of the packed tarballs, installed in empty folders: `npm run test:install`.
export default defineConfig({
  test: {
    include: ['test/install/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    // npm unpacks half a gigabyte, and the machine may be busy.
    testTimeout: 300_000,
    hookTimeout: 900_000,
    reporters: ['default', './test/support/closing-line.ts'],
  },
});
