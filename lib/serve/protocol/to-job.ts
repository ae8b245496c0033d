import { randomBytes, randomInt } from 'node:crypto';
import type { StageOptions } from '../../options/generation.js';
import type { Job, ModelCard } from '../queue/job.js';
import { ApiError, invalid, unavailable } from './api-error.js';
import type { GenerationRequest, VariationRequest } from './request-schemas.js';
import { withoutEffect } from './request-schemas.js';

type Shared = Omit<VariationRequest, 'image'>;
type StageRequest = NonNullable<Shared['prior']>;

export function generationJob({ prompt, ...request }: GenerationRequest): Job {
  const { prior } = request;
  const { options, ...rest } = jobOf(request);
  return {
    ...rest,
    kind: 'text-to-image',
    prompt,
    options: { ...options, ...(prior && { prior: stage(prior) }) },
  };
}

export function variationJob({ image, ...request }: VariationRequest): Job {
  return { ...jobOf(request), kind: 'image-variation', image };
}

function jobOf(request: Shared): Omit<Job, 'kind'> {
  const { n, sampling, decoder, upsample, output_compression: compression } = request;
  return {
    id: randomBytes(16).toString('base64url'),
    options: {
      count: n,
      seed: request.seed ?? randomInt(2 ** 32),
      sampling,
      ...(decoder && { decoder: stage(decoder) }),
      ...(upsample && { upsample: stage(upsample) }),
    },
    format: request.output_format,
    ...(compression !== undefined && { quality: Math.max(1, compression) }),
    partials: request.stream ? request.partial_images : 0,
    steps: request.stream && request.progress,
    priority: request.priority,
  };
}

function stage({ steps, timestep_respacing, guidance_scale }: StageRequest): StageOptions {
  return {
    ...(steps !== undefined && { steps }),
    ...(timestep_respacing !== undefined && { timestepRespacing: timestep_respacing }),
    ...(guidance_scale !== undefined && { guidanceScale: guidance_scale }),
  };
}

/** What the request says that changes nothing. */
export function warningsOf(request: GenerationRequest | VariationRequest): string[] {
  const given = request as Readonly<Record<string, unknown>>;
  const names = withoutEffect.filter((name) => given[name] !== undefined);
  if (!('prompt' in request) && request.prior) names.push('prior');
  return names.map((name) => `${name} has no effect here`);
}

/**
 * The model that will do a request.
 * @throws {ApiError} where the request wants another one, another size, or what the model cannot do
 */
export function checkModel(card: ModelCard | undefined, kind: Job['kind'], request: Shared) {
  if (card === undefined) throw unavailable('Expected a worker that serves a model: none is there');
  const { model, size } = request;
  if (model !== undefined && model !== card.id) {
    const message = `Expected the model '${card.id}', or none named, but received '${model.slice(0, 100)}'`;
    throw new ApiError(404, 'model_not_found', message, { param: 'model' });
  }
  const own = sizeOf(card);
  if (size !== 'auto' && size !== own) {
    throw invalid('size', `Expected 'auto' or the model's own size ${own} but received '${size}'`);
  }
  if (kind === 'text-to-image' ? card.textToImage : card.imageVariation) return card;
  throw invalid('model', `The model '${card.id}' lacks the networks for ${kind}`, 'not_supported');
}

export function sizeOf({ size }: ModelCard): string {
  return `${size}x${size}`;
}
