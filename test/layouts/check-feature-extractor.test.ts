import { describe, expect, test } from 'vitest';
import { featureExtractorConfig } from '../../lib/images/preprocessor-config.js';
import { checkFeatureExtractor } from '../../lib/layouts/check-feature-extractor.js';
import { expectCorrupt } from '../support/expect-error.js';

const check = (config: object, edge?: number) =>
  checkFeatureExtractor(featureExtractorConfig.parse(config), edge, '/model');
const square = { height: 32, width: 32 };

describe('a config that gives the square of the image encoder', () => {
  test.each([
    { size: 32, crop_size: 32 },
    { size: 20, crop_size: 32 },
    { size: { height: 40, width: 36 }, crop_size: square },
    { do_resize: false, crop_size: 32 },
    { size: square, do_center_crop: false },
    { size: square, do_center_crop: false, crop_size: { height: 3, width: 4 } },
  ])('is accepted: %j', (config) => {
    expect(() => check(config, 32)).not.toThrow();
  });

  test('is not required without an image encoder, or without preprocessing', () => {
    expect(() => check({ crop_size: 7 })).not.toThrow();
    expect(() => checkFeatureExtractor(undefined, 32, '/model')).not.toThrow();
  });
});

test.each<[object, string]>([
  [{ size: 32, crop_size: 30 }, '30 x 30 (crop_size)'],
  [{ size: 32, crop_size: { height: 32, width: 33 } }, '33 x 32 (crop_size)'],
  [{ size: { height: 24, width: 32 }, do_center_crop: false }, '32 x 24 (size)'],
  [{ size: 32, do_center_crop: false }, 'a size that depends on the input image'],
  [{ size: square, do_resize: false, do_center_crop: false }, 'a size that depends on the input'],
])('another result is rejected: %j', async (config, received) => {
  await expectCorrupt(
    () => check(config, 32),
    'Expected 32 x 32 (image_encoder image_size) for the result of feature_extractor in /model but',
    `but received ${received}`,
    /\. Set do_center_crop to true and crop_size to 32 in preprocessor_config\.json$/,
  );
});
