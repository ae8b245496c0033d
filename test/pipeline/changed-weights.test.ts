import { cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Karlo } from '../../lib/karlo.js';
import { builtInModel } from '../../lib/layouts/built-in.js';
import type { ResidencyMode } from '../../lib/options/descriptions.js';
import { expectCode } from '../support/expect-error.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const model = join(temporaryFolder(), 'model');
const file = join('prior', 'diffusion_pytorch_model.safetensors');
const [source, weights] = [join(builtInModel('karlo-tiny'), file), join(model, file)] as const;
const short = { seed: 0, prior: { steps: 1 }, decoder: { steps: 1 }, upsample: { steps: 1 } };
const input = { data: new Uint8Array(3), width: 1, height: 1, channels: 3 } as const;
let karlo: Karlo;

beforeAll(async () => {
  cpSync(builtInModel('karlo-tiny'), model, { recursive: true });
  karlo = await Karlo.load({ model, device: 'cpu' });
});
afterAll(() => karlo.dispose());

test('every call rejects once a file of the weights was overwritten, and names it', async () => {
  expect((await karlo.textToImage('a ring', short)).images).toHaveLength(1);
  writeFileSync(weights, readFileSync(weights));
  const { prior: _prior, ...variation } = short;
  const calls = [
    () => karlo.textToImage('a ring', short),
    () => karlo.imageVariation(input, variation),
    () => karlo.estimate('textToImage'),
  ];
  for (const call of calls) {
    await expectCode('ERR_KARLO_MODEL_CORRUPT', call, weights, 'it was written to', 'Load');
  }
});

test.each<[string, ResidencyMode, () => void]>([
  ['truncated', 'resident', () => truncateSync(weights, 0)],
  ['truncated', 'staged', () => truncateSync(weights, 0)],
  ['overwritten', 'resident', () => writeFileSync(weights, readFileSync(source))],
  ['overwritten', 'staged', () => writeFileSync(weights, readFileSync(source))],
])('a call during which a file of the weights is %s rejects, %s', async (_, residency, change) => {
  writeFileSync(weights, readFileSync(source));
  await using other = await Karlo.load({ model, device: 'cpu', residency });
  const task = other.textToImage('a ring', { ...short, prior: { steps: 2 } });
  task.catch(() => {});
  const events = task[Symbol.asyncIterator]();
  await events.next();
  change();
  await expectCode(
    'ERR_KARLO_MODEL_CORRUPT',
    async () => await task,
    weights,
    'Load the model again',
  );
});

test.each(['resident', 'staged'] as const)(
  'truncated weights cannot be loaded, %s',
  async (residency) => {
    for (const share of [0, 0.5, 0.999]) {
      const whole = readFileSync(source);
      writeFileSync(weights, whole.subarray(0, Math.floor(share * whole.length)));
      const load = () => Karlo.load({ model, device: 'cpu', residency });
      await expectCode('ERR_KARLO_MODEL_CORRUPT', load, weights);
    }
  },
);

test('calls continue after the weights were removed', async () => {
  writeFileSync(weights, readFileSync(source));
  await using other = await Karlo.load({ model, device: 'cpu', residency: 'resident' });
  await using unused = await Karlo.load({ model, device: 'cpu' });
  const { images } = await other.textToImage('a ring', short);
  rmSync(model, { recursive: true });
  const again = await other.textToImage('a ring', short);
  expect(again.images[0]?.data).toEqual(images[0]?.data);
  // The first call hashes the files, for its recipe.
  const first = () => unused.textToImage('a ring', short);
  await expectCode('ERR_KARLO_MODEL_NOT_FOUND', first, 'Expected a readable file at', model);
});
