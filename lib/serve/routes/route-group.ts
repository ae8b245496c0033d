import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Metrics } from '../metrics.js';
import type { Backend } from '../queue/backend.js';
import type { ResultStore } from '../results/store.js';
import type { ServerSettings } from '../settings.js';
import type { Uploads } from '../uploads.js';

export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** What routes work with. */
export interface ServerContext {
  readonly settings: ServerSettings;
  readonly backend: Backend;
  readonly uploads: Uploads;
  readonly results: ResultStore;
  readonly metrics: Metrics;
}

/** Adds a group of routes. server.ts lists all groups. */
export type RouteGroup = (app: App, context: ServerContext) => void | Promise<void>;
