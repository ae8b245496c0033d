import type { Embedding } from './embeddings/embedding.js';
import type { Inversion } from './embeddings/inversion.js';
import { expected } from './errors.js';
import type { ImageInput } from './images/decode.js';
import type { KarloDraft } from './images/draft.js';
import type { Provenance } from './images/recipe.js';
import type { ResidencyMode, Task, UnsafeAction, WeightDtype } from './options/descriptions.js';
import {
  type ResolveContext,
  resolveImageVariation,
  resolveTextToImage,
} from './options/resolve-generation.js';
import { resolveLoadOptions } from './options/resolve-load.js';
import {
  resolveEdit,
  resolveEmbedImage,
  resolveEmbedText,
  resolveFromEmbedding,
  resolveImageToImage,
  resolveInpaint,
  resolveInterpolate,
  resolveInvert,
  resolveMix,
  resolveReconstruct,
  resolveUpscale,
} from './options/resolve-methods.js';
import type { EmbedImageOptions, LoadOptions } from './options/types.generated.js';
import {
  signal as checkSignal,
  identityLabel,
  knownOptions,
  type OptionLabeler,
  oneOf,
} from './options/validate.js';
import { editCall } from './pipeline/calls/edit.js';
import { embedImageCall, embedTextCall, textFeaturesCall } from './pipeline/calls/embed.js';
import { ESTIMATED, type EstimatedCall, type EstimatedMethod } from './pipeline/calls/estimated.js';
import { finishCall } from './pipeline/calls/finish.js';
import { fromEmbeddingCall } from './pipeline/calls/from-embedding.js';
import { imageToImageCall } from './pipeline/calls/image-to-image.js';
import { imageVariationCall } from './pipeline/calls/image-variation.js';
import { inpaintCall } from './pipeline/calls/inpaint.js';
import { type InterpolationEnd, interpolateCall } from './pipeline/calls/interpolate.js';
import { invertCall } from './pipeline/calls/invert.js';
import { type MixPart, mixCall } from './pipeline/calls/mix.js';
import { reconstructCall, requireInversion } from './pipeline/calls/reconstruct.js';
import { textToImageCall } from './pipeline/calls/text-to-image.js';
import { upscaleCall } from './pipeline/calls/upscale.js';
import type { Estimate } from './pipeline/estimate.js';
import type { LoadedModel } from './pipeline/load.js';
import type { LoadProgress } from './pipeline/load-networks.js';
import type { GenerationTask } from './pipeline/task.js';
import type { ImageChecker, PromptFilter, SafetyCheck } from './safety/check.js';
import type {
  EditOptions,
  EmbedTextOptions,
  FinishOptions,
  FromEmbeddingOptions,
  ImageToImageOptions,
  ImageVariationOptions,
  InpaintOptions,
  InterpolateOptions,
  InvertOptions,
  MixOptions,
  ReconstructOptions,
  TextToImageOptions,
  UpscaleOptions,
} from './safety/options.js';
import { requireGlibc } from './torch/libc.js';
import { openAhead } from './torch/load.js';
import { explainedAsync } from './util/explain.js';

