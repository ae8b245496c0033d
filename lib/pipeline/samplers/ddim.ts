import type { SchedulerConfig } from '../../layouts/scheduler-config.js';
import type { SamplerSettings } from '../../options/resolve-stages.js';
import { type Tensor, tidy } from '../../torch/tensor.js';
import type { X0Coefficients } from './arithmetic/arithmetic.js';
import { gaussianDiffusion } from './arithmetic/gaussian-diffusion.js';
import { ARITHMETIC } from './arithmetic/index.js';
import type { Transition } from './arithmetic/noise-schedule.js';
import { sqrt } from './arithmetic/torch-math.js';
import { predictX0, x0Coefficients } from './predict-x0.js';
import type { Prediction } from './prediction.js';
import type { Sampler, StepResult } from './sampler.js';

/** One step's coefficients. */
export interface DdimStep extends Transition {
  readonly x0: X0Coefficients | undefined;
  /** The noise that x0 implies: (x * x_t - x0) / divisor. */
  readonly noise: { readonly x: number; readonly divisor: number };
  /** Weights of x0 and of that noise in the next x. */
  readonly next: { readonly x0: number; readonly noise: number };
  /** The standard deviation of the noise that is added to it. */
  readonly std: number;
}

/**
 * DDIM (Song et al. 2021, eq. 12). At eta 0, it is deterministic: no noise is drawn after the start. At
 * eta 1, it is ancestral sampling with fixed variance.
 *
 * The operations are those of Kakao's `ddim_sample`, with the noise levels of the model's own
 * arithmetic: diffusers has no DDIM for unCLIP.
 */
export class DdimSampler implements Sampler {
  readonly timesteps: readonly number[];
  readonly steps: readonly DdimStep[];
  readonly #clip: number | undefined;

  constructor(
    config: SchedulerConfig,
    timesteps: readonly number[],
    { eta }: Pick<SamplerSettings, 'eta'>,
  ) {
    const arithmetic = ARITHMETIC[config.arithmetic];
    this.timesteps = timesteps;
    this.steps = arithmetic.transitions(config, timesteps).map((transition) => ({
      ...transition,
      x0: x0Coefficients(config.predictionType, arithmetic, transition),
      ...coefficients(transition, eta),
    }));
    this.#clip = config.clipSampleRange;
  }

  step(x: Tensor, prediction: Prediction, index: number, drawNoise: () => Tensor): StepResult {
    const step = this.steps[index] as DdimStep;
    const [next, x0] = tidy(() => {
      const x0 = predictX0(x, prediction, step.x0, this.#clip);
      const noise = x.mul(step.noise.x).sub(x0).div(step.noise.divisor);
      const mean = x0.mul(step.next.x0).add(noise.mul(step.next.noise));
      return [step.std === 0 ? mean : mean.add(drawNoise().mul(step.std)), x0] as const;
    });
    return { x: next, x0 };
  }
}

function coefficients(
  transition: Transition,
  eta: number,
): Pick<DdimStep, 'noise' | 'next' | 'std'> {
  const { x, output } = gaussianDiffusion.x0(transition);
  const { alphaBar, alphaBarPrevious, beta } = transition;
  // The original reads alpha-bar as float32, and goes on in float32.
  const previous = Math.fround(alphaBarPrevious);
  // The part of the noise's variance that is drawn anew (Song et al. 2021, eq. 16).
  const fresh = (eta ** 2 * beta) / (1 - alphaBar);
  return {
    noise: { x, divisor: output },
    next: {
      x0: sqrt(previous),
      noise: sqrt(Math.fround((1 - previous) * (1 - fresh))),
    },
    std: Math.sqrt((1 - alphaBarPrevious) * fresh),
  };
}
