import type { SchedulerConfig } from '../../layouts/scheduler-config.js';
import { ddpmStep } from '../../torch/ddpm-step.js';
import type { Tensor } from '../../torch/tensor.js';
import type { Arithmetic, Posterior, X0Coefficients } from './arithmetic/arithmetic.js';
import { ARITHMETIC } from './arithmetic/index.js';
import type { Transition } from './arithmetic/noise-schedule.js';
import { x0Coefficients } from './predict-x0.js';
import type { Prediction } from './prediction.js';
import type { Sampler, StepResult } from './sampler.js';

/** One step's coefficients. */
export interface DdpmStep extends Transition, Posterior {
  readonly x0: X0Coefficients | undefined;
  /** Where the deviation of the noise added to the mean comes from; the last step adds none. */
  readonly noise: 'none' | 'fixed' | 'learned';
}

/** Ancestral sampling (Ho et al. 2020, algorithm 2), with fixed or learned variance. */
export class DdpmSampler implements Sampler {
  readonly timesteps: readonly number[];
  readonly steps: readonly DdpmStep[];
  readonly #clip: number | undefined;

  constructor(config: SchedulerConfig, timesteps: readonly number[]) {
    const arithmetic = ARITHMETIC[config.arithmetic];
    this.timesteps = timesteps;
    this.steps = arithmetic
      .transitions(config, timesteps)
      .map((transition) => stepOf(config, arithmetic, transition));
    this.#clip = config.clipSampleRange;
  }

  step(x: Tensor, prediction: Prediction, index: number, drawNoise: () => Tensor): StepResult {
    const { std, noise: kind, ...step } = this.steps[index] as DdpmStep;
    const { output, guidanceScale } = prediction;
    using noise = kind === 'none' ? undefined : drawNoise();
    return ddpmStep(x, output, noise, {
      ...step,
      ...{ guidanceScale, clip: this.#clip, std: kind === 'fixed' ? std : undefined },
    });
  }
}

function stepOf(
  { predictionType, varianceType }: SchedulerConfig,
  arithmetic: Arithmetic,
  transition: Transition,
): DdpmStep {
  const noise = varianceType === 'learned_range' ? 'learned' : 'fixed';
  return {
    ...transition,
    ...arithmetic.posterior(transition),
    x0: x0Coefficients(predictionType, arithmetic, transition),
    noise: transition.last ? 'none' : noise,
  };
}
