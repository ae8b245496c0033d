import { createHash } from 'node:crypto';
import { expected } from '../errors.js';
import { notPicture, pictureBytes } from './image-bytes.js';
import { KarloImage } from './karlo-image.js';
import type { Pixels } from './pixels.js';
import { type Sharp, sharp } from './sharp.js';

/** Decoded pixels: row-major, 8 bits a channel, sRGB. */
export interface RawImage {
  /** `width * height * channels` elements. */
  readonly data: Uint8Array | Uint8ClampedArray;
  /** Pixels in a row. */
  readonly width: number;
  /** Rows of pixels. */
  readonly height: number;
  /** 1: grey; 2: grey and alpha; 3: RGB; 4: RGB and alpha, not premultiplied. */
  readonly channels: 1 | 2 | 3 | 4;
}

/** A path, a `file:` URL, the bytes of a picture file, raw pixels, or a picture of this package. */
export type ImageInput = string | URL | Uint8Array | RawImage | KarloImage;

/** A picture that was read: RGB, upright. */
export interface Picture extends Pixels {
  /** SHA-256 of width, height and pixels, in hex: the same however the picture was handed over. */
  readonly hash: string;
}

/** 100 megapixels: 300 MB once decoded. */
export const mostPixels = 100_000_000;

interface Source {
  readonly image: Sharp;
  readonly label: string;
}

/**
 * Reads a picture as people see it: turned as its EXIF says, colours converted to sRGB by its ICC
 * profile (CMYK without one as SWOP), alpha laid on white, 16 bits to 8, the first frame or page.
 *
 * Pillow's `convert('RGB')`, which diffusers uses, does neither of the first three. It drops alpha and
 * profiles and inverts CMYK; for a plain RGB or grey picture both give the same.
 *
 * @param name the argument's, for messages: `image[2]`
 * @param limit pixels at most
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for what is no picture, a damaged or truncated one,
 *   SVG (it can name files of its own), floats, and more than `limit` pixels
 */
export async function readPicture(
  input: ImageInput,
  name = 'image',
  limit = mostPixels,
): Promise<Picture> {
  const { image, label } = isRaw(input)
    ? { image: fromRaw(input, name, limit), label: name }
    : await fromEncoded(input, name, limit);
  const pixels = await decode(image).catch((error: Error) => {
    throw notPicture(label, reason(error, limit));
  });
  return { ...pixels, hash: hashOf(pixels) };
}

/** Reads one picture, or several: then messages name the one that is wrong. */
export async function readPictures(image: ImageInput | readonly ImageInput[]): Promise<Picture[]> {
  if (!Array.isArray(image)) return [await readPicture(image as ImageInput)];
  if (image.length === 0) throw expected('a picture or a non-empty array of them', 'image', image);
  return Promise.all(image.map((one, i) => readPicture(one, `image[${i}]`)));
}

function isRaw(input: unknown): input is RawImage | KarloImage {
  return (
    typeof input === 'object' && input !== null && !(input instanceof Uint8Array) && 'data' in input
  );
}

async function fromEncoded(input: unknown, name: string, limit: number): Promise<Source> {
  const { bytes, label } = await pictureBytes(input, name);
  // 'error' and not sharp's 'warning': cameras write files that are odd and whole. Truncation is an
  // error.
  const image = sharp(bytes, { limitInputPixels: limit, failOn: 'error', pages: 1 });
  return { image: image.autoOrient(), label };
}

function fromRaw(input: RawImage | KarloImage, name: string, limit: number): Sharp {
  const { data, width, height } = input;
  const channels = input instanceof KarloImage ? 3 : input.channels;
  if (!(data instanceof Uint8Array || data instanceof Uint8ClampedArray)) {
    throw expected('Uint8Array', `${name}.data`, data);
  }
  if (![1, 2, 3, 4].includes(channels)) {
    throw expected('1, 2, 3 or 4', `${name}.channels`, channels);
  }
  for (const [side, value] of Object.entries({ width, height })) {
    if (!(Number.isInteger(value) && value > 0)) {
      throw expected('positive integer', `${name}.${side}`, value);
    }
  }
  if (width * height > limit) throw notPicture(name, tooLarge(limit));
  if (data.length !== width * height * channels) {
    const what = `${width} x ${height} x ${channels} elements`;
    throw expected(what, `${name}.data`, data.length);
  }
  // A copy: the caller may change or transfer his own meanwhile.
  return sharp(Uint8Array.from(data), {
    raw: { width, height, channels },
    limitInputPixels: limit,
  });
}

/** What 8-bit values can be made of. Of floats nobody says which is white. */
const depths: readonly (string | undefined)[] = ['uchar', 'ushort'];

async function decode(image: Sharp): Promise<Pixels> {
  const { depth } = await image.metadata();
  if (!depths.includes(depth)) throw new Error(`its values are of type ${depth}`);
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
  // Of libvips' lines the first says it; the rest follows from it.
  return `it is damaged or no picture (${message.split('\n')[0]})`;
}

function tooLarge(limit: number): string {
  return `it has more than ${limit / 1e6} megapixels. Make it smaller first`;
}

function hashOf({ width, height, data }: Pixels): string {
  return createHash('sha256').update(`${width}x${height}:`).update(data).digest('hex');
}
