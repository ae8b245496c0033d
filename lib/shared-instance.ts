import type { Embedding } from './embeddings/embedding.js';
import type { Inversion } from './embeddings/inversion.js';
import type { ImageInput } from './images/decode.js';
import type { KarloDraft } from './images/draft.js';
import { Karlo } from './karlo.js';
import { resolveImageVariation, resolveTextToImage } from './options/resolve-generation.js';
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
import type { EmbedImageOptions } from './options/types.generated.js';
import { finishCall } from './pipeline/calls/finish.js';
import { fromEmbeddingCall } from './pipeline/calls/from-embedding.js';
import { type InterpolationEnd, interpolateCall } from './pipeline/calls/interpolate.js';
import { type MixPart, mixCall } from './pipeline/calls/mix.js';
import { reconstructCall, requireInversion } from './pipeline/calls/reconstruct.js';
import { GenerationTask } from './pipeline/task.js';
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

/** A model that is loaded on first use. */
class SharedKarlo {
  #loading: Promise<Karlo> | undefined;

  /** See {@link Karlo.textToImage}. */
  textToImage(
    prompt: string | readonly string[],
    options: TextToImageOptions = {},
  ): GenerationTask {
    // Throws for wrong options before the model is loaded.
    resolveTextToImage(prompt, options);
    return this.#start(options, (karlo, signal) =>
      karlo.textToImage(prompt, { ...options, signal }),
    );
  }

  /** See {@link Karlo.imageVariation}. */
  imageVariation(
    image: ImageInput | readonly ImageInput[],
    options: ImageVariationOptions = {},
  ): GenerationTask {
    resolveImageVariation(options);
    return this.#start(options, (karlo, signal) =>
      karlo.imageVariation(image, { ...options, signal }),
    );
  }

  /** See {@link Karlo.finish}. */
  finish(drafts: KarloDraft | readonly KarloDraft[], options: FinishOptions = {}): GenerationTask {
    finishCall(drafts, options, {});
    return this.#start(options, (karlo, signal) => karlo.finish(drafts, { ...options, signal }));
  }

  /** See {@link Karlo.embedImage}. */
  async embedImage(image: ImageInput, options: EmbedImageOptions = {}): Promise<Embedding> {
    resolveEmbedImage(options);
    return (await this.#load()).embedImage(image, options);
  }

  /** See {@link Karlo.embedText}. */
  async embedText(prompt: string, options: EmbedTextOptions = {}): Promise<Embedding> {
    resolveEmbedText(options);
    return (await this.#load()).embedText(prompt, options);
  }

  /** See {@link Karlo.textFeatures}. */
  async textFeatures(
    prompt: string,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Embedding> {
    return (await this.#load()).textFeatures(prompt, options);
  }

  /** See {@link Karlo.fromEmbedding}. */
  fromEmbedding(
    embedding: Embedding | readonly Embedding[],
    options: FromEmbeddingOptions = {},
  ): GenerationTask {
    fromEmbeddingCall(embedding, resolveFromEmbedding(options));
    return this.#start(options, (karlo, signal) =>
      karlo.fromEmbedding(embedding, { ...options, signal }),
    );
  }

  /** See {@link Karlo.mix}. */
  mix(parts: readonly MixPart[], options: MixOptions = {}): GenerationTask {
    mixCall(parts, resolveMix(options));
    return this.#start(options, (karlo, signal) => karlo.mix(parts, { ...options, signal }));
  }

  /** See {@link Karlo.interpolate}. */
  interpolate(
    from: InterpolationEnd,
    to: InterpolationEnd,
    options: InterpolateOptions = {},
  ): GenerationTask {
    interpolateCall(from, to, resolveInterpolate(options));
    return this.#start(options, (karlo, signal) =>
      karlo.interpolate(from, to, { ...options, signal }),
    );
  }

  /** See {@link Karlo.edit}. */
  edit(image: ImageInput, options: EditOptions & { from: string; to: string }): GenerationTask {
    resolveEdit(options);
    return this.#start(options, (karlo, signal) => karlo.edit(image, { ...options, signal }));
  }

  /** See {@link Karlo.invert}. */
  async invert(image: ImageInput, options: InvertOptions = {}): Promise<Inversion> {
    resolveInvert(options);
    return (await this.#load()).invert(image, options);
  }

  /** See {@link Karlo.reconstruct}. */
  reconstruct(
    inversion: Inversion,
    options: ReconstructOptions & { readonly embedding?: Embedding | undefined } = {},
  ): GenerationTask {
    const { embedding, ...others } = options;
    const { steps } = requireInversion(inversion);
    reconstructCall(inversion, embedding, resolveReconstruct(steps, others));
    return this.#start(options, (karlo, signal) =>
      karlo.reconstruct(inversion, { ...options, signal }),
    );
  }

  /** See {@link Karlo.imageToImage}. */
  imageToImage(
    image: ImageInput | readonly ImageInput[],
    prompt: string,
    options: ImageToImageOptions = {},
  ): GenerationTask {
    resolveImageToImage(prompt, options);
    return this.#start(options, (karlo, signal) =>
      karlo.imageToImage(image, prompt, { ...options, signal }),
    );
  }

  /** See {@link Karlo.inpaint}. */
  inpaint(
    image: ImageInput,
    mask: ImageInput,
    prompt: string,
    options: InpaintOptions = {},
  ): GenerationTask {
    resolveInpaint(prompt, options);
    return this.#start(options, (karlo, signal) =>
      karlo.inpaint(image, mask, prompt, { ...options, signal }),
    );
  }

  /** See {@link Karlo.upscale}. */
  upscale(image: ImageInput | readonly ImageInput[], options: UpscaleOptions = {}): GenerationTask {
    resolveUpscale(options);
    return this.#start(options, (karlo, signal) => karlo.upscale(image, { ...options, signal }));
  }

  /** Frees the model; the next use loads it again. */
  async dispose(): Promise<void> {
    const loading = this.#loading;
    this.#loading = undefined;
    await (await loading)?.dispose();
  }

  #start(
    options: { readonly signal?: AbortSignal | undefined },
    start: (karlo: Karlo, signal: AbortSignal) => GenerationTask,
  ): GenerationTask {
    return new GenerationTask(async (emit, signal) => {
      const task = start(await this.#load(), signal);
      for await (const event of task) emit(event);
      return task;
    }, options.signal);
  }

  #load(): Promise<Karlo> {
    const model = process.env.KARLO_MODEL;
    this.#loading ??= Karlo.load(model ? { model } : {}).catch((error) => {
      this.#loading = undefined; // the next use tries again
      throw error;
    });
    if (!model) printNotice();
    return this.#loading;
  }
}

let isNoticePrinted = false;

function printNotice(): void {
  if (isNoticePrinted) return;
  isNoticePrinted = true;
  process.stderr.write(
    'karlo: using karlo-tiny, the built-in miniature. For the full model, run: npx karlo pull kakaobrain/karlo-v1-alpha --variations, then set KARLO_MODEL=kakaobrain/karlo-v1-alpha\n',
  );
}

/**
 * A shared model for quick scripts. It loads on first use: the model that `KARLO_MODEL` names, or the
 * built-in miniature. `await karlo.textToImage('…')` is a complete program.
 */
export const karlo = new SharedKarlo();
