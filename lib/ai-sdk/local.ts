import { Karlo, type KarloOptions } from '../karlo.js';
import type { RawOptions } from '../options/validate.js';
import type { Generation, GenerationTask } from '../pipeline/task.js';
import { abortable } from '../util/abortable.js';
import { AsyncLazy } from '../util/async-lazy.js';
import type { Generate, OutputImage } from './model.js';
import type { Method } from './options.js';
import type { ImageRequest } from './request.js';
import type { CallWarning } from './types.js';

/** The models that a provider has loaded, each on first use. */
export class LoadedModels {
  readonly #options: KarloOptions;
  readonly #models = new Map<string, AsyncLazy<Karlo>>();

  constructor(options: KarloOptions) {
    this.#options = options;
  }

  get(model: string): Promise<Karlo> {
    const lazy = this.#models.get(model) ?? new AsyncLazy();
    this.#models.set(model, lazy);
    return lazy.get(() => Karlo.load({ ...this.#options, model }));
  }

  async dispose(): Promise<void> {
    const models = [...this.#models.values()].map(({ value }) => value);
    this.#models.clear();
    for (const loading of models) {
      // Who waits for a model that cannot be loaded has the error.
      const karlo = await loading?.catch(() => undefined);
      await karlo?.dispose();
    }
  }
}

/** Generates images in this process. */
export function localGenerate(load: () => Promise<Karlo>): Generate {
  return async (request) => {
    const { prompt, images, count, signal } = request;
    const karlo = await abortable(signal, load);
    const generation = await start(karlo, request);
    const tokens = prompt === undefined ? 0 : karlo.countTokens(prompt);
    const inputTokens = tokens + images.length;
    return {
      images: await encodeAll(generation, request),
      warnings: [...checkSize(karlo, request), ...generation.warnings.map(toWarning)],
      model: karlo.model,
      // As `karlo serve` counts them: each image is one token.
      usage: { inputTokens, outputTokens: count, totalTokens: inputTokens + count },
      headers: undefined,
    };
  };
}

type Call = (karlo: Karlo, request: ImageRequest, options: RawOptions) => GenerationTask;

/** Karlo checks the values of the options. */
const calls: Readonly<Record<Method, Call>> = {
  textToImage: (karlo, { prompt }, options) => karlo.textToImage(prompt as string, options),
  imageVariation: (karlo, { images, prompt }, options) =>
    karlo.imageVariation(
      images.map(({ bytes }) => bytes),
      { ...options, prompt },
    ),
  imageToImage: (karlo, { images, prompt }, options) =>
    karlo.imageToImage(
      images.map(({ bytes }) => bytes),
      prompt as string,
      options,
    ),
  mix: (karlo, { images, prompt }, options) =>
    karlo.mix(
      images.map(({ bytes }) => ({ image: bytes })),
      { ...options, prompt },
    ),
  edit: (karlo, { images, prompt }, options) =>
    karlo.edit(images[0]?.bytes as Uint8Array, { ...options, prompt } as never),
  inpaint: (karlo, { images, mask, prompt }, options) =>
    karlo.inpaint(
      images[0]?.bytes as Uint8Array,
      mask?.bytes as Uint8Array,
      prompt as string,
      options,
    ),
};

function start(karlo: Karlo, request: ImageRequest): GenerationTask {
  const { method, count, seed, signal, options } = request;
  return calls[method](karlo, request, { ...options, count, seed, signal });
}

function encodeAll({ images, timings }: Generation, { format, quality }: ImageRequest) {
  return Promise.all(
    images.map(async (image): Promise<OutputImage> => {
      const { seed, recipe } = image;
      return { data: await image.toBuffer(format, { quality }), seed, recipe, timings };
    }),
  );
}

function checkSize(karlo: Karlo, { size }: ImageRequest): CallWarning[] {
  const own = `${karlo.size}x${karlo.size}`;
  if (size === undefined || size === own) return [];
  const details = `Expected ${own}, the size of the images of ${karlo.model}, but received ${size}`;
  return [{ type: 'unsupported', feature: 'size', details }];
}

function toWarning(message: string): CallWarning {
  return { type: 'other', message };
}
