import { expected, invalidArgument } from '../errors.js';
import { boolean, callback, integer, knownOptions } from '../options/validate.js';
import { isBytes } from '../util/realms.js';
import { type C2paManifest, c2paManifestOf } from './c2pa.js';
import { formatOf, type ImageFormat, imageFormats } from './formats.js';
import { type EncodableImage, fittingXmp, pngTextsOf, propertiesOf } from './marking.js';
import type { Pixels } from './pixels.js';
import { insertPngText, type XmpValues } from './recipe-metadata.js';
import { type Sharp, sharp } from './sharp.js';

/** How an image is encoded. */
export interface EncodeOptions {
  /** 1 to 100, for JPEG, WebP and AVIF. Default 90. Lossless formats ignore it. */
  readonly quality?: number | undefined;
  /** Whether the recipe is stored in the image. Default true. */
  readonly recipe?: boolean | undefined;
  /**
   * Whether the file says that the image was generated: the XMP properties `Iptc4xmpExt:DigitalSourceType` and
   * `xmp:CreatorTool`. Default true.
   */
  readonly marking?: boolean | undefined;
  /**
   * Signs the encoded file, as C2PA does: the bytes that it returns are the file. `manifest` is what the signature should
   * say about the image.
   */
  readonly sign?: SignFile | undefined;
}

/** Signs the bytes of an image file. */
export type SignFile = (
  file: Buffer,
  about: { readonly format: ImageFormat; readonly manifest: C2paManifest },
) => Uint8Array | Promise<Uint8Array>;

/** The range of `quality`. */
export const qualityRange = [1, 100] as const;

/** The quality of lossy formats. */
export const defaultQuality = 90;

/** The names of the options. */
export const encodeOptions = ['quality', 'recipe', 'marking', 'sign'] as const;

/** A sharp pipeline of pixels. */
export function toSharp({ width, height, data }: Pixels): Sharp {
  return sharp(data, { raw: { width, height, channels: 3 } });
}

/**
 * Encodes sRGB pixels as an image file.
 * @param texts more texts of a PNG file, by keyword
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for an unknown format, a quality out of range, or a width or
 *   height that the format does not support
 */
export async function encode(
  image: EncodableImage,
  format: ImageFormat,
  options: EncodeOptions,
  texts: Readonly<Record<string, string>> = {},
): Promise<Buffer<ArrayBuffer>> {
  const raw = knownOptions(options, encodeOptions, 'options');
  const quality = integer(raw.quality, qualityRange, 'quality', defaultQuality);
  const recipe = boolean(raw.recipe, 'recipe', true);
  const marking = boolean(raw.marking, 'marking', true);
  if (!imageFormats.includes(format)) {
    throw expected(`one of ${imageFormats.join(', ')}`, 'format', format);
  }
  const sign = callback(raw.sign, 'sign') as SignFile | undefined;
  const properties = await propertiesOf(image, { recipe, marking });
  const file = await encodeFile(image, { format, quality, properties, texts });
  if (sign === undefined) return file;
  const manifest = c2paManifestOf(image.digitalSourceType);
  const signed: unknown = await sign(file, { format, manifest });
  if (isBytes(signed)) return Buffer.from(signed);
  throw expected('Uint8Array', 'result of sign', signed);
}

interface FileContents {
  readonly format: ImageFormat;
  readonly quality: number;
  readonly properties: XmpValues;
  readonly texts: Readonly<Record<string, string>>;
}

async function encodeFile(image: Pixels, { format, quality, properties, texts }: FileContents) {
  const { encode, label, maxXmpBytes } = formatOf(format);
  const pipeline = encode(toSharp(image), quality);
  if (format === 'png') {
    return withTexts(await finish(pipeline, format), { ...texts, ...pngTextsOf(properties) });
  }
  const xmp = fittingXmp(properties, label, maxXmpBytes);
  return finish(xmp ? pipeline.withXmp(xmp) : pipeline, format);
}

/** Not by libvips, which writes XMP to a zTXt chunk, which most programs ignore. */
function withTexts(png: Buffer<ArrayBuffer>, texts: Readonly<Record<string, string>>) {
  return Object.entries(texts).reduceRight(
    (bytes, [keyword, text]) => insertPngText(bytes, keyword, text),
    png,
  );
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
