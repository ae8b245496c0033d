import { expected } from '../../errors.js';
import type { SchedulerConfig } from '../../layouts/scheduler-config.js';
import type { StageSettings } from '../../options/resolve-stages.js';
import { roundHalfEven, spacingFault, timesteps } from '../../options/respacing.js';
import { alphaBars, betas, lambdaOf } from './arithmetic/noise-schedule.js';
import { repaintMoves } from './repaint-moves.js';

/**
 * The least lambda at which a solver starts. A cosine schedule ends in almost pure noise, from which x0
 * is ill-conditioned (Lu et al. 2022, appendix D.1; `lambda_min_clipped` of the published configs).
 */
const MIN_LAMBDA = { squaredcos_cap_v2: -5.1, linear: Number.NEGATIVE_INFINITY } as const;

/** What the timesteps of a loop depend on. */
export type TimestepSettings = Pick<StageSettings, 'spacing' | 'sampler'>;

/**
 * The training timesteps that a stage visits, noisiest first. `steps` are spaced by the sampler:
 * ancestral sampling visits the noisiest and the cleanest one, as diffusers' `UnCLIPScheduler`, other
 * samplers step from the last interval to x0 directly, as `DPMSolverMultistepScheduler`.
 *
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for a spacing that does not fit `config.trainSteps`
 */
export function stageTimesteps(
  config: SchedulerConfig,
  { spacing, sampler }: TimestepSettings,
): number[] {
  if (sampler.name === 'ddpm' || 'timestepRespacing' in spacing) {
    return timesteps(spacing, config.trainSteps);
  }
  const { steps } = spacing;
  const fault = spacingFault(spacing, solverSteps(config));
  if (fault !== undefined) throw expected(fault, 'steps', steps);
  const stride = noisiestTimestep(config) / steps;
  return Array.from({ length: steps }, (_, i) => roundHalfEven((steps - i) * stride));
}

/** The most steps of a solver, which does not visit timestep 0. */
export function solverSteps(config: SchedulerConfig): number {
  return Math.max(1, noisiestTimestep(config));
}

function noisiestTimestep({ betaSchedule, trainSteps }: SchedulerConfig): number {
  const levels = alphaBars(betas(betaSchedule, trainSteps));
  const noisiest = levels.findLastIndex((level) => lambdaOf(level) >= MIN_LAMBDA[betaSchedule]);
  return Math.max(0, noisiest);
}

/** What the steps of a loop depend on besides its timesteps. */
export type LoopSettings = TimestepSettings &
  Pick<StageSettings, 'strength' | 'repaint' | 'refinements'>;

/** The timesteps at which a stage runs its network, in order: the steps that it reports. */
export function visitedTimesteps(config: SchedulerConfig, settings: LoopSettings): number[] {
  const all = stageTimesteps(config, settings);
  const { strength, repaint, refinements = 0 } = settings;
  if (repaint !== undefined) {
    const steps = repaintMoves(all.length, repaint).filter(({ back }) => !back);
    return steps.map(({ index }) => all[index] as number);
  }
  const rest = all.slice(firstStep(all.length, strength));
  return rest.flatMap((t) => Array<number>(refinements + 1).fill(t));
}

/**
 * The index of the first step from a noised image, as in diffusers' image-to-image pipelines.
 * @returns `steps` if none is taken
 */
export function firstStep(steps: number, strength = 1): number {
  return steps - Math.min(Math.trunc(steps * strength), steps);
}
