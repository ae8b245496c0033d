import type { ImageFit } from '../options/descriptions.js';
import { Tensor } from '../torch/tensor.js';
import type { Pixels } from './pixels.js';
import type { FeatureExtractorConfig } from './preprocessor-config.js';
import { type Axis, resample } from './resample.js';

/**
 * Converts images to the input of CLIP's image encoder like transformers' CLIPImageProcessor: resized with
 * antialiased bicubic interpolation in 8 bits, then rescaled and normalised.
 * @param images may have different sizes
 * @returns `[N, 3, crop, crop]` on the CPU
 */
export async function preprocess(
  images: readonly Pixels[],
  config: FeatureExtractorConfig,
  fit: ImageFit,
): Promise<Tensor<'float32'>> {
  const crop = config.crop_size.height;
  const length = 3 * crop * crop;
  const values = new Float32Array(images.length * length);
  for (const [i, image] of images.entries()) {
    const { x, y } = axesOf(image, config, fit);
    const { data } = await resample(image, x, y, config.resample);
    normalise(data, config, values.subarray(i * length, (i + 1) * length));
  }
  return Tensor.from(values, [images.length, 3, crop, crop]);
}

function axesOf({ width, height }: Pixels, config: FeatureExtractorConfig, fit: ImageFit) {
  const [size, crop] = [shortSide(config), config.crop_size.height];
  // If the margins differ, the first one is smaller.
  const centre = (length: number): Axis => ({
    length,
    start: Math.floor((length - crop) / 2),
    count: crop,
  });
  if (fit === 'fill') return { x: centre(crop), y: centre(crop) };
  // Truncated, not rounded, as transformers' get_resize_output_image_size does.
  const long = Math.trunc((size * Math.max(width, height)) / Math.min(width, height));
  const [short, other] = [centre(size), centre(long)];
  return width <= height ? { x: short, y: other } : { x: other, y: short };
}

function shortSide({ size }: FeatureExtractorConfig): number {
  return 'shortest_edge' in size ? size.shortest_edge : Math.min(size.height, size.width);
}

/**
 * Rescales and normalises in the same steps as the reference, each rounded to float32, so that the results
 * are equal. A table has the result for each of the 256 values of a channel.
 * @param rgb pixels, row-major
 * @param planes receives the result, one channel after another
 */
function normalise(rgb: Uint8Array, config: FeatureExtractorConfig, planes: Float32Array): void {
  const plane = planes.length / 3;
  for (const channel of [0, 1, 2] as const) {
    const [mean, std] = [config.image_mean, config.image_std].map((of) =>
      Math.fround(of[channel]),
    ) as [number, number];
    const table = Float32Array.from({ length: 256 }, (_, byte) => {
      const rescaled = Math.fround(byte * config.rescale_factor);
      return Math.fround(Math.fround(rescaled - mean) / std);
    });
    for (let i = 0; i < plane; i++) {
      planes[channel * plane + i] = table[rgb[3 * i + channel] as number] as number;
    }
  }
}
