// What a server accepts beyond the strict API, for clients that are written for OpenAI's models.
import type { Sampling } from '../../options/descriptions.js';
import { ApiError, badRequest } from '../errors.js';
import type { ServedModel } from '../queue/backend.js';
import type { ImageSize } from '../queue/job.js';

export interface Leniency {
  /** Further names of the served model. '*' is any name. */
  readonly modelAliases: readonly string[];
  /** Whether images are resized to a requested size, or only the model's own is accepted. */
  readonly sizePolicy: 'strict' | 'resize';
  /** Whether a request with an unknown field is refused, or answered with a warning. */
  readonly unknownFields: 'refuse' | 'warn';
  /** How images are returned by default. `openai` depends on the model's name, as in OpenAI's API. */
  readonly responseFormat: 'b64_json' | 'url' | 'openai';
}

/** The strict API. */
export const strict: Leniency = {
  modelAliases: [],
  sizePolicy: 'strict',
  unknownFields: 'refuse',
  responseFormat: 'b64_json',
};

/** What OpenAI's clients need with their own defaults. */
export const openai: Leniency = {
  modelAliases: ['*'],
  sizePolicy: 'resize',
  unknownFields: 'warn',
  responseFormat: 'openai',
};

/** The presets of sampling by OpenAI's `quality`. */
export const qualities: Readonly<Record<string, Sampling>> = {
  ...{ low: 'turbo', medium: 'fast', high: 'default' },
  ...{ standard: 'fast', hd: 'default' },
};

/** The largest width and height to which images are resized. */
export const maxSide = 2048;

/** A part of an answer, and what the client should know about it. */
interface Accepted<T> {
  readonly value: T;
  readonly warnings: readonly string[];
}

/**
 * Removes the unknown fields of a body.
 * @param known names of fields
 * @returns warnings
 */
export function ignoreUnknownFields(body: unknown, known: ReadonlySet<string>): string[] {
  if (typeof body !== 'object' || body === null) return [];
  const unknown = Object.keys(body).filter((name) => !known.has(name));
  for (const name of unknown) delete (body as Record<string, unknown>)[name];
  return unknown.map((name) => `${name.slice(0, 100)} is unknown and has no effect`);
}

/**
 * Checks the name of the model.
 * @throws {ApiError} 404 for a name that is not accepted
 */
export function acceptModel(
  name: string | undefined,
  { id }: ServedModel,
  { modelAliases }: Leniency,
): readonly string[] {
  if (name === undefined || name === id) return [];
  if (modelAliases.some((alias) => alias === '*' || alias === name)) {
    return [`The model is '${id}', not '${name}'`];
  }
  const received = name.slice(0, 100);
  const message = `Expected the model '${id}', or no model, but received '${received}'. To accept it, start the server with --model-alias ${/^[\w.:/-]+$/.test(received) ? received : "'*'"}, or with --compat openai`;
  throw new ApiError(404, 'model_not_found', message, { param: 'model' });
}

/**
 * Checks the size.
 * @returns the size to which images are resized, if it is not the model's own
 * @throws {ApiError} 400 for a size that is not accepted
 */
export function acceptSize(
  size: string,
  model: ServedModel,
  { sizePolicy }: Leniency,
): Accepted<ImageSize | undefined> {
  const own = `${model.size}x${model.size}`;
  if (size === 'auto' || size === own) return { value: undefined, warnings: [] };
  const [width = 0, height = 0] = size.split('x').map(Number);
  if (sizePolicy === 'strict') {
    const message = `Expected 'auto' or the model's size ${own} but received '${size}'. To resize images, start the server with --size-policy resize, or with --compat openai`;
    throw badRequest('size', message);
  }
  if (Math.min(width, height) < 1 || Math.max(width, height) > maxSide) {
    const message = `Expected 'auto' or a size from 1x1 to ${maxSide}x${maxSide} but received '${size}'`;
    throw badRequest('size', message);
  }
  const change = width === height ? 'resized' : 'resized and cropped';
  const warning = `The images were generated at ${own}, and ${change} to ${size}`;
  return { value: { width, height }, warnings: [warning] };
}

/** How images are returned. */
export function responseFormatFor(
  { response_format: given, model = '' }: RequestedFormat,
  { responseFormat }: Leniency,
): 'b64_json' | 'url' {
  if (given !== undefined) return given;
  if (responseFormat !== 'openai') return responseFormat;
  return model.startsWith('dall-e') ? 'url' : 'b64_json';
}

interface RequestedFormat {
  readonly response_format?: 'b64_json' | 'url' | undefined;
  readonly model?: string | undefined;
}
