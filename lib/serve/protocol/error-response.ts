import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { ApiError, toApiError } from '../errors.js';
import type { Metrics } from '../metrics.js';
import { bodyLimit, formLimits } from './limits.js';
import { expectedType, mediaTypes, wrongMediaType } from './media-type.js';

/** Milliseconds for a client to notice a response that came before it has sent its request. */
const lingerTime = 1000;

/** The body of an error response, in the shape of OpenAI's API. */
export const errorSchema = z.object({
  error: z.object({
    message: z.string(),
    type: z.string(),
    param: z.string().nullable(),
    code: z.string(),
  }),
});

const types: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  429: 'rate_limit_error',
};

export function toErrorBody({ status, message, param, code }: ApiError) {
  const type = types[status] ?? (status < 500 ? 'invalid_request_error' : 'server_error');
  return { error: { message, type, param, code } };
}

/**
 * Responds to any error that a route or Fastify throws, and logs those that are the server's fault.
 * @param toBody gives the response its shape
 */
export function errorHandler(metrics: Metrics, toBody: (error: ApiError) => object = toErrorBody) {
  return (thrown: unknown, request: FastifyRequest, reply: FastifyReply) => {
    // The client disconnected before the first byte of a stream. The stream has already reported it.
    if (codeOf(thrown) === 'ERR_STREAM_PREMATURE_CLOSE') return reply.code(499).send();
    const error = fromFastify(thrown, request) ?? toApiError(thrown);
    metrics.countFailure(error.code);
    if (error.status >= 500) request.log.error({ err: thrown }, error.code);
    if (hasUnreadBody(request)) closeAfter(request, reply);
    if (error.retryAfter !== undefined) reply.header('retry-after', error.retryAfter);
    // Another try would take as long. OpenAI's clients read this header.
    if (error.status === 504) reply.header('x-should-retry', 'false');
    return reply.code(error.status).send(toBody(error));
  };
}

/** Whether the client is sending more than is worth reading after an error. */
function hasUnreadBody({ raw, headers }: FastifyRequest): boolean {
  const isLong = 'transfer-encoding' in headers || Number(headers['content-length']) > bodyLimit;
  return isLong && !raw.complete;
}

/**
 * Closes the connection after the response. What the client still sends is dropped for a moment: if the socket were
 * destroyed at once, TCP would reset the connection, and the client could lose the response.
 */
function closeAfter({ raw: { socket } }: FastifyRequest, reply: FastifyReply): void {
  reply.header('connection', 'close');
  socket.destroySoon = () => {
    socket.end();
    const timer = setTimeout(() => socket.destroy(), lingerTime);
    socket.once('close', () => clearTimeout(timer));
  };
}

/**
 * 404, or 405 if the route exists for another method.
 * @param page the HTML that a browser shows for an unknown address; undefined if the page has not been built
 */
export function notFoundHandler(page: string | undefined) {
  return (request: FastifyRequest, reply: FastifyReply) => {
    if (page === undefined || !isNavigation(request)) return rejectUnknownRoute(request, reply);
    return reply.code(404).type('text/html; charset=utf-8').send(page);
  };
}

/** Whether a browser opens an address, rather than a program sending a request to the API. */
function isNavigation({ method, url, headers: { accept = '' } }: FastifyRequest): boolean {
  const isApi = /^\/v1(?:[/?]|$)/.test(url);
  return method === 'GET' && accept.includes('text/html') && !isApi;
}

function rejectUnknownRoute({ method, url, server }: FastifyRequest, reply: FastifyReply) {
  const path = url.replace(/\?.*/s, '').slice(0, 100);
  // CORS adds an OPTIONS route for every path.
  const others = server.supportedMethods.filter(
    (other) => other !== 'OPTIONS' && server.findRoute({ method: other, url: path }) !== null,
  );
  if (others.length === 0) {
    throw new ApiError(404, 'not_found', `Expected a known route but received ${method} ${path}`);
  }
  reply.header('allow', others.join(', '));
  const message = `Expected ${others.join(' or ')} for ${path} but received ${method}`;
  throw new ApiError(405, 'method_not_allowed', message);
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | null)?.code;
}

/** Errors of Fastify and its plugins that are the client's fault; undefined for any other error. */
function fromFastify(thrown: unknown, request: FastifyRequest): ApiError | undefined {
  const { statusCode = 500, code = '', message } = thrown as FastifyError;
  if (thrown instanceof ApiError || statusCode >= 500 || statusCode < 400) return undefined;
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    const { consumes = [mediaTypes.json] } = request.routeOptions.schema ?? {};
    const kinds = (['json', 'form'] as const).filter((kind) => consumes.includes(mediaTypes[kind]));
    return wrongMediaType(request, kinds.map((kind) => expectedType[kind]).join(' or '));
  }
  const [status, name, text = message] = fastifyErrors[code] ?? [statusCode, 'invalid_request'];
  const retry = statusCode === 429 ? { retryAfter: 60 } : {};
  return new ApiError(status, name, text, { ...retry, cause: thrown });
}

const tooManyFields = `Expected a form with fewer files, or at most ${formLimits.fields} fields, but received more`;

/** Status, code and message for the client, by Fastify's code. */
const fastifyErrors: Readonly<Record<string, readonly [number, string, string?]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: [
    413,
    'request_too_large',
    `Expected a body of at most ${bodyLimit / 1024} KB but received a larger one`,
  ],
  FST_PARTS_LIMIT: [413, 'request_too_large', tooManyFields],
  FST_FIELDS_LIMIT: [413, 'request_too_large', tooManyFields],
  FST_FILES_LIMIT: [413, 'request_too_large', tooManyFields],
  FST_ERR_CTP_INVALID_JSON_BODY: [
    400,
    'invalid_json',
    'Expected JSON but received a body that is not',
  ],
  FST_ERR_CTP_EMPTY_JSON_BODY: [400, 'invalid_json', 'Expected JSON but received an empty body'],
};
