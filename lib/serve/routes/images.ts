import { isIPv6, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { toApiError } from '../errors.js';
import { errorSchema } from '../protocol/error-response.js';
import { toEventStream, withHeartbeat } from '../protocol/event-stream.js';
import { readForm, textFieldsOf } from '../protocol/form.js';
import { checkFiles } from '../protocol/input-image.js';
import {
  acceptModel,
  acceptSize,
  ignoreUnknownFields,
  responseFormatFor,
} from '../protocol/leniency.js';
import { bodyLimit, formSize, jsonSize, maxFiles as maxListedFiles } from '../protocol/limits.js';
import { expectedType, mediaTypes, wrongMediaType } from '../protocol/media-type.js';
import {
  editSchema,
  fieldsOf,
  finishSchema,
  generationSchema,
  interpolationSchema,
  mixSchema,
  type SharedRequest,
  upscalingSchema,
  variationSchema,
} from '../protocol/request-schemas.js';
import { type ResponseContext, toImagesResponse } from '../protocol/response.js';
import { imagesSchema } from '../protocol/response-schemas.js';
import {
  checkModel,
  editJob,
  finishJob,
  generationJob,
  interpolationJob,
  mixJob,
  upscalingJob,
  variationJob,
  warningsOf,
} from '../protocol/to-job.js';
import type { Job } from '../queue/job.js';
import type { App, RouteGroup, ServerContext } from './route-group.js';
import { rateLimited, requestSignal, submitJob } from './submit-job.js';

/** Seconds of silence in a stream after which a heartbeat is sent. */
const heartbeatSeconds = 15;

const response = {
  200: {
    description: 'The images, in one response or as a stream of events',
    content: {
      'application/json': { schema: imagesSchema },
      'text/event-stream': { schema: z.string() },
    },
  },
  '4xx': errorSchema,
  '5xx': errorSchema,
};

/** The routes below `/v1/images` that generate images. */
export const imageRoutes: RouteGroup = (app, context) => {
  const { maxN } = context.settings;
  addImageRoute(app, context, {
    name: 'generations',
    summary: 'Generate images from a prompt',
    operationId: 'createImage',
    body: generationSchema(maxN),
    bodies: ['json'],
    toJob: generationJob,
    hasImages: false,
  });
  addImageRoute(app, context, {
    name: 'variations',
    summary: 'Generate variations of an image',
    operationId: 'createImageVariation',
    body: variationSchema(maxN),
    bodies: ['form'],
    toJob: variationJob,
  });
  addImageRoute(app, context, {
    name: 'edits',
    summary: 'Edit an image, or mix several',
    operationId: 'createImageEdit',
    body: editSchema(maxN),
    bodies: ['json', 'form'],
    lists: ['image', 'images'],
    toJob: editJob,
    eventPrefix: 'image_edit',
  });
  addImageRoute(app, context, {
    name: 'mixes',
    summary: 'Generate images of a mean of prompts and images',
    operationId: 'createImageMix',
    body: mixSchema(maxN),
    bodies: ['json'],
    toJob: mixJob,
  });
  addImageRoute(app, context, {
    name: 'interpolations',
    summary: 'Generate the images between two prompts or images',
    operationId: 'createImageInterpolation',
    body: interpolationSchema(maxN),
    bodies: ['json'],
    toJob: interpolationJob,
  });
  addImageRoute(app, context, {
    name: 'upscales',
    summary: 'Enlarge an image',
    operationId: 'createImageUpscale',
    body: upscalingSchema(maxN),
    bodies: ['json', 'form'],
    toJob: upscalingJob,
  });
  addImageRoute(app, context, {
    name: 'finishes',
    summary: 'Make the images of drafts',
    operationId: 'finishImages',
    body: finishSchema(maxN),
    bodies: ['json', 'form'],
    lists: ['draft'],
    toJob: finishJob,
  });
};

interface ImageRoute<Body extends z.ZodType<SharedRequest>> {
  readonly name: string;
  readonly summary: string;
  readonly operationId: string;
  readonly body: Body;
  /** How a request can be sent. */
  readonly bodies: readonly (keyof typeof expectedType)[];
  /** Fields of a form that can have several files. */
  readonly lists?: readonly string[];
  readonly toJob: (body: z.output<Body>) => Job | Promise<Job>;
  readonly hasImages?: boolean;
  readonly eventPrefix?: ResponseContext['eventPrefix'];
}

function addImageRoute<Body extends z.ZodType<SharedRequest>>(
  app: App,
  context: ServerContext,
  {
    name,
    bodies,
    toJob,
    hasImages = true,
    eventPrefix = 'image_generation',
    ...route
  }: ImageRoute<Body>,
): void {
  const { uploads, settings } = context;
  const { maxImageBytes, imageLimits, requestTimeout, leniency } = settings;
  const { summary, operationId, body, lists } = route;
  const maxFiles = lists === undefined ? 1 : maxListedFiles;
  const form = { textFields: textFieldsOf(body), lists, maxFiles, maxBytes: maxImageBytes };
  const fields = fieldsOf(body);
  const jsonLimit = hasImages ? jsonSize(maxImageBytes) : bodyLimit;
  app.route({
    method: 'POST',
    url: `/v1/images/${name}`,
    bodyLimit: jsonLimit,
    config: rateLimited(settings),
    schema: {
      ...{ summary, operationId, body, response },
      consumes: bodies.map((kind) => mediaTypes[kind]),
    },
    onRequest: (request, reply) => {
      const limit = request.isMultipart() ? formSize(maxImageBytes) : jsonLimit;
      return uploads.reserve(request, reply, limit);
    },
    async preValidation(request) {
      const kind = request.isMultipart() ? 'form' : 'json';
      if (!bodies.includes(kind)) {
        throw wrongMediaType(request, bodies.map((one) => expectedType[one]).join(' or '));
      }
      if (kind === 'form') request.body = (await readForm(request, form)) as never;
      if (leniency.unknownFields === 'warn') {
        ignored.set(request, ignoreUnknownFields(request.body, fields));
      }
    },
    async handler(request, reply) {
      const signal = requestSignal(reply, requestTimeout);
      const body = request.body as z.output<Body>;
      const job = await toJob(body);
      const warnings = ignored.get(request) ?? [];
      await checkFiles(job, imageLimits, signal);
      return respond({ request, reply, body, job, eventPrefix, warnings }, signal, context);
    },
  });
}

/** Warnings about fields that were ignored. */
const ignored = new WeakMap<FastifyRequest, readonly string[]>();

interface ImageRequest {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly body: SharedRequest;
  readonly job: Job;
  readonly eventPrefix: ResponseContext['eventPrefix'];
  readonly warnings: readonly string[];
}

/** Submits the job and sends its images, in one response or as a stream. */
async function respond(
  { request, reply, body, eventPrefix, ...rest }: ImageRequest,
  signal: AbortSignal,
  context: ServerContext,
) {
  const { settings, backend, metrics } = context;
  const model = checkModel(await backend.model(), rest.job.call);
  const named = acceptModel(body.model, model, settings.leniency);
  const size = acceptSize(body.size, model, settings.leniency);
  const job = { ...rest.job, ...(size.value && { size: size.value }) };
  const events = await submitJob(request, job, signal, context);
  const responseContext = {
    ...{ job, model, eventPrefix },
    warnings: [...rest.warnings, ...named, ...size.warnings, ...warningsOf(body, job.call)],
    deliver: delivery(request.socket, body, context),
  };
  if (!body.stream) return toImagesResponse(events, responseContext);
  const messages = toEventStream(events, responseContext, (error) => {
    const { status, code } = toApiError(error);
    metrics.countFailure(code);
    if (status >= 500) request.log.error({ err: error }, code);
    else request.log.info({ code }, 'a stream ended early');
  });
  reply.header('content-type', 'text/event-stream; charset=utf-8');
  reply.header('cache-control', 'no-cache').header('x-accel-buffering', 'no');
  return reply.send(Readable.from(withHeartbeat(messages, heartbeatSeconds)));
}

/** How files reach the client: in the response, or in the result store under a URL. */
function delivery(
  socket: Socket,
  body: SharedRequest,
  { settings, results }: ServerContext,
): ResponseContext['deliver'] {
  if (responseFormatFor(body, settings.leniency) === 'b64_json') {
    return async (_name, data) => ({ b64_json: data.toString('base64') });
  }
  const base = settings.publicUrl ?? listeningUrl(socket);
  return async (name, data) => {
    await results.put(name, data);
    return { url: new URL(`/v1/images/files/${name}`, base).href };
  };
}

/** The address at which the request arrived. Not the `Host` header, which a client can choose. */
function listeningUrl({ localAddress = '', localPort }: Socket): string {
  const address = localAddress.replace(/^::ffff:(?=\d+\.)/, '');
  return `http://${isIPv6(address) ? `[${address}]` : address}:${localPort}`;
}
