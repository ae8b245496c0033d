import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Karlo } from '../../lib/karlo.js';
import { builtInModel } from '../../lib/layouts/built-in.js';
import { convertModel } from '../../lib/layouts/converted/convert.js';
import { type Model, openModel } from '../../lib/layouts/index.js';
import type { SchedulerConfig } from '../../lib/layouts/scheduler-config.js';
import { writeKakaoLayout } from '../fixtures/kakao-writer.js';
import { KAKAO_SHAPED, writeRandomModel } from '../fixtures/random-model.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { stageOutputs } from './stage-outputs.js';

const settings = { device: 'cpu', dtype: 'float32' } as const;
/** Few steps: these tests do not depend on their number. */
const vary = { decoder: { steps: 3 }, upsample: { steps: 2 }, seed: 4 };
const short = { ...vary, prior: { steps: 3 } };
/** 90 x 61 pixels. */
const odd = fileURLToPath(new URL('../fixtures/pictures/odd.png', import.meta.url));
const folder = temporaryFolder();

/** The pixels of a call's only image. */
const bytesOf = async (call: ReturnType<Karlo['textToImage']>) => (await call).images[0]?.data;

test('a converted folder generates the same images as its source', async () => {
  const converted = join(folder, 'converted');
  await convertModel(builtInModel('karlo-tiny'), converted);
  await using here = await Karlo.load(settings);
  await using there = await Karlo.load({ model: converted, ...settings });
  expect(there.tasks).toEqual({ textToImage: true, imageVariation: true });
  expect(await bytesOf(there.textToImage('a red heart', short))).toEqual(
    await bytesOf(here.textToImage('a red heart', short)),
  );
  expect(await bytesOf(there.imageVariation(odd, vary))).toEqual(
    await bytesOf(here.imageVariation(odd, vary)),
  );
});

test('a config without a crop resizes images to a square, unless fit is given', async () => {
  const model = join(folder, 'squashing');
  cpSync(builtInModel('karlo-tiny'), model, { recursive: true });
  const config = { size: { height: 64, width: 64 }, do_center_crop: false };
  const file = join(model, 'feature_extractor', 'preprocessor_config.json');
  writeFileSync(file, JSON.stringify(config));
  await using squashing = await Karlo.load({ model, ...settings });
  await using cropping = await Karlo.load(settings);
  const { images } = await squashing.imageVariation(odd, vary);
  expect(images[0]?.recipe).toMatchObject({ source: { fit: 'fill' } });
  expect(images[0]?.data).toEqual(
    await bytesOf(cropping.imageVariation(odd, { ...vary, fit: 'fill' })),
  );
  expect(await bytesOf(squashing.imageVariation(odd, { ...vary, fit: 'cover' }))).toEqual(
    await bytesOf(cropping.imageVariation(odd, vary)),
  );
});

describe('the Kakao layout', () => {
  const { prior, text_encoder: encoder } = KAKAO_SHAPED;
  /** With CLIP's vocabulary and context length, which the layout assumes. */
  const configs = {
    ...KAKAO_SHAPED,
    prior: { ...prior, num_embeddings: 77 },
    text_encoder: {
      ...{ ...encoder, vocab_size: 49408, max_position_embeddings: 77 },
      ...{ bos_token_id: 49406, eos_token_id: 49407 },
    },
  };
  const [from, to] = [join(folder, 'huggingface'), join(folder, 'kakao')];
  let kakao: Karlo;
  beforeAll(async () => {
    await writeRandomModel(from, configs);
    await writeKakaoLayout(from, to);
    kakao = await Karlo.load({ model: to, ...settings });
  });
  afterAll(() => kakao.dispose());

  test('resizes images to a square without cropping by default', async () => {
    const { images } = await kakao.imageVariation(odd, vary);
    expect(images[0]?.recipe).toMatchObject({ source: { fit: 'fill' } });
    const [filled, covered] = await Promise.all(
      (['fill', 'cover'] as const).map((fit) =>
        bytesOf(kakao.imageVariation(odd, { ...vary, fit })),
      ),
    );
    expect(images[0]?.data).toEqual(filled);
    expect(images[0]?.data).not.toEqual(covered);
  });

  test('cleans prompts like the original program', async () => {
    const prompts = ['“ﬁne” &lt;red&gt; heart', '"fine" <red> heart'];
    const [raw, clean] = await Promise.all(
      prompts.map((prompt) => bytesOf(kakao.textToImage(prompt, short))),
    );
    expect(raw).toEqual(clean);
    const other = await bytesOf(kakao.textToImage('a green ring', short));
    expect(other).not.toEqual(clean);
  });

  describe('with the same settings as the Hugging Face layout', () => {
    test.each(['unclip-scheduler', 'gaussian-diffusion'] as const)(
      'has the same bits after each stage, in the arithmetic of %s',
      async (arithmetic) => {
        const original = withArithmetic(await openModel(to), arithmetic);
        const { layout, configs, load } = await openModel(from);
        expect([layout, original.layout]).toEqual(['huggingface', 'kakao']);
        const published = { ...original, configs, load };
        expect(await stageOutputs(original)).toEqual(await stageOutputs(published));
      },
    );

    test('differs from it in the arithmetic, by less than 1/255', async () => {
      const model = await openModel(to);
      const ours = await stageOutputs(model);
      const theirs = await stageOutputs(withArithmetic(model, 'unclip-scheduler'));
      expect(theirs.encoded).toEqual(ours.encoded);
      for (const stage of ['prior', 'decoder', 'upsample']) {
        const [a, b] = [ours[stage], theirs[stage]] as [Float32Array, Float32Array];
        const furthest = Math.max(...a.map((value, i) => Math.abs(value - (b[i] as number))));
        expect(furthest, stage).toBeGreaterThan(0);
        // Images are in [-1, 1].
        expect(furthest, stage).toBeLessThan(2 / 255);
      }
    });
  });
});

function withArithmetic(model: Model, arithmetic: SchedulerConfig['arithmetic']): Model {
  const schedulers = Object.fromEntries(
    Object.entries(model.schedulers).map(([name, config]) => [name, { ...config, arithmetic }]),
  );
  return { ...model, schedulers };
}
