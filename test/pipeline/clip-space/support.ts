// What the tests of points in CLIP space share.
import { expect } from 'vitest';
import type { Embedding, Generation } from '../../../lib/index.js';
import { Karlo } from '../../../lib/karlo.js';
import { testDevice } from '../../support/test-device.js';

export const heart = 'a red heart on a white background';
export const star = 'a blue star on a black background';
export const file = 'test/fixtures/pictures/heart-0.png';
export const prior = { steps: 3 };
export const decoder = { steps: 3 };
export const stages = { decoder, upsample: { steps: 2 } };
export const short = { ...stages, prior };

export function loadTiny(): Promise<Karlo> {
  return Karlo.load({ model: 'karlo-tiny', device: testDevice, dtype: 'float32' });
}

/** Samples of the prior: a heart, and a star. */
export function samplesOf(karlo: Karlo): Promise<[Embedding, Embedding]> {
  return Promise.all([
    karlo.embedText(heart, { seed: 1, prior }),
    karlo.embedText(star, { seed: 2, prior }),
  ]);
}

export const pixelsOf = ({ images }: Pick<Generation, 'images'>) => images.map(({ data }) => data);

/** The message with which a call fails, at once or later. */
export async function failure(call: () => PromiseLike<unknown>): Promise<string> {
  try {
    await call();
  } catch (error) {
    expect(error).toMatchObject({ name: 'KarloError', code: 'ERR_KARLO_INVALID_ARGUMENT' });
    return (error as Error).message;
  }
  throw new Error('nothing was thrown');
}
