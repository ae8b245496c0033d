import type { SchedulerConfig } from '../../layouts/scheduler-config.js';
import type { SamplerName } from '../../options/descriptions.js';
import type { SamplerSettings } from '../../options/resolve-stages.js';
import { DdimSampler } from './ddim.js';
import { DdpmSampler } from './ddpm.js';
import { DpmSolverSampler } from './dpm-solver.js';
import type { Sampler } from './sampler.js';
import { stageTimesteps, type TimestepSettings } from './timesteps.js';
import { UniPcSampler } from './unipc.js';

type SamplerClass = new (
  config: SchedulerConfig,
  timesteps: readonly number[],
  settings: SamplerSettings,
) => Sampler;

/** Every sampler, by name. */
const SAMPLERS: Readonly<Record<SamplerName, SamplerClass>> = {
  ddpm: DdpmSampler,
  ddim: DdimSampler,
  'dpm++': DpmSolverSampler,
  unipc: UniPcSampler,
};

/**
 * The sampler that a stage's settings select, for one run.
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for a spacing that does not fit `config.trainSteps`
 */
export function createSampler(config: SchedulerConfig, settings: TimestepSettings): Sampler {
  const { sampler } = settings;
  return new SAMPLERS[sampler.name](config, stageTimesteps(config, settings), sampler);
}
