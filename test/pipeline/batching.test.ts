import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KarloImage } from '../../lib/images/karlo-image.js';
import { Karlo } from '../../lib/karlo.js';
import type { StageOptions } from '../../lib/options/types.generated.js';
import { testDevice } from '../support/test-device.js';

/** Few steps: nothing here depends on their number. */
const varySteps = { decoder: { steps: 3 }, upsample: { steps: 2 } };
const short = { ...varySteps, prior: { steps: 3 } };
const prompts = ['a red heart', 'a green ring', 'a blue star', 'a yellow moon', 'a black square'];

let karlo: Karlo;
beforeAll(async () => {
  karlo = await Karlo.load({ model: 'karlo-tiny', device: testDevice, dtype: 'float32' });
});
afterAll(() => karlo.dispose());

describe('calls that wait at the same time share batches', () => {
  const options = { ...short, seed: 3, batchSize: 4 };

  test('and each gets the same bytes as alone', async () => {
    const alone: Uint8Array[] = [];
    for (const prompt of prompts) {
      alone.push((await karlo.textToImage(prompt, options)).images[0]?.data as Uint8Array);
    }
    const together = await Promise.all(prompts.map((one) => karlo.textToImage(one, options)));
    for (const [i, { images }] of together.entries()) expect(images[0]?.data).toEqual(alone[i]);
    // Four shared a batch, and thus its timings; the fifth was in another.
    const times = together.map(({ timings }) => timings.decoder);
    expect(new Set(times.slice(0, 4)).size).toBe(1);
    expect(times[4]).not.toBe(times[0]);
  });

  test('but not with other settings or another task', async () => {
    const [a, b, c] = await Promise.all([
      karlo.textToImage('a red heart', options),
      karlo.textToImage('a red heart', { ...options, decoder: { steps: 4 } }),
      karlo
        .textToImage('a red heart', { ...options, batchSize: 1 })
        .then(({ images }) =>
          karlo.imageVariation(images[0] as KarloImage, { ...varySteps, seed: 3, batchSize: 4 }),
        ),
    ]);
    expect(new Set([a, b, c].map(({ timings }) => timings.decoder)).size).toBe(3);
  });

  test('nor with another sampler, or other settings of it', async () => {
    const own: StageOptions[] = [
      { sampler: 'ddim' },
      { sampler: 'ddim', eta: 0.5 },
      { sampler: 'dpm++' },
      { sampler: 'dpm++', guidanceInterval: [0, 0.5] },
      { sampler: 'dpm++', guidanceRescale: 0.5 },
    ];
    const calls = [...own, { sampler: 'ddim', eta: 0 } as const].map((decoder) =>
      karlo.textToImage('a red heart', { ...options, decoder: { steps: 3, ...decoder } }),
    );
    const times = (await Promise.all(calls)).map(({ timings }) => timings.decoder);
    expect(new Set(times).size).toBe(own.length);
    expect(times.at(-1)).toBe(times[0]);
  });

  test('an aborted call ends at once, and the others continue', async () => {
    const expected = (await karlo.textToImage('a green ring', options)).images[0]?.data;
    const controller = new AbortController();
    const { signal } = controller;
    const leaving = karlo.textToImage('a red heart', { ...options, signal });
    const staying = karlo.textToImage('a green ring', { ...options, previews: true });
    const left = expect(leaving).rejects.toThrow('enough');
    for await (const event of staying) {
      if (event.type === 'step' && event.stage === 'decoder') {
        expect(event.previews).toHaveLength(1);
        controller.abort(new Error('enough'));
      }
    }
    await left;
    expect((await staying).images[0]?.data).toEqual(expected);
  });
});

test('a short call waits for one image of a long call, not for all', async () => {
  const done: string[] = [];
  const long = karlo.textToImage('a red heart', { ...short, seed: 1, count: 6 });
  const watch = async () => {
    for await (const event of long) if (event.type === 'image') done.push(`long ${event.index}`);
  };
  const watched = watch();
  for (const name of ['first', 'second']) {
    await karlo.textToImage('a blue star', { ...short, seed: 2 });
    done.push(name);
  }
  await watched;
  expect(done).toHaveLength(8);
  expect(done.indexOf('first')).toBeLessThan(3);
  expect(done.indexOf('second')).toBeLessThan(6);
});

test('staged residency generates the same images, also in shared batches', async () => {
  await using staged = await Karlo.load({
    device: testDevice,
    dtype: 'float32',
    residency: 'staged',
  });
  const generate = (one: Karlo) =>
    Promise.all(
      prompts.slice(0, 2).map((prompt) => one.textToImage(prompt, { ...short, seed: 1 })),
    );
  const [here, there] = [await generate(karlo), await generate(staged)];
  for (const [i, { images }] of here.entries()) {
    expect(there[i]?.images[0]?.data).toEqual(images[0]?.data);
  }
  const image = here[0]?.images[0] as KarloImage;
  const [one, other] = [
    await karlo.imageVariation(image, { ...varySteps, seed: 1 }),
    await staged.imageVariation(image, { ...varySteps, seed: 1 }),
  ];
  expect(other.images[0]?.data).toEqual(one.images[0]?.data);
});
