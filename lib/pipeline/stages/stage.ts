import type { Model } from '../../layouts/index.js';
import type { ComponentConfigs, ComponentName } from '../../networks/registry.js';
import type { StageSettings } from '../../options/resolve-generation.js';
import { throwMissingComponent } from '../missing-component.js';
import type { Denoising } from '../samplers/denoise.js';

/** What a denoising stage needs for one batch besides its inputs. */
export interface StageRun extends Omit<Denoising, 'shape' | 'predict'> {
  readonly settings: StageSettings;
}

/** @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND if the model does not have the network */
export function configOf<N extends ComponentName>(
  { configs, folder }: Model,
  component: N,
): ComponentConfigs[N] {
  return configs[component] ?? throwMissingComponent(folder, component);
}
