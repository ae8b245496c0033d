import type { DraftData } from '../images/draft-data.js';
import { type Pixels, toPixels } from '../images/pixels.js';
import { fitOf, toSquare } from '../images/square.js';
import type { Model } from '../layouts/index.js';
import type { SchedulerConfig } from '../layouts/scheduler-config.js';
import type { Residency } from '../networks/residency.js';
import type { ImageFit } from '../options/descriptions.js';
import type { ResolvedGeneration } from '../options/resolve-generation.js';
import type { StageSettings, StepLimits } from '../options/resolve-stages.js';
import type { ClipTokenizer } from '../tokenizer/tokenizer.js';
import { Tensor, tidy } from '../torch/tensor.js';
import { AsyncLazy } from '../util/async-lazy.js';
import { best, dotScore, rowsOf } from './candidates.js';
import { type Condition, ConditionBatch } from './condition.js';
import { Noise, type NoiseState } from './samplers/noise.js';
import { solverSteps, visitedTimesteps } from './samplers/timesteps.js';
import { type DecoderInputs, DecoderStage } from './stages/decoder.js';
import { type EncoderSquare, ImageEncoderStage } from './stages/image-encoder.js';
import { schedulerOf } from './stages/index.js';
import { PriorStage } from './stages/prior.js';
import { configOf, type StageRun, stageRun } from './stages/stage.js';
import {
  type EncodedPrompt,
  type PromptFeatures,
  TextEncoderStage,
} from './stages/text-encoder.js';
import { UpsampleStage } from './stages/upsample.js';
import { type StageName, type StageSeconds, zeroSeconds } from './task.js';

/** How each stage samples. Image variation has no prior. */
export type CascadeSettings = Readonly<Partial<Record<StageName, StageSettings>>>;

/** Checked options of either task. */
export type CallSettings = ResolvedGeneration & CascadeSettings;

/** Called after each step; `x0` decodes the predicted images in the stages that predict images. */
export type OnStep = (stage: StageName, step: number, steps: number, x0?: () => Pixels[]) => void;

/** How a batch runs, besides its inputs. */
export interface BatchRun {
  readonly stages: CascadeSettings;
  readonly signal: AbortSignal;
  readonly onStep: OnStep;
}

/** A draft to generate. Those of a batch have the same parts of a condition. */
export interface DraftJob {
  readonly condition: Condition;
  /** The seed of each image embedding that the prior samples; the draft continues with one of them. */
  readonly seeds: readonly number[];
}

/** A generated draft. */
export interface ScoredDraft extends DraftData {
  /** The score of each image embedding that the prior sampled; one that has no rival has no score. */
  readonly priorScores: number[];
}

/** An image embedding, and the noise that was drawn to sample it. */
export interface SampledEmbedding extends NoiseState {
  /** `[E]` */
  readonly data: Float32Array<ArrayBuffer>;
}

/** The results of a batch in its order, and how long it took. */
export interface BatchOutput<Result> {
  readonly results: Result[];
  readonly seconds: StageSeconds;
}

/**
 * The cascade of Ramesh et al. 2022, figure 2, with Karlo's super-resolution: text features -> prior
 * -> decoder -> drafts -> super-resolution -> pixels. A draft can wait for its second half, or be dropped.
 */
export class Cascade implements AsyncDisposable {
  readonly #model: Model;
  readonly #networks: Residency;
  /** Where the networks run. */
  readonly device: string;
  readonly #textEncoder: TextEncoderStage;
  readonly #imageEncoder: ImageEncoderStage;
  readonly #prior: PriorStage;
  readonly #decoder: DecoderStage;
  readonly #upsample: UpsampleStage;
  readonly #emptyPrompt = new AsyncLazy<PromptFeatures>();

