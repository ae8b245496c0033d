import { z } from 'zod';
import type { App, Context } from '../context.js';
import { errorSchema } from '../protocol/answer-schemas.js';
import { unavailable } from '../protocol/api-error.js';

const figures = {
  description: 'Figures in the text format of Prometheus',
  content: { 'text/plain': { schema: z.string() } },
};
const ok = z.object({ status: z.literal('ok') });

/** `GET /healthz`: the process lives. `GET /readyz`: it can make pictures. `GET /metrics`. */
export function addHealth(app: App, { backend, metrics }: Context): void {
  app.route({
    method: 'GET',
    url: '/healthz',
    schema: {
      summary: 'Whether the server lives',
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
      summary: 'Whether the server takes requests',
      operationId: 'isReady',
      security: [],
      response: { 200: ok, 503: errorSchema },
    },
    async handler() {
      if ((await backend.model()) === undefined) throw unavailable('No worker serves a model');
      return { status: 'ok' as const };
    },
  });
  app.route({
    method: 'GET',
    url: '/metrics',
    schema: {
      summary: 'Figures for Prometheus',
      operationId: 'metrics',
      response: { 200: figures },
    },
    async handler(_request, reply) {
      reply.header('content-type', metrics.contentType);
      return reply.send(await metrics.text());
    },
  });
}
