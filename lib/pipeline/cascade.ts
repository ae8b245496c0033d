import { type Pixels, toPixels } from '../images/pixels.js';
import type { Fit } from '../images/preprocess.js';
import type { Model } from '../layouts/open-model.js';
import type { SchedulerConfig } from '../layouts/scheduler-config.js';
import type { ComponentConfigs } from '../networks/config.js';
import { flopPerToken } from '../networks/cost.js';
import type { PromptCache } from '../networks/prompt-cache.js';
import type { ComponentName } from '../networks/registry.js';
import type { Residency } from '../networks/residency.js';
import type { Stage } from '../options/generation.js';
import type { ClipTokenizer } from '../tokenizer/index.js';
import { Tensor, tidy } from '../torch/tensor.js';
import { Once } from '../util/async-lazy.js';
import { batchFlop } from './estimate.js';
import { throwMissingComponent } from './missing-component.js';
import { type Step, schedule } from './samplers/index.js';
import { Noise } from './samplers/noise.js';
import { runDecoder } from './stages/decoder.js';
import { encodeImage } from './stages/encode-image.js';
import { encodeText, type TextFeatures, together } from './stages/encode-text.js';
import { type LoopSettings, runPrior } from './stages/prior.js';
import { runUpsample, type UpsampleStage } from './stages/upsample.js';
import type { StageName } from './task.js';

/** What a picture is made from: a prompt's features, or a picture's CLIP image embedding, `[1, E]`. */
export type Condition = { readonly text: TextFeatures } | { readonly imageEmbeds: Tensor };

/** What was encoded for a call, in its order. */
export interface Encoded extends Disposable {
  readonly conditions: readonly Condition[];
  /** The part of each prompt that did not fit, if any. */
  readonly truncated: readonly (string | undefined)[];
}

/** The three loops' settings; a variation has no prior. */
export interface LoopOptions {
  readonly prior?: Stage;
  readonly decoder: Stage;
  readonly upsample: Stage;
}

/** A step that was taken; `x0` gives the predicted pictures where the stage has any. */
export type OnStep = (stage: StageName, step: number, steps: number, x0?: () => Pixels[]) => void;

export interface Batch {
  readonly conditions: readonly Condition[];
  readonly seeds: readonly number[];
  readonly loops: LoopOptions;
  readonly signal: AbortSignal;
  readonly onStep: OnStep;
}

/** Seconds of each stage. */
export type Seconds = Record<StageName, number>;

/** CLIP's context. */
const tokensOfPrompt = 77;

/** The networks of a model in the paper's order: features -> prior -> decoder -> super-resolution. */
export class Cascade implements AsyncDisposable {
  readonly #model: Model;
  readonly #networks: Residency;
  readonly #tokenizer: ClipTokenizer;
  readonly #device: string;
  readonly #empty = new Once<Encoded>();
  readonly #emptyInPrior = new Once<PromptCache>();
  /** Floating-point operations a second of the last batch. */
  #pace: number | undefined;

  constructor(model: Model, networks: Residency, tokenizer: ClipTokenizer, device: string) {
    this.#model = model;
    this.#networks = networks;
    this.#tokenizer = tokenizer;
    this.#device = device;
  }

  /** Tokens of a prompt that the text encoder reads, begin and end included. */
  countTokens(prompt: string): number {
    return this.#tokenizer.encode(prompt).mask.reduce((sum, one) => sum + one, 0);
  }

