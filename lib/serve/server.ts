import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import cors from '@fastify/cors';
import helmet from '@fastify/helmet';
import multipart from '@fastify/multipart';
import rateLimit from '@fastify/rate-limit';
import Fastify, { type FastifyReply, type FastifyRequest, LogController } from 'fastify';
import { serializerCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { AccessControl } from './access.js';
import { ApiError } from './errors.js';
import type { LogOutput } from './log-output.js';
import { Metrics } from './metrics.js';
import { errorHandler, notFoundHandler } from './protocol/error-response.js';
import { bodyLimit, formLimits } from './protocol/limits.js';
import { requirePlainBody } from './protocol/media-type.js';
import { validatorCompiler } from './protocol/validation.js';
import type { Backend } from './queue/backend.js';
import { RequestTurns } from './request-turns.js';
import type { ResultStore } from './results/store.js';
import { a1111Routes } from './routes/a1111.js';
import { fileRoutes } from './routes/files.js';
import { healthRoutes } from './routes/health.js';
import { imageRoutes } from './routes/images.js';
import { mcpRoutes } from './routes/mcp.js';
import { modelRoutes } from './routes/models.js';
import { openApiRoutes } from './routes/openapi.js';
import { notFoundPage, pageRoutes } from './routes/page.js';
import type { App, RouteGroup, ServerContext } from './routes/route-group.js';
import { redact, type ServerSettings } from './settings.js';
import { Uploads } from './uploads.js';

/** `openApiRoutes` comes first, because it describes the groups after it. */
const routeGroups: readonly RouteGroup[] = [
  openApiRoutes,
  imageRoutes,
  a1111Routes,
  fileRoutes,
  mcpRoutes,
  modelRoutes,
  healthRoutes,
  pageRoutes,
];

/** Seconds for a client to send its request. */
const uploadSeconds = 120;
/** Requests of an address without a valid key. */
const failedKeysPerMinute = 20;
/** Seconds after the request timeout for which a connection may stay open without traffic. */
const idleSeconds = 10;

/**
 * Creates the HTTP server with the API, the page and the metrics. Call `listen` to start it; `close`
 * waits for running requests.
 * @param settings from `createSettings`, which checks them
 */
export async function createServer(
  settings: ServerSettings,
  backend: Backend,
  results: ResultStore,
  log: LogOutput,
): Promise<App> {
  const metrics = new Metrics(backend, log);
  const uploads = new Uploads(backend, settings.uploadBudget);
  const context: ServerContext = { settings, backend, uploads, results, metrics };
  const app = Fastify({
    bodyLimit,
    requestTimeout: 1000 * uploadSeconds,
    connectionTimeout: 1000 * (settings.requestTimeout + idleSeconds),
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    logController: new LogController({ disableRequestLogging: true }),
    logger: { level: settings.logLevel, redact, stream: log },
    return503OnClosing: true,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 200 },
    frameworkErrors: errorHandler(metrics) as never,
  }).withTypeProvider<ZodTypeProvider>();
  app.removeContentTypeParser('text/plain');
  app.setValidatorCompiler(validatorCompiler as never);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(errorHandler(metrics));
  app.setNotFoundHandler(notFoundHandler(notFoundPage(settings)));
  const access = new AccessControl(settings);
  const turns = new RequestTurns();
  app.addHook('onRequest', async (request, reply) => {
    await turns.wait();
    reply.header('x-request-id', request.id);
    await checkAccess(request);
    requirePlainBody(request, reply);
  });
  observeResponses(app, metrics);
  closeIdleConnections(app);
  await addPlugins(app, settings, access);
  const checkAccess = accessCheck(app, access);
  for (const addRoutes of routeGroups) await addRoutes(app, context);
  await app.ready();
  return app;
}

/**
 * Checks access, and limits the requests of an address that fail for lack of a valid key. Valid keys always pass, so
 * that nobody can lock out the other clients of a proxy.
 */
function accessCheck(app: App, access: AccessControl) {
  const limiter = app.createRateLimit({
    ...{ max: failedKeysPerMinute, timeWindow: '1 minute' },
    keyGenerator: ({ ip }) => ip,
  });
  return async (request: FastifyRequest): Promise<void> => {
    try {
      access.check(request);
    } catch (error) {
      const limit = (error as ApiError).status === 401 ? await limiter(request) : undefined;
      if (limit === undefined || limit.isAllowed || !limit.isExceeded) throw error;
      throw tooManyRequests(`${failedKeysPerMinute} requests with an invalid key`, limit.ttl);
    }
  };
}

function tooManyRequests(most: string, milliseconds: number): ApiError {
  const message = `Expected at most ${most} per minute`;
  const retryAfter = Math.ceil(milliseconds / 1000);
  return new ApiError(429, 'rate_limit_exceeded', message, { retryAfter });
}

/** Logs and counts each response by its route, because the URL's query may contain a prompt. */
function observeResponses(app: App, metrics: Metrics): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.raw.once('close', () => {
      // A stream reports its end itself.
      if (!reply.raw.headersSent) logDisconnect(request, reply);
    });
  });
  app.addHook('onResponse', async ({ method, routeOptions, log, ip }, reply) => {
    const route = routeOptions.url ?? 'unknown';
    const seconds = reply.elapsedTime / 1000;
    const status = reply.statusCode;
    metrics.observeResponse(method, route, status, seconds);
    log.info({ method, route, status, seconds: Number(seconds.toFixed(3)), ip }, 'answered');
  });
}

/** Logs a request that ended without a response. */
function logDisconnect(
  { method, routeOptions, log, ip, raw }: FastifyRequest,
  reply: FastifyReply,
) {
  const route = routeOptions.url ?? 'unknown';
  const seconds = Number((reply.elapsedTime / 1000).toFixed(3));
  // The server ends what arrives too slowly.
  const event = raw.complete
    ? 'the client disconnected'
    : 'the request ended before it was complete';
  log.info({ method, route, seconds, ip }, event);
}

/** While the server closes, drops keep-alive connections as soon as they are idle. */
function closeIdleConnections(app: App): void {
  // Browsers open connections in advance. Node counts a connection as idle only after its first request.
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

async function addPlugins(app: App, settings: ServerSettings, access: AccessControl) {
  await app.register(helmet, helmetOptions);
  if (settings.cors.length > 0) {
    const exposedHeaders = ['x-request-id', 'retry-after', 'mcp-session-id'];
    await app.register(cors, { origin: [...settings.cors], exposedHeaders });
  }
  await app.register(multipart, {
    limits: { fileSize: settings.maxImageBytes, ...formLimits },
  });
  await app.register(rateLimit, {
    global: false,
    keyGenerator: (request) => access.clientId(request),
    errorResponseBuilder: (_request, { max, ttl }) => tooManyRequests(`${max} requests`, ttl),
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
  // A TLS proxy in front of the server can add this header.
  strictTransportSecurity: false,
};
