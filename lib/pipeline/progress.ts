import { STAGES, type StageName } from '../options/descriptions.js';
import type { ExpectedWork } from './estimate.js';
import { type Progress, type StageSeconds, zeroSeconds } from './task.js';

/** After this many seconds, the speed of the call itself is known. */
const warmUpSeconds = 1;

/** Counts the steps of a call, whose batches run one after another, and estimates the time left. */
export class CallProgress {
  readonly #expected: ExpectedWork;
  /** Steps of the batches that are done. */
  readonly #finished = zeroSeconds();
  /** Steps that are done. */
  readonly #steps = zeroSeconds();
  readonly #start = performance.now();

  /** @param work the parts of the call */
  constructor(work: readonly ExpectedWork[]) {
    this.#expected = {
      steps: sumByStage(work.map(({ steps }) => steps)),
      seconds: sumByStage(work.map(({ seconds }) => seconds)),
      isKnown: work.every(({ isKnown }) => isKnown),
    };
  }

  /** Adds a step of the current batch. */
  add(stage: StageName, step: number, stepsOfBatch: number): Progress {
    this.#steps[stage] = this.#finished[stage] + step;
    if (step === stepsOfBatch) this.#finished[stage] += stepsOfBatch;
    const steps = this.#expected.steps[stage];
    return { step: this.#steps[stage], steps, ...this.#estimate() };
  }

  #estimate(): Pick<Progress, 'fraction' | 'secondsLeft'> {
    const { seconds, steps, isKnown } = this.#expected;
    const total = STAGES.reduce((sum, stage) => sum + seconds[stage], 0);
    const done = STAGES.reduce(
      (sum, stage) => sum + (this.#steps[stage] / (steps[stage] || 1)) * seconds[stage],
      0,
    );
    const left = total - done;
    const elapsed = (performance.now() - this.#start) / 1000;
    const pace = elapsed > warmUpSeconds ? elapsed / done : 1;
    const hasPace = isKnown || elapsed > warmUpSeconds;
    return { fraction: done / total, ...(hasPace && { secondsLeft: pace * left }) };
  }
}

function sumByStage(parts: readonly StageSeconds[]): StageSeconds {
  const sum = zeroSeconds();
  for (const part of parts) for (const stage of STAGES) sum[stage] += part[stage];
  return sum;
}
