import {
  generationOptions,
  type Sampling,
  type StageOption,
  samplings,
  textToImageOptions,
} from '../../options/descriptions.js';
import { samplingTable } from '../../options/resolve-stages.js';
import type { ServedModel } from '../queue/backend.js';
import type { ServerSettings } from '../settings.js';
import type { ModelResponse } from './response-schemas.js';

/** Images of a request, and bytes of its input images. */
export type ModelLimits = Pick<ServerSettings, 'maxN' | 'maxImageBytes'>;

/** The served model, with its presets and limits. */
export function toModelResponse(
  { id, size, textToImage, imageVariation, onUnsafe }: ServedModel,
  { maxN, maxImageBytes }: ModelLimits,
): ModelResponse {
  return {
    id,
    object: 'model',
    created: 0,
    owned_by: 'karlo',
    karlo: {
      size,
      text_to_image: textToImage,
      image_variation: imageVariation,
      samplings: samplingsOf(),
      max_n: maxN,
      max_image_bytes: maxImageBytes,
      ...(onUnsafe && { on_unsafe: onUnsafe }),
    },
  };
}

function samplingsOf() {
  const presets = samplings.map((sampling) => [sampling, presetOf(sampling)] as const);
  return Object.fromEntries(presets) as Record<Sampling, ReturnType<typeof presetOf>>;
}

function presetOf(sampling: Sampling) {
  const { prior } = textToImageOptions;
  const { decoder, upsample } = generationOptions;
  return {
    prior: guidedStageOf(prior, sampling),
    decoder: guidedStageOf(decoder, sampling),
    upsample: { steps: upsample.presets[sampling].steps },
  };
}

function guidedStageOf(stage: StageOption, sampling: Sampling) {
  const { sampler, guidanceInterval, guidanceRescale } = samplingTable(stage, sampling, undefined);
  return {
    steps: stage.presets[sampling].steps,
    guidance_scale: stage.guidanceScale,
    sampler: sampler.default,
    guidance_interval: [...guidanceInterval.default],
    guidance_rescale: guidanceRescale.default,
  };
}
