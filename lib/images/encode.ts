import { expected, KarloError } from '../errors.js';
import { boolean, integer, knownOptions } from '../options/validate.js';
import type { Pixels } from './pixels.js';
import type { Recipe } from './recipe.js';
import { insertPngText, pngKeywords, xmpPacket } from './recipe-metadata.js';
import { type Sharp, sharp } from './sharp.js';

/** What a picture can be written as: the names, which are the extensions too, and the formats. */
const formats = {
  png: 'png',
  jpg: 'jpeg',
  jpeg: 'jpeg',
  webp: 'webp',
  avif: 'avif',
  tif: 'tiff',
  tiff: 'tiff',
} as const;

/** A format by the extension of its files. */
export type ImageFormat = keyof typeof formats;

/** The names of all formats. */
export const imageFormats = Object.keys(formats) as readonly ImageFormat[];

/** How a picture is encoded. */
export interface EncodeOptions {
  /** 1 to 100, for JPEG, WebP and AVIF; 90 by default. PNG and TIFF lose nothing and ignore it. */
  readonly quality?: number;
  /** Whether the recipe goes into the picture; true by default. */
  readonly recipe?: boolean;
}

/** The least and the most `quality`. */
export const qualityRange = [1, 100] as const;

/** The names of the options. */
export const encodeOptions = ['quality', 'recipe'] as const;

/** JPEG keeps XMP in one segment; libvips drops a larger one without a word. */
const mostXmpInJpeg = 60_000;

// Full colour resolution: the pictures are small, and flat coloured shapes show its loss first.
const encoders: Record<(typeof formats)[ImageFormat], (image: Sharp, quality: number) => Sharp> = {
  png: (image) => image.png(),
  jpeg: (image, quality) => image.jpeg({ quality, chromaSubsampling: '4:4:4' }),
  webp: (image, quality) => image.webp({ quality, smartSubsample: true }),
  avif: (image, quality) => image.avif({ quality }),
  // sharp's own default is JPEG inside the TIFF.
  tiff: (image) => image.tiff({ compression: 'deflate', predictor: 'horizontal' }),
};

/** RGB pixels as a sharp pipeline. */
export function sharpOf({ width, height, data }: Pixels): Sharp {
  return sharp(data, { raw: { width, height, channels: 3 } });
}

/**
 * Pixels as the bytes of a picture file, sRGB.
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for an unknown format, a quality out of range, or
 *   more pixels a side than the format holds
 */
export async function encode(
  pixels: Pixels,
  format: ImageFormat,
  options: EncodeOptions,
  recipe: Recipe | undefined,
): Promise<Buffer> {
  const given = knownOptions(options, encodeOptions, 'options');
  const quality = integer(given.quality, qualityRange, 'quality', 90);
  const wanted = boolean(given.recipe, 'recipe', true);
  if (!imageFormats.includes(format)) {
    throw expected(`one of ${imageFormats.join(', ')}`, 'format', format);
  }
  const known = formats[format];
  const pipeline = encoders[known](sharpOf(pixels), quality);
  if (!wanted || recipe === undefined) return finish(pipeline, known);
  // What checks it takes a while to import: not before it is wanted.
  const { recipeJson } = await import('./recipe.js');
  const json = recipeJson(recipe);
  const xmp = xmpPacket(json);
  if (known === 'png') return inPng(await finish(pipeline, known), json, xmp);
  return finish(fits(xmp, known) ? pipeline.withXmp(xmp) : pipeline, known);
}

/** Not by libvips, which packs XMP into another kind of chunk than other programs look for. */
function inPng(png: Buffer, json: string, xmp: string): Buffer {
  return insertPngText(insertPngText(png, pngKeywords.xmp, xmp), pngKeywords.recipe, json);
}

async function finish(pipeline: Sharp, format: string): Promise<Buffer> {
  try {
    return await pipeline.toBuffer();
  } catch (cause) {
    const message = `Expected a picture that can be written as ${format} but: ${(cause as Error).message}`;
    throw new KarloError('ERR_KARLO_INVALID_ARGUMENT', message, { cause });
  }
}

/** A picture without its recipe is better than none: what does not fit is left out, and said. */
function fits(xmp: string, format: string): boolean {
  const bytes = Buffer.byteLength(xmp);
  if (format !== 'jpeg' || bytes <= mostXmpInJpeg) return true;
  process.emitWarning(
    `The recipe was left out: it has ${bytes} bytes, and JPEG keeps ${mostXmpInJpeg}`,
    { code: 'KARLO_RECIPE_LEFT_OUT' },
  );
  return false;
}
