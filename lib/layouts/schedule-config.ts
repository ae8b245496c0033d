import { KarloError } from '../errors.js';
import type { BetaSchedule } from '../pipeline/samplers/betas.js';

/** One stage's diffusion settings, as its scheduler_config.json states them. */
export interface ScheduleConfig {
  /** `num_train_timesteps`: how many timesteps the network was trained on. */
  readonly trainSteps: number;
  /** `beta_schedule`. */
  readonly betaSchedule: BetaSchedule;
  /** `prediction_type`: whether the network gives the noise or x0. */
  readonly prediction: 'epsilon' | 'sample';
  /** `variance_type`: posterior variance, or interpolated by the network's further channels. */
  readonly variance: 'fixed_small_log' | 'learned_range';
  /** `clip_sample_range`: x0 is clamped to ± this; undefined where `clip_sample` is false. */
  readonly clip: number | undefined;
  /**
   * How exactly the layout's own program keeps its tables of variances: `'float32'` in diffusers,
   * `'float64'` in the original. Absent: `'float64'`.
   */
  readonly tables?: 'float32' | 'float64';
}

const CHOICES = {
  beta_schedule: ['squaredcos_cap_v2', 'linear'],
  prediction_type: ['epsilon', 'sample'],
  variance_type: ['fixed_small_log', 'learned_range'],
} as const;

/**
 * Reads a parsed scheduler_config.json of diffusers' `UnCLIPScheduler`. A key that is absent has that
 * class's default (1000, squaredcos_cap_v2, epsilon, fixed_small_log, clamped to ±1).
 *
 * @param name the file's name, for messages
 * @throws KarloError `ERR_KARLO_MODEL_CORRUPT` for a value that no loop here can follow
 */
export function scheduleConfig(json: unknown, name = 'scheduler_config.json'): ScheduleConfig {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw corrupt('a JSON object', name, json);
  const file = json as Record<string, unknown>;
  return {
    trainSteps: trainSteps(file, name),
    betaSchedule: choice(file, 'beta_schedule', name),
    prediction: choice(file, 'prediction_type', name),
    variance: choice(file, 'variance_type', name),
    clip: clip(file, name),
    tables: 'float32',
  };
}

function trainSteps(file: Record<string, unknown>, name: string): number {
  const { num_train_timesteps: steps = 1000 } = file;
  if (typeof steps === 'number' && Number.isInteger(steps) && steps >= 1) return steps;
  throw corrupt('a positive integer', `num_train_timesteps in ${name}`, steps);
}

function clip(file: Record<string, unknown>, name: string): number | undefined {
  const { clip_sample: on = true, clip_sample_range: range = 1 } = file;
  if (on === false) return undefined;
  if (typeof range === 'number' && range > 0) return range;
  throw corrupt('a positive number', `clip_sample_range in ${name}`, range);
}

type Choices = typeof CHOICES;

function choice<K extends keyof Choices>(
  file: Record<string, unknown>,
  key: K,
  name: string,
): Choices[K][number] {
  const known: readonly Choices[K][number][] = CHOICES[key];
  const value = file[key] ?? CHOICES[key][0];
  const found = known.find((one) => one === value);
  if (found === undefined) throw corrupt(`one of ${known.join(', ')}`, `${key} in ${name}`, value);
  return found;
}

function corrupt(what: string, where: string, value: unknown): KarloError {
  const message = `Expected ${what} for ${where} but found ${JSON.stringify(value)}`;
  return new KarloError('ERR_KARLO_MODEL_CORRUPT', message);
}
