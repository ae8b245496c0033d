import { z } from 'zod';
import { unavailable } from '../errors.js';
import { errorSchema } from '../protocol/error-response.js';
import type { RouteGroup } from './route-group.js';

const metricsText = {
  description: 'Metrics in the text format of Prometheus',
  content: { 'text/plain': { schema: z.string() } },
};
const ok = z.object({ status: z.literal('ok') });

/** `GET /healthz`: the process is alive. `GET /readyz`: it can generate images. `GET /metrics`. */
export const healthRoutes: RouteGroup = (app, { backend, metrics }) => {
  app.route({
    method: 'GET',
    url: '/healthz',
    schema: {
      summary: 'Check that the server is alive',
      operationId: 'isAlive',
      security: [],
      response: { 200: ok },
    },
    handler: async () => ({ status: 'ok' as const }),
  });
  app.route({
    method: 'GET',
    url: '/readyz',
    schema: {
      summary: 'Check that the server can generate images',
      operationId: 'isReady',
      security: [],
      response: { 200: ok, 503: errorSchema },
    },
    async handler() {
      // First: workers cannot announce their model in a full Redis.
      await backend.checkStorage();
      if ((await backend.model()) === undefined) throw unavailable('No worker is serving a model');
      return { status: 'ok' as const };
    },
  });
  app.route({
    method: 'GET',
    url: '/metrics',
    schema: {
      summary: 'Metrics for Prometheus',
      operationId: 'metrics',
      response: { 200: metricsText },
    },
    async handler(_request, reply) {
      reply.header('content-type', metrics.contentType);
      return reply.send(await metrics.text());
    },
  });
};
