import type { BetaSchedule } from '../../layouts/scheduler-config.js';

/** Cap on the cosine schedule's betas (Nichol & Dhariwal 2021, section 3.2). */
const MAX_BETA = 0.999;

/**
 * The training noise variances beta_0 .. beta_(count - 1), float64.
 *
 * - `squaredcos_cap_v2`: Nichol & Dhariwal 2021, eq. 17 with s = 0.008, capped at 0.999.
 * - `linear`: Ho et al. 2020, section 4 (1e-4 to 0.02 over 1000), rescaled to any count.
 */
export function betas(kind: BetaSchedule, count: number): Float64Array {
  const one = kind === 'linear' ? linear : cosine;
  return Float64Array.from({ length: count }, (_, i) => one(i, count));
}

function cosine(i: number, count: number): number {
  return Math.min(1 - alphaBar((i + 1) / count) / alphaBar(i / count), MAX_BETA);
}

/** f(t) of eq. 17, for t from 0 to 1. The factor 1 / f(0) cancels in a beta. */
function alphaBar(t: number): number {
  return Math.cos((((t + 0.008) / 1.008) * Math.PI) / 2) ** 2;
}

function linear(i: number, count: number): number {
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
 * The tables of a schedule (Ho et al. 2020, eq. 4).
 *
 * @param precision `'float64'` as the original program keeps them, or the nearest `'float32'` of
 *   each value, as diffusers does: its pictures depend on that, since near t = 0 little of
 *   1 - alpha-bar is left
 */
export function noiseTables(
  kind: BetaSchedule,
  count: number,
  precision: 'float32' | 'float64' = 'float64',
): NoiseTables {
  const kept = precision === 'float32' ? Math.fround : (x: number) => x;
  const variances = betas(kind, count).map(kept);
  let product = 1;
  const alphaBars = variances.map((beta) => {
    product *= kept(1 - beta);
    return kept(product);
  });
  return { betas: variances, alphaBars };
}
