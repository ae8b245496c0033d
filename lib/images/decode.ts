import { createHash } from 'node:crypto';
import { expected } from '../errors.js';
import { isBytes, ownBytes } from '../util/realms.js';
import { type ImageFileInput, invalidImage, readImageBytes } from './image-bytes.js';
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
}

/** 100 megapixels, which are 300 MB of decoded pixels. */
const maxPixels = 100_000_000;

interface Source {
  readonly image: Sharp;
  readonly label: string;
}

/**
 * Decodes an image as viewers display it: rotated by its EXIF orientation, converted to sRGB by its ICC
 * profile (CMYK without one as SWOP), composited on white, reduced to 8 bits. Of an animation or a
 * document, the first frame or page is used.
 *
 * Pillow's `convert('RGB')`, which diffusers uses, ignores orientation, profiles and alpha, and inverts
 * CMYK. For RGB and grey images without these, the results are the same.
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
  const { image, label } = isRaw(input)
    ? { image: fromRaw(input, name, limit), label: name }
    : await fromEncoded(input, name, limit);
  const pixels = await decode(image).catch((error: Error) => {
    throw invalidImage(label, reason(error, limit));
  });
  return { ...pixels, hash: hashOf(pixels) };
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
  // Not sharp's default 'warning', because many cameras write files with minor faults. A truncated file is
  // an error.
  const image = sharp(bytes, { limitInputPixels: limit, failOn: 'error', pages: 1 });
  return { image: image.autoOrient(), label };
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

async function decode(image: Sharp): Promise<Pixels> {
  const { depth } = await image.metadata();
  if (!supportedDepths.includes(depth)) throw new Error(`its values are of type ${depth}`);
  const { data, info } = await image
    .flatten({ background: 'white' })
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  if (channels !== 3) throw new Error(`it has ${channels} channels`);
  return { width, height, data: new Uint8Array(data.buffer, data.byteOffset, data.length) };
}

function reason({ message }: Error, limit: number): string {
  if (message.includes('exceeds pixel limit')) return tooLarge(limit);
  // The other lines of libvips are consequences of the first.
  return `it is damaged or not an image (${message.split('\n')[0]})`;
}

function tooLarge(limit: number): string {
  return `it has more than ${limit / 1e6} megapixels. Resize it first`;
}

function hashOf({ width, height, data }: Pixels): string {
  return createHash('sha256').update(`${width}x${height}:`).update(data).digest('hex');
}
