import type { Pixels } from '../../images/pixels.js';
import type { WeightDtype } from '../../options/descriptions.js';
import type { FeatureNetwork, FeatureOptions } from './feature-network.js';

/** Where and how a network of an evaluation runs. */
export interface EvaluationPlacement {
  /** `auto` (default), `cpu`, `cuda` or `cuda:N`. */
  readonly device?: string | undefined;
  /** `float32` by default. */
  readonly dtype?: WeightDtype | undefined;
  /** Threads of the CPU, by default as `Karlo.load`. */
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A CLIP with both encoders (Radford et al. 2021), whose embeddings have length 1. */
export class Clip implements FeatureNetwork, AsyncDisposable {
  readonly name: string = '';
  /** E, the width of the embeddings. */
  readonly dimensions: number = 0;

  /**
   * Loads a CLIP.
   * @param folder a CLIP of any size in Hugging Face layout (transformers' `CLIPModel`: `config.json`, weights,
   *   tokenizer), or a Karlo model, of which only the two encoders are loaded
   * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND, ERR_KARLO_MODEL_CORRUPT, ERR_KARLO_DEVICE_UNAVAILABLE
   */
  static async load(folder: string, options?: EvaluationPlacement): Promise<Clip> {
    throw new Error('not yet');
  }

  /** The embeddings of prompts, of length 1. Prompts are cut off after 77 tokens. */
  async embedTexts(prompts: readonly string[], options?: FeatureOptions): Promise<Float32Array[]> {
    throw new Error('not yet');
  }

  /** The embeddings of images, of length 1. Images are prepared as `preprocessor_config.json` says. */
  async extract(images: readonly Pixels[], options?: FeatureOptions): Promise<Float32Array[]> {
    throw new Error('not yet');
  }

  /** The cosine of each prompt and its image, -1 to 1. */
  async cosines(
    prompts: readonly string[],
    images: readonly Pixels[],
    options?: FeatureOptions,
  ): Promise<Float32Array> {
    return cosines(await this.embedTexts(prompts, options), await this.extract(images, options));
  }

  async dispose(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }
}

/** The cosine of each pair of embeddings of length 1. */
export function cosines(
  texts: readonly Float32Array[],
  images: readonly Float32Array[],
): Float32Array {
  throw new Error('not yet');
}
