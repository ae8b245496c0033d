import { randomInt } from 'node:crypto';
import type { SamplerName } from '../../../options/descriptions.js';
import type { ServedModel } from '../../queue/backend.js';
import type { ImageSize, Job, JobCall } from '../../queue/job.js';
import { maxPartialImages } from '../limits.js';
import { newJobId } from '../to-job.js';
import { type Img2ImgRequest, imagesIn, type Txt2ImgRequest } from './request-schemas.js';
import { findSampler, labelOfSampler, samplerLabels } from './samplers.js';

/** A job, and what the client should know about it. */
export interface A1111Job {
  readonly job: Job;
  readonly sampler: SamplerName;
  readonly warnings: readonly string[];
}

/** The sampler of the decoder by default. */
const defaultSampler = 'ddpm';

export function txt2imgJob(request: Txt2ImgRequest): A1111Job {
  const { sampler, warnings } = samplerOf(request);
  const options = optionsOf(request, sampler);
  const call = { method: 'textToImage', prompt: request.prompt, options } as const;
  return { job: jobOf(call), sampler, warnings };
}

export function img2imgJob(request: Img2ImgRequest): A1111Job {
  return request.mask === undefined ? imageToImageJob(request) : inpaintJob(request, request.mask);
}

function imageToImageJob(request: Img2ImgRequest): A1111Job {
  const { prompt, init_images: images, denoising_strength: strength } = request;
  const { sampler, warnings } = samplerOf(request);
  const options = { ...optionsOf(request, sampler), strength };
  return { job: jobOf({ method: 'imageToImage', prompt, options }, images), sampler, warnings };
}

function inpaintJob(request: Img2ImgRequest, mask: Buffer): A1111Job {
  const { prompt, init_images: images } = request;
  // RePaint goes back and forth, which multistep solvers cannot.
  const { sampler, warnings } = samplerOf(request, ['ddpm', 'ddim']);
  const options = optionsOf(request, sampler);
  const job = jobOf({ method: 'inpaint', prompt, options }, [...images, mask]);
  return { job, sampler, warnings: [...warnings, 'denoising_strength has no effect with a mask'] };
}

function samplerOf(
  { sampler_name, sampler_index }: Txt2ImgRequest,
  usable?: readonly SamplerName[],
): { sampler: SamplerName; warnings: string[] } {
  const name = sampler_name || sampler_index;
  if (name === undefined || name === '') return { sampler: defaultSampler, warnings: [] };
  const sampler = findSampler(name);
  if (sampler !== undefined && (usable?.includes(sampler) ?? true)) {
    return { sampler, warnings: [] };
  }
  const labels = usable?.map(labelOfSampler).join(', ') ?? samplerLabels;
  const warning = `The sampler is ${labelOfSampler(defaultSampler)}, not '${name}': expected one of ${labels}`;
  return { sampler: defaultSampler, warnings: [warning] };
}

function optionsOf(request: Txt2ImgRequest, sampler: SamplerName) {
  const { seed, steps, cfg_scale: guidanceScale, negative_prompt: negativePrompt } = request;
  return {
    seed: seed === -1 ? randomInt(2 ** 32) : seed,
    count: imagesIn(request),
    decoder: { steps, guidanceScale, sampler },
    ...(negativePrompt !== '' && { negativePrompt }),
  };
}

function jobOf(call: JobCall, files: readonly Buffer[] = []): Job {
  return {
    id: newJobId(),
    ...{ call, files },
    format: 'png',
    // For GET /sdapi/v1/progress.
    partialImages: maxPartialImages,
    progress: true,
    priority: 'normal',
  };
}

/** The size of the images: that of the request, or the model's own. */
export function sizeOf({ width, height }: Txt2ImgRequest, { size }: ServedModel): ImageSize {
  return { width: width ?? size, height: height ?? size };
}
