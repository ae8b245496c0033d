import { availableParallelism } from 'node:os';
import { expected, KarloError } from './errors.js';
import { KarloImage } from './image.js';
import type { ComponentName } from './models/components.js';
import type { ComponentConfigs } from './models/config.js';
import { type Model, openModel } from './models/load-model.js';
import { builtInModel } from './models/tokenizer-files.js';
import type { WeightDtype } from './models/weights.js';
import {
  type ResolvedTextToImage,
  resolveTextToImage,
  type TextToImageOptions,
} from './options.js';
import { type ScheduleConfig, type Step, schedule, scheduleConfig } from './schedule/index.js';
import { runDecoder } from './stages/decoder.js';
import { encodeText, rowsOf, type TextFeatures } from './stages/encode-text.js';
import { Noise } from './stages/noise.js';
import { toPixels } from './stages/pictures.js';
import { type LoopSettings, runPrior } from './stages/prior.js';
import { runUpsample } from './stages/upsample.js';
import { type Generation, type GenerationEvent, GenerationTask, type StageName } from './task.js';
import { ClipTokenizer } from './text/index.js';
import { openDevice } from './torch/device.js';
import { Engine } from './torch/engine.js';
import type { ScriptModule } from './torch/script-module.js';
import type { Tensor } from './torch/tensor.js';

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
  onProgress?: (progress: { component: ComponentName; bytes: number }) => void;
  signal?: AbortSignal;
}

type Networks = Readonly<Partial<Record<ComponentName, ScriptModule>>>;

