import type { SchedulerConfig } from '../../layouts/scheduler-config.js';
import { type Tensor, tidy } from '../../torch/tensor.js';
import { advance, type DpmSolverStep, dpmSolverSteps } from './dpm-solver.js';
import { predictX0 } from './predict-x0.js';
import type { Prediction } from './prediction.js';
import type { Sampler, StepResult } from './sampler.js';

/** One step's coefficients: its result is corrected by `past * (x0_t - x0_before) + now * (x0_next - x0_t)`. */
export interface UniPcStep extends DpmSolverStep {
  readonly past: number;
  readonly now: number;
}

/** What the correction of a step's result needs. */
interface TakenStep {
  readonly x: Tensor;
  readonly x0: Tensor;
  readonly before: Tensor;
}

/**
 * UniPC-2 (Zhao et al. 2023, arXiv 2302.04867) with B(h) = e^h - 1: the predictor is DPM-Solver++ 2M. The
 * network's next output corrects its result before the next step, so each step calls the network once.
 *
 * The operations are those of diffusers' `UniPCMultistepScheduler` (`bh2`, `predict_x0`), with the noise
 * levels of the model's own arithmetic. Coefficients are float64.
 */
export class UniPcSampler implements Sampler {
  readonly timesteps: readonly number[];
  readonly steps: readonly UniPcStep[];
  readonly #clip: number | undefined;
  #taken: TakenStep | undefined;

  constructor(config: SchedulerConfig, timesteps: readonly number[]) {
    this.timesteps = timesteps;
    this.steps = dpmSolverSteps(config, timesteps).map((step, index) => ({
      ...step,
      ...correctionOf(step, index === 0),
    }));
    this.#clip = config.clipSampleRange;
  }

  step(predicted: Tensor, prediction: Prediction, index: number): StepResult {
    const step = this.steps[index] as UniPcStep;
    const [next, result, x, x0, before] = tidy(() => {
      const x0 = predictX0(predicted, prediction, step.predicted, this.#clip);
      const x = this.#correct(predicted, x0, index);
      const before = this.#taken?.x0 ?? x0;
      return [advance(step, x, x0, before), x0, x, x0.to({}), before.to({})] as const;
    });
    this.dispose();
    this.#taken = { x, x0, before };
    return { x: next, x0: result };
  }

  /** The result of the step before, for which the network now predicts x0. */
  #correct(predicted: Tensor, x0: Tensor, index: number): Tensor {
    if (this.#taken === undefined) return predicted.to({});
    const { past, now, ...step } = this.steps[index - 1] as UniPcStep;
    const { x, x0: start, before } = this.#taken;
    const corrected = advance({ ...step, slope: past }, x, start, before);
    return corrected.add(x0.sub(start).mul(now));
  }

  dispose(): void {
    for (const tensor of Object.values(this.#taken ?? {})) tensor.dispose();
  }
}

/** Equations 3 and 8 for p = 2; for p = 1 in the first step, whose `now` has a closed form in diffusers. */
function correctionOf({ x0, h, r, last }: DpmSolverStep, first: boolean) {
  if (last) return { past: 0, now: 0 };
  if (first) return { past: 0, now: 0.5 * x0 };
  const b = Math.expm1(-h);
  const phi = b / -h - 1;
  const next = phi / -h - 0.5;
  const past = (phi / b - (2 * next) / b) / (1 + r);
  return { past: (x0 * past) / r, now: x0 * (phi / b - past) };
}
