import { expect, it } from 'vitest';
import { featureExtractorConfig } from '../../lib/images/preprocessor-config.js';
import { checkConfig } from '../../lib/networks/config.js';

it('reads the sizes of older preprocessor files', () => {
  const old = checkConfig(featureExtractorConfig, { size: 224, crop_size: 224 }, 'c');
  expect(old.size).toEqual({ shortest_edge: 224 });
  expect(old.crop_size).toEqual({ height: 224, width: 224 });
});
