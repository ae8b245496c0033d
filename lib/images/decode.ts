import { createHash } from 'node:crypto';
import { expected, KarloError } from '../errors.js';
import { isBytes, ownBytes } from '../util/realms.js';
import { type CutJpeg, completeJpeg } from './cut-jpeg.js';
import { damagedImage, type ImageFileInput, invalidImage, readImageBytes } from './image-bytes.js';
import { KarloImage } from './karlo-image.js';
import type { Pixels } from './pixels.js';
import { type Sharp, sharp } from './sharp.js';

/** Decoded pixels: row-major, 8 bits per channel, sRGB. */
export interface RawImage {
  /** `width * height * channels` elements. */
  readonly data: Uint8Array | Uint8ClampedArray;
  /** Width in pixels. */
  readonly width: number;
  /** Height in pixels. */
  readonly height: number;
  /** 1: grey; 2: grey and alpha; 3: RGB; 4: RGB and alpha, not premultiplied. */
  readonly channels: 1 | 2 | 3 | 4;
}

/** An image file, raw pixels, or a generated image. */
export type ImageInput = ImageFileInput | RawImage | KarloImage;

/** A decoded image: RGB, upright. */
export interface DecodedImage extends Pixels {
  /** SHA-256 of width, height and pixels, in hex. It does not depend on the kind of input. */
  readonly hash: string;
  /** What the user should know: that the end of the file is missing. */
  readonly warning?: string;
}

/** 100 megapixels, which are 300 MB of decoded pixels. */
const maxPixels = 100_000_000;

/** The least share of a JPEG's rows that must decode if its last bytes are missing. */
const minRows = 0.95;

interface Source {
  readonly image: Sharp;
  readonly label: string;
  readonly warning?: string | undefined;
}

/**
 * Decodes an image as viewers display it: rotated by its EXIF orientation, converted to sRGB by its ICC
 * profile (CMYK without one as SWOP), composited on white, reduced to 8 bits. Of an animation or a
 * document, the first frame or page is used.
 *
 * Pillow's `convert('RGB')`, which diffusers uses, ignores orientation, profiles and alpha, and inverts
 * CMYK. For RGB and grey images without these, the results are the same.
 *
 * A JPEG whose last bytes are missing is decoded, with a warning, if at least 95 % of its rows are there.
 *
 * @param name of the argument, for messages: `image[2]`
 * @param limit maximum number of pixels
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for a file that is missing, damaged or not an image,
 *   for SVG (which can refer to other files), for floats, and for more than `limit` pixels
 */
export async function decodeImage(
  input: ImageInput,
  name = 'image',
  limit = maxPixels,
): Promise<DecodedImage> {
  const source: Source = isRaw(input)
    ? { image: fromRaw(input, name, limit), label: name }
    : await fromEncoded(input, name, limit);
  const { image, label, warning } = source;
  const pixels = await decode(image, label).catch((error) => {
    throw explain(error, label, limit);
  });
  return { ...pixels, hash: hashOf(pixels), ...(warning !== undefined && { warning }) };
}

/** Decodes one or several images. Messages name the invalid one, for example `image[2]`. */
export async function decodeImages(
  input: ImageInput | readonly ImageInput[],
): Promise<DecodedImage[]> {
  if (!Array.isArray(input)) return [await decodeImage(input as ImageInput)];
  if (input.length === 0) throw expected('an image or a non-empty array of images', 'image', input);
  return Promise.all(input.map((one, i) => decodeImage(one, `image[${i}]`)));
}

function isRaw(input: unknown): input is RawImage | KarloImage {
  return typeof input === 'object' && input !== null && !isBytes(input) && 'data' in input;
}

async function fromEncoded(input: unknown, name: string, limit: number): Promise<Source> {
  const { bytes, label } = await readImageBytes(input, name);
  const cut = await completeJpeg(bytes, limit);
  // Not sharp's default 'warning', because many cameras write files with minor faults. A truncated file is
  // an error.
  const options = { limitInputPixels: limit, failOn: 'error', pages: 1 } as const;
  const image = sharp(cut?.bytes ?? bytes, options).autoOrient();
  return { image, label, warning: cut && warnOfCut(cut, label) };
}

/** @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT if too many rows are missing */
function warnOfCut({ rows, height }: CutJpeg, label: string): string {
  const received = `the end of the file is missing: ${rows} of ${height} rows can be read`;
  if (rows >= minRows * height) return `${label}: ${received}`;
  throw invalidImage(label, `it is damaged, because ${received}. Copy or download it again`);
}

function fromRaw(input: RawImage | KarloImage, name: string, limit: number): Sharp {
  const { data, width, height } = input;
  const channels = input instanceof KarloImage ? 3 : input.channels;
  if (!isBytes(data)) throw expected('Uint8Array', `${name}.data`, data);
  if (![1, 2, 3, 4].includes(channels)) {
    throw expected('1, 2, 3 or 4', `${name}.channels`, channels);
  }
  for (const [side, value] of Object.entries({ width, height })) {
    if (!(Number.isInteger(value) && value > 0)) {
      throw expected('positive integer', `${name}.${side}`, value);
    }
  }
  if (width * height > limit) throw invalidImage(name, tooLarge(limit));
  if (data.length !== width * height * channels) {
    const shape = `${width} x ${height} x ${channels} elements`;
    throw expected(shape, `${name}.data`, data.length);
  }
  // A copy, because the caller may change or transfer the array in the meantime.
  return sharp(ownBytes(data).slice(), {
    raw: { width, height, channels },
    limitInputPixels: limit,
  });
}

/** Types that can be converted to 8 bits. Floats cannot, because their white level is not defined. */
const supportedDepths: readonly (string | undefined)[] = ['uchar', 'ushort'];

async function decode(image: Sharp, label: string): Promise<Pixels> {
  const { depth } = await image.metadata();
  if (!supportedDepths.includes(depth)) {
    throw invalidImage(label, `its values are of type ${depth}; convert them to 8 or 16 bits`);
  }
  const { data, info } = await image
    .flatten({ background: 'white' })
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  if (channels !== 3) throw invalidImage(label, `it has ${channels} channels`);
  return { width, height, data: new Uint8Array(data.buffer, data.byteOffset, data.length) };
}

function explain(error: Error, label: string, limit: number): KarloError {
  if (error instanceof KarloError) return error;
  if (error.message.includes('exceeds pixel limit')) return invalidImage(label, tooLarge(limit));
  return damagedImage(label, error);
}

function tooLarge(limit: number): string {
  return `it has more than ${limit / 1e6} megapixels. Resize it first`;
}

function hashOf({ width, height, data }: Pixels): string {
  return createHash('sha256').update(`${width}x${height}:`).update(data).digest('hex');
}
