import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Clip, cosines } from '../../../lib/eval/features/clip.js';
import { clipScore } from '../../../lib/eval/metrics/clip-score.js';
import { frechetEstimate } from '../../../lib/eval/metrics/frechet.js';
import { kernelDistance } from '../../../lib/eval/metrics/kernel.js';
import { statisticsOf } from '../../../lib/eval/metrics/statistics.js';
import type { Pixels } from '../../../lib/images/pixels.js';
import { Karlo, type KarloImage } from '../../../lib/index.js';
import { writeFormulaClip } from '../../fixtures/formula.js';
import { expectCode, expectCorrupt } from '../../support/expect-error.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { readGolden } from '../goldens.js';
import { fixtureImages, largestDifference } from '../images.js';

type Config = Parameters<typeof writeFormulaClip>[0];

const { prompts, images, clips } = readGolden<{
  prompts: string[];
  images: string[];
  clips: Record<
    'quick-gelu' | 'gelu',
    { config: Config; texts: number[][]; images: number[][]; cosines: number[] }
  >;
}>('clip.json');
const folder = temporaryFolder();
const tiny = fileURLToPath(new URL('../../../models/karlo-tiny', import.meta.url));

describe.each(Object.entries(clips))("transformers' CLIPModel with %s", (name, golden) => {
  let clip: Clip;
  beforeAll(async () => {
    await writeFormulaClip(golden.config, join(folder, name));
    clip = await Clip.load(join(folder, name), { device: 'cpu' });
  });
  afterAll(() => clip.dispose());

  test('has its embeddings of prompts and images', async () => {
    expect(clip).toMatchObject({ name, dimensions: golden.config.projection_dim });
    expect(largestDifference(await clip.embedTexts(prompts), golden.texts)).toBeLessThan(1e-5);
    const embeds = await clip.extract(await fixtureImages(images));
    expect(largestDifference(embeds, golden.images)).toBeLessThan(1e-5);
  });

  test('has its CLIP-score', async () => {
    const values = await clip.cosines(prompts, await fixtureImages(images));
    expect(largestDifference([values], [golden.cosines])).toBeLessThan(1e-5);
  });
});

test('a config of both encoders in older keys is read, without a preprocessor', async () => {
  const { config, cosines: expected } = clips['quick-gelu'];
  const path = join(folder, 'older');
  await writeFormulaClip(config, path);
  await rm(join(path, 'preprocessor_config.json'));
  const older = {
    projection_dim: config.projection_dim,
    text_config: { hidden_size: 7 },
    text_config_dict: config.text_config,
    vision_config_dict: config.vision_config,
  };
  await writeFile(join(path, 'config.json'), JSON.stringify(older));
  await using clip = await Clip.load(path);
  const values = await clip.cosines(prompts, await fixtureImages(images));
  expect(largestDifference([values], [expected])).toBeLessThan(1e-5);
});

describe('a CLIP folder is rejected', () => {
  test('without weights, with those of another model, or with the config of one', async () => {
    const path = join(folder, 'broken');
    await mkdir(path);
    await writeFile(join(path, 'config.json'), '{"hidden_size": 3}');
    await expectCorrupt(() => Clip.load(path), "transformers' CLIPModel");
    await writeFile(join(path, 'config.json'), '{"model_type": "siglip", "vision_config": {}}');
    await expectCorrupt(() => Clip.load(path), '"clip" for model_type');
    await writeFile(join(path, 'config.json'), JSON.stringify(clips.gelu.config));
    await expectCode('ERR_KARLO_MODEL_NOT_FOUND', () => Clip.load(path), 'model.safetensors');
    const weights = join(tiny, 'text_encoder', 'model.safetensors');
    await cp(weights, join(path, 'model.safetensors'));
    await expectCorrupt(() => Clip.load(path), 'model.safetensors');
  });

  test('that does not exist, or lacks an encoder', async () => {
    const code = 'ERR_KARLO_MODEL_NOT_FOUND';
    await expectCode(code, () => Clip.load(join(folder, 'none')), 'does not exist');
    const path = join(folder, 'half');
    for (const part of ['text_encoder', 'tokenizer']) {
      await cp(join(tiny, part), join(path, part), { recursive: true });
    }
    await expectCode(code, () => Clip.load(path), 'image_encoder');
  });
});

test('embeddings of different numbers have no cosines', async () => {
  const row = new Float32Array(2);
  await expectCode('ERR_KARLO_INVALID_ARGUMENT', () => cosines([row], [row, row]), '1 embeddings');
});

describe('karlo-tiny in its own CLIP space', () => {
  const prompts = ['a red heart', 'a blue star', 'a green circle', 'a yellow ring'];
  let clip: Clip;
  let embedded: Float32Array;
  let first: Pixels[];
  let second: Pixels[];
  let black: Pixels[];
  beforeAll(async () => {
    clip = await Clip.load(tiny, { device: 'cpu' });
    await using karlo = await Karlo.load({ model: 'karlo-tiny', device: 'cpu', dtype: 'float32' });
    const generate = async (seed: number) =>
      (await karlo.textToImage(prompts, { seed, sampling: 'turbo' })).images;
    [first, second] = [await generate(0), await generate(100)];
    black = first.map(({ width, height, data }) => ({ width, height, data: data.map(() => 0) }));
    embedded = (await karlo.embedImage(first[0] as KarloImage)).data;
  });
  afterAll(() => clip.dispose());

  test('has the directions of the embeddings that Karlo computes', async () => {
    const length = Math.hypot(...embedded);
    const [embed] = await clip.extract(first.slice(0, 1));
    expect(largestDifference([embed ?? []], [embedded.map((x) => x / length)])).toBeLessThan(1e-6);
  });

  test('gives images a higher score for their own prompts than for others', async () => {
    const own = clipScore(await clip.cosines(prompts, first)).cosine.value;
    const others = clipScore(await clip.cosines([...prompts].reverse(), first)).cosine.value;
    expect(own).toBeGreaterThan(others);
  });

  test('finds images of the same prompts closer than black ones', async () => {
    const features = await clip.extract(first);
    const [near, far] = [await clip.extract(second), await clip.extract(black)];
    const frechet = async (rows: Float32Array[]) =>
      (await frechetEstimate(features, statisticsOf(rows), { replicates: 2 })).value;
    const kernel = async (rows: Float32Array[]) => (await kernelDistance(features, rows)).value;
    expect(await frechet(near)).toBeLessThan(await frechet(far));
    expect(await kernel(near)).toBeLessThan(await kernel(far));
  });
});
