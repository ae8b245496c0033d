import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Karlo } from '../../lib/karlo.js';
import { builtInFiles } from './helpers/repositories.js';
import { useHub } from './helpers/use-hub.js';

const setup = useHub();
const names = ['someone/tiny', 'someone/tiny-image-variations'] as const;

const settings = { device: 'cpu', dtype: 'float32' } as const;
const vary = { decoder: { steps: 3 }, upsample: { steps: 2 }, seed: 4 };
const short = { ...vary, prior: { steps: 3 } };

test('a pulled copy of the built-in model generates the same images', async () => {
  setup.hub.repositories
    .set(names[0], builtInFiles(/^(image_encoder|feature_extractor)/))
    .set(names[1], builtInFiles(/^prior/));
  const { path } = await setup.pull(names[0], { variations: true });
  await using pulled = await Karlo.load({ model: path, ...settings });
  await using builtIn = await Karlo.load(settings);
  const [ours, theirs] = [
    await builtIn.textToImage('a red heart', short),
    await pulled.textToImage('a red heart', short),
  ];
  expect(theirs.images[0]?.data).toEqual(ours.images[0]?.data);
  const image = ours.images[0] as never;
  const [one, other] = [
    await builtIn.imageVariation(image, vary),
    await pulled.imageVariation(image, vary),
  ];
  expect(other.images[0]?.data).toEqual(one.images[0]?.data);

  const cache = process.env.KARLO_CACHE;
  process.env.KARLO_CACHE = setup.cache;
  try {
    for (const model of names) {
      await using found = await Karlo.load({ model, ...settings });
      expect((await found.facts()).model.sha256).toBe((await builtIn.facts()).model.sha256);
    }
    await expect(Karlo.load({ model: 'other/model-1', ...settings })).rejects.toMatchObject({
      code: 'ERR_KARLO_MODEL_NOT_FOUND',
      message: expect.stringContaining('npx karlo pull other/model-1'),
    });
  } finally {
    if (cache === undefined) delete process.env.KARLO_CACHE;
    else process.env.KARLO_CACHE = cache;
  }
});

describe('a model that was pulled for one task', () => {
  const image = 'test/fixtures/pictures/heart-0.png';
  beforeEach(() => vi.stubEnv('KARLO_CACHE', setup.cache));
  afterEach(() => vi.unstubAllEnvs());
  const missing = (message: RegExp) =>
    expect.objectContaining({
      code: 'ERR_KARLO_MODEL_NOT_FOUND',
      message: expect.stringMatching(message),
    });

  test('generates from text, and names the command that pulls the rest', async () => {
    setup.hub.repositories.set(names[0], builtInFiles(/^(image_encoder|feature_extractor)/));
    await setup.pull(names[0]);
    await using karlo = await Karlo.load({ model: names[0], ...settings });
    expect((await karlo.textToImage('a red heart', short)).images).toHaveLength(1);
    expect(() => karlo.textToImage('a red heart', { candidates: 2 })).toThrow(
      missing(/npx karlo pull someone\/tiny --variations$/),
    );
    expect(() => karlo.imageVariation(image, vary)).toThrow(
      missing(/feature_extractor in .*npx karlo pull someone\/tiny --variations$/),
    );
  });

  test('varies images, and names the command that pulls the rest', async () => {
    setup.hub.repositories.set(names[1], builtInFiles(/^prior/));
    await setup.pull(names[1]);
    await using karlo = await Karlo.load({ model: names[1], ...settings });
    expect((await karlo.imageVariation(image, vary)).images).toHaveLength(1);
    await expect(karlo.textToImage('a red heart', short)).rejects.toEqual(
      missing(/prior_scheduler in .*npx karlo pull someone\/tiny$/),
    );
  });
});
