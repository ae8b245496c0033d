import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { ApiError } from '../errors.js';
import {
  type Img2ImgRequest,
  img2imgSchema,
  type Txt2ImgRequest,
  txt2imgSchema,
} from '../protocol/a1111/request-schemas.js';
import {
  a1111ErrorSchema,
  imagesSchema,
  toA1111Error,
  toA1111Response,
} from '../protocol/a1111/response.js';
import { progressSchema, RunningJobs } from '../protocol/a1111/running-jobs.js';
import { listedSamplers } from '../protocol/a1111/samplers.js';
import { type A1111Job, img2imgJob, sizeOf, txt2imgJob } from '../protocol/a1111/to-job.js';
import { errorHandler } from '../protocol/error-response.js';
import { checkFiles } from '../protocol/input-image.js';
import { jsonSize } from '../protocol/limits.js';
import { checkModel } from '../protocol/to-job.js';
import type { App, RouteGroup, ServerContext } from './route-group.js';
import { rateLimited, requestSignal, submitJob } from './submit-job.js';

const base = '/sdapi/v1';
const errors = { '4xx': a1111ErrorSchema, '5xx': a1111ErrorSchema };

/** The routes of AUTOMATIC1111's web UI that front ends use, if the setting `a1111` is on. */
export const a1111Routes: RouteGroup = (app, context) => {
  if (!context.settings.a1111) {
    addDisabledRoute(app);
    return;
  }
  app.register(async (scope) => {
    scope.setErrorHandler(errorHandler(context.metrics, toA1111Error));
    const jobs = new RunningJobs();
    addGenerationRoutes(scope as App, { ...context, jobs });
    addProgressRoutes(scope as App, jobs);
    addModelRoutes(scope as App, context);
    addListRoutes(scope as App);
  });
};

interface A1111Context extends ServerContext {
  /** The jobs of these routes. */
  readonly jobs: RunningJobs;
}

function addDisabledRoute(app: App): void {
  app.route({
    method: ['GET', 'POST'],
    url: '/sdapi/*',
    schema: { hide: true, security: [] },
    async onRequest() {
      const message = 'The API of A1111 is off. To serve it, start the server with --compat a1111';
      throw new ApiError(404, 'not_found', message);
    },
    handler: async () => undefined,
  });
}

function addGenerationRoutes(app: App, context: A1111Context): void {
  const { maxN } = context.settings;
  addImageRoute(app, context, {
    name: 'txt2img',
    summary: 'A1111: generate images from a prompt',
    body: txt2imgSchema(maxN),
    toJob: txt2imgJob,
  });
  addImageRoute(app, context, {
    name: 'img2img',
    summary: 'A1111: generate images from an image, or repaint a part of it',
    body: img2imgSchema(maxN),
    toJob: img2imgJob,
  });
}

function addProgressRoutes(app: App, jobs: RunningJobs): void {
  app.route({
    method: 'GET',
    url: `${base}/progress`,
    schema: {
      summary: "A1111: get the progress of the client's newest job",
      operationId: 'a1111_progress',
      querystring: z.object({ skip_current_image: z.stringbool().default(false) }),
      response: { 200: progressSchema, ...errors },
    },
    async handler(request) {
      const { current_image, ...progress } = jobs.progressOf(clientOf(request));
      const isSkipped = request.query.skip_current_image;
      return { ...progress, current_image: isSkipped ? null : current_image };
    },
  });
  for (const name of ['interrupt', 'skip']) {
    app.route({
      method: 'POST',
      url: `${base}/${name}`,
      schema: {
        summary: "A1111: end the client's newest job, with the images that are complete",
        operationId: `a1111_${name}`,
        response: { 200: z.object({}), ...errors },
      },
      async handler(request) {
        jobs.interrupt(clientOf(request));
        return {};
      },
    });
  }
}

/** Identifies the client of a request, by its credentials or, without any, by its address. */
function clientOf({ headers, ip }: FastifyRequest): string {
  return headers.authorization || ip;
}

interface ImageRoute<Body extends z.ZodType<Txt2ImgRequest>> {
  readonly name: string;
  readonly summary: string;
  readonly body: Body;
  readonly toJob: (body: z.output<Body>) => A1111Job;
}

function addImageRoute<Body extends z.ZodType<Txt2ImgRequest>>(
  app: App,
  context: A1111Context,
  { name, summary, body, toJob }: ImageRoute<Body>,
): void {
  const { uploads, settings } = context;
  const { maxImageBytes } = settings;
  const bodyLimit = jsonSize(maxImageBytes);
  app.route({
    method: 'POST',
    url: `${base}/${name}`,
    bodyLimit,
    config: rateLimited(settings),
    schema: {
      ...{ summary, body },
      operationId: `a1111_${name}`,
      response: { 200: imagesSchema, ...errors },
    },
    onRequest: (request, reply) => uploads.reserve(request, reply, bodyLimit),
    handler: (request, reply) =>
      generate(request, reply, toJob(request.body as z.output<Body>), context),
  });
}

