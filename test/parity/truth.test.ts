import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Pixels } from '../../lib/images/pixels.js';
import { Karlo } from '../../lib/karlo.js';
import { writeFormulaModel } from '../fixtures/formula.js';
import { temporaryFolder } from '../support/temporary-folder.js';

// Images of the reference with its networks in float64, which test/reference/truth.py describes.

interface Case {
  prompt?: string;
  image?: string;
  seed: number;
  count: number;
  prior_steps?: number;
  decoder_steps?: number;
  super_res_steps?: number;
  prior_guidance?: number;
  decoder_guidance?: number;
}

/** How far an image is from float64, in units of 1/255. */
interface Difference {
  max: number;
  mean: number;
}

const folder = new URL('../fixtures/truth/', import.meta.url);
const pictures = new URL('../fixtures/pictures/', import.meta.url);
const golden = JSON.parse(readFileSync(new URL('truth.json', folder), 'utf8')) as {
  cases: Record<string, Case>;
  models: Record<
    string,
    { configs: Record<string, Record<string, unknown>>; differences: Record<string, Difference[]> }
  >;
};

/** The sums of the images' mean differences. Most are of a few bytes, so only all together are telling. */
const totals = { ours: 0, theirs: 0 };

describe.each(Object.entries(golden.models))('the model %s', (name, { configs, differences }) => {
  let karlo: Karlo;
  let exact: Pixels[];

  beforeAll(async () => {
    const model = temporaryFolder();
    await writeFormulaModel(name, configs, model);
    karlo = await Karlo.load({ model, device: 'cpu', dtype: 'float32' });
    exact = await stacked(name);
  });
  afterAll(() => karlo.dispose());

  test.each(Object.entries(golden.cases))('%s is within 1/255 of float64', async (label, one) => {
    const images = await generate(karlo, one);
    expect(images).toHaveLength(one.count);
    const first = firstOf(label);
    for (const [j, image] of images.entries()) {
      const { max, mean } = difference(exact[first + j] as Pixels, image);
      const theirs = differences[label]?.[j] as Difference;
      // A pixel at which rounding decides between black and white is not a matter of accuracy: there, the
      // reference's own float32 is this far from float64.
      if (theirs.max > 1) continue;
      expect(max, `${label}-${j}`).toBeLessThanOrEqual(1);
      totals.ours += mean;
      totals.theirs += theirs.mean;
    }
  });
});

test('all images together are as close to float64 as the reference’s float32', () => {
  expect(totals.theirs).toBeGreaterThan(0);
  expect(totals.ours).toBeLessThanOrEqual(2 * totals.theirs);
});

async function generate(karlo: Karlo, one: Case): Promise<Pixels[]> {
  const options = {
    seed: one.seed,
    count: one.count,
    batchSize: one.count,
    decoder: { steps: one.decoder_steps ?? 25, guidanceScale: one.decoder_guidance ?? 8 },
    upsample: { steps: one.super_res_steps ?? 7 },
  };
  if (one.image !== undefined) {
    const { images } = await karlo.imageVariation(new URL(`${one.image}.png`, pictures), options);
    return images;
  }
  const prior = { steps: one.prior_steps ?? 25, guidanceScale: one.prior_guidance ?? 4 };
  const { images } = await karlo.textToImage(one.prompt ?? '', { ...options, prior });
  return images;
}

/** The square images of a file, which are one below the other. */
async function stacked(name: string): Promise<Pixels[]> {
  const file = fileURLToPath(new URL(`${name}.png`, folder));
  const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
  const { width } = info;
  const bytes = 3 * width * width;
  return Array.from({ length: info.height / width }, (_, i) => ({
    data: data.subarray(i * bytes, (i + 1) * bytes),
    width,
    height: width,
  }));
}

/** The index of a case's first image in its file. */
function firstOf(label: string): number {
  const labels = Object.keys(golden.cases);
  const before = labels.slice(0, labels.indexOf(label));
  return before.reduce((sum, one) => sum + (golden.cases[one] as Case).count, 0);
}

function difference(exact: Pixels, image: Pixels): Difference {
  expect([image.width, image.height]).toEqual([exact.width, exact.height]);
  const apart = Array.from(exact.data, (value, i) => Math.abs(value - (image.data[i] as number)));
  return { max: Math.max(...apart), mean: apart.reduce((sum, x) => sum + x, 0) / apart.length };
}
