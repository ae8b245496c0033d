import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Karlo } from '../../lib/karlo.js';
import { usePlace } from './place.js';
import type { Files } from './repositories.js';

const place = usePlace();
const tiny = 'models/karlo-tiny';
const names = ['someone/tiny', 'someone/tiny-image-variations'] as const;

/** The files of the built-in model that a repository of one of its tasks would hold. */
function repository(without: RegExp): Files {
  const paths = readdirSync(tiny, { recursive: true, encoding: 'utf8' });
  const files = paths.filter((path) => statSync(join(tiny, path)).isFile() && !without.test(path));
  return Object.fromEntries(files.map((path) => [path, readFileSync(join(tiny, path))]));
}

const settings = { device: 'cpu', dtype: 'float32' } as const;
const vary = { decoder: { steps: 3 }, upsample: { steps: 2 }, seed: 4 };
const short = { ...vary, prior: { steps: 3 } };

test('a model that was pulled makes the pictures of the built-in one', async () => {
  place.hub.repositories
    .set(names[0], repository(/^(image_encoder|feature_extractor)/))
    .set(names[1], repository(/^prior/));
  const { path } = await place.pull(names[0], { variations: true });
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
  process.env.KARLO_CACHE = place.cache;
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
