import type { SchedulerConfig } from '../../layouts/scheduler-config.js';
import { type Tensor, tidy } from '../../torch/tensor.js';
import { ARITHMETIC } from './arithmetic/index.js';
import type { Transition } from './arithmetic/noise-schedule.js';
import { sqrt } from './arithmetic/torch-math.js';
import type { Denoising } from './denoise.js';
import { predictX0, x0Coefficients } from './predict-x0.js';
import type { Prediction } from './prediction.js';

/** The loop of an inversion. It draws no noise. */
export interface Inverting extends Pick<Denoising, 'predict' | 'onStep' | 'signal'> {
  /** Those of the DDIM loop that it inverts, noisiest first. */
  readonly timesteps: readonly number[];
  /** Fixed-point iterations in each step, besides the first estimate. */
  readonly refinements: number;
}

/**
 * DDIM inversion (Song et al. 2021, section 4.3): the noise from which DDIM at eta 0 leads to an image.
 *
 * A step of DDIM depends on the network's output at its noisier end, which an inversion does not know yet. The
 * first estimate runs the network on the cleaner end, as diffusers' `DDIMInverseScheduler` does; each refinement
 * runs it on the estimate (Pan et al. 2023, arXiv 2309.04907), which converges to the exact inverse, with the
 * clamp of x0 included.
 * @param image `[images, 3, side, side]` in [-1, 1]
 * @returns noise of the same shape
 */
export async function invertDdim(
  config: SchedulerConfig,
  image: Tensor,
  { timesteps, refinements, predict, onStep, signal }: Inverting,
): Promise<Tensor> {
  const arithmetic = ARITHMETIC[config.arithmetic];
  const transitions = arithmetic.transitions(config, timesteps).reverse();
  let x = image.to({});
  try {
    for (const [index, transition] of transitions.entries()) {
      const step = new InverseStep(config, transition);
      let estimate = x.to({});
      for (let k = 0; k <= refinements; k++) {
        signal?.throwIfAborted();
        using prediction = await predict(estimate, transition.t);
        const next = k === 0 ? step.first(x, prediction) : step.refined(x, estimate, prediction);
        estimate.dispose();
        estimate = next;
        onStep(index, image);
      }
      x.dispose();
      x = estimate;
    }
    return x;
  } catch (error) {
    x.dispose();
    throw error;
  }
}

/** One step of DDIM, backwards. */
export class InverseStep {
  readonly #config: SchedulerConfig;
  readonly #transition: Transition;

  constructor(config: SchedulerConfig, transition: Transition) {
    this.#config = config;
    this.#transition = transition;
  }

  /** The noisier sample, if the noise in x is what the network predicts. */
  first(x: Tensor, prediction: Prediction): Tensor {
    return tidy(() => this.#advance(x, this.#noiseOf(x, prediction)));
  }

  /** The noisier sample, with the noise that DDIM would find in an estimate of it. */
  refined(x: Tensor, estimate: Tensor, prediction: Prediction): Tensor {
    const { alphaBar } = this.#transition;
    return tidy(() => {
      const arithmetic = ARITHMETIC[this.#config.arithmetic];
      const coefficients = x0Coefficients(
        this.#config.predictionType,
        arithmetic,
        this.#transition,
      );
      const x0 = predictX0(estimate, prediction, coefficients, this.#config.clipSampleRange);
      return this.#advance(x, noiseBetween(estimate, x0, alphaBar));
    });
  }

  /** The noise that a network predicts: its output, or what a predicted x0 leaves of x. */
  #noiseOf(x: Tensor, prediction: Prediction): Tensor {
    const guided = prediction.guided(x.shape[1] as number);
    if (this.#config.predictionType === 'epsilon') return guided;
    const { alphaBar, alphaBarPrevious } = this.#transition;
    // The image itself has no noise to divide by.
    return noiseBetween(x, guided, alphaBarPrevious < 1 ? alphaBarPrevious : alphaBar);
  }

  /** From the cleaner end to the noisier one, along the noise. */
  #advance(x: Tensor, noise: Tensor): Tensor {
    const { alphaBar, alphaBarPrevious } = this.#transition;
    const x0 = x.sub(noise.mul(deviationOf(alphaBarPrevious))).div(sqrt(alphaBarPrevious));
    return (x0 as Tensor).mul(sqrt(alphaBar)).add(noise.mul(deviationOf(alphaBar)));
  }
}

function noiseBetween(x: Tensor, x0: Tensor, alphaBar: number): Tensor {
  return x.sub(x0.mul(sqrt(alphaBar))).div(deviationOf(alphaBar));
}

function deviationOf(alphaBar: number): number {
  return sqrt(Math.fround(1 - alphaBar));
}
