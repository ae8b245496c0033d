import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import sharp, { type SharpInput, type SharpOptions } from 'sharp';
import { expected, KarloError } from '../errors.js';
import { KarloImage } from '../image.js';
import type { Pixels } from './pictures.js';

/** Raw pixels, 8 bits a channel, row-major. */
export interface RawPicture {
  data: Uint8Array;
  width: number;
  height: number;
  channels: 1 | 2 | 3 | 4;
}

/** A picture: a path, a `file:` URL, the bytes of a picture file, raw pixels, or one of our own. */
export type PictureInput = string | URL | Uint8Array | RawPicture | KarloImage;

/** Larger pictures are refused: they would be a bomb for the memory. */
const mostPixels = 100e6;

/**
 * Any picture that sharp reads, as 8-bit sRGB: turned as EXIF says, its alpha flattened on white, the
 * first of several frames.
 * @param name what messages call it
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for what is no picture, or too large a one
 */
export async function readPicture(input: unknown, name: string): Promise<Pixels> {
  if (input instanceof KarloImage) return input;
  const [source, options] = await sourceOf(input, name);
  try {
    const { data, info } = await sharp(source, { ...options, limitInputPixels: mostPixels })
      .autoOrient()
      .flatten({ background: 'white' })
      .toColourspace('srgb')
      .removeAlpha()
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    return { data, width: info.width, height: info.height };
  } catch (cause) {
    const message = `Expected a picture of at most ${mostPixels / 1e6} megapixels for ${name} but sharp says: ${(cause as Error).message}`;
    throw new KarloError('ERR_KARLO_INVALID_ARGUMENT', message, { cause });
  }
}

async function sourceOf(input: unknown, name: string): Promise<[SharpInput, SharpOptions]> {
  if (input instanceof Uint8Array) return [input, {}];
  if (typeof input === 'string') return [await bytesOf(input, name), {}];
  if (input instanceof URL && input.protocol === 'file:') {
    return [await bytesOf(fileURLToPath(input), name), {}];
  }
  if (isRaw(input)) {
    const { data, width, height, channels } = input;
    return [data, { raw: { width, height, channels } }];
  }
  throw expected('path, file: URL, Uint8Array, raw pixels or KarloImage', name, input);
}

/** Read here and not by sharp, which would follow what a picture file refers to. */
async function bytesOf(path: string, name: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    const message = `Expected a readable picture for ${name} but '${path}' cannot be read: ${(cause as Error).message}`;
    throw new KarloError('ERR_KARLO_INVALID_ARGUMENT', message, { cause });
  }
}

function isRaw(input: unknown): input is RawPicture {
  if (typeof input !== 'object' || input === null) return false;
  const { data, width, height, channels } = input as Partial<RawPicture>;
  const sizes = [width, height, channels].every((n) => Number.isInteger(n) && (n as number) > 0);
  if (!(data instanceof Uint8Array) || !sizes || (channels as number) > 4) return false;
  return data.length === (width as number) * (height as number) * (channels as number);
}
