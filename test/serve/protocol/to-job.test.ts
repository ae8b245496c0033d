import { expect, test } from 'vitest';
import { checkModel } from '../../../lib/serve/protocol/to-job.js';

const served = { id: 'text-only', size: 64, textToImage: true, imageVariation: false };
const call = { method: 'textToImage', prompt: 'a heart', options: { seed: 1 } } as const;

test('a model without an image encoder generates images, but chooses no candidates', () => {
  expect(checkModel(served, call)).toBe(served);
  const candidates = { ...call, options: { seed: 1, candidates: 2 } };
  expect(() => checkModel(served, candidates)).toThrow(
    expect.objectContaining({
      ...{ status: 400, code: 'not_supported' },
      message: expect.stringMatching(/does not have the image encoder/),
    }),
  );
});
