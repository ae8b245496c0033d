import { defineConfig } from 'vitest/config';

// Tests of the addon for Linux on Arm, in an emulator: `npm run test:arm64`, which sets these variables.
const { KARLO_TEST_NODE = '', KARLO_TEST_SHORT } = process.env;

/** What depends on the processor. */
const include = KARLO_TEST_SHORT
  ? ['test/native/cpp.test.ts']
  : ['test/native/cpp.test.ts', 'test/arm64/**/*.test.ts', 'test/torch/{device,tensor}.test.ts'];

// Vitest runs on this machine, and its workers in the emulator.
process.execPath = KARLO_TEST_NODE;

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    // An emulated processor is ten to fifty times slower.
    testTimeout: 3_600_000,
    hookTimeout: 3_600_000,
    setupFiles: ['./test/support/emulated-node.ts'],
    reporters: ['default', './test/support/closing-line.ts'],
    // The first has no bfloat16 instructions.
    projects: ['neoverse-n1', 'max'].map((QEMU_CPU) => ({
      extends: true as const,
      test: { name: QEMU_CPU, include, env: { QEMU_CPU } },
    })),
  },
});
