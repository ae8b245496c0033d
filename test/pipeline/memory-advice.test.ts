import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { KarloError } from '../../lib/errors.js';
import type { Model } from '../../lib/layouts/index.js';
import type { Placement } from '../../lib/networks/placement.js';
import { flagLabel } from '../../lib/options/flags.js';
import { loadNetworks } from '../../lib/pipeline/load-networks.js';

// Runs in its own process, limited to the memory that it has and a little for one image.
const program = `
  import { readFileSync } from 'node:fs';
  import { execFileSync } from 'node:child_process';
  import { Karlo } from './dist/lib/index.js';
  const karlo = await Karlo.load({ device: 'cpu', dtype: 'float32' });
  const short = { prior: { steps: 2 }, decoder: { steps: 2 }, upsample: { steps: 2 }, seed: 1 };
  const before = await karlo.textToImage('a ring', short);
  const size = Number(/VmSize:\\s+(\\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
  execFileSync('prlimit', ['--pid', String(process.pid), '--as=' + (size + 200_000) * 1024]);
  const error = await karlo.textToImage('a ring', { ...short, batchSize: 400 }).catch((e) => e);
  const after = await karlo.textToImage('a ring', short);
  const same = Buffer.compare(before.images[0].data, after.images[0].data) === 0;
  console.log(JSON.stringify({ code: error.code, message: error.message, same }));
`;

test.runIf(process.platform === 'linux')(
  'running out of memory says what to try, and the model stays usable',
  { timeout: 180_000 },
  () => {
    const args = ['--input-type=module', '--eval', program];
    const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({
      code: 'ERR_KARLO_OUT_OF_MEMORY',
      message: expect.stringMatching(
        /for 400 images at once in float32\. Try any of: a batchSize below 400, dtype: 'bfloat16', residency: 'staged'\. The model can still be used/,
      ),
      same: true,
    });
  },
);

test.each([
  { label: undefined, advice: "dtype: 'bfloat16', residency: 'staged'" },
  { label: flagLabel, advice: '--dtype bfloat16, --residency staged' },
])('running out of memory while loading suggests $advice', async ({ label, advice }) => {
  const cause = new KarloError('ERR_KARLO_OUT_OF_MEMORY', 'no more');
  const load = () => Promise.reject(cause);
  const model = { configs: { prior: {} }, load } as unknown as Model;
  const placement = { device: 'cpu', dtype: 'float32' } as Placement;
  const options = label ? { label } : {};
  await expect(loadNetworks(model, 'resident', placement, options)).rejects.toMatchObject({
    code: 'ERR_KARLO_OUT_OF_MEMORY',
    message: `Not enough memory on cpu for the model in float32. Try any of: ${advice}. LibTorch reports: no more`,
    cause,
  });
});
