import { expected } from '../errors.js';
import { boolean, knownOptions } from '../options/validate.js';
import { explainedAsync } from '../util/explain.js';
import { isBytes, ownBytes } from '../util/realms.js';
import { type C2paManifest, c2paManifestOf } from './c2pa.js';
import { type EncodeOptions, encode, encodeOptions, toSharp } from './encode.js';
import { formatOfFile, type ImageFormat, imageFormats } from './formats.js';
import { gridOf } from './grid.js';
import type { Pixels } from './pixels.js';
import type { Recipe } from './recipe.js';
import type { Sharp } from './sharp.js';
import { commonSourceType, type DigitalSourceType, sourceTypeOf } from './source-type.js';
import { requireNewFile, writeAtomically } from './write-file.js';

export type { C2paManifest } from './c2pa.js';
export type { EncodeOptions, SignFile } from './encode.js';
export type { ImageFormat } from './formats.js';
export type { DigitalSourceType } from './source-type.js';

/** How an image is written to a file. */
export interface WriteOptions extends EncodeOptions {
  /** Whether an existing file is overwritten. Default true. */
  readonly force?: boolean | undefined;
}

const writeOptions = [...encodeOptions, 'force'] as const;

/** A generated image, or a preview of one. */
export class KarloImage {
  /** Width in pixels. */
  readonly width: number;
  /** Height in pixels. */
  readonly height: number;
  /** RGB, row-major, 8 bits per channel: `3 * width * height` bytes. */
  readonly data: Uint8Array<ArrayBuffer>;
  /** The seed of the image. For a grid, the seed of its first image. */
  readonly seed: number;
  /** Everything needed to generate the image again. Undefined for previews and grids. */
  readonly recipe: Recipe | undefined;
  /**
   * How the image was made, in the terms of the IPTC: `trainedAlgorithmicMedia`, or `compositeWithTrainedAlgorithmicMedia`
   * for an edited input image. Files say so as `Iptc4xmpExt:DigitalSourceType`.
   */
  readonly digitalSourceType: DigitalSourceType;

  /**
   * @param pixels not copied
   * @param digitalSourceType by default, that of the recipe's method
   */
  constructor(
    { width, height, data }: Pixels,
    seed: number,
    recipe?: Recipe,
    digitalSourceType: DigitalSourceType = sourceTypeOf(recipe),
  ) {
    if (!isBytes(data) || data.length !== 3 * width * height) {
      throw expected(`Uint8Array of 3 x ${width} x ${height} elements`, 'data', data);
    }
    this.width = width;
    this.height = height;
    this.data = data instanceof Uint8Array ? data : ownBytes(data);
    this.seed = seed;
    this.recipe = recipe;
    this.digitalSourceType = digitalSourceType;
  }

  /**
   * Combines images into one, row by row, separated by two white pixels. The cells have the size of the
   * largest image; smaller images are centred.
   * @param columns 1 to 1000; by default, the square root of the number of images, rounded up
   * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for an empty array or an invalid number of columns
   */
  static grid(images: readonly KarloImage[], columns?: number): KarloImage {
    const isList = Array.isArray(images) && images.length > 0;
    if (!isList || !images.every((image) => image instanceof KarloImage)) {
      throw expected('non-empty array of KarloImage', 'images', images);
    }
    const { seed } = images[0] as KarloImage;
    const type = commonSourceType(images.map(({ digitalSourceType }) => digitalSourceType));
    return new KarloImage(gridOf(images, columns), seed, undefined, type);
  }

  /** The image as a sharp pipeline, without its recipe and its marking. */
  toSharp(): Sharp {
    return toSharp(this);
  }

  /** What a C2PA manifest of the image says, as a manifest definition for c2patool and the C2PA SDKs. */
  c2paManifest(): C2paManifest {
    return c2paManifestOf(this.digitalSourceType);
  }

  /**
   * Encodes the image, including its recipe and its marking.
   * @param format a file extension such as `webp`. Default `png`
   * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT
   */
  toBuffer(format: ImageFormat = 'png', options: EncodeOptions = {}): Promise<Buffer<ArrayBuffer>> {
    return explainedAsync(() => encode(this, format, options));
  }

  /**
   * Writes the image atomically, in the format of the path's extension. The folder must exist; an existing
   * file is overwritten.
   * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for an unknown extension, or with `force: false` for a
   *   file that exists; ERR_KARLO_WRITE if it cannot be written
   */
  async toFile(path: string, options: WriteOptions = {}): Promise<void> {
    const { force: rawForce, ...encoding } = knownOptions(options, writeOptions, 'options');
    const force = boolean(rawForce, 'force', true);
    const format = formatAt(path);
    if (!force) requireNewFile(path);
    await writeAtomically(path, await this.toBuffer(format, encoding), force);
  }
}

function formatAt(path: string): ImageFormat {
  const format = typeof path === 'string' ? formatOfFile(path) : undefined;
  if (format !== undefined) return format;
  throw expected(`path that ends in .${imageFormats.join(', .')}`, 'path', path);
}
