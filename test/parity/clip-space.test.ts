import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Embedding } from '../../lib/embeddings/embedding.js';
import type { Pixels } from '../../lib/images/pixels.js';
import { Karlo } from '../../lib/karlo.js';
import type { GenerationTask } from '../../lib/pipeline/task.js';
import type { Tensor } from '../../lib/torch/tensor.js';
import { readTensors } from '../fixtures/read-tensors.js';

// Images of a program over the reference's networks, test/reference/clip_space.py, in float32.

interface Case {
  method: 'fromEmbedding' | 'textToImage' | 'imageVariation' | 'interpolate' | 'imageToImage';
  prompt: string;
  /** The prompt of the last frame. */
  other?: string;
  negative?: string;
  seed: number;
  count: number;
  strength?: number;
  /** The decoder's timesteps. */
  respacing?: string;
}

const folder = new URL('../fixtures/clip-space/', import.meta.url);
const pictures = new URL('../fixtures/pictures/', import.meta.url);
const golden = JSON.parse(readFileSync(new URL('clip-space.json', folder), 'utf8')) as {
  steps: Record<'prior' | 'decoder' | 'upsample', number>;
  cases: Record<string, Case>;
  /** Images that the reference's own rounding to float32 changes by more than 1/255, and by how much. */
  illConditioned: Record<string, number>;
};
const odd = new URL('odd.png', pictures);

let karlo: Karlo;
beforeAll(async () => {
  karlo = await Karlo.load({ model: 'karlo-tiny', device: 'cpu', dtype: 'float32' });
});
afterAll(() => karlo.dispose());

test.each(Object.entries(golden.cases))(
  '%s matches the reference to within 1/255',
  async (name, one) => {
    const { images } = await generate(one);
    expect(images).toHaveLength(one.count);
    for (const [j, image] of images.entries()) {
      await expectParity(`${name}-${j}`, image);
    }
  },
);

/** Within 1/255 in every value or, in an ill-conditioned image, in all but one of a thousand. */
async function expectParity(name: string, image: Pixels): Promise<void> {
  const differences = await differencesFrom(name, image);
  const share = differences.filter((one) => one > 1).length / differences.length;
  expect(share, name).toBeLessThanOrEqual(golden.illConditioned[name] === undefined ? 0 : 0.001);
}

async function generate(one: Case): Promise<Awaited<GenerationTask>> {
  const { prompt, other = '', negative, seed, count, strength, respacing } = one;
  const { steps } = golden;
  const [prior, upsample] = [{ steps: steps.prior }, { steps: steps.upsample }];
  const decoder =
    respacing === undefined
      ? { steps: steps.decoder }
      : { timestepRespacing: respacing, sampler: 'ddpm' as const };
  const common = {
    ...{ seed, decoder, upsample },
    ...(negative !== undefined && { negativePrompt: negative }),
  };
  switch (one.method) {
    case 'fromEmbedding':
      return karlo.fromEmbedding(await embeddingOfOdd(), { ...common, count, prompt });
    case 'textToImage':
      return karlo.textToImage(prompt, { ...common, count, prior });
    case 'imageVariation':
      return karlo.imageVariation(odd, { ...common, count, prompt });
    case 'interpolate':
      return karlo.interpolate({ prompt }, { prompt: other }, { ...common, frames: count, prior });
    case 'imageToImage':
      return karlo.imageToImage(odd, prompt, {
        ...{ ...common, count, prior },
        ...(strength !== undefined && { strength }),
      });
  }
}

/** The reference's embedding of the image. */
async function embeddingOfOdd(): Promise<Embedding> {
  const file = fileURLToPath(new URL('stages.safetensors', pictures));
  const { tensors } = await readTensors(file);
  const row = tensors.get('variation_embeds') as Tensor<'float32'>;
  const data = Float32Array.from(row.toTypedArray());
  return new Embedding('image', data, (await karlo.provenance()).model);
}

/** The differences from a golden image, out of 255. */
async function differencesFrom(name: string, { data, width, height }: Pixels): Promise<number[]> {
  const file = fileURLToPath(new URL(`${name}.png`, folder));
  const { data: expected, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
  expect([width, height]).toEqual([info.width, info.height]);
  return Array.from(expected, (value, i) => Math.abs(value - (data[i] as number)));
}
