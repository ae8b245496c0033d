import type { SchedulerConfig } from '../../layouts/scheduler-config.js';
import { type Tensor, tidy } from '../../torch/tensor.js';
import type { Arithmetic, Posterior, X0Coefficients } from './arithmetic/arithmetic.js';
import { ARITHMETIC } from './arithmetic/index.js';
import type { Transition } from './arithmetic/noise-schedule.js';
import { predictX0, x0Coefficients } from './predict-x0.js';
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

  step(x: Tensor, output: Tensor, index: number, drawNoise: () => Tensor): StepResult {
    const step = this.steps[index] as DdpmStep;
    const [next, x0] = tidy(() => {
      const x0 = predictX0(x, output, step.x0, this.#clip);
      const mean = x0.mul(step.mean.x0).add(x.mul(step.mean.x));
      if (step.noise === 'none') return [mean, x0] as const;
      const std = step.noise === 'fixed' ? step.std : learnedStd(x, output, step);
      return [mean.add(drawNoise().mul(std)), x0] as const;
    });
    return { x: next, x0 };
  }
}

/**
 * exp(v / 2), where v is interpolated between the posterior's and beta's log variance by the network's
 * output in [-1, 1] (Nichol & Dhariwal 2021, eq. 15).
 */
function learnedStd(x: Tensor, output: Tensor, step: DdpmStep): Tensor {
  const channels = x.shape[1] as number;
  const fraction = output
    .slice(1, channels, 2 * channels)
    .add(1)
    .mul(0.5);
  const rest = fraction.mul(-1).add(1);
  const logVariance = fraction.mul(step.logVarianceMax).add(rest.mul(step.logVarianceMin));
  return logVariance.mul(0.5).exp();
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
