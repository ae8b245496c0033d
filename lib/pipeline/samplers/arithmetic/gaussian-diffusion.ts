import type { Arithmetic } from './arithmetic.js';
import { alphaBars, at, betas, type Transition } from './noise-schedule.js';
import { exp } from './torch-math.js';

/**
 * Kakao's `gaussian_diffusion`: float64 tables over the timesteps that a loop visits, whose values are
 * read as float32.
 */
export const gaussianDiffusion: Arithmetic = {
  transitions(config, timesteps) {
    const levels = alphaBars(betas(config.betaSchedule, config.trainSteps));
    const rising = timesteps.map((t) => at(levels, t)).reverse();
    const respaced = Float64Array.from(rising, (level, i) => 1 - level / (rising[i - 1] ?? 1));
    // The original multiplies the respaced betas again, which rounds differently from `levels`.
    const kept = alphaBars(respaced);
    const count = timesteps.length;
    return timesteps.map((t, index) => {
      const i = count - 1 - index;
      const alphaBarPrevious = kept[i - 1] ?? 1;
      return { t, alphaBar: at(kept, i), alphaBarPrevious, beta: at(respaced, i), last: i === 0 };
    });
  },

  x0({ alphaBar }) {
    const output = Math.fround(Math.sqrt(1 / alphaBar - 1));
    return { x: Math.fround(Math.sqrt(1 / alphaBar)), output, divisor: 1 };
  },

  posterior(transition) {
    const { alphaBar, alphaBarPrevious, beta } = transition;
    const variance = varianceOf(transition);
    const logVarianceMin = Math.fround(Math.log(variance));
    return {
      mean: {
        x0: Math.fround((beta * Math.sqrt(alphaBarPrevious)) / (1 - alphaBar)),
        x: Math.fround(((1 - alphaBarPrevious) * Math.sqrt(1 - beta)) / (1 - alphaBar)),
      },
      variance: Math.fround(variance),
      std: exp(0.5 * logVarianceMin),
      logVarianceMin,
      logVarianceMax: Math.fround(Math.log(beta)),
    };
  },
};

/** The posterior's variance. It is 0 in the last step, which adds no noise: beta keeps its logarithm finite. */
function varianceOf({ alphaBar, alphaBarPrevious, beta, last }: Transition): number {
  return last ? beta : (beta * (1 - alphaBarPrevious)) / (1 - alphaBar);
}
