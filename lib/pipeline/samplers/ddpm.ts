import type { SchedulerConfig } from '../../layouts/scheduler-config.js';
import { type Tensor, tidy } from '../../torch/tensor.js';
import { type Transition, transitions } from './noise-schedule.js';
import { predictX0, type X0Coefficients, x0Coefficients } from './predict-x0.js';
import type { Sampler, StepResult } from './sampler.js';

/** One step's coefficients, float64. */
export interface DdpmStep extends Transition {
  readonly x0: X0Coefficients;
  /** Weights of x0 and x_t in the mean of the next x (Ho et al. 2020, eq. 7). */
  readonly mean: { readonly x0: number; readonly x: number };
  /** Where the deviation of the noise added to the mean comes from; the last step adds none. */
  readonly noise: 'none' | 'fixed' | 'learned';
  /** Standard deviation of the posterior, for fixed noise; 0 if `noise` is `'none'`. */
  readonly std: number;
  /** ln of the posterior variance, at least ln 1e-20, and ln of `beta`. */
  readonly logVarianceMin: number;
  readonly logVarianceMax: number;
}

/** Keeps the logarithm finite if the posterior variance is 0, as in diffusers. */
const MIN_VARIANCE = 1e-20;

/** Ancestral sampling (Ho et al. 2020, algorithm 2), with fixed or learned variance. */
export class DdpmSampler implements Sampler {
  readonly timesteps: readonly number[];
  readonly steps: readonly DdpmStep[];
  readonly #clip: number | undefined;

  constructor(config: SchedulerConfig, timesteps: readonly number[]) {
    this.timesteps = timesteps;
    this.steps = transitions(config, timesteps).map((transition) => stepOf(config, transition));
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
  return fraction
    .mul(step.logVarianceMax - step.logVarianceMin)
    .add(step.logVarianceMin)
    .mul(0.5)
    .exp();
}

function stepOf(
  { predictionType, varianceType }: SchedulerConfig,
  transition: Transition,
): DdpmStep {
  const { alphaBar, alphaBarPrevious, beta, last } = transition;
  // The posterior's variance (Ho et al. 2020, eq. 7).
  const posterior = Math.max((beta * (1 - alphaBarPrevious)) / (1 - alphaBar), MIN_VARIANCE);
  const noise = varianceType === 'learned_range' ? 'learned' : 'fixed';
  return {
    ...transition,
    x0: x0Coefficients(predictionType, alphaBar),
    mean: {
      x0: (Math.sqrt(alphaBarPrevious) * beta) / (1 - alphaBar),
      x: (Math.sqrt(1 - beta) * (1 - alphaBarPrevious)) / (1 - alphaBar),
    },
    noise: last ? 'none' : noise,
    std: last ? 0 : Math.sqrt(posterior),
    logVarianceMin: Math.log(posterior),
    logVarianceMax: Math.log(beta),
  };
}
