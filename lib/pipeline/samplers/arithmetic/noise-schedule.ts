import type { BetaSchedule } from '../../../layouts/scheduler-config.js';

/** Cap on the cosine schedule's betas (Nichol & Dhariwal 2021, section 3.2). */
const MAX_BETA = 0.999;

/**
 * The training noise variances beta_0 to beta_(count - 1), float64.
 *
 * - `squaredcos_cap_v2`: Nichol & Dhariwal 2021, eq. 17 with s = 0.008, capped at 0.999.
 * - `linear`: Ho et al. 2020, section 4 (1e-4 to 0.02 over 1000), rescaled to any count.
 */
export function betas(schedule: BetaSchedule, count: number): Float64Array {
  const beta = schedule === 'linear' ? linearBeta : cosineBeta;
  return Float64Array.from({ length: count }, (_, i) => beta(i, count));
}

function cosineBeta(i: number, count: number): number {
  return Math.min(1 - cosineAlphaBar((i + 1) / count) / cosineAlphaBar(i / count), MAX_BETA);
}

/** f(t) of eq. 17, for t from 0 to 1. The factor 1 / f(0) cancels in a beta. */
function cosineAlphaBar(t: number): number {
  return Math.cos((((t + 0.008) / 1.008) * Math.PI) / 2) ** 2;
}

/** As `numpy.linspace` rounds it, which multiplies the stride and ends with the exact limit. */
function linearBeta(i: number, count: number): number {
  const scale = 1000 / count;
  const [first, last] = [scale * 1e-4, scale * 0.02];
  if (i === count - 1 && count > 1) return last;
  return count === 1 ? first : i * ((last - first) / (count - 1)) + first;
}

/** alpha-bar_t, the product of (1 - beta_s) for s up to t (Ho et al. 2020, eq. 4), float64. */
export function alphaBars(betas: Float64Array): Float64Array {
  let product = 1;
  return betas.map((beta) => {
    product *= 1 - beta;
    return product;
  });
}

/** ln(alpha / sigma), half the logarithm of the signal-to-noise ratio (Lu et al. 2022, section 2.1). */
export function lambdaOf(alphaBar: number): number {
  return 0.5 * Math.log(alphaBar / (1 - alphaBar));
}

/** The noise levels between which one step moves. */
export interface Transition {
  /** The training timestep that the step starts from. */
  readonly t: number;
  /** alpha-bar at `t`. */
  readonly alphaBar: number;
  /** alpha-bar at the timestep that the step arrives at; 1 in the last step, which ends at x0. */
  readonly alphaBarPrevious: number;
  /** The respaced variance, 1 - alphaBar / alphaBarPrevious (Nichol & Dhariwal 2021, eq. 19). */
  readonly beta: number;
  readonly last: boolean;
}

/** The value at a training timestep. @throws {RangeError} outside the table */
export function at(table: Float64Array, t: number): number {
  const value = table[t];
  if (value === undefined) throw new RangeError(`timestep ${t} of ${table.length}`);
  return value;
}
