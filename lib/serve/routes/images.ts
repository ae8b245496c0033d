import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { App, Context } from '../context.js';
import { type Answering, collect, stream } from '../protocol/answer.js';
import { errorSchema, imagesSchema } from '../protocol/answer-schemas.js';
import { ApiError, asApiError } from '../protocol/api-error.js';
import { readForm } from '../protocol/form.js';
import { withHeartbeat } from '../protocol/heartbeat.js';
import { checkImage } from '../protocol/read-image.js';
import {
  type GenerationRequest,
  generationSchema,
  type VariationRequest,
  variationSchema,
} from '../protocol/request-schemas.js';
import { requestSignal } from '../protocol/request-signal.js';
import { checkModel, generationJob, variationJob, warningsOf } from '../protocol/to-job.js';
import type { Job, JobEvent } from '../queue/job.js';
import { resultName } from '../results/results.js';

/** Seconds of silence after which a stream says that it is alive. */
const heartbeat = 15;

const response = {
  200: {
    description: 'The pictures, at once or as a stream of events',
    content: {
      'application/json': { schema: imagesSchema },
      'text/event-stream': { schema: z.string() },
    },
  },
  '4xx': errorSchema,
  '5xx': errorSchema,
};

/** `POST /v1/images/generations` and `POST /v1/images/variations`. */
export function addImages(app: App, context: Context): void {
  const { maxN, maxImageBytes, maxImagePixels, rateLimit } = context.settings;
  const config = rateLimit > 0 ? { rateLimit: { max: rateLimit, timeWindow: '1 minute' } } : {};

  app.route({
    method: 'POST',
    url: '/v1/images/generations',
    config,
    schema: {
      summary: 'Make pictures of a prompt',
      operationId: 'createImage',
      body: generationSchema(maxN),
      response,
    },
    onRequest: () => context.backend.admit(),
    async preValidation(request) {
      if (request.isMultipart()) throw wrongType('JSON: send Content-Type application/json');
    },
    handler: (request, reply) => answer(request, reply, generationJob(request.body), context),
  });

  app.route({
    method: 'POST',
    url: '/v1/images/variations',
    config,
    schema: {
      summary: 'Make variations of a picture',
      operationId: 'createImageVariation',
      consumes: ['multipart/form-data'],
      body: variationSchema(maxN),
      response,
    },
    onRequest: () => context.backend.admit(),
    async preValidation(request) {
      if (!request.isMultipart()) throw wrongType('a form: send Content-Type multipart/form-data');
      request.body = (await readForm(request, maxImageBytes)) as never;
    },
    async handler(request, reply) {
      await checkImage(request.body.image, maxImagePixels);
      return answer(request, reply, variationJob(request.body), context);
    },
  });
}

function wrongType(wanted: string): ApiError {
  return new ApiError(415, 'unsupported_media_type', `Expected ${wanted}`);
}

type ImageRequest = FastifyRequest & { body: GenerationRequest | VariationRequest };

async function answer(request: ImageRequest, reply: FastifyReply, job: Job, context: Context) {
  const { settings, backend, metrics } = context;
  const model = checkModel(await backend.model(), job.kind, request.body);
  if (settings.logPrompts && job.prompt !== undefined) request.log.info({ prompt: job.prompt });
  const signal = requestSignal(reply, settings.requestTimeout);
  const events = observed(await backend.submit(job, signal), (event) =>
    metrics.observe(job, event),
  );
  const deliver = delivery(request, job, context);
  const answering = { job, model, warnings: warningsOf(request.body), deliver };
  if (!request.body.stream) return collect(events, answering);
  const messages = stream(events, answering, (error) => {
    const { status, code } = asApiError(error);
    metrics.failed(code);
    if (status >= 500) request.log.error({ err: error }, code);
    else request.log.info({ code }, 'a stream ended early');
  });
  reply.header('content-type', 'text/event-stream; charset=utf-8');
  reply.header('cache-control', 'no-cache').header('x-accel-buffering', 'no');
  return reply.send(Readable.from(withHeartbeat(messages, heartbeat)));
}

async function* observed(events: AsyncIterable<JobEvent>, observe: (event: JobEvent) => void) {
  for await (const event of events) {
    observe(event);
    yield event;
  }
}

function delivery(
  request: ImageRequest,
  { id, format }: Job,
  context: Context,
): Answering['deliver'] {
  const { results, settings } = context;
  if (request.body.response_format === 'b64_json') {
    return async (_index, data) => ({ b64_json: data.toString('base64') });
  }
  const base = settings.publicUrl ?? `${request.protocol}://${request.host}`;
  return async (index, data) => {
    const name = resultName(id, index, format);
    await results.put(name, data);
    return { url: new URL(`/v1/images/files/${name}`, base).href };
  };
}
