import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { ApiError, toApiError } from '../errors.js';
import { errorSchema } from '../protocol/error-response.js';
import { toEventStream, withHeartbeat } from '../protocol/event-stream.js';
import { readForm, textFieldsOf } from '../protocol/form.js';
import { checkImage } from '../protocol/input-image.js';
import { expectedType, wrongMediaType } from '../protocol/media-type.js';
import {
  type GenerationRequest,
  generationSchema,
  type VariationRequest,
  variationSchema,
} from '../protocol/request-schemas.js';
import { type ResponseContext, toImagesResponse } from '../protocol/response.js';
import { imagesSchema } from '../protocol/response-schemas.js';
import { checkModel, generationJob, variationJob, warningsOf } from '../protocol/to-job.js';
import type { Job, JobEvent } from '../queue/job.js';
import { resultName } from '../results/store.js';
import type { RouteGroup, ServerContext } from './route-group.js';

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

/** `POST /v1/images/generations` and `POST /v1/images/variations`. */
export const imageRoutes: RouteGroup = (app, context) => {
  const { maxN, maxImageBytes, maxImagePixels, rateLimit } = context.settings;
  const variation = variationSchema(maxN);
  const form = { textFields: textFieldsOf(variation), maxBytes: maxImageBytes };
  const config = rateLimit > 0 ? { rateLimit: { max: rateLimit, timeWindow: '1 minute' } } : {};

  app.route({
    method: 'POST',
    url: '/v1/images/generations',
    config,
    schema: {
      summary: 'Generate images from a prompt',
      operationId: 'createImage',
      body: generationSchema(maxN),
      response,
    },
    onRequest: () => context.backend.admit(),
    async preValidation(request) {
      if (request.isMultipart()) {
        throw wrongMediaType(request, expectedType.json);
      }
    },
    handler: (request, reply) => respond(request, reply, generationJob(request.body), context),
  });

  app.route({
    method: 'POST',
    url: '/v1/images/variations',
    config,
    schema: {
      summary: 'Generate variations of an image',
      operationId: 'createImageVariation',
      consumes: ['multipart/form-data'],
      body: variation,
      response,
    },
    onRequest: () => context.backend.admit(),
    async preValidation(request) {
      if (!request.isMultipart()) {
        throw wrongMediaType(request, expectedType.form);
      }
      request.body = (await readForm(request, form)) as never;
    },
    async handler(request, reply) {
      await checkImage(request.body.image, maxImagePixels);
      return respond(request, reply, variationJob(request.body), context);
    },
  });
};

type ImageRequest = FastifyRequest & { body: GenerationRequest | VariationRequest };

/** Submits the job and sends its images, in one response or as a stream. */
async function respond(
  request: ImageRequest,
  reply: FastifyReply,
  job: Job,
  context: ServerContext,
) {
  const { settings, backend, metrics } = context;
  const model = checkModel(await backend.model(), job.task, request.body);
  if (settings.logPrompts && job.prompt !== undefined) request.log.info({ prompt: job.prompt });
  const signal = requestSignal(reply, settings.requestTimeout);
  const events = tap(await backend.submit(job, signal), (event) => metrics.observeJob(job, event));
  const warnings = warningsOf(request.body);
  const responseContext = { job, model, warnings, deliver: delivery(request, job, context) };
  if (!request.body.stream) return toImagesResponse(events, responseContext);
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

/** How images reach the client: in the response, or in the result store under a URL. */
function delivery(
  request: ImageRequest,
  job: Job,
  { settings, results }: ServerContext,
): ResponseContext['deliver'] {
  if (request.body.response_format === 'b64_json') {
    return async (_index, data) => ({ b64_json: data.toString('base64') });
  }
  const base = settings.publicUrl ?? `${request.protocol}://${request.host}`;
  return async (index, data) => {
    const name = resultName(job.id, index, job.format);
    await results.put(name, data);
    return { url: new URL(`/v1/images/files/${name}`, base).href };
  };
}

/** Calls `observe` with each event on its way. */
async function* tap(events: AsyncIterable<JobEvent>, observe: (event: JobEvent) => void) {
  for await (const event of events) {
    observe(event);
    yield event;
  }
}

/** A signal that aborts when the client disconnects or `seconds` have passed. */
function requestSignal({ raw }: FastifyReply, seconds: number): AbortSignal {
  const controller = new AbortController();
  const timeout = `The request took longer than ${seconds} seconds. Request fewer images or fewer steps`;
  const timer = setTimeout(() => {
    controller.abort(new ApiError(504, 'timeout', timeout));
  }, 1000 * seconds);
  const disconnect = () => {
    clearTimeout(timer);
    controller.abort(new ApiError(499, 'client_gone', 'The client closed the connection'));
  };
  // A client that disconnected while its request was read causes no further close event.
  if (raw.destroyed) disconnect();
  else raw.once('close', disconnect);
  return controller.signal;
}
