import type { ComponentName } from '../../networks/registry.js';
import { DecoderStage } from './decoder.js';
import { ImageEncoderStage } from './image-encoder.js';
import { PriorStage } from './prior.js';
import { TextEncoderStage } from './text-encoder.js';
import { UpsampleStage } from './upsample.js';

const STAGES = [TextEncoderStage, ImageEncoderStage, PriorStage, DecoderStage, UpsampleStage];

/** Every set of networks that a stage needs at the same time. */
export const LEASES: readonly (readonly ComponentName[])[] = STAGES.flatMap(({ leases }) => [
  ...leases,
]);
