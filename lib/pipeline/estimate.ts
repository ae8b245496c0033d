import type { Model } from '../layouts/index.js';
import { STAGES, type StageName } from '../options/descriptions.js';
import type { StageSettings } from '../options/resolve-stages.js';
import type { AvailableMemory } from './available-memory.js';
import type { CallSettings, Cascade, CascadeSettings } from './cascade.js';
import { Guidance } from './guidance.js';
import { costOf, type MemoryLayout, peakBytes } from './peak-memory.js';
import { visitedTimesteps } from './samplers/timesteps.js';
import { networkOfStage, schedulerOf } from './stages/index.js';
import { type StageSeconds, zeroSeconds } from './task.js';

/** What a call is expected to take. */
export interface Estimate {
  /** Bytes that the model adds to the process: weights, and what the networks allocate while they run. */
  readonly bytes: number;
  /**
   * Bytes that are available to the model: what is left of a container's memory limit, or else the
   * machine's memory. A call that needs more is rejected before it starts. Undefined on a GPU.
   */
  readonly availableBytes: number | undefined;
  /** Seconds, if nothing else runs. */
  readonly seconds: number;
}

interface EstimatedMemory extends MemoryLayout {
  readonly available: AvailableMemory | undefined;
}

/** The settings of a call that its estimate depends on. */
export type EstimatedSettings = CascadeSettings &
  Pick<CallSettings, 'batchSize' | 'count'> &
  Partial<Pick<CallSettings, 'candidates' | 'stopAfter'>>;

/** How many batches of each stage a call runs. */
export type StageBatches = Readonly<Record<StageName, number>>;

/** What batches are expected to take. */
export interface ExpectedWork {
  /** Steps of each stage. */
  readonly steps: Readonly<Record<StageName, number>>;
  /** Seconds of each stage; in arbitrary units if the speed is unknown. */
  readonly seconds: StageSeconds;
  /** Whether anything was measured. */
  readonly isKnown: boolean;
}

/** Estimates calls from the networks' sizes and from how fast this model ran before. */
export class Estimator {
  readonly #model: Model;
  readonly #memory: EstimatedMemory;
  readonly #cascade: Cascade;
  /** Floating-point operations per second of each stage in its last batch. */
  readonly #pace = new Map<StageName, number>();

  constructor(model: Model, memory: EstimatedMemory, cascade: Cascade) {
    this.#model = model;
    this.#memory = memory;
    this.#cascade = cascade;
  }

  /** Updates the pace from a batch. */
  record(stages: CascadeSettings, batchSize: number, seconds: StageSeconds) {
    for (const stage of STAGES) {
      const flop = batchSize * stageFlop(this.#model, stage, stages[stage]);
      if (flop > 0 && seconds[stage] > 0) this.#pace.set(stage, flop / seconds[stage]);
    }
  }

  /** What batches of a call are expected to take. */
  expect(stages: CascadeSettings, batchSize: number, batches: StageBatches): ExpectedWork {
    const measured = [...this.#pace.values()];
    const isKnown = measured.length > 0;
    const average = measured.reduce((sum, pace) => sum + pace, 0) / measured.length;
    const [steps, seconds] = [zeroSeconds(), zeroSeconds()];
    for (const stage of STAGES) {
      const settings = stages[stage];
      if (settings === undefined) continue;
      const pace = this.#pace.get(stage) ?? (isKnown ? average : 1);
      const flop = batchSize * stageFlop(this.#model, stage, settings);
      seconds[stage] = (batches[stage] * flop) / pace;
      steps[stage] = batches[stage] * stepsOf(this.#model, stage, settings);
    }
    return { steps, seconds, isKnown };
  }

  /**
   * Estimates a call for one prompt or image.
   * @param before stages of which a batch runs before
   */
  async estimate(
    settings: EstimatedSettings,
    before: readonly CascadeSettings[] = [],
  ): Promise<Estimate> {
    const { batchSize } = settings;
    const batches = batchesOf(settings, settings.count);
    const once = { prior: 1, decoder: 1, upsample: 1 };
    const parts = [
      this.expect(settings, batchSize, batches),
      ...before.map((stages) => this.expect(stages, batchSize, once)),
    ];
    const pace = parts.every(({ isKnown }) => isKnown) ? 1 : await this.#measurePace();
    const all = parts.flatMap(({ seconds }) => STAGES.map((stage) => seconds[stage]));
    const total = all.reduce((sum, one) => sum + one, 0);
    return {
      bytes: peakBytes(this.#model, settings, this.#memory)(batchSize),
      availableBytes: this.#memory.available?.bytes,
      seconds: total / pace,
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

/** The batches of a call: those of the drafts, and those of the images that are finished from them. */
export function batchesOf(
  { batchSize, candidates = 1, stopAfter, prior }: Omit<EstimatedSettings, 'count'>,
  images: number,
): StageBatches {
  const rest = images % batchSize;
  const full = Math.floor(images / batchSize);
  const drafts = full * candidates + Math.ceil((rest * candidates) / batchSize);
  return {
    prior: prior ? drafts : 0,
    decoder: drafts,
    upsample: stopAfter === 'decoder' ? 0 : Math.ceil(images / batchSize),
  };
}

/** Floating-point operations of a stage for one draft or image; 0 if the stage is left out. */
function stageFlop(model: Model, stage: StageName, settings: StageSettings | undefined): number {
  if (settings === undefined) return 0;
  const { flop, prefillFlop = 0 } = costOf(model, networkOfStage(stage));
  const scheduler = schedulerOf(model, stage);
  const timesteps = visitedTimesteps(scheduler, settings);
  const guidance = new Guidance(settings, timesteps, scheduler.trainSteps);
  const rows = timesteps.map((t) => (guidance.includes(t) ? 2 : 1));
  const sum = rows.reduce((total, one) => total + one, 0);
  const { candidates = 1 } = settings;
  return candidates * (Math.max(0, ...rows) * prefillFlop + sum * flop);
}

/** Steps of a stage for one draft or image. */
function stepsOf(model: Model, stage: StageName, settings: StageSettings): number {
  const { candidates = 1 } = settings;
  return candidates * visitedTimesteps(schedulerOf(model, stage), settings).length;
}
