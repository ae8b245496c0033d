import { extname } from 'node:path';
import { expected } from '../errors.js';
import { boolean, knownOptions } from '../options/validate.js';
import {
  type EncodeOptions,
  encode,
  encodeOptions,
  type ImageFormat,
  imageFormats,
  sharpOf,
} from './encode.js';
import { gridOf } from './grid.js';
import type { Pixels } from './pixels.js';
import type { Recipe } from './recipe.js';
import type { Sharp } from './sharp.js';
import { requireNewFile, writeAtomically } from './write-file.js';

export type { EncodeOptions, ImageFormat } from './encode.js';

/** How a picture is written to a file. */
export interface WriteOptions extends EncodeOptions {
  /** Whether a file of that name is replaced; false by default. */
  readonly force?: boolean;
}

const writeOptions = [...encodeOptions, 'force'] as const;

/** A finished picture, or a preview of one. */
export class KarloImage {
  /** Pixels in a row. */
  readonly width: number;
  /** Rows of pixels. */
  readonly height: number;
  /** RGB, row-major, 8 bits a channel: `3 * width * height` bytes. */
  readonly data: Uint8Array;
  /** The seed that makes it again; of a grid, its first picture's. */
  readonly seed: number;
  /** All that repeats the picture. A preview and a grid have none. */
  readonly recipe: Recipe | undefined;

  /** @param pixels are kept, not copied */
  constructor({ width, height, data }: Pixels, seed: number, recipe?: Recipe) {
    if (!(data instanceof Uint8Array) || data.length !== 3 * width * height) {
      throw expected(`Uint8Array of 3 x ${width} x ${height} elements`, 'data', data);
    }
    this.width = width;
    this.height = height;
    this.data = data;
    this.seed = seed;
    this.recipe = recipe;
  }

  /**
   * Several pictures as one, row by row, two white pixels between them. Cells have the size of the
   * largest picture, smaller ones stand in the middle.
   * @param columns 1 or more; by default as many as make the grid as wide as high, or a little wider
   * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for no pictures or no columns
   */
  static grid(images: readonly KarloImage[], columns?: number): KarloImage {
    const isList = Array.isArray(images) && images.length > 0;
    if (!isList || !images.every((image) => image instanceof KarloImage)) {
      throw expected('non-empty array of KarloImage', 'images', images);
    }
    return new KarloImage(gridOf(images, columns), (images[0] as KarloImage).seed);
  }

  /** The picture as a sharp pipeline, without its recipe. */
  toSharp(): Sharp {
    return sharpOf(this);
  }

  /**
   * The picture as the bytes of a file, with its recipe in it.
   * @param format `png` (the default), `jpeg`, `webp`, `avif` or `tiff`
   * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT
   */
  toBuffer(format: ImageFormat = 'png', options: EncodeOptions = {}): Promise<Buffer> {
    return encode(this, format, options, this.recipe);
  }

  /**
   * Writes the picture, in the format of the path's extension: whole or not at all. The folder must
   * be there.
   * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for an unknown extension or a path that is taken
   *   (see `force`), ERR_KARLO_WRITE where it cannot be written
   */
  async toFile(path: string, options: WriteOptions = {}): Promise<void> {
    const { force: given, ...encoding } = knownOptions(options, writeOptions, 'options');
    const force = boolean(given, 'force', false);
    const format = formatOf(path);
    if (!force) requireNewFile(path);
    await writeAtomically(path, await this.toBuffer(format, encoding), force);
  }
}

function formatOf(path: string): ImageFormat {
  if (typeof path === 'string') {
    const extension = extname(path).slice(1).toLowerCase();
    const format = imageFormats.find((name) => name === extension);
    if (format !== undefined) return format;
  }
  throw expected(`a path that ends in .${imageFormats.join(', .')}`, 'path', path);
}