  constructor(model: Model, networks: Residency, tokenizer: ClipTokenizer, device: string) {
    this.#model = model;
    this.#networks = networks;
    this.device = device;
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

  /**
   * The squares that `encodeImages` takes.
   * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND, with the command that downloads the image encoder
   */
  imageSquare(): EncoderSquare {
    return this.#imageEncoder.square;
  }

  /** The CLIP embedding of each square image, `[1, E]`, for the caller to dispose. */
  encodeImages(squares: readonly Uint8Array[], signal?: AbortSignal): Promise<Tensor[]> {
    return this.#imageEncoder.run(squares, signal);
  }

  /** The same embedding of each draft. */
  async encodeDrafts(drafts: readonly Pixels[], signal?: AbortSignal): Promise<Tensor[]> {
    const square = { ...this.imageSquare(), fit: this.defaultFit() ?? 'cover' };
    const squares = await Promise.all(drafts.map((draft) => toSquare(draft, square)));
    return this.encodeImages(squares, signal);
  }

  /** The first half: conditions -> image embeddings -> small images. All jobs run at once. */
  async draft(jobs: readonly DraftJob[], run: BatchRun): Promise<BatchOutput<ScoredDraft>> {
    const clock = new StageClock();
    const emptyPrompt = await this.#emptyPromptFeatures();
    using batch = new ConditionBatch(conditionsOf(jobs), emptyPrompt);
    const given = batch.concat('imageEmbeds');
    const chosen = given
      ? givenEmbeds(given, jobs)
      : await this.#samplePrior(batch, emptyPrompt, jobs, run);
    using imageEmbeds = chosen.imageEmbeds;
    clock.lap('prior');
    using noise = Noise.continued(chosen.states, this.device);
    using inputs = decoderInputs(batch, imageEmbeds);
    using small = await this.#decoder.run(inputs, this.#stageRun('decoder', run, noise));
    clock.lap('decoder');
    return { results: draftsOf(small, noise.states, chosen.scores), seconds: clock.seconds };
  }

  /** The prior alone: conditions -> image embeddings. All jobs run at once. */
  async embed(jobs: readonly DraftJob[], run: BatchRun): Promise<BatchOutput<SampledEmbedding>> {
    const clock = new StageClock();
    const emptyPrompt = await this.#emptyPromptFeatures();
    using batch = new ConditionBatch(conditionsOf(jobs), emptyPrompt);
    const { imageEmbeds, states } = await this.#samplePrior(batch, emptyPrompt, jobs, run);
    using _ = imageEmbeds;
    clock.lap('prior');
    const rows = rowsOf(imageEmbeds);
    const results = states.map((state, i) => ({
      ...state,
      data: rows[i] as Float32Array<ArrayBuffer>,
    }));
    return { results, seconds: clock.seconds };
  }

  /** The decoder backwards: images with their embeddings -> noise, `[3, side, side]` each. All jobs run at once. */
  async invert(
    jobs: readonly Pick<DraftJob, 'condition'>[],
    run: BatchRun,
  ): Promise<BatchOutput<Float32Array<ArrayBuffer>>> {
    const clock = new StageClock();
    using batch = new ConditionBatch(conditionsOf(jobs), await this.#emptyPromptFeatures());
    using noise = new Noise([], this.device);
    using imageEmbeds = batch.concat('imageEmbeds') as Tensor;
    using inputs = decoderInputs(batch, imageEmbeds);
    const { image } = inputs;
    const inverting = this.#stageRun('decoder', run, noise);
    using inverted = await this.#decoder.invert(image as Tensor, inputs, inverting);
    clock.lap('decoder');
    return {
      results: rowsOf(
        tidy(() => inverted.reshape([jobs.length, -1])),
      ) as Float32Array<ArrayBuffer>[],
      seconds: clock.seconds,
    };
  }

  /** The second half: small images -> large images. All drafts run at once. */
  async finish(drafts: readonly DraftData[], run: BatchRun): Promise<BatchOutput<Pixels>> {
    const clock = new StageClock();
    using noise = Noise.continued(drafts, this.device);
    using small = concatDrafts(drafts, this.device);
    using large = await this.#upsample.run(small, this.#stageRun('upsample', run, noise));
    clock.lap('upsample');
    return { results: toPixels(large), seconds: clock.seconds };
  }

  /** Width and height of a draft, in pixels. */
  get draftSize(): number {
    return configOf(this.#model, 'decoder').sample_size;
  }

  /** Values of an image embedding. */
  get embeddingWidth(): number {
    return configOf(this.#model, 'text_proj').clip_embeddings_dim;
  }

  /** Width and height of an image, in pixels. */
  get imageSize(): number {
    return configOf(this.#model, 'super_res_first').sample_size as number;
  }

  /** The most steps that each stage of the model can take. */
  stepLimits(): StepLimits {
    return {
      trainSteps: this.#ofSchedulers(({ trainSteps }) => trainSteps),
      solverSteps: this.#ofSchedulers(solverSteps),
    };
  }

  #ofSchedulers<T>(value: (config: SchedulerConfig) => T): Partial<Record<StageName, T>> {
    const of = (stage: StageName) => value(schedulerOf(this.#model, stage));
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

  /** Samples the candidates of each job's image embedding, and chooses the best one. */
  async #samplePrior(
    { text, unconditional }: ConditionBatch,
    emptyPrompt: PromptFeatures,
    jobs: readonly DraftJob[],
    run: BatchRun,
  ): Promise<ChosenEmbeds> {
    const count = jobs[0]?.seeds.length ?? 0;
    const samples: Sample[] = [];
    try {
      // One after another, because the bytes of an image depend on the number of rows in its batch.
      for (let k = 0; k < count; k += 1) {
        using noise = new Noise(
          jobs.map(({ seeds, condition }) => ({
            seed: seeds[k] as number,
            blend: condition.blend,
          })),
          this.device,
        );
        const sampling = this.#stageRun('prior', run, noise, { index: k, count });
        const imageEmbeds = await this.#prior.run(text, unconditional, emptyPrompt, sampling);
        samples.push({ imageEmbeds, states: noise.states });
      }
      return chooseEmbeds(samples, text.embeds);
    } finally {
      for (const { imageEmbeds } of samples) imageEmbeds.dispose();
    }
  }

  /** @param pass which of the equal passes through the stage this is */
  #stageRun(
    stage: StageName,
    { stages, signal, onStep }: BatchRun,
    noise: Noise,
    pass = { index: 0, count: 1 },
  ): StageRun {
    const settings = stages[stage] as StageSettings;
    const scheduler = schedulerOf(this.#model, stage);
    const steps = visitedTimesteps(scheduler, settings).length;
    let taken = 0;
    // The prior's x0 is an embedding, not an image.
    const preview = (x0: Tensor) => (stage === 'prior' ? undefined : () => toPixels(x0));
    return stageRun(scheduler, settings, {
      noise,
      signal,
      onStep: (_, x0) => {
        taken += 1;
        onStep(stage, pass.index * steps + taken, pass.count * steps, preview(x0));
      },
    });
  }

  /** Frees the weights. */
  async [Symbol.asyncDispose](): Promise<void> {
    (await this.#emptyPrompt.value)?.[Symbol.dispose]();
    await this.#prior[Symbol.asyncDispose]();
    await this.#networks.dispose();
  }
}

function conditionsOf(jobs: readonly Pick<DraftJob, 'condition'>[]): Condition[] {
  return jobs.map(({ condition }) => condition);
}

/** What the decoder reads. Disposing it leaves the embeddings and the text to their owners. */
function decoderInputs(batch: ConditionBatch, imageEmbeds: Tensor): DecoderInputs & Disposable {
  const [noise, image, mask] = [batch.concat('noise'), batch.concat('image'), batch.concat('mask')];
  const { text, unconditional } = batch;
  return {
    ...{ imageEmbeds, text, unconditional, noise, image, mask },
    [Symbol.dispose]() {
      for (const tensor of [noise, image, mask]) tensor?.dispose();
    },
  };
}

/** An image embedding for each job, and where the noise of each continues. */
interface Sample {
  /** `[images, E]` */
  readonly imageEmbeds: Tensor;
  readonly states: readonly NoiseState[];
}

interface ChosenEmbeds extends Sample {
  /** The scores of each job's candidates. */
  readonly scores: readonly number[][];
}

/** Embeddings that no noise was drawn for. */
function givenEmbeds(imageEmbeds: Tensor, jobs: readonly DraftJob[]): ChosenEmbeds {
  const states = jobs.map(({ seeds, condition }) => ({
    ...{ seed: seeds[0] as number, blend: condition.blend, drawn: [] },
  }));
  return { imageEmbeds, states, scores: jobs.map(() => []) };
}

/** For each image, the sample with the largest dot product with the text embedding. */
function chooseEmbeds(samples: readonly Sample[], textEmbeds: Tensor): ChosenEmbeds {
  const candidates = samples.map(({ imageEmbeds }) => rowsOf(imageEmbeds));
  const scores = rowsOf(textEmbeds).map((text, image) =>
    candidates.map((rows) => dotScore(rows[image] as Float32Array, text)),
  );
  const chosen = scores.map((own) => samples[best(own)] as Sample);
  return {
    imageEmbeds: tidy(() =>
      Tensor.cat(chosen.map(({ imageEmbeds }, image) => imageEmbeds.slice(0, image, image + 1))),
    ),
    states: chosen.map(({ states }, image) => states[image] as NoiseState),
    scores,
  };
}

/** @param small `[images, 3, side, side]` */
function draftsOf(
  small: Tensor,
  states: readonly NoiseState[],
  scores: readonly number[][],
): ScoredDraft[] {
  const pixels = toPixels(small);
  using flat = small.reshape([states.length, -1]);
  const values = rowsOf(flat);
  return states.map((state, image) => ({
    ...(pixels[image] as Pixels),
    ...state,
    values: values[image] as Float32Array,
    priorScores: scores[image] as number[],
  }));
}

/** The small images of drafts, `[images, 3, side, side]`. */
function concatDrafts(drafts: readonly DraftData[], device: string): Tensor {
  return tidy(() => {
    const images = drafts.map(({ values, width, height }) =>
      Tensor.from(values, [1, 3, height, width]),
    );
    return Tensor.cat(images).to({ device });
  });
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