  /** The features of prompts. */
  async encodeText(prompts: readonly string[], signal?: AbortSignal): Promise<Encoded> {
    await using networks = await this.#networks.lease('text_encoder');
    const encode = (prompt: string) =>
      encodeText(prompt, this.#tokenizer, networks.text_encoder, signal);
    return encodedOf(await allOrNone(prompts.map(encode), ({ text }) => text));
  }

  /** The CLIP image embeddings of pictures. */
  async encodeImages(pictures: readonly Pixels[], fit: Fit, signal: AbortSignal): Promise<Encoded> {
    const config =
      this.#model.featureExtractor ??
      throwMissingComponent(this.#model.folder, 'feature_extractor');
    await using networks = await this.#networks.lease('image_encoder');
    const encode = async (picture: Pixels) => ({
      imageEmbeds: await encodeImage(picture, fit, config, networks.image_encoder, signal),
    });
    return encodedOf(await allOrNone(pictures.map(encode), ({ imageEmbeds }) => imageEmbeds));
  }

  /** Features of the empty prompt, which every unconditional half has: computed once. */
  #unconditional(): Promise<Encoded> {
    return this.#empty.get(() => this.encodeText(['']));
  }

  /** Makes a picture of each condition, all at once. */
  async make(batch: Batch): Promise<{ pictures: Pixels[]; seconds: Seconds }> {
    const clock = new Clock();
    const { conditions, seeds, loops } = batch;
    using noise = new Noise(seeds, this.#device);
    const unconditional = await this.#unconditional();
    using empty = together(conditions.flatMap(() => textsOf(unconditional.conditions)));
    using given = gather(conditions);
    const loop = (stage: StageName, settings: Stage) => this.#loop(stage, settings, noise, batch);
    const text = given.text ?? empty;
    using imageEmbeds =
      given.imageEmbeds ?? (await this.#prior(text, loop('prior', loops.prior as Stage)));
    clock.lap('prior');
    using small = await this.#decoder(imageEmbeds, text, empty, loop('decoder', loops.decoder));
    clock.lap('decoder');
    using large = await this.#upsample(small, loop('upsample', loops.upsample));
    clock.lap('upsample');
    const { prior, decoder, upsample } = clock.seconds;
    this.#pace = this.flop(loops, seeds.length) / (prior + decoder + upsample);
    return { pictures: toPixels(large), seconds: clock.seconds };
  }

  async #prior(text: TextFeatures, loop: LoopSettings): Promise<Tensor> {
    const { embedding_dim, clip_embed_dim } = this.#config('prior');
    const [unconditional] = textsOf((await this.#unconditional()).conditions);
    await using networks = await this.#networks.lease('prior');
    const { prior } = networks;
    const empty = await this.#emptyInPrior.get(() => prior.prefill(unconditional as TextFeatures));
    using prompt = await prior.prefill(text, loop.signal);
    return await runPrior(prior, clip_embed_dim ?? embedding_dim, prompt, empty, loop);
  }

  async #decoder(
    imageEmbeds: Tensor,
    text: TextFeatures,
    empty: TextFeatures,
    loop: LoopSettings,
  ): Promise<Tensor> {
    const { in_channels, sample_size } = this.#config('decoder');
    await using networks = await this.#networks.lease('text_proj', 'decoder');
    const stage = {
      textProjection: networks.text_proj,
      decoder: networks.decoder,
      shape: [in_channels, sample_size, sample_size] as const,
    };
    return await runDecoder(stage, imageEmbeds, text, empty, loop);
  }

  async #upsample(small: Tensor, loop: LoopSettings): Promise<Tensor> {
    const { out_channels, sample_size } = this.#config('super_res_first');
    const side = sample_size as number;
    const stage: UpsampleStage = {
      lease: (name) => this.#networks.lease(name),
      shape: [out_channels, side, side] as const,
    };
    return await runUpsample(stage, small, loop);
  }

  #loop(
    stage: StageName,
    { spacing, guidanceScale }: Stage,
    noise: Noise,
    { signal, onStep }: Batch,
  ): LoopSettings {
    const config = this.#schedule(stage);
    const steps = schedule(config, spacing);
    // The prior's x0 is an embedding: there is nothing to see.
    const previews = stage === 'prior' ? () => undefined : (x0: Tensor) => () => toPixels(x0);
    const tell = ({ index }: Step, x0: Tensor) =>
      onStep(stage, index + 1, steps.length, previews(x0));
    return { steps, clip: config.clipSampleRange, guidanceScale, noise, signal, onStep: tell };
  }

  #schedule(stage: StageName): SchedulerConfig {
    const name = `${stage === 'upsample' ? 'super_res' : stage}_scheduler` as const;
    return this.#model.schedulers[name] ?? throwMissingComponent(this.#model.folder, name);
  }

