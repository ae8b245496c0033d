import { randomUUID } from 'node:crypto';
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import {
  CancelledNotificationSchema,
  isInitializeRequest,
  isJSONRPCRequest,
} from '@modelcontextprotocol/sdk/types.js';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { badRequest, toApiError } from '../errors.js';
import { createMcpServer } from '../mcp/server.js';
import { createTools } from '../mcp/tools.js';
import { jsonSize } from '../protocol/limits.js';
import type { RouteGroup, ServerContext } from './route-group.js';
import { rateLimited, requestSignal, submitJob } from './submit-job.js';

const sessionHeader = 'mcp-session-id';

/** `POST /mcp`: the Model Context Protocol over streamable HTTP. Each request has its own server. */
export const mcpRoutes: RouteGroup = (app, context) => {
  const { settings, uploads, results } = context;
  const { maxImageBytes, requestTimeout } = settings;
  const tools = createTools(settings, results);
  const calls = new RunningCalls();
  const bodyLimit = jsonSize(maxImageBytes);
  app.route({
    method: 'POST',
    url: '/mcp',
    bodyLimit,
    config: rateLimited(settings),
    schema: { hide: true },
    // A place in the queue is not reserved: few messages have a job, and cancellations must get through.
    onRequest: async (request, reply) => uploads.reserveMemory(request, reply, bodyLimit),
    async handler(request, reply) {
      requireSingle(request);
      const mcp = createMcpServer({
        ...{ tools, results, imageLimits: settings.imageLimits },
        backend: {
          model: () => context.backend.model(),
          submit: (job, signal) => submitJob(request, job, signal, context),
        },
        signal: requestSignal(reply, requestTimeout),
        explain: (error) => explain(error, request, context),
      });
      reply.raw.once('close', () => mcp.close());
      calls.follow(request, reply, () => mcp.close());
      // The declarations of the SDK do not suit exactOptionalPropertyTypes.
      const transport = new WebStandardStreamableHTTPServerTransport();
      await mcp.connect(transport as never);
      return reply.send(
        await transport.handleRequest(toWeb(request), { parsedBody: request.body }),
      );
    },
  });
};

/** A batch, which newer versions of the protocol do not have, would count as one request for the rate limit. */
function requireSingle({ body }: FastifyRequest): void {
  if (!Array.isArray(body)) return;
  const message = `Expected a single message but received a batch of ${body.length}`;
  throw badRequest(undefined, message);
}

/**
 * The calls that run in this process. A session is only a name for a client, with which another request can cancel
 * them: requests of one session may reach several servers.
 */
class RunningCalls {
  readonly #cancel = new Map<string, () => void>();

  /** Names a new client, follows a request until its response ends, or cancels another one. */
  follow({ body, headers }: FastifyRequest, reply: FastifyReply, cancel: () => void): void {
    if (isInitializeRequest(body)) reply.header(sessionHeader, randomUUID());
    const session = headers[sessionHeader];
    if (session === undefined) return;
    const keyOf = (id: unknown) => JSON.stringify([session, id]);
    const { success, data } = CancelledNotificationSchema.safeParse(body);
    if (success) this.#cancel.get(keyOf(data.params.requestId))?.();
    if (!isJSONRPCRequest(body)) return;
    const key = keyOf(body.id);
    this.#cancel.set(key, cancel);
    reply.raw.once('close', () => this.#cancel.delete(key));
  }
}

/** The error's message. Internal details stay in the log. */
function explain(thrown: unknown, { log, id }: FastifyRequest, { metrics }: ServerContext): string {
  const { status, code, message } = toApiError(thrown);
  metrics.countFailure(code);
  if (status < 500) return message;
  log.error({ err: thrown }, code);
  return `${message}: ${id}`;
}

/** The request as the transport reads it. Fastify has read the body. */
function toWeb({ method, url, headers }: FastifyRequest): Request {
  const entries = Object.entries(headers).map(([name, value]) => [name, String(value)] as const);
  return new Request(new URL(url, 'http://localhost'), {
    method,
    headers: Object.fromEntries(entries),
  });
}
