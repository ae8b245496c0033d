import type { Model } from '../layouts/index.js';
import type { Cost } from '../networks/network.js';
import { COMPONENTS, type ComponentName, definitionOf } from '../networks/registry.js';
import { countWeights } from '../networks/shape-list.js';
import {
  type ResidencyMode,
  STAGES,
  type StageName,
  type WeightDtype,
} from '../options/descriptions.js';
import type { StageSettings } from '../options/resolve-generation.js';
import { timesteps } from '../options/respacing.js';
import type { CallSettings } from './calls/call.js';
import type { Cascade, CascadeSettings } from './cascade.js';
import { LEASES, networkOfStage, schedulerOf } from './stages/index.js';
import type { StageSeconds } from './task.js';

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
  readonly residency: ResidencyMode;
}

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

  /** Updates the pace from a generated batch. */
  record(stages: CascadeSettings, batchSize: number, seconds: StageSeconds) {
    const total = STAGES.reduce((sum, stage) => sum + seconds[stage], 0);
    this.#pace = batchFlop(this.#model, stages, batchSize) / total;
  }

  /** Estimates a call for one prompt or image. */
  async estimate(settings: CallSettings): Promise<Estimate> {
    const { count, batchSize } = settings;
    const batches = Math.ceil(count / batchSize);
    const pace = this.#pace ?? (await this.#measurePace());
    return {
      bytes: peakBytes(this.#model, settings, batchSize, this.#memory),
      seconds: (batches * batchFlop(this.#model, settings, batchSize)) / pace,
    };
  }

  /** Floating-point operations per second of the text encoder, for estimates before the first batch. */
  async #measurePace(): Promise<number> {
    await this.#encodePrompt(); // the first run is slower
    const start = performance.now();
    await this.#encodePrompt();
    const seconds = (performance.now() - start) / 1000;
    return costOf(this.#model, 'text_encoder').flop / seconds;
  }

  async #encodePrompt(): Promise<void> {
    for (const { text } of await this.#cascade.encodeText([''])) text[Symbol.dispose]();
  }
}

/** Floating-point operations of one batch. */
function batchFlop(model: Model, stages: CascadeSettings, batchSize: number): number {
  return batchSize * STAGES.reduce((sum, stage) => sum + stageFlop(model, stage, stages[stage]), 0);
}

/** Floating-point operations of a stage for one image; 0 if the stage is left out. */
function stageFlop(model: Model, stage: StageName, settings: StageSettings | undefined): number {
  if (settings === undefined) return 0;
  const { flop, prefillFlop = 0 } = costOf(model, networkOfStage(stage));
  const steps = timesteps(settings.spacing, schedulerOf(model, stage).trainSteps).length;
  return rowsPerImage(settings.guidanceScale) * (prefillFlop + steps * flop);
}

/** Peak memory in bytes while batches of this size are generated. */
export function peakBytes(
  model: Pick<Model, 'configs'>,
  stages: { readonly decoder: Pick<StageSettings, 'guidanceScale'> },
  batchSize: number,
  { dtype, residency }: MemoryLayout,
): number {
  const decoderRows = rowsPerImage(stages.decoder.guidanceScale);
  const activations = Math.max(
    decoderRows * costOf(model, 'decoder').activations,
    costOf(model, 'super_res_first').activations,
  );
  const weights = (names: readonly ComponentName[]) =>
    names.reduce((all, name) => all + weightsOf(model, name), 0);
  const held = residency === 'staged' ? Math.max(...LEASES.map(weights)) : weights(COMPONENTS);
  return bytesOf[dtype] * (held + batchSize * activations);
}

function costOf<N extends ComponentName>({ configs }: Pick<Model, 'configs'>, component: N): Cost {
  const config = configs[component];
  return config ? definitionOf(component).cost(config) : { flop: 0, activations: 0 };
}

function weightsOf<N extends ComponentName>(
  { configs }: Pick<Model, 'configs'>,
  component: N,
): number {
  const config = configs[component];
  return config ? countWeights(definitionOf(component).shapes(config)) : 0;
}