  /** Floating-point operations of a batch. */
  flop(loops: LoopOptions, batchSize: number): number {
    const steps = (stage: StageName) =>
      loops[stage] ? schedule(this.#schedule(stage), loops[stage].spacing).length : 0;
    const all = { prior: steps('prior'), decoder: steps('decoder'), upsample: steps('upsample') };
    return batchFlop(this.#model, loops, all, batchSize);
  }

  /** Floating-point operations a second: of the last batch, or else of an encoded prompt. */
  async pace(): Promise<number> {
    if (this.#pace !== undefined) return this.#pace;
    await this.#unconditional();
    const start = performance.now();
    using _encoded = await this.encodeText(['']);
    const seconds = (performance.now() - start) / 1000;
    return (tokensOfPrompt * flopPerToken('text_encoder', this.#config('text_encoder'))) / seconds;
  }

  /** Training timesteps of each stage that the model has: the most steps it can take. */
  trainSteps(): Partial<Record<StageName, number>> {
    const of = (stage: StageName) => this.#schedule(stage).trainSteps;
    const prior = this.#model.configs.prior && { prior: of('prior') };
    return { ...prior, decoder: of('decoder'), upsample: of('upsample') };
  }

  #config<N extends ComponentName>(component: N): ComponentConfigs[N] {
    return this.#model.configs[component] ?? throwMissingComponent(this.#model.folder, component);
  }

  /** Frees the weights. */
  async [Symbol.asyncDispose](): Promise<void> {
    (await this.#empty.value)?.[Symbol.dispose]();
    (await this.#emptyInPrior.value)?.[Symbol.dispose]();
    await this.#networks.dispose();
  }
}

function encodedOf(rows: readonly (Condition & { truncated?: string | undefined })[]): Encoded {
  return {
    conditions: rows,
    truncated: rows.map(({ truncated }) => truncated),
    [Symbol.dispose]() {
      for (const row of rows) ('text' in row ? row.text : row.imageEmbeds)[Symbol.dispose]();
    },
  };
}

/** All results; where one fails, the others are disposed of. */
async function allOrNone<T>(
  work: readonly Promise<T>[],
  resource: (result: T) => Disposable,
): Promise<T[]> {
  try {
    return await Promise.all(work);
  } catch (error) {
    for (const result of await Promise.allSettled(work)) {
      if (result.status === 'fulfilled') resource(result.value)[Symbol.dispose]();
    }
    throw error;
  }
}

function textsOf(conditions: readonly Condition[]): TextFeatures[] {
  return conditions.flatMap((one) => ('text' in one ? [one.text] : []));
}

/** Conditions of one kind as one batch. */
function gather(conditions: readonly Condition[]) {
  const texts = textsOf(conditions);
  const embeds = conditions.flatMap((one) => ('imageEmbeds' in one ? [one.imageEmbeds] : []));
  const text = texts.length > 0 ? together(texts) : undefined;
  const imageEmbeds = embeds.length > 0 ? tidy(() => Tensor.cat(embeds)) : undefined;
  return { text, imageEmbeds, [Symbol.dispose]: () => text?.[Symbol.dispose]() };
}

/** Measures the seconds of each stage. */
class Clock {
  readonly seconds: Seconds = { prior: 0, decoder: 0, upsample: 0 };
  #last = performance.now();

  lap(stage: StageName): void {
    const now = performance.now();
    this.seconds[stage] = (now - this.#last) / 1000;
    this.#last = now;
  }
}
