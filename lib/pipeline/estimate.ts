import type { Model } from '../layouts/open-model.js';
import { flopPerToken, unetCost, weightCount } from '../networks/cost.js';
import { type ComponentName, NETWORKS_OF } from '../networks/registry.js';
import type { WeightDtype } from '../options/descriptions.js';
import type { CallSettings } from './call.js';
import type { Cascade, StageSeconds, StageSettings } from './cascade.js';
import { createSampler } from './samplers/index.js';
import { LEASES } from './stages/index.js';
import { configOf, schedulerOf } from './stages/stage.js';
import type { StageName } from './task.js';

/** What a call is expected to take. */
export interface Estimate {
  /** Peak memory in bytes: weights, and what the networks allocate while they run. */
  readonly bytes: number;
  /** Seconds, if nothing else runs. */
  readonly seconds: number;
}

/** What peak memory depends on besides the model and the settings. */
export interface MemoryLayout {
  readonly dtype: WeightDtype;
  readonly residency: 'resident' | 'staged';
}

/** The prior reads 77 tokens and their embedding once per prompt, and three tokens in each step. */
const promptTokens = 78;
const stepTokens = 3;
/** CLIP's context. */
const contextTokens = 77;

const bytesOf: Readonly<Record<WeightDtype, number>> = { float32: 4, bfloat16: 2, float16: 2 };

const rowsPerImage = (guidanceScale: number) => (guidanceScale === 1 ? 1 : 2);

/** Estimates calls from the networks' sizes and from how fast this model ran before. */
export class Estimator {
  readonly #model: Model;
  readonly #memory: MemoryLayout;
  readonly #cascade: Cascade;
  /** Floating-point operations per second in the last batch. */
  #pace: number | undefined;

  constructor(model: Model, memory: MemoryLayout, cascade: Cascade) {
    this.#model = model;
    this.#memory = memory;
    this.#cascade = cascade;
  }

  /** Learns the pace from a batch that was generated. */
  record(stages: StageSettings, batchSize: number, { prior, decoder, upsample }: StageSeconds) {
    this.#pace = batchFlop(this.#model, stages, batchSize) / (prior + decoder + upsample);
  }

  /** For one prompt or image. */
  async estimate(settings: CallSettings): Promise<Estimate> {
    const { count, batchSize } = settings;
    const batches = Math.ceil(count / batchSize);
    const pace = this.#pace ?? (await this.#measurePace());
    return {
      bytes: peakBytes(this.#model, settings, batchSize, this.#memory),
      seconds: (batches * batchFlop(this.#model, settings, batchSize)) / pace,
    };
  }

  /** Of the text encoder, before the first batch. */
  async #measurePace(): Promise<number> {
    await this.#encodePrompt(); // the first run is slower
    const start = performance.now();
    await this.#encodePrompt();
    const seconds = (performance.now() - start) / 1000;
    const config = configOf(this.#model, 'text_encoder');
    return (contextTokens * flopPerToken('text_encoder', config)) / seconds;
  }

  async #encodePrompt(): Promise<void> {
    for (const { text } of await this.#cascade.encodeText([''])) text[Symbol.dispose]();
  }
}

/** Floating-point operations of one batch. */
function batchFlop(model: Model, stages: StageSettings, batchSize: number): number {
  const { prior, decoder, super_res_first: first } = model.configs;
  const stepsOf = (stage: StageName) =>
    stages[stage] ? createSampler(schedulerOf(model, stage), stages[stage]).timesteps.length : 0;
  const tokens = promptTokens + stepTokens * stepsOf('prior');
  const priorFlop =
    prior && stages.prior
      ? rowsPerImage(stages.prior.guidanceScale) * tokens * flopPerToken('prior', prior)
      : 0;
  const decoderRows = rowsPerImage(stages.decoder.guidanceScale);
  const decoderFlop = decoder ? unetCost('decoder', decoder).flop : 0;
  const upsampleFlop = first ? unetCost('super_res_first', first).flop : 0;
  return (
    batchSize *
    (priorFlop +
      decoderRows * stepsOf('decoder') * decoderFlop +
      stepsOf('upsample') * upsampleFlop)
  );
}

/** Peak memory in bytes while batches of this size are generated. */
export function peakBytes(
  { configs }: Pick<Model, 'configs'>,
  stages: StageSettings,
  batchSize: number,
  { dtype, residency }: MemoryLayout,
): number {
  const { decoder, super_res_first: first } = configs;
  const decoderRows = rowsPerImage(stages.decoder.guidanceScale);
  const activations = Math.max(
    decoder ? decoderRows * unetCost('decoder', decoder).activations : 0,
    first ? unetCost('super_res_first', first).activations : 0,
  );
  const weights = (names: readonly ComponentName[]) =>
    names.reduce((all, name) => all + (configs[name] ? weightCount(name, configs[name]) : 0), 0);
  const held =
    residency === 'staged'
      ? Math.max(...LEASES.map(weights))
      : weights([...new Set([...NETWORKS_OF.textToImage, ...NETWORKS_OF.imageVariation])]);
  return bytesOf[dtype] * (held + batchSize * activations);
}
