import type { Model } from '../../layouts/index.js';
import type { SchedulerConfig } from '../../layouts/scheduler-config.js';
import type { ComponentName } from '../../networks/registry.js';
import type { StageName } from '../../options/descriptions.js';
import { throwMissingComponent } from '../missing-component.js';
import { DecoderStage } from './decoder.js';
import { ImageEncoderStage } from './image-encoder.js';
import { PriorStage } from './prior.js';
import { TextEncoderStage } from './text-encoder.js';
import { UpsampleStage } from './upsample.js';

/** The denoising stages. */
const DENOISING = {
  prior: PriorStage,
  decoder: DecoderStage,
  upsample: UpsampleStage,
} as const satisfies Record<StageName, unknown>;

/** Every set of networks that is needed at the same time, in each half of the cascade. */
export const LEASES: Readonly<Record<'draft' | 'finish', readonly (readonly ComponentName[])[]>> = {
  draft: [TextEncoderStage, ImageEncoderStage, PriorStage, DecoderStage].flatMap(({ leases }) => [
    ...leases,
  ]),
  finish: UpsampleStage.leases,
};

/** The network that a stage runs in its steps. */
export function networkOfStage(stage: StageName): ComponentName {
  return DENOISING[stage].network;
}

/** @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND if the model does not have the scheduler */
export function schedulerOf({ schedulers, folder }: Model, stage: StageName): SchedulerConfig {
  const { scheduler } = DENOISING[stage];
  return schedulers[scheduler] ?? throwMissingComponent(folder, scheduler);
}
