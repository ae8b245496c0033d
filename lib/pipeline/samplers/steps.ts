import type { SchedulerConfig } from '../../layouts/scheduler-config.js';
import { type Spacing, timesteps, usesDdim } from '../../options/respacing.js';
import { noiseTables } from './betas.js';

/**
 * One turn of a denoising loop, all float64:
 *
 *     x0     = clamp(predict.sample * x_t + predict.output * output)
 *     mean   = mean.x0 * x0 + mean.sample * x_t
 *     x_next = mean + std * noise
 *
 * where `std` is {@link Step.std} for `noise: 'fixed'` and, for `'learned'`, exp(v / 2) with
 * v = f * logVarianceMax + (1 - f) * logVarianceMin and f = (further channels + 1) / 2
 * (Nichol & Dhariwal 2021, eq. 15).
 */
export interface Step {
  /** Place in the loop, from 0. */
  readonly index: number;
  /** Whether the loop ends here. */
  readonly last: boolean;
  /** What the network is told: a training timestep, 0 to `trainSteps - 1`. */
  readonly t: number;
  /** alpha-bar at `t`, and at the timestep that comes next (1 after the last). */
  readonly alphaBar: number;
  readonly alphaBarPrevious: number;
  /** The respaced variance, 1 - alphaBar / alphaBarPrevious (Nichol & Dhariwal 2021, eq. 19). */
  readonly beta: number;
  /** How x0 follows from x_t and the network's output (Ho et al. 2020, eq. 15). */
  readonly predict: { readonly sample: number; readonly output: number };
  /** The next x_t's mean (DDPM: Ho et al. 2020, eq. 7; DDIM at eta 0: Song et al. 2021, eq. 12). */
  readonly mean: { readonly x0: number; readonly sample: number };
  /** Whether noise is drawn, and what scales it. Neither DDIM nor a last step draws any. */
  readonly noise: 'none' | 'fixed' | 'learned';
  /** Standard deviation of the fixed noise: the posterior's; 0 where `noise` is `'none'`. */
  readonly std: number;
  /** ln of the posterior variance, kept above 1e-20, and ln of `beta`. */
  readonly logVarianceMin: number;
  readonly logVarianceMax: number;
}

/** Keeps the logarithm finite where the posterior variance is 0 (diffusers' clamp). */
const LEAST_VARIANCE = 1e-20;

/**
 * The steps of a loop, in the order in which they run.
 *
 * @throws KarloError `ERR_KARLO_INVALID_ARGUMENT` for a spacing that does not fit `config.trainSteps`
 */
export function schedule(config: SchedulerConfig, spacing: Spacing): Step[] {
  const { betaSchedule, trainSteps, precision } = config;
  const { betas, alphaBars } = noiseTables(betaSchedule, trainSteps, precision);
  const visited = timesteps(spacing, trainSteps);
  const ddim = usesDdim(spacing);
  return visited.map((t, index) => {
    const next = visited[index + 1] ?? -1;
    const last = next === -1;
    const alphaBar = at(alphaBars, t);
    const alphaBarPrevious = last ? 1 : at(alphaBars, next);
    // The same number but for rounding, which diffusers' results show: it reads the table here.
    const beta = next === t - 1 ? at(betas, t) : 1 - alphaBar / alphaBarPrevious;
    const level = { alphaBar, alphaBarPrevious, beta };
    return {
      ...{ index, last, t },
      ...level,
      predict: predict(config.predictionType, alphaBar),
      mean: ddim ? ddimMean(level) : ddpmMean(level),
      ...variances(level, last || ddim ? 'none' : config.varianceType),
    };
  });
}

type Level = Pick<Step, 'alphaBar' | 'alphaBarPrevious' | 'beta'>;

function at(values: Float64Array, index: number): number {
  const value = values[index];
  if (value === undefined) throw new RangeError(`timestep ${index} of ${values.length}`);
  return value;
}

function predict(type: SchedulerConfig['predictionType'], alphaBar: number): Step['predict'] {
  if (type === 'sample') return { sample: 0, output: 1 };
  return { sample: 1 / Math.sqrt(alphaBar), output: -Math.sqrt(1 / alphaBar - 1) };
}

function ddpmMean({ alphaBar, alphaBarPrevious, beta }: Level): Step['mean'] {
  return {
    x0: (Math.sqrt(alphaBarPrevious) * beta) / (1 - alphaBar),
    sample: (Math.sqrt(1 - beta) * (1 - alphaBarPrevious)) / (1 - alphaBar),
  };
}

/** The noise is (x_t - sqrt(alphaBar) * x0) / sqrt(1 - alphaBar), put back in at the next level. */
function ddimMean({ alphaBar, alphaBarPrevious }: Level): Step['mean'] {
  const sample = Math.sqrt((1 - alphaBarPrevious) / (1 - alphaBar));
  return { x0: Math.sqrt(alphaBarPrevious) - Math.sqrt(alphaBar) * sample, sample };
}

function variances(level: Level, kind: 'none' | SchedulerConfig['varianceType']) {
  const { alphaBar, alphaBarPrevious, beta } = level;
  const posterior = Math.max((beta * (1 - alphaBarPrevious)) / (1 - alphaBar), LEAST_VARIANCE);
  const noise = kind === 'none' ? 'none' : kind === 'learned_range' ? 'learned' : 'fixed';
  return {
    noise,
    std: kind === 'none' ? 0 : Math.sqrt(posterior),
    logVarianceMin: Math.log(posterior),
    logVarianceMax: Math.log(beta),
  } as const;
}
