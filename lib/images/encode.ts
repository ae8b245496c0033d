import { extname } from 'node:path';
import { expected, invalidArgument } from '../errors.js';
import { boolean, integer, knownOptions } from '../options/validate.js';
import type { Pixels } from './pixels.js';
import type { Recipe } from './recipe.js';
import { insertPngText, pngKeywords, xmpPacket } from './recipe-metadata.js';
import { type Sharp, sharp } from './sharp.js';

interface Format {
  readonly name: 'png' | 'jpeg' | 'webp' | 'avif' | 'tiff';
  readonly encode: (image: Sharp, quality: number) => Sharp;
}

const jpeg: Format = {
  name: 'jpeg',
  // Without chroma subsampling, whose artefacts show at the edges of flat colours in small images.
  encode: (image, quality) => image.jpeg({ quality, chromaSubsampling: '4:4:4' }),
};

const tiff: Format = {
  name: 'tiff',
  // sharp's default is lossy: JPEG inside the TIFF.
  encode: (image) => image.tiff({ compression: 'deflate', predictor: 'horizontal' }),
};

/** The formats that can be written, by file extension. */
const formats = {
  png: { name: 'png', encode: (image) => image.png() },
  jpg: jpeg,
  jpeg,
  webp: { name: 'webp', encode: (image, quality) => image.webp({ quality, smartSubsample: true }) },
  avif: { name: 'avif', encode: (image, quality) => image.avif({ quality }) },
  tif: tiff,
  tiff,
} satisfies Record<string, Format>;

/** A format, by its file extension. */
export type ImageFormat = keyof typeof formats;

/** The names of all formats. */
export const imageFormats = Object.keys(formats) as readonly ImageFormat[];

/** The format that a file's extension names; undefined for another extension. */
export function formatOfFile(path: string): ImageFormat | undefined {
  const extension = extname(path).slice(1).toLowerCase();
  return imageFormats.find((format) => format === extension);
}

/** How an image is encoded. */
export interface EncodeOptions {
  /** 1 to 100, for JPEG, WebP and AVIF. Default 90. PNG and TIFF are lossless and ignore it. */
  readonly quality?: number;
  /** Whether the recipe is stored in the image. Default true. */
  readonly recipe?: boolean;
}

/** The range of `quality`. */
export const qualityRange = [1, 100] as const;

/** The names of the options. */
export const encodeOptions = ['quality', 'recipe'] as const;

/** JPEG stores XMP in one segment. libvips silently drops XMP that is larger. */
const maxXmpBytesInJpeg = 60_000;

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
): Promise<Buffer> {
  const raw = knownOptions(options, encodeOptions, 'options');
  const quality = integer(raw.quality, qualityRange, 'quality', 90);
  const includeRecipe = boolean(raw.recipe, 'recipe', true);
  if (!imageFormats.includes(format)) {
    throw expected(`one of ${imageFormats.join(', ')}`, 'format', format);
  }
  const { name, encode: encoder }: Format = formats[format];
  const pipeline = encoder(toSharp(pixels), quality);
  if (!includeRecipe || recipe === undefined) return finish(pipeline, name);
  // Imported on use, because its validation takes a while to load.
  const { recipeJson } = await import('./recipe.js');
  const json = recipeJson(recipe);
  const xmp = xmpPacket(json);
  if (name === 'png') return insertInPng(await finish(pipeline, name), json, xmp);
  return finish(fits(xmp, name) ? pipeline.withXmp(xmp) : pipeline, name);
}

/** Not by libvips, which writes XMP to a zTXt chunk, which most programs ignore. */
function insertInPng(png: Buffer, json: string, xmp: string): Buffer {
  return insertPngText(insertPngText(png, pngKeywords.xmp, xmp), pngKeywords.recipe, json);
}

async function finish(pipeline: Sharp, format: string): Promise<Buffer> {
  try {
    return await pipeline.toBuffer();
  } catch (cause) {
    const message = `Cannot encode the image as ${format}: ${(cause as Error).message}`;
    throw invalidArgument(message, { cause });
  }
}

/** Warns if a recipe is too large for the format. The image is then written without it. */
function fits(xmp: string, format: string): boolean {
  const bytes = Buffer.byteLength(xmp);
  if (format !== 'jpeg' || bytes <= maxXmpBytesInJpeg) return true;
  process.emitWarning(
    `The recipe was left out: it has ${bytes} bytes, and the limit for JPEG is ${maxXmpBytesInJpeg}`,
    { code: 'KARLO_RECIPE_LEFT_OUT' },
  );
  return false;
}
