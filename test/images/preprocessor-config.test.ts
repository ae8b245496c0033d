import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { decodeImage, type RawImage } from '../../lib/images/decode.js';
import type { Pixels } from '../../lib/images/pixels.js';
import { featureExtractorConfig } from '../../lib/images/preprocessor-config.js';
import { fitOf } from '../../lib/images/square.js';
import { checkConfig } from '../../lib/networks/config.js';
import { expectCorrupt } from '../support/expect-error.js';
import { pattern } from './helpers/pattern.js';
import { preprocess } from './helpers/preprocess.js';

const fixtures = join(import.meta.dirname, '../fixtures/images');
const json = (name: string) => JSON.parse(readFileSync(join(fixtures, name), 'utf8'));
const read = (config: unknown) => checkConfig(featureExtractorConfig, config, 'x.json');

/** SHA-256 of the float32 values, and the first, the middle and the last one. */
type Digest = [sha256: string, first: number, middle: number, last: number];

async function digestOf(image: Pixels, config: unknown, edge: number): Promise<Digest> {
  const checked = read(config);
  using tensor = await preprocess([image], checked, edge, fitOf(checked));
  expect(tensor.shape).toEqual([1, 3, edge, edge]);
  const values = tensor.toTypedArray();
  const sha256 = createHash('sha256').update(values).digest('hex');
  return [
    sha256,
    ...([0, values.length >> 1, -1].map((i) => values.at(i)) as [number, number, number]),
  ];
}

/** Results of CLIPImageProcessor, from `configs` in test/reference/preprocessing.py. */
const configs: [object, ...[width: number, height: number, ...Digest][]][] = json('configs.json');

describe.each(configs.map(([config, ...images]) => [JSON.stringify(config), images] as const))(
  '%s equals CLIPImageProcessor, bit for bit',
  (config, images) => {
    test.each(images)('%d x %d', async (width, height, ...expected) => {
      const edge = config === '{}' ? 224 : 32;
      expect(await digestOf(pattern(width, height), JSON.parse(config), edge)).toEqual(expected);
    });
  },
);

test('a config is equal after it was written to a manifest and read again', () => {
  for (const [config] of configs) {
    expect(read(JSON.parse(JSON.stringify(read(config))))).toEqual(read(config));
  }
});

/** The images of `modes` in test/reference/preprocessing.py. */
function inMode(channels: RawImage['channels']): RawImage {
  const { width, height, data } = pattern(50, 37);
  const colours = channels < 3 ? 1 : 3;
  const values = Array.from({ length: width * height }, (_, i) => {
    const alpha = ((i % width) + Math.floor(i / width)) % 3 ? 255 : 0;
    return [...data.subarray(3 * i, 3 * i + colours), ...(channels % 2 ? [] : [alpha])];
  });
  return { width, height, channels, data: Uint8Array.from(values.flat()) };
}

const modes: [channels: RawImage['channels'], ...Digest][] = json('modes.json');

test.each(modes)('an image with %d channels becomes RGB', async (channels, ...expected) => {
  const image = await decodeImage(inMode(channels));
  for (const do_convert_rgb of [true, false]) {
    const config = { size: 32, crop_size: 32, do_convert_rgb };
    expect(await digestOf(image, config, 32)).toEqual(expected);
  }
});

test.each(['cmyk.jpg', 'cmyk.tif'])('the CMYK file %s becomes RGB', async (name) => {
  const file = join(fixtures, name);
  const rgb = await sharp(file).toColourspace('srgb').png().toBuffer();
  const [own, converted] = await Promise.all(
    [file, rgb].map(async (input) => {
      return digestOf(await decodeImage(input), { size: 32, crop_size: 32 }, 32);
    }),
  );
  expect(own).toEqual(converted);
});

describe('preprocessor_config.json', () => {
  test('accepts all forms of sizes, and has defaults for missing keys', () => {
    const newer = { size: { shortest_edge: 64 }, crop_size: { height: 60, width: 60 } };
    const older = { size: 64, crop_size: 60, feature_extractor_type: 'CLIPFeatureExtractor' };
    expect(read(older)).toEqual(read(newer));
    expect(read(older)).toEqual({ ...read({}), ...newer });
    expect(read({ size: [48, 64] }).size).toEqual({ height: 48, width: 64 });
    expect(read({})).toMatchObject({
      size: { shortest_edge: 224 },
      image_mean: [0.48145466, 0.4578275, 0.40821073],
    });
  });

  test.each([
    ['cover', { size: { shortest_edge: 64 } }],
    ['cover', { size: 64 }],
    ['cover', { size: { height: 64, width: 64 }, do_resize: false }],
    ['fill', { size: { height: 64, width: 64 } }],
  ])('decides the fit: %s for %j', (fit, config) => {
    expect(fitOf(read(config))).toBe(fit);
  });

  test.each<[string, unknown, RegExp]>([
    [
      'another filter',
      { resample: 6 },
      /Expected 0 or 1 or 2 or 3 or 4 or 5 for resample in x\.json/,
    ],
    [
      'a size without a short edge',
      { size: { longest_edge: 64 } },
      /Expected an edge in pixels, {"shortest_edge"} or {"height", "width"} for size in x\.json but received {"longest_edge":64}/,
    ],
    ['two kinds of sizes', { size: { shortest_edge: 4, height: 4, width: 4 } }, /for size in/],
    ['a crop to an edge', { crop_size: { shortest_edge: 4 } }, /{"height", "width"} for crop_size/],
    ['a division by zero', { image_std: [0, 1, 1] }, /Expected more than 0 for image_std\.0 in/],
    ['two channels', { image_mean: [0.5, 0.5] }, /Expected three numbers or one for image_mean/],
    [
      'a size that KOSMOS-2 would square',
      { use_square_size: true },
      /Expected false for use_square/,
    ],
    ['a value that is not an object', null, /Expected object for config in x\.json/],
  ])('%s is rejected', async (_name, value, message) => {
    await expectCorrupt(() => read(value), message);
  });
});
