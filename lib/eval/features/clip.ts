import { basename, resolve } from 'node:path';
import { expected } from '../../errors.js';
import type { Pixels } from '../../images/pixels.js';
import { fitOf, toSquare } from '../../images/square.js';
import { openClip } from '../../layouts/huggingface/clip-folder.js';
import type { Model } from '../../layouts/index.js';
import type { Residency } from '../../networks/residency.js';
import { WeightFiles } from '../../networks/weight-files.js';
import type { WeightDtype } from '../../options/descriptions.js';
import { loadNetworks } from '../../pipeline/load-networks.js';
import { ImageEncoderStage } from '../../pipeline/stages/image-encoder.js';
import { TextEncoderStage } from '../../pipeline/stages/text-encoder.js';
import { ClipTokenizer } from '../../tokenizer/tokenizer.js';
import type { Engine } from '../../torch/engine.js';
import type { Tensor } from '../../torch/tensor.js';
import { chunks } from '../../util/chunks.js';
import type { FeatureNetwork, FeatureOptions } from './feature-network.js';
import { type EvaluationPlacement, onEngine } from './placement.js';

/** Options of `Clip.load`. */
export interface ClipOptions extends EvaluationPlacement {
  /** `float32` by default. */
  readonly dtype?: WeightDtype | undefined;
}

/** Images or prompts that are prepared at the same time, so that memory does not grow with their number. */
const prepared = 16;

/** A CLIP with both encoders (Radford et al. 2021). Its embeddings have length 1. */
export class Clip implements FeatureNetwork, AsyncDisposable {
  /** The name of its folder. */
  readonly name: string;
  /** E, the width of the embeddings. */
  readonly dimensions: number;
  readonly #engine: Engine;
  readonly #networks: Residency;
  readonly #weights: WeightFiles;
  readonly #texts: TextEncoderStage;
  readonly #images: ImageEncoderStage;

  private constructor(model: Model, engine: Engine, networks: Residency, tokenizer: ClipTokenizer) {
    this.name = basename(resolve(model.folder));
    this.dimensions = model.configs.image_encoder?.projection_dim ?? 0;
    this.#engine = engine;
    this.#networks = networks;
    this.#weights = WeightFiles.record(model.files);
    this.#texts = new TextEncoderStage(networks, tokenizer);
    this.#images = new ImageEncoderStage(model, networks);
  }

  /**
   * Loads a CLIP.
   * @param folder a CLIP of any size in Hugging Face layout (transformers' `CLIPModel`: `config.json`, weights and
   *   tokenizer), or a Karlo model, of which only the two encoders are loaded
   * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND, ERR_KARLO_MODEL_CORRUPT, ERR_KARLO_DEVICE_UNAVAILABLE
   */
  static async load(folder: string, options: ClipOptions = {}): Promise<Clip> {
    const { dtype = 'float32', signal } = options;
    const model = await openClip(folder, { signal });
    const length = model.configs.text_encoder?.max_position_embeddings;
    const { folder: files, options: own } = model.tokenizer;
    const tokenizer = await ClipTokenizer.fromFolder(files, {
      ...own,
      ...(length && { length }),
      signal,
    });
    return await onEngine(options, async (engine, device) => {
      const networks = await loadNetworks(model, 'resident', { engine, device, dtype }, { signal });
      return new Clip(model, engine, networks, tokenizer);
    });
  }

  /** The embeddings of prompts. Prompts are cut off after 77 tokens. */
  async embedTexts(
    prompts: readonly string[],
    { signal }: FeatureOptions = {},
  ): Promise<Float32Array[]> {
    const embeds: Float32Array[] = [];
    for (const some of chunks(prompts, prepared)) {
      for (const { text } of await this.#texts.run(some, signal)) {
        using features = text;
        embeds.push(unit(features.embeds));
      }
    }
    this.#weights.requireUnchanged();
    return embeds;
  }

  /** The embeddings of images, which are prepared as the CLIP's `preprocessor_config.json` says. */
  async extract(
    images: readonly Pixels[],
    { signal }: FeatureOptions = {},
  ): Promise<Float32Array[]> {
    const { square } = this.#images;
    const options = { ...square, fit: fitOf(square.config) };
    const embeds: Float32Array[] = [];
    for (const some of chunks(images, prepared)) {
      const squares = await Promise.all(some.map((image) => toSquare(image, options)));
      for (const embed of await this.#images.run(squares, signal)) {
        using tensor = embed;
        embeds.push(unit(tensor));
      }
    }
    this.#weights.requireUnchanged();
    return embeds;
  }

  /** The cosine of each prompt and its image, -1 to 1. */
  async cosines(
    prompts: readonly string[],
    images: readonly Pixels[],
    options?: FeatureOptions,
  ): Promise<Float32Array> {
    return cosines(await this.embedTexts(prompts, options), await this.extract(images, options));
  }

  /** Frees the networks. Idempotent. */
  async dispose(): Promise<void> {
    await this.#networks.dispose();
    await this.#engine.dispose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}

/**
 * The cosine of each pair of embeddings of length 1.
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for different numbers of embeddings
 */
export function cosines(
  texts: readonly Float32Array[],
  images: readonly Float32Array[],
): Float32Array {
  if (texts.length !== images.length) {
    throw expected(
      `${texts.length} embeddings`,
      'images',
      images.length,
      'Pass one image for each text',
    );
  }
  return Float32Array.from(texts, (text, i) => dot(text, images[i] as Float32Array));
}

function unit(embed: Tensor): Float32Array {
  using float = embed.to({ device: 'cpu', dtype: 'float32' });
  const values = float.toTypedArray();
  const length = Math.sqrt(dot(values, values));
  return values.map((x) => x / length);
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, x, i) => sum + x * (b[i] as number), 0);
}
