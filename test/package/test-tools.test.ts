import { expect, test } from 'vitest';
import { findTestTools } from '../../scripts/build/test-tools.mjs';
import { temporaryFolder } from '../support/temporary-folder.js';

test('tests whose programs are missing are skipped, and the reason says what to install', async () => {
  const env = { PATH: '/nonexistent', KARLO_OFFLINE: '1', KARLO_CACHE: temporaryFolder() };
  const tools = await findTestTools(env);
  expect(tools).toEqual([
    {
      skipped: expect.stringMatching(
        /^the queue: redis-server is not installed, and .*Install it: apt-get install redis-server$/,
      ),
      files:
        'test/{cuda/worker.test.ts,eval/queue.test.ts,serve/queue/bullmq/**,serve/results/redis.test.ts}',
    },
    {
      skipped: expect.stringMatching(
        /^the page: Chromium is not installed, and .*Install it: apt-get install chromium$/,
      ),
      files: 'test/{docs/site.test.ts,web/**}',
    },
    {
      skipped: expect.stringMatching(
        /^Python clients: they are not installed, and there is no Python .*Install it: apt-get install python3-venv$/,
      ),
      files: 'test/clients/python.test.ts',
    },
    {
      skipped: expect.stringMatching(
        /^markings in files: ExifTool is not installed, and there is no Perl .*Install it: apt-get install libimage-exiftool-perl$/,
      ),
      files: 'test/images/exiftool.test.ts',
    },
    {
      skipped: expect.stringMatching(
        /^nsfwjs: it is not installed, and KARLO_OFFLINE is set. Install it: npm install --prefix .* nsfwjs@/,
      ),
      files: 'test/package/nsfwjs.test.ts',
    },
    {
      skipped: expect.stringMatching(
        /^compiling CUDA kernels: NVRTC is not installed, and .*Install it: pip install --target .* nvidia-cuda-nvrtc==/,
      ),
      files: 'test/native/nvrtc.test.ts',
    },
  ]);
});
