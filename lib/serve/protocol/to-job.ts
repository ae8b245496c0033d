import { randomBytes, randomInt } from 'node:crypto';
import { readDraft } from '../../images/read-draft.js';
import { type OptionTable, textToImageOptions } from '../../options/descriptions.js';
import { type EditMethod, editMethodOf } from '../../options/edit-method.js';
import { optionsOfRequest, requestFieldNames } from '../../options/schema.js';
import { badRequest, unavailable } from '../errors.js';
import type { ServedModel } from '../queue/backend.js';
import {
  type Job,
  type JobCall,
  type JobMethod,
  type JobOptions,
  type JobPoint,
  jobOptions,
  methodLabels,
} from '../queue/job.js';
import { qualities } from './leniency.js';
import type {
  EditRequest,
  FinishRequest,
  GenerationRequest,
  InterpolationRequest,
  MixRequest,
  SharedRequest,
  UpscalingRequest,
  VariationRequest,
} from './request-schemas.js';
import { editTables, withoutEffect } from './request-schemas.js';

/** The strength of image to image with `input_fidelity: "high"`. */
const highFidelityStrength = 0.6;

export function generationJob(request: GenerationRequest): Job {
  const { prompt } = request;
  const options = optionsFor('textToImage', request);
  return jobOf(request, { method: 'textToImage', prompt, options });
}

export function variationJob(request: VariationRequest): Job {
  const options = optionsFor('imageVariation', request);
  return jobOf(request, { method: 'imageVariation', options }, [request.image]);
}

/** @throws {ApiError} 400 if the fields do not say how to edit */
export function editJob(request: EditRequest): Job {
  const { prompt, mask } = request;
  const images = imagesOfEdit(request);
  const method = methodOfEdit(request, images.length);
  const options = optionsFor(method, request);
  switch (method) {
    case 'mix': {
      const parts = images.map((_, image) => ({ image, weight: 1 }));
      return jobOf(request, { method, parts, options }, images);
    }
    case 'inpaint':
      return jobOf(request, { method, prompt: promptFor(method, prompt), options }, [
        ...images,
        mask as Buffer,
      ]);
    case 'imageToImage': {
      const isHigh = request.input_fidelity === 'high';
      const withStrength = { ...(isHigh && { strength: highFidelityStrength }), ...options };
      const call = { method, prompt: promptFor(method, prompt), options: withStrength } as const;
      return jobOf(request, call, images);
    }
    default:
      return jobOf(request, { method, options }, images);
  }
}

function imagesOfEdit({ image = [], images = [] }: EditRequest): Buffer[] {
  if (image.length > 0 && images.length > 0) {
    throw badRequest('images', "Expected either 'image' or 'images' but received both");
  }
  const all = [...image, ...images];
  if (all.length > 0) return all;
  const message = "Expected an image for 'image' but received none";
  throw badRequest('image', message, 'missing_required_parameter');
}

/** Which method the fields of an edit call. */
function methodOfEdit(request: EditRequest, images: number): EditMethod {
  const { mask, prompt, input_fidelity: fidelity } = request;
  const { from, to, strength } = request as { from?: string; to?: string; strength?: number };
  if (mask !== undefined && images > 1) {
    throw badRequest('mask', `Expected a single image with a mask but received ${images}`);
  }
  return editMethodOf({
    images,
    hasMask: mask !== undefined,
    hasPrompt: prompt !== undefined,
    hasTexts: from !== undefined || to !== undefined,
    hasStrength: strength !== undefined || fidelity === 'high',
  });
}

function promptFor(method: JobMethod, prompt: string | undefined): string {
  if (prompt !== undefined) return prompt;
  const message = `Expected 'prompt' for ${methodLabels[method]} but received none`;
  throw badRequest('prompt', message, 'missing_required_parameter');
}

export function mixJob(request: MixRequest): Job {
  const files = new FileList();
  const parts = request.parts.map(({ weight, ...part }) => ({ ...files.point(part), weight }));
  const options = optionsFor('mix', request);
  return jobOf(request, { method: 'mix', parts, options }, files.all);
}

export function interpolationJob(request: InterpolationRequest): Job {
  const files = new FileList();
  const [from, to] = [files.point(request.from), files.point(request.to)];
  const { animation: format, fps: framesPerSecond } = request;
  const animation = format && { format, framesPerSecond };
  const options = optionsFor('interpolate', request);
  const call = {
    method: 'interpolate',
    from,
    to,
    options,
    ...(animation && { animation }),
  } as const;
  return jobOf(request, call, files.all);
}

