import type { BetaSchedule, SchedulerConfig } from '../../layouts/scheduler-config.js';

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

function linearBeta(i: number, count: number): number {
  const scale = 1000 / count;
  const [first, last] = [scale * 1e-4, scale * 0.02];
  return count === 1 ? first : first + (i * (last - first)) / (count - 1);
}

/** Noise variances by training timestep, and alpha-bar_t, the product of (1 - beta_s) for s up to t. */
export interface NoiseTables {
  readonly betas: Float64Array;
  readonly alphaBars: Float64Array;
}

/**
 * The tables of a schedule (Ho et al. 2020, eq. 4); `alphaBars` is diffusers' `alphas_cumprod`.
 *
 * @param precision `'float64'`, as Kakao's program keeps them, or every value rounded to `'float32'`,
 *   as in diffusers. Images depend on it: near t = 0, little is left of 1 - alpha-bar
 */
export function noiseTables(
  schedule: BetaSchedule,
  count: number,
  precision: 'float32' | 'float64' = 'float64',
): NoiseTables {
  const round = precision === 'float32' ? Math.fround : (x: number) => x;
  const variances = betas(schedule, count).map(round);
  let product = 1;
  const alphaBars = variances.map((beta) => {
    product *= round(1 - beta);
    return round(product);
  });
  return { betas: variances, alphaBars };
}

/** The noise levels between which one step moves, float64. */
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

/** One transition per timestep. @param timesteps strictly falling, each below `config.trainSteps` */
export function transitions(config: SchedulerConfig, timesteps: readonly number[]): Transition[] {
  const { betas, alphaBars } = noiseTables(
    config.betaSchedule,
    config.trainSteps,
    config.precision,
  );
  return timesteps.map((t, index) => {
    const next = timesteps[index + 1];
    const alphaBar = at(alphaBars, t);
    const alphaBarPrevious = next === undefined ? 1 : at(alphaBars, next);
    // Between neighbours both are equal except for rounding; diffusers reads the table.
    const neighbours = (next ?? -1) === t - 1;
    const beta = neighbours ? at(betas, t) : 1 - alphaBar / alphaBarPrevious;
    return { t, alphaBar, alphaBarPrevious, beta, last: next === undefined };
  });
}

function at(values: Float64Array, t: number): number {
  const value = values[t];
  if (value === undefined) throw new RangeError(`timestep ${t} of ${values.length}`);
  return value;
}
