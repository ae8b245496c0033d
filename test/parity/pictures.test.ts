import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Karlo } from '../../lib/karlo.js';
import type { Pixels } from '../../lib/stages/pictures.js';

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

/** The largest difference from a checked-in picture. */
async function difference(name: string, { data, width, height }: Pixels): Promise<number> {
  const file = fileURLToPath(new URL(`${name}.png`, folder));
  const { data: expected, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
  expect([width, height]).toEqual([info.width, info.height]);
  return expected.reduce(
    (most, value, i) => Math.max(most, Math.abs(value - (data[i] as number))),
    0,
  );
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
    for (const [j, image] of images.entries()) {
      expect(await difference(`${name}-${j}`, image), `${name}-${j}`).toBeLessThanOrEqual(1);
    }
  });
});

describe('variations are the reference’s, to 1/255', () => {
  const odd = new URL('odd.png', folder);

  // Through our own preprocessing, whose pixels are the reference's to the bit (test/image).
  test('whole pictures', async () => {
    const { images } = await karlo.imageVariation(odd, { seed: 5, count: 2 });
    expect(await difference('odd-0', images[0] as Pixels)).toBeLessThanOrEqual(1);
    expect(await difference('odd-1', images[1] as Pixels)).toBeLessThanOrEqual(1);
  });
});
