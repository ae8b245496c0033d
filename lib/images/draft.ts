import { expected } from '../errors.js';
import type { DraftData, DrawnNoise, NoiseBlend } from './draft-data.js';
import { type EncodeOptions, encode } from './encode.js';
import type { ImageFormat } from './formats.js';
import { KarloImage } from './karlo-image.js';
import type { Recipe } from './recipe.js';
import { pngKeywords } from './recipe-metadata.js';

/**
 * The decoder's small image, from which `karlo.finish` makes the final one. A PNG file holds all of it;
 * `readDraft` reads it again.
 */
export class KarloDraft extends KarloImage implements DraftData {
  declare readonly recipe: Recipe;
  /** The decoder's image, `[3, height, width]` in [-1, 1]: 8 bits are not enough to continue from. */
  readonly values: Float32Array;
  /** The noise that was drawn before super-resolution, which continues the same generator. */
  readonly drawn: DrawnNoise;
  /** The noise of another seed that was added, for a frame between two seeds. */
  declare readonly blend?: NoiseBlend | undefined;

  /** @param data not copied */
  constructor(data: DraftData, recipe: Recipe) {
    super(data, data.seed, recipe);
    this.values = data.values;
    this.drawn = data.drawn;
    if (data.blend) this.blend = data.blend;
  }

  /**
   * Encodes the draft as PNG, with its recipe and the data to continue from.
   * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for another format, and without the recipe
   */
  override async toBuffer(
    format: ImageFormat = 'png',
    options: EncodeOptions = {},
  ): Promise<Buffer<ArrayBuffer>> {
    if (format !== 'png') {
      const fix = 'other formats cannot hold a draft. Its pixels alone are draft.toSharp()';
      throw expected("'png'", 'format of a draft', format, fix);
    }
    if (options.recipe === false) {
      throw expected('true', 'recipe of a draft', false, 'a draft is finished by its recipe');
    }
    // Imported on use, because its validation takes a while to load.
    const { draftJson } = await import('./draft-data.js');
    return encode(this, format, options, { [pngKeywords.draft]: draftJson(this) });
  }
}
