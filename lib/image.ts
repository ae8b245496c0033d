import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import sharp, { type FormatEnum, type Sharp } from 'sharp';
import { expected, KarloError } from './errors.js';
import type { Pixels } from './stages/pictures.js';

/** Formats that a picture can be written in. */
const formats = {
  png: 'png',
  jpg: 'jpeg',
  jpeg: 'jpeg',
  webp: 'webp',
  avif: 'avif',
  tiff: 'tiff',
} as const;

export type ImageFormat = keyof typeof formats;

/** A finished picture, or a preview of one. */
export class KarloImage {
  readonly width: number;
  readonly height: number;
  /** RGB, row-major, 8 bits a channel. */
  readonly data: Uint8Array;
  /** The seed that makes it again. */
  readonly seed: number;

  constructor({ width, height, data }: Pixels, seed: number) {
    this.width = width;
    this.height = height;
    this.data = data;
    this.seed = seed;
  }

  /** The picture as a sharp pipeline. */
  toSharp(): Sharp {
    const { width, height } = this;
    return sharp(this.data, { raw: { width, height, channels: 3 } });
  }

  /** The picture as the bytes of a file. Default `png`. */
  toBuffer(format: ImageFormat = 'png'): Promise<Buffer> {
    const known = formats[format];
    if (known === undefined) {
      throw expected(`one of ${Object.keys(formats).join(', ')}`, 'format', format);
    }
    return this.toSharp()
      .toFormat(known as keyof FormatEnum)
      .toBuffer();
  }

  /**
   * Writes the picture, in the format of the path's extension: whole, by one rename, and over another
   * file only with `force`.
   * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for an unknown extension or a path that is taken
   */
  async toFile(path: string, { force = false }: { force?: boolean } = {}): Promise<void> {
    const format = extname(path).slice(1).toLowerCase() as ImageFormat;
    if (formats[format] === undefined) {
      throw expected(`a path that ends in .${Object.keys(formats).join(', .')}`, 'path', path);
    }
    if (!force && existsSync(path)) throw taken(path);
    const bytes = await this.toBuffer(format);
    const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString('hex')}`);
    try {
      await writeFile(temporary, bytes, { flag: 'wx' });
      await rename(temporary, path);
    } catch (cause) {
      await rm(temporary, { force: true });
      const message = `Expected a path that can be written but ${path} cannot: ${(cause as Error).message}`;
      throw new KarloError('ERR_KARLO_INVALID_ARGUMENT', message, { cause });
    }
  }
}

function taken(path: string): KarloError {
  const message = `Expected a new file but ${path} is there already: pass force to overwrite it`;
  return new KarloError('ERR_KARLO_INVALID_ARGUMENT', message);
}