/** Options of `Karlo.load`. */
export interface KarloOptions extends LoadOptions {
  /** Called as weights are read, with the bytes read so far. */
  onProgress?: ((progress: LoadProgress) => void) | undefined;
  /**
   * Checks all images, drafts and previews: a `SafetyChecker`, a function, or the name or the folder of a safety checker,
   * which is loaded and disposed with the model.
   */
  safety?: string | SafetyCheck | ImageChecker | undefined;
  /** Returns whether a prompt is allowed. */
  promptFilter?: PromptFilter | undefined;
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
   * @example
   * ```js
   * import { Karlo } from 'karlo';
   *
   * const karlo = await Karlo.load({ model: 'karlo-tiny', threads: 2 });
   * console.log(karlo.size, karlo.tasks);
   * await karlo.dispose();
   * ```
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
    requireGlibc();
    // LibTorch opens on another thread while this thread imports what loading needs.
    const opening = openAhead();
    const loaded = await explainedAsync(async () => {
      const { load } = await import('./pipeline/load.js');
      return await load(resolved, opening);
    });
    return new Karlo(loaded);
  }

  /** Width and height of the generated images, in pixels. */
  get size(): number {
    return this.#loaded.model.configs.super_res_first?.sample_size as number;
  }

  /** The tasks that the model supports, because it has their networks. */
  get tasks(): Readonly<Record<Task, boolean>> {
    return this.#loaded.model.tasks;
  }

  /** What happens to images that the model's safety check finds unsafe; undefined without a check. */
  get onUnsafe(): UnsafeAction | undefined {
    const { safety, onUnsafe } = this.#loaded.safety;
    return safety === undefined ? undefined : onUnsafe;
  }

  /** Number of tokens of a prompt that the text encoder reads, begin and end included, at most 77. */
  countTokens(prompt: string): number {
    return this.#loaded.cascade.countTokens(prompt);
  }

  /**
   * Generates images from prompts.
   * @returns a promise of all images, which is also an async iterable of previews and finished images
   * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT, ERR_KARLO_DISPOSED; ERR_KARLO_OUT_OF_MEMORY, before
   *   anything runs, if the call cannot fit into the available memory; ERR_KARLO_MODEL_CORRUPT if a file
   *   of the model was changed since it was loaded
   * @example
   * ```js
   * import { Karlo } from 'karlo';
   *
   * const karlo = await Karlo.load();
   * const { images } = await karlo.textToImage('a red heart', { count: 2, seed: 0 });
   * for (const image of images) await image.toFile(`heart-${image.seed}.png`);
   * await karlo.dispose();
   * ```
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
   * @example
   * ```js
   * import { Karlo } from 'karlo';
   *
   * const karlo = await Karlo.load();
   * const { images } = await karlo.imageVariation('photo.jpg', { seed: 0 });
   * await images[0].toFile('variation.png');
   * await karlo.dispose();
   * ```
   */
  imageVariation(
    image: ImageInput | readonly ImageInput[],
    options: ImageVariationOptions = {},
  ): GenerationTask {
    const settings = resolveImageVariation(options, this.#context());
    return this.#loaded.runner.start(imageVariationCall(image, settings));
  }

  /**
   * Makes the images of drafts, which `textToImage` and `imageVariation` return with
   * `stopAfter: 'decoder'`. The image of a draft is the one that a call without `stopAfter` generates.
   * @returns like `textToImage`
   * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT, also for drafts of other weights; ERR_KARLO_DISPOSED
   * @example
   * ```js
   * import { Karlo } from 'karlo';
   *
   * const karlo = await Karlo.load();
   * const { drafts } = await karlo.textToImage('a blue star', { count: 3, stopAfter: 'decoder' });
   * const { images } = await karlo.finish(drafts[0]);
   * await images[0].toFile('star.png');
   * await karlo.dispose();
   * ```
   */
  finish(drafts: KarloDraft | readonly KarloDraft[], options: FinishOptions = {}): GenerationTask {
    return this.#loaded.runner.start(finishCall(drafts, options, this.#context()));
  }

  /**
   * The CLIP embedding of an image.
   * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT, ERR_KARLO_DISPOSED
   * @example
   * ```js
   * import { cosine, Karlo } from 'karlo';
   *
   * const karlo = await Karlo.load();
   * const image = await karlo.embedImage('photo.jpg');
   * const prompt = await karlo.embedText('a red heart', { seed: 0 });
   * console.log(cosine(image, prompt));
   * await karlo.dispose();
   * ```
   */
  async embedImage(image: ImageInput, options: EmbedImageOptions = {}): Promise<Embedding> {
    const settings = resolveEmbedImage(options, this.#context());
    return this.#loaded.runner.compute(embedImageCall(image, settings));
  }

  /**
   * An image embedding that the prior samples for a prompt.
   * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT, ERR_KARLO_DISPOSED
   */
  async embedText(prompt: string, options: EmbedTextOptions = {}): Promise<Embedding> {
    const settings = resolveEmbedText(options, this.#context());
    return this.#loaded.runner.compute(embedTextCall(requirePrompt(prompt), settings));
  }

  /**
   * The CLIP embedding of a text, which can be compared with those of images.
   * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT, ERR_KARLO_DISPOSED
   */
  async textFeatures(
    prompt: string,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Embedding> {
    const { signal } = knownOptions(options, ['signal'], 'options');
    const call = textFeaturesCall(requirePrompt(prompt), checkSignal(signal, 'signal'));
    return this.#loaded.runner.compute(call);
  }

  /**
   * Generates images of image embeddings: `count` of each.
   * @returns like `textToImage`
   * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT, also for embeddings of other weights; ERR_KARLO_DISPOSED
   * @example
   * ```js
   * import { Karlo } from 'karlo';
   *
   * const karlo = await Karlo.load();
   * const embedding = await karlo.embedImage('photo.jpg');
   * const { images } = await karlo.fromEmbedding(embedding, { seed: 0 });
   * await images[0].toFile('again.png');
   * await karlo.dispose();
   * ```
   */
  fromEmbedding(
    embedding: Embedding | readonly Embedding[],
    options: FromEmbeddingOptions = {},
  ): GenerationTask {
    const settings = resolveFromEmbedding(options, this.#context());
    return this.#loaded.runner.start(fromEmbeddingCall(embedding, settings));
  }

  /**
   * Generates images of a weighted mean of images, prompts and embeddings.
   * @param parts 1 to 16
   * @returns like `textToImage`
   * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT, ERR_KARLO_DISPOSED
   * @example
   * ```js
   * import { Karlo } from 'karlo';
   *
   * const karlo = await Karlo.load();
   * const parts = [{ image: 'photo.jpg', weight: 0.6 }, { prompt: 'a blue star', weight: 0.4 }];
   * const { images } = await karlo.mix(parts, { seed: 0 });
   * await images[0].toFile('mix.png');
   * await karlo.dispose();
   * ```
   */
  mix(parts: readonly MixPart[], options: MixOptions = {}): GenerationTask {
    const settings = resolveMix(options, this.#context());
    return this.#loaded.runner.start(mixCall(parts, settings));
  }

  /**
   * Generates the frames between two images, prompts, embeddings or inversions. The first and the last frame are
   * what `fromEmbedding` or `reconstruct` generates of the ends.
   * @returns like `textToImage`, an image for each frame
   * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT, ERR_KARLO_DISPOSED
   * @example
   * ```js
   * import { Karlo } from 'karlo';
   *
   * const karlo = await Karlo.load();
   * const to = { prompt: 'a blue star' };
   * const { images } = await karlo.interpolate({ image: 'photo.jpg' }, to, { frames: 4, seed: 0 });
   * for (const [i, image] of images.entries()) await image.toFile(`frame-${i}.png`);
   * await karlo.dispose();
   * ```
   */
  interpolate(
    from: InterpolationEnd,
    to: InterpolationEnd,
    options: InterpolateOptions = {},
  ): GenerationTask {
    const settings = resolveInterpolate(options, this.#context());
    return this.#loaded.runner.start(interpolateCall(from, to, settings));
  }

  /**
   * Edits an image by the difference of two texts (Ramesh et al. 2022, section 3.3).
   * @returns like `textToImage`
   * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT, ERR_KARLO_DISPOSED
   * @example
   * ```js
   * import { Karlo } from 'karlo';
   *
   * const karlo = await Karlo.load();
   * const texts = { from: 'a red heart', to: 'a blue heart' };
   * const { images } = await karlo.edit('photo.jpg', { ...texts, seed: 0 });
   * await images[0].toFile('edited.png');
   * await karlo.dispose();
   * ```
   */
  edit(image: ImageInput, options: EditOptions & { from: string; to: string }): GenerationTask {
    const settings = resolveEdit(options, this.#context());
    return this.#loaded.runner.start(editCall(image, settings));
  }

  /**
   * Finds the noise from which the decoder leads to an image, by DDIM inversion.
   * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT, ERR_KARLO_DISPOSED
   */
  async invert(image: ImageInput, options: InvertOptions = {}): Promise<Inversion> {
    const settings = resolveInvert(options, this.#context());
    return this.#loaded.runner.compute(invertCall(image, settings));
  }

  /**
   * Generates the image of an inversion again, or with another embedding or prompt.
   * @returns like `textToImage`
   * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT, also for an inversion of other weights; ERR_KARLO_DISPOSED
   * @example
   * ```js
   * import { Karlo } from 'karlo';
   *
   * const karlo = await Karlo.load();
   * const inversion = await karlo.invert('photo.jpg');
   * const { images } = await karlo.reconstruct(inversion, { eta: 0.4, seed: 0 });
   * await images[0].toFile('reconstruction.png');
   * await karlo.dispose();
   * ```
   */
  reconstruct(
    inversion: Inversion,
    {
      embedding,
      ...options
    }: ReconstructOptions & { readonly embedding?: Embedding | undefined } = {},
  ): GenerationTask {
    const { steps } = requireInversion(inversion);
    const settings = resolveReconstruct(steps, options, this.#context());
    return this.#loaded.runner.start(reconstructCall(inversion, embedding, settings));
  }

  /**
   * Generates images that start from other images (SDEdit, Meng et al. 2022).
   * @param image as in `imageVariation`
   * @returns like `textToImage`
   * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT, ERR_KARLO_DISPOSED
   * @example
   * ```js
   * import { Karlo } from 'karlo';
   *
   * const karlo = await Karlo.load();
   * const options = { strength: 0.6, seed: 0 };
   * const { images } = await karlo.imageToImage('photo.jpg', 'a blue heart', options);
   * await images[0].toFile('blue.png');
   * await karlo.dispose();
   * ```
   */
  imageToImage(
    image: ImageInput | readonly ImageInput[],
    prompt: string,
    options: ImageToImageOptions = {},
  ): GenerationTask {
    const settings = resolveImageToImage(requirePrompt(prompt), options, this.#context());
    return this.#loaded.runner.start(imageToImageCall(image, settings));
  }

  /**
   * Repaints a part of an image (RePaint, Lugmayr et al. 2022).
   * @param mask an image that is white or transparent where the image is repainted. A mask of another size than
   *   the image is stretched to it, by the nearest pixels
   * @returns like `textToImage`
   * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT, also for a mask that keeps the whole image; ERR_KARLO_DISPOSED
   */
  inpaint(
    image: ImageInput,
    mask: ImageInput,
    prompt: string,
    options: InpaintOptions = {},
  ): GenerationTask {
    const settings = resolveInpaint(requirePrompt(prompt), options, this.#context());
    return this.#loaded.runner.start(inpaintCall(image, mask, settings));
  }

  /**
   * Enlarges images by super-resolution alone. Images of another size than the decoder's are resized to it first,
   * by Pillow's bicubic filter.
   * @param image as in `imageVariation`
   * @returns like `textToImage`
   * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT, ERR_KARLO_DISPOSED
   * @example
   * ```js
   * import { Karlo } from 'karlo';
   *
   * const karlo = await Karlo.load();
   * const { images } = await karlo.upscale('photo.jpg', { seed: 0 });
   * await images[0].toFile('large.png');
   * await karlo.dispose();
   * ```
   */
  upscale(image: ImageInput | readonly ImageInput[], options: UpscaleOptions = {}): GenerationTask {
    const settings = resolveUpscale(options, this.#context());
    return this.#loaded.runner.start(upscaleCall(image, settings));
  }

  /**
   * Estimates the memory and time of a call for one prompt, image or pair. Memory is computed from the sizes of
   * the networks, time from the speed of the last batch or, before the first one, of the text encoder.
   * @param method its name
   * @param options those of the method
   * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT, ERR_KARLO_DISPOSED
   * @example
   * ```js
   * import { Karlo } from 'karlo';
   *
   * const karlo = await Karlo.load();
   * const { bytes, seconds } = await karlo.estimate('textToImage', { batchSize: 4 });
   * console.log(bytes, seconds);
   * await karlo.dispose();
   * ```
   */
  async estimate(method: EstimatedMethod, options: object = {}): Promise<Estimate> {
    this.#loaded.runner.throwIfDisposed();
    const name = oneOf(method, Object.keys(ESTIMATED) as EstimatedMethod[], 'kind', undefined);
    const { settings, before }: EstimatedCall = ESTIMATED[name as EstimatedMethod](
      options,
      this.#context(),
    );
    this.#loaded.weights.requireUnchanged();
    return await explainedAsync(() => this.#loaded.estimator.estimate(settings, before));
  }

  /**
   * Checks that batches of this size fit into the available memory.
   * @throws {KarloError} ERR_KARLO_OUT_OF_MEMORY, ERR_KARLO_INVALID_ARGUMENT
   * @internal for servers, which choose the batch size once
   */
  requireBatch(batchSize: number): void {
    const settings = resolveTextToImage('', { batchSize }, this.#context());
    this.#loaded.runner.requireMemory({ settings, inputs: 1 });
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
    return { ...cascade.stepLimits(), largestBatch, fit: cascade.defaultFit(), label };
  }
}

function requirePrompt(prompt: unknown): string {
  if (typeof prompt === 'string') return prompt;
  throw expected('string', 'prompt', prompt);
}
