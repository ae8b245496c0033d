import { KarloError, quote } from './errors.js';
import { type PictureInput, readPictures } from './images/decode.js';
import type { Recipe } from './images/recipe.js';
import type { Model } from './layouts/open-model.js';
import { NETWORKS_OF, type Task } from './networks/registry.js';
import type { WeightDtype } from './networks/weights.js';
import {
  type ImageVariationOptions,
  type ResolveContext,
  type Resolved,
  type ResolvedTextToImage,
  resolveImageVariation,
  resolveTextToImage,
  type TextToImageOptions,
} from './options/generation.js';
import { resolveLoad } from './options/load.js';
import { oneOf } from './options/validate.js';
import { BatchQueue } from './pipeline/batch-queue.js';
import { type Job, type Made, makeBatch, type PicturePortion } from './pipeline/batching.js';
import type { Cascade, Encoded } from './pipeline/cascade.js';
import { type Estimate, peakBytes } from './pipeline/estimate.js';
import { generate, type Run } from './pipeline/generate.js';
import type { Loaded } from './pipeline/load.js';
import type { LoadProgress } from './pipeline/load-networks.js';
import { advised } from './pipeline/memory-advice.js';
import { type Facts, imageVariationRecipe, textToImageRecipe } from './pipeline/recipes.js';
import { type Generation, GenerationTask } from './pipeline/task.js';
import { trimMemory } from './torch/device.js';
import type { Engine } from './torch/engine.js';
import { openAhead, version as torchVersion } from './torch/load.js';
import { Once } from './util/async-lazy.js';
import { packageVersion } from './util/package.js';

/** Which model, and where and how it runs. */
export interface KarloOptions {
  /**
   * A built-in name (`karlo-tiny`, the default), a name in the local store (`karlo pull`), or a folder
   * in any of the three layouts.
   */
  model?: string;
  /** `auto` (the default), `cpu`, `cuda` or `cuda:N`. */
  device?: string;
  /**
   * The weights' dtype. `auto` (the default) is bfloat16 on CUDA; on the CPU it is float32 or bfloat16,
   * whatever is faster: measured when a model of this size is first loaded, and kept in the cache.
   */
  dtype?: 'auto' | WeightDtype;
  /** Threads that compute: as many as the machine has processors if absent. */
  threads?: number;
  /**
   * `resident` (the default) keeps all weights; `staged` those of one stage at a time: less memory, and
   * each picture loads them anew.
   */
  residency?: 'resident' | 'staged';
  /**
   * Bytes for weights and what the networks hold while they run. Picks the residency, where none is
   * given, and how many pictures go through the networks at once.
   */
  memoryBudget?: number;
  /** Called as weights are read, with the bytes read so far. */
  onProgress?: (progress: LoadProgress) => void;
  /** Aborts the loading. */
  signal?: AbortSignal;
}

/** A loaded model. */
export class Karlo implements AsyncDisposable {
  readonly #model: Model;
  readonly #cascade: Cascade;
  readonly #engine: Engine;
  readonly #queue: BatchQueue<PicturePortion, Made>;
  /** The model's name, or its folder's. */
  readonly model: string;
  /** Where it runs: what `auto` chose. */
  readonly device: string;
  /** The weights' dtype: what `auto` chose. */
  readonly dtype: WeightDtype;
  /** Where the weights are between the stages. */
  readonly residency: 'resident' | 'staged';
  readonly #largestBatch: number | undefined;
  readonly #disposed = new AbortController();
  #disposal: Promise<void> | undefined;
  readonly #running = new Set<Promise<unknown>>();
  readonly #facts = new Once<Facts>();

  private constructor({ name, model, cascade, engine, largestBatch, ...placement }: Loaded) {
    this.#largestBatch = largestBatch;
    this.model = name;
    this.residency = placement.residency;
    this.#model = model;
    this.#cascade = cascade;
    this.#engine = engine;
    this.device = placement.device;
    this.dtype = placement.dtype;
    this.#queue = new BatchQueue((portions, signal) =>
      makeBatch(cascade, portions, signal).catch(this.#advised(portions[0]?.capacity ?? 1)),
    );
  }

  /**
   * Loads a model.
   * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT, ERR_KARLO_MODEL_NOT_FOUND,
   *   ERR_KARLO_MODEL_CORRUPT, ERR_KARLO_DEVICE_UNAVAILABLE, ERR_KARLO_LIBTORCH_MISSING
   */
  static async load(options: KarloOptions = {}): Promise<Karlo> {
    const resolved = resolveLoad(options);
    // LibTorch opens on another thread while all that loads a model is imported here.
    const opening = openAhead();
    const { load } = await import('./pipeline/load.js');
    return new Karlo(await load(resolved, opening));
  }

  /** Side of the pictures that it makes, in pixels. */
  get size(): number {
    return this.#model.configs.super_res_first?.sample_size as number;
  }

  /** What it can do: whether the folder holds the networks for it. */
  get tasks(): Readonly<Record<Task, boolean>> {
    const has = (task: Task) => NETWORKS_OF[task].every((name) => this.#model.configs[name]);
    return { textToImage: has('textToImage'), imageVariation: has('imageVariation') };
  }

  /** Tokens of a prompt that the text encoder reads, begin and end included. */
  countTokens(prompt: string): number {
    return this.#cascade.countTokens(prompt);
  }

  /**
   * Makes pictures of prompts.
   * @returns a promise of them all, which can be iterated for previews and single pictures, too
   */
  textToImage(
    prompt: string | readonly string[],
    options: TextToImageOptions = {},
  ): GenerationTask {
    const settings = resolveTextToImage(prompt, options, this.#context());
    const { prompts } = settings;
    return this.#start(settings, {
      encode: async (signal) => this.#cascade.encodeText(prompts, signal),
      warnings: ({ truncated }) => warningsOf(prompts, truncated),
      recipe: ({ source, seed }, facts) =>
        textToImageRecipe(prompts[source] as string, seed, settings, facts),
    });
  }

