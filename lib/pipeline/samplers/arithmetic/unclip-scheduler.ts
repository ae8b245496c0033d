import type { Arithmetic } from './arithmetic.js';
import { at, betas } from './noise-schedule.js';
import { exp, log, sqrt } from './torch-math.js';

/** Keeps the logarithm finite if the posterior's variance is 0. */
const MIN_VARIANCE = round(1e-20);

/**
 * diffusers' `UnCLIPScheduler`: float32 tables, and every operation rounded to float32.
 * Rounding the float64 sum, product or quotient of two float32 numbers rounds correctly (Figueroa 1995).
 */
export const unclipScheduler: Arithmetic = {
  transitions(config, timesteps) {
    const variances = betas(config.betaSchedule, config.trainSteps).map(round);
    const levels = alphaBars(variances);
    return timesteps.map((t, index) => {
      const next = timesteps[index + 1];
      const alphaBar = at(levels, t);
      const alphaBarPrevious = next === undefined ? 1 : at(levels, next);
      // The scheduler reads the table between neighbours, which differs from the quotient by rounding.
      const neighbours = (next ?? -1) === t - 1;
      const beta = neighbours ? at(variances, t) : round(1 - round(alphaBar / alphaBarPrevious));
      return { t, alphaBar, alphaBarPrevious, beta, last: next === undefined };
    });
  },

  x0({ alphaBar }) {
    return { x: 1, output: sqrt(round(1 - alphaBar)), divisor: sqrt(alphaBar) };
  },

  posterior({ alphaBar, alphaBarPrevious, beta }) {
    const [remaining, remainingPrevious] = [round(1 - alphaBar), round(1 - alphaBarPrevious)];
    const quotient = round(remainingPrevious / remaining);
    const variance = Math.max(round(quotient * beta), MIN_VARIANCE);
    const logVarianceMin = log(variance);
    return {
      mean: {
        x0: round(round(sqrt(alphaBarPrevious) * beta) / remaining),
        x: round(round(sqrt(round(1 - beta)) * remainingPrevious) / remaining),
      },
      variance,
      std: exp(0.5 * logVarianceMin),
      logVarianceMin,
      logVarianceMax: log(beta),
    };
  },
};

/** `torch.cumprod` of float32: the product is kept in float64, and each of its values rounded. */
function alphaBars(variances: Float64Array): Float64Array {
  let product = 1;
  return variances.map((beta) => {
    product *= round(1 - beta);
    return round(product);
  });
}

function round(x: number): number {
  return Math.fround(x);
}
