import { Tensor } from '../torch/tensor.js';
import type { FeatureExtractorConfig } from './feature-extractor.js';
import type { Pixels } from './pixels.js';
import { type Axis, resample } from './resample.js';

/**
 * How a picture is made square: `cover` resizes its short side and cuts the middle out, as diffusers
 * does; `fill` squashes it, as the original program does.
 */
export type Fit = 'cover' | 'fill';

/**
 * Pictures as CLIP's image encoder takes them, as CLIPImageProcessor computes them: bicubic on 8 bits,
 * antialiased, then rescaled and normalised.
 * @param pictures of any sizes, 1 pixel up
 * @returns `[N, 3, crop, crop]` on the CPU
 */
export async function preprocess(
  pictures: readonly Pixels[],
  config: FeatureExtractorConfig,
  fit: Fit,
): Promise<Tensor<'float32'>> {
  const crop = config.crop_size.height;
  const length = 3 * crop * crop;
  const values = new Float32Array(pictures.length * length);
  for (const [i, picture] of pictures.entries()) {
    const { x, y } = axesOf(picture, config, fit);
    const { data } = await resample(picture, x, y);
    normalise(data, config, values.subarray(i * length, (i + 1) * length));
  }
  return Tensor.from(values, [pictures.length, 3, crop, crop]);
}

function axesOf({ width, height }: Pixels, config: FeatureExtractorConfig, fit: Fit) {
  const [size, crop] = [shortSide(config), config.crop_size.height];
  // The middle; of an odd rest the smaller half comes first.
  const middle = (length: number): Axis => ({
    length,
    start: Math.floor((length - crop) / 2),
    count: crop,
  });
  if (fit === 'fill') return { x: middle(crop), y: middle(crop) };
  // Truncated, not rounded, as transformers' get_resize_output_image_size does.
  const long = Math.trunc((size * Math.max(width, height)) / Math.min(width, height));
  const [short, other] = [middle(size), middle(long)];
  return width <= height ? { x: short, y: other } : { x: other, y: short };
}

function shortSide({ size }: FeatureExtractorConfig): number {
  return 'shortest_edge' in size ? size.shortest_edge : Math.min(size.height, size.width);
}

/**
 * Rescales and normalises in the reference's own steps, each rounded to float32: equal bytes give
 * equal floats. With 256 values a channel, they are a table.
 * @param rgb pixels, row-major
 * @param planes is filled: one channel after the other
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
