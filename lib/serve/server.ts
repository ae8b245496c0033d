import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import cors from '@fastify/cors';
import helmet from '@fastify/helmet';
import multipart from '@fastify/multipart';
import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import Fastify, { type FastifyRequest, LogController } from 'fastify';
import {
  jsonSchemaTransform,
  serializerCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import { Access } from './access.js';
import type { App, Context } from './context.js';
import { Metrics } from './metrics.js';
import { addPage } from './page.js';
import { ApiError } from './protocol/api-error.js';
import { errorHandler, notFound } from './protocol/errors.js';
import { validatorCompiler } from './protocol/validation.js';
import type { Backend } from './queue/job.js';
import type { ResultStore } from './results/results.js';
import { addFiles } from './routes/files.js';
import { addHealth } from './routes/health.js';
import { addImages } from './routes/images.js';
import { addModels } from './routes/models.js';
import { checkSettings, type ServerSettings, unlogged } from './settings.js';

/** Bytes of a request that is no form. */
const bodyLimit = 256 * 1024;
/** Time for a client to send its request. */
const uploadSeconds = 120;
/** Time, beyond that of a request, in which a client that reads nothing may say something. */
const silentSeconds = 10;

/**
 * The HTTP server: its API, its page and its figures. It listens when told to (`listen`), and `close`
 * lets what is under way end.
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for settings that would leave it open
 */
export async function createServer(
  settings: ServerSettings,
  backend: Backend,
  results: ResultStore,
): Promise<App> {
  checkSettings(settings);
  const context: Context = { settings, backend, results, metrics: new Metrics(backend) };
  const app = Fastify({
    bodyLimit,
    requestTimeout: 1000 * uploadSeconds,
    connectionTimeout: 1000 * (settings.requestTimeout + silentSeconds),
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    logController: new LogController({ disableRequestLogging: true }),
    logger: { level: settings.logLevel, redact: unlogged },
    return503OnClosing: true,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 200 },
    frameworkErrors: errorHandler(context.metrics) as never,
  }).withTypeProvider<ZodTypeProvider>();
  app.removeContentTypeParser('text/plain');
  app.setValidatorCompiler(validatorCompiler as never);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(errorHandler(context.metrics));
  app.setNotFoundHandler(notFound);
  const access = new Access(settings);
  guard(app, access);
  follow(app, context);
  closeWhenIdle(app);
  await addPlugins(app, settings, access);
  addRoutes(app, context);
  await app.ready();
  return app;
}

/** Who comes in at all. */
function guard(app: App, access: Access): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
    access.checkHost(request);
    if (request.method === 'POST') access.checkOrigin(request);
    if (needsKey(request)) access.checkKey(request);
  });
}

function needsKey({ method, routeOptions: { url = '' } }: FastifyRequest): boolean {
  if (method === 'OPTIONS' || url === '/v1/images/files/:name') return false;
  return url.startsWith('/v1/') || url === '/metrics';
}

/** Logs and counts each answer. The path is logged without its query, where a prompt may stand. */
function follow(app: App, { metrics }: Context): void {
  app.addHook('onResponse', async ({ method, routeOptions, log, ip }, reply) => {
    const route = routeOptions.url ?? 'unknown';
    const seconds = reply.elapsedTime / 1000;
    const status = reply.statusCode;
    metrics.answered(method, route, status, seconds);
    log.info({ method, route, status, seconds: Number(seconds.toFixed(3)), ip }, 'answered');
  });
}

/** While the server closes: connections that a client keeps open go as their answers end. */
function closeWhenIdle(app: App): void {
  // Browsers open some in advance, and Node takes one for idle only after its first request.
  const unused = new Set<Socket>();
  app.server.on('connection', (socket: Socket) => {
    unused.add(socket);
    socket.once('close', () => unused.delete(socket));
  });
  app.server.on('request', ({ socket }) => unused.delete(socket));
  app.addHook('preClose', async () => {
    const timer = setInterval(() => {
      app.server.closeIdleConnections();
      for (const socket of unused) socket.destroy();
    }, 100);
    app.server.once('close', () => clearInterval(timer));
  });
}

async function addPlugins(app: App, settings: ServerSettings, access: Access): Promise<void> {
  await app.register(helmet, helmetOptions);
  if (settings.cors.length > 0) {
    const exposedHeaders = ['x-request-id', 'retry-after'];
    await app.register(cors, { origin: [...settings.cors], exposedHeaders });
  }
  await app.register(multipart, {
    limits: {
      fileSize: settings.maxImageBytes,
      files: 1,
      fields: 30,
      parts: 31,
      fieldSize: 64 * 1024,
      fieldNameSize: 100,
    },
  });
  await app.register(rateLimit, {
    global: false,
    keyGenerator: (request) => access.senderOf(request),
    errorResponseBuilder: (_request, { max, ttl }) => {
      const message = `Expected at most ${max} requests a minute`;
      const retryAfter = Math.ceil(ttl / 1000);
      return new ApiError(429, 'rate_limit_exceeded', message, { retryAfter });
    },
  });
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'karlo',
        description: "Text to image and image variation, as OpenAI's clients know them",
        version: '1',
      },
      components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
      security: [{ key: [] }],
    },
    transform: jsonSchemaTransform,
  });
}

const self = ["'self'"];
const none = ["'none'"];
const helmetOptions = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: self,
      imgSrc: [...self, 'blob:', 'data:'],
      objectSrc: none,
      baseUri: none,
      formAction: self,
      frameAncestors: none,
    },
  },
  // Whether there is TLS in front is for who set it up to say.
  strictTransportSecurity: false,
};

function addRoutes(app: App, context: Context): void {
  addImages(app, context);
  addFiles(app, context);
  addModels(app, context);
  addHealth(app, context);
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
  addPage(app, context.settings.webFolder);
}
