import type { SchedulerConfig } from '../../layouts/scheduler-config.js';
import type { StageSettings } from '../../options/resolve-generation.js';
import { timesteps, usesDdim } from '../../options/respacing.js';
import { DdimSampler } from './ddim.js';
import { DdpmSampler } from './ddpm.js';
import type { Sampler } from './sampler.js';

/** Every sampler, by name. */
const SAMPLERS = { ddpm: DdpmSampler, ddim: DdimSampler };

/**
 * The sampler that a stage's settings select, for one run.
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for a spacing that does not fit `config.trainSteps`
 */
export function createSampler(
  config: SchedulerConfig,
  { spacing }: Pick<StageSettings, 'spacing'>,
): Sampler {
  const name = usesDdim(spacing) ? 'ddim' : 'ddpm';
  return new SAMPLERS[name](config, timesteps(spacing, config.trainSteps));
}