  /**
   * Makes variations of pictures.
   * @param image a path, a `file:` URL, a picture file's bytes, raw pixels or a KarloImage, or several
   * @returns as textToImage does
   */
  imageVariation(
    image: PictureInput | readonly PictureInput[],
    options: ImageVariationOptions = {},
  ): GenerationTask {
    const { fit } = this.#model;
    const settings = resolveImageVariation(options, { ...this.#context(), fit });
    let hashes: string[] = [];
    return this.#start(settings, {
      encode: async (signal) => {
        const pictures = await readPictures(image);
        hashes = pictures.map(({ hash }) => hash);
        return await this.#cascade.encodeImages(pictures, settings.fit, signal);
      },
      warnings: () => [],
      recipe: ({ source, seed }, facts) => {
        const of = { sha256: hashes[source] as string, fit: settings.fit };
        return imageVariationRecipe(of, seed, settings, facts);
      },
    });
  }

  /**
   * What a call is expected to take, for one prompt or picture: memory from the networks' sizes, time
   * from the pace of what this model has made so far, or of its text encoder where it has made nothing.
   * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT
   */
  async estimate(
    kind: 'textToImage' | 'imageVariation',
    options: TextToImageOptions | ImageVariationOptions = {},
  ): Promise<Estimate> {
    this.#disposed.signal.throwIfAborted();
    const kinds = ['textToImage', 'imageVariation'] as const;
    const context = this.#context();
    const settings: Settings =
      oneOf(kind, kinds, 'kind', undefined) === 'textToImage'
        ? resolveTextToImage('', options, context)
        : resolveImageVariation(options, context);
    const { count, batchSize } = settings;
    const placement = { dtype: this.dtype, residency: this.residency };
    const flop = this.#cascade.flop(settings, batchSize) * Math.ceil(count / batchSize);
    return {
      bytes: peakBytes(this.#model, settings, batchSize, placement),
      seconds: flop / (await this.#cascade.pace()),
    };
  }

  /** What the loaded model says of options. */
  #context(): ResolveContext {
    return { trainSteps: this.#cascade.trainSteps(), largestBatch: this.#largestBatch };
  }

  #start(settings: Settings, kind: Kind): GenerationTask {
    this.#disposed.signal.throwIfAborted();
    settings.signal?.throwIfAborted();
    const signals = settings.signal ? [settings.signal] : [];
    const either = AbortSignal.any([...signals, this.#disposed.signal]);
    const task = new GenerationTask(
      (emit, signal) => this.#run(settings, kind, { emit, signal }),
      either,
    );
    const ended = task.then(
      () => {},
      () => {},
    );
    this.#running.add(ended);
    ended.then(() => this.#running.delete(ended));
    return task;
  }

  async #run(
    settings: Settings,
    { encode, warnings, recipe }: Kind,
    run: Run,
  ): Promise<Generation> {
    const start = performance.now();
    const seconds = () => (performance.now() - start) / 1000;
    // Hashing takes a while: the picture is made meanwhile.
    const facts = this.facts();
    facts.catch(() => {});
    using encoded = await this.#queue.expect(encode(run.signal).catch(this.#advised(1)));
    const encodeSeconds = seconds();
    const {
      images,
      seeds,
      seconds: stages,
    } = await generate(this.#queue, {
      ...run,
      conditions: encoded.conditions,
      settings,
      recipeOf: async (job) => recipe(job, await facts),
    });
    const timings = { encode: encodeSeconds, ...stages, total: seconds() };
    return { images, seeds, warnings: warnings(encoded), timings };
  }

  /** Throws an error again: with what would help, where memory ran out. */
  #advised(batchSize: number): (error: unknown) => never {
    const { dtype, device, residency } = this;
    return (error) => {
      throw advised(error, { batchSize, dtype, device, residency });
    };
  }

  /** What recipes say of this model: its name and hash, the versions that run it, device and dtype. */
  facts(): Promise<Facts> {
    return this.#facts.get(() => factsOf(this.model, this.#model, this));
  }

  /** Aborts what runs, waits until it has ended, and frees the weights. Idempotent. */
  dispose(): Promise<void> {
    this.#disposed.abort(new KarloError('ERR_KARLO_DISPOSED', 'The model was disposed'));
    this.#disposal ??= this.#free();
    return this.#disposal;
  }

  async #free(): Promise<void> {
    await Promise.all(this.#running);
    await this.#queue.idle();
    await this.#cascade[Symbol.asyncDispose]();
    await this.#engine.dispose();
    trimMemory();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}

type Settings = Resolved & Partial<Pick<ResolvedTextToImage, 'prior'>>;

/** In what the two kinds of generation differ. */
interface Kind {
  encode(signal: AbortSignal): Promise<Encoded>;
  warnings(encoded: Encoded): string[];
  recipe(job: Job, facts: Facts): Recipe;
}

async function factsOf(
  name: string,
  model: Model,
  { device, dtype }: Pick<Karlo, 'device' | 'dtype'>,
): Promise<Facts> {
  return {
    model: { name, sha256: await model.identity() },
    versions: { karlo: packageVersion(), libtorch: torchVersion().libtorch },
    device: device.startsWith('cuda') ? 'cuda' : 'cpu',
    dtype,
  };
}

function warningsOf(
  prompts: readonly string[],
  truncated: readonly (string | undefined)[],
): string[] {
  return truncated.flatMap((words, i) =>
    words === undefined
      ? []
      : [`The prompt ${quote(prompts[i] as string)} is too long: '${words}' was left out`],
  );
}
