import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Karlo } from '../../lib/karlo.js';

interface Case {
  prompt: string;
  seed: number;
  count: number;
  prior_steps?: number;
  decoder_steps?: number;
  prior_guidance?: number;
  decoder_guidance?: number;
}

const folder = new URL('../fixtures/pictures/', import.meta.url);
const cases = JSON.parse(readFileSync(new URL('cases.json', folder), 'utf8')) as Record<
  string,
  Case
>;

let karlo: Karlo;
beforeAll(async () => {
  karlo = await Karlo.load({ model: 'karlo-tiny', device: 'cpu', dtype: 'float32' });
});
afterAll(() => karlo.dispose());

function stage(steps: number | undefined, guidanceScale: number | undefined) {
  return { ...(steps && { steps }), ...(guidanceScale && { guidanceScale }) };
}

describe('whole pictures are the reference’s, to 1/255', () => {
  test.each(Object.entries(cases))('%s', async (name, golden) => {
    const { images } = await karlo.textToImage(golden.prompt, {
      seed: golden.seed,
      count: golden.count,
      prior: stage(golden.prior_steps, golden.prior_guidance),
      decoder: stage(golden.decoder_steps, golden.decoder_guidance),
    });
    expect(images).toHaveLength(golden.count);
    for (const [j, { data, width, height }] of images.entries()) {
      const file = fileURLToPath(new URL(`${name}-${j}.png`, folder));
      const { data: expected, info } = await sharp(file)
        .raw()
        .toBuffer({ resolveWithObject: true });
      expect([width, height]).toEqual([info.width, info.height]);
      let largest = 0;
      for (const [i, value] of expected.entries()) {
        largest = Math.max(largest, Math.abs(value - (data[i] as number)));
      }
      expect(largest, `${name}-${j}`).toBeLessThanOrEqual(1);
    }
  });
});
