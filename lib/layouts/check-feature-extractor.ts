import { KarloError } from '../errors.js';
import type { FeatureExtractorConfig } from '../images/preprocessor-config.js';

/**
 * Checks that preprocessing gives the square that the image encoder takes, whatever the size of the input image.
 * @param config undefined without preprocessing
 * @param edge the `image_size` of the image encoder, in pixels; undefined without one
 * @throws {KarloError} ERR_KARLO_MODEL_CORRUPT
 */
export function checkFeatureExtractor(
  config: FeatureExtractorConfig | undefined,
  edge: number | undefined,
  folder: string,
): void {
  if (config === undefined || edge === undefined) return;
  const size = resultSize(config);
  if (size?.height === edge && size.width === edge) return;
  const received = size
    ? `${size.width} x ${size.height} (${config.do_center_crop ? 'crop_size' : 'size'})`
    : 'a size that depends on the input image, because do_center_crop is false';
  const message = `Expected ${edge} x ${edge} (image_encoder image_size) for the result of feature_extractor in ${folder} but received ${received}. Set do_center_crop to true and crop_size to ${edge} in preprocessor_config.json`;
  throw new KarloError('ERR_KARLO_MODEL_CORRUPT', message);
}

/** The size of preprocessed images in pixels; undefined if it depends on the input image. */
function resultSize({ do_resize, size, do_center_crop, crop_size }: FeatureExtractorConfig) {
  if (do_center_crop) return crop_size;
  return do_resize && 'height' in size ? size : undefined;
}