export function upscalingJob(request: UpscalingRequest): Job {
  const options = optionsFor('upscale', request);
  return jobOf(request, { method: 'upscale', options }, [request.image]);
}

/** @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for a file that is not a draft */
export async function finishJob(request: FinishRequest): Promise<Job> {
  const drafts = await Promise.all(request.draft.map((file) => readDraft(file)));
  const seeds = drafts.map(({ seed }) => seed);
  const call = { method: 'finish', seeds, options: { seed: seeds[0] as number } } as const;
  return jobOf(request, call, request.draft);
}

/** The image files of a request, and the points that refer to them. */
class FileList {
  readonly all: Buffer[] = [];

  point({ prompt, image }: { prompt?: string | undefined; image?: Buffer | undefined }): JobPoint {
    if (image === undefined) return { prompt: prompt as string };
    this.all.push(image);
    return { image: this.all.length - 1 };
  }
}

function optionsFor(method: JobMethod, request: object): JobOptions {
  const table: OptionTable = jobOptions[method];
  const sampling = qualities[(request as { quality?: string }).quality ?? 'auto'];
  return {
    seed: randomInt(2 ** 32),
    ...(sampling && { sampling }),
    ...optionsOfRequest(table, request),
  };
}

export function newJobId(): string {
  return randomBytes(16).toString('base64url');
}

function jobOf(request: SharedRequest, call: JobCall, files: readonly Buffer[] = []): Job {
  const { output_compression: compression } = request;
  if (call.options.stopAfter !== undefined && request.output_format !== 'png') {
    const message = `Expected 'png' for drafts but received '${request.output_format}'`;
    throw badRequest('output_format', message);
  }
  return {
    id: newJobId(),
    ...{ call, files },
    format: request.output_format,
    ...(compression !== undefined && { quality: Math.max(1, compression) }),
    partialImages: request.stream ? request.partial_images : 0,
    progress: request.stream && request.progress,
    priority: request.priority,
  };
}

/** Warnings about fields of the request that have no effect. */
export function warningsOf(request: object, { method }: JobCall): string[] {
  const fields = request as Readonly<Record<string, unknown>>;
  const names = unusedFields[method].filter((name) => fields[name] !== undefined);
  return names.map((name) => `${name} has no effect here`);
}

/** The fields that requests may have, but that have no effect on a method. */
const unusedFields = Object.fromEntries(
  Object.entries(jobOptions).map(([method, table]) => [method, unusedFieldsOf(method, table)]),
) as Readonly<Record<JobMethod, string[]>>;

function unusedFieldsOf(method: string, table: OptionTable): string[] {
  // The ends of an interpolation have the names of an edit's texts.
  const ends = method === 'interpolate' ? ['from', 'to'] : [];
  const used = new Set([...requestFieldNames(table), ...ends, 'prompt']);
  const all = [textToImageOptions, ...Object.values(editTables)].flatMap(requestFieldNames);
  return [...withoutEffect, ...new Set(all)].filter((name) => !used.has(name));
}

/**
 * Checks that the served model can do what the request asks for.
 * @throws {ApiError} 400 if it cannot, 503 if no model is served
 */
export function checkModel(served: ServedModel | undefined, call: JobCall): ServedModel {
  if (served === undefined) throw unavailable('No worker is serving a model');
  // A model that can vary images has an image encoder.
  if ((call.options.candidates ?? 1) > 1 && !served.imageVariation) {
    const message = `The model '${served.id}' does not have the image encoder, which chooses among candidates`;
    throw badRequest('candidates', message, 'not_supported');
  }
  if (tasksOf(call).every((task) => served[task])) return served;
  const message = `The model '${served.id}' does not have the networks for ${methodLabels[call.method]}`;
  throw badRequest('model', message, 'not_supported');
}

/** The tasks whose networks a call needs. Super-resolution is part of every model. */
function tasksOf(call: JobCall): ('textToImage' | 'imageVariation')[] {
  const ofPoints = (points: readonly JobPoint[]) =>
    points.map((one) => ('prompt' in one ? 'textToImage' : 'imageVariation'));
  switch (call.method) {
    case 'mix':
      return ofPoints(call.parts);
    case 'interpolate':
      return ofPoints([call.from, call.to]);
    case 'imageVariation':
    case 'edit':
      return ['imageVariation'];
    case 'upscale':
    case 'finish':
      return [];
    default:
      return ['textToImage'];
  }
}
