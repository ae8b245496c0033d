import type { ImageFit } from '../options/descriptions.js';
import { Tensor } from '../torch/tensor.js';
import type { Pixels } from './pixels.js';
import { type FeatureExtractorConfig, fitOf } from './preprocessor-config.js';
import { type Axis, resample } from './resample.js';

interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * Converts images to the input of CLIP's image encoder like transformers' CLIPImageProcessor: resized in 8 bits,
 * cropped or padded with black, rescaled and normalised, as far as the config says so.
 * @param images may have different sizes
 * @param edge the `image_size` of the image encoder. `checkFeatureExtractor` checks that the config gives it
 * @param fit if it is not the config's own (`fitOf`), it replaces the config's sizes: `cover` resizes the short side
 *   to `edge` and crops the centre, `fill` resizes both sides to `edge`
 * @returns `[N, 3, edge, edge]` on the CPU
 */
export async function preprocess(
  images: readonly Pixels[],
  config: FeatureExtractorConfig,
  edge: number,
  fit: ImageFit,
): Promise<Tensor<'float32'>> {
  const tables = valueTables(config);
  const length = 3 * edge * edge;
  const values = new Float32Array(images.length * length);
  for (const [i, image] of images.entries()) {
    const square = await squareOf(image, config, edge, fit);
    separate(square, tables, values.subarray(i * length, (i + 1) * length));
  }
  return Tensor.from(values, [images.length, 3, edge, edge]);
}

/** Resizes an image, and crops or pads its centre to `edge` by `edge` pixels. */
async function squareOf(
  image: Pixels,
  config: FeatureExtractorConfig,
  edge: number,
  fit: ImageFit,
): Promise<Uint8Array> {
  const isOwn = fit === fitOf(config);
  const { width, height } = isOwn ? configuredSize(image, config) : fittedSize(image, edge, fit);
  // Without resizing, each pixel is its nearest one.
  const filter = isOwn && !config.do_resize ? 0 : config.resample;
  const [x, y] = [visible(width, edge), visible(height, edge)];
  return padded(await resample(image, x, y, filter), edge);
}

/** The size after the config's resizing. */
function configuredSize(image: Pixels, { do_resize, size }: FeatureExtractorConfig): Size {
  if (!do_resize) return image;
  return 'height' in size ? size : shortSideTo(size.shortest_edge, image);
}

function fittedSize(image: Pixels, edge: number, fit: ImageFit): Size {
  return fit === 'fill' ? { width: edge, height: edge } : shortSideTo(edge, image);
}

/** The long side is truncated, not rounded, as transformers' get_resize_output_image_size does. */
function shortSideTo(short: number, { width, height }: Size): Size {
  const long = Math.trunc((short * Math.max(width, height)) / Math.min(width, height));
  return width <= height ? { width: short, height: long } : { width: long, height: short };
}

/** The part of an axis that a crop to `edge` pixels keeps. If its margins differ, the first one is smaller. */
function visible(length: number, edge: number): Axis {
  const start = Math.max(0, Math.floor((length - edge) / 2));
  return { length, start, count: Math.min(length, edge) };
}

/** The image on black. If its margins differ, the first one is larger, as in transformers' center_crop. */
function padded({ width, height, data }: Pixels, edge: number): Uint8Array {
  if (width === edge && height === edge) return data;
  const result = new Uint8Array(3 * edge * edge);
  const [left, top] = [Math.ceil((edge - width) / 2), Math.ceil((edge - height) / 2)];
  for (let row = 0; row < height; row++) {
    const pixels = data.subarray(3 * width * row, 3 * width * (row + 1));
    result.set(pixels, 3 * (edge * (top + row) + left));
  }
  return result;
}

/**
 * The result for each of the 256 values of each channel, rescaled and normalised in the same steps as the
 * reference, each rounded to float32, so that the results are equal.
 */
function valueTables(config: FeatureExtractorConfig): Float32Array[] {
  const factor = config.do_rescale ? config.rescale_factor : 1;
  const rescaled = Float32Array.from({ length: 256 }, (_, byte) => byte * factor);
  if (!config.do_normalize) return [rescaled, rescaled, rescaled];
  return config.image_mean.map((value, channel) => {
    const mean = Math.fround(value);
    const std = Math.fround(config.image_std[channel] as number);
    return rescaled.map((one) => Math.fround(one - mean) / std);
  });
}

/**
 * @param rgb pixels, row-major
 * @param tables the result of each value, for each channel
 * @param planes receives the results, one channel after another
 */
function separate(rgb: Uint8Array, tables: readonly Float32Array[], planes: Float32Array): void {
  const plane = planes.length / 3;
  for (const [channel, table] of tables.entries()) {
    for (let i = 0; i < plane; i++) {
      planes[channel * plane + i] = table[rgb[3 * i + channel] as number] as number;
    }
  }
}
