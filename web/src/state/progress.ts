import { generationOptions, STAGES } from '../../../lib/options/descriptions';
import type { GenerationEvent, Model, StageName, Timings } from '../api/types';
import type { Run } from './runs';
import { type GuidedStage, type Settings, stageValues } from './settings';

/** The progress of the current run. */
export interface RunProgress {
  runId: string;
  /** Position in the server's queue; 0 once the run has started. */
  position: number;
  stage: StageName | undefined;
  /** The image that the stage works on; undefined if it works on all that are not ready. */
  index: number | undefined;
  /** The newest preview of each image. */
  previews: (Blob | undefined)[];
  /** The part that is done, 0 to 1. */
  fraction: number;
  /** The estimated time left; undefined while it is unknown. */
  secondsLeft: number | undefined;
}

export function initialProgress({ id }: Run): RunProgress {
  return {
    runId: id,
    position: 0,
    stage: undefined,
    index: undefined,
    previews: [],
    fraction: 0,
    secondsLeft: undefined,
  };
}

/** The progress after an event. */
export function advance(progress: RunProgress, event: GenerationEvent): RunProgress {
  if (event.type === 'queued') return { ...progress, position: event.position };
  if (event.type === 'step') {
    return { ...progress, position: 0, stage: event.stage, index: event.index };
  }
  if (event.type !== 'preview') return progress;
  const previews = [...progress.previews];
  previews[event.index] = event.blob;
  return { ...progress, previews };
}

/** The progress of one image. Images that are generated one at a time each take an equal part of the run. */
export function imageProgress(
  { index: current, fraction, secondsLeft }: RunProgress,
  index: number,
  count: number,
): Pick<RunProgress, 'fraction' | 'secondsLeft'> {
  if (current === undefined || fraction >= 1) return { fraction, secondsLeft };
  const own = Math.min(1, Math.max(0, count * fraction - index));
  return {
    fraction: own,
    secondsLeft: secondsLeft && (secondsLeft * (1 - own)) / (count * (1 - fraction)),
  };
}

type PerStage = Record<StageName, number>;

/** Seconds per step and image before the first run. Only their ratios matter. */
const initialCosts: PerStage = { prior: 0.01, decoder: 0.04, upsample: 0.06 };
const storageKey = 'karlo-costs';

/** Estimates the progress of a run and the time left, from the cost of each step in the last run. */
export class ProgressEstimator {
  readonly #steps: PerStage;
  readonly #storedCosts = readStoredCosts();
  readonly #costs: PerStage = this.#storedCosts ?? initialCosts;
  /** The part of each stage that is done, 0 to 1. */
  readonly #done: PerStage = { prior: 0, decoder: 0, upsample: 0 };
  #start = 0;

  constructor(settings: Settings, model: Model | undefined) {
    this.#steps = totalSteps(settings, model);
  }

  addStep({ stage, step, steps }: Extract<GenerationEvent, { type: 'step' }>): void {
    if (this.#start === 0) this.#start = performance.now();
    this.#done[stage] = Math.max(this.#done[stage], step / steps);
  }

  /** The part of the work that is done, 0 to 1. */
  get fraction(): number {
    return this.#seconds((stage) => this.#done[stage]) / (this.#seconds(() => 1) || 1);
  }

  /** Undefined until there is enough to go by. */
  get secondsLeft(): number | undefined {
    const expected = this.#seconds((stage) => this.#done[stage]);
    const elapsed = (performance.now() - this.#start) / 1000;
    if (this.#start === 0 || (!this.#storedCosts && elapsed < 1)) return undefined;
    // After a second, the speed of this run is known.
    const pace = elapsed > 1 && expected > 0 ? elapsed / expected : 1;
    return pace * this.#seconds((stage) => 1 - this.#done[stage]);
  }

  /** The expected seconds of a part of each stage. */
  #seconds(part: (stage: StageName) => number): number {
    const seconds = STAGES.map((stage) => part(stage) * this.#steps[stage] * this.#costs[stage]);
    return seconds.reduce((sum, value) => sum + value, 0);
  }

  /** Stores what the steps of this run cost, for the next run. */
  store(timings: Timings): void {
    const costs = STAGES.map((stage) => [
      stage,
      this.#steps[stage] > 0 ? timings[stage] / this.#steps[stage] : this.#costs[stage],
    ]);
    localStorage.setItem(storageKey, JSON.stringify(Object.fromEntries(costs)));
  }
}

function readStoredCosts(): PerStage | undefined {
  try {
    const costs = JSON.parse(localStorage.getItem(storageKey) ?? '');
    return STAGES.every((stage) => costs[stage] > 0) ? costs : undefined;
  } catch {
    return undefined;
  }
}

/** Steps of each stage, over all images. */
function totalSteps(settings: Settings, model: Model | undefined): PerStage {
  const { kind, sampling, count } = settings;
  const preset = model?.karlo.samplings[sampling];
  const steps = (stage: GuidedStage) => stageValues(stage, settings, model).steps;
  return {
    prior: kind === 'create' ? count * steps('prior') : 0,
    decoder: count * steps('decoder'),
    upsample: count * (preset?.upsample.steps ?? generationOptions.upsample.steps[sampling]),
  };
}

/** "about 12 s left" */
export function timeLeftText(seconds: number): string {
  if (seconds < 1) return 'less than 1 s left';
  if (seconds < 90) return `about ${Math.round(seconds)} s left`;
  return `about ${Math.round(seconds / 60)} min left`;
}
