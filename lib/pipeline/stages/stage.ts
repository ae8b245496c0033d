import type { Model } from '../../layouts/index.js';
import type { SchedulerConfig } from '../../layouts/scheduler-config.js';
import type { ComponentConfigs, ComponentName } from '../../networks/registry.js';
import type { StageSettings } from '../../options/resolve-stages.js';
import { Guidance } from '../guidance.js';
import { throwMissingComponent } from '../missing-component.js';
import type { Denoising } from '../samplers/denoise.js';
import { createSampler } from '../samplers/index.js';

/** What a denoising stage needs for one batch besides its inputs. */
export interface StageRun extends Omit<Denoising, 'shape' | 'predict'> {
  readonly scheduler: SchedulerConfig;
  readonly settings: StageSettings;
  readonly guidance: Guidance;
}

/** @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND if the model does not have the network */
export function configOf<N extends ComponentName>(
  { configs, folder }: Model,
  component: N,
): ComponentConfigs[N] {
  return configs[component] ?? throwMissingComponent(folder, component);
}

/** The run of a stage with these settings. */
export function stageRun(
  scheduler: SchedulerConfig,
  settings: StageSettings,
  others: Pick<StageRun, 'noise' | 'signal' | 'onStep'>,
): StageRun {
  const sampler = createSampler(scheduler, settings);
  const guidance = new Guidance(settings, sampler.timesteps, scheduler.trainSteps);
  return { ...others, scheduler, settings, sampler, guidance };
}
