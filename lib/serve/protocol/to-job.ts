import { randomBytes, randomInt } from 'node:crypto';
import type { StageOptions } from '../../options/generation.js';
import { ApiError, badRequest, unavailable } from '../errors.js';
import type { Job, ServedModel } from '../queue/job.js';
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
    partialImages: request.stream ? request.partial_images : 0,
    progress: request.stream && request.progress,
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

/** Warnings about fields of the request that have no effect. */
export function warningsOf(request: GenerationRequest | VariationRequest): string[] {
  const fields = request as Readonly<Record<string, unknown>>;
  const names = withoutEffect.filter((name) => fields[name] !== undefined);
  if (!('prompt' in request) && request.prior) names.push('prior');
  return names.map((name) => `${name} has no effect here`);
}

/**
 * Checks that the served model can do what the request asks for.
 * @throws {ApiError} 400 or 404 if it cannot, 503 if no model is served
 */
export function checkModel(served: ServedModel | undefined, kind: Job['kind'], request: Shared) {
  if (served === undefined)
    throw unavailable('Expected a worker that serves a model but found none');
  const { model, size } = request;
  if (model !== undefined && model !== served.id) {
    const message = `Expected the model '${served.id}', or no model, but received '${model.slice(0, 100)}'`;
    throw new ApiError(404, 'model_not_found', message, { param: 'model' });
  }
  const servedSize = sizeOf(served);
  if (size !== 'auto' && size !== servedSize) {
    const message = `Expected 'auto' or the model's size ${servedSize} but received '${size}'`;
    throw badRequest('size', message);
  }
  if (kind === 'text-to-image' ? served.textToImage : served.imageVariation) return served;
  const message = `The model '${served.id}' lacks the networks for ${kind}`;
  throw badRequest('model', message, 'not_supported');
}

/** `size` as in OpenAI's API: `256x256`. */
export function sizeOf({ size }: ServedModel): string {
  return `${size}x${size}`;
}
