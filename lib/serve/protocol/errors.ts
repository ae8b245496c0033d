import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { Metrics } from '../metrics.js';
import { ApiError, asApiError } from './api-error.js';

/** Answers any error in OpenAI's shape, and logs what is the server's own. */
export function errorHandler(metrics: Metrics) {
  return (raw: unknown, request: FastifyRequest, reply: FastifyReply) => {
    // The client left before the first byte of a stream, which has told of it.
    if (codeOf(raw) === 'ERR_STREAM_PREMATURE_CLOSE') return reply.code(499).send();
    const error = fromFastify(raw) ?? asApiError(raw);
    metrics.failed(error.code);
    if (error.status >= 500) request.log.error({ err: raw }, error.code);
    if (error.retryAfter !== undefined) reply.header('retry-after', error.retryAfter);
    // It would take as long again.
    if (error.status === 504) reply.header('x-should-retry', 'false');
    return reply.code(error.status).send(error.toBody());
  };
}

export function notFound({ method, url, server }: FastifyRequest, reply: FastifyReply): never {
  const path = url.replace(/\?.*/s, '').slice(0, 100);
  const others = ['GET', 'POST'].filter((other) => server.hasRoute({ method: other, url: path }));
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

/** What Fastify and its plugins refuse. */
function fromFastify(raw: unknown): ApiError | undefined {
  const { statusCode = 500, code = '', message } = raw as FastifyError;
  if (raw instanceof ApiError || statusCode >= 500 || statusCode < 400) return undefined;
  const [status, name] = known[code] ?? [statusCode, 'invalid_request'];
  const retry = statusCode === 429 ? { retryAfter: 60 } : {};
  return new ApiError(status, name, message, { ...retry, cause: raw });
}

const known: Readonly<Record<string, readonly [number, string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: [413, 'request_too_large'],
  FST_PARTS_LIMIT: [413, 'request_too_large'],
  FST_FIELDS_LIMIT: [413, 'request_too_large'],
  FST_FILES_LIMIT: [413, 'request_too_large'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [415, 'unsupported_media_type'],
  FST_ERR_CTP_INVALID_JSON_BODY: [400, 'invalid_json'],
  FST_ERR_CTP_EMPTY_JSON_BODY: [400, 'invalid_json'],
};