/** Generates the images of a request whose body was parsed. */
async function generate(
  request: FastifyRequest,
  reply: FastifyReply,
  { job: ofModelSize, sampler, warnings }: A1111Job,
  context: A1111Context,
) {
  const { imageLimits, requestTimeout } = context.settings;
  const body = request.body as Txt2ImgRequest | Img2ImgRequest;
  const signal = requestSignal(reply, requestTimeout);
  await checkFiles(ofModelSize, imageLimits, signal, (_job, i) =>
    i === 0 ? 'init_images' : 'mask',
  );
  const model = checkModel(await context.backend.model(), ofModelSize.call);
  const size = sizeOf(body, model);
  const job = { ...ofModelSize, size };
  const result = await context.jobs.run(clientOf(request), job, async (running) => {
    const anySignal = AbortSignal.any([signal, running.signal]);
    return running.follow(await submitJob(request, job, anySignal, context));
  });
  const all = [...warnings, ...otherModelWarnings(body, model.id), ...result.warnings];
  const generation = { request: body, images: result.images, model, size, sampler, warnings: all };
  return toA1111Response(generation);
}

/** A1111 would load the model that a request names. */
function otherModelWarnings({ override_settings }: Txt2ImgRequest, id: string): string[] {
  const { sd_model_checkpoint: name } = (override_settings ?? {}) as Record<string, unknown>;
  const isServed = name === undefined || name === null || name === id;
  return isServed ? [] : [`The model is '${id}', not that of override_settings`];
}

const modelItem = z.object({
  ...{ title: z.string(), model_name: z.string(), filename: z.string() },
  ...{ hash: z.null(), sha256: z.null(), config: z.null() },
});

/** Options that clients send. Only the model is checked, because the others have no effect. */
const optionsSchema = z.looseObject({ sd_model_checkpoint: z.string().nullish() });

function addModelRoutes(app: App, { backend }: ServerContext): void {
  app.route({
    method: 'GET',
    url: `${base}/sd-models`,
    schema: {
      summary: 'A1111: list the served model',
      operationId: 'a1111_sd_models',
      response: { 200: z.array(modelItem), ...errors },
    },
    async handler() {
      const id = (await backend.model())?.id;
      const fields = { hash: null, sha256: null, config: null };
      return id === undefined ? [] : [{ title: id, model_name: id, filename: id, ...fields }];
    },
  });
  app.route({
    method: 'GET',
    url: `${base}/options`,
    schema: {
      summary: 'A1111: get the options that clients read',
      operationId: 'a1111_options',
      response: {
        200: z.object({ sd_model_checkpoint: z.string(), samples_format: z.literal('png') }),
        ...errors,
      },
    },
    async handler() {
      const sd_model_checkpoint = (await backend.model())?.id ?? '';
      return { sd_model_checkpoint, samples_format: 'png' as const };
    },
  });
  app.route({
    method: 'POST',
    url: `${base}/options`,
    schema: {
      summary: 'A1111: select the model, which must be the served one',
      operationId: 'a1111_set_options',
      body: optionsSchema,
      response: { 200: z.null(), ...errors },
    },
    async handler({ body: { sd_model_checkpoint: name } }) {
      const id = (await backend.model())?.id;
      if (name === undefined || name === null || name === id) return null;
      const message = `Expected the served model '${id}' for 'sd_model_checkpoint' but received '${name.slice(0, 100)}'`;
      throw new ApiError(404, 'model_not_found', message);
    },
  });
  app.route({
    method: 'POST',
    url: `${base}/refresh-checkpoints`,
    schema: {
      summary: 'A1111: look for models, of which there is only the served one',
      operationId: 'a1111_refresh_checkpoints',
      response: { 200: z.object({}), ...errors },
    },
    handler: async () => ({}),
  });
}

/** What A1111 lists besides models. Front ends read it when they connect. */
const lists = {
  samplers: listedSamplers,
  schedulers: [{ name: 'automatic', label: 'Automatic', aliases: null }],
  upscalers: [{ name: 'None', model_name: null, model_path: null, model_url: null, scale: 1 }],
  'latent-upscale-modes': [],
  'sd-vae': [],
  loras: [],
  hypernetworks: [],
  'face-restorers': [],
  'realesrgan-models': [],
  'prompt-styles': [],
  embeddings: { loaded: {}, skipped: {} },
  scripts: { txt2img: [], img2img: [] },
  'cmd-flags': {},
} as const;

function addListRoutes(app: App): void {
  for (const [name, list] of Object.entries(lists)) {
    app.route({
      method: 'GET',
      url: `${base}/${name}`,
      schema: {
        summary: `A1111: list ${name}`,
        operationId: `a1111_${name.replaceAll('-', '_')}`,
        response: { 200: z.unknown(), ...errors },
      },
      handler: async () => list,
    });
  }
}
