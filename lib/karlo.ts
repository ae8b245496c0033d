import { availableParallelism } from 'node:os';
import { type BatchStep, batchesOf, imagesOf, type Job, jobsOf, stepEvent } from './batches.js';
import { Clock } from './clock.js';
import { expected, KarloError } from './errors.js';
import type { KarloImage } from './image.js';
import { type ComponentName, NETWORKS_OF, type Task } from './models/components.js';
import type { ComponentConfigs } from './models/config.js';
import { type Model, openModel } from './models/load-model.js';
import { type LoadProgress, loadNetworks, type Networks } from './models/load-networks.js';
import { builtInModel } from './models/tokenizer-files.js';
import type { WeightDtype } from './models/weights.js';
import {
  type ImageVariationOptions,
  type Resolved,
  type ResolvedImageVariation,
  type ResolvedTextToImage,
  resolveImageVariation,
  resolveTextToImage,
  type Stage,
  type TextToImageOptions,
} from './options.js';
import {
  type ScheduleConfig,
  type Spacing,
  type Step,
  schedule,
  scheduleConfig,
} from './schedule/index.js';
import { runDecoder } from './stages/decoder.js';
import { encodeImages } from './stages/encode-image.js';
import { encodeText, rowsOf, type TextFeatures } from './stages/encode-text.js';
import { Noise } from './stages/noise.js';
import { type Pixels, toPixels } from './stages/pictures.js';
import { type LoopSettings, runPrior } from './stages/prior.js';
import { type PictureInput, readPicture } from './stages/read-picture.js';
import { runUpsample } from './stages/upsample.js';
import { type Generation, type GenerationEvent, GenerationTask, type StageName } from './task.js';
import { ClipTokenizer } from './text/index.js';
import { openDevice } from './torch/device.js';
import { Engine } from './torch/engine.js';
import type { ScriptModule } from './torch/script-module.js';
import { Tensor, tidy } from './torch/tensor.js';

export interface KarloOptions {
  /** A built-in name (`karlo-tiny`, the default) or a folder in any of the three layouts. */
  model?: string;
  /** `auto` (the default), `cpu`, `cuda` or `cuda:N`. */
  device?: string;
  /** The weights' dtype. `auto` (the default) is float32 on the CPU, bfloat16 on CUDA. */
  dtype?: 'auto' | WeightDtype;
  /** Threads that compute: as many as the machine has processors if absent. */
  threads?: number;
  /** Called as weights are read, with the bytes read so far. */
  onProgress?: (progress: LoadProgress) => void;
  signal?: AbortSignal;
}

/** A loaded model. */
export class Karlo implements AsyncDisposable {
  readonly #model: Model;
  readonly #networks: Networks;
  readonly #tokenizer: ClipTokenizer;
  readonly #engine: Engine;
  /** Where it runs: what `auto` chose. */
  readonly device: string;
  readonly dtype: WeightDtype;
  readonly #disposed = new AbortController();
  readonly #running = new Set<Promise<unknown>>();

  private constructor(
    model: Model,
    networks: Networks,
    tokenizer: ClipTokenizer,
    placement: { engine: Engine; device: string; dtype: WeightDtype },
  ) {
    this.#model = model;
    this.#networks = networks;
    this.#tokenizer = tokenizer;
    this.#engine = placement.engine;
    this.device = placement.device;
    this.dtype = placement.dtype;
  }

  /**
   * Loads a model.
   * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND, ERR_KARLO_MODEL_CORRUPT,
   *   ERR_KARLO_DEVICE_UNAVAILABLE, ERR_KARLO_LIBTORCH_MISSING
   */
  static async load(options: KarloOptions = {}): Promise<Karlo> {
    const {
      model: name = 'karlo-tiny',
      dtype = 'auto',
      threads = availableParallelism(),
    } = options;
    const device = openDevice(options.device ?? 'auto');
    const model = await openModel(name === 'karlo-tiny' ? builtInModel(name) : name);
    const engine = new Engine({ threads });
    try {
      const placement = { engine, device, dtype: dtypeFor(dtype, device) };
      const { onProgress, signal } = options;
      const networks = await loadNetworks(model, placement, onProgress, signal);
      const kakao = { pad: 'zero', clean: 'kakao' } as const;
      const settings = model.layout === 'kakao' ? kakao : {};
      const tokenizer = await ClipTokenizer.fromFolder(model.tokenizer, settings);
      return new Karlo(model, networks, tokenizer, placement);
    } catch (error) {
      await engine.dispose();
      throw error;
    }
  }

  /** Side of the pictures that it makes, in pixels. */
  get size(): number {
    return this.#config('super_res_first').sample_size as number;
  }

