import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Karlo } from '../../lib/karlo.js';
import { builtInModel } from '../../lib/layouts/built-in.js';
import { expectCode } from '../support/expect-error.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const model = join(temporaryFolder(), 'model');
const weights = join(model, 'prior', 'diffusion_pytorch_model.safetensors');
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

test('calls continue after the weights were removed', async () => {
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
