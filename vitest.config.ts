import { defineConfig } from 'vitest/config';
import { capabilities } from './test/support/capabilities.js';
import { fakeCuda } from './test/support/fake-cuda.js';

/** What depends on the instruction set of the CPU kernels. */
const numeric = [
  'test/native/cpp.test.ts',
  'test/parity/images.test.ts',
  'test/parity/networks.test.ts',
  'test/parity/truth.test.ts',
];

/** What also runs on a CUDA device. */
const onDevice = [
  'test/karlo.test.ts',
  'test/parity/networks.test.ts',
  'test/parity/stages.test.ts',
];

/** The kernels of a lower instruction set than the processor's, on which other users' images depend. */
const lower = capabilities().slice(0, -1);

export default defineConfig({
  test: {
    exclude: ['test/install/**', 'test/arm64/**'], // vitest.install.config.ts, vitest.arm64.config.ts
    // Each file in a separate process, so that a crash of the addon fails only its tests.
    pool: 'forks',
    maxWorkers: 2,
    // Only what hangs takes this long: tests wait for states, also on a machine that is busy with other work.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 60_000 } },
    reporters: ['default', './test/support/closing-line.ts'],
    projects: [
      {
        extends: true,
        test: { name: 'all', include: ['test/**/*.test.ts'], exclude: ['test/cuda/**'] },
      },
      ...lower.map((KARLO_CPU_CAPABILITY) => ({
        extends: true as const,
        test: {
          name: KARLO_CPU_CAPABILITY,
          include: numeric,
          env: { KARLO_CPU_CAPABILITY },
        },
      })),
      ...(fakeCuda === undefined
        ? []
        : [
            {
              extends: true as const,
              test: {
                name: 'cuda',
                include: ['test/cuda/*.test.ts', ...onDevice],
                env: { ...fakeCuda, KARLO_TEST_DEVICE: 'cuda:1' },
              },
            },
          ]),
    ],
  },
});
