import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { decodeImage } from '../../../lib/images/decode.js';
import type { KarloImage } from '../../../lib/images/karlo-image.js';
import type { Pixels } from '../../../lib/images/pixels.js';
import { pattern } from '../../../lib/images/watermark/carriers.js';
import { detectWatermark, leastScore } from '../../../lib/images/watermark/detect.js';
import {
  embedWatermark,
  requireWatermarkSize,
  watermarkPsnr,
} from '../../../lib/images/watermark/embed.js';
import { readWatermark } from '../../../lib/images/watermark/read.js';
import { Karlo } from '../../../lib/karlo.js';
import { root } from '../../../scripts/build/ready.mjs';
import { errorMessage } from '../../options/error-message.js';

const colours = ['red', 'blue', 'green', 'yellow'];
const prompts = ['heart', 'star'].flatMap((shape) =>
  colours.map((colour) => `a ${colour} ${shape} on a white background`),
);
let images: KarloImage[];

beforeAll(async () => {
  const karlo = await Karlo.load();
  images = (await karlo.textToImage(prompts, { seed: 0, batchSize: 8, sampling: 'turbo' })).images;
  await karlo.dispose();
}, 120_000);

function flat(value: number, edge = 128): Pixels {
  return { width: edge, height: edge, data: new Uint8Array(3 * edge ** 2).fill(value) };
}

/** Decibels. */
function psnr(some: Pixels, others: Pixels): number {
  const squares = some.data.reduce(
    (sum, value, i) => sum + (value - (others.data[i] as number)) ** 2,
    0,
  );
  return 10 * Math.log10((255 ** 2 * some.data.length) / squares);
}

const pipelineOf = ({ width, height, data }: Pixels) =>
  sharp(data, { raw: { width, height, channels: 3 } });
const jpeg = (pixels: Pixels, quality: number) => pipelineOf(pixels).jpeg({ quality }).toBuffer();

/** The image without one twentieth of its width or height, at some sides. */
function cropped(pixels: Pixels, sides: readonly string[]): Promise<Pixels> {
  const margin = Math.round(0.05 * pixels.width);
  const at = (side: string) => (sides.includes(side) ? margin : 0);
  const region = {
    left: at('left'),
    top: at('top'),
    width: pixels.width - at('left') - at('right'),
    height: pixels.height - at('top') - at('bottom'),
  };
  return pipelineOf(pixels)
    .extract(region)
    .png()
    .toBuffer()
    .then((file) => decodeImage(file));
}

describe('the watermark of an image of karlo-tiny', () => {
  test('is found, at a PSNR above 40 dB', async () => {
    for (const [i, image] of images.entries()) {
      const marked = embedWatermark(image, `id-${i}`);
      expect(psnr(image, marked)).toBeCloseTo(watermarkPsnr, 1);
      expect(psnr(image, marked)).toBeGreaterThan(40);
      expect(await readWatermark({ ...marked, channels: 3 })).toEqual({
        text: `id-${i}`,
        score: expect.closeTo(0.9, 0),
      });
    }
  });

  test.each([
    [['left']],
    [['right']],
    [['top']],
    [['bottom']],
    [['left', 'right', 'top', 'bottom']],
  ])('survives a crop of one twentieth and JPEG of quality 75', async (sides) => {
    for (const image of images) {
      const marked = embedWatermark(image, 'ACME-01z');
      const file = await jpeg(await cropped(marked, sides), 75);
      expect((await readWatermark(file))?.text).toBe('ACME-01z');
    }
  });

  test('is that of the text, for texts of every length', async () => {
    const [image] = images as [KarloImage];
    for (const text of ['-', 'Z', '00', 'abc', 'A-b-C', '12345678', 'zzzzzzzz', '--------']) {
      expect(detectWatermark(embedWatermark(image, text))?.text).toBe(text);
    }
  });

  test('survives an edge of the image that is not a multiple of the pattern', async () => {
    const [image] = images as [KarloImage];
    const data = await image.toSharp().resize(211, 150, { fit: 'fill' }).raw().toBuffer();
    const odd = { width: 211, height: 150, data: Uint8Array.from(data) };
    expect(detectWatermark(embedWatermark(odd, 'odd'))?.text).toBe('odd');
  });
});

test.each([0, 127, 255])('a flat image of %i has a watermark that JPEG keeps', async (value) => {
  const marked = embedWatermark(flat(value), 'flat');
  expect(psnr(flat(value), marked)).toBeCloseTo(watermarkPsnr, 1);
  expect((await readWatermark(await jpeg(marked, 75)))?.text).toBe('flat');
});

test('images below 128 pixels are too small for a watermark', () => {
  const message = (size: string) =>
    `Expected images of at least 128 x 128 pixels for watermark but received ${size}`;
  expect(errorMessage(() => requireWatermarkSize('id', 64))).toBe(message('64 x 64'));
  expect(errorMessage(() => requireWatermarkSize('id', 256, 127))).toBe(message('256 x 127'));
  expect(errorMessage(() => embedWatermark(flat(9, 127), 'id'))).toBe(message('127 x 127'));
  requireWatermarkSize('', 64);
  requireWatermarkSize('id', 128);
});

describe('no watermark is found', () => {
  test('in images without one', () => {
    for (const image of images) expect(detectWatermark(image)).toBeUndefined();
    for (const value of [0, 127, 255]) expect(detectWatermark(flat(value))).toBeUndefined();
  });

  test('in photos and drawings', async () => {
    const folders = ['test/fixtures/pictures', 'docs/images'];
    const files = folders.flatMap((folder) =>
      readdirSync(join(root, folder)).map((name) => join(root, folder, name)),
    );
    const pictures = files.filter((file) => /\.(png|jpe?g|webp)$/.test(file));
    expect(pictures.length).toBeGreaterThan(5);
    for (const file of pictures) expect(await readWatermark(file), file).toBeUndefined();
  });

  test('in images smaller than the pattern', () => {
    for (const edge of [1, 2, 31, 63]) expect(detectWatermark(flat(99, edge))).toBeUndefined();
  });

  test('in noise', () => {
    for (let seed = 0; seed < 8; seed++) {
      const bytes = createHash('shake256', { outputLength: 3 * 128 ** 2 })
        .update(`${seed}`)
        .digest();
      expect(detectWatermark({ ...flat(0), data: Uint8Array.from(bytes) })).toBeUndefined();
    }
  });

  test('with a probability of 1e-9, by the sum over all origins and texts', () => {
    const { reference, message } = pattern();
    const carriers = reference.length + message.flat().length;
    const rate = 64 ** 2 * 2 ** 48 * Math.exp(-carriers * leastScore() ** 2);
    expect(rate).toBeCloseTo(1e-9, 15);
  });
});
