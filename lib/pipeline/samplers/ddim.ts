import type { SchedulerConfig } from '../../layouts/scheduler-config.js';
import { type Tensor, tidy } from '../../torch/tensor.js';
import { type Transition, transitions } from './noise-schedule.js';
import { predictX0, type X0Coefficients, x0Coefficients } from './predict-x0.js';
import type { Sampler, StepResult } from './sampler.js';

/** One step's coefficients, float64. */
export interface DdimStep extends Transition {
  readonly x0: X0Coefficients;
  /** Weights of x0 and x_t in the next x (Song et al. 2021, eq. 12). */
  readonly mean: { readonly x0: number; readonly x: number };
}

/** DDIM at eta 0 (Song et al. 2021, eq. 12): deterministic, no noise is drawn after the start. */
export class DdimSampler implements Sampler {
  readonly timesteps: readonly number[];
  readonly steps: readonly DdimStep[];
  readonly #clip: number | undefined;

  constructor(config: SchedulerConfig, timesteps: readonly number[]) {
    this.timesteps = timesteps;
    this.steps = transitions(config, timesteps).map((transition) => ({
      ...transition,
      x0: x0Coefficients(config.predictionType, transition.alphaBar),
      mean: meanOf(transition),
    }));
    this.#clip = config.clipSampleRange;
  }

  step(x: Tensor, output: Tensor, index: number): StepResult {
    const step = this.steps[index] as DdimStep;
    const [next, x0] = tidy(() => {
      const x0 = predictX0(x, output, step.x0, this.#clip);
      return [x0.mul(step.mean.x0).add(x.mul(step.mean.x)), x0] as const;
    });
    return { x: next, x0 };
  }
}

/**
 * The noise that x0 implies, (x_t - sqrt(alphaBar) * x0) / sqrt(1 - alphaBar), is added back at the
 * next level.
 */
function meanOf({ alphaBar, alphaBarPrevious }: Transition): DdimStep['mean'] {
  const x = Math.sqrt((1 - alphaBarPrevious) / (1 - alphaBar));
  return { x0: Math.sqrt(alphaBarPrevious) - Math.sqrt(alphaBar) * x, x };
}
