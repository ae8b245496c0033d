import type { ImageInput } from './images/decode.js';
import type { Provenance } from './images/recipe.js';
import { type ResidencyMode, TASKS, type Task, type WeightDtype } from './options/descriptions.js';
import {
  type ResolveContext,
  resolveImageVariation,
  resolveTextToImage,
} from './options/resolve-generation.js';
import { resolveLoadOptions } from './options/resolve-load.js';
import type {
  ImageVariationOptions,
  LoadOptions,
  TextToImageOptions,
} from './options/types.generated.js';
import { identityLabel, type OptionLabeler, oneOf } from './options/validate.js';
import { imageVariationCall } from './pipeline/calls/image-variation.js';
import { textToImageCall } from './pipeline/calls/text-to-image.js';
import type { Estimate } from './pipeline/estimate.js';
import type { LoadedModel } from './pipeline/load.js';
import type { LoadProgress } from './pipeline/load-networks.js';
import type { GenerationTask } from './pipeline/task.js';
import { openAhead } from './torch/load.js';
import { forbidden } from './util/permission.js';

/** Options of `Karlo.load`. */
export interface KarloOptions extends LoadOptions {
  /** Called as weights are read, with the bytes read so far. */
  onProgress?: ((progress: LoadProgress) => void) | undefined;
}

/** A loaded model. */
export class Karlo implements AsyncDisposable {
  readonly #loaded: LoadedModel;
  /** The name of the model, or of its folder. */
  readonly model: string;
  /** The device that the model runs on; if `auto` was given, the chosen one. */
  readonly device: string;
  /** The dtype of the weights; if `auto` was given, the chosen one. */
  readonly dtype: WeightDtype;
  /** Whether all weights stay in memory, or those of one stage at a time. */
  readonly residency: ResidencyMode;

  private constructor(loaded: LoadedModel) {
    this.#loaded = loaded;
    this.model = loaded.name;
    this.device = loaded.device;
    this.dtype = loaded.dtype;
    this.residency = loaded.residency;
  }

  /**
   * Loads a model.
   * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT, ERR_KARLO_MODEL_NOT_FOUND,
   *   ERR_KARLO_MODEL_CORRUPT, ERR_KARLO_DEVICE_UNAVAILABLE, ERR_KARLO_LIBTORCH_MISSING
   */
  static load(options: KarloOptions = {}): Promise<Karlo> {
    return Karlo.loadLabelled(options, identityLabel);
  }

  /**
   * Loads a model whose messages name options as `label` does.
   * @internal for the command line, where options are flags
   */
  static async loadLabelled(options: KarloOptions, label: OptionLabeler): Promise<Karlo> {
    const { onProgress } = options;
    const resolved = { ...resolveLoadOptions(options, label), onProgress, label };
    // LibTorch opens on another thread while this thread imports what loading needs.
    const opening = openAhead();
    const { load } = await import('./pipeline/load.js');
    const loading = load(resolved, opening).catch((error) => {
      throw forbidden(error) ?? error;
    });
    return new Karlo(await loading);
  }

  /** Width and height of the generated images, in pixels. */
  get size(): number {
    return this.#loaded.model.configs.super_res_first?.sample_size as number;
  }

  /** The tasks that the model supports, because it has their networks. */
  get tasks(): Readonly<Record<Task, boolean>> {
    return this.#loaded.model.tasks;
  }

  /** Number of tokens of a prompt that the text encoder reads, begin and end included, at most 77. */
  countTokens(prompt: string): number {
    return this.#loaded.cascade.countTokens(prompt);
  }

  /**
   * Generates images from prompts.
   * @returns a promise of all images, which is also an async iterable of previews and finished images
   * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT, ERR_KARLO_DISPOSED; ERR_KARLO_MODEL_CORRUPT if a
   *   file of the model was changed since it was loaded
   */
  textToImage(
    prompt: string | readonly string[],
    options: TextToImageOptions = {},
  ): GenerationTask {
    const settings = resolveTextToImage(prompt, options, this.#context());
    return this.#loaded.runner.start(textToImageCall(settings));
  }

  /**
   * Generates variations of images.
   * @param image a path, a `file:` URL, the bytes of an image file, a `Blob` or a `Response`, raw pixels, a
   *   KarloImage, or an array of these
   * @returns like `textToImage`
   * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT, ERR_KARLO_DISPOSED
   */
  imageVariation(
    image: ImageInput | readonly ImageInput[],
    options: ImageVariationOptions = {},
  ): GenerationTask {
    const settings = resolveImageVariation(options, this.#context());
    return this.#loaded.runner.start(imageVariationCall(image, settings));
  }

  /**
   * Estimates the memory and time of a call for one prompt or image. Memory is computed from the sizes of
   * the networks, time from the speed of the last batch or, before the first one, of the text encoder.
   * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT, ERR_KARLO_DISPOSED
   */
  async estimate(
    kind: Task,
    options: TextToImageOptions | ImageVariationOptions = {},
  ): Promise<Estimate> {
    this.#loaded.runner.throwIfDisposed();
    const context = this.#context();
    const settings =
      oneOf(kind, TASKS, 'kind', undefined) === 'textToImage'
        ? resolveTextToImage('', options, context)
        : resolveImageVariation(options, context);
    this.#loaded.weights.requireUnchanged();
    return await this.#loaded.estimator.estimate(settings);
  }

  /** What recipes record about this model: its name and hash, versions, device and dtype. */
  provenance(): Promise<Provenance> {
    return this.#loaded.provenance();
  }

  /** @deprecated Use `provenance()`. */
  facts(): Promise<Provenance> {
    return this.provenance();
  }

  /** Aborts the calls in progress, waits for them to end, and frees the weights. Idempotent. */
  dispose(): Promise<void> {
    return this.#loaded.runner.dispose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  /** What the loaded model determines about options. */
  #context(): ResolveContext {
    const { cascade, largestBatch, label } = this.#loaded;
    return { trainSteps: cascade.trainSteps(), largestBatch, fit: cascade.defaultFit(), label };
  }
}
