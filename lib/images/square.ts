import type { ImageFit } from '../options/descriptions.js';
import type { Pixels } from './pixels.js';
import type { FeatureExtractorConfig } from './preprocessor-config.js';
import { type Axis, resample } from './resample.js';

/** How images become square. */
export interface SquareOptions {
  /** The config that says how to resize, crop and pad. */
  readonly config: FeatureExtractorConfig;
  /** The `image_size` of the image encoder. `checkFeatureExtractor` checks that the config gives it. */
  readonly edge: number;
  /**
   * If it is not the config's own (`fitOf`), it replaces the config's sizes: `cover` resizes the short side to `edge`
   * and crops the centre, `fill` resizes both sides to `edge`.
   */
  readonly fit: ImageFit;
}

/**
 * How a config makes images square: `fill` if it resizes them to a height and a width, otherwise `cover`, because
 * only a crop can follow. It is the default of the option `fit`.
 */
export function fitOf({ do_resize, size }: FeatureExtractorConfig): ImageFit {
  return do_resize && 'height' in size ? 'fill' : 'cover';
}

/** Pillow's number of the filter. */
const bicubic = 3;

interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * Makes an image square like transformers' CLIPImageProcessor: resized in 8 bits, and cropped or padded with black, as
 * far as the config says so.
 * @returns `3 * edge * edge` bytes, RGB, row-major
 */
export async function toSquare(
  image: Pixels,
  { config, edge, fit }: SquareOptions,
): Promise<Uint8Array> {
  const isOwn = fit === fitOf(config);
  const { width, height } = isOwn ? configuredSize(image, config) : fittedSize(image, edge, fit);
  // Without resizing, each pixel is its nearest one.
  const filter = isOwn && !config.do_resize ? 0 : config.resample;
  const [x, y] = [visible(width, edge), visible(height, edge)];
  return padded(await resample(image, x, y, filter), edge);
}

/** How an image becomes a square of any size, without a model's config. */
export interface ResizedOptions {
  readonly edge: number;
  readonly fit: ImageFit;
}

/** Makes an image square, by Pillow's bicubic filter. @returns `3 * edge * edge` bytes, RGB, row-major */
export async function resizeToSquare(
  image: Pixels,
  { edge, fit }: ResizedOptions,
): Promise<Uint8Array> {
  const { width, height } = fittedSize(image, edge, fit);
  const resized = await resample(image, visible(width, edge), visible(height, edge), bicubic);
  return resized.data;
}

/**
 * Makes a mask square as `resizeToSquare` does its image, by the nearest pixels. The mask may have another size
 * than the image, which it is stretched to.
 * @param image its size
 * @returns as `resizeToSquare`
 */
export async function maskToSquare(
  mask: Pixels,
  image: Size,
  { edge, fit }: ResizedOptions,
): Promise<Uint8Array> {
  const { width, height } = fittedSize(image, edge, fit);
  const nearest = await resample(mask, visible(width, edge), visible(height, edge), 0);
  return nearest.data;
}

/** The size after the config's resizing. */
function configuredSize(image: Pixels, { do_resize, size }: FeatureExtractorConfig): Size {
  if (!do_resize) return image;
  return 'height' in size ? size : shortSideTo(size.shortest_edge, image);
}

function fittedSize(image: Size, edge: number, fit: ImageFit): Size {
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
