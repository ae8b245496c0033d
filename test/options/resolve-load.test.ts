import { afterEach, expect, test, vi } from 'vitest';
import { resolveLoadOptions } from '../../lib/options/resolve-load.js';

afterEach(() => vi.unstubAllEnvs());

test('OMP_NUM_THREADS is the default of threads', () => {
  vi.stubEnv('OMP_NUM_THREADS', '3');
  expect(resolveLoadOptions({}).threads).toBe(3);
  expect(resolveLoadOptions({ threads: 2 }).threads).toBe(2);
});
