import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Metrics } from './metrics.js';
import type { Backend } from './queue/job.js';
import type { ResultStore } from './results/results.js';
import type { ServerSettings } from './settings.js';

/** What the routes of one server share. */
export interface Context {
  readonly settings: ServerSettings;
  readonly backend: Backend;
  readonly results: ResultStore;
  readonly metrics: Metrics;
}

export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;
