import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Karlo } from '../../../lib/karlo.js';
import type { Generation } from '../../../lib/pipeline/task.js';
import { file, heart, loadTiny, pixelsOf, short, stages, star } from './support.js';

let karlo: Karlo;
beforeAll(async () => {
  karlo = await loadTiny();
});
afterAll(() => karlo.dispose());

describe('negative prompts and prompts', () => {
  test('an empty negative prompt changes nothing', async () => {
    const options = { ...short, seed: 4 };
    const plain = await karlo.textToImage(heart, options);
    const empty = await karlo.textToImage(heart, { ...options, negativePrompt: '' });
    const negative = await karlo.textToImage(heart, { ...options, negativePrompt: star });
    expect(pixelsOf(empty)).toEqual(pixelsOf(plain));
    expect(pixelsOf(negative)).not.toEqual(pixelsOf(plain));
    expect(negative.images[0]?.recipe).toMatchObject({ negativePrompt: star });
    expect(plain.images[0]?.recipe).not.toHaveProperty('negativePrompt');
  });

  test('calls with different negative prompts share a batch', async () => {
    const negatives = [star, undefined];
    const call = (negativePrompt: string | undefined) =>
      karlo.textToImage(heart, { ...short, seed: 4, batchSize: 2, negativePrompt });
    const together = await Promise.all(negatives.map(call));
    for (const [i, negativePrompt] of negatives.entries()) {
      expect(pixelsOf(together[i] as Generation)).toEqual(pixelsOf(await call(negativePrompt)));
    }
  });

  test('an image is varied with a prompt', async () => {
    const options = { ...stages, seed: 4 };
    const plain = await karlo.imageVariation(file, options);
    const empty = await karlo.imageVariation(file, { ...options, prompt: '' });
    const prompted = await karlo.imageVariation(file, { ...options, prompt: star });
    expect(pixelsOf(empty)).toEqual(pixelsOf(plain));
    expect(pixelsOf(prompted)).not.toEqual(pixelsOf(plain));
  });
});
