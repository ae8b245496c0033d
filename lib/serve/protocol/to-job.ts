import { randomBytes, randomInt } from 'node:crypto';
import type { Task } from '../../networks/network.js';
import { type OptionTable, taskOptions, textToImageOptions } from '../../options/descriptions.js';
import { optionsOfRequest, requestFields } from '../../options/schema.js';
import { ApiError, badRequest, unavailable } from '../errors.js';
import type { ServedModel } from '../queue/backend.js';
import { type Job, taskLabels } from '../queue/job.js';
import type { GenerationRequest, VariationRequest } from './request-schemas.js';
import { withoutEffect } from './request-schemas.js';

type Shared = Omit<VariationRequest, 'image'>;

export function generationJob({ prompt, ...request }: GenerationRequest): Job {
  return { ...jobOf(request, taskOptions.textToImage), task: 'textToImage', prompt };
}

export function variationJob({ image, ...request }: VariationRequest): Job {
  return { ...jobOf(request, taskOptions.imageVariation), task: 'imageVariation', image };
}

function jobOf(request: Shared, table: OptionTable): Omit<Job, 'task'> {
  const { output_compression: compression } = request;
  const options = { seed: randomInt(2 ** 32), ...optionsOfRequest(table, request) };
  return {
    id: randomBytes(16).toString('base64url'),
    options: options as Job['options'],
    format: request.output_format,
    ...(compression !== undefined && { quality: Math.max(1, compression) }),
    partialImages: request.stream ? request.partial_images : 0,
    progress: request.stream && request.progress,
    priority: request.priority,
  };
}

/** Warnings about fields of the request that have no effect. */
export function warningsOf(request: GenerationRequest | VariationRequest): string[] {
  const fields = request as Readonly<Record<string, unknown>>;
  const ofTextToImage = Object.keys(requestFields(textToImageOptions));
  const unused = 'prompt' in request ? withoutEffect : [...withoutEffect, ...ofTextToImage];
  const names = unused.filter((name) => fields[name] !== undefined);
  return names.map((name) => `${name} has no effect here`);
}

/**
 * Checks that the served model can do what the request asks for.
 * @throws {ApiError} 400 or 404 if it cannot, 503 if no model is served
 */
export function checkModel(served: ServedModel | undefined, task: Task, request: Shared) {
  if (served === undefined) throw unavailable('No worker is serving a model');
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
  if (served[task]) return served;
  const message = `The model '${served.id}' does not have the networks for ${taskLabels[task]}`;
  throw badRequest('model', message, 'not_supported');
}

/** `size` as in OpenAI's API: `256x256`. */
export function sizeOf({ size }: ServedModel): string {
  return `${size}x${size}`;
}