  /** What it can do: whether the folder holds the networks for it. */
  get tasks(): Readonly<Record<Task, boolean>> {
    const has = (task: Task) => NETWORKS_OF[task].every((name) => this.#networks[name]);
    return { textToImage: has('textToImage'), imageVariation: has('imageVariation') };
  }

  /** Tokens of a prompt that the text encoder reads, begin and end included. */
  countTokens(prompt: string): number {
    return this.#tokenizer.encode(prompt).mask.reduce((sum, one) => sum + one, 0);
  }

  /**
   * Makes pictures of prompts.
   * @returns a promise of them all, which can be iterated for previews and single pictures, too
   */
  textToImage(
    prompt: string | readonly string[],
    options: TextToImageOptions = {},
  ): GenerationTask {
    const trainSteps = this.#trainSteps();
    const settings = resolveTextToImage(prompt, options, { trainSteps });
    return this.#start(settings.signal, (run) => this.#textToImage(settings, run));
  }

  async #textToImage(settings: ResolvedTextToImage, run: Run): Promise<Generation> {
    const clock = new Clock();
    const { prompts } = settings;
    const encoder = this.#network('text_encoder');
    using text = await encodeText([...prompts, ''], this.#tokenizer, encoder, run.signal);
    clock.lap('encode');
    const made = await this.#inBatches(
      prompts.length,
      settings,
      run,
      clock,
      async (batch, loop) => {
        using conditional = rowsOf(
          text,
          batch.map(({ source }) => source),
        );
        using empty = rowsOf(
          text,
          batch.map(() => prompts.length),
        );
        using imageEmbeds = await this.#prior(conditional, empty, loop('prior', settings.prior));
        clock.lap('prior');
        return await this.#decoder(
          imageEmbeds,
          conditional,
          empty,
          loop('decoder', settings.decoder),
        );
      },
    );
    const warnings = text.truncated.flatMap((words, i) =>
      words === undefined
        ? []
        : [`The prompt '${prompts[i]}' is too long: '${words}' was left out`],
    );
    return { ...made, warnings, timings: clock.timings() };
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
    const fit = this.#model.layout === 'kakao' ? 'fill' : 'cover';
    const settings = resolveImageVariation(options, { trainSteps: this.#trainSteps(), fit });
    return this.#start(settings.signal, (run) => this.#imageVariation(image, settings, run));
  }

  async #imageVariation(
    image: unknown,
    settings: ResolvedImageVariation,
    run: Run,
  ): Promise<Generation> {
    const clock = new Clock();
    const pictures = await readPictures(image);
    const config = this.#model.featureExtractor ?? lacking('feature_extractor', this.#model);
    const encoder = this.#network('image_encoder');
    using embeds = await encodeImages(pictures, settings.fit, config, encoder, run.signal);
    using text = await encodeText([''], this.#tokenizer, this.#network('text_encoder'), run.signal);
    clock.lap('encode');
    const made = await this.#inBatches(
      pictures.length,
      settings,
      run,
      clock,
      async (batch, loop) => {
        using empty = rowsOf(
          text,
          batch.map(() => 0),
        );
        using imageEmbeds = tidy(() =>
          Tensor.cat(batch.map(({ source }) => embeds.slice(0, source, source + 1))),
        );
        return await this.#decoder(imageEmbeds, empty, empty, loop('decoder', settings.decoder));
      },
    );
    return { ...made, warnings: [], timings: clock.timings() };
  }

