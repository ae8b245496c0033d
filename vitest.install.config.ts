import { defineConfig } from 'vitest/config';

// Tests of what users install, from the packed tarballs: `npm run test:install`.
export default defineConfig({
  test: {
    include: ['test/install/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    // npm unpacks half a gigabyte, and other work may be on the machine.
    testTimeout: 300_000,
    hookTimeout: 900_000,
    reporters: ['default', './test/support/closing-line.ts'],
  },
});
