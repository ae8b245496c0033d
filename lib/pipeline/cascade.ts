import { type Pixels, toPixels } from '../images/pixels.js';
import { fitOf } from '../images/preprocessor-config.js';
import type { Model } from '../layouts/index.js';
import type { Residency } from '../networks/residency.js';
import type { ImageFit } from '../options/descriptions.js';
import type { StageSettings } from '../options/resolve-generation.js';
import type { ClipTokenizer } from '../tokenizer/tokenizer.js';
import { Tensor, tidy } from '../torch/tensor.js';
import { AsyncLazy } from '../util/async-lazy.js';
import { createSampler } from './samplers/index.js';
import { Noise } from './samplers/noise.js';
import { DecoderStage } from './stages/decoder.js';
import { ImageEncoderStage } from './stages/image-encoder.js';
import { schedulerOf } from './stages/index.js';
import { PriorStage } from './stages/prior.js';
import type { StageRun } from './stages/stage.js';
import {
  concatTextFeatures,
  type EncodedPrompt,
  type PromptFeatures,
  TextEncoderStage,
} from './stages/text-encoder.js';
import { UpsampleStage } from './stages/upsample.js';
import { type StageName, type StageSeconds, zeroSeconds } from './task.js';

/** What an image is generated from: a prompt's features, or an image's CLIP embedding, `[1, E]`. */
export type Condition = { readonly text: PromptFeatures } | { readonly imageEmbeds: Tensor };

/** How each stage samples; image variation has no prior. */
export interface CascadeSettings {
  readonly prior?: StageSettings;
  readonly decoder: StageSettings;
  readonly upsample: StageSettings;
}

/** Called after each step; `x0` decodes the predicted images in the stages that predict images. */
export type OnStep = (stage: StageName, step: number, steps: number, x0?: () => Pixels[]) => void;

/** Images that are generated together. */
export interface Batch {
  /** One per image, all of one kind. */
  readonly conditions: readonly Condition[];
  /** One per image. */
  readonly seeds: readonly number[];
  readonly stages: CascadeSettings;
  readonly signal: AbortSignal;
  readonly onStep: OnStep;
}

/** A batch's images in its order. */
export interface BatchImages {
  readonly images: Pixels[];
  readonly seconds: StageSeconds;
}

/**
 * The cascade of Ramesh et al. 2022, figure 2, with Karlo's super-resolution: text features -> prior
 * -> decoder -> super-resolution -> pixels.
 */
export class Cascade implements AsyncDisposable {
  readonly #model: Model;
  readonly #networks: Residency;
  readonly #device: string;
  readonly #textEncoder: TextEncoderStage;
  readonly #imageEncoder: ImageEncoderStage;
  readonly #prior: PriorStage;
  readonly #decoder: DecoderStage;
  readonly #upsample: UpsampleStage;
  readonly #emptyPrompt = new AsyncLazy<PromptFeatures>();

  constructor(model: Model, networks: Residency, tokenizer: ClipTokenizer, device: string) {
    this.#model = model;
    this.#networks = networks;
    this.#device = device;
    this.#textEncoder = new TextEncoderStage(networks, tokenizer);
    this.#imageEncoder = new ImageEncoderStage(model, networks);
    this.#prior = new PriorStage(model, networks);
    this.#decoder = new DecoderStage(model, networks);
    this.#upsample = new UpsampleStage(model, networks);
  }

  /** Tokens of a prompt that the text encoder reads, begin and end included. */
  countTokens(prompt: string): number {
    return this.#textEncoder.countTokens(prompt);
  }

  /** The features of each prompt, for the caller to dispose. */
  encodeText(prompts: readonly string[], signal?: AbortSignal): Promise<EncodedPrompt[]> {
    return this.#textEncoder.run(prompts, signal);
  }

  /** The CLIP embedding of each image, `[1, E]`, for the caller to dispose. */
  encodeImages(images: readonly Pixels[], fit: ImageFit, signal?: AbortSignal): Promise<Tensor[]> {
    return this.#imageEncoder.run(images, fit, signal);
  }

  /** Generates one image per condition, all at once. */
  async generate(batch: Batch): Promise<BatchImages> {
    const clock = new StageClock();
    using noise = new Noise(batch.seeds, this.#device);
    const run = (stage: StageName) => this.#stageRun(stage, batch, noise);

    const emptyPrompt = await this.#emptyPromptFeatures();
    using empty = concatTextFeatures(batch.seeds.map(() => emptyPrompt));
    using inputs = concatConditions(batch.conditions);
    const text = inputs.text ?? empty;

    using imageEmbeds =
      inputs.imageEmbeds ?? (await this.#prior.run(text, emptyPrompt, run('prior')));
    clock.lap('prior');
    using small = await this.#decoder.run(imageEmbeds, text, empty, run('decoder'));
    clock.lap('decoder');
    using large = await this.#upsample.run(small, run('upsample'));
    clock.lap('upsample');
    return { images: toPixels(large), seconds: clock.seconds };
  }

  /** Training timesteps of each stage that the model has: the most steps that it can take. */
  trainSteps(): Partial<Record<StageName, number>> {
    const of = (stage: StageName) => schedulerOf(this.#model, stage).trainSteps;
    const prior = this.#model.configs.prior && { prior: of('prior') };
    return { ...prior, decoder: of('decoder'), upsample: of('upsample') };
  }

  /** How the model's own preprocessing makes images square; undefined without one. */
  defaultFit(): ImageFit | undefined {
    const { featureExtractor } = this.#model;
    return featureExtractor && fitOf(featureExtractor);
  }

  /** The features of the empty prompt, which condition every unconditional half. */
  #emptyPromptFeatures(): Promise<PromptFeatures> {
    return this.#emptyPrompt.get(async () => {
      const [encoded] = await this.encodeText(['']);
      return (encoded as EncodedPrompt).text;
    });
  }

  #stageRun(stage: StageName, { stages, signal, onStep }: Batch, noise: Noise): StageRun {
    const settings = stages[stage] as StageSettings;
    const sampler = createSampler(schedulerOf(this.#model, stage), settings);
    const steps = sampler.timesteps.length;
    // The prior's x0 is an embedding, not an image.
    const preview = (x0: Tensor) => (stage === 'prior' ? undefined : () => toPixels(x0));
    return {
      sampler,
      noise,
      settings,
      signal,
      onStep: (index, x0) => onStep(stage, index + 1, steps, preview(x0)),
    };
  }

  /** Frees the weights. */
  async [Symbol.asyncDispose](): Promise<void> {
    (await this.#emptyPrompt.value)?.[Symbol.dispose]();
    await this.#prior[Symbol.asyncDispose]();
    await this.#networks.dispose();
  }
}

/** Conditions of one kind as one batch. */
function concatConditions(conditions: readonly Condition[]) {
  const texts = conditions.flatMap((one) => ('text' in one ? [one.text] : []));
  const embeds = conditions.flatMap((one) => ('imageEmbeds' in one ? [one.imageEmbeds] : []));
  const text = texts.length > 0 ? concatTextFeatures(texts) : undefined;
  const imageEmbeds = embeds.length > 0 ? tidy(() => Tensor.cat(embeds)) : undefined;
  return {
    text,
    imageEmbeds,
    [Symbol.dispose]() {
      text?.[Symbol.dispose]();
      imageEmbeds?.dispose();
    },
  };
}

/** Measures the seconds of each stage. */
class StageClock {
  readonly seconds = zeroSeconds();
  #last = performance.now();

  lap(stage: StageName): void {
    const now = performance.now();
    this.seconds[stage] = (now - this.#last) / 1000;
    this.#last = now;
  }
}