/** A picture to be made: which prompt, and from which seed. */
interface Job {
  prompt: number;
  seed: number;
  index: number;
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
      const networks = await loadNetworks(model, placement, options);
      const kakao = { pad: 'zero', clean: 'kakao' } as const;
      const settings = model.layout === 'kakao' ? kakao : {};
      const tokenizer = await ClipTokenizer.fromFolder(model.tokenizer, settings);
      return new Karlo(model, networks, tokenizer, placement);
    } catch (error) {
      await engine.dispose();
      throw error;
    }
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
    return this.#start(settings.signal, (emit, signal) =>
      this.#textToImage(settings, emit, signal),
    );
  }

  async #textToImage(
    settings: ResolvedTextToImage,
    emit: (event: GenerationEvent) => void,
    signal: AbortSignal,
  ): Promise<Generation> {
    const clock = new Clock();
    const { prompts, seeds, batchSize } = settings;
    const encoder = this.#network('text_encoder');
    using text = await encodeText([...prompts, ''], this.#tokenizer, encoder, signal);
    clock.lap('encode');
    const jobs = prompts.flatMap((_, prompt) =>
      seeds.map((seed, j) => ({ prompt, seed, index: prompt * seeds.length + j })),
    );
    const batches = batchesOf(jobs, batchSize);
    const images: KarloImage[] = [];
    for (const [b, batch] of batches.entries()) {
      using noise = new Noise(
        batch.map(({ seed }) => seed),
        this.device,
      );
      using conditional = rowsOf(
        text,
        batch.map(({ prompt }) => prompt),
      );
      using empty = rowsOf(
        text,
        batch.map(() => prompts.length),
      );
      const loop = (stage: StageName) =>
        this.#loop(stage, settings, noise, signal, (event) =>
          emit(progress(event, b, batches, batch)),
        );

      using imageEmbeds = await this.#prior(conditional, empty, loop('prior'));
      clock.lap('prior');
      using small = await this.#decoder(imageEmbeds, conditional, empty, loop('decoder'));
      clock.lap('decoder');
      using large = await this.#upsample(small, loop('upsample'));
      clock.lap('upsample');

      for (const [i, pixels] of toPixels(large).entries()) {
        const { index, seed } = batch[i] as Job;
        if (images[index] !== undefined) continue;
        const image = new KarloImage(pixels, seed);
        images[index] = image;
        emit({ type: 'image', index, image });
      }
    }
    const warnings = text.truncated.flatMap((words, i) =>
      words === undefined
        ? []
        : [`The prompt '${prompts[i]}' is too long: '${words}' was left out`],
    );
    return { images, seeds: jobs.map(({ seed }) => seed), warnings, timings: clock.timings() };
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
    settings: ResolvedTextToImage,
    noise: Noise,
    signal: AbortSignal,
    emit: (event: StepEvent) => void,
  ): LoopSettings {
    const config = this.#schedule(stage);
    const { spacing, guidanceScale } = settings[stage];
    const steps = schedule(config, spacing);
    const pictures = settings.previews && stage !== 'prior';
    return {
      steps,
      clip: config.clip,
      guidanceScale,
      noise,
      signal,
      onStep: ({ index }: Step, x0: Tensor) =>
        emit({
          stage,
          step: index + 1,
          steps: steps.length,
          ...(pictures && { previews: toPixels(x0) }),
        }),
    };
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

  #start(
    signal: AbortSignal | undefined,
    run: (emit: (event: GenerationEvent) => void, signal: AbortSignal) => Promise<Generation>,
  ): GenerationTask {
    if (this.#disposed.signal.aborted) throw this.#disposed.signal.reason;
    signal?.throwIfAborted();
    const both = signal ? AbortSignal.any([signal, this.#disposed.signal]) : this.#disposed.signal;
    const task = new GenerationTask(run, both);
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

type StepEvent = {
  stage: StageName;
  step: number;
  steps: number;
  previews?: ReturnType<typeof toPixels>;
};

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

async function loadNetworks(
  model: Model,
  placement: { engine: Engine; device: string; dtype: WeightDtype },
  { onProgress, signal }: KarloOptions,
): Promise<Networks> {
  const networks: Partial<Record<ComponentName, ScriptModule>> = {};
  let bytes = 0;
  for (const component of Object.keys(model.configs) as ComponentName[]) {
    signal?.throwIfAborted();
    using loaded = await model.load(component, placement, (_, _name, count) => {
      bytes += count;
      onProgress?.({ component, bytes });
    });
    networks[component] = await loaded.freeze();
  }
  return networks;
}

function lacking(component: ComponentName, { folder }: Model): never {
  const message = `Expected a model with ${component} in ${folder} but it holds none`;
  throw new KarloError('ERR_KARLO_MODEL_NOT_FOUND', message);
}

/**
 * Batches of exactly this size; the last one is filled up with its own last picture. What a kernel
 * computes for a row can hang on how many rows there are, so that a picture's bytes hang on its seed
 * and the batch size alone.
 */
function batchesOf(jobs: readonly Job[], size: number): Job[][] {
  return Array.from({ length: Math.ceil(jobs.length / size) }, (_, b) =>
    Array.from({ length: size }, (_, i) => jobs[Math.min(b * size + i, jobs.length - 1)] as Job),
  );
}

/** A step of one batch as an event of the whole run. */
function progress(
  { stage, step, steps, previews }: StepEvent,
  b: number,
  batches: readonly Job[][],
  batch: readonly Job[],
): GenerationEvent {
  const unique = batch.filter(({ index }, i) => index !== batch[i - 1]?.index);
  const images =
    previews &&
    unique.map(({ index, seed }, i) => {
      return {
        index,
        image: new KarloImage(previews[i] as ReturnType<typeof toPixels>[number], seed),
      };
    });
  return {
    type: 'step',
    stage,
    step: b * steps + step,
    steps: batches.length * steps,
    ...(images && { previews: images }),
  };
}

/** Seconds in each stage. */
class Clock {
  readonly #start = performance.now();
  #last = this.#start;
  readonly #seconds = { encode: 0, prior: 0, decoder: 0, upsample: 0 };

  lap(stage: keyof Generation['timings'] & ('encode' | StageName)): void {
    const now = performance.now();
    this.#seconds[stage] += (now - this.#last) / 1000;
    this.#last = now;
  }

  timings(): Generation['timings'] {
    return { ...this.#seconds, total: (performance.now() - this.#start) / 1000 };
  }
}