  /** Makes each batch's small pictures by `decode`, upsamples them, and hands them out. */
  async #inBatches(
    sources: number,
    settings: Resolved,
    { emit, signal }: Run,
    clock: Clock,
    decode: (batch: readonly Job[], loop: MakeLoop) => Promise<Tensor>,
  ): Promise<Pick<Generation, 'images' | 'seeds'>> {
    const jobs = jobsOf(sources, settings.seeds);
    const batches = batchesOf(jobs, settings.batchSize);
    const images: KarloImage[] = [];
    for (const [b, batch] of batches.entries()) {
      using noise = new Noise(
        batch.map(({ seed }) => seed),
        this.device,
      );
      const loop: MakeLoop = (stage, { spacing, guidanceScale }) =>
        this.#loop(stage, spacing, guidanceScale, settings.previews, noise, signal, (step) =>
          emit(stepEvent(step, b, batches)),
        );
      using small = await decode(batch, loop);
      clock.lap('decoder');
      using large = await this.#upsample(small, loop('upsample', settings.upsample));
      clock.lap('upsample');
      for (const { index, image } of imagesOf(batch, toPixels(large))) {
        images[index] = image;
        emit({ type: 'image', index, image });
      }
    }
    return { images, seeds: jobs.map(({ seed }) => seed) };
  }

  #prior(text: TextFeatures, empty: TextFeatures, loop: LoopSettings): Promise<Tensor> {
    const { embedding_dim, clip_embed_dim } = this.#config('prior');
    return runPrior(this.#network('prior'), clip_embed_dim ?? embedding_dim, text, empty, loop);
  }

  #decoder(imageEmbeds: Tensor, text: TextFeatures, empty: TextFeatures, loop: LoopSettings) {
    const { in_channels, sample_size } = this.#config('decoder');
    const stage = {
      textProjection: this.#network('text_proj'),
      decoder: this.#network('decoder'),
      shape: [in_channels, sample_size, sample_size] as const,
    };
    return runDecoder(stage, imageEmbeds, text, empty, loop);
  }

  #upsample(small: Tensor, loop: LoopSettings): Promise<Tensor> {
    const { out_channels, sample_size } = this.#config('super_res_first');
    const side = sample_size as number;
    const stage = {
      first: this.#network('super_res_first'),
      last: this.#network('super_res_last'),
      shape: [out_channels, side, side] as const,
    };
    return runUpsample(stage, small, loop);
  }

  #loop(
    stage: StageName,
    spacing: Spacing,
    guidanceScale: number,
    previews: boolean,
    noise: Noise,
    signal: AbortSignal,
    emit: (step: BatchStep) => void,
  ): LoopSettings {
    const config = this.#schedule(stage);
    const steps = schedule(config, spacing);
    const pictures = previews && stage !== 'prior';
    const onStep = ({ index }: Step, x0: Tensor) =>
      emit({
        ...{ stage, step: index + 1, steps: steps.length },
        ...(pictures && { previews: toPixels(x0) }),
      });
    return { steps, clip: config.clip, guidanceScale, noise, signal, onStep };
  }

  #schedule(stage: StageName): ScheduleConfig {
    const name = `${stage === 'upsample' ? 'super_res' : stage}_scheduler` as const;
    const config = scheduleConfig(this.#model.schedulers[name], name);
    return this.#model.layout === 'kakao' ? { ...config, tables: 'float64' } : config;
  }

  #trainSteps() {
    const stages = ['prior', 'decoder', 'upsample'] as const;
    return Object.fromEntries(stages.map((stage) => [stage, this.#schedule(stage).trainSteps]));
  }

  #network(component: ComponentName): ScriptModule {
    return this.#networks[component] ?? lacking(component, this.#model);
  }

  #config<N extends ComponentName>(component: N): ComponentConfigs[N] {
    return this.#model.configs[component] ?? lacking(component, this.#model);
  }

  #start(signal: AbortSignal | undefined, work: (run: Run) => Promise<Generation>): GenerationTask {
    if (this.#disposed.signal.aborted) throw this.#disposed.signal.reason;
    signal?.throwIfAborted();
    const both = signal ? AbortSignal.any([signal, this.#disposed.signal]) : this.#disposed.signal;
    const task = new GenerationTask((emit, signal) => work({ emit, signal }), both);
    const ended = task.then(
      () => {},
      () => {},
    );
    this.#running.add(ended);
    ended.then(() => this.#running.delete(ended));
    return task;
  }

  /** Aborts what runs, waits until it has ended, and frees the weights. Idempotent. */
  async dispose(): Promise<void> {
    this.#disposed.abort(new KarloError('ERR_KARLO_DISPOSED', 'The model was disposed'));
    await Promise.all(this.#running);
    for (const network of Object.values(this.#networks)) network.dispose();
    await this.#engine.dispose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}

/** Where a run's events go, and what ends it. */
interface Run {
  emit: (event: GenerationEvent) => void;
  signal: AbortSignal;
}

type MakeLoop = (stage: StageName, settings: Stage) => LoopSettings;

function dtypeFor(dtype: 'auto' | WeightDtype, device: string): WeightDtype {
  if (!['auto', 'float32', 'bfloat16', 'float16'].includes(dtype)) {
    throw expected("'auto', 'float32', 'bfloat16' or 'float16'", 'dtype', dtype);
  }
  if (dtype === 'float16' && device === 'cpu') {
    throw expected("'float32' or 'bfloat16' on the CPU", 'dtype', dtype);
  }
  if (dtype !== 'auto') return dtype;
  return device === 'cpu' ? 'float32' : 'bfloat16';
}

function lacking(component: string, { folder }: Model): never {
  const message = `Expected a model with ${component} in ${folder} but it holds none`;
  throw new KarloError('ERR_KARLO_MODEL_NOT_FOUND', message);
}

async function readPictures(image: unknown): Promise<Pixels[]> {
  const inputs: readonly unknown[] = Array.isArray(image) ? image : [image];
  if (inputs.length === 0) throw expected('a picture or a non-empty array of them', 'image', image);
  const name = (i: number) => (Array.isArray(image) ? `image[${i}]` : 'image');
  return Promise.all(inputs.map((input, i) => readPicture(input, name(i))));
}
