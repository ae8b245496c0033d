import { z } from 'zod';
import type { SamplerName } from '../../../options/descriptions.js';
import type { ApiError } from '../../errors.js';
import type { ServedModel } from '../../queue/backend.js';
import type { ImageEvent, ImageSize } from '../../queue/job.js';
import type { Img2ImgRequest, Txt2ImgRequest } from './request-schemas.js';
import { labelOfSampler } from './samplers.js';

export const imagesSchema = z.object({
  images: z.array(z.string()).describe('PNG files, as base64.'),
  parameters: z.record(z.string(), z.unknown()).describe('The request, without its images.'),
  info: z.string().describe('What was generated, as JSON.'),
});

export const a1111ErrorSchema = z.object({
  error: z.string(),
  detail: z.string(),
  body: z.string(),
  errors: z.string(),
});

/** The body of an error response. */
export function toA1111Error({ code, message }: ApiError) {
  return { error: code, detail: message, body: '', errors: message };
}

/** What was generated. */
export interface A1111Generation {
  readonly request: Txt2ImgRequest | Img2ImgRequest;
  readonly images: readonly ImageEvent[];
  readonly model: ServedModel;
  readonly size: ImageSize;
  readonly sampler: SamplerName;
  readonly warnings: readonly string[];
}

export function toA1111Response(generation: A1111Generation): z.output<typeof imagesSchema> {
  const { init_images: _, mask: __, ...parameters } = generation.request as Partial<Img2ImgRequest>;
  return {
    images: generation.images.map(({ data }) => data.toString('base64')),
    parameters,
    info: JSON.stringify(infoOf(generation)),
  };
}

/** The fields of A1111's `info` that apply, and `karlo`. */
function infoOf(generation: A1111Generation) {
  const { request, images, model, size, sampler, warnings } = generation;
  const { prompt, negative_prompt: negative, steps, cfg_scale, batch_size } = request;
  const seeds = images.map(({ seed }) => seed);
  return {
    prompt,
    all_prompts: seeds.map(() => prompt),
    negative_prompt: negative,
    all_negative_prompts: seeds.map(() => negative),
    seed: seeds[0] ?? -1,
    all_seeds: seeds,
    ...size,
    sampler_name: labelOfSampler(sampler),
    ...{ cfg_scale, steps, batch_size },
    sd_model_name: model.id,
    ...('denoising_strength' in request && { denoising_strength: request.denoising_strength }),
    index_of_first_image: 0,
    infotexts: seeds.map((seed) => infotextOf(generation, seed)),
    karlo: { warnings },
  };
}

/** A1111's text about an image. */
function infotextOf({ request, model, size, sampler }: A1111Generation, seed: number): string {
  const { prompt, negative_prompt: negative, steps, cfg_scale } = request;
  const settings = [
    `Steps: ${steps}`,
    `Sampler: ${labelOfSampler(sampler)}`,
    `CFG scale: ${cfg_scale}`,
    `Seed: ${seed}`,
    `Size: ${size.width}x${size.height}`,
    `Model: ${model.id}`,
  ];
  const lines = negative === '' ? [prompt] : [prompt, `Negative prompt: ${negative}`];
  return [...lines, settings.join(', ')].join('\n');
}
