import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Embedding } from '../../../lib/embeddings/embedding.js';
import { Inversion } from '../../../lib/embeddings/inversion.js';
import type { Karlo } from '../../../lib/karlo.js';
import { failure, file, heart, loadTiny, pixelsOf, samplesOf, stages, star } from './support.js';

let karlo: Karlo;
/** Samples of the prior. */
let [a, b]: Embedding[] = [];
beforeAll(async () => {
  karlo = await loadTiny();
  [a, b] = await samplesOf(karlo);
});
afterAll(() => karlo.dispose());

describe('invert and reconstruct', () => {
  const settings = { steps: 4, refinements: 1 };
  let inversion: Inversion;
  beforeAll(async () => {
    inversion = await karlo.invert(file, settings);
  });

  test('an inversion survives JSON, and reconstructs the same image', async () => {
    const copy = Inversion.from(JSON.parse(JSON.stringify(inversion)));
    const options = { upsample: { steps: 2 }, seed: 1 };
    const [first, second] = [
      await karlo.reconstruct(inversion, options),
      await karlo.reconstruct(copy, options),
    ];
    expect(pixelsOf(first)).toEqual(pixelsOf(second));
    expect(first.images[0]?.recipe).toMatchObject({
      kind: 'reconstruct',
      inversion: { ...settings, prompt: '', source: { fit: 'cover' } },
      decoder: { steps: 4, sampler: 'ddim', guidanceScale: 1 },
    });
  });

  test('eta, an embedding and a prompt change the image', async () => {
    const options = { upsample: { steps: 2 }, seed: 1 };
    const plain = await karlo.reconstruct(inversion, options);
    for (const change of [{ eta: 1 }, { embedding: b as Embedding }, { prompt: star }]) {
      const changed = await karlo.reconstruct(inversion, { ...options, ...change });
      expect(pixelsOf(changed)).not.toEqual(pixelsOf(plain));
    }
  });

  test('inversions are ends of an interpolation', async () => {
    const other = await karlo.invert('test/fixtures/pictures/heart-1.png', settings);
    const options = { upsample: { steps: 2 }, seed: 1 };
    const { images } = await karlo.interpolate(inversion, other, { ...options, frames: 2 });
    const ends = [inversion, other].map((end) => karlo.reconstruct(end, options));
    expect(pixelsOf({ images })).toEqual((await Promise.all(ends)).flatMap(pixelsOf));
    expect(images[0]?.recipe).toMatchObject({
      decoder: { steps: 4, sampler: 'ddim', guidanceScale: 1 },
    });
  });

  test('inversions of other weights are refused', async () => {
    const json = JSON.parse(JSON.stringify(inversion));
    json.embedding.model.sha256 = 'f'.repeat(64);
    const foreign = Inversion.from(json);
    const message = /^Expected an embedding of the loaded model, karlo-tiny, but received one of/;
    expect(await failure(() => karlo.reconstruct(foreign))).toMatch(message);
    expect(await failure(() => karlo.interpolate(inversion, foreign))).toMatch(message);
  });

  test('an inversion at one end only is rejected', async () => {
    expect(await failure(() => karlo.interpolate(inversion, a as Embedding))).toBe(
      'Expected inversion for both ends or for none for to but received a value of type Embedding: invert both images',
    );
  });

  test('reports progress in steps of the network', async () => {
    const task = karlo.edit(file, { from: heart, to: star, ...stages, refinements: 1, seed: 1 });
    const steps: number[] = [];
    for await (const event of task) {
      if (event.type === 'step' && event.stage === 'decoder') steps.push(event.steps);
    }
    // Three steps backwards, twice each, and three forwards.
    expect(new Set(steps)).toEqual(new Set([9]));
  });
});
