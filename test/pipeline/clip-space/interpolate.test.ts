import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Embedding } from '../../../lib/embeddings/embedding.js';
import type { Karlo } from '../../../lib/karlo.js';
import { failure, heart, loadTiny, pixelsOf, samplesOf, short, stages, star } from './support.js';

let karlo: Karlo;
/** Samples of the prior. */
let [a, b]: Embedding[] = [];
beforeAll(async () => {
  karlo = await loadTiny();
  [a, b] = await samplesOf(karlo);
});
afterAll(() => karlo.dispose());

describe('interpolate', () => {
  const between = (options: object) =>
    karlo.interpolate(
      { prompt: heart, seed: 1 },
      { prompt: star, seed: 2 },
      { ...short, frames: 3, ...options },
    );

  test('ends with what fromEmbedding generates of both ends', async () => {
    const { images, seeds } = await between({ seed: 6 });
    expect(seeds).toEqual([6, 6, 6]);
    const first = await karlo.fromEmbedding(a as Embedding, { ...stages, seed: 6, prompt: heart });
    const last = await karlo.fromEmbedding(b as Embedding, { ...stages, seed: 6, prompt: star });
    expect(images[0]?.data).toEqual(first.images[0]?.data);
    expect(images[2]?.data).toEqual(last.images[0]?.data);
    expect(images[1]?.data).not.toEqual(first.images[0]?.data);
  });

  test('moves the noise from one seed to another', async () => {
    const options = { ...stages, frames: 3, noise: 'slerp', seed: [6, 9] } as const;
    const { images } = await karlo.interpolate(a as Embedding, b as Embedding, options);
    for (const [end, seed, frame] of [
      [a, 6, 0],
      [b, 9, 2],
    ] as const) {
      const direct = await karlo.fromEmbedding(end as Embedding, { ...stages, seed });
      expect(images[frame]?.data).toEqual(direct.images[0]?.data);
    }
    const drafted = await karlo.interpolate(a as Embedding, b as Embedding, {
      ...options,
      stopAfter: 'decoder',
    });
    expect(drafted.drafts[1]?.blend).toEqual({ seed: 9, weight: 0.5 });
    expect(pixelsOf(await karlo.finish(drafted.drafts))).toEqual(pixelsOf({ images }));
  });

  test('spaces frames by easing', async () => {
    const { images } = await between({ seed: 6, frames: 5, easing: 'in-out' });
    const positions = images.map(({ recipe }) => (recipe as { position?: number }).position);
    expect(positions).toEqual([0, 0.15625, 0.5, 0.84375, 1]);
  });

  test('reports frames that the result does not hold', async () => {
    const task = between({ seed: 6, keepFrames: false });
    const seen: number[] = [];
    for await (const event of task) if (event.type === 'image') seen.push(event.index);
    expect(seen).toEqual([0, 1, 2]);
    expect((await task).images).toEqual([]);
  });

  test.each<[object, string]>([
    [{ frames: 1 }, 'Expected integer between 2 and 1000 for frames but received 1'],
    [
      { easing: 'bounce' },
      "Expected one of linear, in, out, in-out for easing but received 'bounce'",
    ],
    [{ seed: [1, 2] }, 'Expected array of 1 seeds, because count is 1, for seed but received 2'],
  ])('rejects %o', async (options, message) => {
    expect(await failure(() => between(options))).toBe(message);
  });
});
