import { createHash } from 'node:crypto';
import { expected } from '../errors.js';
import { isBytes, ownBytes } from '../util/realms.js';
import { type CutJpeg, completeJpeg } from './cut-jpeg.js';
import { readHeader } from './header.js';
import { damagedImage, type ImageFileInput, invalidImage, readImageBytes } from './image-bytes.js';
import { defaultLimits, excessOf, type InputLimits } from './input-limits.js';
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

/** The least share of a JPEG's rows that must decode if its last bytes are missing. */
const minRows = 0.95;

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
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for a file that is missing, damaged or not an image,
 *   for SVG (which can refer to other files), for floats, and for images above the limits
 */
export async function decodeImage(
  input: ImageInput,
  name = 'image',
  limits = defaultLimits,
): Promise<DecodedImage> {
  if (isRaw(input)) return decodeRaw(input, name, limits);
  const { bytes, label } = await readImageBytes(input, name);
  return decodeFile(bytes, label, limits);
}

/** Whether an image is decoded already. */
export function isRaw(input: unknown): input is RawImage | KarloImage {
  return typeof input === 'object' && input !== null && !isBytes(input) && 'data' in input;
}

/**
 * Decodes an image file.
 * @param label of the image, for messages
 */
export async function decodeFile(
  bytes: Buffer,
  label: string,
  limits: InputLimits,
): Promise<DecodedImage> {
  const { image, warning } = await openFile(bytes, label, limits);
  return { ...(await decode(image, label)), ...(warning !== undefined && { warning }) };
}

/** Decodes an image file as a mask: white where it is white or transparent, black elsewhere. */
export async function decodeMaskFile(
  bytes: Buffer,
  label: string,
  limits: InputLimits,
): Promise<DecodedImage> {
  return decodeMask((await openFile(bytes, label, limits)).image, label);
}

async function openFile(bytes: Buffer, label: string, limits: InputLimits) {
  const header = await readHeader(bytes, label);
  const excess = excessOf(header, limits);
  if (excess !== undefined) throw invalidImage(label, excess);
  if (!supportedDepths.includes(header.depth)) {
    throw invalidImage(
      label,
      `its values are of type ${header.depth}; convert them to 8 or 16 bits`,
    );
  }
  const cut = await completeJpeg(bytes, limits.pixels);
  const warning = cut && warnOfCut(cut, label);
  // Not sharp's default 'warning', because many cameras write files with minor faults. A truncated file is
  // an error.
  const options = { limitInputPixels: limits.pixels, failOn: 'error', pages: 1 } as const;
  return { image: sharp(cut?.bytes ?? bytes, options).autoOrient(), warning };
}

/** @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT if too many rows are missing */
function warnOfCut({ rows, height }: CutJpeg, label: string): string {
  const received = `the end of the file is missing: ${rows} of ${height} rows can be read`;
  if (rows >= minRows * height) return `${label}: ${received}`;
  throw invalidImage(label, `it is damaged, because ${received}. Copy or download it again`);
}

/** Decodes pixels: without alpha, and as RGB. */
export async function decodeRaw(
  input: RawImage | KarloImage,
  name: string,
  limits: InputLimits,
): Promise<DecodedImage> {
  return decode(openRaw(input, name, limits), name);
}

/** Decodes pixels as a mask, as `decodeMaskFile` does. */
export async function decodeRawMask(
  input: RawImage | KarloImage,
  name: string,
  limits: InputLimits,
): Promise<DecodedImage> {
  return decodeMask(openRaw(input, name, limits), name);
}

function openRaw(input: RawImage | KarloImage, name: string, limits: InputLimits): Sharp {
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
  const excess = excessOf({ width, height, frames: 1, pixelBytes: channels }, limits);
  if (excess !== undefined) throw invalidImage(name, excess);
  if (data.length !== width * height * channels) {
    const shape = `${width} x ${height} x ${channels} elements`;
    throw expected(shape, `${name}.data`, data.length);
  }
  // A copy, because the caller may change or transfer the array in the meantime.
  const raw = { width, height, channels };
  return sharp(ownBytes(data).slice(), { raw, limitInputPixels: limits.pixels });
}

/** Types that can be converted to 8 bits. Floats cannot, because their white level is not defined. */
const supportedDepths: readonly (string | undefined)[] = ['uchar', 'ushort'];

async function decode(image: Sharp, label: string): Promise<DecodedImage> {
  return read(image.flatten({ background: 'white' }).toColourspace('srgb'), label);
}

/** What is half transparent, or brighter than a medium grey, is white. */
async function decodeMask(image: Sharp, label: string): Promise<DecodedImage> {
  const flat = image.flatten({ background: 'white' }).toColourspace('b-w');
  return read(flat.threshold(128).toColourspace('srgb'), label);
}

async function read(image: Sharp, label: string): Promise<DecodedImage> {
  const { data, info } = await image
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
    .catch((error) => {
      throw damagedImage(label, error);
    });
  const { width, height, channels } = info;
  if (channels !== 3) throw invalidImage(label, `it has ${channels} channels`);
  const pixels = { width, height, data: new Uint8Array(data.buffer, data.byteOffset, data.length) };
  return { ...pixels, hash: hashOf(pixels) };
}

function hashOf({ width, height, data }: Pixels): string {
  return createHash('sha256').update(`${width}x${height}:`).update(data).digest('hex');
}
