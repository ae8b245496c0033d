import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

// NVRTC needs no GPU. KARLO_TEST_NVRTC, which `npm test` sets, is the path of its library.
test('every CUDA kernel compiles for every dtype and architecture', () => {
  const program = fileURLToPath(new URL('../../build/test/nvrtc_test', import.meta.url));
  const { status, stdout, stderr } = spawnSync(program, { encoding: 'utf8' });
  expect(status, `${stdout}${stderr}`).toBe(0);
}, 600_000);
