import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Pixels } from '../../lib/images/pixels.js';
import {
  type FeatureExtractorConfig,
  featureExtractorConfig,
} from '../../lib/images/preprocessor-config.js';
import type { ImageFit } from '../../lib/options/descriptions.js';
import { pattern } from './helpers/pattern.js';
import { preprocess } from './helpers/preprocess.js';

const fixtures = join(import.meta.dirname, '../fixtures/images');
const json = (name: string) => JSON.parse(readFileSync(join(fixtures, name), 'utf8'));

/** The reference's images, from test/reference/preprocessing.py: cropped next to filled, one row per case. */
const cases: [width: number, height: number, size: number, crop: number][] = json('resized.json');
const side = 32;
let resized: Buffer;
beforeAll(async () => {
  resized = await sharp(join(fixtures, 'resized.png')).removeAlpha().raw().toBuffer();
});

/** One of the reference's images as `[3, side, side]` bytes. */
function golden(index: number, fit: ImageFit): number[] {
  const left = fit === 'fill' ? side : 0;
  const at = (c: number, y: number, x: number) =>
    resized[3 * ((index * side + y) * 2 * side + left + x) + c] as number;
  return Array.from({ length: 3 * side * side }, (_, i) =>
    at(Math.floor(i / side / side), Math.floor(i / side) % side, i % side),
  );
}

/** Not normalised, so that a value is the byte itself. */
const bytesOnly = { rescale_factor: 1, image_mean: [0, 0, 0], image_std: [1, 1, 1] };
const config = (size: unknown, crop: number): FeatureExtractorConfig =>
  featureExtractorConfig.parse({ ...bytesOnly, size, crop_size: crop });

async function bytesOf(image: Pixels, size: unknown, crop: number, fit: ImageFit) {
  using values = await preprocess([image], config(size, crop), crop, fit);
  expect(values.shape).toEqual([1, 3, crop, crop]);
  return values.toTypedArray();
}

function furthest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce(
    (max, value, i) => Math.max(max, Math.abs(value - (b[i] as number))),
    0,
  );
}

describe.each<ImageFit>(['cover', 'fill'])('%s equals CLIPImageProcessor and Pillow', (fit) => {
  test.each(cases.map((one, index) => [...one, index] as const))(
    '%d x %d resized to %d and cropped to %d',
    async (width, height, size, crop, index) => {
      const bytes = await bytesOf(pattern(width, height), size, crop, fit);
      expect(furthest(bytes, golden(index, fit))).toBe(0);
    },
  );
});

test.each(
  cases.map((one, index) => [...one, index] as const).filter(([, , size]) => size === side),
)('cover replaces the squashing of a config: %d x %d', async (width, height, size, crop, index) => {
  const square = { height: size, width: size };
  const bytes = await bytesOf(pattern(width, height), square, crop, 'cover');
  expect(furthest(bytes, golden(index, 'cover'))).toBe(0);
});

test('fill replaces a missing resize', async () => {
  const [width, height] = cases[5] as (typeof cases)[number];
  const unresized = { ...config(side, side), do_resize: false };
  using values = await preprocess([pattern(width, height)], unresized, side, 'fill');
  expect(furthest(values.toTypedArray(), golden(5, 'fill'))).toBe(0);
});

test('the goldens would detect a shifted crop', () => {
  const [one] = cases.map((_, index) => golden(index, 'cover'));
  expect(furthest((one as number[]).slice(1), one as number[])).toBeGreaterThan(100);
});

test('a large image does not block the event loop', async () => {
  const turns: number[] = [];
  const timer = setInterval(() => turns.push(performance.now()), 1);
  await bytesOf(pattern(3000, 1500), 224, 224, 'cover');
  clearInterval(timer);
  // It takes at least a hundred milliseconds, in turns of about two.
  expect(turns.length).toBeGreaterThan(10);
});

test('normalised values equal the reference’s, bit for bit', async () => {
  const golden = new Float32Array(
    new Uint8Array(Buffer.from(json('normalised.json'), 'base64')).buffer,
  );
  const data = Uint8Array.from({ length: 3 * 256 }, (_, i) => Math.floor(i / 3));
  const image = { width: 16, height: 16, data };
  using values = await preprocess(
    [image],
    featureExtractorConfig.parse({ size: 16, crop_size: 16 }),
    16,
    'cover',
  );
  expect(values.dtype).toBe('float32');
  expect(values.toTypedArray()).toEqual(golden);
});

test('images of different sizes form one batch', async () => {
  const images = [pattern(50, 37), pattern(1, 40)];
  using values = await preprocess(images, config(32, 32), 32, 'cover');
  expect(values.shape).toEqual([2, 3, 32, 32]);
  const both = values.toTypedArray();
  for (const [i, image] of images.entries()) {
    const alone = await bytesOf(image, 32, 32, 'cover');
    expect(furthest(both.subarray(i * alone.length, (i + 1) * alone.length), alone)).toBe(0);
  }
});

test('only the cropped part of a very narrow image is computed', async () => {
  // The whole resized image would have 224 x 448 000 000 pixels.
  const height = 2_000_000;
  const data = Uint8Array.from({ length: 3 * height }, (_, i) => Math.floor(i / 3 / 1e5) * 10);
  const bytes = await bytesOf({ width: 1, height, data }, 224, 224, 'cover');
  expect(new Set(bytes)).toEqual(new Set([90, 91, 92, 93, 94, 95, 96, 97, 98, 99, 100]));
});
