import { expected, invalidArgument } from '../errors.js';
import { boolean, integer, knownOptions } from '../options/validate.js';
import { formatOf, type ImageFormat, imageFormats } from './formats.js';
import type { Pixels } from './pixels.js';
import type { Recipe } from './recipe.js';
import { insertPngText, pngKeywords, xmpPacket } from './recipe-metadata.js';
import { type Sharp, sharp } from './sharp.js';

/** How an image is encoded. */
export interface EncodeOptions {
  /** 1 to 100, for JPEG, WebP and AVIF. Default 90. Lossless formats ignore it. */
  readonly quality?: number | undefined;
  /** Whether the recipe is stored in the image. Default true. */
  readonly recipe?: boolean | undefined;
}

/** The range of `quality`. */
export const qualityRange = [1, 100] as const;

/** The quality of lossy formats. */
export const defaultQuality = 90;

/** The names of the options. */
export const encodeOptions = ['quality', 'recipe'] as const;

/** A sharp pipeline of pixels. */
export function toSharp({ width, height, data }: Pixels): Sharp {
  return sharp(data, { raw: { width, height, channels: 3 } });
}

/**
 * Encodes sRGB pixels as an image file.
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for an unknown format, a quality out of range, or a width or
 *   height that the format does not support
 */
export async function encode(
  pixels: Pixels,
  format: ImageFormat,
  options: EncodeOptions,
  recipe: Recipe | undefined,
): Promise<Buffer<ArrayBuffer>> {
  const raw = knownOptions(options, encodeOptions, 'options');
  const quality = integer(raw.quality, qualityRange, 'quality', defaultQuality);
  const includeRecipe = boolean(raw.recipe, 'recipe', true);
  if (!imageFormats.includes(format)) {
    throw expected(`one of ${imageFormats.join(', ')}`, 'format', format);
  }
  const pipeline = formatOf(format).encode(toSharp(pixels), quality);
  if (!includeRecipe || recipe === undefined) return finish(pipeline, format);
  // Imported on use, because its validation takes a while to load.
  const { recipeJson } = await import('./recipe.js');
  const json = recipeJson(recipe);
  const xmp = xmpPacket(json);
  if (format === 'png') return insertInPng(await finish(pipeline, format), json, xmp);
  return finish(fits(xmp, format) ? pipeline.withXmp(xmp) : pipeline, format);
}

/** Not by libvips, which writes XMP to a zTXt chunk, which most programs ignore. */
function insertInPng(png: Buffer, json: string, xmp: string): Buffer<ArrayBuffer> {
  return insertPngText(insertPngText(png, pngKeywords.xmp, xmp), pngKeywords.recipe, json);
}

async function finish(pipeline: Sharp, format: ImageFormat): Promise<Buffer<ArrayBuffer>> {
  try {
    return await pipeline.toBuffer();
  } catch (cause) {
    // libvips's own lines are for the developers of encoders.
    const isTooLarge = (cause as Error).message.includes('too large');
    const reason = isTooLarge ? 'it is too large for that format' : 'the encoder failed';
    const message = `Cannot encode the image as ${format}: ${reason}. Use another format, such as png`;
    throw invalidArgument(message, { cause });
  }
}

/** Warns if a recipe is too large for the format. The image is then written without it. */
function fits(xmp: string, format: ImageFormat): boolean {
  const { label, maxXmpBytes = Number.POSITIVE_INFINITY } = formatOf(format);
  const bytes = Buffer.byteLength(xmp);
  if (bytes <= maxXmpBytes) return true;
  process.emitWarning(
    `The recipe was left out: it has ${bytes} bytes, and the limit for ${label} is ${maxXmpBytes}`,
    { code: 'KARLO_RECIPE_LEFT_OUT' },
  );
  return false;
}
