import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Pixels } from '../../lib/images/pixels.js';
import { Karlo } from '../../lib/karlo.js';
import { writeSmallModel } from '../fixtures/formula.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { testDevice } from '../support/test-device.js';

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

const varied = JSON.parse(readFileSync(new URL('variations.json', folder), 'utf8')) as Record<
  string,
  Omit<Case, 'prompt'>
>;

/** How far the reference's float32 is from its images in float64, out of 255. */
type Differences = Record<string, number>;

/** Cases of the model with random weights, whose images are in float64. */
const ofSmall = JSON.parse(readFileSync(new URL('small.json', folder), 'utf8')) as {
  prompts: Record<string, Case>;
  pictures: Record<string, Omit<Case, 'prompt'>>;
  differences: Differences;
};

/** Variations in float64, by their files. */
const exact = JSON.parse(readFileSync(new URL('varied.json', folder), 'utf8')) as Differences;

/** How much the reference's images differ between batch sizes, threads and dtypes, out of 255. */
const reference = JSON.parse(readFileSync(new URL('reference.json', folder), 'utf8')) as {
  batch: number;
  threads: number;
  bfloat16: Record<string, number>;
};

let karlo: Karlo;
beforeAll(async () => {
  karlo = await Karlo.load({ model: 'karlo-tiny', device: testDevice, dtype: 'float32' });
});
afterAll(() => karlo.dispose());

function stage(steps: number | undefined, guidanceScale: number | undefined) {
  return { ...(steps && { steps }), ...(guidanceScale && { guidanceScale }) };
}

/** The largest difference from a checked-in image, out of 255. */
async function difference(name: string, { data, width, height }: Pixels): Promise<number> {
  const file = fileURLToPath(new URL(`${name}.png`, folder));
  const { data: expected, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
  expect([width, height]).toEqual([info.width, info.height]);
  return expected.reduce(
    (max, value, i) => Math.max(max, Math.abs(value - (data[i] as number))),
    0,
  );
}

/**
 * Rounding decides some pixels of an ill-conditioned image, so that the reference's own float32 is further
 * than 1/255 from float64: no closer is required there.
 */
function limitOf(name: string, differences: Differences): number {
  const difference = differences[name];
  if (difference === undefined) throw new Error(`the golden file has no ${name}`);
  return Math.max(1, difference);
}

describe('images match the reference to within 1/255', () => {
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

describe('images of a model with random weights are within 1/255 of float64', () => {
  let small: Karlo;
  let model: string;
  beforeAll(async () => {
    model = temporaryFolder();
    cpSync(new URL('small', folder), model, { recursive: true });
    cpSync(
      new URL('../../models/karlo-tiny/tokenizer', import.meta.url),
      join(model, 'tokenizer'),
      {
        recursive: true,
      },
    );
    await writeSmallModel(fileURLToPath(new URL('../goldens', folder)), model);
    small = await Karlo.load({ model, device: testDevice, dtype: 'float32' });
  });
  afterAll(() => small.dispose());

  test.each(Object.entries(ofSmall.prompts))('textToImage: %s', async (name, golden) => {
    const { images } = await small.textToImage(golden.prompt, {
      ...{ seed: golden.seed, count: golden.count },
      prior: stage(golden.prior_steps, golden.prior_guidance),
      decoder: stage(golden.decoder_steps, golden.decoder_guidance),
    });
    expect(images).toHaveLength(golden.count);
    for (const [j, image] of images.entries()) {
      const limit = limitOf(`${name}-${j}`, ofSmall.differences);
      expect(await difference(`${name}-${j}`, image)).toBeLessThanOrEqual(limit);
    }
  });

  test.each(Object.entries(ofSmall.pictures))('imageVariation: %s', async (name, golden) => {
    const { seed, count } = golden;
    const decoder = stage(golden.decoder_steps, undefined);
    const { images } = await small.imageVariation(new URL('odd.png', folder), {
      ...{ seed, count, decoder },
    });
    expect(images).toHaveLength(count);
    for (const [j, image] of images.entries()) {
      const limit = limitOf(`${name}-${j}`, ofSmall.differences);
      expect(await difference(`${name}-${j}`, image)).toBeLessThanOrEqual(limit);
    }
  });
});

describe('bfloat16', () => {
  test('differs from float32 by at most 1.1 times as much as the reference', async () => {
    await using half = await Karlo.load({ dtype: 'bfloat16', device: testDevice });
    for (const [name, limit] of Object.entries(reference.bfloat16)) {
      const { prompt, seed, count, ...of } = cases[name] as Case;
      const options = {
        ...{ seed, count, batchSize: count },
        prior: stage(of.prior_steps, of.prior_guidance),
        decoder: stage(of.decoder_steps, of.decoder_guidance),
      };
      const [ours, theirs] = await Promise.all([
        karlo.textToImage(prompt, options),
        half.textToImage(prompt, options),
      ]);
      const differences = ours.images.map(({ data }, j) =>
        data.reduce((sum, v, i) => sum + Math.abs(v - (theirs.images[j]?.data[i] as number)), 0),
      );
      const values = ours.images.reduce((sum, { data }) => sum + data.length, 0);
      const mean = differences.reduce((sum, one) => sum + one, 0) / values;
      expect(mean, name).toBeLessThanOrEqual(1.1 * limit);
      expect(mean, name).toBeGreaterThan(0);
    }
  });
});

test('the reference agrees with itself to well within 1/255', () => {
  expect(Math.max(reference.batch, reference.threads)).toBeLessThan(0.1);
});

describe('variations match the reference to within 1/255', () => {
  const odd = new URL('odd.png', folder);

  // With this package's preprocessing: test/images checks that its pixels are the reference's.
  test.each(Object.entries(varied))('%s', async (name, golden) => {
    const { seed, count } = golden;
    const decoder = stage(golden.decoder_steps, golden.decoder_guidance);
    const { images } = await karlo.imageVariation(odd, { seed, count, decoder });
    expect(images).toHaveLength(count);
    for (const [j, image] of images.entries()) {
      expect(await difference(`${name}-${j}`, image), `${name}-${j}`).toBeLessThanOrEqual(1);
    }
  });
});

describe('variations of generated images are within 1/255 of float64', () => {
  test.each(Object.keys(exact))('%s', async (file) => {
    const source = /^vary-(.*)-0$/.exec(file)?.[1];
    const { images } = await karlo.imageVariation(new URL(`${source}.png`, folder), { seed: 0 });
    expect(images).toHaveLength(1);
    for (const image of images)
      expect(await difference(file, image)).toBeLessThanOrEqual(limitOf(file, exact));
  });
});
